"""A whole database at once: to say that nothing changed, and to break it on purpose."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import select

from nightlatch.store.engine import Transaction
from nightlatch.store.query import Query
from nightlatch.store.schema import metadata
from tests.support.world import World


def everything(world: World) -> dict[str, list[Any]]:
    """Every row of every table. Sequences are no part of it: a number that nobody got is no change."""

    def body(tx: Transaction) -> dict[str, list[Any]]:
        return {
            table.name: sorted(map(repr, tx.all(Query(select(table)))))
            for table in metadata.sorted_tables
            if table.name != "sequences"
        }

    return world.read(body)


_BREAK = {
    "sqlite": [
        "CREATE TRIGGER broken BEFORE INSERT ON {table} BEGIN SELECT RAISE(ABORT, 'broken on purpose'); END"
    ],
    "postgresql": [
        """CREATE FUNCTION broken() RETURNS trigger LANGUAGE plpgsql
        AS $$ BEGIN RAISE EXCEPTION 'broken on purpose'; END $$""",
        "CREATE TRIGGER broken BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION broken()",
    ],
}
_MEND = {
    "sqlite": ["DROP TRIGGER broken"],
    "postgresql": ["DROP TRIGGER broken ON {table}", "DROP FUNCTION broken"],
}


@contextmanager
def broken(world: World, table: str) -> Iterator[None]:
    """Nothing can be inserted into a table."""
    _run(world, _BREAK[world.store.dialect], table)
    yield
    _run(world, _MEND[world.store.dialect], table)


def _run(world: World, statements: list[str], table: str) -> None:
    def body(tx: Transaction) -> None:
        for statement in statements:
            tx._execute(statement.format(table=table), {})

    world.write(body)


def rows(world: World, table: str) -> list[Any]:
    """The rows of one table, as named tuples."""
    return world.read(lambda tx: tx.all(Query(select(metadata.tables[table]))))
