"""Further addresses that are told what happens to an account: pending until the mailbox confirms. Never a way in."""

from sqlalchemy import bindparam, delete, func, select, update

from nightlatch.addresses import Address
from nightlatch.instants import Instant
from nightlatch.store.engine import Transaction
from nightlatch.store.query import Query, Row, insert_into
from nightlatch.store.schema import links
from nightlatch.store.schema_team import notification_addresses as table

_OF = Query(
    select(table).where(table.c.account_id == bindparam("account_id")).order_by(table.c.added_at, table.c.id)
)
_INSERT = Query(insert_into(table, without=("confirmed_at",)))
_CONFIRM = Query(
    update(table)
    .values(confirmed_at=bindparam("now"))
    .where(
        table.c.id == bindparam("id"),
        table.c.account_id == bindparam("account_id"),
        table.c.confirmed_at.is_(None),
    )
    .returning(table.c.id)
)
_REMOVE = Query(
    delete(table)
    .where(table.c.id == bindparam("id"), table.c.account_id == bindparam("account_id"))
    .returning(table.c.id)
)
_ASKED_SINCE = Query(
    select(func.count().label("asked"))
    .select_from(links)
    .where(
        links.c.account_id == bindparam("account_id"),
        links.c.purpose == "notify_confirm",
        links.c.created_at > bindparam("since"),
    )
)


def of_account(tx: Transaction, account_id: int) -> list[Row]:
    """An account's addresses, confirmed or not, in the order in which they were added."""
    return tx.all(_OF, account_id=account_id)


def confirmed(tx: Transaction, account_id: int) -> list[Row]:
    """Those that are told."""
    return [each for each in of_account(tx, account_id) if each.confirmed_at is not None]


def add(tx: Transaction, account_id: int, address: Address) -> int:
    """One that waits for its confirmation. Call it under the account's lock."""
    id = tx.next_sequence()  # in the order in which they were added
    tx.run(
        _INSERT, id=id, account_id=account_id, email=address.display, email_key=address.key, added_at=tx.now
    )
    return id


def confirm(tx: Transaction, id: int, account_id: int) -> bool:
    """The mailbox was shown, once. False where there is none that waits."""
    return tx.one(_CONFIRM, id=id, account_id=account_id, now=tx.now) is not None


def remove(tx: Transaction, id: int, account_id: int) -> bool:
    """It is told no more. False where there is none."""
    return tx.one(_REMOVE, id=id, account_id=account_id) is not None


def asked_since(tx: Transaction, account_id: int, since: Instant) -> int:
    """How many confirm links were mailed for an account since an instant."""
    row = tx.one(_ASKED_SINCE, account_id=account_id, since=since)
    return int(row.asked) if row is not None else 0
