"""Signing up by the pages and the API, open and closed."""

import pytest

from nightlatch.actions.tokens import new_token
from nightlatch.refusals import Code
from nightlatch.web.app import App
from nightlatch.web.routes import Route
from nightlatch.web.table import ROUTES
from tests.support.asgi import Client, app_of
from tests.support.letters import letter, letters
from tests.support.mails import link_in
from tests.support.tables import everything, rows
from tests.support.visitor import Visitor, resident, seed_shown, signed_in
from tests.support.world import PASSWORD, World
from tests.web.test_joining_pages import invite

GATED = [route for route in ROUTES if route.closed is not None]


@pytest.fixture
def app(world: World) -> App:
    return app_of(world, NIGHTLATCH_SIGN_UP="open")


def ask(visitor: Visitor, email: str) -> None:
    visitor.open("/sign-up")
    page = visitor.submit("/sign-up", email=email)
    assert page.path == "/sign-up/sent"
    assert f"A mail to {email} is on its way." in page.text


# --- by the pages ---


def test_from_the_sign_in_page_to_a_workspace_with_2fa(world: World, app: App) -> None:
    visitor = Visitor(app)
    page = visitor.open("/sign-in")
    assert "You need an invitation" not in page.text
    page = visitor.open(page.read.links["Create an account"])
    assert page.heading == "Create an account"
    page = visitor.submit("/sign-up", email="no address")
    assert page.status == 422
    page = visitor.submit("/sign-up", email="eve@example.com")
    assert page.heading == "Check your mail"
    link = link_in(world, "sign_up")
    page = visitor.open(link)
    assert (page.path, page.heading) == ("/sign-up/new", "Create your account")
    assert link.rpartition("/")[2] not in page.got.text
    page = visitor.submit("/sign-up/new", name="Eve", password="too short")
    assert page.status == 422
    assert page.form("/sign-up/new").fields["name"] == "Eve"
    page = visitor.submit("/sign-up/new", password=PASSWORD)
    assert page.path == "/workspaces/new?said=signed-up"
    assert "Your account is ready" in page.text
    page = visitor.submit("/workspaces/new", name="Acme", slug="acme")
    assert page.path == "/w/acme"
    page = visitor.open("/set-up?workspace=acme")
    assert "/set-up/mail" not in page.actions, "the mailbox was shown in this very session"
    visitor.submit("/set-up/begin")
    assert visitor.page is not None
    page = visitor.submit("/set-up", code=world.code(seed_shown(visitor.page)))
    assert page.heading == "Save your recovery codes"


def test_opening_the_link_changes_nothing_and_it_works_once(world: World, app: App) -> None:
    ask(Visitor(app), "eve@example.com")
    link = link_in(world, "sign_up")
    before = everything(world)
    visitor, other = Visitor(app), Visitor(app)
    for _ in range(2):
        assert visitor.open(link).status == 200
    other.open(link)
    assert everything(world) == before
    visitor.submit("/sign-up/new", name="Eve", password=PASSWORD)
    page = other.submit("/sign-up/new", name="Mallory", password=PASSWORD)
    assert page.status == 410
    assert page.read.links["Sign in"] == "/sign-in"
    assert [each.name for each in rows(world, "accounts")] == ["Eve"]
    assert visitor.open("/sign-up/new").status == 404, "its cookie went with it"


def test_known_and_unknown_addresses_are_answered_alike(world: World, app: App) -> None:
    """F41."""
    ana = resident(world, "Ana")
    pages = []
    for email in (ana.email, "eve@example.com"):
        visitor = Visitor(app)
        ask(visitor, email)
        assert visitor.page is not None
        pages.append(visitor.page.text.replace(email, "-"))
    assert pages[0] == pages[1]
    answers = [
        Client(app).post("/api/v1/sign-up", {"email": email})
        for email in (ana.email, "eve@example.com", "max@example.com")
    ]
    assert {(each.status, each.body) for each in answers} == {(202, b"")}
    assert {each.to for each in letters(world, "sign_up_known")} == {ana.email}


@pytest.mark.parametrize("token", ["x" * 43, "%00", "a b", "..%2f", "é"])
def test_a_link_that_nobody_mailed_is_404_with_a_way_on(app: App, token: str) -> None:
    page = Visitor(app).open(f"/sign-up/{token}")
    assert page.status == 404
    assert page.read.links["Ask for a new link"] == "/sign-up"


def test_dead_links_say_why(world: World, app: App) -> None:
    ask(Visitor(app), "eve@example.com")
    older = link_in(world, "sign_up")
    ask(Visitor(app), "eve@example.com")
    page = Visitor(app).open(older)
    assert page.status == 410
    assert "A newer one was sent since." in page.text
    visitor = Visitor(app)
    visitor.open(link_in(world, "sign_up"))
    acme = world.workspace("acme", owner=world.person("Dana"))
    newcomer = Visitor(app)
    newcomer.open(invite(world, acme, "eve@example.com"))
    newcomer.submit("/invitation", name="Eve", password=PASSWORD)
    page = visitor.submit("/sign-up/new", name="Eve", password=PASSWORD)
    assert page.status == 410
    assert "Its address has an account by now." in page.text


def test_whoever_is_signed_in_is_never_mixed_up_with_the_new_address(world: World, app: App) -> None:
    ana = resident(world, "Ana")
    world.workspace("acme", owner=ana)
    ask(Visitor(app), "eve@example.com")
    visitor = signed_in(app, ana)
    page = visitor.open(link_in(world, "sign_up"))
    assert "You are signed in with another account" in page.text
    assert "/sign-up/new" not in page.actions
    csrf = page.form("/sign-out").fields["csrf"]
    page = visitor.post("/sign-up/new", {"csrf": csrf, "name": "Ana", "password": PASSWORD})
    assert page.status == 409
    assert len(rows(world, "accounts")) == 1
    page = visitor.submit("/sign-out")
    assert page.path == "/sign-up/new", "signing out leads back to the link's page"
    assert "/sign-up/new" in page.actions


def test_somebody_who_is_invited_sees_that_first(world: World, app: App) -> None:
    acme = world.workspace("acme", owner=world.person("Dana"))
    invite(world, acme, "eve@example.com")
    ask(Visitor(app), "eve@example.com")
    visitor = Visitor(app)
    visitor.open(link_in(world, "sign_up"))
    page = visitor.submit("/sign-up/new", name="Eve", password=PASSWORD)
    assert page.path == "/workspaces?said=signed-up"
    assert "Acme" in page.text
    assert page.read.links["Create a workspace"] == "/workspaces/new"


def test_the_eleventh_workspace_of_a_day_is_refused_until_tomorrow(world: World, app: App) -> None:
    visitor = signed_in(app, resident(world, "Eve"))
    for number in range(10):
        visitor.open("/workspaces/new")
        assert visitor.submit("/workspaces/new", name="Acme", slug=f"acme-{number}").status == 200
    visitor.open("/workspaces/new")
    page = visitor.submit("/workspaces/new", name="Acme", slug="acme-10")
    assert page.status == 429
    assert "10 workspaces within a day" in page.text
    assert int(page.got.header("retry-after")) > 86_000


# --- by the API ---


def test_the_whole_way_by_the_api(world: World, app: App) -> None:
    client = Client(app)
    assert client.post("/api/v1/sign-up", {"email": "eve@example.com"}).status == 202
    token = letter(world, "sign_up").token()
    body = {"token": token, "name": "Eve", "password": PASSWORD}
    got = client.post("/api/v1/sign-up/finish", {**body, "password": "short"})
    assert (got.status, got.json["errors"][0]["field"]) == (422, "password")
    got = client.post("/api/v1/sign-up/finish", {**body, "name": " "})
    assert (got.status, got.json["errors"][0]["field"]) == (422, "name")
    got = client.post("/api/v1/sign-up/finish", body)
    assert got.status == 201, got.text
    assert (got.json["session"]["state"], got.json["session"]["workspaces"]) == ("active", [])
    client.bearer = got.json["token"]
    assert client.post("/api/v1/workspaces", {"name": "Acme", "slug": "acme"}).status == 201
    assert client.post("/api/v1/me/authenticators/totp", {"workspace": "acme"}).status == 201
    assert client.post("/api/v1/sign-up/finish", body).code == "conflict", "signed in already"
    got = Client(app).post("/api/v1/sign-up/finish", body)
    assert (got.status, got.code) == (409, "already_used")
    got = Client(app).post("/api/v1/sign-up/finish", {**body, "token": new_token().text})
    assert (got.status, got.code) == (410, "expired")


def test_a_request_of_a_page_gets_its_session_as_a_cookie(world: World, app: App) -> None:
    client = Client(app)
    client.post("/api/v1/sign-up", {"email": "eve@example.com"})
    body = {"token": letter(world, "sign_up").token(), "name": "Eve", "password": PASSWORD}
    got = client.post("/api/v1/sign-up/finish", body, headers={"origin": "http://localhost:8000"})
    assert (got.status, got.json["token"]) == (201, None)
    assert "nightlatch" in client.cookies


# --- closed ---


def test_closed_it_says_who_can_invite(world: World) -> None:
    app = app_of(world)
    visitor = Visitor(app)
    assert "Create an account" not in visitor.open("/sign-in").read.links
    page = visitor.open("/sign-up")
    assert (page.status, page.heading) == (403, "You need an invitation")
    assert "An owner or admin of your team’s workspace can send you one" in page.text
    assert page.read.links["Sign in"] == "/sign-in"
    assert visitor.open("/sign-up/" + "x" * 43).status == 403


def test_a_link_mailed_while_it_was_open_makes_nothing_once_it_is_closed(world: World, app: App) -> None:
    ask(Visitor(app), "eve@example.com")
    closed = Client(app_of(world))
    body = {"token": letter(world, "sign_up").token(), "name": "Eve", "password": PASSWORD}
    got = closed.post("/api/v1/sign-up/finish", body)
    assert (got.status, got.code) == (403, "not_permitted")
    assert not rows(world, "accounts")


@pytest.mark.parametrize("route", GATED, ids=lambda route: f"{route.method} {route.path}")
def test_closed_is_said_before_a_body_is_read(world: World, route: Route) -> None:
    """The order of refusals: no session 401, permission 403, body 422."""
    app = app_of(world)
    visitor = signed_in(app, resident(world, "Ana"))
    client = visitor.client
    if route.kind == "api":
        got = Client(app).ask(route.method, route.path, raw=b"")
        assert got.status == (403 if "sign-up" in route.path else 401)
        client = Client(app)
        password = {"email": rows(world, "accounts")[0].email, "password": PASSWORD}
        client.bearer = client.post("/api/v1/sign-in/password", password).json["token"]
    got = client.ask(route.method, route.path, raw=b"{")
    assert got.status == 403
    if route.kind == "api":
        assert got.code == Code.NOT_PERMITTED
        assert got.json["way_out"]


def test_every_route_that_makes_accounts_or_workspaces_is_among_them() -> None:
    paths = {(route.method, route.path) for route in GATED}
    assert paths == {
        ("POST", "/sign-up"),
        ("GET", "/sign-up/sent"),
        ("GET", "/sign-up/new"),
        ("POST", "/sign-up/new"),
        ("GET", "/workspaces/new"),
        ("POST", "/workspaces/new"),
        ("POST", "/api/v1/sign-up"),
        ("POST", "/api/v1/sign-up/finish"),
        ("POST", "/api/v1/workspaces"),
    }
