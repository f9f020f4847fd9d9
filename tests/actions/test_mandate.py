"""The switch: who may turn it, when it bites, and that somebody can always open."""

from typing import Any

import pytest

from nightlatch.actions import authenticators, kinds, mandate, previewing, teammates
from nightlatch.actions.by import By, operator
from nightlatch.decision import Allow, Challenge, Enrol
from nightlatch.instants import DAY, HOUR, MINUTE, from_text
from nightlatch.policy import ManagedBy
from nightlatch.refusals import Code, Refused
from nightlatch.store import teammates as store_teammates
from nightlatch.vocabulary import Event, Role
from tests.support.events import events
from tests.support.letters import letters
from tests.support.races import at_once
from tests.support.switch import Acme
from tests.support.tables import everything, rows
from tests.support.world import World


@pytest.fixture
def acme(world: World) -> Acme:
    return Acme(world)


def campaigns(world: World) -> list[Any]:
    return [each for each in rows(world, "campaigns") if each.done_at is None]


def test_it_is_off_by_default(acme: Acme) -> None:
    policy = acme.policy(acme.world.session(acme.ana))
    assert (policy.required, policy.in_force, policy.managed_by) == (False, False, ManagedBy.ADMINS)


def test_turned_on_it_bites_the_next_request_of_every_session(acme: Acme) -> None:
    """F40, laws 2 and 3: live sessions, whatever they were before."""
    world = acme.world
    anas, danas, unproved = world.session(acme.ana), acme.owner, world.session(acme.dana)
    assert isinstance(world.opens(anas, acme.id), Allow)
    policy = acme.on(reason="An audit")
    assert policy.in_force
    assert isinstance(world.opens(anas, acme.id), Enrol)
    assert isinstance(world.decides(anas, kinds.USE.at(acme.id)), Enrol)
    assert isinstance(world.opens(danas, acme.id), Allow)
    assert isinstance(world.opens(unproved, acme.id), Challenge)


def test_it_says_who_turned_what_and_why(acme: Acme) -> None:
    policy = acme.on(reason="An audit")
    (event,) = events(acme.world)
    assert event.event is Event.MANDATE_TURNED_ON
    assert event.actor == ("account", acme.dana.id, "Dana")
    assert event.workspace_id == acme.id
    assert policy.required_from is not None
    assert from_text(event.detail.pop("required_from")) == policy.required_from
    assert event.detail == {
        "before": None,
        "managed_by": "admins",
        "reason": "An audit",
        "revision": 2,
    }
    assert (policy.changed_by, policy.changed_at, policy.revision) == ("Dana", policy.required_from, 2)


def test_admins_turn_it_too_and_members_do_not(acme: Acme) -> None:
    world = acme.world
    app, _ = world.bind_totp(acme.ana)
    acme.refused(Code.NOT_PERMITTED, "on", world.signed_in(acme.ana, app))
    assert acme.on(acme.admin).in_force
    assert not acme.off(acme.admin).required


def test_a_stranger_finds_nothing(acme: Acme) -> None:
    world = acme.world
    eve = world.person("Eve")
    app, _ = world.bind_totp(eve)
    world.workspace("other", owner=eve)
    acme.refused(Code.NOT_FOUND, "on", world.signed_in(eve, app))
    with pytest.raises(Refused) as refusal:
        acme.policy(world.signed_in(eve, app))
    assert refusal.value.code is Code.NOT_FOUND


def test_it_takes_fresh_proof(acme: Acme) -> None:
    acme.world.wait(11 * MINUTE)
    acme.refused(Code.STEP_UP_REQUIRED, "on")


def test_one_without_2fa_does_not_turn_it_on(acme: Acme) -> None:
    refusal = acme.refused(Code.NOT_ENROLLED, "on", acme.world.session(acme.olga))
    assert refusal.way_out is not None
    assert refusal.way_out.path == "/set-up?workspace=acme"


def test_not_while_no_owner_has_2fa(acme: Acme) -> None:
    world = acme.world
    world.write(lambda tx: authenticators.unbind(tx, by=acme.owner, authenticator_id=acme.app))
    acme.refused(Code.NOT_ENROLLED, "on", acme.admin)
    acme.refused(Code.NOT_ENROLLED, "on", operator("Op"), reason="Asked to")


def test_with_a_date_it_waits_for_it_and_the_instant_alone_decides(acme: Acme) -> None:
    world = acme.world
    anas = world.session(acme.ana)
    since = world.clock.now() + 3 * HOUR
    policy = acme.on(since=since)
    assert (policy.required_from, policy.in_force) == (since, False)
    assert [each.event for each in events(world)] == [Event.MANDATE_SCHEDULED]
    assert isinstance(world.opens(anas, acme.id), Allow)
    world.wait(3 * HOUR)
    assert isinstance(world.opens(anas, acme.id), Enrol)
    assert acme.policy().in_force


def test_a_date_moves_until_it_has_come(acme: Acme) -> None:
    now = acme.world.clock.now()
    acme.on(since=now + DAY)
    assert acme.on(since=now + 2 * DAY).required_from == now + 2 * DAY
    assert acme.on(since=now + HOUR).required_from == now + HOUR
    assert acme.on().in_force
    refusal = acme.refused(Code.MANDATE_IN_FORCE, "on", since=now + DAY)
    assert "switch it off" in refusal.detail
    assert not acme.off().required


def test_a_date_in_the_past_is_now(acme: Acme) -> None:
    before = acme.world.clock.now()
    policy = acme.on(since=before - DAY)
    assert policy.required_from is not None
    assert policy.required_from >= before


def test_the_same_again_changes_nothing(acme: Acme) -> None:
    first = acme.on()
    before = everything(acme.world)
    assert acme.on() == first
    assert acme.on(since=first.required_from) == first
    for table in ("workspaces", "audit_events", "campaigns", "outbox"):
        assert everything(acme.world)[table] == before[table]


def test_an_older_page_does_not_overwrite_a_newer_policy(acme: Acme) -> None:
    acme.on()
    acme.refused(Code.REVISION_CONFLICT, "off", if_revision=1)


def test_of_two_who_change_it_at_once_one_is_told(acme: Acme) -> None:
    results = at_once(lambda: acme.on(if_revision=1), lambda: acme.on(acme.admin, since=2**52, if_revision=1))
    assert [each.code for each in results if isinstance(each, Refused)] == [Code.REVISION_CONFLICT]
    assert acme.policy().revision == 2


def test_owners_may_keep_the_switch_for_themselves(acme: Acme) -> None:
    acme.refused(Code.NOT_PERMITTED, "change", acme.admin, managed_by=ManagedBy.OWNERS)
    policy = acme.change(managed_by=ManagedBy.OWNERS)
    assert (policy.managed_by, policy.revision) == (ManagedBy.OWNERS, 2)
    assert [each.event for each in events(acme.world)] == [Event.POLICY_CHANGED]
    acme.refused(Code.NOT_PERMITTED, "on", acme.admin)
    acme.refused(Code.NOT_PERMITTED, "change", operator("Op"), managed_by=ManagedBy.ADMINS, reason="x")
    assert acme.on().in_force


def test_every_change_queues_one_campaign(acme: Acme) -> None:
    world = acme.world
    acme.on()
    assert [(each.kind, each.revision) for each in campaigns(world)] == [("mandate_on", 2)]
    acme.change(managed_by=ManagedBy.OWNERS)  # what the running one says is still true
    assert [(each.kind, each.revision) for each in campaigns(world)] == [("mandate_on", 2)]
    acme.off()
    assert [(each.kind, each.revision) for each in campaigns(world)] == [("mandate_off", 4)]
    acme.off()
    assert len(campaigns(world)) == 1
    assert not letters(world)


def test_the_operator_turns_off_with_a_reason_and_every_owner_is_told(acme: Acme) -> None:
    world = acme.world
    acme.on()
    acme.refused(Code.INVALID, "off", operator("Otto"), reason="  ")
    acme.off(operator("Otto"), reason="Dana lost her phone")
    told = letters(world, "break_glass")
    assert {each.to for each in told} == {acme.dana.email, acme.olga.email}
    assert told[0].values["operator"] == "Otto"
    assert told[0].values["reason"] == "Dana lost her phone"
    last = events(world)[-1]
    assert (last.event, last.actor) == (Event.MANDATE_TURNED_OFF, ("operator", None, "Otto"))


def test_the_operator_turns_on_where_an_owner_has_2fa(acme: Acme) -> None:
    assert acme.on(operator("Otto")).in_force
    assert not letters(acme.world, "break_glass")


def test_what_the_page_says_before_it_is_turned(acme: Acme) -> None:
    def facts(by: By) -> previewing.PreviewFacts:
        return acme.world.read(lambda tx: previewing.preview_facts(tx, by=by, workspace_id=acme.id))

    shown = facts(acme.owner)
    assert (shown.owners, shown.enrolled_owners, shown.only_owner, shown.i_am_enrolled) == (2, 1, False, True)
    assert shown.last_delivered is None
    assert not facts(acme.world.session(acme.olga)).i_am_enrolled
    with pytest.raises(Refused):
        facts(acme.world.session(acme.ana))


def test_the_only_owner_is_told_so(world: World) -> None:
    dana = world.person("Dana")
    solo = world.workspace("solo", owner=dana)
    danas = world.session(dana)
    assert world.read(lambda tx: previewing.preview_facts(tx, by=danas, workspace_id=solo)).only_owner


# --- law 8: races, which SQLite would hide and PostgreSQL shows ---


def _enrolled_owners(world: World, workspace_id: int) -> list[int]:
    return world.read(lambda tx: store_teammates.enrolled_owners(tx, workspace_id))


def _turns_on_while(world: World, leaving: str) -> None:
    dana, olga = world.person("Dana"), world.person("Olga")
    acme = world.workspace(f"acme-{dana.id}", owner=[dana, olga])
    app, _ = world.bind_totp(dana)
    adam = world.person("Adam")
    world.write(lambda tx: store_teammates.join(tx, workspace_id=acme, account_id=adam.id, role=Role.ADMIN))
    adams, _ = world.bind_totp(adam)
    danas, admin = world.signed_in(dana, app), world.signed_in(adam, adams)
    me = world.known(danas).places
    assert me is not None

    def leave() -> None:
        if leaving == "unbind":
            world.write(lambda tx: authenticators.unbind(tx, by=danas, authenticator_id=app))
        elif leaving == "leave":
            world.write(lambda tx: teammates.leave(tx, by=danas, workspace_id=acme))
        else:
            world.write(
                lambda tx: teammates.change_role(
                    tx, by=danas, workspace_id=acme, teammate_id=me[acme].teammate_id, role=Role.MEMBER
                )
            )

    def turn_on() -> None:
        world.write(
            lambda tx: mandate.change_policy(
                tx,
                by=admin,
                workspace_id=acme,
                required=True,
                required_from=None,
                managed_by=ManagedBy.ADMINS,
                if_revision=1,
                reason=None,
            )
        )

    results = at_once(turn_on, leave)
    refusals = [each for each in results if isinstance(each, Exception)]
    assert all(isinstance(each, Refused) for each in refusals), refusals
    on = world.read(lambda tx: mandate.read_policy(tx, by=operator("Op"), workspace_id=acme)).required
    assert not on or _enrolled_owners(world, acme), f"nobody can open after {leaving}: {results}"
    assert len(refusals) == 1


@pytest.mark.race
@pytest.mark.parametrize("leaving", ["unbind", "leave", "demote"])
def test_it_is_never_on_without_an_enrolled_owner(world: World, leaving: str) -> None:
    """One turns it on while the last owner with 2FA stops being one: only one of the two happens."""
    for _ in range(15):
        _turns_on_while(world, leaving)
