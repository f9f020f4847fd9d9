"""What the ways of proving have in common: the results, and what follows a proof that was accepted."""

from dataclasses import dataclass

from nightlatch.access import Allow, Challenge, decide_account, decide_workspace
from nightlatch.actions.by import By
from nightlatch.actions.guard import session_of
from nightlatch.actions.tokens import Token
from nightlatch.budget import Allowance, Counter, exhausted, may_guess, open_at
from nightlatch.instants import Instant
from nightlatch.store import sessions, standing, teammates
from nightlatch.store.engine import Transaction
from nightlatch.store.facts import PENDING_LIMIT, Known, read_known
from nightlatch.vocabulary import Credential


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


def accept(tx: Transaction, by: By, session_id: int, kind: Credential, token: Token) -> Known:
    """After a proof was added: a new token, and the session waits no longer once something is open to it."""
    sessions.rotate(tx, session_id, token.hash, pending_until=None)
    known = read_known(tx, token.hash, kind)
    if isinstance(decide_account(known.facts), Challenge):
        pending = session_of(known).created_at + PENDING_LIMIT
        if pending > tx.now:
            sessions.rotate(tx, session_id, token.hash, pending_until=pending)
    else:
        _opened(tx, by, known)
    return known


def _opened(tx: Transaction, by: By, known: Known) -> None:
    """The account is open: the browser is known from now on, and the workspaces see a sign-in."""
    if known.person is None:
        return
    sessions.remember_browser(tx, by.browser, known.person.id)
    for teammate in known.facts.teammates:
        if isinstance(decide_workspace(known.facts, teammate.workspace), Allow):
            teammates.signed_in(tx, known.person.id, teammate.workspace)
            standing.signed_in(tx, known.person.id, teammate.workspace)
