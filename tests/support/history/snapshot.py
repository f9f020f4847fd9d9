"""What the tables say of one workspace at a moment: what evidence of that moment must say, too."""

from collections.abc import Collection
from dataclasses import dataclass, field

from nightlatch.assurance import enrolled, relied
from nightlatch.facts import Facts
from nightlatch.instants import DAY, Instant, to_text
from nightlatch.store.facts import read_account_facts
from nightlatch.store.query import Row
from nightlatch.vocabulary import Method
from tests.support.tables import rows
from tests.support.world import World


@dataclass
class Snapshot:
    """What the tables said of one workspace at the end of a day."""

    name: str
    required_from: Instant | None
    resistant_from: Instant | None
    managed_by: str
    changed: tuple[Instant | None, str | None]
    teammates: dict[int, tuple[object, ...]]
    gone: dict[int, tuple[object, ...]]
    resets: list[tuple[object, ...]]
    restores: int
    exceptions: list[tuple[object, ...]]
    exempt: dict[int, Instant]
    weak: frozenset[int] = field(default=frozenset(), compare=False)
    """Since when these have 2FA the tables do not say: only since when it is, or is not, what is required."""


def read(world: World, workspace_id: int, restores: int, weak: Collection[int]) -> Snapshot:
    """The truth of this moment, from the tables and the facts behind every decision."""
    (workspace,) = [row for row in rows(world, "workspaces") if row.id == workspace_id]
    people_by_id = {row.id: row for row in rows(world, "accounts")}
    table = {row.id: row for row in rows(world, "standing")}
    here: dict[int, tuple[object, ...]] = {}
    gone: dict[int, tuple[object, ...]] = {}
    for row in rows(world, "teammates"):
        if row.workspace_id != workspace_id:
            continue
        if row.removed_at is not None:
            gone[row.account_id] = (row.role, row.joined_at, row.removed_at)
            continue
        account = people_by_id[row.account_id]
        facts = world.read(lambda tx, id=row.account_id: read_account_facts(tx, id))  # type: ignore[misc]
        here[row.account_id] = (
            account.name,
            account.email,
            row.role,
            row.joined_at,
            *_two_factor(facts, workspace_id, row.reset_id),
            table[row.id].since if row.account_id not in weak else None,
        )
        assert table[row.id].state == _in_table(workspace, *here[row.account_id][4:6])
    return Snapshot(
        workspace.name,
        workspace.required_from,
        workspace.resistant_from,
        workspace.managed_by,
        (workspace.policy_changed_at, workspace.policy_changed_by),
        here,
        gone,
        sorted(
            (
                row.account_id,
                row.done_at,
                row.requester,
                row.reason,
                row.recognised_by,
                row.number_tag == b"",
                row.completed_at,
                row.ended_at,
                row.created_at if row.effective_at > row.created_at else None,
                row.approver,
            )
            for row in rows(world, "resets")
            if row.workspace_id == workspace_id and row.done_at is not None
        ),
        restores,
        sorted(
            (
                row.account_id,
                row.approved_at,
                row.approver,
                row.requester,
                row.reason,
                row.ends_at,
                row.ended_at,
                row.ended_by,
                row.ended_why,
            )
            for row in rows(world, "exceptions")
            if row.workspace_id == workspace_id and row.approved_at is not None
        ),
        {
            row.account_id: row.exempt_until
            for row in rows(world, "teammates")
            if row.workspace_id == workspace_id
            and row.removed_at is None
            and (row.exempt_until or 0) > world.clock.now()
        },
        frozenset(weak),
    )


def _two_factor(facts: Facts, workspace_id: int, reset_id: int | None) -> tuple[str, tuple[str, ...]]:
    here = [each for each in facts.authenticators if relied(each, workspace_id)]
    if enrolled(here, workspace_id):
        return "on", tuple(sorted({each.method for each in here} - {Method.RECOVERY_CODE}))
    return ("reset" if reset_id is not None else "off"), ()


def _in_table(workspace: Row, state: object, methods: object) -> str:
    """A row of the table tells those apart who have 2FA and not the passkey that is required, now or from a date."""
    assert isinstance(methods, tuple)
    weak = state == "on" and workspace.resistant_from is not None and Method.PASSKEY not in methods
    return "weak" if weak else str(state)


def day_text(day: int) -> str:
    """A day since the epoch, as the pages take it."""
    return to_text(day * DAY)[:10]
