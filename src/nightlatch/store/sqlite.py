"""SQLite: one writer thread with group commit, and readers that never wait for it.

The library is pysqlite3, which bundles a SQLite that has the WAL-reset fix; Python's own `sqlite3` must never open this
file in the same process (closing its copy would drop our locks).
"""

import asyncio
import threading
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import pysqlite3

from nightlatch.clock import Clock
from nightlatch.keyring import KeyRing
from nightlatch.store.engine import Body, Execute, Numbers, Store, T, Transaction, Unavailable
from nightlatch.store.sqlite_writer import Writer, unusable

SAFE_VERSION = (3, 53, 2)
"""The first with the WAL-reset fix and the FTS5 memory fixes."""


def connect(path: str, *, read_only: bool = False, mapped: bool = False) -> Any:
    """A connection as Nightlatch uses it: WAL, synchronous FULL, no implicit transactions.

    `mapped`: for long reads. SQLite maps the file anew after every commit of another connection, which for a few keyed
    look-ups costs more than it saves.
    """
    if pysqlite3.sqlite_version_info < SAFE_VERSION:
        raise Unavailable(
            f"SQLite {pysqlite3.sqlite_version} can corrupt WAL files; 3.53.2 or newer is needed."
        )
    connection = pysqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=30)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA temp_store = MEMORY")  # what savepoints put aside needs no file
    connection.execute("PRAGMA cache_size = -65536")
    if mapped:
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
        self._closed = False
        self._loop_reader = connect(str(path), read_only=True)
        self._readers = threading.local()
        self._reading = ThreadPoolExecutor(2, thread_name_prefix="sqlite-read")
        self._writer = Writer(path, lambda: connect(str(path)), self._transaction)
        self._desk: _Desk | None = None

    # --- the five verbs ---

    async def read(self, body: Body[T]) -> T:
        self._refuse_if_closed()
        return self._snapshot(self._loop_reader, body)

    async def query(self, body: Body[T]) -> T:
        self._refuse_if_closed()
        return await asyncio.get_running_loop().run_in_executor(self._reading, self.read_now, body)

    async def write(self, body: Body[T]) -> T:
        loop, desk = asyncio.get_running_loop(), self._desk
        if desk is None or desk.loop is not loop:
            desk = self._desk = _Desk(loop, self._writer)
        return await desk.write(body)

    def read_now(self, body: Body[T]) -> T:
        self._refuse_if_closed()
        reader = getattr(self._readers, "connection", None)
        if reader is None:
            reader = self._readers.connection = connect(str(self._path), read_only=True, mapped=True)
        return self._snapshot(reader, body)

    def write_now(self, body: Body[T]) -> T:
        waiting: Future[T] = Future()

        self._writer.submit(body, partial(_answer, waiting))
        return waiting.result()

    def close(self) -> None:
        self._closed = True
        self._writer.close()
        self._reading.shutdown()
        self._loop_reader.close()
        self._readers = threading.local()  # each thread's own reader closes as its user lets go of it

    # --- inside ---

    def _refuse_if_closed(self) -> None:
        if self._closed:
            raise Unavailable("The database is closed.")

    def _snapshot(self, connection: Any, body: Body[T]) -> T:
        try:
            execute = connection.cursor().execute
            execute("BEGIN")
            try:
                return body(self._transaction(execute))
            finally:
                execute("COMMIT")
        except pysqlite3.DatabaseError as error:
            if not unusable(error):
                raise
            raise Unavailable("The database cannot be read.") from error

    def _transaction(self, execute: Execute, numbers: Numbers | None = None) -> Transaction:
        return Transaction(execute, "sqlite", self._clock.now(), self._keys, numbers)


class _Desk:
    """An event loop's way to the writing thread and back: what comes up in one round of the loop goes together.

    Both threads share one interpreter. Handed over one by one, the first body would be run while the loop still reads
    for the next request, and each thread would wait for the other at every statement.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, writer: Writer) -> None:
        self.loop = loop
        self._writer = writer
        self._asked: list[tuple[Body[Any], asyncio.Future[Any]]] = []
        self._told: deque[tuple[asyncio.Future[Any], Any, BaseException | None]] = deque()
        self._comes_back = False

    def write(self, body: Body[T]) -> "asyncio.Future[T]":
        """What will become of a body."""
        waiting: asyncio.Future[T] = self.loop.create_future()
        self._asked.append((body, waiting))
        if len(self._asked) == 1:
            self.loop.call_soon(self._hand_over)
        return waiting

    def _hand_over(self) -> None:
        asked, self._asked = self._asked, []
        for body, waiting in asked:
            try:
                self._writer.submit(body, partial(self._settle, waiting))
            except Unavailable as error:
                if not waiting.cancelled():
                    waiting.set_exception(error)

    def _settle(self, waiting: "asyncio.Future[Any]", result: Any, error: BaseException | None) -> None:
        """In the writing thread: whoever waits is told with the others of the batch."""
        self._told.append((waiting, result, error))
        if not self._comes_back:
            self._comes_back = True
            self.loop.call_soon_threadsafe(self._tell)

    def _tell(self) -> None:
        self._comes_back = False  # before the last look: whatever is added after that calls again
        while self._told:
            waiting, result, error = self._told.popleft()
            if not waiting.cancelled():
                _answer(waiting, result, error)


def _answer(waiting: "asyncio.Future[Any] | Future[Any]", result: Any, error: BaseException | None) -> None:
    if error is not None:
        waiting.set_exception(error)
    else:
        waiting.set_result(result)
