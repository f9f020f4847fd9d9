"""Acme Notes' one SQLite file."""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from acme_notes import settings

_SCHEMA = """
CREATE TABLE IF NOT EXISTS users (
    id TEXT PRIMARY KEY, name TEXT NOT NULL, email TEXT NOT NULL UNIQUE COLLATE NOCASE,
    password TEXT, chirp TEXT UNIQUE, last_team TEXT
);
CREATE TABLE IF NOT EXISTS teams (id TEXT PRIMARY KEY, name TEXT NOT NULL, invite_code TEXT NOT NULL UNIQUE);
CREATE TABLE IF NOT EXISTS members (
    team_id TEXT NOT NULL REFERENCES teams, user_id TEXT NOT NULL REFERENCES users, role TEXT NOT NULL,
    PRIMARY KEY (team_id, user_id)
);
CREATE TABLE IF NOT EXISTS sessions (
    token_hash TEXT PRIMARY KEY, user_id TEXT NOT NULL REFERENCES users, signed_in_at TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS tokens (
    token_hash TEXT PRIMARY KEY, team_id TEXT NOT NULL, user_id TEXT NOT NULL, name TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS resets (
    token_hash TEXT PRIMARY KEY, user_id TEXT NOT NULL REFERENCES users, good_until TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS mails (
    id INTEGER PRIMARY KEY, recipient TEXT NOT NULL, subject TEXT NOT NULL, body TEXT NOT NULL, at TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS notes (
    id INTEGER PRIMARY KEY, team_id TEXT NOT NULL REFERENCES teams, title TEXT NOT NULL, body TEXT NOT NULL,
    colour TEXT NOT NULL, changed_by TEXT NOT NULL, changed_at TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS payouts (
    id INTEGER PRIMARY KEY, team_id TEXT NOT NULL REFERENCES teams, recipient TEXT NOT NULL, account TEXT NOT NULL,
    cents INTEGER NOT NULL, reference TEXT NOT NULL, made_by TEXT NOT NULL, made_at TEXT NOT NULL
);
"""
_here = threading.local()


def prepare() -> None:
    """Make the file, readable by its owner alone."""
    settings.DATA.mkdir(parents=True, exist_ok=True, mode=0o700)
    _connection().executescript(_SCHEMA)


def rows(sql: str, *values: Any) -> list[sqlite3.Row]:
    """All rows of a query."""
    return _connection().execute(sql, values).fetchall()


def one(sql: str, *values: Any) -> sqlite3.Row | None:
    """The first row, if any."""
    found: sqlite3.Row | None = _connection().execute(sql, values).fetchone()
    return found


def run(sql: str, *values: Any) -> int:
    """Change something; how many rows that were."""
    return _connection().execute(sql, values).rowcount


def insert(sql: str, *values: Any) -> int:
    """Insert a row; its number."""
    return _connection().execute(sql, values).lastrowid or 0


@contextmanager
def together() -> Iterator[None]:
    """All changes within, or none."""
    _connection().execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        _connection().execute("ROLLBACK")
        raise
    _connection().execute("COMMIT")


def _connection() -> sqlite3.Connection:
    """This thread's own."""
    connection: sqlite3.Connection | None = getattr(_here, "connection", None)
    if connection is None:
        connection = sqlite3.connect(settings.DATA / "acme-notes.db", isolation_level=None, timeout=10)
        connection.row_factory = sqlite3.Row
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA foreign_keys = ON")
        _here.connection = connection
    return connection
