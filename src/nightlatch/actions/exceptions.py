"""Exceptions: more time for a member without 2FA. One admin asks, another one agrees; it ends by itself.

While it stands `teammates.exempt_until` puts off the instant from which the mandate binds this one teammate; the clock
alone ends it, whatever runs or does not run. Where nobody else could agree, the operator does.
"""

from dataclasses import dataclass
from typing import Any

from nightlatch.actions import exceptions_rules as rules
from nightlatch.actions import kinds
from nightlatch.actions.by import By
from nightlatch.actions.exceptions_ending import end_one, is_open
from nightlatch.actions.exceptions_rules import Approver
from nightlatch.actions.guard import allowed
from nightlatch.actions.mailing import mail_account, mail_address, mail_owners, tell_owners_first
from nightlatch.actions.reasons import clean_reason
from nightlatch.audit.events import account as account_subject
from nightlatch.audit.events import record
from nightlatch.decision import Action
from nightlatch.ids import new_id
from nightlatch.ids import to_text as id_text
from nightlatch.instants import Instant, to_text
from nightlatch.refusals import Code, Refused, WayOut, not_found
from nightlatch.store import accounts, exceptions, teammates, withdrawing, workspaces
from nightlatch.store.engine import Transaction
from nightlatch.store.locks import lock
from nightlatch.store.query import Row
from nightlatch.vocabulary import Event


@dataclass(frozen=True, slots=True)
class Looked:
    """A teammate, and what stands against giving them more time."""

    id: int
    name: str
    email: str
    against: Refused | None
    begins: Instant
    """Until then they have time anyway."""
    approvers: tuple[Approver, ...]
    """Who could agree, oneself left out; none: only the operator."""
    until: Instant | None
    """They have more time already, until then: another one takes its place."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What waits now, and who can agree to it; none: only the operator."""

    id: int
    name: str
    ends_at: Instant
    approvers: tuple[Approver, ...]


def look(tx: Transaction, *, by: By, workspace_id: int, teammate_id: int) -> Looked:
    """For the page that asks. Reads only. Raises Refused: what the gate raises, `not_found`."""
    allowed(tx, by, kinds.ASK_EXCEPTION.at(workspace_id))
    workspace, target = _found(tx, workspace_id, teammate_id)
    against, begins = None, 0
    try:
        begins = rules.may_have(tx, by, workspace, target)
        rules.nothing_waits(tx, workspace, target)
    except Refused as refused:
        against = refused
    now = rules.standing(exceptions.of_person(tx, workspace_id, target.account_id), tx.now)
    return Looked(
        target.id,
        target.name,
        target.email,
        against,
        begins,
        tuple(rules.approvers(tx, workspace, but=(by.id, target.account_id))),
        now.ends_at if now is not None else None,
    )


def ask(
    tx: Transaction, *, by: By, workspace_id: int, teammate_id: int, reason: str, ends_at: Instant
) -> Asked:
    """Ask for more time for a member, until an instant at most 30 days off. Nothing changes before somebody agrees.

    Raises Refused: what the gate raises, `not_found`, `not_permitted` (oneself, admins, owners), `conflict` (2FA is not
    required, or theirs already, or more than 30 days off; twice in a row; asked already), `invalid`.
    """
    text = clean_reason(reason, needed=True)
    before = teammates.by_id(tx, teammate_id, workspace_id)
    _enter(tx, by, kinds.ASK_EXCEPTION, workspace_id, before.account_id if before is not None else None)
    workspace, target = _found(tx, workspace_id, teammate_id)
    begins = rules.may_have(tx, by, workspace, target)
    rules.nothing_waits(tx, workspace, target)
    rules.checked_end(tx.now, ends_at, begins)
    id = new_id()
    exceptions.ask(
        tx,
        id=id,
        workspace_id=workspace_id,
        account_id=target.account_id,
        reason=text,
        ends_at=ends_at,
        requested_by=by.id if by.kind == "account" else None,
        requester=by.name,
    )
    _note(tx, Event.EXCEPTION_ASKED, by, workspace, target, id, reason=text, ends_at=to_text(ends_at))
    found = rules.approvers(tx, workspace, but=(by.id, target.account_id))
    for each in found:
        mail_address(
            tx,
            "exception_asked",
            each.email,
            by=by,
            account_id=each.account_id,
            workspace_id=workspace_id,
            workspace=workspace.name,
            by_name=by.name,
            name=target.name,
            reason=text,
            expires=ends_at,
            link=_page(workspace),
        )
    return Asked(id, target.name, ends_at, tuple(found))


def approve(
    tx: Transaction, *, by: By, workspace_id: int, exception_id: int, reason: str | None = None
) -> Row:
    """Agree to one that waits: from now until its end the mandate does not bind this member. The row, as it stood.

    Never whoever asked, nor the person themself. The operator agrees to what somebody of the workspace asked, with a
    `reason`, and the owners are mailed first. Raises Refused: what the gate raises, `not_found`, `not_permitted`,
    `conflict` (it does not wait any more, or they can have none by now).
    """
    row = _entered(tx, by, kinds.APPROVE_EXCEPTION, workspace_id, exception_id)
    workspace, target = _found(tx, workspace_id, row.teammate_id)
    if not is_open(row, tx.now) or row.approved_at is not None:
        raise _over(workspace)
    _another(by, row, workspace)
    rules.gives_time(workspace, target, row, rules.may_have(tx, by, workspace, target))
    if by.kind == "operator":
        whom = f"{target.name} ({target.email})"
        what = f"In {workspace.name}, the operator agrees to more time without 2FA for {whom}"
        tell_owners_first(tx, by, workspace.id, what, clean_reason(reason, needed=True))
    now = rules.standing(exceptions.of_person(tx, workspace_id, row.account_id), tx.now)
    if now is not None:
        end_one(tx, by=by, row=now, name=target.name, why="replaced")
    approver = by.id if by.kind == "account" else None
    if not exceptions.approve(tx, row.id, approved_by=approver, approver=by.name):
        raise _over(workspace)
    exceptions.exempt(tx, workspace_id, row.account_id, row.ends_at)
    withdrawing.of_person(tx, row.account_id, workspace_id, "there is an exception")
    _note(
        tx,
        Event.EXCEPTION_GRANTED,
        by,
        workspace,
        target,
        row.id,
        reason=row.reason,
        ends_at=to_text(row.ends_at),
        asked_by=row.requester,
    )
    _tell_of_grant(tx, by, workspace, target, row)
    return row


def end(tx: Transaction, *, by: By, workspace_id: int, exception_id: int) -> str:
    """Refuse (or take back) one that waits, or end one that stands before its day: `refused`, `withdrawn`, `ended`.

    Raises Refused: what the gate raises, `not_found`, `conflict` where it is over already.
    """
    row = _entered(tx, by, kinds.END_EXCEPTION, workspace_id, exception_id)
    workspace = _workspace(tx, workspace_id)
    mine = by.kind == "account" and row.requested_by == by.id
    why = "ended" if row.approved_at is not None else "withdrawn" if mine else "refused"
    if not end_one(tx, by=by, row=row, name=row.name, why=why):
        raise _over(workspace)
    if why == "ended":
        tell_ended(tx, by=by, workspace=workspace, account_id=row.account_id, name=row.name)
    elif why == "refused" and row.requested_by is not None:
        _tell_refused(tx, by, workspace, row)
    return why


def end_all(tx: Transaction, *, by: By, workspace_id: int) -> int:
    """End every exception of a workspace, those that wait included; how many. The mandate's own event tells of it.

    For turning the mandate off; the workspace is locked.
    """
    return exceptions.end_all(tx, workspace_id, by.name)


def tell_ended(tx: Transaction, *, by: By, workspace: Row, account_id: int, name: str) -> None:
    """Mail the person, and the owners, that one has ended before its day."""
    account = accounts.by_id(tx, account_id)
    about = {"workspace": workspace.name, "by_name": by.name}
    if account is not None:
        mail_account(tx, "exception_ended", account, by=by, workspace_id=workspace.id, **about)
    mail_owners(tx, "exception_over", workspace.id, by=by, name=name, link=_page(workspace), **about)


# --- inside ---


def _enter(tx: Transaction, by: By, action: Action, workspace_id: int, account_id: int | None) -> None:
    """The locks, then the decision."""
    lock(tx, workspaces=[workspace_id], accounts=[account_id] if account_id is not None else [])
    if by.kind != "operator":
        allowed(tx, by, action.at(workspace_id))


def _entered(tx: Transaction, by: By, action: Action, workspace_id: int, exception_id: int) -> Row:
    before = exceptions.by_id(tx, exception_id, workspace_id)
    _enter(tx, by, action, workspace_id, before.account_id if before is not None else None)
    row = exceptions.by_id(tx, exception_id, workspace_id)
    if row is None:
        raise not_found()
    return row


def _workspace(tx: Transaction, workspace_id: int) -> Row:
    workspace = workspaces.by_id(tx, workspace_id)
    if workspace is None:
        raise not_found()
    return workspace


def _found(tx: Transaction, workspace_id: int, teammate_id: int) -> tuple[Row, Row]:
    target = teammates.by_id(tx, teammate_id, workspace_id)
    if target is None:
        raise not_found()
    return _workspace(tx, workspace_id), target


def _another(by: By, row: Row, workspace: Row) -> None:
    """It takes two: one who asks and another who agrees, and neither is the person themself."""
    asked_by_operator = row.requested_by is None
    if by.kind == "operator":
        same = asked_by_operator
    else:
        same = by.id in (row.requested_by, row.account_id)
    if same:
        raise Refused(
            Code.NOT_PERMITTED,
            "Somebody else has to agree: whoever asked cannot, and nor can the person whom it is for.",
            WayOut("See who can.", _page(workspace)),
        )


def _tell_of_grant(tx: Transaction, by: By, workspace: Row, target: Row, row: Row) -> None:
    about = {"workspace": workspace.name, "by_name": by.name, "reason": row.reason, "expires": row.ends_at}
    account = accounts.by_id(tx, row.account_id)
    if account is not None:
        mail_account(tx, "exception_granted", account, by=by, workspace_id=workspace.id, **about)
    more = {"asker": row.requester, "name": target.name, "link": _page(workspace)}
    mail_owners(tx, "exception_given", workspace.id, by=by, **about, **more)


def _tell_refused(tx: Transaction, by: By, workspace: Row, row: Row) -> None:
    requester = accounts.by_id(tx, row.requested_by)
    membership = teammates.by_account(tx, row.requested_by, workspace.id)
    if requester is None or membership is None or membership.removed_at is not None:
        return
    mail_account(
        tx,
        "exception_refused",
        requester,
        by=by,
        workspace_id=workspace.id,
        workspace=workspace.name,
        by_name=by.name,
        name=row.name,
        link=_page(workspace),
    )


def _note(tx: Transaction, event: Event, by: By, workspace: Row, target: Row, id: int, **detail: Any) -> None:
    record(
        tx,
        event,
        by=by,
        subject=account_subject(target.account_id, target.name),
        workspace_id=workspace.id,
        exception=id_text(id),
        **detail,
    )


def _over(workspace: Row) -> Refused:
    return Refused(
        Code.CONFLICT,
        "This is over, or somebody was faster.",
        WayOut("See all exceptions.", _page(workspace)),
    )


def _page(workspace: Row) -> str:
    return f"/w/{workspace.slug}/settings/team/exceptions"
