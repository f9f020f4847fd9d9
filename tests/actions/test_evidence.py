"""Evidence of a past day is what was true on that day, whatever has happened since; and it is made of events alone."""

import pytest
from sqlalchemy import delete

from nightlatch.actions.evidence import instant_of, read_evidence
from nightlatch.audit import rebuilding
from nightlatch.audit.evidence import Evidence
from nightlatch.instants import DAY, from_text, to_text
from nightlatch.refusals import Refused
from nightlatch.store import events
from nightlatch.store.engine import Transaction
from nightlatch.store.query import Query
from nightlatch.store.schema import metadata
from tests.support.history.history import History
from tests.support.history.snapshot import Snapshot
from tests.support.world import World


def of_day(world: World, workspace_id: int, on: str = "") -> Evidence:
    return world.read(lambda tx: read_evidence(tx, workspace_id=workspace_id, on=on))


def said(evidence: Evidence, truth: Snapshot) -> Snapshot:
    """Evidence in the words of the tables, without what those do not say."""
    policy = evidence.policy
    changes = [(policy.at, policy.by), (policy.managed_by_at, policy.managed_by_by)]
    at, by = max(changes, key=lambda change: change[0] or 0)
    changed = (at, by.name if by is not None else None) if at != evidence.created_at else (None, None)
    return Snapshot(
        evidence.name or "",
        policy.required_from,
        policy.resistant_from,
        policy.managed_by,
        changed,
        {
            each.account: (
                each.name,
                each.email,
                each.role,
                each.joined_at,
                each.state,
                each.methods,
                each.since if each.account not in truth.weak else None,
            )
            for each in evidence.teammates
        },
        {each.account: (each.role, each.joined_at, each.at) for each in evidence.gone},
        sorted(
            (
                each.account,
                each.at,
                each.by.name,
                each.reason,
                each.recognised_by or "",
                each.number_waived,
                each.completed_at,
                each.replaced_at,
                each.asked_at,
                each.approved_by.name if each.approved_by is not None else None,
            )
            for each in evidence.resets
        ),
        len(evidence.restored),
        sorted(
            (
                each.account,
                each.at,
                each.by.name,
                each.asked_by,
                each.reason,
                each.ends_at,
                each.ended_at,
                each.ended_by.name if each.ended_by is not None else None,
                each.why,
            )
            for each in evidence.exceptions
        ),
        {each.account: each.exempt_until for each in evidence.teammates if each.exempt_until is not None},
    )


_FORGET = [
    Query(delete(table))
    for table in metadata.sorted_tables
    if table.name not in ("audit_events", "meta", "sequences")
]


def _forget_all_but_events(tx: Transaction) -> None:
    for query in _FORGET:
        tx.run(query)


def test_of_each_past_day_it_says_what_the_tables_said_then(world: World) -> None:
    history = History(world)
    history.begin()
    for _ in range(4):
        history.play()
    assert history.changes >= 100
    assert {each.__name__ for each in history.acts()} <= history.done.keys(), "something never happened"
    history.end_of_day(DAY)
    days = {day for _, day in history.snapshots}
    assert len(days) > 7
    assert any(each.resistant_from is not None for each in history.snapshots.values())
    assert any(
        "passkey" in str(person) for each in history.snapshots.values() for person in each.teammates.values()
    )
    told = {(id, day): of_day(world, id, day) for id, day in history.snapshots}
    for (workspace_id, day), snapshot in history.snapshots.items():
        assert said(told[workspace_id, day], snapshot) == snapshot, (workspace_id, day)
    for workspace_id in history.ids:
        truth = history.read(workspace_id)
        assert said(of_day(world, workspace_id), truth) == truth
    world.write(_forget_all_but_events)
    for workspace_id, day in list(told)[::5]:
        assert of_day(world, workspace_id, day) == told[workspace_id, day], "it looked at another table"


def test_what_is_passed_over_changes_nothing() -> None:
    assert not set(events.PASSED_OVER) & rebuilding.TAKEN


def test_a_day_ends_at_midnight_utc_and_today_is_now() -> None:
    now = from_text("2026-11-24T09:14:00Z")
    assert to_text(instant_of("2026-11-23", now)) == "2026-11-23T23:59:59.999999Z"
    assert instant_of("2026-11-24", now) == now


@pytest.mark.parametrize(
    "on, message",
    [
        ("2026-11-25", "This day is still to come. Today is 2026-11-24, in UTC."),
        ("9999-12-31", "This day is still to come. Today is 2026-11-24, in UTC."),
        *(
            (text, "This is a day such as 2026-11-24.")
            for text in ("2026-02-30", "24.11.2026", "2026-1-2", "\0", "٢٠٢٦-١١-٢٤")
        ),
    ],
)
def test_what_is_no_day_of_the_past_is_refused_in_words(on: str, message: str) -> None:
    with pytest.raises(Refused) as refusal:
        instant_of(on, from_text("2026-11-24T09:14:00Z"))
    assert [(each.field, each.message) for each in refusal.value.errors] == [("on", message)]


def test_before_a_workspace_there_is_nothing(world: World) -> None:
    history = History(world)
    history.begin()
    day_before = to_text(world.clock.now() - DAY)[:10]
    with pytest.raises(Refused, match="events begin on"):
        of_day(world, history.acme, day_before)
    assert of_day(world, history.acme, to_text(world.clock.now())[:10]).teammates


def test_a_workspace_without_events_is_not_known(world: World) -> None:
    acme = world.workspace("acme", owner=world.person("Dana"))
    found = of_day(world, acme, "2020-01-01")
    assert (found.name, found.created_at, found.teammates, found.policy.by) == (None, None, (), None)
