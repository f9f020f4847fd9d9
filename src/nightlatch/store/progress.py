"""How many of a workspace's teammates have 2FA, day by day, while it requires it. For a chart, never to decide by."""

from collections.abc import Sequence

from sqlalchemy import and_, bindparam, delete, exists, select

from nightlatch.facts import WorkspaceId
from nightlatch.instants import DAY, Duration, Instant
from nightlatch.store import standing
from nightlatch.store.engine import Transaction
from nightlatch.store.query import Query, Row, insert_into
from nightlatch.store.schema import workspaces
from nightlatch.store.schema_team import progress

KEPT: Duration = 400 * DAY

_INSERT = Query(insert_into(progress))
_DELETE = Query(
    delete(progress).where(
        progress.c.workspace_id == bindparam("workspace_id"), progress.c.day == bindparam("day")
    )
)
_DAYS = Query(
    select(progress.c.day, progress.c.set_up, progress.c.teammates)
    .where(progress.c.workspace_id == bindparam("workspace_id"), progress.c.day >= bindparam("since"))
    .order_by(progress.c.day)
)
_LACKING = Query(
    select(workspaces.c.id)
    .where(workspaces.c.required_from.is_not(None), workspaces.c.announced_at < bindparam("ended"))
    .where(
        ~exists(
            select(progress.c.day).where(
                and_(progress.c.workspace_id == workspaces.c.id, progress.c.day == bindparam("day"))
            )
        )
    )
    .order_by(workspaces.c.id)
    .limit(bindparam("most"))
)
_PRUNE = Query(delete(progress).where(progress.c.day < bindparam("before")))


def day_of(instant: Instant) -> Instant:
    """The first instant of the day, in UTC."""
    return instant - instant % DAY


def now(tx: Transaction, workspace_id: WorkspaceId) -> tuple[int, int]:
    """How many teammates have 2FA, and how many there are."""
    active = [row for row in standing.counts(tx, workspace_id) if row.status == "active"]
    return sum(row.number for row in active if row.state == "on"), sum(row.number for row in active)


def note(tx: Transaction, workspace_id: WorkspaceId, day: Instant) -> None:
    """Write down how it stands as how it stood at the end of a day."""
    set_up, teammates = now(tx, workspace_id)
    tx.run(_DELETE, workspace_id=workspace_id, day=day)
    tx.run(_INSERT, workspace_id=workspace_id, day=day, set_up=set_up, teammates=teammates)


def days(tx: Transaction, workspace_id: WorkspaceId, since: Instant) -> Sequence[Row]:
    """The days that were written down since an instant, in order: `day`, `set_up`, `teammates`."""
    return tx.all(_DAYS, workspace_id=workspace_id, since=day_of(since))


def lacking(tx: Transaction, day: Instant, most: int) -> list[WorkspaceId]:
    """Workspaces that required 2FA, or had announced it, on a day that is over, and have no figures of it yet."""
    return [row.id for row in tx.all(_LACKING, day=day, ended=day + DAY, most=most)]


def prune(tx: Transaction) -> None:
    """Figures of long ago go."""
    tx.run(_PRUNE, before=day_of(tx.now) - KEPT)
