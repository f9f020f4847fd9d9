"""The preview of a workspace with two providers: who comes by which, and what each rule makes of it. Everybody signs in
at the providers through the real routes."""

from collections.abc import Iterator
from typing import Any

import pytest

from nightlatch.actions import connections
from nightlatch.instants import DAY, MINUTE, SECOND
from nightlatch.policy import Acceptance, SsoRule
from nightlatch.store import connections as stored
from nightlatch.store import standing, teammates
from nightlatch.store.preview_sso import PARTS
from nightlatch.vocabulary import Role
from tests.support.provider import running
from tests.support.saml_idp import MFA, Idp
from tests.support.signing_on import connected, rule
from tests.support.switch import exempt
from tests.support.visitor import Visitor
from tests.support.ways import Ways
from tests.support.world import Person, World
from tests.web.test_rollout import API, SWITCH, table


@pytest.fixture
def ways(world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ways]:
    with running(lambda: world.clock.now() // SECOND) as provider:
        yield Ways(world, provider, Idp(tmp_path_factory.mktemp("idp")))


class Acme:
    """Okta, by OpenID Connect, asks for a second step here; Campus, by SAML, counts for one where it says so."""

    def __init__(self, ways: Ways) -> None:
        self.ways, self.world, self.id = ways, ways.world, ways.acme
        self.people = {name: self.join(name) for name in ("Ada", "Bo", "Eve", "Max", "Pat")}
        for name in ("Ada", "Bo", "Max", "Pat"):
            connected(self.world, self.people[name], ways.saml, name)
        for name in ("Bo", "Eve"):
            connected(self.world, self.people[name], ways.oidc, name)
        connected(self.world, ways.dana, ways.oidc, "Dana")
        rule(self.world, ways.saml, Acceptance(SsoRule.ACCEPT, frozenset({MFA})))
        self.name(ways.oidc, "Okta")
        self.name(ways.saml, '=HYPERLINK("http://evil.example")')
        exempt(self.world, self.id, self.people["Eve"], until=self.world.clock.now() + 5 * DAY)

    def join(self, name: str) -> Person:
        person = self.world.person(name)

        def body(tx: Any) -> None:
            role = Role.ADMIN if name == "Ada" else Role.MEMBER
            teammates.join(tx, workspace_id=self.id, account_id=person.id, role=role)
            standing.refresh(tx, person.id)

        self.world.write(body)
        return person

    def name(self, connection: int, name: str) -> None:
        row = self.world.read(lambda tx: stored.by_id(tx, connection))
        assert row is not None
        settings = stored.settings_of(row)
        self.world.write(
            lambda tx: stored.change(
                tx, connection, name=name, client_id=row.client_id, settings=settings, joins_from=None
            )
        )

    def come(self) -> None:
        """Everybody once: Ana and Eve by the one, the others by the other, Pat without a second step there."""
        came = [("oidc", "", "u-1"), ("oidc", "mfa", "Eve"), ("saml", "", "Pat")]
        came += [("saml", "mfa", name) for name in ("Ada", "Bo", "Max")]
        for kind, told, subject in came:
            assert self.ways.by_provider(kind, told, subject).open("/w/acme").path == "/w/acme"

    def visitor(self) -> Visitor:
        self.world.wait(MINUTE)
        return self.ways.team.visitor(self.ways.dana)

    def told(self) -> dict[str, Any]:
        self.world.wait(MINUTE)
        return dict(self.ways.team.client(self.ways.dana).get(f"{API}/preview").json)

    def parts(self) -> dict[str, dict[str, list[str]]]:
        """By connection, who is in which group."""
        return {
            each["name"]: {what: each[what]["names"] for what in PARTS if each[what]["count"]}
            for each in self.told()["connections"]
        }


@pytest.fixture
def acme(ways: Ways) -> Acme:
    made = Acme(ways)
    made.come()
    return made


def test_each_is_told_by_what_they_came_by(acme: Acme) -> None:
    told = acme.told()
    assert [(each["rule"], each["ready"], each["people"]["count"]) for each in told["connections"]] == [
        ("accept", True, 5),
        ("ask", True, 4),
    ]
    assert acme.parts() == {
        '=HYPERLINK("http://evil.example")': {
            "by_sso": ["Ada", "Bo", "Max"],
            "will_be_asked": ["Ana", "Pat"],
        },
        "Okta": {"set_up": ["Dana"], "otherwise": ["Bo"], "exempt": ["Eve"], "will_be_asked": ["Ana"]},
    }
    assert (told["by_sso"]["names"], told["exempt"]["names"]) == (["Ada", "Bo", "Max"], ["Eve"])
    assert (told["will_be_asked"]["names"], told["managers_not_set_up"]["names"]) == (["Ana", "Pat"], [])

    page = acme.visitor().open(f"{SWITCH}/on").text
    assert (
        "let in where it says that it asked for a second step: 3 came that way, 2 will be asked unless"
        in page
    )
    assert (
        "by Okta, asked for a second step here: 1 set up, 1 came by another that is enough, 1 with an exception, "
        "1 will be asked" in page
    )


def test_the_file_names_connections_and_rules_and_holds_no_formula(acme: Acme) -> None:
    rows = {row["name"]: row for row in table(acme.visitor().open(f"{SWITCH}/preview.csv"))}
    evil = '\'=HYPERLINK("http://evil.example")'
    assert {
        name: (row["group"], row["at_risk"], row["connections"], row["connection_rules"])
        for name, row in rows.items()
    } == {
        "Ada": ("by_sso", "", evil, "accept"),
        "Ana": ("will_be_asked", "", f"{evil}; Okta", "accept; ask"),
        "Bo": ("by_sso", "", f"{evil}; Okta", "accept; ask"),
        "Dana": ("set_up", "no_recovery_codes", "Okta", "ask"),
        "Eve": ("exempt", "", "Okta", "ask"),
        "Max": ("by_sso", "", evil, "accept"),
        "Pat": ("will_be_asked", "", evil, "accept"),
    }


def test_the_switch_does_what_was_told(acme: Acme) -> None:
    """Whoever was told to be let in is, and whoever was told to be asked is led to set-up."""
    told = acme.told()
    acme.ways.policy("on")
    ways = {
        "Ada": "saml mfa",
        "Bo": "saml mfa",
        "Max": "saml mfa",
        "Pat": "saml",
        "Ana": "oidc mfa",
        "Eve": "oidc",
    }
    came = {}
    for name, way in ways.items():
        kind, _, says = way.partition(" ")
        page = acme.ways.by_provider(kind, says, "u-1" if name == "Ana" else name).open("/w/acme")
        came[name] = "in" if page.path.startswith("/w/acme") else page.path.partition("?")[0]
    let_in = told["by_sso"]["names"] + told["exempt"]["names"]
    assert came == {name: "in" if name in let_in else "/set-up" for name in ways}


def test_a_connection_that_is_removed_is_told_no_more(acme: Acme) -> None:
    """Whoever came by it is asked like everybody, who comes by another is told by that."""
    owner = acme.world.signed_in(acme.ways.dana, acme.ways._phone(acme.ways.dana.id))
    acme.world.write(
        lambda tx: connections.remove(tx, by=owner, workspace_id=acme.id, connection_id=acme.ways.saml)
    )
    assert acme.parts() == {
        "Okta": {"set_up": ["Dana"], "exempt": ["Eve"], "will_be_asked": ["Ana", "Bo"]},
    }
    told = acme.told()
    assert (told["by_sso"]["count"], told["managers_not_set_up"]["names"]) == (0, ["Ada"])
    assert told["will_be_asked"]["names"] == ["Ada", "Ana", "Bo", "Max", "Pat"]
    rows = {row["name"]: row for row in table(acme.visitor().open(f"{SWITCH}/preview.csv"))}
    assert [rows[name]["connections"] for name in ("Ada", "Bo", "Max")] == ["", "Okta", ""]
    assert rows["Ada"]["at_risk"] == "not_set_up"
