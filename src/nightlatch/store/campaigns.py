"""Mails to a whole workspace: one row each, expanded in batches once it is due, after the switch has answered."""

from sqlalchemy import ColumnElement, and_, bindparam, delete, func, literal_column, select

from nightlatch.ids import new_id
from nightlatch.instants import Instant
from nightlatch.store.engine import Transaction
from nightlatch.store.query import ONE, Query, Row, insert_into, set_columns
from nightlatch.store.schema import campaigns

_here = campaigns.c.workspace_id == bindparam("workspace_id")
_open = campaigns.c.done_at.is_(None)
_since = func.coalesce(campaigns.c.due_at, campaigns.c.created_at)
_due = and_(_open, _since <= bindparam("now"))
_INSERT = Query(insert_into(campaigns))
_NEXT = Query(
    select(campaigns)
    .where(_due)
    .order_by(_since, campaigns.c.id)
    .limit(ONE)
    .with_for_update(skip_locked=True)
)
_WAITS = Query(select(campaigns.c.id).where(_due).limit(ONE))
_ADVANCE = Query(set_columns(campaigns, "after_id", "done_at").where(campaigns.c.id == bindparam("id")))
_of_strength = campaigns.c.kind.like(literal_column("'strength%'"))


def _newer(kind: ColumnElement[bool]) -> Query:
    return Query(
        select(campaigns.c.id)
        .where(_due, _here, kind, campaigns.c.stage.is_not(None), campaigns.c.due_at > bindparam("than"))
        .order_by(campaigns.c.due_at.desc(), campaigns.c.id)
        .limit(ONE)
    )


_NEWER, _NEWER_OF_STRENGTH = _newer(~_of_strength), _newer(_of_strength)
_SET_KIND = Query(set_columns(campaigns, "kind").where(campaigns.c.id == bindparam("id"), _open))
_RUNNING = Query(
    select(campaigns.c.created_at)
    .where(_here, _open, campaigns.c.kind == bindparam("kind"))
    .order_by(campaigns.c.created_at.desc())
    .limit(ONE)
)
_END = Query(set_columns(campaigns, "done_at").where(_here, _open))
_END_STRENGTH = Query(set_columns(campaigns, "done_at").where(_here, _open, _of_strength))
_PRUNE = Query(
    delete(campaigns).where(campaigns.c.done_at.is_not(None), campaigns.c.done_at < bindparam("before"))
)


def add(
    tx: Transaction,
    *,
    workspace_id: int,
    revision: int,
    kind: str,
    by_name: str,
    required_from: Instant | None,
    stage: str | None = None,
    due_at: Instant | None = None,
) -> None:
    """Queue a mail to every teammate, to be expanded from `due_at` on (None: at once)."""
    tx.run(
        _INSERT,
        id=new_id(),
        workspace_id=workspace_id,
        revision=revision,
        kind=kind,
        by_name=by_name,
        required_from=required_from,
        after_id=0,
        created_at=tx.now,
        done_at=None,
        stage=stage,
        due_at=tx.now if due_at is None else due_at,
    )
    tx.mail = True


def end_all(tx: Transaction, workspace_id: int) -> None:
    """What still runs, or waits for its day, in a workspace is over."""
    tx.run(_END, workspace_id=workspace_id, new_done_at=tx.now)


def end_strength(tx: Transaction, workspace_id: int) -> None:
    """What tells of passkeys in a workspace is over."""
    tx.run(_END_STRENGTH, workspace_id=workspace_id, new_done_at=tx.now)


def waits(tx: Transaction) -> bool:
    """Whether some campaign is due. Takes no lock."""
    return tx.one(_WAITS, now=tx.now) is not None


def next_due(tx: Transaction) -> Row | None:
    """The campaign that has been due for longest, locked; one that another process is at is passed over."""
    return tx.one(_NEXT, now=tx.now)


def newer_stage(tx: Transaction, workspace_id: int, than: Instant, *, strength: bool = False) -> int | None:
    """A later notice of a workspace's mandate (or of its strength) that has come due too, and says all that the earlier
    one would."""
    row = tx.one(_NEWER_OF_STRENGTH if strength else _NEWER, workspace_id=workspace_id, than=than, now=tx.now)
    return row.id if row is not None else None


def set_kind(tx: Transaction, campaign_id: int, kind: str) -> None:
    """What a campaign has to say is more, or less, than it was."""
    tx.run(_SET_KIND, id=campaign_id, new_kind=kind)


def running(tx: Transaction, workspace_id: int, kind: str) -> Instant | None:
    """Since when an unfinished campaign of a kind runs in a workspace."""
    row = tx.one(_RUNNING, workspace_id=workspace_id, kind=kind)
    return row.created_at if row is not None else None


def advance(tx: Transaction, campaign_id: int, after_id: int, *, done: bool) -> None:
    """Remember how far a campaign came."""
    tx.run(_ADVANCE, id=campaign_id, new_after_id=after_id, new_done_at=tx.now if done else None)


def prune(tx: Transaction, before: Instant) -> int:
    """Delete campaigns that were finished before an instant. How many."""
    return tx.run(_PRUNE, before=before)
