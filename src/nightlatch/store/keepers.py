"""Which product keeps a person or brings a workspace, by name: for mails, removed products included."""

from sqlalchemy import bindparam, select

from nightlatch.store.engine import Transaction
from nightlatch.store.query import Query, Row
from nightlatch.store.schema import accounts, workspaces
from nightlatch.store.schema_apps import apps

_named = select(apps.c.id, apps.c.name)
_OF_ACCOUNT = Query(
    _named.join(accounts, accounts.c.app_id == apps.c.id).where(accounts.c.id == bindparam("id"))
)
_OF_WORKSPACE = Query(
    _named.join(workspaces, workspaces.c.app_id == apps.c.id).where(workspaces.c.id == bindparam("id"))
)


def of_reader(tx: Transaction, account_id: int | None, workspace_id: int | None) -> Row | None:
    """The product (id, name) of whoever a mail is for: by the account, or by the workspace where it names none."""
    if account_id is not None:
        return tx.one(_OF_ACCOUNT, id=account_id)
    return tx.one(_OF_WORKSPACE, id=workspace_id) if workspace_id is not None else None
