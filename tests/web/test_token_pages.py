"""The pages of API tokens and service accounts, as somebody meets them, without scripts; and the API beside them."""

import re

import pytest

from nightlatch.instants import DAY, HOUR, MINUTE, to_text
from nightlatch.store import api_tokens
from nightlatch.vocabulary import Scope
from nightlatch.web.pages import api_tokens as page
from tests.support.asgi import Client
from tests.support.tables import rows
from tests.support.visitor import Visitor
from tests.support.world import Person
from tests.web.team import Team

HERE = "/settings/user/tokens"
SERVICES = "/w/acme/settings/team/service-accounts"


@pytest.fixture
def dana(team: Team) -> Person:
    """Owns Acme, with 2FA."""
    person = team.person("Dana", two_factor=True)
    team.world.workspace("acme", owner=person)
    return person


def shown(visitor: Visitor) -> str:
    """The token on the page."""
    assert visitor.page is not None
    found = re.search(r'id="token"[^>]*>(nlt_[\w-]{43})<', visitor.page.got.text)
    assert found is not None, visitor.page.text
    return found[1]


def test_a_person_makes_a_token_uses_and_ends_it(team: Team, dana: Person) -> None:
    visitor = team.visitor(dana)
    assert "Make an API token" in visitor.open("/settings/user").text
    assert "You have none." in visitor.open(HERE).text
    made = visitor.submit(HERE, name="nightly report", **{"scope-teammates": "yes"}, days="30")
    assert made.heading == "Your new API token"
    assert made.got.header("cache-control") == "no-store"
    client = Client(team.app, bearer=shown(visitor))
    assert client.get("/api/v1/workspaces/acme/teammates").status == 200
    assert client.get("/api/v1/workspaces/acme/policy").code == "not_permitted"

    page = visitor.open(HERE)
    assert "nightly report" in page.text
    assert "nlt_" not in page.text, "shown once"
    assert "You have 1." in visitor.open("/settings/user").text
    assert "Your API token goes on." in visitor.open("/settings/user/password").text
    (row,) = rows(team.world, "tokens")
    (action,) = [each for each in visitor.open(HERE).actions if each.endswith("/end")]
    assert "The API token is ended." in visitor.submit(action).text
    assert client.get("/api/v1/workspaces/acme/teammates").status == 401
    assert row.expires_at - row.created_at <= 30 * DAY


def test_what_is_missing_is_said_at_its_field(team: Team, dana: Person) -> None:
    visitor = team.visitor(dana)
    visitor.open(HERE)
    assert "Choose what the token may read." in visitor.submit(HERE, name="x").text
    again = visitor.submit(HERE, name="  ", **{"scope-audit": "yes"})
    assert again.status == 422
    assert 'name="scope-audit" id="f-scope-audit" value="yes" checked' in again.got.text
    visitor.open(HERE)
    assert visitor.submit(HERE, name="x", **{"scope-audit": "yes"}, days="3650").status == 422
    assert not rows(team.world, "tokens")


def test_it_asks_for_the_second_step_again_and_comes_back_filled_in(team: Team, dana: Person) -> None:
    """Fresh proof (design section 7)."""
    visitor = team.visitor(dana)
    visitor.open(HERE)
    team.world.wait(31 * MINUTE)
    asked = visitor.submit(HERE, name="nightly report", **{"scope-policy": "yes"})
    assert asked.path.startswith("/step-up"), asked.path
    back = visitor.submit("/step-up", code=team.code(dana))
    assert back.path.startswith(HERE), back.path
    assert back.form(HERE).fields["name"] == "nightly report"
    assert back.form(HERE).fields["scope-policy"] == "yes"
    assert visitor.submit(HERE).heading == "Your new API token"


def test_who_has_no_two_factor_is_led_to_it(team: Team) -> None:
    ana = team.person("Ana")
    team.world.workspace("acme", owner=ana)
    page = team.visitor(ana).open(HERE)
    assert "API tokens are for those who have 2FA" in page.text
    assert HERE not in page.actions


def test_a_service_account_from_its_page(team: Team, dana: Person) -> None:
    """Added, given a token, its sponsor changed, removed."""
    visitor = team.visitor(dana)
    assert "Service accounts" in visitor.open("/w/acme").text
    visitor.open(SERVICES)
    page = visitor.submit(SERVICES, name="compliance export")
    assert "The service account is added." in page.text
    one = page.path.partition("?")[0]
    visitor.submit(f"{one}/tokens", name="cron", **{"scope-evidence": "yes"})
    client = Client(team.app, bearer=shown(visitor))
    got = client.get("/api/v1/token")
    assert got.code == "not_permitted", "it does not include account:read"
    assert client.get("/api/v1/workspaces/acme/evidence").status == 200
    visitor.open(one)
    assert "is a teammate of this workspace" in visitor.submit(f"{one}/sponsor", sponsor="x@y.example").text
    visitor.open(one)
    assert "has a new sponsor" in visitor.submit(f"{one}/sponsor", sponsor=dana.email).text
    assert "compliance export" in visitor.open(SERVICES).text
    visitor.open(f"{one}/remove")
    assert "The service account is removed." in visitor.submit(f"{one}/remove").text
    assert client.get("/api/v1/workspaces/acme/evidence").status == 401


def test_a_member_sees_no_service_accounts(team: Team, dana: Person) -> None:
    ana = team.person("Ana", two_factor=True)
    team.world.workspace("beta", owner=dana, member=ana)
    visitor = team.visitor(ana)
    assert "Service accounts" not in visitor.open("/w/beta").text
    assert visitor.open("/w/beta/settings/team/service-accounts").status == 403
    assert visitor.open(SERVICES).status == 404


def test_a_token_says_what_it_is(team: Team, dana: Person) -> None:
    """`GET /token`; and `GET /session` refuses it, fast path and all."""
    client = team.client(dana)
    ends = to_text(team.world.read(lambda tx: tx.now) + HOUR)
    body = {"name": "x", "scopes": ["account:read"], "expires_at": ends, "workspace": "acme"}
    made = client.post("/api/v1/me/tokens", body)
    assert (made.status, made.json["expires_at"], made.json["workspace"]) == (201, ends, "acme")
    token = Client(team.app, bearer=made.json["token"])
    said = token.get("/api/v1/token").json
    assert (said["holder"], said["account"]["email"], said["scopes"]) == (
        "person",
        dana.email,
        ["account:read"],
    )
    assert [(each["slug"], each["decision"], each["role"]) for each in said["workspaces"]] == [
        ("acme", "allow", "owner")
    ]
    assert token.get("/api/v1/session").code == "not_permitted"
    assert token.post("/api/v1/sign-out").code == "not_permitted"
    assert client.get("/api/v1/token").code == "not_found"
    (listed,) = client.get("/api/v1/me/tokens").json["items"]
    assert "token" not in listed
    assert client.ask("DELETE", f"/api/v1/me/tokens/{listed['id']}").status == 204
    assert token.get("/api/v1/token").status == 401


def test_who_must_enrol_is_told_so_by_their_token(team: Team, dana: Person) -> None:
    """403 `enrolment_required`, and 200 again afterwards."""
    ana = team.person("Ana", two_factor=True)
    beta = team.world.workspace("beta", owner=dana, member=ana)
    made = team.client(ana).post("/api/v1/me/tokens", {"name": "x", "scopes": list(Scope)})
    token = Client(team.app, bearer=made.json["token"])
    from nightlatch.store import authenticators

    (bound,) = team.world.read(lambda tx: authenticators.of_account(tx, ana.id))
    team.world.write(lambda tx: authenticators.unbind(tx, bound.id, ana.id))
    assert token.get("/api/v1/workspaces/beta").status == 200
    team.world.require(beta)
    got = token.get("/api/v1/workspaces/beta")
    assert (got.status, got.code, got.json["needs"]) == (403, "enrolment_required", "mail")
    team.secure(ana)
    assert token.get("/api/v1/workspaces/beta").status == 200


def test_its_last_use_is_written_once_a_minute(team: Team, dana: Person) -> None:
    """By the server's own task: a read stays a read."""
    made = team.client(dana).post("/api/v1/me/tokens", {"name": "x", "scopes": list(Scope)})
    token, front = Client(team.app, bearer=made.json["token"]), team.app.front
    for _ in range(3):
        assert token.get("/api/v1/me").status == 200
    (used,) = front.take_used()
    team.world.write(lambda tx: api_tokens.used(tx, [used]))
    team.world.wait(30_000_000)
    token.get("/api/v1/me")
    assert front.take_used() == []
    team.world.wait(30_000_000)
    token.get("/api/v1/me")
    assert len(front.take_used()) == 1
    assert "last used" in team.visitor(dana).open(page.HERE).text
