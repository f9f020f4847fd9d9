"""What other processes do beside a test's own, on the same SQLite file. Each is run by `others.another`."""

import os
import resource
import secrets
import time
from concurrent.futures import Future
from contextlib import closing
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from nightlatch.clock import Clock
from nightlatch.keyring import KeyRing
from nightlatch.store import meta, migrate, sqlite_writer
from nightlatch.store.engine import Body, Transaction
from nightlatch.store.sqlite import SqliteStore
from tests.races.held import held
from tests.races.notes import note, read_note

TURNS = 200
"""How often each of two processes writes."""


def opened(url: str) -> SqliteStore:
    """A store of one's own on a file that holds nothing sealed."""
    return SqliteStore(migrate.sqlite_path(url), Clock(), KeyRing.generate(secrets.token_bytes))


def fill_the_disk(end: Connection, url: str) -> None:
    """Write a batch while no file of this process may grow by a byte, and tell what came of it."""
    log = Path(f"{migrate.sqlite_path(url)}-wal")
    with closing(opened(url)) as store:
        store.write_now(note("before"))
        with held(store):
            waiting = [submitted(store, note(f"note {number}", "x" * 10_000)) for number in range(20)]
            _, most = resource.getrlimit(resource.RLIMIT_FSIZE)
            resource.setrlimit(resource.RLIMIT_FSIZE, (log.stat().st_size, most))
        errors = [each.exception() for each in waiting]
        kept = [number for number in range(20) if read_note(store, f"note {number}") is not None]
        resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
        after = store.write_now(note("after", "x" * 10_000))
    end.send(([type(each).__name__ for each in errors], kept, after))


def read_slowly(end: Connection, url: str) -> None:
    """Read a note, wait to be told, read it again in the same transaction, and once more in another."""

    def body(tx: Transaction) -> None:
        end.send(meta.read(tx, "note"))
        end.recv()
        end.send(meta.read(tx, "note"))

    with closing(opened(url)) as store:
        store.read_now(body)
        end.send(read_note(store, "note"))


def take_turns(end: Connection, url: str, me: str) -> None:
    """Write one letter after the other, always with more waiting; at each turn let the rival come to wait for its."""
    sqlite_writer.BATCH = 1
    lock, turn = (Path(f"{migrate.sqlite_path(url)}{kind}") for kind in (".lock", ".turn"))
    with closing(opened(url)) as store:
        rival, rivals_pid = end.recv()

        def body(tx: Transaction) -> None:
            written = meta.read(tx, "turns") or ""
            while written.count(rival) < TURNS and not _waits(rivals_pid, lock):
                time.sleep(0.0005)
            meta.write(tx, "turns", written + me)

        waiting = [submitted(store, body) for _ in range(TURNS)]
        while not _waits(os.getpid(), lock) and not _waits(os.getpid(), turn):
            time.sleep(0.0005)
        end.send("queued")
        for each in waiting:
            each.result()
    end.send("written")


def submitted(store: SqliteStore, body: Body[Any]) -> "Future[Any]":
    """A body that waits for the writer."""
    future: Future[Any] = Future()

    def settle(result: Any, error: BaseException | None) -> None:
        if error is not None:
            future.set_exception(error)
        else:
            future.set_result(result)

    store._writer.submit(body, settle)
    return future


def _waits(pid: int, path: Path) -> bool:
    """Whether a process waits for a lock on a file (Linux tells in /proc/locks)."""
    inode = str(path.stat().st_ino)
    for line in Path("/proc/locks").read_text().splitlines():
        words = line.split()
        if words[1] == "->" and words[5] == str(pid) and words[6].rpartition(":")[2] == inode:
            return True
    return False
