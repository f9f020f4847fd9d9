"""Choosing a workspace, its home, making one."""

import pytest

from nightlatch.facts import reach_of
from nightlatch.instants import DAY
from nightlatch.web.app import App
from tests.support.asgi import app_of
from tests.support.visitor import Visitor, resident, signed_in
from tests.support.world import World


@pytest.fixture
def app(world: World) -> App:
    return app_of(world)


def test_one_workspace_is_opened_at_once_several_are_chosen_from(world: World, app: App) -> None:
    ana = resident(world, "Ana")
    acme = world.workspace("acme", owner=world.person("Dana"), member=ana)
    visitor = signed_in(app, ana)
    assert visitor.open("/").path == "/w/acme"
    bolt = world.workspace("bolt", owner=ana)
    cove = world.workspace("cove", owner=world.person("Emil"), member=ana)
    world.require(bolt)
    world.require(cove, since=world.clock.now() + 3 * DAY)
    page = visitor.open("/")
    assert page.path == "/workspaces"
    assert "Acme Member" in page.text
    assert "Bolt Owner Set up 2FA first" in page.text
    assert "Cove Member 2FA due soon" in page.text
    world.bind_totp(ana, reach_of(acme))
    page = visitor.open("/workspaces")
    assert "Acme Member Asks for 2FA" in page.text


def test_signed_out_it_leads_to_the_sign_in_and_back(world: World, app: App) -> None:
    assert Visitor(app).open("/workspaces").path == "/sign-in?next=%2Fworkspaces"
    assert Visitor(app).open("/w/acme").path == "/sign-in?next=%2Fw%2Facme"


def test_the_home_says_what_is_due_and_shows_numbers_to_managers_alone(world: World, app: App) -> None:
    olga, ana = resident(world, "Olga"), resident(world, "Ana")
    acme = world.workspace("acme", owner=olga, member=ana)
    world.require(acme, since=world.clock.now() + 3 * DAY)
    page = signed_in(app, ana).open("/w/acme")
    assert "Acme asks you for 2FA in" in page.text
    assert page.read.links["Set it up now"] == "/set-up?workspace=acme&next=/w/acme"
    assert "with 2FA" not in page.text
    page = signed_in(app, olga).open("/w/acme")
    assert "2 teammates 0 with 2FA 0 invited" in page.text
    assert "2FA required from" in page.text
    ready = resident(world, "Ria")
    birch = world.workspace("birch", owner=ready)
    world.require(birch, since=world.clock.now() + 3 * DAY)
    _, seed = world.bind_totp(ready)
    assert "2FA required from" in signed_in(app, ready, code=world.code(seed)).open("/w/birch").text


def test_making_a_workspace_where_sign_up_is_open(world: World) -> None:
    app = app_of(world, NIGHTLATCH_SIGN_UP="open")
    ana = resident(world, "Ana")
    world.workspace("acme", owner=ana)
    visitor = signed_in(app, ana)
    page = visitor.open("/workspaces")
    page = visitor.open(page.read.links["Create a workspace"])
    page = visitor.submit("/workspaces/new", name="", slug="A B")
    assert page.status == 422
    assert page.form("/workspaces/new").fields["slug"] == "A B"
    page = visitor.submit("/workspaces/new", name="Bolt", slug="acme")
    assert page.status == 422
    assert "Another workspace has this address." in page.text
    page = visitor.submit("/workspaces/new", name="Bolt", slug="bolt")
    assert page.path == "/w/bolt"


def test_where_it_is_closed_the_operator_makes_them(world: World, app: App) -> None:
    ana = resident(world, "Ana")
    world.workspace("acme", owner=ana)
    visitor = signed_in(app, ana)
    page = visitor.open("/workspaces")
    assert "Create a workspace" not in page.read.links
    csrf = page.form("/sign-out").fields["csrf"]
    assert visitor.open("/workspaces/new").status == 403
    assert visitor.post("/workspaces/new", {"csrf": csrf, "name": "Bolt", "slug": "bolt"}).status == 403


def test_help_is_there_for_everybody_and_names_who_can_help(world: World, app: App) -> None:
    ana = resident(world, "Ana")
    world.workspace("acme", owner=world.person("Dana"), member=ana)
    assert "Dana" not in Visitor(app).open("/help").text
    assert "For Acme : Dana." in signed_in(app, ana).open("/help").text
