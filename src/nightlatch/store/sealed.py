"""What keys protect, across all tables: for rotating them, and for knowing which of them are still needed."""

from collections.abc import Iterator

from sqlalchemy import Table, bindparam, select, update

from nightlatch.keyring import Tampered, key_id_of
from nightlatch.store.engine import Transaction
from nightlatch.store.query import Query, Row
from nightlatch.store.schema import accounts, authenticators, caught_forms, enrolments, outbox, resets
from nightlatch.store.schema_apps import signing_keys
from nightlatch.store.schema_ways import connections, sso_flows

_KEYS = {
    authenticators: "id",
    enrolments: "id",
    caught_forms: "session_id",
    outbox: "id",
    signing_keys: "id",
    connections: "id",
    sso_flows: "id",
}
TABLES = tuple(table.name for table in _KEYS)
"""The tables with sealed rows; each is the purpose, too, that its rows are sealed for."""


def _page(table: Table) -> Query:
    key = table.c[_KEYS[table]]
    return Query(
        select(key.label("id"), table.c.sealed)
        .where(key > bindparam("after"), table.c.sealed.is_not(None))
        .order_by(key)
        .limit(bindparam("most"))
    )


def _replace(table: Table) -> Query:
    key = table.c[_KEYS[table]]
    return Query(
        update(table)
        .values(sealed=bindparam("new_sealed"))
        .where(key == bindparam("row_id"), table.c.sealed == bindparam("old_sealed"))
    )


_PAGES = {table.name: _page(table) for table in _KEYS}
_REPLACE = {table.name: _replace(table) for table in _KEYS}
_PASSWORDS = Query(
    select(accounts.c.id, accounts.c.password_hash)
    .where(accounts.c.id > bindparam("after"), accounts.c.password_hash.is_not(None))
    .order_by(accounts.c.id)
    .limit(bindparam("most"))
)
_NUMBERS = Query(
    select(resets.c.number_tag).where(resets.c.completed_at.is_(None), resets.c.ended_at.is_(None))
)


def page(tx: Transaction, table: str, after: int, most: int) -> list[Row]:
    """The next sealed rows of a table, by id."""
    return tx.all(_PAGES[table], after=after, most=most)


def replace(tx: Transaction, table: str, row_id: int, old: bytes, new: bytes) -> bool:
    """Put what was sealed anew in the place of the old, if that is still there."""
    return bool(tx.run(_REPLACE[table], row_id=row_id, old_sealed=old, new_sealed=new))


def key_of(sealed: bytes) -> str:
    """The id of the key that something was sealed with, or "?" for what never was."""
    try:
        return key_id_of(sealed)
    except Tampered:
        return "?"


def keys_of(tx: Transaction, table: str) -> Iterator[str]:
    """The key of every sealed row of a table."""
    after = -1
    while rows := tx.all(_PAGES[table], after=after, most=1000):
        yield from (key_of(row.sealed) for row in rows)
        after = rows[-1].id


def keys_of_passwords(tx: Transaction) -> Iterator[str]:
    """The key of every password's keyed step; it changes as the person signs in."""
    after = -1
    while rows := tx.all(_PASSWORDS, after=after, most=1000):
        yield from (row.password_hash.partition("$")[0] or "?" for row in rows)
        after = rows[-1].id


def keys_of_numbers(tx: Transaction) -> Iterator[str]:
    """The key of the number of every reset that is under way."""
    yield from (key_of(row.number_tag) for row in tx.all(_NUMBERS) if row.number_tag)
