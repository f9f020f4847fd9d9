"""A person's own sessions: seeing where they are signed in, and ending it there."""

from dataclasses import dataclass

from nightlatch.actions import kinds
from nightlatch.actions.by import By
from nightlatch.actions.guard import allowed, person_of, session_of
from nightlatch.audit.events import account as account_subject
from nightlatch.audit.events import record
from nightlatch.ids import to_text
from nightlatch.instants import Instant
from nightlatch.refusals import not_found
from nightlatch.store import sessions
from nightlatch.store.engine import Transaction
from nightlatch.store.known import Person
from nightlatch.store.locks import lock
from nightlatch.store.session_facts import alive
from nightlatch.vocabulary import Credential, Event


@dataclass(frozen=True, slots=True)
class OwnSession:
    """One live session, as its holder sees it."""

    id: int
    kind: Credential
    created_at: Instant
    last_seen_at: Instant
    expires_at: Instant
    ip: str
    user_agent: str
    current: bool
    pending: bool
    """It still waits for its second step."""


def own(tx: Transaction, *, by: By) -> list[OwnSession]:
    """The live sessions of the account, this one first, then the most recently seen. Reads only. Raises Refused."""
    known = allowed(tx, by, kinds.READ_ACCOUNT)
    current = session_of(known).id
    listed = [
        OwnSession(
            row.id,
            Credential(row.kind),
            row.created_at,
            row.last_seen_at,
            row.expires_at,
            row.ip,
            row.user_agent,
            row.id == current,
            row.pending_until is not None,
        )
        for row in sessions.of_account(tx, person_of(known).id)
        if alive(row, tx.now)
    ]
    return sorted(listed, key=lambda each: not each.current)


def end(tx: Transaction, *, by: By, session_id: int) -> None:
    """End one of one's own sessions, this one included. Raises Refused: what the gate raises, `not_found`."""
    known = allowed(tx, by, kinds.END_SESSIONS)
    person = person_of(known)
    if not sessions.end(tx, session_id, person.id):
        raise not_found()
    _record(tx, by, person, session_id)


def end_others(tx: Transaction, *, by: By) -> int:
    """End all of one's own sessions but this one; how many. Raises Refused: what the gate raises."""
    lock(tx, accounts=[by.id] if by.id is not None else [])
    known = allowed(tx, by, kinds.END_SESSIONS)
    person = person_of(known)
    ended = sessions.end_others(tx, person.id, keep=session_of(known).id)
    for session_id in ended:
        _record(tx, by, person, session_id)
    return len(ended)


def _record(tx: Transaction, by: By, person: Person, session_id: int) -> None:
    record(
        tx,
        Event.SESSION_ENDED,
        by=by,
        subject=account_subject(person.id, person.name),
        session=to_text(session_id),
        how="ended from the settings",
    )
