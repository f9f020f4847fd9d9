"""Row locks, always in the same order: workspaces before accounts, each by id.

An action whose guard reads a row that it does not write takes them first. On SQLite there is one writer, so there is
nothing to lock, which is also why races must be tested on PostgreSQL: SQLite would hide them.
"""

from collections.abc import Iterable

from sqlalchemy import bindparam, select

from nightlatch.store.engine import Transaction
from nightlatch.store.query import Query
from nightlatch.store.schema import accounts, workspaces

_WORKSPACE = Query(select(workspaces.c.id).where(workspaces.c.id == bindparam("id")).with_for_update())
_ACCOUNT = Query(select(accounts.c.id).where(accounts.c.id == bindparam("id")).with_for_update())


def lock(tx: Transaction, *, workspaces: Iterable[int] = (), accounts: Iterable[int] = ()) -> None:
    """Lock these rows until the transaction ends."""
    if tx.dialect == "sqlite":
        return
    for workspace_id in sorted(set(workspaces)):
        tx.one(_WORKSPACE, id=workspace_id)
    for account_id in sorted(set(accounts)):
        tx.one(_ACCOUNT, id=account_id)
