"""Asking the admins for help: who is told what, how often, and what closes it."""

import pytest

from nightlatch.actions import help as asking
from nightlatch.actions import help_closing, teammates
from nightlatch.actions.by import By
from nightlatch.instants import HOUR, MINUTE
from nightlatch.refusals import Code, Refused
from nightlatch.store import standing
from nightlatch.store import teammates as store_teammates
from nightlatch.store.engine import Transaction
from nightlatch.vocabulary import Event, Role
from tests.support.events import events
from tests.support.letters import letters
from tests.support.lost import bind_codes, is_open, not_me, press_not_me, show_code, show_recovery_code
from tests.support.tables import everything, rows
from tests.support.world import Person, World


class Acme:
    """An owner, two admins and a member, all with 2FA."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.dana, self.adam, self.alma, self.ana = map(world.person, ("Dana", "Adam", "Alma", "Ana"))
        self.id = world.workspace("acme", owner=self.dana, admin=[self.adam, self.alma], member=self.ana)
        self.seeds = {each.id: world.bind_totp(each) for each in (self.dana, self.adam, self.alma, self.ana)}

    def has_admins(self, *names: str) -> None:
        """More of them, without 2FA."""
        for person in map(self.world.person, names):

            def body(tx: Transaction, person: Person = person) -> None:
                store_teammates.join(tx, workspace_id=self.id, account_id=person.id, role=Role.ADMIN)
                standing.refresh(tx, person.id)

            self.world.write(body)

    def ask(self, by: By, workspace_id: int | None = None) -> list[asking.Asked]:
        return self.world.write(lambda tx: asking.ask(tx, by=by, workspace_id=workspace_id))

    def calls(self, by: By) -> list[asking.Call]:
        return self.world.read(lambda tx: asking.calls(tx, by=by, workspace_id=self.id))

    def half(self, person: Person) -> By:
        return self.world.session(person, ip="203.0.113.9")

    def full(self, person: Person) -> By:
        return self.world.signed_in(person, self.seeds[person.id][0])

    def mailed(self, kind: str = "help_requested") -> set[str]:
        return {each.to for each in letters(self.world, kind)}


@pytest.fixture
def acme(world: World) -> Acme:
    return Acme(world)


def last_event(world: World, event: Event) -> dict[str, object]:
    (told,) = [each for each in events(world) if each.event is event]
    assert told.workspace_id is not None
    return told.detail


def test_the_admins_are_warned_and_the_person_is_told(acme: Acme) -> None:
    show_code(acme.world, acme.world.session(acme.ana), acme.seeds[acme.ana.id][1])
    acme.world.wait(2 * HOUR + MINUTE)
    (asked,) = acme.ask(acme.half(acme.ana))
    assert (asked.slug, asked.now) == ("acme", True)
    assert acme.mailed() == {acme.dana.email, acme.adam.email, acme.alma.email}
    assert acme.mailed("help_asked") == {acme.ana.email}
    (call,) = acme.calls(acme.full(acme.adam))
    assert (call.name, call.ip, call.may_reset) == ("Ana", "203.0.113.9", True)
    assert call.app_used_at is not None
    assert 2 * HOUR <= call.asked_at - call.app_used_at < 3 * HOUR
    assert last_event(acme.world, Event.HELP_REQUESTED)


def test_those_are_told_who_can_get_in(acme: Acme) -> None:
    """While 2FA is required, an admin without it could do nothing; told nevertheless where there is nobody else."""
    acme.has_admins("Bob")
    acme.world.require(acme.id)
    acme.ask(acme.half(acme.ana))
    assert acme.mailed() == {acme.dana.email, acme.adam.email, acme.alma.email}


def test_a_call_is_no_flood(acme: Acme) -> None:
    """Of many admins twenty are told, owners first."""
    acme.has_admins(*(f"Admin{number}" for number in range(asking.MOST_TOLD)))
    acme.ask(acme.half(acme.ana))
    told = acme.mailed()
    assert len(told) == asking.MOST_TOLD
    assert acme.dana.email in told


def test_it_goes_by_rank(acme: Acme) -> None:
    """An admin is reset by an owner; an owner by an admin or owner; nobody by themself."""
    acme.ask(acme.half(acme.adam))
    assert acme.mailed() == {acme.dana.email}
    (call,) = acme.calls(acme.full(acme.alma))
    assert not call.may_reset
    acme.ask(acme.half(acme.dana))
    assert acme.mailed() == {acme.dana.email, acme.adam.email, acme.alma.email}
    assert {each.name: each.may_reset for each in acme.calls(acme.full(acme.dana))} == {
        "Adam": True,
        "Dana": False,
    }


def test_asking_changes_no_decision(acme: Acme) -> None:
    half = acme.half(acme.ana)
    before = acme.world.opens(half, acme.id)
    acme.ask(half)
    assert acme.world.opens(half, acme.id) == before


def test_once_a_day_for_a_person_and_workspace(acme: Acme) -> None:
    half = acme.half(acme.ana)
    acme.ask(half)
    before = everything(acme.world)
    with pytest.raises(Refused) as refused:
        acme.ask(acme.half(acme.ana))
    assert refused.value.code is Code.TOO_MANY_ATTEMPTS
    before.pop("sessions", None), before.pop("proofs", None)
    after = everything(acme.world)
    assert {name: after[name] for name in ("help_requests", "outbox", "audit_events")} == {
        name: before[name] for name in ("help_requests", "outbox", "audit_events")
    }
    acme.world.wait(24 * HOUR)
    (asked,) = acme.ask(acme.half(acme.ana))
    assert asked.now


def test_closed_calls_still_count_against_a_flood(acme: Acme) -> None:
    acme.ask(acme.half(acme.ana))
    show_code(acme.world, acme.world.session(acme.ana), acme.seeds[acme.ana.id][1])
    with pytest.raises(Refused):
        acme.ask(acme.half(acme.ana))


def test_a_second_step_closes_it_whatever_the_method(acme: Acme) -> None:
    _, codes = bind_codes(acme.world, acme.ana)
    acme.ask(acme.half(acme.ana))
    show_recovery_code(acme.world, acme.world.session(acme.ana), codes[0].text)
    assert acme.calls(acme.full(acme.adam)) == []
    assert last_event(acme.world, Event.HELP_CLOSED) | {"request": ""} == {
        "request": "",
        "why": "used",
        "method": "recovery_code",
    }


def test_contesting_closes_it_tells_the_admins_and_ends_the_sessions(acme: Acme) -> None:
    thief = acme.half(acme.ana)
    acme.ask(thief)
    press_not_me(acme.world, not_me(acme.world, "help_asked"))
    assert acme.calls(acme.full(acme.adam)) == []
    assert acme.mailed("help_contested") == {acme.dana.email, acme.adam.email, acme.alma.email}
    assert acme.world.known(thief).session is None
    assert last_event(acme.world, Event.HELP_CLOSED)["why"] == "contested"
    me = show_code(acme.world, acme.world.session(acme.ana), acme.seeds[acme.ana.id][1])
    assert is_open(acme.world, me, acme.id), "what is bound is as it was"


def test_an_admin_sets_it_aside_once(acme: Acme) -> None:
    acme.ask(acme.half(acme.ana))
    admin = acme.full(acme.adam)
    (call,) = acme.calls(admin)

    def dismiss(tx: Transaction) -> None:
        asking.dismiss(tx, by=admin, workspace_id=acme.id, request_id=call.id)

    acme.world.write(dismiss)
    assert last_event(acme.world, Event.HELP_CLOSED)["why"] == "dismissed"
    with pytest.raises(Refused) as refused:
        acme.world.write(dismiss)
    assert refused.value.code is Code.ALREADY_USED
    with pytest.raises(Refused):
        acme.calls(acme.full(acme.ana))


def test_a_reset_and_leaving_close_it(acme: Acme) -> None:
    from nightlatch.actions import resets

    acme.ask(acme.half(acme.ana))
    owner = acme.full(acme.dana)
    (teammate,) = [each.id for each in rows(acme.world, "teammates") if each.account_id == acme.ana.id]
    acme.world.write(
        lambda tx: resets.disable_two_factor(
            tx, by=owner, workspace_id=acme.id, teammate_id=teammate, reason="Lost", recognised_by="phone"
        )
    )
    assert last_event(acme.world, Event.HELP_CLOSED)["why"] == "reset"
    acme.ask(acme.half(acme.adam))
    (adams,) = [each.id for each in rows(acme.world, "teammates") if each.account_id == acme.adam.id]
    acme.world.write(lambda tx: teammates.remove(tx, by=owner, workspace_id=acme.id, teammate_id=adams))
    assert {each.closed_by for each in rows(acme.world, "help_requests")} == {"reset", "gone"}


def test_every_workspace_that_waits_is_asked_and_each_hears_of_itself(world: World) -> None:
    ana, dana, otto = world.person("Ana"), world.person("Dana"), world.person("Otto")
    acme = world.workspace("acme", owner=dana, member=ana)
    beta = world.workspace("beta", owner=otto, member=ana)
    world.bind_totp(ana)
    half = world.session(ana)
    asked = world.write(lambda tx: asking.ask(tx, by=half))
    assert {each.workspace_id for each in asked} == {acme, beta}
    told = {each.to: str(each.values) for each in letters(world, "help_requested")}
    assert "Acme" in told[dana.email]
    assert "Beta" not in told[dana.email]
    assert "Beta" in told[otto.email]
    assert "Acme" not in told[otto.email]
    closed = world.write(
        lambda tx: help_closing.closed(tx, by=half, account_id=ana.id, workspace_id=acme, why="gone")
    )
    assert closed == [acme]


def test_where_nobody_could_help_it_says_so(world: World) -> None:
    dana = world.person("Dana")
    acme = world.workspace("acme", owner=dana)
    world.bind_totp(dana)
    half = world.session(dana)
    with pytest.raises(Refused) as refused:
        world.write(lambda tx: asking.ask(tx, by=half, workspace_id=acme))
    assert refused.value.code is Code.CONFLICT
    assert refused.value.way_out is not None
    assert refused.value.way_out.path == "/help"
    assert not rows(world, "help_requests")


def test_it_takes_the_first_factor(world: World) -> None:
    nobody = By("visitor", None, "", "203.0.113.9", "test")
    with pytest.raises(Refused) as refused:
        world.write(lambda tx: asking.ask(tx, by=nobody))
    assert refused.value.code is Code.SIGN_IN_REQUIRED
