"""Binding an authenticator, whatever its method: what has to be so before, and what follows. Each method's own file
brings what it binds (enrolment: an authenticator app; passkey_enrolment: a passkey)."""

from collections.abc import Sequence
from dataclasses import dataclass

from nightlatch.access import decide_workspace, enrol_reach
from nightlatch.actions import guard, kinds
from nightlatch.actions.by import By
from nightlatch.actions.guard import allowed, person_of, session_of
from nightlatch.actions.mailing import mail_account
from nightlatch.actions.not_me import not_me_link
from nightlatch.actions.proving import accept
from nightlatch.actions.recovery_sets import drop_orphaned
from nightlatch.actions.remembering import forget
from nightlatch.actions.standing_notes import note_methods
from nightlatch.actions.tokens import Token
from nightlatch.assurance import limited, relied, relied_on
from nightlatch.audit.events import account as account_subject
from nightlatch.audit.events import record
from nightlatch.decision import Action, Allow
from nightlatch.facts import Authenticator, Facts, Reach, WorkspaceId
from nightlatch.instants import HOUR, Instant
from nightlatch.refusals import Code, Refused, WayOut, not_found
from nightlatch.store import (
    accounts,
    authenticators,
    guesses,
    resets,
    sessions,
    standing,
    teammates,
    tickets,
    withdrawing,
)
from nightlatch.store.engine import Transaction
from nightlatch.store.known import Known
from nightlatch.store.query import Row
from nightlatch.vocabulary import Event, Method

LIMITED_FOR = 24 * HOUR
"""For so long, what was bound with a recovery code changes nothing weighty (design section 7)."""
MOST_AUTHENTICATORS = 10


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
    method: Method
    name: str
    first: bool
    replaced: str | None
    codes_kept: bool


@dataclass(frozen=True, slots=True)
class Binding:
    """What is about to be bound: who, in which session, with which reach, in place of what."""

    account: Row
    session_id: int
    before: Facts
    reach: Reach
    replaces: int | None
    limited_until: Instant | None


@dataclass(frozen=True, slots=True)
class Bound:
    """What was bound just now."""

    id: int
    method: Method
    name: str
    verified: bool = True
    """Of a passkey: it verified its user."""


def action_for(replaces: int | None) -> Action:
    """What is decided about: something more, or something in place of another."""
    return kinds.REPLACE if replaces is not None else kinds.ENROL


def may_begin(tx: Transaction, by: By, replaces: int | None, workspace_id: int | None) -> Known:
    """Who begins to enrol, under the account's lock. Raises Refused: the gate's, `not_found`, too many already."""
    known = allowed(tx, by, action_for(replaces).at(workspace_id))
    if replaces is not None and not replaceable(known.facts, replaces):
        raise not_found()
    if replaces is None and len(known.facts.authenticators) >= MOST_AUTHENTICATORS:
        raise Refused(
            Code.CONFLICT,
            f"You have {MOST_AUTHENTICATORS} already. Remove one that you no longer use.",
            WayOut("See your settings.", "/settings/user"),
        )
    return known


def replaceable(facts: Facts, authenticator_id: int) -> bool:
    """Whether something of any method may take its place: an app or a passkey of one's own."""
    found = facts.authenticator(authenticator_id)
    return found is not None and found.method is not Method.RECOVERY_CODE


def wanted_codes(known: Known, replaces: int | None) -> bool:
    """Whether binding now would want new recovery codes (they are hashed outside the transaction)."""
    return wants_codes(known.facts, enrol_reach(known.facts, action_for(replaces)))


def prepare(tx: Transaction, by: By, replaces: int | None, workspace_id: int | None) -> Binding | None:
    """Under the account's lock: decided again, and what a binding now would be; None where it would reach nowhere."""
    action = action_for(replaces)
    known = allowed(tx, by, action.at(workspace_id))
    reach, account = enrol_reach(known.facts, action), accounts.by_id(tx, person_of(known).id)
    if account is None or not reach:
        return None
    until = _limited_until(tx, known.facts)
    return Binding(account, session_of(known).id, known.facts, reach, replaces, until)


def complete(
    tx: Transaction, by: By, binding: Binding, bound: Bound, codes: Sequence[HashedCode], token: Token
) -> Confirmed:
    """All that follows: recovery codes, the old one goes, resets and tickets end, the proof, the mail, the event."""
    account, before, reach = binding.account, binding.before, binding.reach
    codes_kept = bool(codes) and wants_codes(before, reach)
    if codes_kept:
        _keep_codes(tx, binding, codes)
    old = _replace(tx, binding)
    first = not before.authenticators
    _after(tx, by, binding, first=first)
    sessions.add_proof(
        tx,
        binding.session_id,
        bound.method,
        authenticator_id=bound.id,
        supersedes=False,
        verified=bound.verified,
    )
    accepted = accept(tx, by, guard.known(tx, by), token)
    now = accepted.known
    drop_orphaned(tx, account.id, now.facts, now.facts.authenticators)
    if bound.method is Method.TOTP:
        _fresh_guesses(tx, account.id, now)
    _tell(tx, by, binding, bound, old, now.facts)
    replaced = old.name if old is not None else None
    return Confirmed(now, accepted.token, bound.id, bound.method, bound.name, first, replaced, codes_kept)


def taken_over(before: Facts, old: Authenticator, reach: Reach) -> list[WorkspaceId]:
    """The workspaces where what is bound now, with this reach, takes the place of an old one: those that relied on it
    and are open to this session."""
    return [
        each.workspace
        for each in before.teammates
        if relied(old, each.workspace)
        and each.workspace in reach
        and isinstance(decide_workspace(before, each.workspace), Allow)
    ]


def covered(old: Reach, new: Reach) -> bool:
    """Whether everything the old one reaches is reached by the new one."""
    return new.everywhere or (not old.everywhere and old.workspaces <= new.workspaces)


def wants_codes(before: Facts, reach: Reach) -> bool:
    """Whether there is no set of recovery codes that everything bound now could be replaced with."""
    sets = [each for each in before.authenticators if each.method is Method.RECOVERY_CODE]
    if reach.everywhere:
        return not any(
            each.reach.everywhere and all(relied(each, mate.workspace) for mate in before.teammates)
            for each in sets
        )
    return not all(any(relied(each, workspace) for each in sets) for workspace in reach.workspaces)


# --- inside ---


def _limited_until(tx: Transaction, before: Facts) -> Instant | None:
    """24 hours, where a recovery code is what opened the way (or something that is still limited itself)."""
    planes = [each.workspace for each in before.teammates if relied_on(before, each.workspace)]
    opened = [plane for plane in planes if isinstance(decide_workspace(before, plane), Allow)]
    if not before.teammates and relied_on(before, None):
        return tx.now + LIMITED_FOR if limited(before, None) else None
    return tx.now + LIMITED_FOR if any(limited(before, plane) for plane in opened) else None


def _keep_codes(tx: Transaction, binding: Binding, codes: Sequence[HashedCode]) -> None:
    """A new set; an older one of no wider reach is dead, one of another workspace lives on."""
    account_id = binding.account.id
    for each in binding.before.authenticators:
        if each.method is Method.RECOVERY_CODE and covered(each.reach, binding.reach):
            authenticators.unbind(tx, each.id, account_id)
    id = authenticators.bind(
        tx,
        account_id=account_id,
        method=Method.RECOVERY_CODE,
        name="Recovery codes",
        reach=binding.reach,
        limited_until=binding.limited_until,
    )
    authenticators.add_codes(tx, id, [(each.selector, each.hash) for each in codes])
    guesses.clear(tx, Method.RECOVERY_CODE, str(account_id))


def _old(binding: Binding) -> Authenticator | None:
    return binding.before.authenticator(binding.replaces) if binding.replaces is not None else None


def _replace(tx: Transaction, binding: Binding) -> Row | None:
    """The old one goes where this session is open and the new one takes its place; elsewhere it stays what it was
    (law 7), also where the session is open but was not asked for fresh proof."""
    before, old, account_id = binding.before, _old(binding), binding.account.id
    row = authenticators.by_id(tx, old.id, account_id) if old is not None else None
    if old is None or row is None:
        return None
    relying = [each.workspace for each in before.teammates if relied(old, each.workspace)]
    opened = taken_over(before, old, binding.reach)
    if len(opened) == len(relying):
        authenticators.unbind(tx, old.id, account_id)
    else:
        for workspace_id in opened:
            authenticators.mark(tx, old.id, workspace_id, "void_at", tx.now)
    return row


def _after(tx: Transaction, by: By, binding: Binding, *, first: bool) -> None:
    """Resets are completed, tickets spent, queued reminders withdrawn; a later change ends other sessions.

    Browsers are remembered no more."""
    account = binding.account
    for teammate in binding.before.teammates:
        if teammate.workspace not in binding.reach:
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
    if binding.reach.everywhere:
        tickets.end_open(tx, account.id, None)
    forget(tx, by, account.id, account.name, how="authenticators")
    if not first:
        sessions.end_others(tx, account.id, keep=binding.session_id)


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


def _tell(tx: Transaction, by: By, binding: Binding, bound: Bound, old: Row | None, after: Facts) -> None:
    account = binding.account
    standing.refresh(tx, account.id)
    event = Event.AUTHENTICATOR_REPLACED if old is not None else Event.AUTHENTICATOR_BOUND
    subject = account_subject(account.id, account.name)
    record(tx, event, by=by, subject=subject, method=bound.method, name=bound.name)
    for teammate in after.teammates:
        note_methods(
            tx, by=by, account=account, before=binding.before, after=after, workspace_id=teammate.workspace
        )
    kind = "authenticator_replaced" if old is not None else "authenticator_bound"
    mail_account(
        tx,
        kind,
        account,
        by=by,
        name=bound.name,
        method=bound.method.value,
        not_me_link=not_me_link(tx, account.id, bound.id),
    )
