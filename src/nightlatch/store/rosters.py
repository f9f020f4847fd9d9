"""Everybody of a workspace in batches, for files: from `standing`, in the order of addresses, never to decide by."""

from collections.abc import Sequence
from typing import TypeAlias

from sqlalchemy import BigInteger, Text, bindparam, select, tuple_

from nightlatch.facts import WorkspaceId
from nightlatch.store.engine import Transaction
from nightlatch.store.query import Query, Row
from nightlatch.store.schema import standing

Place: TypeAlias = tuple[str, int]
"""After whom a batch begins: address key and id."""
FIRST: Place = ("", 0)
A_BATCH = 1000

_next = (
    select(standing)
    .where(standing.c.workspace_id == bindparam("workspace_id"))
    .where(
        tuple_(standing.c.email_key, standing.c.id)
        > tuple_(bindparam("after_key", type_=Text()), bindparam("after_id", type_=BigInteger()))
    )
    .order_by(standing.c.email_key, standing.c.id)
    .limit(bindparam("most"))
)
_EVERYBODY = Query(_next)
_LEFT = Query(_next.where(standing.c.status == "active", standing.c.state != "on"))


def everybody(tx: Transaction, workspace_id: WorkspaceId, after: Place, most: int = A_BATCH) -> Sequence[Row]:
    """The next teammates and invitations."""
    return tx.all(_EVERYBODY, workspace_id=workspace_id, after_key=after[0], after_id=after[1], most=most)


def left(tx: Transaction, workspace_id: WorkspaceId, after: Place, most: int = A_BATCH) -> Sequence[Row]:
    """The next teammates without 2FA there."""
    return tx.all(_LEFT, workspace_id=workspace_id, after_key=after[0], after_id=after[1], most=most)


def place(row: Row) -> Place:
    """Where a batch that ends with this row ended."""
    return row.email_key, row.id
