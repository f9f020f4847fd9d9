"""A product's own sign-in in place of a password: where there is no session, for fresh proof, for a mailed link."""

import pytest

from nightlatch.actions import second_step
from nightlatch.actions.tokens import new_token
from nightlatch.ids import to_text as id_text
from nightlatch.instants import HOUR, to_text
from nightlatch.store import apps
from nightlatch.vocabulary import Method
from nightlatch.web.app import App
from tests.support.mails import link_in
from tests.support.product import ORIGIN, RETURN_URL, Product
from tests.support.visitor import Visitor, seed_shown
from tests.support.world import World
from tests.web.product_people import (
    TEAM,
    account_of,
    an_owner,
    arrive,
    bound,
    path,
    place_of,
    teammate,
)


@pytest.fixture
def owner(world: World, acme: Product) -> Visitor:
    return an_owner(world, acme)


def test_without_a_session_this_browser_is_offered_the_product_first(world: World, acme: Product) -> None:
    visitor = arrive(acme, acme.person(role="owner"), "team")
    assert visitor.page is not None
    page = visitor.submit("/sign-out")
    assert page.path == "/sign-in?said=signed-out"
    assert page.read.links["Continue at Acme Notes"] == f"{ORIGIN}/"
    wanted = f"/w/{place_of(world, acme)[1]}{TEAM}?two_factor=off"
    page = visitor.open(wanted)
    assert page.path.startswith("/sign-in?next=")
    assert page.read.links["Continue at Acme Notes"] == f"{RETURN_URL}?open=team"
    page = visitor.open(path(acme.check(acme.person(role="owner"), open="team")["start"]))
    assert page.path == wanted


def test_what_the_browser_remembers_is_a_product_or_nothing(world: World, app: App, acme: Product) -> None:
    behind = world.write(
        lambda tx: apps.create(
            tx,
            handle="wiki",
            name="Wiki",
            workspace_id=1,
            managed_by=1,
            return_url="https://wiki.example/",
            roles=None,
            role_map="{}",
            colour=None,
        )
    )
    for text in ("0000000000000", "x", "", id_text(behind)):
        visitor = Visitor(app)
        visitor.client.cookies["nightlatch-from"] = text
        assert "Continue at" not in visitor.open("/sign-in").text
    assert "Continue at Acme Notes" in Visitor(app).open(f"/sign-in?at={id_text(acme.id)}").text


def test_fresh_proof_is_a_fresh_sign_in_there_and_the_form_is_back(
    world: World, acme: Product, owner: Visitor
) -> None:
    bound(world, acme, "ana")
    _, slug = place_of(world, acme)
    where = f"/w/{slug}{TEAM}/{teammate(world, acme, 'ana')}/disable-two-factor"
    ben = acme.person("ben", role="admin")
    visitor = arrive(acme, ben, "home")
    visitor.open(f"/w/{slug}/back")
    acme.came_back(visitor)
    visitor.open(where)
    page = visitor.submit(where, reason="lost phone", recognised_by="phone")
    assert page.path.startswith("/step-up?")
    assert "by a sign-in of the last 10 minutes" in page.text
    assert page.read.links["Continue at Acme Notes"] == f"{RETURN_URL}?open=team"
    assert "/step-up" not in page.actions
    fresh = {**ben, "signed_in_at": to_text(world.clock.now())}
    page = visitor.open(path(acme.check(fresh, open="team")["start"]))
    assert page.path == f"{where}?refill=1"
    page = visitor.submit(where, recognised_by="phone")  # (a list's choice is not read back by this visitor)
    assert "Read this out to Ana" in page.text


def test_an_idle_session_goes_on_by_way_of_the_product(world: World, acme: Product) -> None:
    visitor = arrive(acme, acme.person(), "home")
    visitor.open(f"/w/{place_of(world, acme)[1]}/back")
    acme.came_back(visitor)
    world.wait(13 * HOUR)
    page = visitor.open("/settings/user")
    assert page.path.startswith("/step-up?")
    assert page.read.links["Continue at Acme Notes"] == f"{RETURN_URL}?open=user"
    got = visitor.client.get("/api/v1/me")
    assert (got.status, got.code) == (401, "step_up_required")
    assert "Sign in to the product again" in got.json["detail"]
    page = visitor.open(path(acme.check(acme.person(), open="user")["start"]))
    assert page.path == "/settings/user"


def test_a_mailed_link_on_the_phone_goes_through_the_product_unspent(world: World, acme: Product) -> None:
    acme.check(acme.person())
    world.require(place_of(world, acme)[0])
    desk = arrive(acme, acme.person(), "home")
    desk.submit("/set-up/mail")
    link = link_in(world, "ticket")
    phone = acme.browser()
    page = phone.open(link)
    assert page.path == "/ticket"
    assert page.read.title.endswith("| Acme Notes")
    assert "ana@people.example" in page.text
    assert page.read.links["Continue at Acme Notes"] == f"{RETURN_URL}?open=ticket"
    assert "password" not in page.text
    assert page.actions == []
    page = phone.open(path(acme.check(acme.person(), open="ticket")["start"]))
    assert page.path == "/ticket"
    page = phone.submit("/ticket")
    assert page.path.startswith("/set-up")
    assert "Issuer Acme Notes" in page.text
    phone.submit("/set-up", code=world.code(seed_shown(page)))
    phone.submit("/set-up/done", saved="yes")
    acme.came_back(phone)
    page = acme.browser().open(link)
    assert page.status == 410
    assert page.read.links["Continue at Acme Notes"] == f"{RETURN_URL}?open=set-up"


def test_another_person_of_the_product_may_switch(world: World, acme: Product) -> None:
    acme.check(acme.person())
    world.require(place_of(world, acme)[0])
    desk = arrive(acme, acme.person(), "home")
    desk.submit("/set-up/mail")
    other = arrive(acme, acme.person("eve"), "user")
    page = other.open(link_in(world, "ticket"))
    assert "You are signed in with another account" in page.text
    page = other.submit("/sign-out")
    assert page.path == "/ticket"
    assert page.read.links["Continue at Acme Notes"] == f"{RETURN_URL}?open=ticket"


def test_a_suspended_second_step_is_lifted_by_way_of_the_product(world: World, acme: Product) -> None:
    acme.check(acme.person())
    seed = bound(world, acme, "ana")
    account = account_of(world, acme, "ana")
    for _ in range(100):
        by = world.session(account, Method.PROVIDER)
        wrong = f"{(int(world.code(seed)) + 7) % 10**6:06d}"
        world.write(lambda tx: second_step.present_totp(tx, by=by, code=wrong, token=new_token()))  # noqa: B023
        world.wait(HOUR)
    phone = acme.browser()
    page = phone.open(link_in(world, "second_factor_suspended"))
    assert page.path == "/lift"
    assert page.read.links["Continue at Acme Notes"] == f"{RETURN_URL}?open=lift"
    page = phone.open(path(acme.check(acme.person(), open="lift")["start"]))
    assert page.path == "/lift"
    page = phone.submit("/lift", code=world.code(seed))
    assert page.status == 200
    assert acme.check(acme.person())["decision"] == "challenge"


def test_the_api_names_the_product_as_issuer(acme: Product, world: World) -> None:
    visitor = arrive(acme, acme.person())
    visitor.open("/set-up")
    visitor.submit("/set-up/mail")
    token = link_in(world, "ticket").rpartition("/")[2]
    assert visitor.client.post("/api/v1/tickets/redeem", {"token": token}).status == 200
    got = visitor.client.post("/api/v1/me/authenticators/totp", {})
    assert got.status == 201, got.text
    assert got.json["otpauth_uri"].startswith("otpauth://totp/Acme%20Notes:ana%40people.example?")
