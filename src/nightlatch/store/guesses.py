"""Counters of wrong guesses, kept in the database so that no restart, worker or sign-in starts afresh (law 5)."""

from sqlalchemy import Text, bindparam, delete, func, select

from nightlatch.budget import FRESH, Counter
from nightlatch.store.engine import Transaction
from nightlatch.store.query import Query, insert_into, set_columns
from nightlatch.store.schema import guesses

_READ = Query(
    select(guesses.c.failures, guesses.c.last_at).where(
        guesses.c.door == bindparam("door"), guesses.c.subject == bindparam("subject")
    )
)
_LOCK = Query(select(func.pg_advisory_xact_lock(func.hashtextextended(bindparam("key", type_=Text()), 0))))
_INSERT = Query(insert_into(guesses))
_UPDATE = Query(
    set_columns(guesses, "failures", "last_at").where(
        guesses.c.door == bindparam("door"), guesses.c.subject == bindparam("subject")
    )
)
_DELETE = Query(
    delete(guesses).where(guesses.c.door == bindparam("door"), guesses.c.subject == bindparam("subject"))
)
_DELETE_WITHIN = Query(
    delete(guesses).where(
        guesses.c.door == bindparam("door"),
        guesses.c.subject >= bindparam("first"),
        guesses.c.subject < bindparam("beyond"),
    )
)
_FORGET = Query(
    delete(guesses).where(guesses.c.door == bindparam("door"), guesses.c.last_at < bindparam("before"))
)


def peek(tx: Transaction, door: str, subject: str) -> Counter:
    """The counter of one subject at one door, as it stands."""
    row = tx.one(_READ, door=door, subject=subject)
    return Counter(row.failures, row.last_at) if row is not None else FRESH


def take(tx: Transaction, door: str, subject: str) -> Counter:
    """The counter, held until the commit: parallel guesses are judged one after the other.

    It may have no row yet, so on PostgreSQL an advisory lock on its name stands in for a row lock. Taken last, after
    the rows of `locks.lock`.
    """
    if tx.dialect == "postgresql":
        tx.one(_LOCK, key=f"{door}\x1f{subject}")
    return peek(tx, door, subject)


def keep(tx: Transaction, door: str, subject: str, counter: Counter) -> None:
    """Write a counter back."""
    touched = tx.run(
        _UPDATE, door=door, subject=subject, new_failures=counter.failures, new_last_at=counter.last_at
    )
    if not touched:
        tx.run(_INSERT, door=door, subject=subject, failures=counter.failures, last_at=counter.last_at)


def clear(tx: Transaction, door: str, subject: str) -> None:
    """The right answer at this door: its own counter starts afresh."""
    tx.run(_DELETE, door=door, subject=subject)


def clear_beginning(tx: Transaction, door: str, beginning: str) -> None:
    """Clear the counters of every subject at a door that begins with `beginning` (the operator unlocks somebody)."""
    beyond = beginning[:-1] + chr(ord(beginning[-1]) + 1)
    tx.run(_DELETE_WITHIN, door=door, first=beginning, beyond=beyond)


def forget_older(tx: Transaction, door: str, before: int) -> int:
    """Drop counters of a door whose last failure is older than an instant (only for doors that merely delay)."""
    return tx.run(_FORGET, door=door, before=before)
