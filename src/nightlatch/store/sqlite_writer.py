"""The one thread that writes to a SQLite file, with group commit.

It drains a queue into one BEGIN IMMEDIATE, each body in a savepoint of its own, one COMMIT (one fsync), and answers
nobody before it. Whatever goes wrong with a body, a batch, the disk or those who wait, the thread goes on.
"""

import fcntl
import logging
import os
import queue
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeAlias

import pysqlite3

from nightlatch.store.engine import Body, Execute, Numbers, Transaction, Unavailable

BATCH = 256
"""The most bodies in one transaction: the last of them waits for all."""

Settle: TypeAlias = Callable[[Any, BaseException | None], object]
"""Tells whoever waits what became of a body: its result, or what it raised."""
_Job: TypeAlias = tuple[Body[Any], Settle]
_Outcome: TypeAlias = tuple[Any, BaseException | None]

log = logging.getLogger("nightlatch.store")


def unusable(error: BaseException) -> bool:
    """Whether it is the database that cannot answer (full, locked, damaged), not the statement that is wrong."""
    return isinstance(error, pysqlite3.OperationalError) or type(error) is pysqlite3.DatabaseError


class Writer:
    """Takes bodies from any thread and settles each of them once its outcome is durable."""

    def __init__(
        self, path: Path, connect: Callable[[], Any], transaction: Callable[[Execute, Numbers], Transaction]
    ) -> None:
        """`connect` opens the writing connection; `transaction` makes what a body sees of its cursor."""
        self._path = path
        self._connect = connect
        self._transaction = transaction
        self._connection: Any = None
        self._turns: _Turns | None = None
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._gate = threading.Lock()
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="sqlite-write", daemon=True)
        self._thread.start()

    def submit(self, body: Body[Any], settle: Settle) -> None:
        """Queue a body. Raises Unavailable once closed: what is taken in is always settled."""
        with self._gate:
            if self._closed or not self._thread.is_alive():  # a thread does not live on in a forked process
                raise Unavailable("The database is being closed.")
            self._jobs.put((body, settle))

    def close(self) -> None:
        """Write what was queued before, then let go of the file."""
        with self._gate:
            if not self._closed:
                self._closed = True
                self._jobs.put(None)
        self._thread.join()

    # --- in the thread ---

    def _run(self) -> None:
        while (job := self._jobs.get()) is not None:
            batch = [job, *self._more()]
            outcomes = self._written(batch)
            for (_, settle), (result, error) in zip(batch, outcomes, strict=True):
                # The event loop of whoever waited may be closed by now: it happened all the same.
                with suppress(Exception):
                    settle(result, error)
        self._disconnect()
        if self._turns is not None:
            self._turns.close()

    def _more(self) -> list[_Job]:
        jobs: list[_Job] = []
        while len(jobs) < BATCH - 1:
            try:
                job = self._jobs.get_nowait()
            except queue.Empty:
                break
            if job is None:
                self._jobs.put(None)  # nothing comes after it
                break
            jobs.append(job)
        return jobs

    def _written(self, batch: list[_Job]) -> list[_Outcome]:
        """What became of each body. If the transaction itself is lost (disk full), all of them failed."""
        try:
            if self._turns is None:
                self._turns = _Turns(self._path)
            with self._turns.mine():
                if self._connection is None:
                    self._connection = self._connect()
                if len(batch) == 1:
                    return [self._alone(self._connection, batch[0][0])]
                return self._in_one_transaction(self._connection, batch)
        except Exception as error:
            log.error("SQLite kept nothing of a batch of %d", len(batch), exc_info=error)
            self._disconnect()  # whatever state it is in: the next batch begins on a fresh one
            return [(None, _lost(error)) for _ in batch]

    def _in_one_transaction(self, connection: Any, batch: list[_Job]) -> list[_Outcome]:
        execute, numbers = connection.cursor().execute, Numbers()
        execute("BEGIN IMMEDIATE")
        try:
            outcomes = [self._in_savepoint(connection, execute, numbers, body) for body, _ in batch]
            execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                execute("ROLLBACK")
            raise
        return outcomes

    def _alone(self, connection: Any, body: Body[Any]) -> _Outcome:
        """The only body of its transaction needs no savepoint: an error undoes all that there is."""
        execute = connection.cursor().execute
        execute("BEGIN IMMEDIATE")
        try:
            result = body(self._transaction(execute, Numbers()))
        except BaseException as error:
            outcome = _undone(connection, error)
            execute("ROLLBACK")
            return outcome
        execute("COMMIT")
        return result, None

    def _in_savepoint(self, connection: Any, execute: Execute, numbers: Numbers, body: Body[Any]) -> _Outcome:
        """One body. An error undoes this body alone, unless the whole transaction is gone with it (disk full)."""
        execute("SAVEPOINT body")
        try:
            result = body(self._transaction(execute, numbers))
        except BaseException as error:
            outcome = _undone(connection, error)
            execute("ROLLBACK TO body")
            execute("RELEASE body")
            numbers.forget()
            return outcome
        execute("RELEASE body")
        return result, None

    def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(Exception):
                connection.close()


class _Turns:
    """The file locks by which several processes take turns at one file: SQLite's own waiting starves them.

    Who writes holds `.lock`, and only the holder of `.turn` waits for it: whoever comes round again finds that the turn
    is another's. (A lock that is let go of belongs to the first who runs, and that is mostly who had it.)
    """

    def __init__(self, path: Path) -> None:
        self._lock = _opened(f"{path}.lock")
        self._turn = _opened(f"{path}.turn")

    @contextmanager
    def mine(self) -> Iterator[None]:
        """Wait for the turn and have it."""
        fcntl.flock(self._turn, fcntl.LOCK_EX)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX)
        finally:
            fcntl.flock(self._turn, fcntl.LOCK_UN)
        try:
            yield
        finally:
            fcntl.flock(self._lock, fcntl.LOCK_UN)

    def close(self) -> None:
        """Let go of the files. They stay: a lock on a file that was replaced would keep nobody out."""
        os.close(self._lock)
        os.close(self._turn)


@contextmanager
def turn(path: Path) -> Iterator[None]:
    """The same turn, for whoever writes to the file without a Writer (restoring a backup)."""
    turns = _Turns(path)
    try:
        with turns.mine():
            yield
    finally:
        turns.close()


def _opened(path: str) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


def _undone(connection: Any, error: BaseException) -> _Outcome:
    """What a body's error is to whoever waits. Raises where the whole transaction is gone with it."""
    if not connection.in_transaction:
        raise RuntimeError("the transaction is gone") from error
    if not unusable(error):
        return None, error
    log.error("SQLite could not keep a change", exc_info=error)
    return None, _lost(error)


def _lost(cause: BaseException) -> Unavailable:
    """One for each who waits: an exception that is shared would gather everybody's traceback."""
    lost = Unavailable("The database could not keep the change; nothing was done.")
    lost.__cause__ = cause
    return lost
