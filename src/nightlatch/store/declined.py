"""Addresses that take no invitations: said by their holder, through the link of an invitation."""

from sqlalchemy import bindparam, delete, literal_column, select, update

from nightlatch.store.engine import Transaction
from nightlatch.store.query import Query, Row, insert_into
from nightlatch.store.schema import invitations, outbox
from nightlatch.store.schema_team import declined_addresses as table

_IS = Query(select(table.c.at).where(table.c.email_key == bindparam("email_key")))
_INSERT = Query(insert_into(table))
_FORGET = Query(delete(table).where(table.c.email_key == bindparam("email_key")).returning(table.c.email_key))
_REVOKE_ALL = Query(
    update(invitations)
    .values(revoked_at=bindparam("now"))
    .where(
        invitations.c.email_key == bindparam("email_key"),
        invitations.c.accepted_at.is_(None),
        invitations.c.revoked_at.is_(None),
    )
    .returning(
        invitations.c.id,
        invitations.c.workspace_id,
        invitations.c.email,
        invitations.c.role,
    )
)
_WITHDRAW = Query(
    update(outbox)
    .values(next_at=None, failed_at=bindparam("now"), sealed=None, error=bindparam("reason"))
    .where(
        outbox.c.address_key == bindparam("email_key"),
        outbox.c.kind == literal_column("'invitation'"),
        outbox.c.next_at.is_not(None),
    )
)


def is_declined(tx: Transaction, email_key: str) -> bool:
    """Whether an address takes no invitations."""
    return tx.one(_IS, email_key=email_key) is not None


def add(tx: Transaction, email_key: str) -> bool:
    """From now on it takes none. False where it was so already. Call it under the address's lock."""
    if is_declined(tx, email_key):
        return False
    tx.run(_INSERT, email_key=email_key, at=tx.now)
    return True


def forget(tx: Transaction, email_key: str) -> bool:
    """It takes invitations again. False where it did all along."""
    return tx.one(_FORGET, email_key=email_key) is not None


def end_invitations(tx: Transaction, email_key: str) -> list[Row]:
    """Revoke every pending invitation of an address and take back its mails; the invitations."""
    tx.run(_WITHDRAW, email_key=email_key, now=tx.now, reason="the address takes no invitations")
    return sorted(tx.all(_REVOKE_ALL, email_key=email_key, now=tx.now), key=lambda row: int(row.id))
