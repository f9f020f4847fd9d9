"""SQLite: one writer thread with group commit, and readers that never wait for it.

The writer drains a queue into one BEGIN IMMEDIATE, each body in a savepoint of its own, one COMMIT (one fsync), and
nobody is answered before it. Several processes on one file take a file lock before BEGIN: without it they starve each
other, since SQLite's own waiting is not fair. The library is pysqlite3, which bundles a SQLite that has the WAL-reset
fix; Python's own `sqlite3` must never open this file in the same process (closing its copy would drop our locks).
"""

import asyncio
import fcntl
import os
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import IO, Any

import pysqlite3

from nightlatch.clock import Clock
from nightlatch.keyring import KeyRing
from nightlatch.store.engine import Body, Store, T, Transaction, Unavailable

SAFE_VERSION = (3, 53, 2)
"""The first with the WAL-reset fix and the FTS5 memory fixes."""
BATCH = 256
"""The most bodies in one transaction: the last of them waits for all."""

_Job = tuple[Body[Any], Callable[[Any, BaseException | None], None]]


def connect(path: str, *, read_only: bool = False) -> Any:
    """A connection as Nightlatch uses it: WAL, synchronous FULL, no implicit transactions."""
    if pysqlite3.sqlite_version_info < SAFE_VERSION:
        raise Unavailable(
            f"SQLite {pysqlite3.sqlite_version} can corrupt WAL files; 3.53.2 or newer is needed."
        )
    connection = pysqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=30)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA cache_size = -65536")
    connection.execute("PRAGMA mmap_size = 268435456")
    connection.execute("PRAGMA trusted_schema = OFF")
    if read_only:
        connection.execute("PRAGMA query_only = ON")
    return connection


class SqliteStore(Store):
    """The store on one SQLite file."""

    dialect = "sqlite"

    def __init__(self, path: Path, clock: Clock, keys: KeyRing) -> None:
        self._path = path
        self._clock = clock
        self._keys = keys
        self._loop_reader = connect(str(path), read_only=True)
        self._readers = threading.local()
        self._opened: list[Any] = []
        self._reading = ThreadPoolExecutor(2, thread_name_prefix="sqlite-read")
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._closed = False
        self._writer = threading.Thread(target=self._write_loop, name="sqlite-write", daemon=True)
        self._writer.start()

    # --- the five verbs ---

    async def read(self, body: Body[T]) -> T:
        return self._snapshot(self._loop_reader, body)

    async def query(self, body: Body[T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._reading, self.read_now, body)

    async def write(self, body: Body[T]) -> T:
        loop = asyncio.get_running_loop()
        waiting: asyncio.Future[T] = loop.create_future()

        def settle(result: Any, error: BaseException | None) -> None:
            if waiting.cancelled():
                return
            if error is not None:
                waiting.set_exception(error)
            else:
                waiting.set_result(result)

        self._submit(body, lambda result, error: loop.call_soon_threadsafe(settle, result, error))
        return await waiting

    def read_now(self, body: Body[T]) -> T:
        reader = getattr(self._readers, "connection", None)
        if reader is None:
            reader = self._readers.connection = connect(str(self._path), read_only=True)
            self._opened.append(reader)
        return self._snapshot(reader, body)

    def write_now(self, body: Body[T]) -> T:
        waiting: Future[T] = Future()

        def settle(result: Any, error: BaseException | None) -> None:
            if error is not None:
                waiting.set_exception(error)
            else:
                waiting.set_result(result)

        self._submit(body, settle)
        return waiting.result()

    def close(self) -> None:
        if not self._closed:
            self._closed = True
            self._jobs.put(None)
            self._writer.join()
            self._reading.shutdown()
            for reader in (self._loop_reader, *self._opened):
                reader.close()

    # --- reading ---

    def _snapshot(self, connection: Any, body: Body[T]) -> T:
        try:
            connection.execute("BEGIN")
            try:
                return body(self._transaction(connection))
            finally:
                connection.execute("COMMIT")
        except pysqlite3.OperationalError as error:
            raise Unavailable("The database cannot be read.") from error

    def _transaction(self, connection: Any) -> Transaction:
        return Transaction(connection.execute, "sqlite", self._clock.now(), self._keys)

    # --- writing ---

    def _submit(self, body: Body[Any], settle: Callable[[Any, BaseException | None], None]) -> None:
        if self._closed:
            raise Unavailable("The database is being closed.")
        self._jobs.put((body, settle))

    def _write_loop(self) -> None:
        connection = connect(str(self._path))
        with open(f"{self._path}.lock", "a") as lock:
            os.chmod(lock.name, 0o600)
            while (job := self._jobs.get()) is not None:
                batch = [job, *self._more()]
                self._write_batch(connection, lock, batch)
                if self._closed and self._jobs.empty():
                    break
        connection.close()

    def _more(self) -> list[_Job]:
        jobs: list[_Job] = []
        while len(jobs) < BATCH:
            try:
                job = self._jobs.get_nowait()
            except queue.Empty:
                break
            if job is None:
                self._jobs.put(None)
                break
            jobs.append(job)
        return jobs

    def _write_batch(self, connection: Any, lock: IO[str], batch: list[_Job]) -> None:
        outcomes: list[tuple[Any, BaseException | None]] = []
        fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            connection.execute("BEGIN IMMEDIATE")
            for body, _ in batch:
                outcomes.append(self._in_savepoint(connection, body))
            connection.execute("COMMIT")
        except Exception as error:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            lost = Unavailable("The database could not keep the change; nothing was done.")
            lost.__cause__ = error
            outcomes = [(None, lost)] * len(batch)
        finally:
            fcntl.flock(lock, fcntl.LOCK_UN)
        for (_, settle), (result, failure) in zip(batch, outcomes, strict=True):
            settle(result, failure)

    def _in_savepoint(self, connection: Any, body: Body[Any]) -> tuple[Any, BaseException | None]:
        """One body. An error undoes this body alone, unless the whole transaction is lost (disk full)."""
        connection.execute("SAVEPOINT body")
        try:
            result = body(self._transaction(connection))
        except Exception as error:
            if not connection.in_transaction:
                raise
            connection.execute("ROLLBACK TO body")
            connection.execute("RELEASE body")
            if isinstance(error, pysqlite3.OperationalError):
                failure = Unavailable("The database could not keep the change; nothing was done.")
                failure.__cause__ = error
                return None, failure
            return None, error
        connection.execute("RELEASE body")
        return result, None
