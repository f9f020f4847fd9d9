"""Whether a PostgreSQL server keeps what it has acknowledged (docs/decisions/0004 says what SQLite does)."""

from sqlalchemy import column, or_, select, table

from nightlatch.store.engine import Transaction
from nightlatch.store.query import Query

FSYNC, PAGES, COMMIT = "fsync", "full_page_writes", "synchronous_commit"

_settings = table("pg_settings", column("name"), column("setting"), column("reset_val"))
_OFF = Query(
    select(_settings.c.name)
    .where(
        or_(
            # `reset_val` is what server, database and role say: our own connections are set to `on` anyway.
            (_settings.c.name == COMMIT) & (_settings.c.reset_val == "off"),
            (_settings.c.name == FSYNC) & (_settings.c.setting == "off"),
            (_settings.c.name == PAGES) & (_settings.c.setting == "off"),
        )
    )
    .order_by(_settings.c.name)
)


def switched_off(tx: Transaction) -> tuple[str, ...]:
    """The settings that are off and cost acknowledged commits: `fsync`, `full_page_writes`, `synchronous_commit`.

    Only the first two touch us; Nightlatch sets the third to `on` for each of its connections. None on SQLite, where
    every commit is on disk before it is answered.
    """
    if tx.dialect == "sqlite":
        return ()
    return tuple(row.name for row in tx.all(_OFF))


def lost(tx: Transaction) -> tuple[str, ...]:
    """Those that a crash of the database's machine makes us lose acknowledged commits by."""
    return tuple(name for name in switched_off(tx) if name != COMMIT)
