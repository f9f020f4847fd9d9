"""Changes of an account's e-mail: asked for, confirmed, undone. Their ids are in the order of things (law 12)."""

from sqlalchemy import bindparam, func, select, update

from nightlatch.addresses import Address
from nightlatch.instants import Instant
from nightlatch.store.engine import Transaction
from nightlatch.store.query import Query, Row, insert_into
from nightlatch.store.schema import email_changes

_PENDING = (
    email_changes.c.confirmed_at.is_(None),
    email_changes.c.ended_at.is_(None),
)
_INSERT = Query(insert_into(email_changes))
_BY_ID = Query(
    select(email_changes).where(
        email_changes.c.id == bindparam("id"), email_changes.c.account_id == bindparam("account_id")
    )
)
_PENDING_OF = Query(
    select(email_changes)
    .where(email_changes.c.account_id == bindparam("account_id"), *_PENDING)
    .order_by(email_changes.c.id.desc())
)
_END_PENDING = Query(
    update(email_changes)
    .values(ended_at=bindparam("now"))
    .where(email_changes.c.account_id == bindparam("account_id"), *_PENDING)
    .returning(email_changes.c.id)
)
_CONFIRM = Query(
    update(email_changes)
    .values(confirmed_at=bindparam("now"))
    .where(
        email_changes.c.id == bindparam("id"),
        email_changes.c.account_id == bindparam("account_id"),
        *_PENDING,
    )
    .returning(email_changes.c.id)
)
_UNDO = Query(
    update(email_changes)
    .values(undone_at=bindparam("now"))
    .where(
        email_changes.c.account_id == bindparam("account_id"),
        email_changes.c.id >= bindparam("id"),
        email_changes.c.confirmed_at.is_not(None),
        email_changes.c.undone_at.is_(None),
    )
    .returning(email_changes.c.id)
)
_CONFIRMED_SINCE = Query(
    select(email_changes)
    .where(
        email_changes.c.account_id == bindparam("account_id"),
        email_changes.c.confirmed_at > bindparam("since"),
        email_changes.c.undone_at.is_(None),
    )
    .order_by(email_changes.c.id)
)
_ASKED_SINCE = Query(
    select(func.count().label("asked"))
    .select_from(email_changes)
    .where(
        email_changes.c.account_id == bindparam("account_id"),
        email_changes.c.requested_at > bindparam("since"),
    )
)


def request(tx: Transaction, *, account_id: int, old_email: str, new: Address) -> int:
    """A change that waits for the new mailbox. Call it under the account's lock, after `end_pending`."""
    change_id = tx.next_sequence()
    tx.run(
        _INSERT,
        id=change_id,
        account_id=account_id,
        old_email=old_email,
        new_email=new.display,
        new_key=new.key,
        requested_at=tx.now,
        confirmed_at=None,
        undone_at=None,
        ended_at=None,
    )
    return change_id


def by_id(tx: Transaction, change_id: int, account_id: int) -> Row | None:
    """One change, whatever its state."""
    return tx.one(_BY_ID, id=change_id, account_id=account_id)


def pending(tx: Transaction, account_id: int) -> Row | None:
    """The change that waits for the new mailbox."""
    return tx.one(_PENDING_OF, account_id=account_id)


def end_pending(tx: Transaction, account_id: int) -> bool:
    """What waits for a new mailbox waits no longer. False where nothing did."""
    return bool(tx.all(_END_PENDING, account_id=account_id, now=tx.now))


def confirm(tx: Transaction, change_id: int, account_id: int) -> bool:
    """The new mailbox was shown: once, and only while the change was pending."""
    return tx.one(_CONFIRM, id=change_id, account_id=account_id, now=tx.now) is not None


def undo(tx: Transaction, change_id: int, account_id: int) -> list[int]:
    """Mark a confirmed change and all that followed it as undone. Returns the ones that were not so before."""
    return [row.id for row in tx.all(_UNDO, id=change_id, account_id=account_id, now=tx.now)]


def confirmed_since(tx: Transaction, account_id: int, since: Instant) -> list[Row]:
    """The changes confirmed since an instant and not undone, in their order."""
    return tx.all(_CONFIRMED_SINCE, account_id=account_id, since=since)


def asked_since(tx: Transaction, account_id: int, since: Instant) -> int:
    """How many changes were asked for since an instant."""
    row = tx.one(_ASKED_SINCE, account_id=account_id, since=since)
    return int(row.asked) if row is not None else 0
