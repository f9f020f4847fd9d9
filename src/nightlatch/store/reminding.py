"""How many of a workspace could be reminded to set up 2FA, from the projection behind the Teammates table."""

from sqlalchemy import bindparam, case, func, or_, select

from nightlatch.instants import Instant
from nightlatch.store.engine import Transaction
from nightlatch.store.query import Query
from nightlatch.store.schema import standing, teammates
from nightlatch.store.table_states import WEAK
from nightlatch.store.teammates import REMIND_EVERY

_due = or_(teammates.c.reminded_at.is_(None), teammates.c.reminded_at <= bindparam("before"))
_NUMBERS = Query(
    select(
        func.count(case((_due, 1))).label("number"),
        func.count().label("left"),
        func.min(case((_due, None), else_=teammates.c.reminded_at)).label("first"),
    )
    .select_from(standing)
    .join(teammates, teammates.c.id == standing.c.id)
    .where(
        standing.c.workspace_id == bindparam("workspace_id"),
        standing.c.status == "active",
        or_(standing.c.state == "off", standing.c.state == "reset", standing.c.state == WEAK),
        teammates.c.removed_at.is_(None),
        or_(
            teammates.c.exempt_until.is_(None),
            teammates.c.exempt_until <= bindparam("now"),
        ),
    )
)


def numbers(tx: Transaction, workspace_id: int) -> tuple[int, int, Instant | None]:
    """How many can be reminded now, how many have no 2FA and no exception, and when the first of those who were
    reminded within the last day was."""
    (row,) = tx.all(_NUMBERS, workspace_id=workspace_id, now=tx.now, before=tx.now - REMIND_EVERY)
    return int(row.number), int(row.left), row.first
