"""Passkeys over HTTP: by bearer tokens, by forms of pages, and what is told without asking."""

import json
from pathlib import Path
from typing import Any

import pytest

from nightlatch.actions import mandate
from nightlatch.actions.by import operator
from nightlatch.ids import to_text
from nightlatch.policy import ManagedBy, ProofStrength
from nightlatch.vocabulary import Method
from nightlatch.web.app import App
from tests.support.asgi import ORIGIN, Client, Got, app_of
from tests.support.passkeys import SoftPasskey
from tests.support.tables import rows
from tests.support.visitor import Visitor, resident, signed_in
from tests.support.world import PASSWORD, Person, World

API = "/api/v1"


@pytest.fixture
def world(sqlite_url: str, tmp_path: Path) -> World:
    return World(sqlite_url, tmp_path)


def call(client: Client, path: str, body: Any = None, token: str | None = None, method: str = "POST") -> Got:
    headers = {"authorization": f"Bearer {token}"} if token is not None else {}
    return client.ask(method, API + path, json_body=body if body is not None else {}, headers=headers)


def person_with_passkey(world: World, app: App) -> tuple[Person, SoftPasskey]:
    """Ana, in Acme with an app and a passkey: bound by the API, with bearer tokens."""
    ana = resident(world, "Ana")
    world.workspace("acme", owner=ana)
    _, seed = world.bind_totp(ana)
    client, soft = Client(app), SoftPasskey()
    token = call(client, "/sign-in/password", {"email": ana.email, "password": PASSWORD}).json["token"]
    token = call(client, "/sign-in/totp", {"code": world.code(seed)}, token).json["token"]
    options = call(client, "/me/authenticators/passkey/options", {"name": "Key"}, token).json
    made = call(client, "/me/authenticators/passkey", soft.make(options), token)
    assert made.status == 201, made.text
    body = made.json
    assert (body["authenticator"]["method"], body["authenticator"]["name"]) == ("passkey", "Key")
    assert len(body["recovery_codes"]) == 10
    renamed = call(
        client,
        f"/me/authenticators/{body['authenticator']['id']}",
        {"name": "Blue"},
        body["token"],
        "PATCH",
    )
    assert renamed.json["name"] == "Blue"
    return ana, soft


def test_signed_in_and_stepped_up_by_the_api(world: World):
    app = app_of(world)
    ana, soft = person_with_passkey(world, app)
    client = Client(app)
    options = call(client, "/sign-in/passkey/options").json
    assert options["allowCredentials"] == []
    got = call(client, "/sign-in/passkey", soft.show(options))
    assert got.status == 200, got.text
    assert got.json["session"]["state"] == "active"
    assert got.json["session"]["workspaces"][0]["aal"] == 2
    token = got.json["token"]
    options = call(client, "/step-up/passkey/options", {}, token).json
    assert call(client, "/step-up/passkey", soft.show(options), token).status == 200
    half = call(client, "/sign-in/password", {"email": ana.email, "password": PASSWORD}).json["token"]
    options = call(client, "/sign-in/passkey/options", {}, half).json
    assert len(options["allowCredentials"]) == 1
    assert call(client, "/sign-in/passkey", soft.show(options), half).json["session"]["state"] == "active"


def test_whatever_is_wrong_with_it_the_answer_is_one(world: World):
    app = app_of(world)
    _ana, soft = person_with_passkey(world, app)
    client = Client(app)
    answers = set()
    for lies in (
        {"signature": b"x"},
        {"id": b"nobody's"},
        {"user_handle": b"other"},
        {"origin": "https://e.example"},
    ):
        got = call(
            client, "/sign-in/passkey", soft.show(call(client, "/sign-in/passkey/options").json, **lies)
        )
        answers.add((got.status, got.text))
    (only,) = answers
    assert only[0] == 401
    assert json.loads(only[1])["code"] == "wrong_credentials"
    garbage = soft.show(call(client, "/sign-in/passkey/options").json) | {"rawId": "AAAA"}
    assert call(client, "/sign-in/passkey", garbage).status == 422


def test_known_and_unknown_addresses_are_asked_alike(world: World):
    app = app_of(world)
    ana, _ = person_with_passkey(world, app)
    client = Client(app)
    known, unknown = (
        call(client, "/sign-in/passkey/options", {"email": email}).json
        for email in (ana.email, "nobody@example.com")
    )
    assert known.keys() == unknown.keys()
    assert known["allowCredentials"][0].keys() == unknown["allowCredentials"][0].keys()


def test_pages_take_the_answer_in_a_form(world: World):
    app = app_of(world)
    ana, soft = person_with_passkey(world, app)
    visitor = signed_in(app, ana)
    page = visitor.page
    assert page is not None
    assert page.heading == "Confirm with your passkey"
    options = visitor.client.ask(
        "POST", f"{API}/sign-in/passkey/options", json_body={}, headers={"origin": ORIGIN}
    ).json
    wrong = visitor.submit("/sign-in/second-step/passkey", credential="no JSON")
    assert wrong.status == 422
    page = visitor.submit("/sign-in/second-step/passkey", credential=json.dumps(soft.show(options)))
    assert page.path == "/w/acme", page.text
    page = visitor.open("/settings/user")
    assert "Blue" in page.text
    assert soft.credential_id.hex() not in page.text


def ask_second_step(visitor: Visitor) -> Any:
    """What the page's script is told to ask the browser for."""
    path, body = f"{API}/sign-in/passkey/options", {"purpose": "second_step"}
    return visitor.client.ask("POST", path, json_body=body, headers={"origin": ORIGIN}).json


def test_no_app_takes_the_place_of_a_passkey_that_is_required(world: World):
    """Neither by the API nor by the page, which says what does, and leads there."""
    app = app_of(world)
    ana, soft = person_with_passkey(world, app)
    (acme,) = rows(world, "workspaces")
    world.write(
        lambda tx: mandate.change_policy(
            tx,
            by=operator("Op"),
            workspace_id=acme.id,
            required=True,
            required_from=None,
            managed_by=ManagedBy.ADMINS,
            if_revision=acme.revision,
            reason=None,
            strength=ProofStrength.PHISHING_RESISTANT,
        )
    )
    (key,) = [to_text(each.id) for each in rows(world, "authenticators") if each.method == Method.PASSKEY]
    client = Client(app)
    shown = soft.show(call(client, "/sign-in/passkey/options").json)
    token = call(client, "/sign-in/passkey", shown).json["token"]
    got = call(client, "/me/authenticators/totp", {"replaces": key}, token)
    assert (got.status, got.json["code"]) == (409, "mandated")
    visitor = signed_in(app, ana)
    visitor.submit("/sign-in/second-step/passkey", credential=json.dumps(soft.show(ask_second_step(visitor))))
    start = visitor.open(f"/set-up?replaces={key}")
    assert "/set-up/begin" not in start.actions, "what would be refused is not offered"
    fields = next(each.fields for each in start.read.forms if each.fields.get("replaces") == key)
    page = visitor.post("/set-up/begin", fields)
    assert (page.status, "requires a passkey" in page.text) == (409, True)
    assert f'href="/set-up?replaces={key}"' in page.got.text


def test_the_box_is_beside_the_passkey_too(world: World):
    app = app_of(world)
    ana, soft = person_with_passkey(world, app)
    (acme,) = rows(world, "workspaces")
    policy: dict[str, Any] = {
        "required": False,
        "required_from": None,
        "managed_by": ManagedBy.ADMINS,
        "reason": None,
    }
    world.write(
        lambda tx: mandate.change_policy(
            tx, by=operator("Op"), workspace_id=acme.id, if_revision=acme.revision, remember_days=7, **policy
        )
    )
    visitor = signed_in(app, ana)
    assert visitor.page is not None
    assert visitor.page.text.count("Do not ask again in this browser for 7 days") == 2
    shown = json.dumps(soft.show(ask_second_step(visitor)))
    visitor.submit("/sign-in/second-step/passkey", credential=shown, remember="yes")
    visitor.open("/sign-in?again=1")
    page = visitor.submit("/sign-in", email=ana.email, password=PASSWORD)
    assert page.path == "/w/acme", "the password is enough in this browser"


def test_a_program_with_a_passkey_is_not_remembered_either(world: World):
    app = app_of(world)
    ana, soft = person_with_passkey(world, app)
    client = Client(app)
    token = call(client, "/sign-in/password", {"email": ana.email, "password": PASSWORD}).json["token"]
    options = call(client, "/sign-in/passkey/options", {}, token).json
    got = call(client, "/sign-in/passkey", soft.show(options) | {"remember": True}, token)
    assert (got.status, got.code) == (422, "invalid")


def test_where_passkeys_are_made_and_managed(world: World):
    got = Client(app_of(world)).ask("GET", "/.well-known/passkey-endpoints")
    assert got.status == 200
    assert got.header("content-type") == "application/json"
    assert got.json == {
        "enroll": f"{ORIGIN}/set-up?another=yes&next=/settings/user",
        "manage": f"{ORIGIN}/settings/user",
    }


def test_below_a_prefix_it_is_at_the_root_and_leads_below_it(world: World):
    got = Client(app_of(world, NIGHTLATCH_PATH="/2fa")).ask("GET", "/.well-known/passkey-endpoints")
    assert got.status == 200
    assert got.json["manage"] == f"{ORIGIN}/2fa/settings/user"


def test_a_bare_address_has_none_and_says_so(world: World):
    address = "http://127.0.0.1:8000"
    client = Client(app_of(world, NIGHTLATCH_ORIGIN=address))
    got = client.ask("GET", "/sign-in", headers={"host": "127.0.0.1:8000"})
    assert "passkey" not in got.text
    refused = client.ask(
        "POST", f"{API}/sign-in/passkey/options", json_body={}, headers={"host": "127.0.0.1:8000"}
    )
    assert refused.status == 409
