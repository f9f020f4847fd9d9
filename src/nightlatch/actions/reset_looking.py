"""What a reset would mean, and what waits, told before anything is tried: for pages and the API. Reads only.

Nothing is decided here. The acts themselves (`resets`, `reset_ending`) ask again, in their own transactions.
"""

from dataclasses import dataclass

from nightlatch.actions import kinds
from nightlatch.actions.by import By
from nightlatch.actions.guard import allowed, person_of
from nightlatch.actions.reset_rules import Plan, Target, not_second_owner, plan
from nightlatch.actions.resets import may_renew, nothing_there, within_limit
from nightlatch.assurance import relied_on
from nightlatch.instants import Instant
from nightlatch.refusals import Refused, not_found
from nightlatch.store import accounts, resets, teammates, workspaces
from nightlatch.store.engine import Transaction
from nightlatch.store.facts import read_account_facts
from nightlatch.store.known import Known
from nightlatch.store.query import Row
from nightlatch.vocabulary import Role


@dataclass(frozen=True, slots=True)
class Waits:
    """A reset that was asked for and is not done yet, as one who may look at resets sees it."""

    id: int
    teammate_id: int
    name: str
    email: str
    requester: str
    reason: str
    recognised_by: str
    asked_at: Instant
    until: Instant
    """When it is done by itself; where it is held, when it lapses."""
    held: bool
    about_me: bool
    asked_by_me: bool
    may_stop: bool
    against_approval: str | None
    """Why this person may not approve it; None where they may."""

    @property
    def due(self) -> bool:
        """Whether it could be done by time alone."""
        return not self.held


@dataclass(frozen=True, slots=True)
class LookedReset:
    """A teammate, and what turning off their 2FA would be, or what stands against it."""

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
    plan: Plan | None
    """How it would go, where nothing stands against it."""
    at: Instant | None
    """When it would be done by itself, if it waits for that."""
    waits: Waits | None
    """One that was asked for already."""


@dataclass(frozen=True, slots=True)
class OwnReset:
    """What a person is told of the one that waits for them."""

    requester: str
    reason: str
    asked_at: Instant
    until: Instant
    held: bool


def at_reset(tx: Transaction, *, by: By, workspace_id: int, teammate_id: int) -> LookedReset:
    """Raises Refused: what the gate raises, `not_found`."""
    known = allowed(tx, by, kinds.LOOK_AT_RESET.at(workspace_id))
    target, mine = _target(tx, known, workspace_id, teammate_id)
    waiting = resets.waiting_of(tx, target.account.id, workspace_id)
    waits = (
        _waits(tx, known, resets.waiting_one(tx, waiting.id, workspace_id)) if waiting is not None else None
    )
    nothing = not relied_on(read_account_facts(tx, target.account.id), workspace_id)
    planned, against, under_way = None, None, False
    try:
        if nothing and _open_reset(tx, target.teammate):
            may_renew(tx, known, target)
            under_way = True
        else:
            planned = plan(tx, known.facts.account, mine, target)
            if nothing:
                raise nothing_there(target)
            within_limit(tx, by, workspace_id)
    except Refused as refused:
        planned, against = None, refused
    teammate = known.facts.teammate(workspace_id)
    return LookedReset(
        target.teammate.id,
        target.account.name,
        target.account.email,
        Role(target.teammate.role),
        teammate is not None and teammate.mandate.in_force(tx.now),
        under_way,
        mine is Role.OWNER and planned is not None and planned.rank == Role.MEMBER.rank,
        against,
        planned,
        tx.now + planned.delay if planned is not None and not planned.held else None,
        waits,
    )


def waiting(tx: Transaction, *, by: By, workspace_id: int) -> list[Waits]:
    """All that wait in a workspace, the oldest first. Raises Refused: what the gate raises."""
    known = allowed(tx, by, kinds.LOOK_AT_RESET.at(workspace_id))
    return [_waits(tx, known, row) for row in resets.waiting(tx, workspace_id)]


def any_due(tx: Transaction, workspace_id: int) -> bool:
    """Whether the instant of one has come: it is to be done before anybody looks."""
    return any(row.effective_at <= tx.now for row in resets.waiting(tx, workspace_id))


def own(tx: Transaction, *, by: By, workspace_id: int) -> OwnReset | None:
    """The one that waits for the person of the session there. Raises Refused: what the gate raises."""
    known = allowed(tx, by, kinds.SEE_OWN_RESET.at(workspace_id))
    row = resets.waiting_of(tx, person_of(known).id, workspace_id)
    if row is None:
        return None
    return OwnReset(row.requester, row.reason, row.created_at, row.effective_at, row.held_at is not None)


# --- inside ---


def _waits(tx: Transaction, known: Known, row: Row) -> Waits:
    me = known.facts.account or 0
    mine = known.facts.teammate(row.workspace_id)
    owner = mine is not None and mine.role is Role.OWNER
    about_me, asked_by_me = row.account_id == me, row.requested_by == me
    return Waits(
        row.id,
        row.teammate_id,
        row.name,
        row.email,
        row.requester,
        row.reason,
        row.recognised_by,
        row.created_at,
        row.effective_at,
        row.held_at is not None,
        about_me,
        asked_by_me,
        not about_me and (asked_by_me or owner),
        not_second_owner(tx, row.workspace_id, me, row.account_id, row.requested_by),
    )


def _target(tx: Transaction, known: Known, workspace_id: int, teammate_id: int) -> tuple[Target, Role]:
    workspace = workspaces.by_id(tx, workspace_id)
    row = teammates.by_id(tx, teammate_id, workspace_id)
    account = accounts.by_id(tx, row.account_id) if row is not None else None
    mine = known.facts.teammate(workspace_id)
    if workspace is None or row is None or account is None or mine is None:
        raise not_found()
    return Target(workspace, row, account), mine.role


def _open_reset(tx: Transaction, row: Row) -> bool:
    reset = resets.by_id(tx, row.reset_id) if row.reset_id is not None else None
    return reset is not None and reset.completed_at is None and reset.ended_at is None
