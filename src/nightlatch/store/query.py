"""A statement: written once in SQLAlchemy Core, compiled once for each database, run on the driver.

Going through SQLAlchemy's own execution costs 130 to 200 microseconds a statement; a TOTP verification has a dozen
(docs/performance.md). So Core writes the SQL, which keeps it one text for both databases, and the driver runs it. What
that gives up must not be used: Python-side defaults, IN lists that expand, result types that convert.
"""

from collections import namedtuple
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from typing import Any, TypeAlias

from sqlalchemy import ColumnClause, Dialect, Insert, Table, Update, bindparam, insert, literal_column, update
from sqlalchemy.dialects import sqlite
from sqlalchemy.dialects.postgresql import psycopg
from sqlalchemy.sql import ClauseElement
from sqlalchemy.sql.compiler import SQLCompiler

Row: TypeAlias = Any
"""A named tuple with the statement's column names."""


@dataclass(frozen=True, slots=True)
class Compiled:
    """A statement's text for one database, the values it carries itself, and how its rows are called."""

    text: str
    values: Mapping[str, Any]
    row: Callable[[Any], Row] | None
    """Makes a row of what the driver gives."""


@cache
def dialect(name: str) -> Dialect:
    """SQLAlchemy's dialect for `sqlite` or `postgresql`, with parameters by name."""
    if name == "sqlite":
        return sqlite.dialect(paramstyle="named")
    return psycopg.dialect()  # type: ignore[no-untyped-call]


class Query:
    """One statement of the store. Make it at module level where its shape is fixed: it is compiled at first use."""

    __slots__ = ("_compiled", "_statement")

    def __init__(self, statement: ClauseElement) -> None:
        self._statement = statement
        self._compiled: dict[str, Compiled] = {}

    def compiled(self, dialect_name: str) -> Compiled:
        """The statement for one database."""
        found = self._compiled.get(dialect_name)
        if found is None:
            found = self._compiled[dialect_name] = _compile(self._statement, dialect_name)
        return found


def _compile(statement: ClauseElement, dialect_name: str) -> Compiled:
    compiled = statement.compile(dialect=dialect(dialect_name), compile_kwargs={"render_postcompile": True})
    if not isinstance(compiled, SQLCompiler):
        raise TypeError("not a statement")
    values = {name: each.effective_value for name, each in compiled.binds.items() if not each.required}
    columns = _column_names(compiled)
    row = namedtuple("row", columns, rename=True) if columns else None
    # What `row._make` does, without a call into Python for each row.
    return Compiled(str(compiled), values, partial(tuple.__new__, row) if row is not None else None)


def _column_names(compiled: SQLCompiler) -> Sequence[str]:
    return [entry.keyname for entry in compiled._result_columns]


ONE: ColumnClause[int] = literal_column("1")
"""For `limit(ONE)`: SQLite compiles a statement anew whenever its limit is bound, however often it has run."""


def insert_into(table: Table, *, without: Collection[str] = ()) -> Insert:
    """An INSERT that takes every column of the table by its name, but those that begin as NULL."""
    names = [column.name for column in table.columns if column.name not in without]
    return insert(table).values({name: bindparam(name) for name in names})


def set_columns(table: Table, *names: str) -> Update:
    """An UPDATE that sets the named columns, each from `new_<name>`."""
    return update(table).values({name: bindparam(f"new_{name}") for name in names})
