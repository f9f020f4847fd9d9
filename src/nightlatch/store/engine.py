"""What the two engines share: transactions over the driver, and the store's five verbs.

A body is a plain function over a `Transaction`. What it returns is answered only after the commit is durable; what it
raises means that nothing happened. The same bodies run on both databases.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeAlias, TypeVar

from nightlatch.instants import Instant
from nightlatch.keyring import KeyRing
from nightlatch.store.query import Query, Row

T = TypeVar("T")
Execute: TypeAlias = Callable[..., Any]
"""The `execute` of a driver's cursor. One cursor serves a whole transaction: every verb takes its rows at once."""


class Unavailable(Exception):
    """The database cannot answer now. Nothing was promised; answered as 503 with Retry-After (law 11)."""


SEQUENCE_BLOCK = 8
"""Numbers are taken so many at a time, which is one statement for most transactions; unused ones are gaps."""
_TAKE_SQLITE = f"UPDATE sequences SET value = value + {SEQUENCE_BLOCK} WHERE name = 'order' RETURNING value"  # noqa: S608
_TAKE_POSTGRES = "SELECT nextval('nightlatch_order')"


class Transaction:
    """One transaction: the moment it began at, the keys it seals with, and its statements."""

    __slots__ = ("_execute", "_last", "_next", "dialect", "keys", "mail", "now")

    def __init__(
        self,
        execute: Execute,
        dialect: str,
        now: Instant,
        keys: KeyRing,
    ) -> None:
        self._execute = execute
        self._next = self._last = 0
        self.dialect = dialect
        self.now = now
        """The decision clock when this body began: it never goes back (law 12)."""
        self.keys = keys
        self.mail = False
        """It has queued mail: whoever wrote wakes the one who sends it."""

    def all(self, query: Query, /, **values: Any) -> list[Row]:
        """Every row of a query."""
        compiled = query.compiled(self.dialect)
        cursor = self._execute(compiled.text, {**compiled.values, **values} if compiled.values else values)
        make = compiled.row or tuple
        return [make(row) for row in cursor.fetchall()]

    def one(self, query: Query, /, **values: Any) -> Row | None:
        """The first row of a query, or None. The rows that a guarded write returns are its proof (law 4)."""
        compiled = query.compiled(self.dialect)
        cursor = self._execute(compiled.text, {**compiled.values, **values} if compiled.values else values)
        row = cursor.fetchone()
        if row is None:
            return None
        return compiled.row(row) if compiled.row is not None else row

    def run(self, query: Query, /, **values: Any) -> int:
        """How many rows a write touched."""
        compiled = query.compiled(self.dialect)
        cursor = self._execute(compiled.text, {**compiled.values, **values} if compiled.values else values)
        return int(cursor.rowcount)

    def run_each(self, query: Query, rows: Iterable[Mapping[str, Any]]) -> None:
        """The same write for many rows."""
        compiled = query.compiled(self.dialect)
        for values in rows:
            self._execute(compiled.text, {**compiled.values, **values})

    def next_sequence(self) -> int:
        """The next number of the order of things. Take it after the locks: what is locked later is numbered later."""
        if self._next == self._last:
            text = _TAKE_SQLITE if self.dialect == "sqlite" else _TAKE_POSTGRES
            self._next = int(self._execute(text, {}).fetchone()[0])
            self._last = self._next + SEQUENCE_BLOCK
        self._next += 1
        return self._next - 1


Body = Callable[[Transaction], T]


class Store(ABC):
    """The database, whichever it is."""

    dialect: str

    @abstractmethod
    async def read(self, body: Body[T]) -> T:
        """A few keyed look-ups on one snapshot, for every request: on SQLite straight on the event loop."""

    @abstractmethod
    async def query(self, body: Body[T]) -> T:
        """A longer read on one snapshot, off the event loop."""

    @abstractmethod
    async def write(self, body: Body[T]) -> T:
        """A transaction that writes; returns once it is durable."""

    @abstractmethod
    def read_now(self, body: Body[T]) -> T:
        """The same as `query`, blocking: for the command line and for threads."""

    @abstractmethod
    def write_now(self, body: Body[T]) -> T:
        """The same as `write`, blocking: for the command line and for threads."""

    @abstractmethod
    def close(self) -> None:
        """Finish what was begun and let go of the database."""
