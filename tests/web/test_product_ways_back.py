"""The way back to a product: to where the person was, and never where somebody else wants it."""

import base64

import pytest

from nightlatch.actions import app_flows
from nightlatch.instants import MINUTE
from nightlatch.web import branding
from tests.support.mails import link_in
from tests.support.product import ORIGIN, Product
from tests.support.visitor import seed_shown
from tests.support.world import World
from tests.web.product_people import (
    TEAM,
    arrive,
    bound,
    path,
    place_of,
)


def test_the_way_back_leads_to_where_the_person_was(acme: Product) -> None:
    visitor = arrive(acme, acme.person())
    visitor.open(visitor.open("/settings/user").read.links["Back to Acme Notes"])
    acme.came_back(visitor)


def test_after_a_quarter_of_an_hour_it_leads_to_the_start_page(world: World, acme: Product) -> None:
    visitor = arrive(acme, acme.person())
    world.wait(14 * MINUTE)
    visitor.open(visitor.open("/settings/user").read.links["Back to Acme Notes"])
    assert visitor.elsewhere == f"{ORIGIN}/"


def test_before_the_second_step_it_leads_to_the_start_page(world: World, acme: Product) -> None:
    acme.check(acme.person())
    bound(world, acme, "ana")
    visitor = arrive(acme, acme.person())
    assert visitor.page is not None
    assert visitor.page.path.startswith("/sign-in/second-step")
    assert visitor.page.read.links["Back to Acme Notes"] == f"{ORIGIN}/"


@pytest.mark.parametrize(
    "where, name",
    [
        ("/", "home"),
        ("/workspaces", "home"),
        ("/w/acme", "home"),
        ("/w/acme/app/0000000000001", "home"),
        ("/w/acme/settings/team?q=ana", "team"),
        ("/w/acme/settings/team/0000000000001/disable-two-factor?refill=1", "team"),
        ("/w/acme/settings/team/authentication", "team/authentication"),
        ("/w/acme/settings/team/authentication/on?refill=1", "team/authentication"),
        ("/w/acme/settings/team/audit?cursor=x", "team/audit"),
        ("/settings/user", "user"),
        ("/settings/user/authenticators/0000000000001/remove", "user"),
        ("/settings/users", "home"),
        ("/set-up?workspace=acme", "set-up"),
        ("/ticket", "ticket"),
        ("/tickets/x", "home"),
        ("/lift", "lift"),
    ],
)
def test_every_page_has_a_name_that_the_product_may_open(where: str, name: str) -> None:
    assert branding.page_name(where) == name
    assert name in app_flows.OPENS


def test_what_was_kept_for_long_leads_nowhere(world: World, acme: Product) -> None:
    visitor = arrive(acme, acme.person(role="owner"), "team")
    visitor.submit("/sign-out")
    kept = f"/w/{place_of(world, acme)[1]}{TEAM}"
    visitor.open(f"{kept}?q=ana")
    world.wait(11 * MINUTE)
    page = visitor.open(path(acme.check(acme.person(role="owner"), open="team")["start"]))
    assert page.path == kept
    for forged in ("//evil.example/settings/team", "https://evil.example/w/x/settings/team", "x", ""):
        cookie = base64.urlsafe_b64encode(f"{world.clock.now()} {forged}".encode()).decode()
        visitor.client.cookies["nightlatch-onward"] = cookie
        page = visitor.open(path(acme.check(acme.person(role="owner"), open="team")["start"]))
        assert page.path == kept


def test_a_page_kept_for_later_never_hijacks_the_way_back(world: World, acme: Product) -> None:
    visitor = arrive(acme, acme.person(), "home")
    visitor.submit("/sign-out")
    visitor.open(f"/w/{place_of(world, acme)[1]}")
    world.require(place_of(world, acme)[0])
    visitor.open(path(acme.check(acme.person())["start"]))
    assert visitor.page is not None
    assert visitor.page.path.startswith("/set-up?")
    assert "%2Fapp%2F" in visitor.page.path


def test_after_set_up_a_person_of_several_workspaces_is_back_where_they_came_from(
    world: World, acme: Product
) -> None:
    acme.check(acme.person(workspace="w2"))
    visitor = arrive(acme, acme.person(), "user")
    visitor.open("/set-up")
    visitor.submit("/set-up/mail")
    visitor.open(link_in(world, "ticket"))
    visitor.submit("/ticket")
    assert visitor.page is not None
    visitor.submit("/set-up", code=world.code(seed_shown(visitor.page)))
    visitor.submit("/set-up/done", saved="yes")
    assert visitor.trail[1] == "/app/back?said=two-factor-on"
    acme.came_back(visitor)
    assert list(acme.grants) == [("ana", "w1")]
