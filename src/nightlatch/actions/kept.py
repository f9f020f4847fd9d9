"""What a product keeps is changed there: who is in its workspaces and as what, and the accounts of its people."""

from nightlatch.actions.by import By
from nightlatch.actions.guard import allowed
from nightlatch.decision import Action, Deny
from nightlatch.facts import AppId, WorkspaceId
from nightlatch.refusals import Code, Refused, WayOut, not_found, refusal_of
from nightlatch.store import apps, workspaces
from nightlatch.store.engine import Transaction
from nightlatch.store.known import Known, Person
from nightlatch.store.locks import lock
from nightlatch.store.query import Row
from nightlatch.vocabulary import Reason


def not_by_product(tx: Transaction, workspace: Row) -> None:
    """Raises Refused where people and roles come from a product: a change made here would be undone there."""
    if workspace.app_id is None:
        return
    name = app_name(tx, workspace.app_id)
    raise Refused(
        Code.NOT_PERMITTED,
        f"People and roles in {workspace.name} come from {name}. Change them there.",
        WayOut(f"Go to {name}.", f"/w/{workspace.slug}/back"),
    )


def locked(tx: Transaction, by: By, workspace_id: WorkspaceId, action: Action) -> tuple[Row, Known]:
    """The workspace, locked; what is known of who acts; the act allowed, and the workspace no product's."""
    lock(tx, workspaces=[workspace_id])
    known = allowed(tx, by, action.at(workspace_id))
    workspace = workspaces.by_id(tx, workspace_id)
    if workspace is None:
        raise not_found()
    not_by_product(tx, workspace)
    return workspace, known


def refuse_person(person: Person) -> None:
    """Raises Refused (`not_permitted`) for somebody whose account a product keeps."""
    refuse_kept(person.app_id)


def refuse_kept(app_id: AppId | None) -> None:
    """The same, by the product that keeps an account, if one does."""
    if app_id is not None:
        raise refusal_of(Deny(Reason.KEPT_BY_APP))


def app_name(tx: Transaction, app_id: AppId) -> str:
    """What a product is called; it may have been removed."""
    row = apps.by_id(tx, app_id)
    return str(row.name) if row is not None else "a product"
