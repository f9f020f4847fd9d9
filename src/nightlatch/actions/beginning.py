"""A session begins, whichever door somebody came by; and the event of their sign-in."""

from dataclasses import dataclass

from nightlatch.access import decide_account
from nightlatch.actions.by import By
from nightlatch.actions.guard import person_of
from nightlatch.actions.tokens import Token
from nightlatch.audit.events import account as account_subject
from nightlatch.audit.events import record
from nightlatch.decision import Challenge
from nightlatch.ids import new_id
from nightlatch.store import sessions
from nightlatch.store.engine import Transaction
from nightlatch.store.known import Known
from nightlatch.vocabulary import Credential, Event, Method

_LONGEST_USER_AGENT = 400


@dataclass(frozen=True, slots=True)
class Begun:
    """A session that has begun, and its token."""

    id: int
    token: Token


def new_session(
    tx: Transaction, by: By, account_id: int, kind: Credential, token: Token, *, pending: bool = True
) -> Begun:
    """A session of somebody who was just let in. `pending`: it waits for what they have yet to show."""
    named = token.of_session(new_id())
    id = sessions.create(
        tx,
        account_id=account_id,
        kind=kind,
        token_hash=named.hash,
        ip=by.ip,
        user_agent=by.user_agent[:_LONGEST_USER_AGENT],
        pending=pending,
        browser=by.browser,
    )
    return Begun(id, named)


def session_instead(tx: Transaction, by: By, before: Known, account_id: int, token: Token) -> Begun:
    """A new session in this browser; what it had before ends, whoever's it was."""
    if before.session is not None and before.person is not None:
        sessions.end(tx, before.session.id, before.person.id)
    return new_session(tx, by, account_id, Credential.COOKIE, token)


def note_sign_in(tx: Transaction, by: By, after: Known, method: Method, **told: str) -> None:
    """Somebody signed in by a first factor: half, where something is still asked of them. `told` names the door."""
    person = person_of(after)
    half = isinstance(decide_account(after.facts), Challenge)
    record(
        tx,
        Event.SIGN_IN_HALF_DONE if half else Event.SIGN_IN_SUCCEEDED,
        by=by,
        subject=account_subject(person.id, person.name),
        workspace_id=None,
        method=method,
        **told,
    )
