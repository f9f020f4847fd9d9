"""Forgotten passwords and blocked browsers: the links in those mails, dead ones included."""

import pytest

from nightlatch.actions import sign_in
from nightlatch.addresses import parse
from nightlatch.instants import HOUR
from nightlatch.web.app import App
from tests.support.asgi import app_of
from tests.support.mails import link_in
from tests.support.visitor import Visitor, resident, signed_in
from tests.support.world import PASSWORD, Person, World

NEW_PASSWORD = "four quite ordinary words"


@pytest.fixture
def app(world: World) -> App:
    return app_of(world)


@pytest.fixture
def ana(world: World) -> Person:
    ana = resident(world, "Ana")
    world.workspace("acme", owner=ana)
    return ana


def ask(app: App, email: str) -> Visitor:
    visitor = Visitor(app)
    visitor.open("/password-reset")
    visitor.submit("/password-reset", email=email)
    return visitor


def test_a_forgotten_password_is_set_anew_and_signs_nobody_in(world: World, app: App, ana: Person) -> None:
    _, seed = world.bind_totp(ana)
    old = signed_in(app, ana, code=world.code(seed))
    visitor = ask(app, ana.email)
    assert visitor.page is not None
    assert visitor.page.path == "/password-reset/sent"
    page = visitor.open(link_in(world, "password_reset"))
    assert page.path == "/password-reset/new"
    assert ana.email in page.text
    page = visitor.submit("/password-reset/new", password="short")
    assert page.status == 422
    page = visitor.submit("/password-reset/new", password=NEW_PASSWORD)
    assert page.path == "/sign-in?said=password-reset"
    assert "nightlatch" not in visitor.client.cookies
    assert old.open("/settings/user").path.startswith("/sign-in")
    page = visitor.submit("/sign-in", email=ana.email, password=NEW_PASSWORD)
    assert page.path.startswith("/sign-in/second-step"), "the second step is as before"


def test_the_answer_is_the_same_for_everybody(world: World, app: App, ana: Person) -> None:
    """F41."""
    known, unknown = ask(app, ana.email), ask(app, "nobody@example.com")
    assert known.page is not None
    assert unknown.page is not None
    assert known.page.status == unknown.page.status == 200
    assert known.page.text.replace(ana.email, "X") == unknown.page.text.replace("nobody@example.com", "X")
    assert known.page.read.title == unknown.page.read.title


def test_asking_without_an_address(app: App) -> None:
    visitor = Visitor(app)
    visitor.open("/password-reset")
    page = visitor.submit("/password-reset", email="")
    assert page.status == 422
    assert "Enter an e-mail address." in page.text
    assert Visitor(app).open("/password-reset/sent").path == "/password-reset"


def test_a_reset_link_works_once_and_for_an_hour(world: World, app: App, ana: Person) -> None:
    ask(app, ana.email)
    link = link_in(world, "password_reset")
    first, second = Visitor(app), Visitor(app)
    first.open(link)
    second.open(link)
    first.submit("/password-reset/new", password=NEW_PASSWORD)
    page = second.submit("/password-reset/new", password="another long password")
    assert page.status == 410
    assert "Each link works once" in page.text
    assert page.read.links["Ask for a new link"] == "/password-reset"
    ask(app, ana.email)
    world.wait(HOUR)
    page = Visitor(app).open(link_in(world, "password_reset"))
    assert page.status == 410
    assert "that time is over" in page.text


def test_somebody_elses_session_stays_when_a_link_is_used_in_it(world: World, app: App, ana: Person) -> None:
    ben = resident(world, "Ben")
    world.workspace("bolt", owner=ben)
    ask(app, ana.email)
    visitor = signed_in(app, ben)
    visitor.open(link_in(world, "password_reset"))
    visitor.submit("/password-reset/new", password=NEW_PASSWORD)
    assert "Ben" in visitor.open("/settings/user").text


def test_a_blocked_browser_may_try_again_by_the_link(world: World, app: App, ana: Person) -> None:
    by = world.session(ana)
    world.write(lambda tx: sign_in.ask_unblock(tx, by=by, address=parse(ana.email)))
    link = link_in(world, "sign_in_unblock")
    visitor = Visitor(app)
    page = visitor.open(link)
    assert page.heading == "Let this browser try again"
    assert ana.email in page.text
    page = visitor.submit("/unblock")
    assert page.path == "/sign-in?said=unblocked"
    assert visitor.open(link).status == 410
    visitor.open("/sign-in")
    assert visitor.submit("/sign-in", email=ana.email, password=PASSWORD).path == "/w/acme"


def test_links_that_nobody_mailed_are_404_with_a_way_on(app: App) -> None:
    for kind in ("password-reset", "email", "undo", "unblock", "lift", "tickets", "invitations"):
        for token in ("x" * 43, "%00", "a b", "..%2f", "é"):
            page = Visitor(app).open(f"/{kind}/{token}")
            assert page.status == 404, (kind, token)
            assert page.read.links


def test_the_token_leaves_the_address_at_once(world: World, app: App, ana: Person) -> None:
    """Law 10."""
    ask(app, ana.email)
    visitor = Visitor(app)
    link = link_in(world, "password_reset")
    page = visitor.open(link)
    assert link.rpartition("/")[2] not in page.path
    assert link.rpartition("/")[2] not in page.got.text
