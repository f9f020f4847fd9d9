"""When a mandate binds whom: the announcement, the date that moves, and what cannot be postponed."""

from typing import Any

import pytest

from nightlatch.actions.by import By, operator
from nightlatch.decision import Allow, Enrol
from nightlatch.instants import DAY, HOUR, SECOND, Instant
from nightlatch.policy import ManagedBy
from nightlatch.refusals import Code
from nightlatch.store import outbox, standing, teammates
from nightlatch.vocabulary import Event, Role
from tests.support.events import events
from tests.support.switch import Acme, exempt
from tests.support.tables import rows
from tests.support.world import Person, World


@pytest.fixture
def acme(world: World) -> Acme:
    return Acme(world)


def joins(acme: Acme, name: str) -> tuple[Person, By]:
    """Somebody who becomes a teammate now, and their session."""
    person = acme.world.person(name)

    def body(tx: Any) -> None:
        teammates.join(tx, workspace_id=acme.id, account_id=person.id, role=Role.MEMBER)
        standing.refresh(tx, person.id)

    acme.world.write(body)
    return person, acme.world.session(person)


def bound_from(acme: Acme, by: By) -> Instant | None:
    teammate = acme.world.known(by).facts.teammate(acme.id)
    assert teammate is not None
    return teammate.mandate.required_from


def in_days(acme: Acme, days: float) -> Instant:
    return acme.world.clock.now() + round(days * DAY)


# --- the announcement ---


def test_the_announcement_stands_while_the_date_moves(acme: Acme) -> None:
    first = acme.on(since=in_days(acme, 10))
    assert first.announced_at == first.changed_at
    acme.world.wait(DAY)
    acme.owner = acme.world.signed_in(acme.dana, acme.app)
    for since in (in_days(acme, 20), in_days(acme, 5), None):
        assert acme.on(since=since).announced_at == first.announced_at
    assert acme.change(managed_by=ManagedBy.OWNERS).announced_at == first.announced_at
    assert acme.off().announced_at is None


def test_at_once_is_announced_at_once(acme: Acme) -> None:
    policy = acme.on()
    assert policy.announced_at == policy.required_from == policy.changed_at


def test_who_was_there_has_the_grace_and_who_joins_later_has_none(acme: Acme) -> None:
    """F7: whoever joins after the announcement knows of it from the first day."""
    world, since = acme.world, in_days(acme, 10)
    early = world.session(acme.ana)
    acme.on(since=since)
    world.wait(SECOND)
    _, late = joins(acme, "Lea")
    assert isinstance(world.opens(early, acme.id), Allow)
    assert isinstance(world.opens(late, acme.id), Enrol)
    assert bound_from(acme, early) == since


def test_leaving_and_coming_back_buys_no_grace(acme: Acme) -> None:
    world = acme.world
    acme.on(since=in_days(acme, 10))
    world.wait(SECOND)
    row = next(each for each in rows(world, "teammates") if each.account_id == acme.ana.id)

    def back(tx: Any) -> None:
        teammates.remove(tx, row.id)
        teammates.join(tx, workspace_id=acme.id, account_id=acme.ana.id, role=Role.MEMBER)

    world.write(back)
    assert isinstance(world.opens(world.session(acme.ana), acme.id), Enrol)


def test_a_new_announcement_after_off_gives_those_who_are_there_their_time(acme: Acme) -> None:
    """Off before it was in force: nothing was postponed, so it may be announced anew."""
    world = acme.world
    acme.on(since=in_days(acme, 10))
    world.wait(SECOND)
    _, lea = joins(acme, "Lea")
    acme.off()
    assert isinstance(world.opens(lea, acme.id), Allow)
    assert acme.policy().at_once_until is None
    since = in_days(acme, 10)
    acme.on(since=since)
    assert bound_from(acme, lea) == since


def test_an_earlier_date_bites_at_once(acme: Acme) -> None:
    world = acme.world
    anas = world.session(acme.ana)
    acme.on(since=in_days(acme, 10))
    acme.on(since=in_days(acme, 10) - 10 * DAY + HOUR)
    assert isinstance(world.opens(anas, acme.id), Allow)
    acme.on(since=world.clock.now() - DAY)
    assert isinstance(world.opens(anas, acme.id), Enrol)


def test_no_session_remembers_the_grace_it_began_in(acme: Acme) -> None:
    """Grace is in the workspace and the membership alone: a session of before, one of after and a new date agree."""
    world = acme.world
    sessions_before = {each.id: each for each in rows(world, "sessions")}
    before = world.session(acme.ana)
    acme.on(since=in_days(acme, 1))
    within = world.session(acme.ana)
    for by in (before, within):
        assert isinstance(world.opens(by, acme.id), Allow)
    acme.on()
    after = world.session(acme.ana)
    for by in (before, within, after):
        assert isinstance(world.opens(by, acme.id), Enrol)
    acme.off()
    for by in (before, within, after):
        assert isinstance(world.opens(by, acme.id), Allow)
    kept = {each.id: each for each in rows(world, "sessions") if each.id in sessions_before}
    assert {id: each._replace(recent_kind=None, recent_at=None) for id, each in kept.items()} == {
        id: each._replace(recent_kind=None, recent_at=None) for id, each in sessions_before.items()
    }


# --- in force, and off again ---


def test_off_takes_a_reason_of_everybody(acme: Acme) -> None:
    acme.on()
    for reason in (None, "", " \t\n", "x" * 301):
        refusal = acme.refused(Code.INVALID, "off", reason=reason)
        assert refusal.errors[0].field == "reason"
    assert not acme.off(reason="Too early").required
    assert not acme.off(reason=None).required, "what is off already needs none"


def test_a_scheduled_one_is_called_off_with_a_reason_too(acme: Acme) -> None:
    acme.on(since=in_days(acme, 3))
    acme.refused(Code.INVALID, "off", reason=None)
    assert not acme.off(reason="Not this year").required


def test_on_again_within_thirty_days_is_at_once(acme: Acme) -> None:
    world = acme.world
    acme.on()
    assert acme.off().at_once_until is not None
    for days in (0.01, 14, 40):
        refusal = acme.refused(Code.GRACE_USED, "on", since=in_days(acme, days))
        assert refusal.status == 409
        assert "at once" in refusal.detail
    acme.refused(Code.GRACE_USED, "on", operator("Otto"), since=in_days(acme, 14))
    assert acme.on().in_force
    acme.off()
    world.wait(30 * DAY - 5 * SECOND)
    acme.owner = world.signed_in(acme.dana, acme.app)
    acme.refused(Code.GRACE_USED, "on", since=in_days(acme, 14))
    world.wait(6 * SECOND)
    assert acme.policy().at_once_until is None
    acme.owner = world.signed_in(acme.dana, acme.app)
    assert not acme.on(since=in_days(acme, 14)).in_force


def test_a_mandate_that_came_by_its_date_was_in_force_too(acme: Acme) -> None:
    world = acme.world
    acme.on(since=in_days(acme, 1))
    world.wait(DAY)
    acme.owner = world.signed_in(acme.dana, acme.app)
    acme.refused(Code.MANDATE_IN_FORCE, "on", since=in_days(acme, 1))
    acme.off()
    acme.refused(Code.GRACE_USED, "on", since=in_days(acme, 1))


def test_a_schedule_called_off_in_between_does_not_make_it_forget(acme: Acme) -> None:
    acme.on()
    acme.off()
    until = acme.policy().at_once_until
    acme.world.wait(SECOND)
    acme.change(managed_by=ManagedBy.OWNERS)
    acme.off(reason=None)
    assert acme.policy().at_once_until == until


def test_off_ends_exceptions_and_withdraws_mails_and_one_event_says_so(acme: Acme) -> None:
    world = acme.world
    beta = world.workspace("beta", owner=acme.dana)
    acme.on(reason="An audit")
    exempt(acme.world, acme.id, acme.ana, until=in_days(acme, 5))
    exempt(acme.world, acme.id, acme.olga, until=in_days(acme, 5), approved=False)
    exempt(acme.world, acme.id, acme.adam, until=world.clock.now() - DAY)
    assert isinstance(world.opens(world.session(acme.ana), acme.id), Allow)

    def queue(tx: Any) -> None:
        for kind, workspace_id in (
            ("mandate_enrol", acme.id),
            ("mandate_ready", acme.id),
            ("ticket", acme.id),
        ):
            outbox.enqueue(tx, kind, {}, address="a@example.com", address_key="a", workspace_id=workspace_id)
        outbox.enqueue(tx, "mandate_enrol", {}, address="b@example.com", address_key="b", workspace_id=beta)

    world.write(queue)
    before = len(events(world))
    bound = rows(world, "authenticators")
    acme.off(reason="Rolled out too early")
    (event,) = events(world)[before:]
    assert event.event is Event.MANDATE_TURNED_OFF
    assert event.detail["reason"] == "Rolled out too early"
    assert (event.detail["exceptions_ended"], event.detail["mails_withdrawn"]) == (2, 2)
    waiting = [(each.kind, each.workspace_id) for each in rows(world, "outbox") if each.next_at is not None]
    assert sorted(waiting) == sorted([("ticket", acme.id), ("mandate_enrol", beta)])
    assert all(each.sealed is None for each in rows(world, "outbox") if each.next_at is None)
    assert {each.exempt_until for each in rows(world, "teammates")} == {None}
    assert rows(world, "authenticators") == bound, "people keep what they have"
    acme.on()
    assert isinstance(world.opens(world.session(acme.ana), acme.id), Enrol), "an exception does not come back"
