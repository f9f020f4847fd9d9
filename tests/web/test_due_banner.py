"""Before a mandate's instant: the banner on every page, its exact time left, and putting it away for a day."""

from dataclasses import dataclass

import pytest

from nightlatch.actions.snoozing import LAST_DAY, SNOOZE
from nightlatch.facts import AppId
from nightlatch.instants import DAY, HOUR, MINUTE, SECOND, Instant, to_datetime
from nightlatch.store import teammates, workspaces
from nightlatch.vocabulary import Role
from nightlatch.web.rendering import spoken
from tests.support.product import Product
from tests.support.switch import exempt
from tests.support.tables import rows
from tests.support.visitor import Page
from tests.support.world import Person
from tests.web.team import Team

PAGES = ("/w/acme", "/w/acme/settings/team", "/w/acme/settings/team/authentication")
SETTINGS = ("/settings/user", "/workspaces")
SNOOZED = "/w/acme/remind-me-tomorrow"


@dataclass
class Rollout:
    """Acme, which requires 2FA in three days and four hours; Ben has none yet."""

    team: Team
    dana: Person
    ben: Person
    acme: int
    at: Instant


@pytest.fixture
def rollout(team: Team) -> Rollout:
    dana, ben = team.person("Dana", two_factor=True), team.person("Ben")
    acme = team.world.workspace("acme", owner=dana, member=ben)
    at = team.world.clock.now() + 3 * DAY + 4 * HOUR + 30 * MINUTE
    team.world.require(acme, since=at)
    return Rollout(team, dana, ben, acme, at)


def banner(page: Page) -> str:
    """What the banner says; "" where there is none."""
    assert page.status == 200, page.text
    return page.text.partition("asks you for 2FA ")[2].partition(" UTC")[0]


def test_every_page_of_the_workspace_and_the_settings_has_it(rollout: Rollout) -> None:
    visitor = rollout.team.visitor(rollout.ben)
    for path in (*PAGES, *SETTINGS):
        page = visitor.open(path)
        assert banner(page).startswith("in 3 days and 4 hours, on"), path
        assert f"on {spoken(rollout.at, 'long')}" in page.text
        assert page.read.links["Set it up now"] == f"/set-up?workspace=acme&next={path}"
        assert SNOOZED in page.actions
    page, moment = visitor.open("/w/acme"), to_datetime(rollout.at)
    assert f"{moment.day} {moment:%B} {moment.year}, {moment:%H:%M} UTC" in page.text


def test_access_is_as_before_until_the_instant_and_then_set_up_comes_first(rollout: Rollout) -> None:
    world = rollout.team.world
    visitor = rollout.team.visitor(rollout.ben)
    world.wait(3 * DAY + 4 * HOUR + 29 * MINUTE)
    visitor = rollout.team.visitor(rollout.ben)
    assert visitor.open("/w/acme").status == 200
    world.wait(2 * MINUTE)
    assert visitor.open("/w/acme").path.startswith("/set-up?workspace=acme")


def test_who_is_set_up_or_only_elsewhere_sees_none(rollout: Rollout) -> None:
    team = rollout.team
    beta = team.world.workspace("beta", member=rollout.ben, owner=rollout.dana)
    for path in (*PAGES, *SETTINGS):
        assert banner(team.visitor(rollout.dana).open(path)) == "", path
    his = team.visitor(rollout.ben)
    assert banner(his.open("/w/beta")) == "", "another workspace's page is left alone"
    team.world.require(beta, since=rollout.at - DAY)
    page = his.open("/settings/user")
    first, second = page.text.index("Beta asks you"), page.text.index("Acme asks you")
    assert first < second, "the soonest first"


def test_remind_me_tomorrow_and_it_comes_back(rollout: Rollout) -> None:
    """Per person and workspace, on every browser of the person's, and for a day."""
    team, world = rollout.team, rollout.team.world
    visitor = team.visitor(rollout.ben)
    visitor.open("/w/acme/settings/team")
    page = visitor.submit(SNOOZED)
    assert page.path == "/w/acme/settings/team?said=snoozed"
    assert "We remind you again tomorrow." in page.text
    assert banner(page) == ""
    assert banner(team.visitor(rollout.ben).open("/settings/user")) == "", "in another browser, too"
    world.wait(SNOOZE - MINUTE)
    assert banner(team.visitor(rollout.ben).open("/w/acme")) == ""
    world.wait(2 * MINUTE)
    assert banner(team.visitor(rollout.ben).open("/w/acme")).startswith("in 2 days and 4 hours")


def test_one_persons_snooze_is_nobody_elses(rollout: Rollout) -> None:
    team = rollout.team
    beta = team.world.workspace("beta", member=rollout.ben, owner=rollout.dana)
    team.world.require(beta, since=rollout.at)
    visitor = team.visitor(rollout.ben)
    visitor.open("/settings/user")
    page = visitor.submit(SNOOZED)
    assert "Beta asks you for 2FA" in page.text
    assert "Acme asks you for 2FA" not in page.text
    others = [each for each in rows(team.world, "teammates") if each.snoozed_until is not None]
    assert [(each.account_id, each.workspace_id) for each in others] == [(rollout.ben.id, rollout.acme)]


def test_not_in_the_last_day(rollout: Rollout) -> None:
    """It stays then, also where it was put away shortly before."""
    team, world = rollout.team, rollout.team.world
    world.wait(2 * DAY + 4 * HOUR + 29 * MINUTE + 50 * SECOND)
    visitor = team.visitor(rollout.ben)
    visitor.open("/w/acme")
    page = visitor.submit(SNOOZED)
    assert banner(page) == ""
    world.wait(MINUTE)
    page = visitor.open("/w/acme")
    assert rollout.at - world.clock.now() < LAST_DAY
    assert banner(page).startswith("in 23 hours and 59 minutes")
    assert SNOOZED not in page.actions
    csrf = page.read.forms[0].fields["csrf"]
    page = visitor.post(SNOOZED, {"csrf": csrf, "next": "//evil.example"})
    assert page.path == "/w/acme?said=not-snoozed"
    assert "this stays here" in page.text
    assert banner(page)


def test_an_exception_is_a_date_of_its_own(rollout: Rollout) -> None:
    team, world = rollout.team, rollout.team.world
    exempt(world, rollout.acme, rollout.ben, until=rollout.at + 2 * DAY)
    assert banner(team.visitor(rollout.ben).open("/w/acme")).startswith("in 5 days and 4 hours")
    world.wait(4 * DAY)
    page = team.visitor(rollout.ben).open("/w/acme")
    assert banner(page).startswith("in 1 day and 4 hours")


def test_who_joins_after_the_announcement_is_asked_at_once(rollout: Rollout) -> None:
    team, world = rollout.team, rollout.team.world
    world.wait(SECOND)
    lea = team.person("Lea")
    world.write(lambda tx: teammates.join(tx, workspace_id=rollout.acme, account_id=lea.id, role=Role.MEMBER))
    page = team.visitor(lea).open("/w/acme")
    assert page.path.startswith("/set-up?workspace=acme")


def test_the_people_of_a_product_see_it_with_the_products_face(team: Team) -> None:
    product = Product.of(team.world, team.app)
    visitor = product.browser()
    person = product.person("ana")
    start = product.check(person, open="user")["start"]
    row = team.world.read(lambda tx: workspaces.by_app(tx, AppId(product.id), "w1"))
    assert row is not None
    team.world.require(row.id, since=team.world.clock.now() + 3 * DAY + MINUTE)
    page = visitor.open(str(start).removeprefix("http://localhost:8000"))
    assert banner(page).startswith("in 3 days, on")
    assert "Acme Notes" in page.text
    assert page.read.links["Set it up now"].startswith(f"/set-up?workspace={row.slug}")
    page = visitor.submit(f"/w/{row.slug}/remind-me-tomorrow")
    assert banner(page) == ""
    assert product.check(person)["due"] is not None, "the product is told as before"


def test_the_product_check_tells_each_person_their_own_date(team: Team) -> None:
    """`due` is right for who was there, who joined later, and who has an exception."""
    product = Product.of(team.world, team.app)
    early, granted = product.person("ana"), product.person("eva")
    for person in (early, granted):
        product.check(person)
    row = team.world.read(lambda tx: workspaces.by_app(tx, AppId(product.id), "w1"))
    assert row is not None
    at = team.world.clock.now() + 3 * DAY
    team.world.require(row.id, since=at)
    eva = next(each for each in rows(team.world, "accounts") if each.name == "Eva")
    exempt(team.world, row.id, Person(eva.id, eva.email, eva.name), until=at + DAY)
    team.world.wait(SECOND)
    late = product.person("lea")
    told = {person["id"]: product.check(person) for person in (early, granted, late)}
    assert {id: (each["decision"], each["reason"]) for id, each in told.items()} == {
        "ana": ("allow", "allowed"),
        "eva": ("allow", "allowed"),
        "lea": ("enrol", "mandate"),
    }
    dues = {id: each["due"] for id, each in told.items()}
    assert (dues["ana"] < dues["eva"], dues["lea"]) == (True, None)
