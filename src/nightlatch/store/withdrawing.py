"""Taking back the mails of a mandate that are queued and not sent."""

from sqlalchemy import bindparam, literal_column, or_, update

from nightlatch.store.engine import Transaction
from nightlatch.store.query import Query
from nightlatch.store.schema import outbox

PREFIX = "withdrawn"
"""What the `error` of a withdrawn mail begins with."""
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


TO_ENROL = ("mandate_enrol", "mandate_notice", "mandate_reminder", "mandate_link", "strength_notice")
"""Mails that ask one teammate to set up 2FA in one workspace."""
_OF_PERSON = Query(
    update(outbox)
    .values(next_at=None, failed_at=bindparam("now"), sealed=None, error=bindparam("reason"))
    .where(
        outbox.c.workspace_id == bindparam("workspace_id"),
        outbox.c.account_id == bindparam("account_id"),
        outbox.c.next_at.is_not(None),
        or_(*(outbox.c.kind == literal_column(f"'{kind}'") for kind in TO_ENROL)),
    )
)
_ONE = Query(
    update(outbox)
    .values(
        next_at=None, leased_until=None, failed_at=bindparam("now"), sealed=None, error=bindparam("reason")
    )
    .where(outbox.c.id == bindparam("id"), outbox.c.next_at.is_not(None))
)


def of_person(tx: Transaction, account_id: int, workspace_id: int, why: str) -> int:
    """Withdraw what asks a person to set up 2FA in a workspace: it is not true any more. How many mails."""
    return tx.run(
        _OF_PERSON, account_id=account_id, workspace_id=workspace_id, reason=f"{PREFIX}: {why}", now=tx.now
    )


def one(tx: Transaction, mail_id: int, why: str) -> None:
    """Withdraw one mail that was to be sent now."""
    tx.run(_ONE, id=mail_id, reason=f"{PREFIX}: {why}", now=tx.now)


def mandate_mails(tx: Transaction, workspace_id: int) -> int:
    """Withdraw what a workspace's mandate has queued; how many mails. One that is being sent is not caught any more."""
    return tx.run(_MANDATE_MAILS, workspace_id=workspace_id, now=tx.now)
