"""Never again at the pages, and by one click in a mail program (RFC 8058); addresses for notices at page and API."""

import pytest

from nightlatch.actions import invitations
from nightlatch.actions.by import operator
from nightlatch.addresses import parse
from nightlatch.instants import HOUR
from nightlatch.store import declined
from nightlatch.vocabulary import Role
from nightlatch.web.app import App
from tests.support.asgi import Client, app_of
from tests.support.letters import letter, letters
from tests.support.visitor import Visitor, resident, signed_in
from tests.support.world import Person, World

MIA = parse("mia@example.org")
CLICK = b"List-Unsubscribe=One-Click"
FORM = {"content-type": "application/x-www-form-urlencoded"}


@pytest.fixture
def app(world: World) -> App:
    return app_of(world)


@pytest.fixture
def ana(world: World) -> Person:
    return resident(world, "Ana")


@pytest.fixture
def link(world: World, ana: Person) -> str:
    """The "never again" of an invitation."""
    acme = world.workspace("acme", owner=ana)
    world.write(
        lambda tx: invitations.invite(
            tx, by=operator("Olga"), workspace_id=acme, pasted=[MIA], role=Role.MEMBER
        )
    )
    return str(letter(world, "invitation").values["never_link"])


def is_declined(world: World) -> bool:
    return world.read(lambda tx: declined.is_declined(tx, MIA.key))


# --- never again ---


def test_opening_changes_nothing_and_the_page_goes_both_ways(world: World, app: App, link: str) -> None:
    visitor = Visitor(app)
    for _ in range(3):
        page = visitor.open(link)
        assert (page.path, page.status) == ("/never-again", 200)
        assert "mia@example.org" in page.text
    assert not is_declined(world)
    page = visitor.submit("/never-again")
    assert page.heading == "No more invitations"
    assert is_declined(world)
    page = visitor.submit("/never-again")
    assert page.heading == "Stop invitations?"
    assert not is_declined(world)


def test_one_click_needs_no_cookie_no_page_and_no_form_value(world: World, app: App, link: str) -> None:
    for _ in range(2):
        got = Client(app).ask("POST", link, raw=CLICK, headers=FORM)
        assert got.status == 200
        assert got.header("location") == ""
        assert not got.all("set-cookie")
        assert is_declined(world)


def test_one_click_as_multipart(world: World, app: App, link: str) -> None:
    body = b'--x\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\nOne-Click\r\n--x--\r\n'
    headers = {"content-type": "multipart/form-data; boundary=x"}
    assert Client(app).ask("POST", link, raw=body, headers=headers).status == 200
    assert is_declined(world)


@pytest.mark.parametrize("body", [b"", b"List-Unsubscribe=Maybe", b"x=1", b"x" * 5000])
def test_anything_else_that_is_posted_there_does_nothing(
    world: World, app: App, link: str, body: bytes
) -> None:
    got = Client(app).ask("POST", link, raw=body, headers=FORM)
    assert got.status in (400, 413)
    assert not is_declined(world)


def test_a_foreign_page_cannot_click(world: World, app: App, link: str) -> None:
    headers = {**FORM, "origin": "https://evil.example"}
    got = Client(app).ask("POST", link, raw=CLICK, headers=headers)
    assert got.status == 403
    assert not is_declined(world)


def test_without_the_forms_value_no_other_address_of_ours_takes_a_post(app: App, link: str) -> None:
    for path in ("/never-again", "/notify", "/invitation", "/undo"):
        got = Client(app).ask("POST", path, raw=CLICK, headers=FORM)
        assert got.status >= 400, path


def test_a_token_that_nobody_knows(app: App, world: World, link: str) -> None:
    got = Client(app).ask("POST", "/never-again/" + "x" * 43, raw=CLICK, headers=FORM)
    assert got.status == 410
    visitor = Visitor(app)
    assert visitor.open("/never-again/" + "x" * 43).status == 404
    assert not is_declined(world)


def test_an_inviter_is_told_neutrally(world: World, app: App, link: str, ana: Person) -> None:
    Client(app).ask("POST", link, raw=CLICK, headers=FORM)
    visitor = signed_in(app, ana)
    visitor.open("/w/acme/settings/team/invite")
    page = visitor.submit("/w/acme/settings/team/invite", emails="mia@example.org", role="member")
    assert "this address does not take invitations" in page.text
    assert len(letters(world, "invitation")) == 0


def test_the_settings_offer_the_way_back(world: World, app: App, link: str, ana: Person) -> None:
    key = parse(ana.email).key
    world.write(lambda tx: declined.add(tx, key))
    visitor = signed_in(app, ana)
    page = visitor.open("/settings/user/notifications")
    assert "takes no invitations" in page.text
    page = visitor.submit("/settings/user/notifications/invitations")
    assert "takes no invitations" not in page.text
    assert not world.read(lambda tx: declined.is_declined(tx, key))


# --- addresses for notices ---


def test_an_address_is_added_confirmed_and_removed(world: World, app: App, ana: Person) -> None:
    visitor = signed_in(app, ana)
    visitor.open("/settings/user/notifications")
    page = visitor.submit("/settings/user/notifications", notify="not an address")
    assert page.status == 422
    page = visitor.submit("/settings/user/notifications", notify="safe@elsewhere.example")
    assert "Not confirmed yet" in page.text
    confirm = str(letter(world, "notify_confirm").values["link"])
    other = Visitor(app)
    for _ in range(3):
        page = other.open(confirm)
        assert page.status == 200
        assert ana.email not in page.text, "a stranger is not told whose it is"
    assert "Not confirmed yet" in visitor.open("/settings/user/notifications").text
    page = other.submit("/notify")
    assert page.heading == "This address is confirmed"
    assert other.open(confirm).status == 410
    page = visitor.open("/settings/user/notifications")
    assert "Not confirmed yet" not in page.text
    (remove,) = [each for each in page.actions if each.endswith("/remove")]
    page = visitor.submit(remove)
    assert "safe@elsewhere.example" not in page.text
    assert {each.to for each in letters(world, "notify_removed")} == {ana.email, "safe@elsewhere.example"}


def test_the_api_sets_the_whole_list(world: World, app: App, ana: Person) -> None:
    client = Client(app)
    got = client.post(
        "/api/v1/sign-in/password", {"email": ana.email, "password": "a long and honest password"}
    )
    client.bearer = got.json["token"]
    wanted = ["one@elsewhere.example", "two@elsewhere.example"]
    got = client.ask("PATCH", "/api/v1/me", json_body={"notify": wanted, "name": "Ana Ruiz"})
    assert got.status == 200, got.text
    assert got.json["name"] == "Ana Ruiz"
    assert [(each["email"], each["confirmed"]) for each in got.json["notify"]] == [
        (each, False) for each in wanted
    ]
    token = letter(world, "notify_confirm", to=wanted[0]).token()
    assert Client(app).post("/api/v1/me/notify/confirm", {"token": token}).status == 204
    assert Client(app).post("/api/v1/me/notify/confirm", {"token": token}).status == 409
    got = client.ask("PATCH", "/api/v1/me", json_body={"notify": [wanted[0]]})
    assert got.json["notify"] == [{"email": wanted[0], "confirmed": True}]
    for bad in (["a@b.example", "c@d.example", "e@f.example"], ["nonsense"], [ana.email], "x@y.example"):
        assert client.ask("PATCH", "/api/v1/me", json_body={"notify": bad}).status == 422
    world.wait(HOUR)
    got = client.ask("PATCH", "/api/v1/me", json_body={"notify": [], "name": "Nobody"})
    assert (got.status, got.code) == (401, "step_up_required")
    assert client.get("/api/v1/me").json["name"] == "Ana Ruiz", "all or nothing"
    assert client.ask("PATCH", "/api/v1/me", json_body={"name": "Ana"}).status == 200
