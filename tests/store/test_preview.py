"""Whom a mandate would meet, and who is at work."""

from nightlatch.facts import reach_of
from nightlatch.instants import MINUTE
from nightlatch.store import preview, sessions, workspaces
from nightlatch.store.engine import Transaction
from nightlatch.vocabulary import Credential, Method
from tests.support.crowd import Mate, add
from tests.support.world import Person, World


def test_a_preview_says_how_many_and_names_fifty(world):
    acme = world.write(lambda tx: workspaces.create(tx, slug="acme", name="Acme"))
    add(
        world,
        acme,
        [Mate(f"On {number:02}", f"on{number}@example.com", state="on") for number in range(60)]
        + [
            Mate("Zoe", "zoe@example.com"),
            Mate("ana", "ana@example.com", state="reset"),
            Mate("Émile", "e@example.com"),
        ]
        + [Mate("", f"invited{number}@example.com", status="invited") for number in range(3)],
    )
    found = world.read(lambda tx: preview.preview(tx, acme))
    assert found.set_up.count == 60
    assert found.set_up.names == tuple(f"On {number:02}" for number in range(50))
    assert (found.will_be_asked.count, found.will_be_asked.names) == (3, ("ana", "Émile", "Zoe"))
    assert found.invited.count == 3
    assert found.invited.names[0] == "invited0@example.com"


def test_a_preview_of_nobody(world):
    acme = world.write(lambda tx: workspaces.create(tx, slug="acme", name="Acme"))
    found = world.read(lambda tx: preview.preview(tx, acme))
    assert (found.set_up.count, found.will_be_asked.count, found.invited.count) == (0, 0, 0)
    assert world.read(lambda tx: preview.working_now(tx, acme)) == 0


def _working(world: World, workspace_id: int) -> int:
    return world.read(lambda tx: preview.working_now(tx, workspace_id))


def _pending(world: World, person: Person) -> None:
    def body(tx: Transaction) -> None:
        id = sessions.create(
            tx,
            account_id=person.id,
            kind=Credential.COOKIE,
            token_hash=person.name.encode(),
            ip="",
            user_agent="",
            pending=True,
        )
        sessions.add_proof(tx, id, Method.PASSWORD)

    world.write(body)


def test_those_at_work_without_2fa_are_counted_once(world):
    people = [world.person(name) for name in ("Dana", "Ana", "Ben", "Eve", "Fay", "Zoe")]
    dana, ana, ben, eve, fay, zoe = people
    acme = world.workspace("acme", owner=dana, member=[ana, ben, eve, fay])
    other = world.workspace("other", owner=zoe)
    for each in (dana, ana, ana, ben, zoe):
        world.session(each)
    _pending(world, fay)
    assert _working(world, acme) == 3
    assert _working(world, other) == 1
    world.bind_totp(dana)
    assert _working(world, acme) == 2
    world.bind_totp(ben, reach_of(other))  # 2FA somewhere else is none here
    assert _working(world, acme) == 2
    world.write(lambda tx: sessions.end_others(tx, ana.id, None))
    assert _working(world, acme) == 1
    world.wait(16 * MINUTE)
    assert _working(world, acme) == 0
    world.session(eve)
    assert _working(world, acme) == 1
