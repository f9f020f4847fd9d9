"""The operator ends every session, API token and grant: of the installation, or for one workspace (break-glass)."""

import pytest

from nightlatch.actions.by import By, operator
from nightlatch.actions.sessions_end import end_sessions
from nightlatch.decision import Allow
from nightlatch.refusals import Code, Refused
from nightlatch.store.session_facts import read_known
from nightlatch.vocabulary import Event
from tests.support.events import events
from tests.support.letters import letters
from tests.support.tables import everything, rows
from tests.support.world import World


def test_of_one_workspace_nothing_proved_before_counts_there(world: World) -> None:
    dana = world.person("Dana")
    app, _ = world.bind_totp(dana)
    acme, beta = world.workspace("acme", owner=dana), world.workspace("beta", owner=dana)
    by = world.signed_in(dana, app)
    ended = world.write(
        lambda tx: end_sessions(tx, by=operator("Root"), workspace_id=acme, reason="A laptop was stolen")
    )
    assert ended["sessions"] == 1
    assert not isinstance(world.opens(by, acme), Allow)
    assert isinstance(world.opens(by, beta), Allow), "law 7"
    assert isinstance(world.opens(world.signed_in(dana, app), acme), Allow)
    (told,) = letters(world, "break_glass")
    assert (told.to, told.values["operator"], told.values["reason"]) == (
        dana.email,
        "Root",
        "A laptop was stolen",
    )
    (event,) = [each for each in events(world) if each.event is Event.SESSIONS_ENDED]
    assert (event.workspace_id, event.actor[0]) == (acme, "operator")


def test_of_all_everybody_signs_in_anew(world: World) -> None:
    dana, ben = world.person("Dana"), world.person("Ben")
    world.workspace("acme", owner=dana, member=ben)
    world.workspace("beta", owner=ben)
    sessions = [world.session(dana), world.session(ben)]
    ended = world.write(
        lambda tx: end_sessions(tx, by=operator("Root"), workspace_id=None, reason="Keys leaked")
    )
    assert ended == {"sessions": 2, "tokens": 0, "grants": 0}
    for by in sessions:
        known = world.read(lambda tx, by=by: read_known(tx, by.token_hash, by.credential))  # type: ignore[misc]
        assert known.session is None
    assert {each.to for each in letters(world, "break_glass")} == {dana.email, ben.email}
    told = [each.workspace_id for each in events(world) if each.event is Event.SESSIONS_ENDED]
    assert len(told) == 3
    assert None in told


def test_it_takes_an_operator_and_a_reason(world: World) -> None:
    dana = world.person("Dana")
    acme = world.workspace("acme", owner=dana)
    by: By = world.session(dana)
    before = everything(world)
    for who, reason, code in ((by, "x", Code.NOT_FOUND), (operator("Root"), " ", Code.INVALID)):
        with pytest.raises(Refused) as refusal:
            world.write(
                lambda tx, who=who, reason=reason: end_sessions(  # type: ignore[misc]
                    tx, by=who, workspace_id=acme, reason=reason
                )
            )
        assert refusal.value.code is code
    assert everything(world) == before
    assert rows(world, "sessions")
