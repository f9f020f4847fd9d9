"""Whom a mandate would meet, told before it is turned on. Read from `standing`, never to decide by."""

from dataclasses import dataclass

from sqlalchemy import bindparam, exists, func, literal_column, select

from nightlatch.instants import MINUTE, Duration
from nightlatch.names import search_key
from nightlatch.store import standing
from nightlatch.store.engine import Transaction
from nightlatch.store.query import Query
from nightlatch.store.schema import sessions
from nightlatch.store.schema import standing as table

MOST_NAMES = 50
WORKING: Duration = 15 * MINUTE
"""Seen within this time, a session counts as somebody at work."""

_NAMES = Query(
    select(table.c.name, table.c.email)
    .where(
        table.c.workspace_id == bindparam("workspace_id"),
        table.c.status == bindparam("status"),
        table.c.state == bindparam("state"),
    )
    .order_by(table.c.search_key, table.c.id)
    .limit(literal_column(str(MOST_NAMES)))
)
_SEEN = (
    select(sessions.c.account_id)
    .where(
        sessions.c.last_seen_at > bindparam("since"),
        sessions.c.expires_at > bindparam("now"),
        sessions.c.ended_at.is_(None),
        sessions.c.pending_until.is_(None),
    )
    .distinct()
    .cte("seen")
    .prefix_with("MATERIALIZED")
)
_WORKING = Query(
    select(func.count().label("number"))
    .select_from(_SEEN)
    .where(
        exists(
            select(table.c.id).where(
                table.c.account_id == _SEEN.c.account_id,
                table.c.workspace_id == bindparam("workspace_id"),
                table.c.state != literal_column("'on'"),
            )
        )
    )
)


@dataclass(frozen=True, slots=True)
class Group:
    """How many, and the first fifty of them by name; of invitations the addresses."""

    count: int
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Preview:
    """Whom a mandate meets, and how."""

    set_up: Group
    will_be_asked: Group
    invited: Group
    """They set up while joining."""


def preview(tx: Transaction, workspace_id: int) -> Preview:
    """Everybody in a workspace, by what a mandate would mean for them."""
    numbers = standing.counts(tx, workspace_id)

    def group(status: str, *states: str) -> Group:
        count = sum(row.number for row in numbers if row.status == status and row.state in states)
        names: list[str] = []
        for state in states:
            rows = tx.all(_NAMES, workspace_id=workspace_id, status=status, state=state)
            names += [row.name or row.email for row in rows]
        return Group(count, tuple(sorted(names, key=search_key)[:MOST_NAMES]))

    return Preview(group("active", "on"), group("active", "off", "reset"), group("invited", "off"))


def working_now(tx: Transaction, workspace_id: int) -> int:
    """How many teammates without 2FA there are at work: their next click would lead to set-up."""
    row = tx.one(_WORKING, workspace_id=workspace_id, since=tx.now - WORKING, now=tx.now)
    return int(row.number) if row is not None else 0
