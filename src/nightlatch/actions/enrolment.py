"""Enrolling an authenticator app: begin, look again, confirm. A pending enrolment is its own session's alone."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from nightlatch.access import Action, Allow, decide_workspace, enrol_reach
from nightlatch.actions import guard, kinds
from nightlatch.actions.by import By
from nightlatch.actions.guard import allowed, person_of, session_of
from nightlatch.actions.mailing import mail_account
from nightlatch.actions.not_me import not_me_link
from nightlatch.actions.proving import accept
from nightlatch.actions.recovery_sets import drop_orphaned
from nightlatch.actions.standing_notes import note_secured
from nightlatch.actions.tokens import Token
from nightlatch.assurance import enrolled, limited, relied, relied_on
from nightlatch.audit.events import account as account_subject
from nightlatch.audit.events import record
from nightlatch.authenticators import totp
from nightlatch.facts import Authenticator, Facts, Reach
from nightlatch.ids import new_id, to_text
from nightlatch.instants import HOUR, Instant
from nightlatch.names import clean_name
from nightlatch.refusals import Code, Refused, WayOut, not_found
from nightlatch.store import (
    accounts,
    authenticators,
    enrolments,
    guesses,
    resets,
    sessions,
    standing,
    teammates,
    tickets,
    withdrawing,
)
from nightlatch.store.engine import Transaction
from nightlatch.store.facts import Known
from nightlatch.store.locks import lock
from nightlatch.store.query import Row
from nightlatch.vocabulary import Event, Method

LIMITED_FOR = 24 * HOUR
"""For so long, what was bound with a recovery code changes nothing weighty (design section 7)."""
MOST_AUTHENTICATORS = 10


@dataclass(frozen=True, slots=True)
class Pending:
    """A pending enrolment, for the page of its own session."""

    id: int
    seed: bytes
    name: str
    account: str
    replaces: int | None
    workspace_id: int | None
    expires_at: Instant

    def __repr__(self) -> str:
        return f"Pending({self.id})"


@dataclass(frozen=True, slots=True)
class HashedCode:
    """A recovery code as it is kept."""

    selector: str
    hash: str


@dataclass(frozen=True, slots=True)
class Confirmed:
    """Bound. The session has a new token; `codes_kept` says whether the offered recovery codes became the person's."""

    known: Known
    token: Token
    authenticator_id: int
    name: str
    first: bool
    replaced: str | None
    codes_kept: bool


@dataclass(frozen=True, slots=True)
class NotConfirmed:
    """The code was not right. `drift` is how many steps away it would have been right: the phone's clock is off."""

    drift: int | None


def begin(tx: Transaction, *, by: By, name: str, replaces: int | None, workspace_id: int | None) -> Pending:
    """Begin enrolling; an older pending enrolment of this session is gone, other sessions' are not touched."""
    lock(tx, accounts=[by.id] if by.id is not None else [])
    known = allowed(tx, by, _action(replaces).at(workspace_id))
    if replaces is not None and _bound(known.facts, replaces) is None:
        raise not_found()
    if replaces is None and len(known.facts.authenticators) >= MOST_AUTHENTICATORS:
        raise Refused(
            Code.CONFLICT,
            f"You have {MOST_AUTHENTICATORS} already. Remove one that you no longer use.",
            WayOut("See your settings.", "/settings/user"),
        )
    seed, id = totp.new_seed(secrets.token_bytes), new_id()
    enrolments.begin(
        tx,
        id=id,
        session_id=session_of(known).id,
        account_id=person_of(known).id,
        sealed=tx.keys.seal("enrolments", to_text(id), seed),
        name=clean_name(name) if name.strip() else "Authenticator app",
        replaces=replaces,
        workspace_id=workspace_id,
    )
    pending = current(tx, by=by)
    if pending is None:
        raise not_found()
    return pending


def current(tx: Transaction, *, by: By) -> Pending | None:
    """The session's pending enrolment, so that a reload draws the same QR again. Reads only."""
    known = allowed(tx, by, kinds.SEE_SESSION)
    person = person_of(known)
    row = enrolments.of_session(tx, session_of(known).id, person.id)
    if row is None:
        return None
    seed = tx.keys.open("enrolments", to_text(row.id), row.sealed)
    return Pending(row.id, seed, row.name, person.email, row.replaces, row.workspace_id, row.expires_at)


def takes_codes(tx: Transaction, *, by: By, enrolment_id: int, code: str) -> bool:
    """Whether confirming with this code would want new recovery codes (they are hashed outside the transaction)."""
    known = allowed(tx, by, kinds.SEE_SESSION)
    pending = _own(tx, by, enrolment_id)
    right = totp.verify(pending.seed, code, tx.now, None).outcome is totp.Outcome.ACCEPTED
    return right and _wants_codes(known.facts, enrol_reach(known.facts, _action(pending.replaces)))


def confirm(
    tx: Transaction, *, by: By, enrolment_id: int, code: str, codes: Sequence[HashedCode], token: Token
) -> Confirmed | NotConfirmed:
    """Bind it, with its first code. `code` is canonical. Raises Refused.

    A wrong code is not charged: its seed is on the person's own screen, so there is nothing to guess.
    """
    lock(tx, accounts=[by.id] if by.id is not None else [])
    pending = _own(tx, by, enrolment_id)
    action = _action(pending.replaces)
    known = allowed(tx, by, action.at(pending.workspace_id))
    verdict = totp.verify(pending.seed, code, tx.now, None)
    if verdict.step is None:
        return NotConfirmed(totp.drift(pending.seed, code, tx.now))
    reach = enrol_reach(known.facts, _action(pending.replaces))
    session, account = session_of(known), accounts.by_id(tx, person_of(known).id)
    if account is None or not reach or not enrolments.take(tx, pending.id, session.id, account.id):
        raise not_found()
    before = known.facts
    bound = _bind(tx, account.id, pending, reach, verdict.step, before)
    codes_kept = bool(codes) and _wants_codes(before, reach)
    if codes_kept:
        _keep_codes(tx, account.id, reach, codes, before)
    old = _replace(tx, account.id, pending.replaces, before, reach)
    first = not before.authenticators
    _after(tx, by, account, before, reach, first=first, session_id=session.id)
    sessions.add_proof(tx, session.id, Method.TOTP, authenticator_id=bound, supersedes=False)
    now = accept(tx, by, guard.known(tx, by), token)
    drop_orphaned(tx, account.id, now.facts, now.facts.authenticators)
    _fresh_guesses(tx, account.id, now)
    _tell(tx, by, account, bound, pending.name, old, before, now.facts)
    return Confirmed(
        now, token, bound, pending.name, first, old.name if old is not None else None, codes_kept
    )


def needs_secured_note(before: Facts, after: Facts, workspace_id: int) -> bool:
    """Whether a workspace relies on something now and did not before."""
    return enrolled(after.authenticators, workspace_id) and not enrolled(before.authenticators, workspace_id)


# --- inside ---


def _action(replaces: int | None) -> Action:
    return kinds.REPLACE if replaces is not None else kinds.ENROL


def _bound(facts: Facts, id: int) -> Authenticator | None:
    found = facts.authenticator(id)
    return found if found is not None and found.method is Method.TOTP else None


def _own(tx: Transaction, by: By, enrolment_id: int) -> Pending:
    pending = current(tx, by=by)
    if pending is None or pending.id != enrolment_id:
        raise Refused(
            Code.EXPIRED,
            "This set-up is over, or was begun anew. Scan the code that the page shows now.",
            WayOut("Begin again.", "/set-up"),
        )
    return pending


def _bind(tx: Transaction, account_id: int, pending: Pending, reach: Reach, step: int, before: Facts) -> int:
    id = new_id()
    return authenticators.bind(
        tx,
        id=id,
        account_id=account_id,
        method=Method.TOTP,
        name=pending.name,
        reach=reach,
        sealed=tx.keys.seal("authenticators", to_text(id), pending.seed),
        highest_step=step,
        limited_until=_limited_until(tx, before),
    )


def _limited_until(tx: Transaction, before: Facts) -> Instant | None:
    """24 hours, where a recovery code is what opened the way (or something that is still limited itself)."""
    planes = [each.workspace for each in before.teammates if relied_on(before, each.workspace)]
    opened = [plane for plane in planes if isinstance(decide_workspace(before, plane), Allow)]
    if not before.teammates and relied_on(before, None):
        return tx.now + LIMITED_FOR if limited(before, None) else None
    return tx.now + LIMITED_FOR if any(limited(before, plane) for plane in opened) else None


def _wants_codes(before: Facts, reach: Reach) -> bool:
    """Whether there is no set of recovery codes that everything bound now could be replaced with."""
    sets = [each for each in before.authenticators if each.method is Method.RECOVERY_CODE]
    if reach.everywhere:
        return not any(
            each.reach.everywhere and all(relied(each, mate.workspace) for mate in before.teammates)
            for each in sets
        )
    return not all(any(relied(each, workspace) for each in sets) for workspace in reach.workspaces)


def _keep_codes(
    tx: Transaction, account_id: int, reach: Reach, codes: Sequence[HashedCode], before: Facts
) -> None:
    """A new set; an older one of no wider reach is dead, one of another workspace lives on."""
    for each in before.authenticators:
        if each.method is Method.RECOVERY_CODE and covered(each.reach, reach):
            authenticators.unbind(tx, each.id, account_id)
    id = authenticators.bind(
        tx,
        account_id=account_id,
        method=Method.RECOVERY_CODE,
        name="Recovery codes",
        reach=reach,
        limited_until=_limited_until(tx, before),
    )
    authenticators.add_codes(tx, id, [(each.selector, each.hash) for each in codes])
    guesses.clear(tx, Method.RECOVERY_CODE, str(account_id))


def covered(old: Reach, new: Reach) -> bool:
    """Whether everything the old one reaches is reached by the new one."""
    return new.everywhere or (not old.everywhere and old.workspaces <= new.workspaces)


def _replace(
    tx: Transaction, account_id: int, replaces: int | None, before: Facts, reach: Reach
) -> Row | None:
    """The old one goes where this session is open and the new one takes its place; elsewhere it stays what it was
    (law 7), also where the session is open but was not asked for fresh proof."""
    old = before.authenticator(replaces) if replaces is not None else None
    row = authenticators.by_id(tx, old.id, account_id) if old is not None else None
    if old is None or row is None:
        return None
    relying = [each.workspace for each in before.teammates if relied(old, each.workspace)]
    opened = [each for each in relying if each in reach and isinstance(decide_workspace(before, each), Allow)]
    if len(opened) == len(relying):
        authenticators.unbind(tx, old.id, account_id)
    else:
        for workspace_id in opened:
            authenticators.mark(tx, old.id, workspace_id, "void_at", tx.now)
    return row


def _after(
    tx: Transaction, by: By, account: Row, before: Facts, reach: Reach, *, first: bool, session_id: int
) -> None:
    """Resets are completed, tickets spent, queued reminders withdrawn; a later change ends other sessions."""
    for teammate in before.teammates:
        if teammate.workspace not in reach:
            continue
        tickets.end_open(tx, account.id, teammate.workspace)
        if teammate.reset is not None:
            teammates.finish_reset(tx, account.id, teammate.workspace)
            resets.complete(tx, account.id, teammate.workspace)
            record(
                tx,
                Event.RESET_COMPLETED,
                by=by,
                subject=account_subject(account.id, account.name),
                workspace_id=teammate.workspace,
            )
        withdrawing.of_person(tx, account.id, teammate.workspace, "2FA is set up")
    if reach.everywhere:
        tickets.end_open(tx, account.id, None)
    if not first:
        sessions.end_others(tx, account.id, keep=session_id)


def _fresh_guesses(tx: Transaction, account_id: int, now: Known) -> None:
    """A code was right: its counter starts afresh, unless a workspace of the account is still shut to this session.

    The counter is one for all apps of the account, so a reset in one workspace must not buy new guesses in another.
    """
    shut = [
        each
        for each in now.facts.teammates
        if not isinstance(decide_workspace(now.facts, each.workspace), Allow)
    ]
    if not shut:
        guesses.clear(tx, Method.TOTP, str(account_id))


def _tell(
    tx: Transaction, by: By, account: Row, bound: int, name: str, old: Row | None, before: Facts, after: Facts
) -> None:
    standing.refresh(tx, account.id)
    event = Event.AUTHENTICATOR_REPLACED if old is not None else Event.AUTHENTICATOR_BOUND
    subject = account_subject(account.id, account.name)
    record(tx, event, by=by, subject=subject, method=Method.TOTP, name=name)
    for teammate in after.teammates:
        if needs_secured_note(before, after, teammate.workspace):
            note_secured(tx, by=by, account=account, facts=after, workspace_id=teammate.workspace)
    kind = "authenticator_replaced" if old is not None else "authenticator_bound"
    mail_account(tx, kind, account, by=by, name=name, not_me_link=not_me_link(tx, account.id, bound))
