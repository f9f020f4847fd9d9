"""What `nightlatch doctor` looks at. Each check says what it found, and what to do where that is not good."""

import ctypes
import os
import shutil
import stat
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from nightlatch.config import Config
from nightlatch.instants import HOUR, SECOND, Duration, Instant
from nightlatch.keyring import KeyRing, KeyRingError, Tampered, key_id_of
from nightlatch.store import events, meta, migrate, outbox
from nightlatch.store.engine import Store, Transaction

Status = Literal["ok", "warning", "problem"]
STUCK: Duration = HOUR
"""A mail that waits longer is a problem."""
ROOM = 200 * 1024 * 1024
"""Bytes free beside the SQLite file, below which it says so."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found."""

    name: str
    status: Status
    message: str


def ok(name: str, message: str) -> Finding:
    """All is well."""
    return Finding(name, "ok", message)


def warning(name: str, message: str) -> Finding:
    """It works; somebody should look at it."""
    return Finding(name, "warning", message)


def problem(name: str, message: str) -> Finding:
    """It does not work, or is not safe."""
    return Finding(name, "problem", message)


# --- without the database ---


def sqlite_library() -> Finding:
    """The SQLite in use: older ones corrupt files that two connections write (docs/decisions)."""
    import pysqlite3

    from nightlatch.store.sqlite import SAFE_VERSION

    version = pysqlite3.sqlite_version
    if pysqlite3.sqlite_version_info < SAFE_VERSION:
        return problem("sqlite", f"SQLite {version} can corrupt WAL files; 3.53.2 or newer is needed.")
    return ok("sqlite", f"SQLite {version}.")


def clock_kept() -> Finding:
    """Whether something keeps the machine's clock in time: codes live for 30 seconds."""
    if sys.platform != "linux":
        return ok("clock", "Whether the clock is kept in time is not known on this system.")
    not_synchronised = 5  # TIME_ERROR, see adjtimex(2)
    if ctypes.CDLL(None).adjtimex(ctypes.create_string_buffer(512)) == not_synchronised:
        return warning(
            "clock", "Nothing keeps this machine's clock in time, says its kernel. Run NTP: codes live 30 s."
        )
    return ok("clock", "The machine's clock is kept in time.")


def files(config: Config) -> Iterator[Finding]:
    """Who can read the data folder, the database, the keys and the demo mail."""
    own = [config.data, config.key_file] if config.keys is None else []
    path = config.sqlite_path
    if path is not None:
        own += [path, *(Path(f"{path}{end}") for end in ("-wal", "-shm"))]
    if config.mail.folder is not None:
        own.append(config.mail.folder)
    open_to_others = [each for each in own if each.exists() and _others(each)]
    if open_to_others:
        names = " ".join(str(each) for each in open_to_others)
        yield problem("files", f"Others on this machine can get at: {names}. Run: chmod -R go= {names}")
    else:
        yield ok("files", "Database, keys and mail folder are their owner's alone.")
    if path is not None and path.parent.exists():
        free = shutil.disk_usage(path.parent).free
        if free < ROOM:
            yield warning(
                "disk", f"Only {free // 1_000_000} MB are free for {path}. When it is full, nobody gets in."
            )


def _others(path: Path) -> bool:
    mode = path.stat().st_mode
    # A folder may be looked into by others as long as what lies in it is closed to them.
    return bool(mode & (0o022 if stat.S_ISDIR(mode) else 0o077))


# --- database, keys ---


def schema(config: Config) -> Finding:
    """Whether the database answers, and at which revision it is."""
    shown = config.redacted()["NIGHTLATCH_DATABASE_URL"]
    if (path := config.sqlite_path) is not None and not path.exists():
        return problem("database", f"There is no database at {path} yet. Run: nightlatch migrate")
    try:
        pending = migrate.pending(config.database_url)
    except migrate.NewerSchema as newer:
        return problem("database", str(newer))
    except ImportError:
        return problem("database", 'PostgreSQL needs the extra: pip install "nightlatch[postgres]"')
    except Exception as error:  # the driver's own
        first = next(iter(str(error).strip().splitlines()), type(error).__name__)
        return problem("database", f"{shown} cannot be used: {first}")
    if pending:
        return problem(
            "database", f"{shown} is not at the newest schema ({migrate.HEAD}). Run: nightlatch migrate"
        )
    return ok("database", f"{shown} answers and is at the newest schema ({migrate.HEAD}).")


def keys(config: Config) -> tuple[Finding, KeyRing | None]:
    """Whether there is a usable key ring. Makes none."""
    where = "NIGHTLATCH_KEYS" if config.keys is not None else str(config.key_file)
    try:
        ring = KeyRing.parse(config.keys) if config.keys is not None else KeyRing.load(config.key_file)
    except FileNotFoundError:
        return problem(
            "keys", f"There is no key file at {where}. The first start makes it; or put yours there."
        ), None
    except (KeyRingError, OSError) as error:
        return problem("keys", str(error)), None
    return ok("keys", f"{len(ring.ids)} in {where}; {ring.current_id} seals."), ring


def keys_match(tx: Transaction) -> Finding:
    """Whether the ring is the one that this database was sealed with."""
    check = meta.read(tx, meta.KEY_CHECK)
    if check is None:
        return warning(
            "keys_match", "Nothing was sealed in this database yet: the first start notes its keys."
        )
    if not tx.keys.matches(bytes.fromhex(check)):
        return problem(
            "keys_match", f"The database was sealed with key {_id(check)}, which is not in the ring."
        )
    return ok("keys_match", f"The database was sealed with key {_id(check)}, which is in the ring.")


def _id(check: str) -> str:
    try:
        return key_id_of(bytes.fromhex(check))
    except (ValueError, Tampered):
        return "(unreadable)"


def demo_mark(tx: Transaction) -> Finding:
    """Whether this is a demo database, which `serve` refuses."""
    if meta.read(tx, meta.DEMO) is not None:
        return problem(
            "demo", "This is a demo database: everybody may read its mail and codes. serve refuses it."
        )
    return ok("demo", "This is no demo database.")


def clock_behind(tx: Transaction) -> Finding:
    """Whether the clock is behind what has been recorded: decisions then stand still until it has caught up."""
    last: Instant | None = events.last_at(tx)
    behind = (last or 0) - tx.now
    if behind > 2 * SECOND:
        return problem(
            "clock_behind",
            f"The clock is {behind // SECOND} s behind the newest audit event: it was set back, or that one was ahead. "
            "Until it has caught up, time stands still for decisions: limits do not run out, codes may be refused.",
        )
    return ok("clock_behind", "The clock is not behind what was recorded.")


def mail(tx: Transaction, config: Config) -> Finding:
    """Whether mail leaves: the last delivery, and what waits."""
    waiting, oldest, delivered, error = outbox.health(tx)
    last = f"last delivery {_ago(tx.now - delivered)}" if delivered is not None else "nothing delivered yet"
    if not waiting or oldest is None:
        return ok("mail", f"{config.mail}: {last}, nothing waits.")
    since = tx.now - oldest
    text = f"{config.mail}: {last}; {waiting} waiting, the oldest since {_ago(since)}"
    text += f": {error}." if error else "."
    if since > STUCK:
        return problem("mail", text)
    return warning("mail", text) if error or since > STUCK // 12 else ok("mail", text)


def _ago(duration: Duration) -> str:
    minutes = max(0, duration) // (60 * SECOND)
    if minutes < 2:
        return "a moment ago"
    if minutes < 120:
        return f"{minutes} minutes ago"
    return f"{minutes // 60} hours ago" if minutes < 2 * 24 * 60 else f"{minutes // (24 * 60)} days ago"


# --- all of it ---


def config_findings(config: Config) -> Iterator[Finding]:
    """What is worth a look in the settings."""
    for each in config.warnings:
        yield warning("configuration", str(each))
    if not config.warnings:
        yield ok(
            "configuration", f"{config.base_url}, on {config.host}:{config.port}, workers: {config.workers}."
        )
    if os.geteuid() == 0 and config.secure:
        yield warning("user", "This runs as root. Give Nightlatch a user of its own.")


def examine(config: Config) -> list[Finding]:
    """Look at everything. Changes nothing, makes nothing."""
    found = [*config_findings(config), sqlite_library(), clock_kept(), *files(config)]
    at, (key, ring) = schema(config), keys(config)
    found += [at, key]
    if at.status == "ok" and ring is not None:
        found += _in_database(config, ring)
    return found


def _in_database(config: Config, ring: KeyRing) -> list[Finding]:
    from nightlatch.clock import Clock
    from nightlatch.wiring import open_store

    store: Store = open_store(config.database_url, Clock(config.test_clock), ring)
    try:
        return store.read_now(lambda tx: [keys_match(tx), demo_mark(tx), clock_behind(tx), mail(tx, config)])
    finally:
        store.close()
