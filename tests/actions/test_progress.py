"""How far a team has come: a row a day, written down when the day is over, and how it stands now."""

import pytest

from nightlatch.actions import progress
from nightlatch.actions.progress import Progress
from nightlatch.instants import DAY, HOUR
from nightlatch.refusals import Refused
from nightlatch.store import meta
from nightlatch.store import progress as stored
from tests.support.races import at_once
from tests.support.switch import Acme, exempt
from tests.support.tables import everything, rows
from tests.support.world import World


@pytest.fixture
def acme(world: World) -> Acme:
    return Acme(world)


def read(acme: Acme) -> Progress:
    acme.owner = acme.world.signed_in(acme.dana, acme.app)
    return acme.world.read(lambda tx: progress.read_progress(tx, by=acme.owner, workspace_id=acme.id))


def chore(world: World) -> int:
    """What the background task does; in how many transactions."""
    count = 0
    while world.read(progress.day_waits):
        world.write(progress.note_day)
        count += 1
        assert count < 50
    return count


def test_it_says_how_many_are_set_up_and_left(acme: Acme) -> None:
    acme.on(since=acme.world.clock.now() + 10 * DAY)
    exempt(acme.world, acme.id, acme.ana, until=acme.world.clock.now() + 12 * DAY)
    seen = read(acme)
    assert (seen.set_up, seen.teammates, seen.left, seen.exempt) == (2, 4, 2, 1)
    assert [(each.set_up, each.teammates) for each in seen.days] == [(2, 4)]


def test_each_day_that_is_over_has_its_row_and_today_is_live(acme: Acme) -> None:
    world = acme.world
    chore(world)
    acme.on(since=world.clock.now() + 10 * DAY)
    first = stored.day_of(world.clock.now())
    world.wait(DAY)
    assert chore(world) == 1
    world.bind_totp(acme.ana)
    assert [(each.day, each.set_up) for each in read(acme).days] == [(first, 2), (first + DAY, 3)]
    world.wait(DAY)
    chore(world)
    world.bind_totp(acme.olga)
    days = read(acme).days
    assert [(each.day, each.set_up, each.teammates) for each in days] == [
        (first, 2, 4),
        (first + DAY, 3, 4),
        (first + 2 * DAY, 4, 4),
    ]


def test_once_a_day_and_then_it_does_not_look_again(acme: Acme) -> None:
    world = acme.world
    acme.on()
    world.wait(DAY)
    chore(world)
    before = everything(world)
    assert chore(world) == 0
    assert world.write(progress.note_day) is False
    assert everything(world) == before


def test_two_processes_at_once_write_one_row(acme: Acme) -> None:
    world = acme.world
    acme.on()
    world.wait(DAY)
    results = at_once(*[lambda: world.write(progress.note_day)] * 2)
    assert results == [False, False]
    assert len(rows(world, "progress")) == 1


def test_many_workspaces_are_done_in_batches(acme: Acme) -> None:
    world = acme.world
    made = [world.workspace(f"team-{number}", owner=acme.dana) for number in range(7)]
    for each in made[:-1]:
        world.require(each)
    world.wait(DAY)
    assert chore(world) == 2
    assert {each.workspace_id for each in rows(world, "progress")} == set(made[:-1])


def test_days_on_which_nothing_ran_are_left_out(acme: Acme) -> None:
    world = acme.world
    acme.on()
    first = stored.day_of(world.clock.now())
    world.wait(4 * DAY)
    chore(world)
    assert [each.day for each in read(acme).days] == [first + 3 * DAY, first + 4 * DAY]


def test_without_a_mandate_nothing_is_written_and_a_new_one_begins_anew(acme: Acme) -> None:
    world = acme.world
    world.wait(DAY)
    chore(world)
    assert rows(world, "progress") == []
    assert read(acme).days == ()
    acme.on()
    world.wait(DAY)
    chore(world)
    acme.owner = world.signed_in(acme.dana, acme.app)
    acme.off()
    world.wait(3 * DAY)
    chore(world)
    acme.owner = world.signed_in(acme.dana, acme.app)
    acme.on()
    assert len(read(acme).days) == 1, "the chart is of the present requirement"
    assert len(rows(world, "progress")) == 1


def test_what_is_very_old_goes(acme: Acme) -> None:
    world = acme.world
    acme.on()
    world.wait(DAY)
    chore(world)
    world.wait(stored.KEPT - DAY)
    world.write(stored.prune)
    assert len(rows(world, "progress")) == 1
    world.wait(2 * DAY + HOUR)
    world.write(stored.prune)
    assert rows(world, "progress") == []


def test_it_is_for_those_who_manage_authentication(acme: Acme) -> None:
    world = acme.world
    app, _ = world.bind_totp(acme.ana)
    anas = world.signed_in(acme.ana, app)
    with pytest.raises(Refused):
        world.read(lambda tx: progress.read_progress(tx, by=anas, workspace_id=acme.id))


def test_a_day_is_noted_by_its_first_instant(acme: Acme) -> None:
    world = acme.world
    chore(world)
    noted = world.read(lambda tx: meta.read(tx, "progress_noted"))
    assert noted is not None
    assert int(noted) == stored.day_of(world.clock.now()) - DAY
