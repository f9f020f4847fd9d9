"""A person's own name."""

from nightlatch.actions import kinds
from nightlatch.actions.by import By
from nightlatch.actions.guard import allowed, person_of
from nightlatch.actions.standing_notes import note_changed
from nightlatch.audit.events import account as account_subject
from nightlatch.audit.events import record
from nightlatch.names import clean_name
from nightlatch.store import accounts, standing
from nightlatch.store.engine import Transaction
from nightlatch.store.locks import lock
from nightlatch.vocabulary import Event


def rename(tx: Transaction, *, by: By, name: str) -> str:
    """Take another name; the clean form of it. Raises Refused: what the gate raises, `invalid`."""
    lock(tx, accounts=[by.id] if by.id is not None else [])
    person = person_of(allowed(tx, by, kinds.RENAME))
    name = clean_name(name)
    if name != person.name:
        accounts.set_name(tx, person.id, name)
        standing.refresh(tx, person.id)
        record(
            tx,
            Event.ACCOUNT_RENAMED,
            by=by,
            subject=account_subject(person.id, name),
            former_name=person.name,
        )
        note_changed(tx, by=by, account_id=person.id)
    return name
