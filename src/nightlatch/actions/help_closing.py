"""A call for help needs nobody any more: by the person's own second step, contested, a reset, set aside, gone."""

from nightlatch.actions.by import By
from nightlatch.audit.events import account as account_subject
from nightlatch.audit.events import record
from nightlatch.facts import AccountId, WorkspaceId
from nightlatch.ids import to_text
from nightlatch.store import accounts, help_requests
from nightlatch.store.engine import Transaction
from nightlatch.store.query import Row
from nightlatch.vocabulary import Event, Method


def used(tx: Transaction, *, by: By, account_id: AccountId, name: str, method: Method) -> None:
    """The person has shown a second factor: whoever asked for help does not need it, or was somebody else."""
    for each in help_requests.open_of(tx, account_id):
        _close(tx, by, each, account_id, name, "used", method=method)


def closed(
    tx: Transaction, *, by: By, account_id: AccountId, why: str, workspace_id: WorkspaceId | None = None
) -> list[WorkspaceId]:
    """Close a person's open calls, all or those in one workspace; in which workspaces there were some.

    `why`: `contested`, `reset` (their 2FA was turned off there) or `gone` (no teammate any more).
    """
    calls = [
        each for each in help_requests.open_of(tx, account_id) if workspace_id in (None, each.workspace_id)
    ]
    account = accounts.by_id(tx, account_id) if calls else None
    name = account.name if account is not None else ""
    return [each.workspace_id for each in calls if _close(tx, by, each, account_id, name, why)]


def _close(
    tx: Transaction, by: By, call: Row, account_id: AccountId, name: str, why: str, **detail: str
) -> bool:
    if not help_requests.close(tx, call.id, why):
        return False
    record(
        tx,
        Event.HELP_CLOSED,
        by=by,
        subject=account_subject(account_id, name),
        workspace_id=call.workspace_id,
        request=to_text(call.id),
        why=why,
        **detail,
    )
    return True
