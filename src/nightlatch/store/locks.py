"""Locks, always in the same order: workspaces before accounts, each by id, then names.

An action whose guard reads a row that it does not write takes them first. On SQLite there is one writer, so there is
nothing to lock, which is also why races must be tested on PostgreSQL: SQLite would hide them.
"""

from collections.abc import Iterable

from sqlalchemy import Text, bindparam, func, select

from nightlatch.store.engine import Transaction
from nightlatch.store.query import Query
from nightlatch.store.schema import accounts, workspaces

_WORKSPACE = Query(select(workspaces.c.id).where(workspaces.c.id == bindparam("id")).with_for_update())
_ACCOUNT = Query(select(accounts.c.id).where(accounts.c.id == bindparam("id")).with_for_update())
_NAME = Query(select(func.pg_advisory_xact_lock(func.hashtextextended(bindparam("name", type_=Text()), 0))))


def address_name(email_key: str) -> str:
    """The name of an e-mail address, whether anybody has it yet or not."""
    return f"address {email_key!a}"


def slug_name(slug: str) -> str:
    """The name of a workspace's slug, taken or free."""
    return f"slug {slug!a}"


def lock(
    tx: Transaction,
    *,
    workspaces: Iterable[int] = (),
    accounts: Iterable[int] = (),
    names: Iterable[str] = (),
) -> None:
    """Lock these rows, and these names of what may have no row yet, until the transaction ends."""
    if tx.dialect == "sqlite":
        return
    for workspace_id in sorted(set(workspaces)):
        tx.one(_WORKSPACE, id=workspace_id)
    for account_id in sorted(set(accounts)):
        tx.one(_ACCOUNT, id=account_id)
    for name in sorted(set(names)):
        tx.one(_NAME, name=name)
