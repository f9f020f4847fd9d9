"""The demo's data folder: whose it is, making the world in it, and making it anew."""

import fcntl
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from ipaddress import ip_address
from pathlib import Path

import pysqlite3

from nightlatch.config import Config, ConfigError, ConfigProblem
from nightlatch.store import sqlite

DEFAULT = "./data-demo"
DATABASE = "nightlatch.db"
PRODUCT = "acme-notes"
"""The folder of the product beside the world."""
PRODUCT_SECRET = "acme-notes.secret"
"""The file with its secret."""
_OURS = (
    DATABASE,
    "nightlatch.db-wal",
    "nightlatch.db-shm",
    "nightlatch.db.lock",
    "nightlatch.db.turn",
    "keys",
    "phone.json",
    "phone.json.lock",
    PRODUCT_SECRET,
)
_LOCK = "demo.lock"
_NOT_HERE = ("DATABASE_URL", "KEYS", "MAIL", "MAIL_FROM", "TRUSTED_PROXIES", "SIGN_UP")
"""Settings that the demo chooses itself: its world is one folder, and its mail goes nowhere else."""


class NotOurs(Exception):
    """The folder is no demo's. The message says what to do."""


def settings(environment: Mapping[str, str]) -> Config:
    """The demo's configuration: that of the environment, in a folder of its own, on this machine alone.

    Raises ConfigError.
    """
    chosen = {f"NIGHTLATCH_{name}{end}" for name in _NOT_HERE for end in ("", "_FILE")}
    kept = {name: value for name, value in environment.items() if name not in chosen}
    kept["NIGHTLATCH_DATA"] = kept.get("NIGHTLATCH_DATA", "").strip() or DEFAULT
    port = kept.get("NIGHTLATCH_PORT", "").strip() or "8000"
    kept["NIGHTLATCH_ORIGIN"] = kept.get("NIGHTLATCH_ORIGIN", "").strip() or f"http://localhost:{port}"
    kept["NIGHTLATCH_MAIL"] = "folder:"
    config = Config.from_environment(kept)
    problems = []
    if not config.local:
        problems.append(
            ConfigProblem(
                "NIGHTLATCH_ORIGIN", "The demo is for this machine alone: use http://localhost:8000."
            )
        )
    if not _is_loopback(config.host):
        problems.append(
            ConfigProblem(
                "NIGHTLATCH_HOST", "The demo listens on loopback only: everybody may read its mail."
            )
        )
    if problems:
        raise ConfigError(tuple(problems))
    return config


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


@contextmanager
def held(data: Path) -> Iterator[None]:
    """Hold the folder for this demo, as long as the process or a worker of it lives. Raises NotOurs."""
    if data.exists() and not data.is_dir():
        raise NotOurs(f"{data} is no folder.")
    if data.exists() and mark(data) is None and any(each.name != _LOCK for each in data.iterdir()):
        raise NotOurs(
            f"{data} holds something that no demo made, so nothing in it was touched. "
            "Name an empty folder by NIGHTLATCH_DATA."
        )
    data.mkdir(parents=True, exist_ok=True, mode=0o700)
    with open(data / _LOCK, "a", opener=_private) as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise NotOurs(f"A demo is running in {data} already.") from None
        yield


def mark(data: Path) -> str | None:
    """What the mark of a demo database in this folder says; None where there is no such database or mark."""
    path = data / DATABASE
    if not path.exists():
        return None
    connection = sqlite.connect(str(path), read_only=True)
    try:
        row = connection.execute("SELECT value FROM meta WHERE name = 'demo'").fetchone()
    except pysqlite3.DatabaseError:
        return None
    finally:
        connection.close()
    return str(row[0]) if row is not None else None


def clear(data: Path) -> None:
    """Delete what a demo made, and nothing else. Raises NotOurs where the mark is missing."""
    if not data.exists() or not any(each.name != _LOCK for each in data.iterdir()):
        return
    if mark(data) is None:
        raise NotOurs(f"{data} holds no demo database, so nothing in it was deleted.")
    for name in ("mail", PRODUCT):
        shutil.rmtree(data / name, ignore_errors=True)
    for name in _OURS[1:]:
        (data / name).unlink(missing_ok=True)
    (data / DATABASE).unlink()  # last: as long as it is there, the folder is known for a demo's


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
