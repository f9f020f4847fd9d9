"""Taking back the mails of a mandate that are queued and not sent."""

from sqlalchemy import bindparam, literal_column, or_, update

from nightlatch.store.engine import Transaction
from nightlatch.store.query import Query
from nightlatch.store.schema import outbox

_MANDATE_MAILS = Query(
    update(outbox)
    .values(next_at=None, failed_at=bindparam("now"), sealed=None, error=literal_column("'withdrawn'"))
    .where(
        outbox.c.workspace_id == bindparam("workspace_id"),
        outbox.c.next_at.is_not(None),
        or_(outbox.c.leased_until.is_(None), outbox.c.leased_until <= bindparam("now")),
        or_(
            outbox.c.revision.is_not(None),
            outbox.c.kind == literal_column("'mandate_enrol'"),
            outbox.c.kind == literal_column("'mandate_ready'"),
        ),
    )
)


def mandate_mails(tx: Transaction, workspace_id: int) -> int:
    """Withdraw what a workspace's mandate has queued; how many mails. One that is being sent is not caught any more."""
    return tx.run(_MANDATE_MAILS, workspace_id=workspace_id, now=tx.now)
