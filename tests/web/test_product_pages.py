"""What a product's people see: its face, what it keeps for them, and its own sign-in in place of a password."""

import base64
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from nightlatch.actions import app_flows, second_step
from nightlatch.actions.tokens import new_token
from nightlatch.facts import reach_of
from nightlatch.ids import to_text as id_text
from nightlatch.instants import HOUR, MINUTE, to_text
from nightlatch.mail.drain import Post, drain_once
from nightlatch.mail.messages import common
from nightlatch.mail.outgoing import OutgoingMail, Sender
from nightlatch.store import accounts, apps, people, workspaces
from nightlatch.store.engine import Transaction
from nightlatch.vocabulary import Method
from nightlatch.web import branding
from nightlatch.web.app import App
from tests.support.asgi import Client, Got, app_of
from tests.support.logo import png
from tests.support.mails import link_in, newest
from tests.support.product import ORIGIN, RETURN_URL, Product
from tests.support.visitor import Page, Visitor, resident, seed_shown, signed_in
from tests.support.world import Person, World

COLOUR = "#0f766e"
TEAM = "/settings/team"


@pytest.fixture
def app(world: World) -> App:
    return app_of(world)


@pytest.fixture
def acme(world: World, app: App) -> Product:
    """A product with a picture and a colour."""
    product = Product.of(world, app)

    def body(tx: Transaction) -> None:
        row = apps.by_id(tx, product.id)
        assert row is not None
        apps.change(
            tx,
            product.id,
            name=row.name,
            return_url=row.return_url,
            roles=row.roles,
            role_map=row.role_map,
            colour=COLOUR,
        )
        apps.set_logo(tx, product.id, png(), "image/png")

    world.write(body)
    return product


def path(start: Any) -> str:
    assert isinstance(start, str)
    return start.removeprefix("http://localhost:8000")


def arrive(product: Product, person: dict[str, Any], opens: str = "user", **more: Any) -> Visitor:
    """That person's browser, sent to one of our pages by the product."""
    visitor = product.browser()
    visitor.open(path(product.check(person, open=opens, **more)["start"]))
    return visitor


def with_code(world: World, visitor: Visitor, seed: bytes) -> Page:
    """The second step, where the page asks for it."""
    return visitor.submit("/sign-in/second-step", code=world.code(seed))


def account_of(world: World, product: Product, id: str) -> Person:
    row = world.read(lambda tx: accounts.by_person(tx, product.id, id))
    assert row is not None
    return Person(row.id, row.email, row.name)


def place_of(world: World, product: Product, key: str = "w1") -> tuple[int, str]:
    row = world.read(lambda tx: workspaces.by_app(tx, product.id, key))
    assert row is not None
    return int(row.id), str(row.slug)


def bound(world: World, product: Product, id: str) -> bytes:
    """2FA for one of the product's people, without any journey."""
    _, seed = world.bind_totp(account_of(world, product, id), reach_of(place_of(world, product)[0]))
    return seed


def teammate(world: World, product: Product, id: str) -> str:
    row = world.read(lambda tx: people.standing(tx, product.id, id, "w1"))
    assert row is not None
    return id_text(row.teammate_id)


def refused(got: Got) -> bool:
    """By the page or by the API: not permitted, and nothing else."""
    return got.status == 403 and ("not_permitted" in got.text)


# --- its face ---


def test_pages_wear_the_face_of_the_product(acme: Product) -> None:
    page = arrive(acme, acme.person()).open("/settings/user")
    assert page.read.title.endswith("| Acme Notes")
    assert "Acme Notes uses Nightlatch for 2FA" in page.text
    assert re.search(
        rf'<img class="mark mark-picture" src="/apps/{id_text(acme.id)}/logo\?v=[0-9a-f]{{12}}"',
        page.got.text,
    )
    assert re.search(r'<link rel="stylesheet" href="/themes/0f766e\?v=[0-9a-f]{12}">', page.got.text)
    assert page.read.links["Back to Acme Notes"].endswith("/back")


def test_a_refusal_wears_it_too(acme: Product) -> None:
    page = arrive(acme, acme.person()).open("/w/nowhere")
    assert page.status == 404
    assert page.read.title.endswith("| Acme Notes")


def test_our_own_people_see_our_own_face(world: World, app: App, acme: Product) -> None:
    dana = resident(world, "Dana")
    world.workspace("beta", owner=dana)
    page = signed_in(app, dana).open("/settings/user")
    assert page.read.title.endswith("| Nightlatch")
    assert "/themes/" not in page.got.text
    assert "Acme Notes" not in page.got.text


def test_a_product_without_picture_and_colour_has_its_initial(world: World, app: App) -> None:
    plain = Product.of(world, app, "plain", name="Plain Notes", origin="https://plain.example")
    page = arrive(plain, plain.person()).open("/settings/user")
    assert '<span class="mark mark-letter" aria-hidden="true">P</span>' in page.got.text
    assert "/themes/" not in page.got.text


def test_the_picture_does_nothing_and_is_kept_by_its_version(acme: Product, app: App) -> None:
    page = arrive(acme, acme.person()).open("/settings/user")
    address = re.search(r'src="(/apps/[^"]+)"', page.got.text)
    assert address is not None
    got = Visitor(app).client.get(address[1])
    assert (got.status, got.header("content-type"), got.body) == (200, "image/png", png())
    assert got.header("content-security-policy") == "default-src 'none'; sandbox"
    assert got.header("x-content-type-options") == "nosniff"
    assert "immutable" in got.header("cache-control")
    assert not got.all("set-cookie")
    again = Visitor(app).client.get(address[1].partition("?")[0])
    assert again.header("cache-control") == "public, no-cache"


@pytest.mark.parametrize("kind", ["text/html", "image/svg+xml", None])
def test_nothing_but_known_pictures_is_answered(
    world: World, acme: Product, app: App, kind: str | None
) -> None:
    world.write(lambda tx: apps.set_logo(tx, acme.id, b"<svg onload='alert(1)'/>", kind))
    assert Visitor(app).client.get(f"/apps/{id_text(acme.id)}/logo").status == 404
    assert "mark-letter" in arrive(acme, acme.person()).open("/settings/user").got.text


def test_a_theme_is_a_colour_and_nothing_else(app: App) -> None:
    got = Visitor(app).client.get("/themes/0f766e")
    assert got.status == 200
    assert got.header("content-type").startswith("text/css")
    assert "background: #0f766e" in got.text
    for wrong in ("0f766", "0F766E", "zzzzzz", "0f766e.css", "%7D"):
        assert Visitor(app).client.get(f"/themes/{wrong}").status == 404


def test_a_stranger_colour_in_the_database_is_no_style_sheet(world: World, acme: Product) -> None:
    def body(tx: Transaction) -> None:
        row = apps.by_id(tx, acme.id)
        assert row is not None
        apps.change(
            tx, acme.id, name=row.name, return_url=row.return_url, roles=None, role_map="{}", colour="red;}"
        )

    world.write(body)
    assert "/themes/" not in arrive(acme, acme.person()).open("/settings/user").got.text


def test_below_a_path_of_the_products_own_host_all_of_it_is_there(world: World) -> None:
    """NIGHTLATCH_PATH: every address of ours has the prefix, the product's have none."""
    app = app_of(world, NIGHTLATCH_PATH="/2fa")
    product = Product.of(world, app)
    world.write(lambda tx: apps.set_logo(tx, product.id, png(), "image/png"))
    client = Client(app)
    got = Client(app, bearer=product.secret).post(
        "/2fa/api/v1/app/check", {"person": product.person(), "open": "user"}
    )
    start = got.json["start"].removeprefix("http://localhost:8000")
    assert start.startswith("/2fa/app/start/")
    got = client.get(start)
    assert got.header("location") == "/2fa/settings/user"
    text = client.get("/2fa/settings/user").text
    for attribute, found in re.findall(r'\s(href|src|action)="([^"#]+)"', text):
        assert found.startswith(("/2fa/", f"{ORIGIN}/")), (attribute, found)
    logo = re.search(r'src="(/2fa/apps/[^"]+)"', text)
    assert logo is not None
    assert client.get(logo[1]).body == png()


# --- back to it ---


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
    """Olga, an owner in the product, with 2FA and signed in; Ana and Ben are with her."""
    for id, role in (("olga", "owner"), ("ana", "member"), ("ben", "admin")):
        acme.check(acme.person(id, role=role))
    seed = bound(world, acme, "olga")
    visitor = arrive(acme, acme.person("olga", role="owner"), "team")
    page = with_code(world, visitor, seed)
    assert page.path == f"/w/{place_of(world, acme)[1]}{TEAM}"
    return visitor


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


# --- the product's own sign-in ---


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


# --- mails ---


@dataclass
class Pigeon:
    """A sender that keeps what it is given."""

    sent: list[OutgoingMail] = field(default_factory=list)

    def send(self, mail: OutgoingMail) -> None:
        self.sent.append(mail)

    @contextmanager
    def batch(self) -> Iterator[Sender]:
        yield self


def test_mails_speak_for_the_product_with_links_of_ours(world: World, acme: Product) -> None:
    acme.check(acme.person())
    world.require(place_of(world, acme)[0])
    visitor = arrive(acme, acme.person(), "home")
    visitor.submit("/set-up/mail")
    visitor.open(link_in(world, "ticket"))
    visitor.submit("/ticket")
    assert visitor.page is not None
    visitor.submit("/set-up", code=world.code(seed_shown(visitor.page)))
    pigeon = Pigeon()
    drain_once(
        Post(world.store, pigeon, "Nightlatch", "no-reply@example.com", "http://localhost:8000", world.clock)
    )
    ticket, bound = pigeon.sent
    for mail in (ticket, bound):
        assert mail.to == "ana@people.example"
        assert "Acme Notes uses Nightlatch for 2FA, which sent this." in " ".join(mail.text.split())
        assert '<p class="product">Acme Notes</p>' in mail.html
        assert "Forgot" not in mail.text
    assert "http://localhost:8000/tickets/" in ticket.text
    not_me = re.search(r"http://localhost:8000(/not-me/\S+)", bound.text)
    assert not_me is not None
    assert "This was not me" in acme.browser().open(not_me[1]).text
    look = common.by_way_of(
        id_text(acme.id), common.SETTINGS
    )  # as mails that only tell lead to a page of ours
    page = acme.browser().open(look)
    assert page.read.links["Continue at Acme Notes"] == f"{RETURN_URL}?open=user"
    assert visitor.open(look).path == "/settings/user"


def test_a_mail_about_a_workspace_speaks_for_its_product(world: World, acme: Product) -> None:
    acme.check(acme.person("olga", role="owner"))
    acme.check(acme.person("ben", role="owner"))
    bound(world, acme, "olga")
    world.require(place_of(world, acme)[0])
    acme.check(acme.person("olga", role="member"))
    pigeon = Pigeon()
    drain_once(
        Post(world.store, pigeon, "Nightlatch", "no-reply@example.com", "http://localhost:8000", world.clock)
    )
    ownerless = next(mail for mail in pigeon.sent if "No owner of Team w1" in mail.subject)
    assert "Acme Notes uses Nightlatch for 2FA" in " ".join(ownerless.text.split())


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
