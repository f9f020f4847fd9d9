"""Migrations: Alembic's, run only where the database is not at the newest one.

Alembic takes over a second to import, so what `serve` needs at start (which revision is this database at?) is one plain
statement; Alembic is loaded only when there is something to do.
"""

from pathlib import Path
from typing import Any

import pysqlite3

from nightlatch.store import sqlite

HEAD = "0006"
"""The newest revision (a test holds it against the migrations folder)."""


class NewerSchema(Exception):
    """The database was made by a newer Nightlatch than this one."""


def is_sqlite(url: str) -> bool:
    """Whether a database URL names an SQLite file."""
    return url.startswith("sqlite:")


def sqlite_path(url: str) -> Path:
    """The file of an `sqlite:///path` URL (four slashes: an absolute path)."""
    return Path(url.removeprefix("sqlite:///"))


def current(url: str) -> str | None:
    """The revision a database is at; None for one without any table of ours."""
    if is_sqlite(url):
        if not sqlite_path(url).exists():
            return None
        return _revision(sqlite.connect(str(sqlite_path(url))), pysqlite3.OperationalError)
    import psycopg

    return _revision(psycopg.connect(url, autocommit=True), psycopg.errors.UndefinedTable)


def _revision(connection: Any, missing: type[Exception]) -> str | None:
    try:
        row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    except missing:
        return None
    finally:
        connection.close()
    return str(row[0]) if row else None


def pending(url: str) -> bool:
    """Whether migrations are due. Raises NewerSchema where the database is ahead of this program."""
    at = current(url)
    see(at)
    return at != HEAD


def see(revision: str | None) -> None:
    """Raises NewerSchema where a revision is ahead of this program."""
    if revision is not None and revision > HEAD:
        raise NewerSchema(
            f"The database is at revision {revision}; this Nightlatch knows {HEAD} at most. Use a newer one."
        )


def upgrade(url: str) -> None:
    """Bring a database to the newest revision; making the SQLite file (0600) where there is none."""
    if not pending(url):
        return
    if is_sqlite(url):
        path = sqlite_path(url)
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.touch(mode=0o600, exist_ok=True)
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["url"] = url
    command.upgrade(config, "head")
