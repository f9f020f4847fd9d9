"""What may be done to a teammate, told before it is tried: for the pages that explain an act. Reads only.

Nothing is decided here. The acts themselves (`teammates`, `resets`) ask again, in their own transactions.
"""

from collections.abc import Callable
from dataclasses import dataclass

from nightlatch.actions import kinds, resets
from nightlatch.actions.by import By
from nightlatch.actions.guard import allowed
from nightlatch.actions.kept import not_by_product
from nightlatch.actions.resets import Target
from nightlatch.actions.teammates import keep_an_owner, not_above
from nightlatch.assurance import relied_on
from nightlatch.facts import Teammate
from nightlatch.policy import may_grant
from nightlatch.refusals import Code, Refused, WayOut, not_found
from nightlatch.store import accounts, teammates, tickets, workspaces
from nightlatch.store.engine import Transaction
from nightlatch.store.facts import Known, read_account_facts
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


@dataclass(frozen=True, slots=True)
class LookedReset:
    """A teammate, and what stands against turning off their 2FA."""

    id: int
    name: str
    email: str
    role: Role
    required: bool
    """The mandate is in force: nothing opens for them before they have set up again."""
    under_way: bool
    """It is off already, and they have yet to set up again: the link can be renewed."""
    may_waive: bool
    """An owner looks, at a member: the link may be made to work without the number."""
    against: Refused | None


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


def at_reset(tx: Transaction, *, by: By, workspace_id: int, teammate_id: int) -> LookedReset:
    """Raises Refused: what the gate raises, `not_found`."""
    known = allowed(tx, by, kinds.LOOK_AT_RESET.at(workspace_id))
    workspace, row, mine = _found(tx, known, workspace_id, teammate_id)
    account = accounts.by_id(tx, row.account_id)
    if account is None:
        raise not_found()
    target = Target(workspace, row, account)
    against = _refusal(lambda: resets.may_reset(tx, known, target))
    nothing = not relied_on(read_account_facts(tx, account.id), workspace_id)
    under_way = against is None and nothing and _open_reset(tx, row)
    if against is None and nothing and not under_way:
        against = resets.nothing_there(target)
    if against is None and not under_way:
        against = _refusal(lambda: resets.within_limit(tx, by, workspace_id))
    return LookedReset(
        row.id,
        account.name,
        account.email,
        Role(row.role),
        mine.mandate.in_force(tx.now),
        under_way,
        mine.role is Role.OWNER,
        against,
    )


# --- inside ---


def _found(tx: Transaction, known: Known, workspace_id: int, teammate_id: int) -> tuple[Row, Row, Teammate]:
    workspace = workspaces.by_id(tx, workspace_id)
    target = teammates.by_id(tx, teammate_id, workspace_id)
    mine = known.facts.teammate(workspace_id)
    if workspace is None or target is None or mine is None:
        raise not_found()
    return workspace, target, mine


def _open_reset(tx: Transaction, row: Row) -> bool:
    reset = tickets.reset(tx, row.reset_id) if row.reset_id is not None else None
    return reset is not None and reset.completed_at is None and reset.ended_at is None


def _refusal(ask: Callable[[], None]) -> Refused | None:
    try:
        ask()
    except Refused as refused:
        return refused
    return None
