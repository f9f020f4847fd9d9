"""What lies in a world's outbox, opened."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from nightlatch.actions.tokens import hash_token
from nightlatch.store import outbox as store_outbox
from nightlatch.store.engine import Transaction
from nightlatch.store.query import Query
from nightlatch.store.schema import outbox
from tests.support.world import World

_ALL = Query(select(outbox).order_by(outbox.c.created_at, outbox.c.id))


@dataclass(frozen=True)
class Letter:
    """One queued mail."""

    kind: str
    to: str
    values: dict[str, Any]
    account_id: int | None
    workspace_id: int | None

    def token(self, value: str = "link") -> str:
        """The token of its link."""
        path: str = self.values[value]
        return path.rpartition("/")[2]

    def hash(self, value: str = "link") -> bytes:
        """What the database keeps of that token."""
        return hash_token(self.token(value))


def letters(world: World, kind: str | None = None, *, to: str | None = None) -> list[Letter]:
    """The mails that wait, the oldest first."""

    def body(tx: Transaction) -> list[Letter]:
        return [
            Letter(row.kind, row.address, store_outbox.values_of(tx, row), row.account_id, row.workspace_id)
            for row in tx.all(_ALL)
            if row.sealed is not None and kind in (None, row.kind) and to in (None, row.address)
        ]

    return world.read(body)


def letter(world: World, kind: str, *, to: str | None = None) -> Letter:
    """The newest mail of a kind."""
    found = letters(world, kind, to=to)
    if not found:
        raise AssertionError(
            f"no {kind} to {to or 'anybody'}; there are {[each.kind for each in letters(world)]}"
        )
    return found[-1]
