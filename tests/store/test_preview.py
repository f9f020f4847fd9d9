"""Whom a mandate would meet, and who is at work."""

from nightlatch.actions.tokens import new_api_token
from nightlatch.decision import Allow
from nightlatch.facts import reach_of
from nightlatch.instants import DAY, MINUTE
from nightlatch.policy import Acceptance, SsoRule, Told
from nightlatch.store import api_tokens, preview, preview_sso, sessions, workspaces
from nightlatch.store.engine import Transaction
from nightlatch.store.preview import MOST_NAMES, Group
from nightlatch.store.preview_sso import ByConnection
from nightlatch.store.token_facts import read_known_token
from nightlatch.token_access import workspace_to_token
from nightlatch.vocabulary import Credential, Method, Scope
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
    exempt(world, acme, eve, until=world.clock.now() + DAY)  # her next click leads nowhere else
    assert _working(world, acme) == 0


def parts(each: ByConnection) -> dict[str, list[str]]:
    """The groups that somebody is in."""
    found = {what: getattr(each, what) for what in preview_sso.PARTS}
    assert all(group.count == len(group.names) for group in found.values())
    return {what: list(group.names) for what, group in found.items() if group.count}


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
    assert (by_okta.name, by_okta.rule, by_okta.people) == (
        "Okta",
        SsoRule.ASK,
        Group(3, ("Ana", "Dana", "Eve")),
    )
    assert parts(by_okta) == {"set_up": ["Dana"], "exempt": ["Eve"], "will_be_asked": ["Ana"]}
    assert (by_entra.name, by_entra.rule, by_entra.people) == (
        "Entra",
        SsoRule.ACCEPT,
        Group(2, ("Ana", "Ben")),
    )
    assert parts(by_entra) == {"by_sso": ["Ben"], "will_be_asked": ["Ana"]}

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
    assert found.will_be_asked == Group(2, ("Ben", "Dana"))


def test_who_came_by_one_connection_did_not_come_by_another(world: World) -> None:
    """Connected with two providers of different rules, somebody is told where they came."""
    dana, bo = world.person("Dana"), world.person("Bo")
    acme = world.workspace("acme", owner=dana, member=bo)
    okta, campus = a_connection(world, acme), a_connection(world, acme, name="Campus", kind="saml")
    rule(world, campus, Acceptance(SsoRule.ACCEPT, frozenset({"mfa"})))
    for connection in (okta, campus):
        connected(world, bo, connection)
    come(world, campus, who("Bo", told=Told(amr=frozenset({"mfa"}))))
    by_campus, by_okta = world.read(lambda tx: preview_sso.by_connection(tx, acme))
    assert (parts(by_campus), parts(by_okta)) == ({"by_sso": ["Bo"]}, {"otherwise": ["Bo"]})
    come(world, okta, who("Bo"))  # what he came by last is not enough
    by_campus, by_okta = world.read(lambda tx: preview_sso.by_connection(tx, acme))
    assert (parts(by_campus), parts(by_okta)) == ({"will_be_asked": ["Bo"]}, {"will_be_asked": ["Bo"]})


def test_an_exemption_that_is_over_asks_before_anybody_has_tidied_up(world: World) -> None:
    dana, leo = world.person("Dana"), world.person("Leo")
    acme = world.workspace("acme", owner=dana, member=leo)
    okta = a_connection(world, acme)
    connected(world, leo, okta)
    until = world.clock.now() + DAY
    rule(world, okta, Acceptance(SsoRule.EXEMPT, exempt_until=until))
    come(world, okta, who("Leo"))
    (found,) = world.read(lambda tx: preview_sso.by_connection(tx, acme))
    assert (found.rule, found.exempt_until, parts(found)) == (SsoRule.EXEMPT, until, {"by_sso": ["Leo"]})
    world.wait(DAY)
    (found,) = world.read(lambda tx: preview_sso.by_connection(tx, acme))
    assert (found.rule, found.exempt_until, parts(found)) == (SsoRule.ASK, None, {"will_be_asked": ["Leo"]})


def test_of_a_large_connection_the_first_fifty_are_named(world: World) -> None:
    """In every group, and of all of them together: in the order of names."""
    dana = world.person("Dana")
    people = [world.person(f"P{number:02}") for number in range(60)]
    acme = world.workspace("acme", owner=dana, member=people)
    okta = a_connection(world, acme)
    for number, each in enumerate(people):
        connected(world, each, okta)
        if number < 5:
            world.bind_totp(each)
    (found,) = world.read(lambda tx: preview_sso.by_connection(tx, acme))
    assert (found.people.count, found.set_up.count, found.will_be_asked.count) == (60, 5, 55)
    assert found.people.names == tuple(f"P{number:02}" for number in range(MOST_NAMES))
    assert found.will_be_asked.names == tuple(f"P{number:02}" for number in range(5, 5 + MOST_NAMES))


def test_who_has_2fa_and_an_exception_is_set_up_and_named(world: World) -> None:
    dana, exa = world.person("Dana"), world.person("Exa")
    acme = world.workspace("acme", owner=dana, member=exa)
    exempt(world, acme, exa, until=world.clock.now() + DAY)
    world.bind_totp(exa)
    found = world.read(lambda tx: preview.preview(tx, acme))
    assert (found.set_up, found.exempt.count, found.will_be_asked.names) == (
        Group(1, ("Exa",)),
        0,
        ("Dana",),
    )


def test_whoever_is_let_in_by_single_sign_on_is_neither_at_risk_nor_without_a_passkey(world: World) -> None:
    """An admin who comes by what is enough is not asked, and can help others by a fresh sign-in there."""
    dana, adam = world.person("Dana"), world.person("Adam")
    acme = world.workspace("acme", owner=dana, admin=adam)
    world.bind_totp(dana)
    okta = a_connection(world, acme)
    connected(world, adam, okta)
    rule(world, okta, Acceptance(SsoRule.ACCEPT, frozenset({"mfa"})))
    come(world, okta, who("Adam"))
    assert world.read(lambda tx: preview.preview(tx, acme)).managers_not_set_up.names == ("Adam",)
    come(world, okta, who("Adam", told=Told(amr=frozenset({"mfa"}))))
    found = world.read(lambda tx: preview.preview(tx, acme))
    assert (found.by_sso.names, found.managers_not_set_up.count) == (("Adam",), 0)
    assert found.without_passkey.names == ("Dana",)


def test_tokens_of_who_is_excepted_work_until_that_ends(world: World) -> None:
    """The preview says of tokens what the gate will do."""
    dana, eve = world.person("Dana"), world.person("Eve")
    acme = world.workspace("acme", owner=dana, member=eve)
    token = new_api_token()
    world.write(
        lambda tx: api_tokens.create(
            tx,
            token_hash=token.hash,
            name="Laptop",
            scopes=[Scope.WORKSPACE],
            expires_at=tx.now + 9 * DAY,
            account_id=eve.id,
            good_in=[acme],
        )
    )

    def told() -> tuple[tuple[str, ...], list[str]]:
        found = world.read(lambda tx: preview.preview(tx, acme).refused_tokens)
        assert found.count == len(found.names)
        return found.names, world.read(lambda tx: preview.every_refused_token(tx, acme))

    def works() -> bool:
        facts = world.read(lambda tx: read_known_token(tx, token.hash)).facts
        assert facts.token is not None
        return isinstance(workspace_to_token(facts, facts.token, facts.teammates[0]), Allow)

    exempt(world, acme, eve, until=world.clock.now() + DAY)
    world.require(acme)
    assert (told(), works()) == (((), []), True)
    world.wait(DAY)
    assert (told(), works()) == ((("Eve: Laptop",), ["Eve: Laptop"]), False)
