"""What the ways of proving have in common: the results, and what follows a proof that was accepted."""

from collections.abc import Iterable
from dataclasses import dataclass

from nightlatch.access import decide_account, decide_workspace
from nightlatch.actions.alerts import browser_of, tell_emergency_door, tell_new_browser
from nightlatch.actions.by import By
from nightlatch.actions.guard import session_of
from nightlatch.actions.tokens import Token
from nightlatch.budget import Allowance, Counter, exhausted, may_guess, open_at
from nightlatch.decision import Allow, Challenge
from nightlatch.facts import Facts, Proof, Teammate
from nightlatch.instants import Instant
from nightlatch.store import sessions, standing
from nightlatch.store.engine import Transaction
from nightlatch.store.known import Known
from nightlatch.store.session_facts import PENDING_LIMIT
from nightlatch.values import changed
from nightlatch.vocabulary import Method


@dataclass(frozen=True, slots=True)
class Proved:
    """The proof was accepted. The session has a new token; the old one is dead."""

    known: Known
    token: Token
    recovery_codes_left: int | None = None


@dataclass(frozen=True, slots=True)
class Wrong:
    """Judged and charged: it was wrong. `retry_at` is when the next try may come, if not at once."""

    retry_at: Instant | None = None
    replayed: bool = False
    """The code was right, and already used."""
    suspended: bool = False
    """It was one too many: this method is suspended."""


@dataclass(frozen=True, slots=True)
class Wait:
    """Not judged: too many tries before. `retry_at` is None where waiting does not help."""

    retry_at: Instant | None


def must_wait(allowance: Allowance, counter: Counter, now: Instant) -> Wait | None:
    """Whether a guess may not be judged now."""
    if may_guess(allowance, counter, now):
        return None
    return Wait(None if exhausted(allowance, counter) else open_at(allowance, counter))


def proved(
    tx: Transaction,
    before: Known,
    method: Method,
    authenticator_id: int | None = None,
    *,
    verified: bool = True,
) -> Known:
    """Record a proof of a session. What is known afterwards follows from what was known before: no second read.

    `verified`: of a passkey, whether it verified its user.
    """
    older = [
        each
        for each in before.facts.proofs
        if each.method is method and each.authenticator == authenticator_id
    ]
    sequence = sessions.add_proof(
        tx,
        session_of(before).id,
        method,
        authenticator_id=authenticator_id,
        supersedes=bool(older),
        verified=verified,
    )
    kept = tuple(each for each in before.facts.proofs if each not in older)
    proof = Proof(method, sequence, tx.now, authenticator_id, verified=verified)
    return changed(before, facts=changed(before.facts, proofs=(*kept, proof), idle=False))


def accept(tx: Transaction, by: By, after: Known, token: Token) -> Proved:
    """After a proof was recorded: the session has a new token, and waits no longer once something is open to it."""
    session = session_of(after)
    named = token.of_session(session.id)
    opened = [each for each in after.facts.teammates if _is_open(after.facts, each)]
    waits = not opened and isinstance(decide_account(after.facts), Challenge)
    limit = max(session.created_at + PENDING_LIMIT, tx.now + 1) if waits else None
    sessions.rotate(tx, session.id, named.hash, pending_until=limit, seen_at=session.last_seen_at)
    if not waits:
        _opened(tx, by, after, opened)
    now = changed(after, session=changed(session, authenticated_at=tx.now, last_seen_at=tx.now))
    return Proved(now, named)


def _is_open(facts: Facts, teammate: Teammate) -> bool:
    return isinstance(decide_workspace(facts, teammate.workspace), Allow)


def _opened(tx: Transaction, by: By, known: Known, workspaces: Iterable[Teammate]) -> None:
    """The account is open: the browser is known from now on, and the workspaces that are see a sign-in."""
    if known.person is None:
        return
    if sessions.remember_browser(tx, browser_of(by), known.person.id):
        tell_new_browser(tx, by, known)
    for teammate in workspaces:
        if teammate.sso_required:
            tell_emergency_door(tx, by, known, teammate)
        standing.signed_in(tx, known.person.id, teammate.workspace)
