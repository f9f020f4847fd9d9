"""Which notice of a mandate went to whom: each once for a workspace, revision, person and stage."""

from sqlalchemy import bindparam, delete, select
from sqlalchemy.dialects.postgresql import insert

from nightlatch.instants import Instant
from nightlatch.store.engine import Transaction
from nightlatch.store.query import Query
from nightlatch.store.schema_team import notices

_KEY = ("workspace_id", "revision", "account_id", "stage")
_TAKE = Query(
    insert(notices)
    .values({column.name: bindparam(column.name) for column in notices.columns})
    .on_conflict_do_nothing(index_elements=_KEY)
    .returning(notices.c.at)
)
_TOLD = Query(
    select(notices.c.stage)
    .where(
        notices.c.workspace_id == bindparam("workspace_id"),
        notices.c.revision == bindparam("revision"),
        notices.c.account_id == bindparam("account_id"),
    )
    .order_by(notices.c.stage)
)
_PRUNE = Query(delete(notices).where(notices.c.at < bindparam("before")))


def take(tx: Transaction, *, workspace_id: int, revision: int, account_id: int, stage: str) -> bool:
    """Whether this notice is still to be queued; from now on it is not (law 4)."""
    row = tx.one(
        _TAKE, workspace_id=workspace_id, revision=revision, account_id=account_id, stage=stage, at=tx.now
    )
    return row is not None


def told(tx: Transaction, *, workspace_id: int, revision: int, account_id: int) -> list[str]:
    """The stages whose notices were queued to a person."""
    found = tx.all(_TOLD, workspace_id=workspace_id, revision=revision, account_id=account_id)
    return [row.stage for row in found]


def prune(tx: Transaction, before: Instant) -> int:
    """Forget notices queued before an instant. How many."""
    return tx.run(_PRUNE, before=before)
