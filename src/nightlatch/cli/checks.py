"""What `nightlatch doctor` looks at. Each check says what it found, and what to do where that is not good."""

import ctypes
import os
import shutil
import stat
import sys
from collections.abc import Iterator
from email.utils import parseaddr
from pathlib import Path

from nightlatch import addresses
from nightlatch.cli.checks_inside import look
from nightlatch.cli.findings import Finding, ok, problem, warning
from nightlatch.config import Config
from nightlatch.keyring import KeyRing, KeyRingError
from nightlatch.mail.outgoing import Undeliverable
from nightlatch.mail.smtp_connection import probe
from nightlatch.store import migrate
from nightlatch.store.engine import Store

ROOM = 200 * 1024 * 1024
"""Bytes free beside the SQLite file, below which it says so."""


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


def mail_server(config: Config) -> Finding:
    """Whether the mail server would take our mail: connects and signs in as for a mail, and sends none."""
    target = config.mail
    if target.kind not in ("smtp", "smtps"):
        return ok("mail_server", f"{target}: there is no server to try.")
    try:
        sender = addresses.parse(parseaddr(config.mail_from)[1])
        agreed, closed = probe(target, sender.wire.rpartition("@")[2])
    except addresses.BadAddress:
        return problem("mail_server", "Nothing can be sent from that address: look at NIGHTLATCH_MAIL_FROM.")
    except Undeliverable as failure:
        return problem("mail_server", f"{target}: {failure.reason}. Nobody is mailed until it works.")
    if not closed:
        return warning("mail_server", f"{target} answers, but {agreed}: links are mailed in the clear.")
    return ok("mail_server", f"{target} answers: {agreed}. No mail was sent.")


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
    return [*found, mail_server(config)]


def _in_database(config: Config, ring: KeyRing) -> list[Finding]:
    from nightlatch.clock import Clock
    from nightlatch.wiring import open_store

    store: Store = open_store(config.database_url, Clock(config.test_clock), ring)
    try:
        return store.read_now(lambda tx: look(tx, config))
    finally:
        store.close()
