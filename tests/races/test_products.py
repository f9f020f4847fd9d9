"""Law 4 for products: a start link and a one-time code are good once; a person seen by many workers is made once."""

from functools import partial

import pytest

from nightlatch.actions import app_flows, people
from nightlatch.actions.app_flows import Granted, Replayed, Started
from nightlatch.actions.by import By
from nightlatch.actions.people import App, Person, Place
from nightlatch.actions.tokens import new_token
from nightlatch.addresses import parse
from nightlatch.refusals import Code
from nightlatch.store.engine import Store
from nightlatch.vocabulary import Credential, Role
from tests.races.arena import Arena
from tests.support.product import RETURN_URL, register
from tests.support.tables import rows
from tests.support.world import World

pytestmark = [pytest.mark.race, pytest.mark.slow]
TRIES = 50
VISITOR = By("visitor", None, "")
STATE = "s" * 32


def product(world: World) -> App:
    app_id, _ = register(world)
    return App(app_id, "acme", "Acme Notes", {role.value: role for role in Role}, RETURN_URL)


def somebody(id: str = "ana", role: Role = Role.MEMBER) -> Person:
    return Person(id, parse(f"{id}@people.example"), id.title(), "w1", "Team", role)


def note(store: Store, app: App, person: Person) -> Place:
    """What a check does for somebody new."""
    return store.write_now(lambda tx: people.note_person(tx, app=app, person=person))


def start(store: Store, link: str) -> Started:
    """A start link, opened in a browser of its own."""
    return store.write_now(lambda tx: app_flows.start(tx, by=VISITOR, link=link, token=new_token()))


def redeem(store: Store, app: App, code: str) -> Granted | Replayed:
    """A one-time code, exchanged."""
    return store.write_now(
        lambda tx: app_flows.redeem(tx, by=app.by, app_id=app.id, code=code, state=STATE, token=new_token())
    )


def link_of(world: World, app: App, place: Place) -> str:
    return app_flows.start_link(
        world.keys,
        app=app,
        place=place,
        signed_in_at=None,
        session_id=None,
        state=STATE,
        max_age=None,
        opens=None,
        now=world.clock.now(),
    )


def code_of(world: World, app: App, place: Place) -> str:
    link = link_of(world, app, place)
    started = world.write(lambda tx: app_flows.start(tx, by=VISITOR, link=link, token=new_token()))
    by = By("account", place.account_id, "Ana", token_hash=started.token.hash, credential=Credential.COOKIE)
    back = world.write(
        lambda tx: app_flows.go_back(tx, by=by, workspace_id=place.workspace_id, handoff_id=None)
    )
    assert back is not None
    return back.code


def test_somebody_new_is_made_once_however_many_workers_see_them(arena: Arena) -> None:
    app = product(arena.world)
    people_seen = [somebody("ana"), somebody("bob", Role.ADMIN)]
    told = arena.race([partial(note, app=app, person=people_seen[each % 2]) for each in range(TRIES)])
    assert told == {"Place": TRIES}
    assert len(rows(arena.world, "accounts")) == 2
    assert len(rows(arena.world, "workspaces")) == 1
    assert sorted(row.role for row in rows(arena.world, "teammates")) == ["member", "owner"]


def test_one_start_link_begins_one_session(arena: Arena) -> None:
    app = product(arena.world)
    place = note(arena.world.store, app, somebody())
    link = link_of(arena.world, app, place)
    told = arena.race([partial(start, link=link) for _ in range(TRIES)])
    assert told == {"Started": 1, Code.ALREADY_USED: TRIES - 1}
    assert len(rows(arena.world, "sessions")) == 1


def test_one_code_is_one_grant_and_a_replay_ends_it(arena: Arena) -> None:
    app = product(arena.world)
    place = note(arena.world.store, app, somebody())
    code = code_of(arena.world, app, place)
    told = arena.race([partial(redeem, app=app, code=code) for _ in range(TRIES)])
    assert told == {"Granted": 1, "Replayed": TRIES - 1}
    assert [row.ended_at is not None for row in rows(arena.world, "grants")] == [True]
