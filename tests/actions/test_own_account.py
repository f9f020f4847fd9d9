"""A person's own name and sessions."""

from dataclasses import replace

import pytest

from nightlatch.actions import profile, sessions
from nightlatch.actions.by import By
from nightlatch.actions.tokens import new_token
from nightlatch.decision import Allow, Challenge
from nightlatch.facts import reach_of
from nightlatch.instants import DAY, HOUR, MINUTE
from nightlatch.refusals import Code, Refused
from nightlatch.store import sessions as store_sessions
from nightlatch.vocabulary import Credential, Event
from tests.support.events import events
from tests.support.tables import everything, rows
from tests.support.world import World


def refused(code: Code):
    return pytest.raises(Refused, match=f"^{code}:")


def session_id(world: World, by: By) -> int:
    session = world.known(by).session
    assert session is not None
    return session.id


def test_a_new_name_shows_everywhere(world):
    ana = world.person("Ana")
    acme, other = world.workspace("acme", owner=ana), world.workspace("other", member=ana)
    anas = world.session(ana)
    assert world.write(lambda tx: profile.rename(tx, by=anas, name="  Ana   Ruiz ")) == "Ana Ruiz"
    assert {each.name for each in rows(world, "standing")} == {"Ana Ruiz"}
    own, *told = events(world, subject=ana.id)
    assert (own.event, own.workspace_id, own.detail) == (Event.ACCOUNT_RENAMED, None, {"former_name": "Ana"})
    assert {each.event for each in told} == {Event.TEAMMATE_CHANGED}
    assert {each.subject[2] for each in told} == {"Ana Ruiz"}
    assert {each.workspace_id for each in told} == {acme, other}
    world.write(lambda tx: profile.rename(tx, by=anas, name="Ana Ruiz"))
    assert len(events(world, subject=ana.id)) == 3


def test_a_bad_name_changes_nothing(world):
    anas = world.session(world.person("Ana"))
    before = everything(world)
    with refused(Code.INVALID):
        world.write(lambda tx: profile.rename(tx, by=anas, name="\x00"))
    assert everything(world) == before


def test_renaming_takes_what_the_account_takes(world):
    ana = world.person("Ana")
    acme = world.workspace("acme", owner=ana)
    world.bind_totp(ana, reach_of(acme))
    anas = world.session(ana)
    with refused(Code.SECOND_FACTOR_REQUIRED):
        world.write(lambda tx: profile.rename(tx, by=anas, name="Mallory"))


def test_own_sessions_are_listed_this_one_first(world):
    ana, ben = world.person("Ana"), world.person("Ben")
    first = world.session(ana, ip="192.0.2.1")
    world.wait(HOUR)
    second = world.session(ana, ip="192.0.2.2")
    world.session(ben)
    listed = world.read(lambda tx: sessions.own(tx, by=first))
    assert [(each.ip, each.current, each.pending) for each in listed] == [
        ("192.0.2.1", True, False),
        ("192.0.2.2", False, False),
    ]
    listed = world.read(lambda tx: sessions.own(tx, by=second))
    assert [each.ip for each in listed if each.current] == ["192.0.2.2"]
    world.wait(DAY - HOUR)
    resumed = world.session(ana)
    assert len(world.read(lambda tx: sessions.own(tx, by=resumed))) == 2


def test_one_that_waits_for_its_second_step_is_shown_as_such_until_it_is_over(world):
    ana = world.person("Ana")
    anas = world.session(ana)
    world.write(
        lambda tx: store_sessions.create(
            tx,
            account_id=ana.id,
            kind=Credential.BEARER,
            token_hash=new_token().hash,
            ip="203.0.113.9",
            user_agent="",
            pending=True,
        )
    )
    listed = world.read(lambda tx: sessions.own(tx, by=anas))
    assert [(each.kind, each.pending) for each in listed] == [
        (Credential.COOKIE, False),
        (Credential.BEARER, True),
    ]
    world.wait(10 * MINUTE)
    assert len(world.read(lambda tx: sessions.own(tx, by=anas))) == 1


def test_an_ended_session_is_over_at_once(world):
    ana = world.person("Ana")
    acme = world.workspace("acme", owner=ana)
    here, there = world.session(ana), world.session(ana)
    assert isinstance(world.opens(there, acme), Allow)
    ended = session_id(world, there)
    world.write(lambda tx: sessions.end(tx, by=here, session_id=ended))
    assert world.known(there).session is None
    assert world.known(here).session is not None
    assert events(world, subject=ana.id)[-1].event is Event.SESSION_ENDED
    with refused(Code.NOT_FOUND):
        world.write(lambda tx: sessions.end(tx, by=here, session_id=ended))


def test_nobody_ends_the_session_of_another(world):
    """F30."""
    ana, ben = world.person("Ana"), world.person("Ben")
    anas, bens = world.session(ana), world.session(ben)
    theirs = session_id(world, anas)
    before = everything(world)
    with refused(Code.NOT_FOUND):
        world.write(lambda tx: sessions.end(tx, by=bens, session_id=theirs))
    with refused(Code.SIGN_IN_REQUIRED):
        world.write(lambda tx: sessions.end_others(tx, by=replace(bens, token_hash=b"x" * 32)))
    assert everything(world) == before
    assert world.write(lambda tx: sessions.end_others(tx, by=bens)) == 0
    assert world.known(anas).session is not None


def test_all_others_end_each_with_its_event(world):
    ana = world.person("Ana")
    here, *others = (world.session(ana) for _ in range(4))
    assert world.write(lambda tx: sessions.end_others(tx, by=here)) == 3
    assert world.known(here).session is not None
    assert all(world.known(each).session is None for each in others)
    assert [each.event for each in events(world, subject=ana.id)] == [Event.SESSION_ENDED] * 3


def test_a_session_that_waits_for_its_second_step_ends_no_other(world):
    ana = world.person("Ana")
    acme = world.workspace("acme", owner=ana)
    app, _ = world.bind_totp(ana)
    full, half = world.signed_in(ana, app), world.session(ana)
    assert isinstance(world.opens(half, acme), Challenge)
    with refused(Code.SECOND_FACTOR_REQUIRED):
        world.write(lambda tx: sessions.end_others(tx, by=half))
    with refused(Code.SECOND_FACTOR_REQUIRED):
        world.read(lambda tx: sessions.own(tx, by=half))
    assert world.known(full).session is not None
