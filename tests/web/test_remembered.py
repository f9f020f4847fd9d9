"""Remembered browsers by pages and API (F38): the box at the second step, the policy, the list, forgetting."""

import pytest

from nightlatch.instants import DAY
from tests.support.asgi import Client, Got
from tests.support.visitor import Visitor, signed_in
from tests.support.world import PASSWORD, Person
from tests.web.team import Team

API = "/api/v1"
POLICY = f"{API}/workspaces/acme/policy"
HERE = "/w/acme/settings/team/authentication"


@pytest.fixture
def people(team: Team) -> tuple[Person, Person]:
    """An owner and a member with 2FA in one workspace."""
    dana, ana = team.person("Dana", two_factor=True), team.person("Ana", two_factor=True)
    team.world.workspace("acme", owner=dana, member=ana)
    return dana, ana


def put(client: Client, days: int | None, *, required: bool = False) -> Got:
    """Change the policy as it is now."""
    tag = client.get(POLICY).header("etag")
    body = {"two_factor": {"required": required}, "remember_browsers": days}
    return client.ask("PUT", POLICY, json_body=body, headers={"if-match": tag})


def sign_in(visitor: Visitor, person: Person) -> str:
    """The password in this browser; where it leads."""
    visitor.open("/sign-in?again=1")
    return visitor.submit("/sign-in", email=person.email, password=PASSWORD).path


def test_by_the_pages(team: Team, people: tuple[Person, Person]) -> None:
    dana, ana = people
    owner = team.visitor(dana)
    owner.open(HERE)
    assert owner.submit(f"{HERE}/remember", remember_days="14").path == f"{HERE}?said=remembering"

    visitor = Visitor(team.app)
    assert sign_in(visitor, ana).startswith("/sign-in/second-step")
    assert visitor.page is not None
    assert "Do not ask again in this browser for 14 days" in visitor.page.text
    visitor.submit("/sign-in/second-step", code=team.code(ana), remember="yes")
    visitor.open("/settings/user")
    visitor.post("/sign-out", visitor.open("/settings/user").form("/sign-out").fields)
    assert not sign_in(visitor, ana).startswith("/sign-in/second-step")

    page = visitor.open("/settings/user")
    assert "Remembered browsers" in page.text
    forget = next(each for each in page.actions if each.endswith("/forget"))
    assert visitor.submit(forget).path.startswith("/sign-in/second-step"), "the very next request is asked"
    visitor.submit("/sign-in/second-step", code=team.code(ana))
    assert "Remembered browsers" not in visitor.open("/settings/user").text


def test_the_box_is_not_shown_where_no_workspace_lets_it(team: Team, people: tuple[Person, Person]) -> None:
    visitor = Visitor(team.app)
    sign_in(visitor, people[1])
    assert visitor.page is not None
    assert "Do not ask again" not in visitor.page.text


def test_ticking_a_box_that_was_not_shown_does_nothing(team: Team, people: tuple[Person, Person]) -> None:
    ana = people[1]
    visitor = Visitor(team.app)
    sign_in(visitor, ana)
    visitor.submit("/sign-in/second-step", code=team.code(ana), remember="yes")
    assert sign_in(Visitor(team.app), ana).startswith("/sign-in/second-step")
    assert sign_in(visitor, ana).startswith("/sign-in/second-step")


def test_another_person_in_this_browser_is_asked(team: Team, people: tuple[Person, Person]) -> None:
    dana, ana = people
    assert put(team.client(dana), 30).status == 200
    visitor = Visitor(team.app)
    sign_in(visitor, ana)
    visitor.submit("/sign-in/second-step", code=team.code(ana), remember="yes")
    assert sign_in(visitor, dana).startswith("/sign-in/second-step")
    assert not sign_in(visitor, ana).startswith("/sign-in/second-step")
    team.world.wait(30 * DAY)
    assert sign_in(visitor, ana).startswith("/sign-in/second-step")


def test_the_policy_by_the_api(team: Team, people: tuple[Person, Person]) -> None:
    client = team.client(people[0])
    assert client.get(POLICY).json["remember_browsers"] is None, "off by default"
    for days in (0, 31):
        assert put(client, days).status == 422
    assert put(client, 7).json["remember_browsers"] == 7
    tag = client.get(POLICY).header("etag")
    left_out = {"two_factor": {"required": False, "managed_by": "owners"}}
    got = client.ask("PUT", POLICY, json_body=left_out, headers={"if-match": tag})
    assert got.json["remember_browsers"] == 7
    refused = put(client, 7, required=True)
    assert (refused.status, refused.code) == (409, "conflict")
    assert put(client, None, required=True).json["remember_browsers"] is None
    refused = put(client, 7, required=True)
    assert (refused.status, refused.code) == (409, "conflict")


def test_a_program_is_told_that_it_cannot_be_remembered(team: Team, people: tuple[Person, Person]) -> None:
    client = team.client(people[1], second=False)
    got = client.post(f"{API}/sign-in/totp", {"code": team.code(people[1]), "remember": True})
    assert (got.status, got.code) == (422, "invalid")


def test_the_list_by_the_api(team: Team, people: tuple[Person, Person]) -> None:
    dana, ana = people
    put(team.client(dana), 7)
    visitor = Visitor(team.app)
    sign_in(visitor, ana)
    visitor.submit("/sign-in/second-step", code=team.code(ana), remember="yes")
    client = team.client(ana)
    (item,) = client.get(f"{API}/me/remembered-browsers").json["items"]
    assert (item["workspace"], item["current"], item["last_used_at"]) == ("acme", False, None)
    assert team.client(dana).ask("DELETE", f"{API}/me/remembered-browsers/{item['id']}").status == 404
    assert client.ask("DELETE", f"{API}/me/remembered-browsers/{item['id']}").status == 204
    assert client.ask("DELETE", f"{API}/me/remembered-browsers").status == 204
    assert client.get(f"{API}/me/remembered-browsers").json["items"] == []


def test_the_page_under_a_mandate_says_why_not(team: Team, people: tuple[Person, Person]) -> None:
    dana, _ = people
    team.world.workspace("other", owner=dana)
    put(team.client(dana), None, required=True)
    page = signed_in(team.app, dana, code=team.code(dana)).open(HERE)
    assert f"{HERE}/remember" not in page.actions
    assert "Browsers are not remembered here: 2FA is required." in page.text
