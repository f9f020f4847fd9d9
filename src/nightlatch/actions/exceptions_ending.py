"""Exceptions that end with something else: the person sets up, leaves, becomes an admin; the mandate is turned off."""

from nightlatch.actions.by import By
from nightlatch.audit.events import account as account_subject
from nightlatch.audit.events import record
from nightlatch.facts import WorkspaceId
from nightlatch.ids import to_text
from nightlatch.store import exceptions
from nightlatch.store.engine import Transaction
from nightlatch.store.query import Row
from nightlatch.vocabulary import Event


def is_open(row: Row, now: int) -> bool:
    """Whether an exception waits or stands at an instant."""
    return row.ended_at is None and row.ends_at > now


def end_of_person(
    tx: Transaction, *, by: By, account_id: int, name: str, workspace_id: WorkspaceId, why: str
) -> bool:
    """End what a person has, or was asked for, in a workspace; whether there was any that stood.

    `why`: one of store.exceptions.WHY. The workspace or the account is locked by whoever calls.
    """
    open_ones = [row for row in exceptions.of_person(tx, workspace_id, account_id) if is_open(row, tx.now)]
    for row in open_ones:
        end_one(tx, by=by, row=row, name=name, why=why)
    return any(row.approved_at is not None for row in open_ones)


def end_one(tx: Transaction, *, by: By, row: Row, name: str, why: str) -> bool:
    """End one that waits or stands, and note it. False where somebody else was faster."""
    if not exceptions.end(tx, row.id, by.name, why):
        return False
    stood = row.approved_at is not None
    if stood and why != "replaced":
        exceptions.exempt(tx, row.workspace_id, row.account_id, None)
    record(
        tx,
        Event.EXCEPTION_ENDED if stood else Event.EXCEPTION_REFUSED,
        by=by,
        subject=account_subject(row.account_id, name),
        workspace_id=row.workspace_id,
        exception=to_text(row.id),
        why=why,
    )
    return True
