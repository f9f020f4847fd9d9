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


SEQUENCE_BLOCK = {"sqlite": 256, "postgresql": 8}
"""Numbers are taken so many at a time: one statement for most transactions, on SQLite for most batches of them. What is
not used is a gap."""
_TAKE = {
    "sqlite": f"UPDATE sequences SET value = value + {SEQUENCE_BLOCK['sqlite']} WHERE name = 'order' RETURNING value",  # noqa: S608
    "postgresql": "SELECT nextval('nightlatch_order')",
}


class Numbers:
    """What was taken of the order of things and not given out yet, within one transaction of the database."""

    __slots__ = ("last", "next")

    def __init__(self) -> None:
        self.next = self.last = 0

    def forget(self) -> None:
        """Whatever was taken may have been undone: the next one is taken anew."""
        self.next = self.last = 0


class Transaction:
    """One transaction: the moment it began at, the keys it seals with, and its statements."""

    __slots__ = ("_execute", "_numbers", "dialect", "keys", "mail", "now")

    def __init__(
        self,
        execute: Execute,
        dialect: str,
        now: Instant,
        keys: KeyRing,
        numbers: Numbers | None = None,
    ) -> None:
        """`numbers`: those of the bodies that run in the same transaction of the database, one after the other."""
        self._execute = execute
        self._numbers = numbers if numbers is not None else Numbers()
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
        numbers = self._numbers
        if numbers.next == numbers.last:
            numbers.next = int(self._execute(_TAKE[self.dialect], {}).fetchone()[0])
            numbers.last = numbers.next + SEQUENCE_BLOCK[self.dialect]
        numbers.next += 1
        return numbers.next - 1


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
