"""PostgreSQL: the same bodies on psycopg, in threads; workers are stateless.

READ COMMITTED with explicit row locks (workspaces first, then accounts, in order of id); a deadlock or serialisation
failure means that nothing happened, so the body simply runs again. Reads take one REPEATABLE READ snapshot.
"""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg

from nightlatch.clock import Clock
from nightlatch.keyring import KeyRing
from nightlatch.store import fence
from nightlatch.store.engine import Body, Store, T, Transaction, Unavailable

THREADS = 8
"""Connections of one worker."""
ATTEMPTS = 10
_AGAIN = (
    psycopg.errors.DeadlockDetected,
    psycopg.errors.SerializationFailure,
    psycopg.errors.UniqueViolation,  # somebody else was first: the next run sees their row, and says so
)

_SYNCHRONOUS = """SELECT set_config('synchronous_commit', 'on', false)
WHERE current_setting('synchronous_commit') = 'off'"""
"""A role or server that does not wait for the disk would have us acknowledge what a crash then loses."""

_BEGIN_WRITE = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE"
_BEGIN_READ = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"


class PostgresStore(Store):
    """The store on a PostgreSQL server (several hosts may be named; the writable one is used)."""

    dialect = "postgresql"

    def __init__(self, url: str, clock: Clock, keys: KeyRing, *, restoring: bool = False) -> None:
        self._url = url
        self._restoring = restoring
        self._clock = clock
        self._keys = keys
        self._local = threading.local()
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="postgres")
        self._open: list[Any] = []
        self._guard = threading.Condition()
        self._running = 0
        self._closed = False

    async def read(self, body: Body[T]) -> T:
        return await self._off_loop(self.read_now, body)

    async def query(self, body: Body[T]) -> T:
        return await self._off_loop(self.read_now, body)

    async def write(self, body: Body[T]) -> T:
        return await self._off_loop(self.write_now, body)

    def read_now(self, body: Body[T]) -> T:
        return self._run(_BEGIN_READ, body)

    def write_now(self, body: Body[T]) -> T:
        return self._run(_BEGIN_WRITE, body)

    def close(self) -> None:
        self._closed = True
        self._pool.shutdown()
        with self._guard:
            # A connection is not closed under a thread that waits for it.
            self._guard.wait_for(lambda: self._running == 0)
            for connection in self._open:
                connection.close()
            self._open.clear()

    async def _off_loop(self, verb: Any, body: Body[T]) -> T:
        if self._closed:
            raise _closed()
        result: T = await asyncio.get_running_loop().run_in_executor(self._pool, verb, body)
        return result

    def _run(self, begin: str, body: Body[T]) -> T:
        with self._guard:
            if self._closed:
                raise _closed()
            self._running += 1
        try:
            return self._repeated(begin, body)
        finally:
            with self._guard:
                self._running -= 1
                self._guard.notify_all()

    def _repeated(self, begin: str, body: Body[T]) -> T:
        for attempt in range(ATTEMPTS):
            try:
                return self._once(begin, body)
            except _AGAIN as error:
                if attempt == ATTEMPTS - 1:
                    raise Unavailable("The database is too busy.") from error
            except psycopg.OperationalError as error:
                self._drop()
                raise Unavailable("The database cannot be reached.") from error
        raise AssertionError

    def _once(self, begin: str, body: Body[T]) -> T:
        connection = self._begun(begin)
        try:
            result = body(Transaction(connection.execute, "postgresql", self._clock.now(), self._keys))
            ended = connection.execute("COMMIT").statusmessage
        except BaseException:
            if not connection.closed:
                try:
                    connection.execute("ROLLBACK")
                except psycopg.Error:
                    self._drop()
            raise
        if ended != "COMMIT":  # PostgreSQL answers so, without an error, where a statement had failed before
            raise Unavailable("The database could not keep the change; nothing was done.")
        return result

    def _begun(self, begin: str) -> Any:
        """A connection with a transaction begun. One that died while it lay idle (the server was started again) is
        replaced: nothing was asked of it yet."""
        waiting = getattr(self._local, "connection", None) is not None
        connection = self._connection()
        try:
            connection.execute(begin)
        except psycopg.OperationalError:
            if not waiting:
                raise
            self._drop()
            connection = self._connection()
            connection.execute(begin)
        return connection

    def _connection(self) -> Any:
        connection = getattr(self._local, "connection", None)
        if connection is None or connection.closed:
            connection = psycopg.connect(
                self._url,
                autocommit=True,
                target_session_attrs="read-write",
                connect_timeout=5,
                application_name="nightlatch",
            )
            try:
                connection.execute(_SYNCHRONOUS)
                if not self._restoring:
                    fence.pass_by(connection)
            except BaseException:
                connection.close()
                raise
            self._local.connection = connection
            with self._guard:
                self._open.append(connection)
        return connection

    def _drop(self) -> None:
        connection = getattr(self._local, "connection", None)
        self._local.connection = None
        if connection is not None:
            with self._guard:
                if connection in self._open:
                    self._open.remove(connection)
            connection.close()


def _closed() -> Unavailable:
    return Unavailable("The database is closed.")
