"""What is in the outbox, read as the drain would read it."""

from typing import Any

from sqlalchemy import bindparam, select

from nightlatch.store import outbox
from nightlatch.store.engine import Transaction
from nightlatch.store.query import Query
from nightlatch.store.schema import outbox as table
from tests.support.world import World

_NEWEST = Query(
    select(table)
    .where(table.c.kind == bindparam("kind"))
    .order_by(table.c.created_at.desc(), table.c.id.desc())
)


def newest(world: World, kind: str) -> dict[str, Any]:
    """The values of the newest queued mail of a kind."""

    def body(tx: Transaction) -> dict[str, Any]:
        row = tx.one(_NEWEST, kind=kind)
        assert row is not None, f"no {kind} mail is queued"
        return outbox.values_of(tx, row)

    return world.read(body)


def link_in(world: World, kind: str, wanted: str | None = "") -> Any:
    """The link of the newest queued mail of a kind ("never again" apart); `wanted=None`: that there is none in it."""
    values = newest(world, kind)
    links = [
        value for name, value in values.items() if name.endswith("link") and name != "never_link" and value
    ]
    if wanted is None:
        assert not links
        return None
    assert len(links) == 1
    return links[0]
