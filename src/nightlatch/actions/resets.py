"""Asking for the reset of a locked-out teammate's 2FA, approving it, renewing its number (design section 6).

Whom one may ask for, and how long it waits, is in `reset_rules`; doing it in `reset_doing`,
ending it in `reset_ending`.
"""

import secrets
from dataclasses import dataclass

from nightlatch.actions import kinds
from nightlatch.actions.by import By
from nightlatch.actions.guard import allowed
from nightlatch.actions.reasons import clean_reason
from nightlatch.actions.reset_doing import do_reset, finish, found, why_not
from nightlatch.actions.reset_ending import end_reset, over
from nightlatch.actions.reset_mails import announce, mail_ticket, tell_owners_first
from nightlatch.actions.reset_rules import HELD_FOR, Plan, Target, asks, not_second_owner, plan, rank_of
from nightlatch.assurance import relied_on
from nightlatch.audit.events import record
from nightlatch.ids import new_id, to_text
from nightlatch.instants import HOUR, Instant
from nightlatch.instants import to_text as instant_text
from nightlatch.refusals import Code, Refused, WayOut, not_found
from nightlatch.store import accounts, outbox, resets, standing, teammates, workspaces
from nightlatch.store.engine import Transaction
from nightlatch.store.facts import read_account_facts
from nightlatch.store.known import Known
from nightlatch.store.locks import lock
from nightlatch.store.query import Row
from nightlatch.vocabulary import Event, Role

RESETS_AN_HOUR = 10
"""By one admin in one workspace; and as many mails to one person."""


@dataclass(frozen=True, slots=True)
class ResetDone:
    """Done, or waiting. `number` is shown to the admin once, to be read out; None where an owner waived it."""

    reset_id: int
    number: str | None
    name: str
    email: str
    done: bool = True
    effective_at: Instant | None = None
    """When it was, or will be, done; None: only a second owner's approval does it."""
    lapses_at: Instant | None = None
    """When a reset that waits for approval is over."""

    @property
    def state(self) -> str:
        """`done` or `waiting`."""
        return "done" if self.done else "waiting"

    def __repr__(self) -> str:
        return f"ResetDone({self.reset_id})"


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
    """Ask for the reset of a teammate: of a member it is done at once, of an admin or owner after an announced delay.

    `waive_number`: an owner (or the operator) lets a member's ticket work without its number. The operator's is done at
    once, whoever it is of. Raises Refused, at nothing done.
    """
    known, target = _begin(tx, by, workspace_id, teammate_id)
    planned = _plan(tx, known, target)
    reason = clean_reason(reason, needed=True)
    recognised_by = clean_reason(recognised_by, needed=known is not None, field="recognised_by")
    if waive_number:
        _may_waive(tx, known, target)
    if known is not None:
        within_limit(tx, by, workspace_id)
    if not relied_on(read_account_facts(tx, target.account.id), workspace_id):
        raise nothing_there(target)
    waits = resets.waiting_of(tx, target.account.id, workspace_id)
    if waits is not None and known is not None:
        raise waits_already(target)
    if known is None:
        tell_owners_first(tx, by, target.workspace, target.account, reason, number=not waive_number)
    if waits is not None:
        end_reset(tx, by, waits, "replaced")
    number = None if waive_number else _new_number()
    reset = _create(tx, by, target, planned, reason, recognised_by, number)
    if planned.waits:
        _announce(tx, by, target, reset)
    else:
        do_reset(tx, by, target, reset)
    held = reset.held_at is not None
    return ResetDone(
        reset.id,
        number,
        target.account.name,
        target.account.email,
        not planned.waits,
        None if held else reset.effective_at,
        reset.effective_at if held else None,
    )


def approve(tx: Transaction, *, by: By, workspace_id: int, reset_id: int) -> ResetDone:
    """A second owner agrees: it is done at once. Raises Refused: the gate's, `not_permitted`, `conflict`,
    `last_owner`."""
    row = resets.by_id(tx, reset_id)
    if row is None or row.workspace_id != workspace_id:
        raise not_found()
    lock(tx, workspaces=[workspace_id], accounts=[row.account_id])
    known = allowed(tx, by, kinds.APPROVE_RESET.at(workspace_id))
    reset = resets.take(tx, reset_id)
    target = found(tx, workspace_id, row.account_id)
    if reset is None or reset.done_at is not None or reset.ended_at is not None or target is None:
        raise over()
    mine = known.facts.account or 0
    against = not_second_owner(tx, workspace_id, mine, reset.account_id, reset.requested_by)
    if against is not None:
        raise Refused(Code.NOT_PERMITTED, against, target.team)
    if reset.held_at is not None and reset.effective_at <= tx.now:
        raise over()
    why = why_not(tx, target, reset)
    if why is not None:
        code = Code.LAST_OWNER if why == "last_owner" else Code.CONFLICT
        raise Refused(code, _AGAINST[why], target.team)
    resets.approve(tx, reset.id, mine, by.name)
    record(
        tx,
        Event.TEAMMATE_RESET_APPROVED,
        by=by,
        subject=target.subject,
        workspace_id=workspace_id,
        reset=to_text(reset.id),
        asked_by=reset.requester,
    )
    do_reset(tx, by, target, reset, approver=by.name)
    return ResetDone(reset.id, None, target.account.name, target.account.email, effective_at=tx.now)


_AGAINST = {
    "requester": "Whoever asked for this may not ask for it any more.",
    "role": "The person has a higher role by now: it has to be asked for again.",
    "nothing": "The person has no 2FA here any more: there is nothing to turn off.",
    "last_owner": "The person is the only owner with 2FA: another owner sets it up first.",
}


def lookup_due(tx: Transaction, workspace_id: int) -> None:
    """Do, or end, what has come due in a workspace: for whoever is about to look. Its instant waits for no chore."""
    for each in resets.waiting(tx, workspace_id):
        if each.effective_at <= tx.now:
            finish(tx, each)


def renew(tx: Transaction, *, by: By, workspace_id: int, teammate_id: int) -> ResetDone:
    """A new number and a new ticket for a reset that is not completed: the old ones are dead. Raises Refused."""
    known, target = _begin(tx, by, workspace_id, teammate_id)
    may_renew(tx, known, target)
    reset_id = target.teammate.reset_id
    reset = resets.take(tx, reset_id) if reset_id is not None else None
    if reset is None or reset.completed_at is not None or reset.ended_at is not None:
        raise Refused(
            Code.CONFLICT,
            f"Nothing is under way for {target.account.name}: there is no link to renew.",
            target.team,
        )
    if outbox.count_to(tx, target.account.email_key, "reset", tx.now - HOUR) >= RESETS_AN_HOUR:
        raise _too_many(tx, target)
    if known is None:
        tell_owners_first(
            tx, by, target.workspace, target.account, reset.reason, number=bool(reset.number_tag)
        )
    number = _new_number() if reset.number_tag else None
    resets.renew(tx, reset.id, _tag(tx, reset.id, number))
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
        by_name=by.name,
        reason=reset.reason,
        number=number is not None,
    )
    return ResetDone(reset.id, number, target.account.name, target.account.email, effective_at=reset.done_at)


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
    return known, target


def _plan(tx: Transaction, known: Known | None, target: Target) -> Plan:
    mine = known.facts.teammate(target.workspace.id) if known is not None else None
    return plan(
        tx,
        known.facts.account if known is not None else None,
        mine.role if mine is not None else None,
        target,
    )


def _create(
    tx: Transaction,
    by: By,
    target: Target,
    planned: Plan,
    reason: str,
    recognised_by: str,
    number: str | None,
) -> Row:
    reset_id = new_id()
    resets.create(
        tx,
        id=reset_id,
        workspace_id=target.workspace.id,
        account_id=target.account.id,
        requested_by=by.id,
        requester=by.name,
        reason=reason,
        recognised_by=recognised_by,
        number_tag=_tag(tx, reset_id, number),
        rank=planned.rank,
        effective_at=tx.now + (HELD_FOR if planned.held else planned.delay),
        held_at=tx.now if planned.held else None,
    )
    return resets.by_id(tx, reset_id)


def _announce(tx: Transaction, by: By, target: Target, reset: Row) -> None:
    held = reset.held_at is not None
    teammates.reset_waits(tx, target.teammate.id, reset.id)
    standing.refresh(tx, target.account.id, only=[target.workspace.id])
    record(
        tx,
        Event.TEAMMATE_RESET_REQUESTED,
        by=by,
        subject=target.subject,
        workspace_id=target.workspace.id,
        reset=to_text(reset.id),
        reason=reset.reason,
        recognised_by=reset.recognised_by,
        effective_at=None if held else instant_text(reset.effective_at),
        needs_approval=held,
    )
    announce(
        tx,
        by,
        target.workspace,
        target.account,
        reset_id=reset.id,
        reason=reset.reason,
        until=reset.effective_at,
        held=held,
    )


def waits_already(target: Target) -> Refused:
    """One is enough."""
    return Refused(
        Code.CONFLICT,
        f"Somebody has asked for this already: turning off 2FA for {target.account.name} waits.",
        WayOut("Look at what waits.", f"/w/{target.workspace.slug}/settings/team/resets"),
    )


def may_renew(tx: Transaction, known: Known | None, target: Target) -> None:
    """A new number is for whoever might ask for the reset itself. Raises Refused."""
    mine = known.facts.teammate(target.workspace.id) if known is not None else None
    if known is not None and mine is not None:
        asks(tx, known.facts.account, mine.role, target)


def _may_waive(tx: Transaction, known: Known | None, target: Target) -> None:
    """For members alone, by an owner, or by the operator, of whom every owner is told first."""
    mine = known.facts.teammate(target.workspace.id) if known is not None else None
    if known is not None and (mine is None or mine.role is not Role.OWNER):
        raise Refused(
            Code.NOT_PERMITTED,
            "Only an owner may do without the number.",
            WayOut("Read the number to the person, or ask an owner.", target.team.path),
        )
    if _above_member(tx, target):
        raise Refused(
            Code.NOT_PERMITTED,
            f"{target.account.name} is, or was within the last 7 days, more than a member there: "
            "the number stays.",
            WayOut("Read the number to the person.", target.team.path),
        )


def _above_member(tx: Transaction, target: Target) -> bool:
    return rank_of(tx, target.teammate) > Role.MEMBER.rank


def within_limit(tx: Transaction, by: By, workspace_id: int) -> None:
    """Ten an hour by one admin. The workspace is locked, so that parallel ones are counted one after the other."""
    if by.id is None or resets.recent(tx, workspace_id, by.id, tx.now - HOUR) < RESETS_AN_HOUR:
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
        target.team,
        retry_at=tx.now + HOUR,
    )


def nothing_there(target: Target) -> Refused:
    """Why there is nothing to turn off."""
    if target.teammate.reset_id is not None:
        return Refused(
            Code.CONFLICT,
            f"2FA is off already for {target.account.name}, who has yet to set it up again. "
            "A new number and link may help.",
            target.team,
        )
    return Refused(
        Code.NOT_ENROLLED,
        f"{target.account.name} has no 2FA in {target.workspace.name}: there is nothing to turn off.",
        target.team,
    )


def _new_number() -> str:
    """Eight digits, to be read out over the phone. Five wrong ones kill the ticket."""
    return f"{secrets.randbelow(10**8):08d}"


def _tag(tx: Transaction, reset_id: int, number: str | None) -> bytes:
    """What is kept of the number: a keyed tag bound to its reset; nothing where the number is waived."""
    return tx.keys.tag("reset_number", f"{reset_id}:{number}".encode()) if number is not None else b""
