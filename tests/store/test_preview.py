"""Whom a mandate would meet, and who is at work."""

from nightlatch.facts import reach_of
from nightlatch.instants import DAY, MINUTE
from nightlatch.policy import Acceptance, SsoRule, Told
from nightlatch.store import preview, preview_sso, sessions, workspaces
from nightlatch.store.engine import Transaction
from nightlatch.vocabulary import Credential, Method
from tests.support.crowd import Mate, add
from tests.support.signing_on import a_connection, come, connected, rule, who
from tests.support.switch import exempt
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


def test_who_comes_by_single_sign_on_is_told_by_connection_and_rule(world: World) -> None:
    """Each by what a mandate would mean for them; of nobody else, and of no other workspace's connection."""
    people = [world.person(name) for name in ("Dana", "Ana", "Ben", "Eve", "Fay", "Zoe")]
    dana, ana, ben, eve, fay, zoe = people
    acme = world.workspace("acme", owner=dana, member=[ana, ben, eve, fay, zoe])
    beta = world.workspace("beta", owner=dana)
    world.bind_totp(dana)
    okta, entra = a_connection(world, acme), a_connection(world, acme, name="Entra")
    elsewhere = a_connection(world, beta, name="Google")
    rule(world, entra, Acceptance(SsoRule.ACCEPT, frozenset({"mfa"})))
    for person, connection in [
        (dana, okta),
        (ana, okta),
        (ana, entra),
        (ben, entra),
        (eve, okta),
        (fay, elsewhere),
    ]:
        connected(world, person, connection)
    exempt(world, acme, eve, until=world.clock.now() + DAY)
    come(world, entra, who("Ben", told=Told(amr=frozenset({"mfa"}))))

    by_entra, by_okta = world.read(lambda tx: preview_sso.by_connection(tx, acme))
    assert (by_okta.name, by_okta.acceptance.rule) == ("Okta", SsoRule.ASK)
    assert by_okta.people == preview.Group(3, ("Ana", "Dana", "Eve"))
    assert (by_okta.set_up, by_okta.by_sso, by_okta.will_be_asked) == (1, 0, 1)
    assert (by_entra.name, by_entra.acceptance.rule) == ("Entra", SsoRule.ACCEPT)
    assert by_entra.people == preview.Group(2, ("Ana", "Ben"))
    assert (by_entra.set_up, by_entra.by_sso, by_entra.will_be_asked) == (0, 1, 1)

    found = world.read(lambda tx: preview_sso.connections_of(tx, acme, "a", "ezzz"))
    assert sorted([row.name for row in rows] for rows in found.values()) == [
        ["Entra"],
        ["Entra", "Okta"],
        ["Okta"],
        ["Okta"],
    ]
    assert world.read(lambda tx: preview_sso.connections_of(tx, beta, "e", "f")) == {}


def test_who_came_by_what_is_enough_is_no_exception_beside(world: World) -> None:
    """Somebody with an exception who came by single sign-on stands in one group, and nobody is missing from another."""
    dana, ana, ben = (world.person(name) for name in ("Dana", "Ana", "Ben"))
    acme = world.workspace("acme", owner=dana, member=[ana, ben])
    okta = a_connection(world, acme)
    connected(world, ana, okta)
    rule(world, okta, Acceptance(SsoRule.EXEMPT, exempt_until=world.clock.now() + DAY))
    come(world, okta, who("Ana"))
    exempt(world, acme, ana, until=world.clock.now() + DAY)
    found = world.read(lambda tx: preview.preview(tx, acme))
    assert (found.by_sso.names, found.exempt.names) == (("Ana",), ())
    assert found.will_be_asked == preview.Group(2, ("Ben", "Dana"))
