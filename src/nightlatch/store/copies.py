"""Whole copies of a database, out and in again: SQLite by its own backup interface, PostgreSQL by its own programs.

Files are made readable by their owner alone, appear whole or not at all, and never take the place of another.
"""

import os
import secrets
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pysqlite3

from nightlatch.store import meta, sqlite
from nightlatch.store.engine import Unavailable
from nightlatch.store.sqlite_writer import turn

_SQLITE = b"SQLite format 3\0"
_DUMP = b"PGDMP"


class NoCopy(Exception):
    """A file is no backup that can be used here, or a program is missing. The message says what to do."""


# --- SQLite ---


def copy_sqlite(source: Path, target: Path) -> None:
    """A consistent copy of a file that may be in use, as one file. Raises FileExistsError, NoCopy, OSError."""
    with _draft(target) as draft:
        live = sqlite.connect(str(source), read_only=True)
        try:
            _copy_into(live, draft)
        finally:
            live.close()


def take_sqlite(source: Path, target: Path) -> None:
    """A working copy of a backup, which itself is not touched. Raises NoCopy, FileExistsError, OSError."""
    if _beginning(source) != _SQLITE:
        raise NoCopy(f"{source} is no backup of an SQLite database.")
    with _draft(target) as draft:
        backup = pysqlite3.connect(f"{source.absolute().as_uri()}?mode=ro&immutable=1", uri=True)
        try:
            _copy_into(backup, draft)
        finally:
            backup.close()


def put_sqlite(source: Path, live: Path) -> None:
    """Make `live` what `source` is, in one transaction: a server that has it open sees the one or the other."""
    if not live.exists():
        os.rename(source, live)
        _keep_folder(live.parent)
        return
    ready = sqlite.connect(str(source), read_only=True)
    target = sqlite.connect(str(live))
    try:
        with turn(live):
            ready.backup(target)
    finally:
        target.close()
        ready.close()
    for end in ("", "-wal", "-shm", ".lock", ".turn"):
        Path(f"{source}{end}").unlink(missing_ok=True)


def _copy_into(connection: "pysqlite3.Connection", draft: Path) -> None:
    copy = pysqlite3.connect(str(draft), isolation_level=None)
    try:
        connection.backup(copy)
        copy.execute("PRAGMA journal_mode = DELETE")
        if copy.execute("PRAGMA quick_check(1)").fetchone()[0] != "ok":
            raise NoCopy("The database is damaged: its copy does not pass SQLite's own check.")
    except pysqlite3.DatabaseError as error:
        raise NoCopy(f"The database could not be copied: {error}") from error
    finally:
        copy.close()


# --- PostgreSQL ---


def dump_postgres(url: str, target: Path) -> None:
    """A consistent copy by pg_dump, in its custom format. Raises FileExistsError, NoCopy, OSError."""
    with _draft(target) as draft:
        _run("pg_dump", "--format=custom", "--no-owner", "--no-privileges", f"--file={draft}", url=url)


def look_into_dump(source: Path) -> tuple[str | None, str | None]:
    """The revision and the key check of a dump, before anything is done with it. Raises NoCopy, OSError."""
    if _beginning(source)[: len(_DUMP)] != _DUMP:
        raise NoCopy(f"{source} is no backup of a PostgreSQL database.")
    tables = ("--table=meta", "--table=alembic_version")
    text = _run("pg_restore", "--data-only", *tables, "--file=-", str(source))
    rows = [line.split("\t") for line in text.splitlines()]
    checks = [row[1] for row in rows if len(row) == 2 and row[0] == meta.KEY_CHECK]
    revisions = [row[0] for row in rows if len(row) == 1 and row[0].isdigit() and len(row[0]) == 4]
    return next(iter(revisions), None), next(iter(checks), None)


def restore_postgres(url: str, source: Path) -> None:
    """Put a dump in place of what is there, in one transaction. Raises NoCopy, OSError."""
    settings = _settings(url)
    _run(
        "pg_restore",
        "--clean",
        "--if-exists",
        "--no-owner",
        "--no-privileges",
        "--single-transaction",
        "--exit-on-error",
        f"--dbname={settings.get('PGDATABASE', 'postgres')}",
        str(source),
        url=url,
    )


def others_connected(url: str) -> int:
    """How many connections of Nightlatch a PostgreSQL database has now."""
    import psycopg

    with psycopg.connect(url, autocommit=True) as connection:
        row = connection.execute(
            "SELECT count(*) FROM pg_stat_activity "
            "WHERE datname = current_database() AND application_name = 'nightlatch'"
        ).fetchone()
    return int(row[0]) if row is not None else 0


def _run(program: str, *arguments: str, url: str | None = None) -> str:
    """What one of PostgreSQL's programs prints. Where to connect goes through its environment, which nobody else can
    read.
    """
    try:
        done = subprocess.run(  # noqa: S603  (no shell, a fixed program)
            [program, *arguments],
            env={**os.environ, **(_settings(url) if url is not None else {})},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
    except FileNotFoundError:
        raise NoCopy(f"{program} is missing. Install PostgreSQL's client programs.") from None
    if done.returncode != 0:
        last = next(iter(done.stderr.strip().splitlines()), "no reason given")
        raise NoCopy(f"{program} failed: {last}")
    return done.stdout


def _settings(url: str) -> dict[str, str]:
    """A connection URL as the environment that libpq reads."""
    try:
        from psycopg import conninfo, pq
    except ModuleNotFoundError as error:
        raise Unavailable('PostgreSQL needs the extra: pip install "nightlatch[postgres]"') from error
    names = {
        each.keyword.decode(): each.envvar.decode()
        for each in pq.Conninfo.get_defaults()
        if each.envvar is not None
    }
    given = conninfo.conninfo_to_dict(url)
    return {names[key]: str(value) for key, value in given.items() if value is not None and key in names}


# --- files ---


@contextmanager
def _draft(target: Path) -> Iterator[Path]:
    """An empty file beside the target, 0600, that becomes the target if all goes well."""
    if target.exists():
        raise FileExistsError(17, "it exists already, and is not overwritten", str(target))
    draft = target.with_name(f".{target.name}.{secrets.token_hex(6)}")
    os.close(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    try:
        yield draft
        descriptor = os.open(draft, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        os.link(draft, target)
        _keep_folder(target.parent)
    finally:
        for end in ("", "-journal", "-wal", "-shm"):
            Path(f"{draft}{end}").unlink(missing_ok=True)


def _keep_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _beginning(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(len(_SQLITE))
