"""A product that keeps its own users: what it asks, where its people are led, and what comes back."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from nightlatch.instants import DAY, HOUR, MINUTE, SECOND, to_text
from nightlatch.store import accounts, apps, people, workspaces
from nightlatch.store.engine import Transaction
from nightlatch.web.app import App
from tests.support.asgi import Client, app_of
from tests.support.events import events
from tests.support.mails import link_in, newest
from tests.support.product import ORIGIN, RETURN_URL, Product
from tests.support.visitor import Visitor, resident, seed_shown
from tests.support.world import World


@pytest.fixture
def app(world: World) -> App:
    return app_of(world)


@pytest.fixture
def acme(world: World, app: App) -> Product:
    return Product.of(world, app)


def workspace_id(world: World, product: Product, key: str = "w1") -> int:
    row = world.read(lambda tx: workspaces.by_app(tx, product.id, key))
    assert row is not None
    return int(row.id)


def in_workspace(world: World, product: Product) -> list[Any]:
    place = workspace_id(world, product)
    return world.read(lambda tx: people.of_workspace(tx, product.id, place))


def slug(world: World, product: Product, key: str = "w1") -> str:
    row = world.read(lambda tx: workspaces.by_app(tx, product.id, key))
    assert row is not None
    return str(row.slug)


def path(start: Any) -> str:
    assert isinstance(start, str)
    assert start.startswith("http://localhost:8000/app/start/")
    return start.removeprefix("http://localhost:8000")


def enrol(world: World, product: Product, visitor: Visitor, person: dict[str, Any]) -> bytes:
    """From a check that says enrol to the way back: the ticket by mail, the key, the codes."""
    page = visitor.open(path(product.check(person)["start"]))
    assert page.path.startswith("/set-up"), page.path
    visitor.submit("/set-up/mail")
    visitor.open(link_in(world, "ticket"))
    seed = seed_shown(visitor.submit("/ticket"))
    visitor.submit("/set-up", code=world.code(seed))
    visitor.submit("/set-up/done", saved="yes")
    assert visitor.elsewhere.startswith(RETURN_URL), visitor.trail
    product.came_back(visitor)
    return seed


# --- who may ask ---


@pytest.mark.parametrize(
    "headers",
    [{}, {"authorization": "Bearer nla_wrong"}, {"authorization": "Basic abc"}, {"authorization": "Bearer "}],
)
def test_without_the_secret_nothing_is_answered(acme: Product, app: App, headers: dict[str, str]) -> None:
    got = Client(app).ask("POST", "/api/v1/app/check", json_body={"person": acme.person()}, headers=headers)
    assert got.status == 401
    assert got.code == "sign_in_required"


def test_a_browser_has_no_business_at_the_products_routes(acme: Product, app: App) -> None:
    got = acme.call("POST", "/app/check", {"person": acme.person()}, headers={"origin": ORIGIN})
    assert (got.status, got.code) == (403, "foreign_origin")
    client = Client(app, cookies={"nightlatch": "x"}, bearer=acme.secret)
    got = client.post("/api/v1/app/check", {"person": acme.person()})
    assert (got.status, got.code) == (400, "malformed")


def test_a_session_is_no_secret_and_a_secret_no_session(world: World, app: App, acme: Product) -> None:
    dana = resident(world, "Dana")
    world.workspace("acme", owner=dana)
    got = Client(app, bearer=acme.secret).get("/api/v1/session")
    assert got.status == 401
    token = Client(app).post(
        "/api/v1/sign-in/password", {"email": dana.email, "password": "a long and honest password"}
    )
    got = Client(app, bearer=token.json["token"]).post("/api/v1/app/check", {"person": acme.person()})
    assert got.status == 401


@pytest.mark.parametrize(
    "change, field",
    [
        ({"email": "nobody"}, "person.email"),
        ({"role": "guest"}, "person.role"),
        ({"name": "\u202e"}, "person.name"),
        ({"id": "a\u200bb"}, "person.id"),
        ({"id": ""}, "person.id"),
        ({"workspace": "x" * 201}, "person.workspace"),
        ({"signed_in_at": "yesterday"}, "person.signed_in_at"),
        ({"extra": 1}, "person.extra"),
    ],
)
def test_what_cannot_be_kept_is_said_by_its_field(
    world: World, acme: Product, change: dict[str, Any], field: str
) -> None:
    got = acme.call("POST", "/app/check", {"person": {**acme.person(), **change}})
    assert (got.status, got.code) == (422, "invalid")
    assert [each["field"] for each in got.json["errors"]] == [field]
    assert world.read(lambda tx: workspaces.every(tx)) == []


# --- people appear as they are first seen ---


def test_people_and_workspaces_appear_and_nothing_is_written_twice(world: World, acme: Product) -> None:
    answer = acme.check(acme.person())
    assert answer["decision"] == "allow"
    assert answer["start"] is None
    assert answer["proof"] == {"acr": "urn:nightlatch:aal1", "aal": 1, "amr": [], "at": None}
    row = world.read(lambda tx: people.standing(tx, acme.id, "ana", "w1"))
    assert row is not None
    assert (row.name, row.email, row.workspace_name) == ("Ana", "ana@people.example", "Team w1")
    before = events(world)
    acme.check(acme.person())
    assert events(world) == before


def test_identity_is_never_joined_by_e_mail(world: World, app: App, acme: Product) -> None:
    dana = resident(world, "Dana")
    world.workspace("acme", owner=dana)
    other = Product.of(world, app, "other", origin="https://other.example")
    for product in (acme, other):
        product.check(product.person("p1", email=dana.email))

    def known(tx: Transaction) -> list[Any]:
        rows = [accounts.by_person(tx, product.id, "p1") for product in (acme, other)]
        return [*rows, accounts.by_email(tx, dana.email)]

    ids = [row.id for row in world.read(known)]
    assert len(set(ids)) == 3
    assert ids[2] == dana.id


def test_a_product_changes_its_people_and_its_workspace(world: World, acme: Product) -> None:
    acme.check(acme.person())
    acme.check(acme.person(email="ana@new.example", name="Ana B", role="admin", workspace_name="Renamed"))
    row = world.read(lambda tx: people.standing(tx, acme.id, "ana", "w1"))
    assert row is not None
    assert (row.name, row.email, row.workspace_name) == ("Ana B", "ana@new.example", "Renamed")
    assert newest(world, "person_email_changed")["new"] == "ana@new.example"


def test_words_of_the_product_for_roles(world: World, app: App) -> None:
    acme = Product.of(world, app, roles={"chief": "owner", "guest": "member"})
    acme.check(acme.person("boss", role="chief"))
    acme.check(acme.person("bob", role="guest"))
    rows = {each.person: each.role for each in in_workspace(world, acme)}
    assert rows == {"boss": "owner", "bob": "member"}


def test_where_the_product_has_no_owner_its_admins_count_as_owners(world: World, acme: Product) -> None:
    def roles() -> dict[str, str]:
        rows = in_workspace(world, acme)
        return {each.person: each.role for each in rows}

    acme.check(acme.person("amy", role="admin"))
    acme.check(acme.person("bob"))
    assert roles() == {"amy": "owner", "bob": "member"}
    acme.check(acme.person("dana", role="owner"))
    assert roles() == {"amy": "admin", "bob": "member", "dana": "owner"}
    acme.call("DELETE", "/app/people/dana")
    assert roles() == {"amy": "owner", "bob": "member"}


# --- the mandate bites ---


def test_a_mandate_leads_to_set_up_and_back_with_a_grant(world: World, acme: Product) -> None:
    person = acme.person()
    acme.check(person)
    world.require(workspace_id(world, acme))
    answer = acme.check(person)
    assert (answer["decision"], answer["reason"]) == ("enrol", "mandate")
    enrol(world, acme, acme.browser(), person)
    answer = acme.check(person)
    assert answer["decision"] == "allow"
    assert answer["proof"]["aal"] == 2
    assert answer["proof"]["amr"] == ["otp", "mfa"]
    # Another browser, a new sign-in, an API client: without the grant the second step is asked for.
    del acme.grants["ana", "w1"]
    assert acme.check(person)["decision"] == "challenge"


def test_the_second_step_is_asked_of_who_is_enrolled_mandated_or_not(world: World, acme: Product) -> None:
    person = acme.person()
    acme.check(person)
    world.require(workspace_id(world, acme))
    seed = enrol(world, acme, acme.browser(), person)
    world.unrequire(workspace_id(world, acme))
    acme.grants.clear()
    answer = acme.check(person, state="s" * 22)
    assert (answer["decision"], answer["state"]) == ("challenge", "s" * 22)
    visitor = acme.browser()
    page = visitor.open(path(answer["start"]))
    assert page.path.startswith("/sign-in/second-step")
    world.wait(MINUTE)
    visitor.submit("/sign-in/second-step", code=world.code(seed))
    assert acme.came_back(visitor)["state"] == "s" * 22
    assert acme.check(person)["decision"] == "allow"


def test_signing_out_here_and_a_removal_bite_at_the_very_next_check(world: World, acme: Product) -> None:
    person = acme.person()
    acme.check(person)
    world.require(workspace_id(world, acme))
    visitor = acme.browser()
    enrol(world, acme, visitor, person)
    assert acme.check(person)["decision"] == "allow"
    visitor.open("/settings/user")
    visitor.submit("/sign-out")
    assert acme.check(person)["decision"] == "challenge"


def test_a_new_sign_in_at_the_product_asks_again(world: World, acme: Product) -> None:
    person = acme.person(signed_in_at=to_text(world.clock.now() - HOUR))
    acme.check(person)
    world.require(workspace_id(world, acme))
    visitor = acme.browser()
    enrol(world, acme, visitor, person)
    assert acme.check(person)["decision"] == "allow"
    world.wait(MINUTE)
    later = {**person, "signed_in_at": to_text(world.clock.now())}
    answer = acme.check(later)
    assert answer["decision"] == "challenge"
    # Also in the very browser whose session has shown the second step, with the grant that came of it.
    page = visitor.open(path(answer["start"]))
    assert page.path.startswith("/sign-in/second-step"), page.path


def test_removed_and_returned(world: World, acme: Product) -> None:
    person = acme.person()
    acme.check(person)
    world.require(workspace_id(world, acme))
    enrol(world, acme, acme.browser(), person)
    acme.check(acme.person("bob"))
    got = acme.call(
        "PUT",
        "/app/teammates",
        {
            "workspace": "w1",
            "workspace_name": "Team w1",
            "people": [{"id": "bob", "email": "bob@people.example", "name": "Bob", "role": "member"}],
            "confirm": True,
        },
    )
    assert got.json == {"added": 0, "changed": 0, "removed": 1, "unchanged": 1, "dry_run": False}
    standing = acme.call("GET", "/app/people/ana?workspace=w1").json
    assert (standing["decision"], standing["reason"]) == ("deny", "not_a_teammate")
    # The product says so again: she is back, what she proved before does not count, what she bound does.
    assert acme.check(person)["decision"] == "challenge"


def test_one_person_in_two_workspaces_one_of_them_mandated(world: World, acme: Product) -> None:
    first, second = acme.person(workspace="w1"), acme.person(workspace="w2")
    acme.check(first)
    acme.check(second)
    world.require(workspace_id(world, acme, "w1"))
    assert acme.check(first)["decision"] == "enrol"
    assert acme.check(second)["decision"] == "allow"
    visitor = acme.browser()
    enrol(world, acme, visitor, first)
    # A grant is for its own workspace alone; its session goes on, so that nobody types a second code.
    grant = acme.grants["ana", "w1"]
    answer = acme.check(second, grant=grant)
    if answer["decision"] == "challenge":
        visitor.open(path(answer["start"]))
        acme.came_back(visitor)
    assert acme.check(second)["decision"] == "allow"


# --- grants and codes ---


def proved(world: World, acme: Product) -> tuple[dict[str, Any], Visitor, bytes]:
    person = acme.person()
    acme.check(person)
    world.require(workspace_id(world, acme))
    visitor = acme.browser()
    seed = enrol(world, acme, visitor, person)
    return person, visitor, seed


def test_a_grant_is_for_its_app_person_and_workspace_alone(world: World, app: App, acme: Product) -> None:
    person, _, _ = proved(world, acme)
    grant = acme.grants["ana", "w1"]
    other = Product.of(world, app, "other", origin="https://other.example")
    other.check(other.person())
    world.require(workspace_id(world, other))
    assert other.check(other.person(), grant=grant)["decision"] == "enrol"
    acme.check(acme.person("bob"))
    assert acme.check(acme.person("bob"), grant=grant)["decision"] == "enrol"
    acme.check({**person, "workspace": "w2", "workspace_name": "Two"})
    world.require(workspace_id(world, acme, "w2"))
    assert (
        acme.check({**person, "workspace": "w2", "workspace_name": "Two"}, grant=grant)["decision"] != "allow"
    )


def test_a_code_is_good_once_and_a_replay_ends_what_it_made(world: World, acme: Product) -> None:
    person, visitor, _ = proved(world, acme)
    visitor.open(f"/w/{slug(world, acme)}/back")
    query = acme.came_back(visitor)
    assert acme.check(person)["decision"] == "allow"
    got = acme.call("POST", "/app/grants", {"code": query["code"], "state": query["state"]})
    assert (got.status, got.code) == (409, "already_used")
    assert acme.check(person)["decision"] == "challenge"


def test_a_code_is_for_its_app_and_state_and_for_a_minute(world: World, app: App, acme: Product) -> None:
    _, visitor, _ = proved(world, acme)
    visitor.open(f"/w/{slug(world, acme)}/back")
    query = {name: values[0] for name, values in parse_qs(urlsplit(visitor.elsewhere).query).items()}
    other = Product.of(world, app, "other", origin="https://other.example")
    got = other.call("POST", "/app/grants", {"code": query["code"], "state": query["state"]})
    assert (got.status, got.code) == (404, "not_found")
    got = acme.call("POST", "/app/grants", {"code": query["code"], "state": "x" * 32})
    assert (got.status, got.code) == (404, "not_found")
    got = acme.call("POST", "/app/grants", {"code": "x" * 43, "state": query["state"]})
    assert (got.status, got.code) == (404, "not_found")
    world.wait(61 * SECOND)
    got = acme.call("POST", "/app/grants", {"code": query["code"], "state": query["state"]})
    assert (got.status, got.code) == (410, "expired")


def test_a_product_ends_a_grant_when_it_signs_the_person_out(world: World, acme: Product) -> None:
    person, _, _ = proved(world, acme)
    assert acme.call("POST", "/app/grants/end", {"grant": acme.grants["ana", "w1"]}).status == 204
    assert acme.check(person)["decision"] == "challenge"
    assert acme.call("POST", "/app/grants/end", {"grant": "x" * 43}).status == 204


# --- start links ---


def test_a_start_link_works_once_and_for_five_minutes(world: World, acme: Product) -> None:
    person = acme.person()
    acme.check(person)
    world.require(workspace_id(world, acme))
    start = path(acme.check(person)["start"])
    acme.browser().open(start)
    assert acme.browser().open(start).status == 409
    start = path(acme.check(person)["start"])
    world.wait(6 * MINUTE)
    assert acme.browser().open(start).status == 410
    assert acme.browser().open("/app/start/abc").status == 404
    assert acme.browser().open(start[:-3] + "abc").status == 404


def test_a_link_sent_to_somebody_else_upgrades_nobody(world: World, acme: Product) -> None:
    """A thief with the product's password mails the start link to its owner, who shows her code."""
    person, _, seed = proved(world, acme)
    acme.grants.clear()
    start = path(acme.check(person, state="t" * 22)["start"])
    world.wait(MINUTE)
    victim = acme.browser()
    victim.open(start)
    victim.submit("/sign-in/second-step", code=world.code(seed))
    # The code goes to her browser; the thief has none, and his own checks still ask.
    assert victim.elsewhere.startswith(RETURN_URL)
    assert acme.check(person)["decision"] == "challenge"


def test_a_start_link_begins_a_new_session_unless_its_grant_is_this_browsers(
    world: World, acme: Product
) -> None:
    person, visitor, seed = proved(world, acme)
    grant = acme.grants["ana", "w1"]
    # With the grant, and fresh proof asked for later: this browser's session goes on.
    world.wait(11 * MINUTE)
    answer = acme.check(person, grant=grant, max_age=600)
    assert (answer["decision"], answer["reason"]) == ("challenge", "freshness")
    page = visitor.open(path(answer["start"]))
    assert page.path.startswith("/step-up"), page.path
    visitor.submit("/step-up", code=world.code(seed), using="totp")
    acme.came_back(visitor)
    assert acme.check(person, max_age=600)["decision"] == "allow"
    # Without it: the second step again, in the same browser.
    acme.grants.clear()
    page = visitor.open(path(acme.check(person)["start"]))
    assert page.path.startswith("/sign-in/second-step"), page.path


def test_a_page_of_ours_is_opened_for_the_person_and_leads_back(world: World, acme: Product) -> None:
    boss = acme.person("dana", role="owner")
    answer = acme.check(boss, open="team/authentication")
    assert answer["decision"] == "allow"
    visitor = acme.browser()
    page = visitor.open(path(answer["start"]))
    assert page.path == f"/w/{slug(world, acme)}/settings/team/authentication"
    assert page.status == 200
    visitor.open(f"/w/{slug(world, acme)}/back")
    assert visitor.elsewhere.startswith(RETURN_URL)
    assert acme.came_back(visitor)["state"] == answer["state"]


def test_no_way_back_for_another_session(world: World, acme: Product) -> None:
    person, visitor, _ = proved(world, acme)
    back = next(each for each in visitor.trail if "/app/" in each)
    world.unrequire(workspace_id(world, acme))
    other = acme.browser()
    other.open(path(acme.check(acme.person("bob"), open="home")["start"]))
    assert other.open(back).status == 404
    del person


# --- full lists ---


def listed(*names: str) -> list[dict[str, str]]:
    return [
        {"id": each, "email": f"{each}@people.example", "name": each.title(), "role": "member"}
        for each in names
    ]


def put(acme: Product, *names: str, **more: Any) -> Any:
    body = {"workspace": "w1", "workspace_name": "Team w1", "people": listed(*names), **more}
    return acme.call("PUT", "/app/teammates", body)


def test_a_full_list_says_first_and_removes_more_than_a_fifth_only_when_confirmed(
    world: World, acme: Product
) -> None:
    names = [f"p{number}" for number in range(10)]
    assert put(acme, *names, dry_run=True).json["added"] == 10
    assert world.read(lambda tx: workspaces.by_app(tx, acme.id, "w1")) is None
    assert put(acme, *names).json["added"] == 10
    assert put(acme, *names).json == {
        "added": 0,
        "changed": 0,
        "removed": 0,
        "unchanged": 10,
        "dry_run": False,
    }
    got = put(acme, *names[:7])
    assert (got.status, got.code) == (409, "confirm_required")
    assert put(acme, *names[:8]).json["removed"] == 2
    assert put(acme, *names[:2], confirm=True).json["removed"] == 6
    assert [row.person for row in in_workspace(world, acme)] == ["p0", "p1"]
    assert put(acme, "p0", "p0").status == 422


def test_gone_from_the_product_ends_everything(world: World, acme: Product) -> None:
    person, visitor, _ = proved(world, acme)
    assert acme.call("DELETE", "/app/people/ana").status == 204
    assert acme.call("DELETE", "/app/people/nobody").status == 204
    assert acme.call("GET", "/app/people/ana?workspace=w1").json["decision"] == "deny"
    assert visitor.open("/settings/user").path != "/settings/user"
    del person


def test_a_change_that_leaves_no_enrolled_owner_takes_effect_and_is_told(world: World, acme: Product) -> None:
    boss = acme.person("dana", role="owner")
    acme.check(boss)
    acme.check(acme.person("amy", role="admin"))
    world.require(workspace_id(world, acme))
    enrol(world, acme, acme.browser(), boss)
    acme.call("DELETE", "/app/people/dana")
    assert newest(world, "mandate_ownerless")["app"] == "Acme Notes"
    assert acme.check(acme.person("amy", role="admin"))["decision"] == "enrol"


def test_whether_a_persons_own_tokens_may_work(world: World, acme: Product) -> None:
    person = acme.person()
    acme.check(person)
    url = "/app/people/ana?workspace=w1"
    assert acme.call("GET", url).json["decision"] == "allow"
    world.require(workspace_id(world, acme), world.clock.now() + DAY)
    answer = acme.call("GET", url).json
    assert answer["decision"] == "allow"
    assert answer["due"] is not None
    assert acme.check(person)["due"] == answer["due"]
    world.require(workspace_id(world, acme))
    answer = acme.call("GET", url).json
    assert (answer["decision"], answer["two_factor"]) == ("enrol", False)
    enrol(world, acme, acme.browser(), person)
    answer = acme.call("GET", url).json
    assert (answer["decision"], answer["two_factor"]) == ("allow", True)
    assert acme.call("GET", "/app/people/ana").status == 422


def test_an_id_of_the_products_making_may_have_slashes(world: World, acme: Product) -> None:
    person = acme.person("teams/7/ana b", email="ana@people.example", name="Ana")
    assert acme.check(person)["decision"] == "allow"
    url = "/app/people/teams/7/ana b"
    assert acme.call("GET", f"{url}?workspace=w1").json["decision"] == "allow"
    assert acme.call("DELETE", url).status == 204
    assert acme.call("GET", f"{url}?workspace=w1").json["decision"] == "deny"
    assert acme.call("GET", "/app/people/?workspace=w1").status == 404


def test_an_app_that_was_taken_out_is_nobody(world: World, acme: Product) -> None:
    person, visitor, _ = proved(world, acme)
    start = path(acme.check(person, open="home")["start"])
    world.write(lambda tx: apps.remove(tx, acme.id))
    assert acme.call("POST", "/app/check", {"person": person}).status == 401
    assert acme.browser().open(start).status == 404
    del visitor
