"""Workspaces that belong to a product: who is in them, and in which role, the product says."""

from nightlatch.refusals import Code, Refused, WayOut
from nightlatch.store import apps
from nightlatch.store.engine import Transaction
from nightlatch.store.query import Row


def not_by_product(tx: Transaction, workspace: Row) -> None:
    """Raises Refused where people and roles come from a product: a change made here would be undone there."""
    if workspace.app_id is None:
        return
    app = apps.by_id(tx, workspace.app_id)
    name = app.name if app is not None else "a product"
    raise Refused(
        Code.NOT_PERMITTED,
        f"People and roles in {workspace.name} come from {name}. Change them there.",
        WayOut("See who is in the workspace.", f"/w/{workspace.slug}/settings/team"),
    )
