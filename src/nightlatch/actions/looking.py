"""What may be done to a teammate, told before it is tried: for the pages that explain an act. Reads only.

Nothing is decided here. The acts themselves (`teammates`) ask again, in their own transactions.
"""

from collections.abc import Callable
from dataclasses import dataclass

from nightlatch.actions import kinds
from nightlatch.actions.by import By
from nightlatch.actions.guard import allowed
from nightlatch.actions.kept import not_by_product
from nightlatch.actions.teammates import keep_an_owner, not_above
from nightlatch.facts import Teammate
from nightlatch.policy import may_grant
from nightlatch.refusals import Code, Refused, WayOut, not_found
from nightlatch.store import teammates, workspaces
from nightlatch.store.engine import Transaction
from nightlatch.store.known import Known
from nightlatch.store.query import Row
from nightlatch.vocabulary import Role


@dataclass(frozen=True, slots=True)
class Looked:
    """A teammate, and what stands against changing their role or removing them."""

    id: int
    name: str
    email: str
    role: Role
    itself: bool
    may_give: tuple[Role, ...]
    """Lowest first."""
    against_role: Refused | None
    against_removal: Refused | None


def at_teammate(tx: Transaction, *, by: By, workspace_id: int, teammate_id: int) -> Looked:
    """Raises Refused: what the gate raises, `not_found`."""
    known = allowed(tx, by, kinds.LOOK_AT_TEAMMATE.at(workspace_id))
    workspace, target, mine = _found(tx, known, workspace_id, teammate_id)
    itself = target.account_id == known.facts.account

    def role() -> None:
        not_by_product(tx, workspace)
        if not itself:
            not_above(tx, workspace, target, mine.role)

    def removal() -> None:
        not_by_product(tx, workspace)
        if itself:
            raise Refused(
                Code.NOT_PERMITTED,
                "You cannot remove yourself. You can leave instead.",
                WayOut("Leave the workspace.", f"/w/{workspace.slug}/leave"),
            )
        not_above(tx, workspace, target, mine.role)
        keep_an_owner(tx, workspace, target)

    return Looked(
        target.id,
        target.name,
        target.email,
        Role(target.role),
        itself,
        tuple(role for role in sorted(Role, key=lambda each: each.rank) if may_grant(mine.role, role)),
        _refusal(role),
        _refusal(removal),
    )


# --- inside ---


def _found(tx: Transaction, known: Known, workspace_id: int, teammate_id: int) -> tuple[Row, Row, Teammate]:
    workspace = workspaces.by_id(tx, workspace_id)
    target = teammates.by_id(tx, teammate_id, workspace_id)
    mine = known.facts.teammate(workspace_id)
    if workspace is None or target is None or mine is None:
        raise not_found()
    return workspace, target, mine


def _refusal(ask: Callable[[], None]) -> Refused | None:
    try:
        ask()
    except Refused as refused:
        return refused
    return None
