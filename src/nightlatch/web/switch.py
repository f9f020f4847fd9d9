"""What the pages of the switch have in common: how it stands, what stands against turning it, and changing it."""

from dataclasses import dataclass

from nightlatch.actions import mandate
from nightlatch.actions.mandate import Policy
from nightlatch.assurance import enrolled, limited
from nightlatch.instants import Instant
from nightlatch.policy import ManagedBy, ProofStrength, permitted
from nightlatch.refusals import Code, Refused
from nightlatch.store import events, standing, teammates
from nightlatch.store.engine import Body, Transaction
from nightlatch.store.query import Row
from nightlatch.vocabulary import Event, Permission
from nightlatch.web.context import Context
from nightlatch.web.team import myself, team_path

PATH = "/w/{slug}/settings/team/authentication"
_FASTER = "Somebody else has changed this meanwhile. This is how it is now; nothing of yours was saved."


@dataclass(frozen=True, slots=True)
class Seen:
    """What the pages of the switch are made of, on one snapshot."""

    policy: Policy
    counts: dict[str, int]
    owners: list[Row]
    enrolled_owners: list[int]
    turned_on: Row | None
    """The event by which it was turned on or scheduled."""


async def read_seen(context: Context) -> Seen:
    """Look at all of it."""
    workspace_id = context.workspace_id

    def body(tx: Transaction) -> Seen:
        policy = mandate.read_policy(tx, by=context.by, workspace_id=workspace_id)
        return Seen(
            policy,
            _counts(tx, workspace_id),
            teammates.owners(tx, workspace_id),
            teammates.enrolled_owners(tx, workspace_id),
            _turned_on(tx, workspace_id) if policy.required else None,
        )

    return await context.query_store(body)


def _counts(tx: Transaction, workspace_id: int) -> dict[str, int]:
    active = [row for row in standing.counts(tx, workspace_id) if row.status == "active"]
    every = sum(row.number for row in active)
    using = sum(row.number for row in active if row.state == "on")
    return {"teammates": every, "with_two_factor": using, "without": every - using}


def _turned_on(tx: Transaction, workspace_id: int) -> Row | None:
    found = [
        row
        for event in (Event.MANDATE_TURNED_ON, Event.MANDATE_SCHEDULED)
        if (row := events.latest(tx, workspace_id, event)) is not None
    ]
    return max(found, key=lambda row: row.sequence, default=None)


def blocked(context: Context, seen: Seen) -> str | None:
    """Why this person cannot turn the switch as it stands."""
    mine = myself(context)
    if not permitted(mine.role, Permission.MANAGE_AUTHENTICATION, mine.mandate):
        return "not_permitted"
    if limited(context.facts, context.workspace_id):
        return "recovery_code"
    if seen.policy.required:
        return None
    if not enrolled(context.facts.authenticators, context.workspace_id):
        return "not_enrolled"
    return None if seen.enrolled_owners else "no_owner"


def change(
    tx: Transaction,
    context: Context,
    *,
    required: bool,
    required_from: Instant | None,
    managed_by: ManagedBy,
    strength: ProofStrength | None = None,
    strength_from: Instant | None = None,
    remember_days: int | None = None,
) -> Policy:
    """Change the policy that the page showed: by its revision, so that nobody overwrites what they have not seen."""
    revision = context.form.get("revision", "")
    return mandate.change_policy(
        tx,
        by=context.by,
        workspace_id=context.workspace_id,
        required=required,
        required_from=required_from,
        managed_by=managed_by,
        if_revision=int(revision) if revision.isascii() and revision.isdigit() and len(revision) < 19 else 0,
        reason=context.form.get("reason"),
        strength=strength,
        strength_from=strength_from,
        remember_days=remember_days,
    )


async def attempt(context: Context, body: Body[Policy]) -> Refused | None:
    """Do it, or say on the page what stands against it; what the gate says goes to the gate."""
    try:
        await context.write(body)
    except Refused as refused:
        if refused.decision is not None or refused.code is Code.NOT_FOUND:
            raise
        return refused
    return None


def refusal_text(refused: Refused) -> str:
    """What stands against it, for the top of the page."""
    return _FASTER if refused.code is Code.REVISION_CONFLICT else refused.detail


def switch_path(context: Context) -> str:
    """The page of the switch of the workspace in the path."""
    return f"{team_path(context)}/authentication"
