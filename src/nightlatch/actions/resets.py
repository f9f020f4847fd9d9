"""The reset of a locked-out teammate's 2FA: members at once; owners and admins by the operator (design section 6).

What the workspace relied on is void in it, and nowhere else; what sessions held for it counts no longer; a ticket goes
out to the present address and works only with the number that the admin reads to the person. Nothing in any other
workspace changes (law 7).
"""

import secrets
from dataclasses import dataclass

from nightlatch.actions import kinds
from nightlatch.actions.by import By
from nightlatch.actions.guard import allowed
from nightlatch.actions.reasons import clean_reason
from nightlatch.actions.reset_mails import mail_notices, mail_ticket, tell_owners_first
from nightlatch.assurance import enrolled, relied_on
from nightlatch.audit.events import account as account_subject
from nightlatch.audit.events import record
from nightlatch.ids import new_id, to_text
from nightlatch.instants import HOUR
from nightlatch.refusals import Code, Refused, WayOut, not_found
from nightlatch.store import (
    accounts,
    authenticators,
    enrolments,
    outbox,
    standing,
    teammates,
    tickets,
    workspaces,
)
from nightlatch.store.engine import Transaction
from nightlatch.store.facts import Known, read_account_facts
from nightlatch.store.locks import lock
from nightlatch.store.query import Row
from nightlatch.vocabulary import Event, Role

RESETS_AN_HOUR = 10
"""By one admin in one workspace; and as many mails to one person."""


@dataclass(frozen=True, slots=True)
class ResetDone:
    """Done. `number` is shown to the admin once, to be read out; None where an owner waived it."""

    reset_id: int
    number: str | None
    name: str
    email: str

    def __repr__(self) -> str:
        return f"ResetDone({self.reset_id})"


@dataclass(frozen=True, slots=True)
class Target:
    """Who, where: read under the locks."""

    workspace: Row
    teammate: Row
    account: Row

    @property
    def subject(self) -> tuple[str, int | None, str]:
        return account_subject(self.account.id, self.account.name)


def disable_two_factor(
    tx: Transaction,
    *,
    by: By,
    workspace_id: int,
    teammate_id: int,
    reason: str,
    recognised_by: str,
    waive_number: bool = False,
) -> ResetDone:
    """Void what the workspace relied on for a teammate, and mail them the way back. Raises Refused, at nothing done.

    `waive_number`: an owner (or the operator) lets a member's ticket work without its number.
    """
    known, target = _begin(tx, by, workspace_id, teammate_id)
    reason = clean_reason(reason, needed=True)
    recognised_by = clean_reason(recognised_by, needed=known is not None, field="recognised_by")
    if waive_number:
        _may_waive(tx, known, target)
    if known is not None:
        within_limit(tx, by, workspace_id)
    facts = read_account_facts(tx, target.account.id)
    here = relied_on(facts, workspace_id)
    if not here:
        raise nothing_there(target)
    if known is None:
        tell_owners_first(tx, by, target.workspace, target.account, reason, number=not waive_number)
    for each in here:
        authenticators.mark(tx, each.id, workspace_id, "void_at", tx.now)
    reset_id, number = new_id(), None if waive_number else _new_number()
    tickets.create_reset(
        tx,
        id=reset_id,
        workspace_id=workspace_id,
        account_id=target.account.id,
        requested_by=by.id,
        requester=by.name,
        reason=reason,
        recognised_by=recognised_by,
        number_tag=_tag(tx, reset_id, number),
        rank=teammates.rank(tx, teammate_id, Role(target.teammate.role)),
    )
    teammates.begin_reset(tx, teammate_id, reset_id)
    enrolments.drop_for(tx, target.account.id, workspace_id)
    standing.refresh(tx, target.account.id, only=[workspace_id])
    record(
        tx,
        Event.TEAMMATE_RESET,
        by=by,
        subject=target.subject,
        workspace_id=workspace_id,
        reset=to_text(reset_id),
        reason=reason,
        recognised_by=recognised_by or None,
        number_waived=waive_number,
    )
    if enrolled(here, workspace_id):
        record(tx, Event.TEAMMATE_UNSECURED, by=by, subject=target.subject, workspace_id=workspace_id)
    mail_ticket(
        tx, by, target.workspace, target.account, reset_id=reset_id, reason=reason, number=number is not None
    )
    mail_notices(tx, by, target.workspace, target.account)
    return ResetDone(reset_id, number, target.account.name, target.account.email)


def renew(tx: Transaction, *, by: By, workspace_id: int, teammate_id: int) -> ResetDone:
    """A new number and a new ticket for a reset that is not completed: the old ones are dead. Raises Refused."""
    known, target = _begin(tx, by, workspace_id, teammate_id)
    reset_id = target.teammate.reset_id
    reset = tickets.take_reset(tx, reset_id) if reset_id is not None else None
    if reset is None or reset.completed_at is not None or reset.ended_at is not None:
        raise Refused(
            Code.CONFLICT,
            f"Nothing is under way for {target.account.name}: there is no link to renew.",
            _team(target),
        )
    if outbox.count_to(tx, target.account.email_key, "reset", tx.now - HOUR) >= RESETS_AN_HOUR:
        raise _too_many(tx, target)
    if known is None:
        tell_owners_first(
            tx, by, target.workspace, target.account, reset.reason, number=bool(reset.number_tag)
        )
    number = _new_number() if reset.number_tag else None
    tickets.renew_reset(tx, reset.id, _tag(tx, reset.id, number))
    record(
        tx,
        Event.TEAMMATE_RESET_RENEWED,
        by=by,
        subject=target.subject,
        workspace_id=workspace_id,
        reset=to_text(reset.id),
    )
    mail_ticket(
        tx,
        by,
        target.workspace,
        target.account,
        reset_id=reset.id,
        reason=reset.reason,
        number=number is not None,
    )
    return ResetDone(reset.id, number, target.account.name, target.account.email)


# --- inside ---


def _begin(tx: Transaction, by: By, workspace_id: int, teammate_id: int) -> tuple[Known | None, Target]:
    """Lock, decide again, find the teammate, and see that they may be reset by this person."""
    seen = teammates.by_id(tx, teammate_id, workspace_id)
    lock(tx, workspaces=[workspace_id], accounts=[seen.account_id] if seen is not None else [])
    known = allowed(tx, by, kinds.DISABLE_TWO_FACTOR.at(workspace_id)) if by.kind != "operator" else None
    workspace = workspaces.by_id(tx, workspace_id)
    teammate = teammates.by_id(tx, teammate_id, workspace_id)
    account = accounts.by_id(tx, teammate.account_id) if teammate is not None else None
    if workspace is None or teammate is None or account is None:
        raise not_found()
    target = Target(workspace, teammate, account)
    if known is not None:
        may_reset(tx, known, target)
    return known, target


def may_reset(tx: Transaction, known: Known, target: Target) -> None:
    """Raises Refused where this person may not reset that one, whatever is bound."""
    if target.account.id == known.facts.account:
        raise Refused(
            Code.NOT_PERMITTED,
            "Nobody turns off their own 2FA like this. Ask another admin or an owner.",
            WayOut("See who can help.", "/recover"),
        )
    if _above_member(tx, target):
        raise Refused(
            Code.NOT_PERMITTED,
            f"{target.account.name} is, or was within the last 7 days, more than a member here. "
            "Only whoever runs this installation can turn off their 2FA.",
            WayOut("Ask the operator: nightlatch teammate disable-two-factor.", "/help"),
        )


def _may_waive(tx: Transaction, known: Known | None, target: Target) -> None:
    """For members alone, by an owner, or by the operator, of whom every owner is told first."""
    mine = known.facts.teammate(target.workspace.id) if known is not None else None
    if known is not None and (mine is None or mine.role is not Role.OWNER):
        raise Refused(
            Code.NOT_PERMITTED,
            "Only an owner may do without the number.",
            WayOut("Read the number to the person, or ask an owner.", _team(target).path),
        )
    if _above_member(tx, target):
        raise Refused(
            Code.NOT_PERMITTED,
            f"{target.account.name} is, or was within the last 7 days, more than a member there: "
            "the number stays.",
            WayOut("Read the number to the person.", _team(target).path),
        )


def _above_member(tx: Transaction, target: Target) -> bool:
    return teammates.rank(tx, target.teammate.id, Role(target.teammate.role)) > Role.MEMBER.rank


def within_limit(tx: Transaction, by: By, workspace_id: int) -> None:
    """Ten an hour by one admin. The workspace is locked, so that parallel ones are counted one after the other."""
    if by.id is None or tickets.recent_resets(tx, workspace_id, by.id, tx.now - HOUR) < RESETS_AN_HOUR:
        return
    raise Refused(
        Code.TOO_MANY_ATTEMPTS,
        f"You have turned off 2FA for {RESETS_AN_HOUR} people within an hour. Wait, or ask another admin.",
        WayOut("See who else can.", "/recover"),
        retry_at=tx.now + HOUR,
    )


def _too_many(tx: Transaction, target: Target) -> Refused:
    return Refused(
        Code.TOO_MANY_ATTEMPTS,
        f"{target.account.name} was mailed several links already. Use the newest one, or wait an hour.",
        _team(target),
        retry_at=tx.now + HOUR,
    )


def nothing_there(target: Target) -> Refused:
    """Why there is nothing to turn off."""
    if target.teammate.reset_id is not None:
        return Refused(
            Code.CONFLICT,
            f"2FA is off already for {target.account.name}, who has yet to set it up again. "
            "A new number and link may help.",
            _team(target),
        )
    return Refused(
        Code.NOT_ENROLLED,
        f"{target.account.name} has no 2FA in {target.workspace.name}: there is nothing to turn off.",
        _team(target),
    )


def _team(target: Target) -> WayOut:
    return WayOut("Go back to the teammates.", f"/w/{target.workspace.slug}/settings/team")


def _new_number() -> str:
    """Eight digits, to be read out over the phone. Five wrong ones kill the ticket."""
    return f"{secrets.randbelow(10**8):08d}"


def _tag(tx: Transaction, reset_id: int, number: str | None) -> bytes:
    """What is kept of the number: a keyed tag bound to its reset; nothing where the number is waived."""
    return tx.keys.tag("reset_number", f"{reset_id}:{number}".encode()) if number is not None else b""
