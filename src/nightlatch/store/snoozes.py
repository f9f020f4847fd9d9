"""Until when a teammate asked not to be reminded of a date that comes. Only a page's banner reads it, no decision."""

from sqlalchemy import bindparam, select

from nightlatch.facts import WorkspaceId
from nightlatch.instants import Instant
from nightlatch.store.engine import Transaction
from nightlatch.store.query import Query, set_columns
from nightlatch.store.schema import teammates

_OF_ACCOUNT = Query(
    select(teammates.c.workspace_id, teammates.c.snoozed_until).where(
        teammates.c.account_id == bindparam("account_id"), teammates.c.snoozed_until > bindparam("now")
    )
)
_SNOOZE = Query(
    set_columns(teammates, "snoozed_until").where(
        teammates.c.account_id == bindparam("account_id"),
        teammates.c.workspace_id == bindparam("workspace_id"),
    )
)


def of_account(tx: Transaction, account_id: int) -> dict[WorkspaceId, Instant]:
    """The workspaces that a person is not to be reminded of now, and until when."""
    return {
        row.workspace_id: row.snoozed_until for row in tx.all(_OF_ACCOUNT, account_id=account_id, now=tx.now)
    }


def snooze(tx: Transaction, account_id: int, workspace_id: WorkspaceId, until: Instant) -> None:
    """No banner for this person in this workspace until an instant."""
    tx.run(_SNOOZE, account_id=account_id, workspace_id=workspace_id, new_snoozed_until=until)
