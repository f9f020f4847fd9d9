"""The keys that assertions are signed with: sealed, several at a time, so that they rotate without a gap."""

from sqlalchemy import bindparam, delete, or_, select, update

from nightlatch.instants import HOUR, Duration, Instant
from nightlatch.store.engine import Transaction
from nightlatch.store.query import ONE, Query, Row, insert_into
from nightlatch.store.schema_apps import signing_keys

SHOWN_AROUND: Duration = HOUR
"""How long a key is shown before it signs, and after it has signed last: whoever verifies may look that rarely."""

_columns = (
    signing_keys.c.id,
    signing_keys.c.sealed,
    signing_keys.c.public,
    signing_keys.c.created_at,
    signing_keys.c.signs_from,
    signing_keys.c.ended_at,
)
_CURRENT = Query(
    select(*_columns)
    .where(
        signing_keys.c.signs_from <= bindparam("now"),
        or_(signing_keys.c.ended_at.is_(None), signing_keys.c.ended_at > bindparam("now")),
    )
    .order_by(signing_keys.c.signs_from.desc(), signing_keys.c.id)
    .limit(ONE)
)
_SHOWN = Query(
    select(*_columns)
    .where(or_(signing_keys.c.ended_at.is_(None), signing_keys.c.ended_at > bindparam("after")))
    .order_by(signing_keys.c.signs_from, signing_keys.c.id)
)
_INSERT = Query(insert_into(signing_keys))
_END_OTHERS = Query(
    update(signing_keys)
    .values(ended_at=bindparam("at"))
    .where(
        signing_keys.c.id != bindparam("id"),
        or_(signing_keys.c.ended_at.is_(None), signing_keys.c.ended_at > bindparam("at")),
    )
)
_DROP_OTHERS = Query(delete(signing_keys).where(signing_keys.c.id != bindparam("id")))
_PRUNE = Query(delete(signing_keys).where(signing_keys.c.ended_at < bindparam("before")))


def current(tx: Transaction) -> Row | None:
    """The key that signs now."""
    return tx.one(_CURRENT, now=tx.now)


def shown(tx: Transaction) -> list[Row]:
    """The keys that are shown now: what signs, what will, and what has signed a moment ago; the oldest first."""
    return tx.all(_SHOWN, after=tx.now - SHOWN_AROUND)


def add(tx: Transaction, *, id: int, sealed: bytes, public: str, signs_from: Instant) -> None:
    """One more key, shown at once; it signs from an instant on."""
    tx.run(
        _INSERT, id=id, sealed=sealed, public=public, created_at=tx.now, signs_from=signs_from, ended_at=None
    )


def end_others(tx: Transaction, id: int, at: Instant) -> None:
    """Every other key signs no more from an instant on."""
    tx.run(_END_OTHERS, id=id, at=at)


def drop_others(tx: Transaction, id: int) -> int:
    """Forget every other key: what they signed is worth nothing any more."""
    return tx.run(_DROP_OTHERS, id=id)


def prune(tx: Transaction) -> int:
    """Delete the keys that are not shown any more."""
    return tx.run(_PRUNE, before=tx.now - SHOWN_AROUND)
