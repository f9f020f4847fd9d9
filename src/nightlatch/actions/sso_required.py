"""Requiring single sign-on of a workspace: nothing but its own provider is a first factor there any more.

Owners keep their password, beside 2FA, as the emergency door, so that a provider that is down, or set up wrongly, locks
nobody out for good; coming in by it is told to every owner.
"""

from nightlatch.actions import kinds
from nightlatch.actions.by import By
from nightlatch.actions.connections import locked, path_of, tell_owners
from nightlatch.audit.events import record
from nightlatch.audit.events import workspace as workspace_subject
from nightlatch.facts import WorkspaceId
from nightlatch.refusals import Code, Refused, WayOut
from nightlatch.store import connections, teammates, workspaces
from nightlatch.store.engine import Transaction
from nightlatch.store.query import Row
from nightlatch.vocabulary import Event


def require(tx: Transaction, *, by: By, workspace_id: WorkspaceId, required: bool) -> bool:
    """Require it from the next request on, or no longer; False where it stands so already.

    Raises Refused: what the gate raises, `conflict` where there is no connection to come by, `not_enrolled` where no
    owner with 2FA has a password to come in with otherwise, `not_permitted` in a workspace that a product brought.
    """
    workspace, _ = locked(tx, by, workspace_id, kinds.MANAGE_CONNECTIONS)
    if (workspace.sso_required_at is not None) == required:
        return False
    if required:
        _somebody_comes_by_it(tx, workspace)
        _somebody_comes_otherwise(tx, workspace)
    workspaces.set_sso_required(tx, workspace_id, required=required)
    record(
        tx,
        Event.SSO_REQUIRED if required else Event.SSO_UNREQUIRED,
        by=by,
        subject=workspace_subject(workspace.id, workspace.name),
        workspace_id=workspace.id,
    )
    what = (
        "requires single sign-on of everyone but owners" if required else "stopped requiring single sign-on"
    )
    tell_owners(tx, by, workspace, what)
    return True


def _somebody_comes_by_it(tx: Transaction, workspace: Row) -> None:
    if not any(map(connections.is_ready, connections.of_workspace(tx, workspace.id))):
        raise Refused(
            Code.CONFLICT,
            "There is no connection yet that people could come by.",
            WayOut("Set one up first.", path_of(workspace.slug)),
        )


def _somebody_comes_otherwise(tx: Transaction, workspace: Row) -> None:
    """Law 8: while the provider is down, an owner with 2FA and a password can still open."""
    if not teammates.enrolled_owners_with_password(tx, workspace.id):
        raise Refused(
            Code.NOT_ENROLLED,
            "Some owner has to have a password and 2FA first, so that somebody gets in when the provider is down.",
            WayOut("See the teammates.", f"/w/{workspace.slug}/settings/team"),
        )
