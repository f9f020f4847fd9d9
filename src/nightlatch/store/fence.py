"""A PostgreSQL database that is being restored is closed to all but the command that restores it (law 11).

The fence is an empty table that no backup knows, so that restoring one leaves it where it is. Every new connection of
Nightlatch looks for it; it falls in the transaction that ends what the backup had handed out, and stays where that
was never reached.
"""

from typing import Any

from sqlalchemy import text

from nightlatch.store.engine import Transaction, Unavailable
from nightlatch.store.query import Query

_UP = "CREATE TABLE IF NOT EXISTS nightlatch_being_restored ()"
_STANDS = "SELECT to_regclass('nightlatch_being_restored') IS NOT NULL"
_DOWN = "DROP TABLE IF EXISTS nightlatch_being_restored"
_FALL = Query(text(_DOWN))


def raise_fence(url: str) -> bool:
    """Close the database to new connections. Whether it was open: else an earlier restore was cut off."""
    with _connect(url) as connection:
        stood = _stands(connection)
        connection.execute(_UP)
        return not stood


def lower_fence(url: str) -> None:
    """Open it again: nothing was restored."""
    with _connect(url) as connection:
        connection.execute(_DOWN)


def fall(tx: Transaction) -> None:
    """Open it with the end of this transaction."""
    if tx.dialect == "postgresql":
        tx.run(_FALL)


def pass_by(connection: Any) -> None:
    """Raise Unavailable where the fence stands."""
    if _stands(connection):
        raise Unavailable(
            "The database is being restored from a backup. "
            "If a restore was cut off, run `nightlatch restore` to its end."
        )


def _stands(connection: Any) -> bool:
    row = connection.execute(_STANDS).fetchone()
    return bool(row[0])


def _connect(url: str) -> Any:
    import psycopg

    return psycopg.connect(url, autocommit=True, target_session_attrs="read-write", connect_timeout=5)
