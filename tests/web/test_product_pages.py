"""What a product's people see: their settings and the team's pages, with what the product keeps left out."""

import re
from typing import Any

import pytest

from nightlatch.web.app import App
from tests.support.asgi import Got
from tests.support.mails import link_in, newest
from tests.support.product import ORIGIN, Product
from tests.support.visitor import Visitor, resident, signed_in
from tests.support.world import Person, World
from tests.web.product_people import (
    TEAM,
    account_of,
    an_owner,
    arrive,
    bound,
    place_of,
    teammate,
    with_code,
)


def refused(got: Got) -> bool:
    """By the page or by the API: not permitted, and nothing else."""
    return got.status == 403 and ("not_permitted" in got.text)


# --- Settings > User ---


def test_settings_have_2fa_whole_and_say_who_keeps_the_rest(world: World, acme: Product) -> None:
    acme.check(acme.person())
    seed = bound(world, acme, "ana")
    visitor = arrive(acme, acme.person())
    page = with_code(world, visitor, seed)
    assert page.path.startswith("/settings/user")
    assert "Kept by Acme Notes" in page.text
    assert page.read.links["Go to Acme Notes"] == f"{ORIGIN}/"
    named = {each for each in page.actions if each.startswith("/settings/user/authenticators/")}
    assert set(page.actions) - named <= {"/sign-out", "/set-up/begin", "/settings/user/recovery-codes"}
    assert "Leave" not in page.text
    assert "/settings/user/password" not in page.got.text
    remove = page.read.links["Phone"]
    page = visitor.open(remove)
    assert "Your sign-in at Acme Notes alone will then be enough." in page.text
    page = visitor.submit(remove)
    assert "It is removed." in page.text
    assert "At the moment your sign-in at Acme Notes alone is enough." in page.text


PAGES = [
    ("GET", "/settings/user/password"),
    ("GET", "/workspaces/new"),
    ("POST", "/settings/user/name"),
    ("POST", "/settings/user/email"),
    ("POST", "/settings/user/email/cancel"),
    ("POST", "/settings/user/password"),
    ("POST", "/workspaces/new"),
    ("POST", "/w/{slug}/leave"),
    ("POST", "/step-up"),
]
API = [
    ("PATCH", "/me", {"name": "Mallory"}),
    ("POST", "/me/password", {"password": "a long and honest password"}),
    ("POST", "/me/email", {"email": "mallory@example.com"}),
    ("DELETE", "/me/email", None),
    ("POST", "/workspaces", {"name": "Mine", "slug": "mine"}),
    ("POST", "/workspaces/{slug}/leave", None),
    ("POST", "/step-up/password", {"password": "a long and honest password"}),
]


@pytest.mark.parametrize("method, where", PAGES)
def test_pages_refuse_what_the_product_keeps(world: World, acme: Product, method: str, where: str) -> None:
    visitor = arrive(acme, acme.person())
    page = visitor.open("/settings/user")
    csrf = re.search(r'name="csrf" value="([^"]+)"', page.got.text)
    assert csrf is not None
    where = where.format(slug=place_of(world, acme)[1])
    fields = {
        "csrf": csrf[1],
        "name": "Mallory",
        "email": "mallory@example.com",
        "using": "password",
        "password": "a long and honest password",
        "new_password": "a long and honest password",
    }
    page = visitor.open(where) if method == "GET" else visitor.post(where, fields)
    assert refused(page.got)
    assert page.heading == "Acme Notes keeps this"
    assert page.read.links["Go to Acme Notes"] == f"{ORIGIN}/"
    assert account_of(world, acme, "ana") == Person(
        account_of(world, acme, "ana").id, "ana@people.example", "Ana"
    )


@pytest.mark.parametrize("method, where, body", API)
def test_the_api_refuses_what_the_product_keeps(
    world: World, acme: Product, method: str, where: str, body: Any
) -> None:
    visitor = arrive(acme, acme.person())
    where = where.format(slug=place_of(world, acme)[1])
    got = visitor.client.ask(method, f"/api/v1{where}", json_body=body)
    assert refused(got), got.text
    assert got.json["way_out"]["path"] == "/settings/user"


def test_leaving_is_explained_where_it_is_asked_about(world: World, acme: Product) -> None:
    page = arrive(acme, acme.person()).open(f"/w/{place_of(world, acme)[1]}/leave")
    assert "People and roles in Team w1 come from Acme Notes." in page.text
    assert not [each for each in page.actions if each.endswith("/leave")]


def test_nobody_joins_a_workspace_of_ours_with_a_products_account(
    world: World, app: App, acme: Product
) -> None:
    dana = resident(world, "Dana")
    world.workspace("beta", owner=dana)
    owner = signed_in(app, dana)
    owner.open("/w/beta/settings/team/invite")
    owner.submit("/w/beta/settings/team/invite", emails="ana@people.example", role="member")
    token = link_in(world, "invitation").rpartition("/")[2]
    visitor = arrive(acme, acme.person())
    got = visitor.client.post("/api/v1/invitations/accept", {"token": token})
    assert refused(got), got.text
    assert "Beta" not in visitor.open("/workspaces").text  # an address is the product's word alone


def test_there_is_no_password_to_sign_in_with_or_to_reset(world: World, app: App, acme: Product) -> None:
    acme.check(acme.person())
    visitor = Visitor(app)
    visitor.open("/sign-in")
    page = visitor.submit("/sign-in", email="ana@people.example", password="a long and honest password")
    assert page.status == 401
    visitor.open("/password-reset")
    visitor.submit("/password-reset", email="ana@people.example")
    with pytest.raises(AssertionError, match="no password_reset mail"):
        newest(world, "password_reset")


# --- the team's pages ---


@pytest.fixture
def owner(world: World, acme: Product) -> Visitor:
    return an_owner(world, acme)


def test_the_table_is_whole_but_people_come_from_the_product(owner: Visitor) -> None:
    page = owner.page
    assert page is not None
    assert "People and roles come from Acme Notes" in page.text
    for name in ("Olga", "Ana", "Ben"):
        assert name in page.text
    for absent in ("Invite teammates", "Change role", "Remove from"):
        assert absent not in page.text
    filtered = owner.open(f"{page.path}?two_factor=on")
    assert "Ben" not in filtered.text


def test_nobody_is_invited_or_changed_here(world: World, acme: Product, owner: Visitor) -> None:
    _, slug = place_of(world, acme)
    ana, team = teammate(world, acme, "ana"), f"/w/{slug}{TEAM}"
    page = owner.open(f"{team}/invite")
    assert refused(page.got)
    assert "come from Acme Notes" in page.text
    csrf = re.search(r'name="csrf" value="([^"]+)"', page.got.text)
    assert csrf is not None
    for where, fields in (
        ("/invite", {"emails": "x@example.com", "role": "member"}),
        (f"/{ana}/role", {"role": "owner"}),
        (f"/{ana}/remove", {}),
    ):
        page = owner.post(team + where, {"csrf": csrf[1], **fields})
        assert page.status == 403
        assert "come from Acme Notes. Change them there." in page.text
    for where in (f"/{ana}/role", f"/{ana}/remove"):
        page = owner.open(team + where)
        assert page.status == 200
        assert "come from Acme Notes. Change them there." in page.text
        assert team + where not in page.actions
    for method, where, body in (
        ("POST", "/invitations", {"email": "x@example.com", "role": "member"}),
        ("PATCH", f"/teammates/{ana}", {"role": "owner"}),
        ("DELETE", f"/teammates/{ana}", None),
    ):
        got = owner.client.ask(method, f"/api/v1/workspaces/{slug}{where}", json_body=body)
        assert refused(got), got.text
        assert "come from Acme Notes" in got.json["detail"]


def test_an_admin_of_the_product_disables_2fa(world: World, acme: Product, owner: Visitor) -> None:
    bound(world, acme, "ana")
    _, slug = place_of(world, acme)
    where = f"/w/{slug}{TEAM}/{teammate(world, acme, 'ana')}/disable-two-factor"
    page = owner.open(where)
    assert "gets into their account at Acme Notes then gets in" in page.text
    page = owner.submit(where, reason="lost phone", recognised_by="phone")
    assert "Read this out to Ana" in page.text
    assert newest(world, "reset")["workspace"] == "Team w1"
    assert "disabled 2FA for Ana" in owner.open(f"/w/{slug}{TEAM}/audit").text


def test_the_switch_is_turned_on_a_products_page(world: World, acme: Product, owner: Visitor) -> None:
    _, slug = place_of(world, acme)
    path_on = f"/w/{slug}{TEAM}/authentication/on"
    page = owner.open(path_on)
    assert "Make a second owner at Acme Notes" in page.text
    page = owner.submit(path_on, when="now")
    assert "2FA is now required of everyone here." in page.text
    assert acme.check(acme.person("ana"))["decision"] == "enrol"


def test_a_mandate_without_an_enrolled_owner_is_told(world: World, acme: Product, owner: Visitor) -> None:
    workspace_id, slug = place_of(world, acme)
    world.require(workspace_id)
    for each in (f"/w/{slug}{TEAM}", f"/w/{slug}{TEAM}/authentication"):
        assert "has 2FA any more" not in owner.open(each).text
    acme.check(acme.person("ben", role="owner"))
    acme.check(acme.person("olga", role="admin"))
    assert newest(world, "mandate_ownerless")["app"] == "Acme Notes"
    for each in (f"/w/{slug}{TEAM}", f"/w/{slug}{TEAM}/authentication"):
        page = owner.open(each)
        assert "No owner of Team w1 has 2FA any more" in page.text
        assert "only the operator can help an owner who is locked out" in page.text
