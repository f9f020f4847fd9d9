"""Registering products through the API: owners alone, with fresh proof; the secret is told once."""

import base64
from typing import Any

import pytest

from nightlatch.instants import HOUR
from nightlatch.vocabulary import Event
from tests.support.asgi import Client, app_of
from tests.support.events import events
from tests.support.pictures import picture
from tests.support.product import Product
from tests.support.tables import everything
from tests.support.world import Person
from tests.web.team import Team

ALL = "/api/v1/workspaces/acme/apps"
ORIGIN = "https://app.acme.example"
NEW = {"name": "Acme Notes", "origins": [ORIGIN]}


@pytest.fixture
def dana(team: Team) -> Person:
    """The owner of acme, with 2FA."""
    person = team.person("Dana", two_factor=True)
    team.world.workspace("acme", owner=person)
    return person


def add(client: Client, **more: Any) -> Any:
    got = client.post(ALL, {**NEW, **more})
    assert got.status == 201, got.text
    assert got.header("location").endswith(got.json["id"])
    return got.json


def may_ask(team: Team, secret: str) -> bool:
    """Whether a product with this secret is answered."""
    body = {"person": {"id": "1", "email": "a@b.example", "name": "A", "workspace": "w"}}
    body["person"] |= {"workspace_name": "W", "role": "member"}
    got = Client(team.app, bearer=secret).post("/api/v1/app/check", body)
    assert got.status in (200, 401), got.text
    return got.status == 200


def test_a_product_without_users_is_the_default(team: Team, dana: Person) -> None:
    client = team.client(dana)
    made = add(client, roles=["admin", "owner"])
    assert (made["handle"], made["keeps_people"], made["roles"]) == ("acme-notes", False, ["owner", "admin"])
    assert made["secret"].startswith("nla_")
    (listed,) = client.get(ALL).json["items"]
    assert listed == client.get(f"{ALL}/{made['id']}").json
    assert "secret" not in listed
    assert made["secret"] not in repr(everything(team.world))
    assert len(listed["secrets"]) == 1
    assert {each.event for each in events(team.world) if each.event.startswith("app.")} == {
        Event.APP_ADDED,
        Event.APP_SECRET_MADE,
    }


def test_a_product_with_its_own_users_asks_with_the_secret(team: Team, dana: Person) -> None:
    client = team.client(dana)
    made = add(client, keeps_people=True, role_map={"superuser": "owner"}, colour="#ffcc00")
    assert made["return_url"] == f"{ORIGIN}/nightlatch/callback"
    assert "hard to read" in made["note"]
    assert may_ask(team, made["secret"])
    second = client.post(f"{ALL}/{made['id']}/secrets")
    assert second.status == 201
    third = client.post(f"{ALL}/{made['id']}/secrets")
    assert (third.status, third.code) == (409, "conflict")
    assert third.json["way_out"]["path"].endswith(f"/w/acme/settings/team/apps/{made['id']}")
    assert may_ask(team, made["secret"])
    assert may_ask(team, second.json["secret"])
    older = second.json["secrets"][0]["id"]
    assert client.ask("DELETE", f"{ALL}/{made['id']}/secrets/{older}").status == 204
    assert not may_ask(team, made["secret"])
    newer = second.json["secrets"][1]["id"]
    assert client.ask("DELETE", f"{ALL}/{made['id']}/secrets/{newer}").status == 409
    assert client.ask("DELETE", f"{ALL}/{made['id']}/secrets/{older}").status == 404
    assert client.ask("DELETE", f"{ALL}/{made['id']}").status == 204
    assert not may_ask(team, second.json["secret"])
    assert client.get(f"{ALL}/{made['id']}").status == 404


def test_changing(team: Team, dana: Person) -> None:
    client = team.client(dana)
    one = f"{ALL}/{add(client, roles=['owner'], colour='#2f6f4f')['id']}"
    got = client.ask("PATCH", one, json_body={"name": "Notes"}).json
    assert (got["name"], got["roles"], got["colour"]) == ("Notes", ["owner"], "#2f6f4f")
    got = client.ask("PATCH", one, json_body={"roles": None, "colour": None}).json
    assert (got["roles"], got["colour"]) == (None, None)
    logo = base64.b64encode(picture("webp", 64, 64)).decode()
    assert client.ask("PATCH", one, json_body={"logo": logo}).json["logo"] == "image/webp"
    assert client.ask("PATCH", one, json_body={}).json["logo"] == "image/webp"
    assert client.ask("PATCH", one, json_body={"logo": None}).json["logo"] is None
    for wrong in ("not base64!", base64.b64encode(b"<svg/>").decode()):
        got = client.ask("PATCH", one, json_body={"name": "No", "logo": wrong})
        assert (got.status, got.json["errors"][0]["field"]) == (422, "logo")
    assert client.get(one).json["name"] == "Notes"


@pytest.mark.parametrize(
    "more,field",
    [
        ({"origins": ["http://app.acme.example"]}, "origins"),
        ({"origins": []}, "origins"),
        ({"origins": ["https://*.acme.example"]}, "origins"),
        ({"name": ""}, "name"),
        ({"handle": "Not A Handle"}, "handle"),
        ({"role_map": {"boss": "owner"}}, "role_map"),
        ({"keeps_people": True, "roles": ["owner"]}, "roles"),
        ({"keeps_people": True, "return_url": "https://evil.example/x"}, "return_url"),
        ({"colour": "red"}, "colour"),
        ({"surprise": 1}, "surprise"),
    ],
)
def test_what_is_not_accepted(team: Team, dana: Person, more: dict[str, Any], field: str) -> None:
    client = team.client(dana)
    before = everything(team.world)
    got = client.post(ALL, {**NEW, **more})
    assert (got.status, got.code) == (422, "invalid"), got.text
    assert got.json["errors"][0]["field"] == field
    assert everything(team.world) == before


def test_a_taken_origin_does_not_say_whose_it_is(team: Team, dana: Person) -> None:
    eve = team.person("Eve", two_factor=True)
    team.world.workspace("evil", owner=eve)
    made = add(team.client(dana))
    theirs = team.client(eve)
    got = theirs.post("/api/v1/workspaces/evil/apps", NEW)
    assert (got.status, got.code) == (409, "conflict")
    assert ORIGIN in got.text
    assert "Acme" not in got.text
    for method, path in (
        ("GET", made["id"]),
        ("PATCH", made["id"]),
        ("DELETE", made["id"]),
        ("POST", f"{made['id']}/secrets"),
    ):
        body = {"name": "Mine"} if method == "PATCH" else None
        for workspace in ("evil", "acme"):
            got = theirs.ask(method, f"/api/v1/workspaces/{workspace}/apps/{path}", json_body=body)
            assert got.status == 404, f"{method} {workspace} {path}: {got.status}"


def test_admins_and_members_do_not(team: Team) -> None:
    olga, ana, ben = (team.person(name, two_factor=True) for name in ("Olga", "Ana", "Ben"))
    team.world.workspace("acme", owner=olga, admin=ana, member=ben)
    for person in (ana, ben):
        client = team.client(person)
        assert client.get(ALL).status == 403
        assert client.post(ALL, NEW).code == "not_permitted"


def test_it_takes_fresh_proof(team: Team, dana: Person) -> None:
    client = team.client(dana)
    made = add(client)
    team.world.wait(HOUR)
    before = everything(team.world)
    for method, path in (("POST", ""), ("DELETE", f"/{made['id']}"), ("POST", f"/{made['id']}/secrets")):
        got = client.ask(method, f"{ALL}{path}", json_body=NEW if not path else None)
        assert (got.status, got.code) == (401, "step_up_required")
    assert everything(team.world) == before
    assert client.get(ALL).status == 200, "seeing them does not"
    team.step_up(client, dana)
    assert client.post(f"{ALL}/{made['id']}/secrets").status == 201


def test_where_anybody_can_sign_up_the_operator_registers(team: Team, dana: Person) -> None:
    client = team.client(dana)
    made = add(client)
    client.app = app_of(team.world, NIGHTLATCH_SIGN_UP="open")
    got = client.post(ALL, {"name": "Other", "origins": ["https://other.example"]})
    assert (got.status, got.code) == (403, "not_permitted")
    one = f"{ALL}/{made['id']}"
    assert client.ask("PATCH", one, json_body={"origins": ["https://other.example"]}).status == 403
    assert client.ask("PATCH", one, json_body={"name": "Notes"}).status == 200


def test_a_products_workspace_has_none(team: Team) -> None:
    product = Product.of(team.world, team.app)
    got = product.call("GET", "/workspaces/acme/apps")
    assert got.status == 401, "a product's secret is no session"
