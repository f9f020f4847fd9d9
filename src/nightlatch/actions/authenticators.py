"""A person's own authenticators: seeing them, taking one away, new recovery codes."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from nightlatch.access import enrol_reach
from nightlatch.actions import kinds
from nightlatch.actions.binding import HashedCode, covered
from nightlatch.actions.by import By
from nightlatch.actions.giving_up import locked_with_workspaces, refuse_giving_up
from nightlatch.actions.giving_up import mandated_by as mandated_by
from nightlatch.actions.guard import allowed, person_of, session_of
from nightlatch.actions.mailing import mail_account
from nightlatch.actions.not_me import not_me_link
from nightlatch.actions.recovery_sets import drop_orphaned
from nightlatch.actions.remembering import forget
from nightlatch.actions.standing_notes import note_methods
from nightlatch.actions.tokens import Token
from nightlatch.assurance import counts_somewhere, touches
from nightlatch.audit.events import account as account_subject
from nightlatch.audit.events import record
from nightlatch.facts import Facts
from nightlatch.instants import Instant
from nightlatch.names import clean_name
from nightlatch.refusals import Code, Refused, WayOut, not_found
from nightlatch.store import accounts, authenticators, guesses, sessions, standing
from nightlatch.store.engine import Transaction
from nightlatch.store.locks import lock
from nightlatch.vocabulary import Event, Method


@dataclass(frozen=True, slots=True)
class Listed:
    """One authenticator, as its owner sees it."""

    id: int
    method: Method
    name: str
    bound_at: Instant
    last_used_at: Instant | None
    suspended: bool
    lost: bool
    """Marked as lost, or contested: only another second factor, a reset or the operator brings it back."""
    codes_left: int | None
    """For a set of recovery codes: how many are unspent."""


def own(tx: Transaction, *, by: By) -> list[Listed]:
    """Everything bound to the account of the session. Reads only; no secret is in it.

    A set of recovery codes that counts nowhere any more (after a reset, say) is left out: nothing can be done with it.
    """
    known = allowed(tx, by, kinds.READ_ACCOUNT)
    account_id = person_of(known).id
    return [
        Listed(
            row.id,
            Method(row.method),
            row.name,
            row.bound_at,
            row.last_used_at,
            bool(bound.suspended) if (bound := known.facts.authenticator(row.id)) is not None else False,
            bool(bound.lost) if bound is not None else False,
            authenticators.codes_left(tx, row.id) if row.method == Method.RECOVERY_CODE else None,
        )
        for row in authenticators.of_account(tx, account_id)
        if row.method != Method.RECOVERY_CODE or _counts_somewhere(known.facts, row.id)
    ]


def unbind(tx: Transaction, *, by: By, authenticator_id: int) -> None:
    """Take one of one's own authenticators away. Raises Refused: `mandated`, `last_owner`, step-up, not found."""
    known = locked_with_workspaces(tx, by)
    gone = known.facts.authenticator(authenticator_id)
    if gone is None or gone.method is Method.RECOVERY_CODE:
        raise not_found()
    known = allowed(tx, by, replace(kinds.CHANGE_AUTHENTICATOR, reach=touches(gone)))
    refuse_giving_up(tx, known, gone)
    account = accounts.by_id(tx, person_of(known).id)
    row = authenticators.by_id(tx, gone.id, person_of(known).id)
    if account is None or row is None or not authenticators.unbind(tx, gone.id, account.id):
        raise not_found()
    rest = [each for each in known.facts.authenticators if each.id != gone.id]
    drop_orphaned(tx, account.id, known.facts, rest)
    guesses.clear(tx, gone.method, str(account.id))
    sessions.end_others(tx, account.id, keep=session_of(known).id)
    forget(tx, by, account.id, account.name, how="authenticators")
    standing.refresh(tx, account.id)
    subject = account_subject(account.id, account.name)
    record(tx, Event.AUTHENTICATOR_UNBOUND, by=by, subject=subject, method=gone.method, name=row.name)
    before, after = known.facts, replace(known.facts, authenticators=tuple(rest))
    for teammate in before.teammates:
        note_methods(tx, by=by, account=account, before=before, after=after, workspace_id=teammate.workspace)
    not_me = not_me_link(tx, account.id, None)
    mail_account(
        tx,
        "authenticator_unbound",
        account,
        by=by,
        name=row.name,
        method=gone.method.value,
        not_me_link=not_me,
    )


def rename(tx: Transaction, *, by: By, authenticator_id: int, name: str) -> str:
    """Call one of one's own by another name. Raises Refused: the gate's, `not_found`, `invalid`."""
    lock(tx, accounts=[by.id] if by.id is not None else [])
    known = allowed(tx, by, kinds.READ_ACCOUNT)
    person, named = person_of(known), clean_name(name)
    row = authenticators.by_id(tx, authenticator_id, person.id)
    if row is None or row.method == Method.RECOVERY_CODE:
        raise not_found()
    if row.name != named and authenticators.rename(tx, authenticator_id, person.id, named):
        record(
            tx,
            Event.AUTHENTICATOR_RENAMED,
            by=by,
            subject=account_subject(person.id, person.name),
            method=row.method,
            name=named,
            former_name=row.name,
        )
    return named


def renew_codes(tx: Transaction, *, by: By, codes: Sequence[HashedCode], token: Token) -> Token:
    """Ten new recovery codes; the old set of the same reach is dead. The session's token is replaced."""
    lock(tx, accounts=[by.id] if by.id is not None else [])
    known = allowed(tx, by, kinds.ENROL)
    account, reach = accounts.by_id(tx, person_of(known).id), enrol_reach(known.facts, kinds.ENROL)
    if account is None or not any(
        each.method is not Method.RECOVERY_CODE for each in known.facts.authenticators
    ):
        raise Refused(
            Code.CONFLICT,
            "Recovery codes come with an authenticator app or a passkey. Set one up first.",
            WayOut("Set up 2FA.", "/set-up"),
        )
    for each in known.facts.authenticators:
        if each.method is Method.RECOVERY_CODE and covered(each.reach, reach):
            authenticators.unbind(tx, each.id, account.id)
    id = authenticators.bind(
        tx, account_id=account.id, method=Method.RECOVERY_CODE, name="Recovery codes", reach=reach
    )
    authenticators.add_codes(tx, id, [(each.selector, each.hash) for each in codes])
    guesses.clear(tx, Method.RECOVERY_CODE, str(account.id))
    forget(tx, by, account.id, account.name, how="authenticators")
    session_id = session_of(known).id
    renewed = token.of_session(session_id)
    sessions.rotate(tx, session_id, renewed.hash, pending_until=None)
    standing.refresh(tx, account.id)
    record(tx, Event.RECOVERY_CODES_RENEWED, by=by, subject=account_subject(account.id, account.name))
    mail_account(tx, "recovery_codes_renewed", account, by=by, not_me_link=not_me_link(tx, account.id, id))
    return renewed


# --- inside ---


def _counts_somewhere(facts: Facts, authenticator_id: int) -> bool:
    bound = facts.authenticator(authenticator_id)
    return bound is not None and counts_somewhere(facts, bound)
