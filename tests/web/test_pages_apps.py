"""Settings > Team > Products, by an owner at the pages; and a workspace's home, which lists what is open."""

import re

import pytest

from nightlatch.instants import HOUR
from tests.support.asgi import app_of
from tests.support.tables import everything
from tests.support.visitor import Page, Visitor, signed_in
from tests.support.world import Person
from tests.web.team import Team

APPS = "/w/acme/settings/team/apps"
ORIGIN = "https://app.acme.example"


@pytest.fixture
def dana(team: Team) -> Person:
    """The owner of acme, with 2FA."""
    person = team.person("Dana", two_factor=True)
    team.world.workspace("acme", owner=person)
    return person


def add(visitor: Visitor, **more: str) -> Page:
    visitor.open(APPS)
    return visitor.submit(APPS, **{"name": "Acme Notes", "origins": ORIGIN, **more})


def secret_on(page: Page) -> str:
    found = re.search(r'id="secret"[^>]*>(nla_[A-Za-z0-9_-]{43})<', page.got.text)
    assert found is not None, page.text
    return found[1]


def test_a_product_from_first_to_last(team: Team, dana: Person) -> None:
    visitor = team.visitor(dana)
    assert APPS in visitor.open("/w/acme/settings/team").read.links.values()
    assert "None is registered yet." in visitor.open(APPS).text
    page = add(visitor, kind="keeps", role_map="superuser = owner\n boss=owner", colour="#ffcc00")
    first = secret_on(page)
    assert page.got.header("cache-control") == "no-store"
    assert f"{ORIGIN}/nightlatch/callback" in page.text
    assert first not in repr(everything(team.world))
    page = visitor.open(APPS)
    one = page.read.links["Acme Notes"]
    page = visitor.open(one)
    assert "nla_" not in page.got.text
    assert "hard to read" in page.text
    page = visitor.submit(f"{one}/secrets")
    assert secret_on(page) != first
    assert "The older secret stays valid" in page.text
    page = visitor.open(one)
    ends = [each for each in page.actions if each.endswith("/end")]
    assert len(ends) == 2
    assert f"{one}/secrets" not in page.actions, "no third"
    page = visitor.submit(ends[0])
    assert "The secret is ended." in page.text
    page = visitor.submit(one, name="Notes", origins="https://new.example")
    assert "The product is changed." in page.text
    assert "https://new.example/nightlatch/callback" in page.got.text, "the default one followed"
    visitor.open(f"{one}/remove")
    page = visitor.submit(f"{one}/remove")
    assert "The product is removed." in page.text
    assert "None is registered yet." in page.text


@pytest.mark.parametrize(
    "more,field",
    [
        ({"origins": "http://app.acme.example"}, "origins"),
        ({"origins": " "}, "origins"),
        ({"name": " "}, "name"),
        ({"kind": "other"}, "kind"),
        ({"kind": "keeps", "role_map": "superuser"}, "role_map"),
        ({"kind": "keeps", "role_map": "superuser = root"}, "role_map"),
        ({"kind": "keeps", "return_url": "https://evil.example/x"}, "return_url"),
        ({"handle": "Not A Handle"}, "handle"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_what_is_wrong_is_said_at_its_field(
    team: Team, dana: Person, more: dict[str, str], field: str
) -> None:
    visitor = team.visitor(dana)
    page = add(visitor, **more)
    assert page.status == 422
    assert f'href="#f-{field}"' in page.got.text
    assert f'id="f-{field}"' in page.got.text
    assert "Acme Notes" in page.got.text or "name" in more


def test_a_taken_address(team: Team, dana: Person) -> None:
    visitor = team.visitor(dana)
    add(visitor, kind="behind")
    page = add(visitor, name="Other")
    assert page.status == 409
    assert f"{ORIGIN} belongs to another product already." in page.text


def test_a_form_that_was_caught_comes_back_filled_in(team: Team, dana: Person) -> None:
    visitor = team.visitor(dana)
    visitor.open(APPS)
    team.world.wait(HOUR)
    page = visitor.submit(APPS, name="Acme Notes", origins=ORIGIN, kind="keeps")
    assert page.path.startswith("/step-up?")
    page = visitor.submit("/step-up", using="totp", code=team.code(dana))
    assert page.path.startswith(APPS)
    form = page.form(APPS)
    assert (form.fields["name"], form.fields["origins"], form.fields["kind"]) == (
        "Acme Notes",
        ORIGIN,
        "keeps",
    )
    assert secret_on(visitor.submit(APPS))


def test_the_home_lists_what_is_open(team: Team, dana: Person) -> None:
    visitor = team.visitor(dana)
    add(visitor, kind="behind", roles="owners")
    add(visitor, kind="behind", name="Wiki", origins="https://wiki.example\nhttps://w.example")
    add(visitor, kind="keeps", name="Own", origins="https://own.example")
    links = visitor.open("/w/acme").read.links.values()
    assert {f"{ORIGIN}/", "https://wiki.example/", "https://w.example/"} <= set(links)
    assert "https://own.example/" not in links, "it leads to its own workspaces"
    ben = team.person("Ben")
    team.world.workspace("other", member=ben)
    page = visitor.open(f"{APPS}")
    assert "Owners" in page.text
    assert signed_in(team.app, ben).open("/w/acme").status == 404


def test_members_see_what_is_open_to_them(team: Team) -> None:
    olga, ben = team.person("Olga"), team.person("Ben")
    team.world.workspace("acme", owner=olga, member=ben)
    visitor = team.visitor(olga)
    add(visitor, kind="behind", roles="managers")
    add(visitor, kind="behind", name="Wiki", origins="https://wiki.example")
    his = team.visitor(ben)
    links = his.open("/w/acme").read.links.values()
    assert "https://wiki.example/" in links
    assert f"{ORIGIN}/" not in links
    assert APPS not in links
    assert his.open(APPS).status == 403


def test_where_anybody_can_sign_up_the_page_says_who_registers(team: Team, dana: Person) -> None:
    team.app = app_of(team.world, NIGHTLATCH_SIGN_UP="open")
    visitor = team.visitor(dana)
    page = visitor.open(APPS)
    assert APPS not in page.actions
    assert "nightlatch app add" in page.text
