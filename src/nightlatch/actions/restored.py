"""A database that came back from a backup (law 11): what was handed out since, or spent since, must not count."""

from nightlatch.actions import assertions
from nightlatch.actions.by import By
from nightlatch.audit.events import record
from nightlatch.audit.events import workspace as workspace_subject
from nightlatch.authenticators import totp
from nightlatch.store import restored, workspaces
from nightlatch.store.engine import Transaction
from nightlatch.vocabulary import Event

WITHDRAWN = "the database was restored from a backup"


def after_restore(tx: Transaction, *, by: By) -> dict[str, int]:
    """End sessions, tickets, invitations and links, withdraw mails, refuse codes up to now; sign with a new key.

    Says how many of each. In the same transaction as everything else that brings the backup back, so that nothing is
    served in between. Every workspace reads of it.
    """
    ended = restored.end_everything(tx, WITHDRAWN)
    ended["authenticators"] = restored.raise_steps(tx, totp.step_at(tx.now))
    assertions.renew(tx)
    record(tx, Event.DATABASE_RESTORED, by=by, subject=("database", None, "the database"), **ended)
    for row in workspaces.every(tx):
        subject = workspace_subject(row.id, row.name)
        record(tx, Event.DATABASE_RESTORED, by=by, subject=subject, workspace_id=row.id)
    return ended
