"""More time to set up 2FA, through the API and on the pages."""

import pytest

from nightlatch.instants import DAY, to_text
from tests.support.tables import rows
from tests.support.world import Person
from tests.web.team import Team

ACME = "/api/v1/workspaces/acme"
ALL = f"{ACME}/exceptions"
PAGE = "/w/acme/settings/team/exceptions"


@pytest.fixture
def people(team: Team) -> dict[str, Person]:
    found = {name: team.person(name, two_factor=True) for name in ("Olga", "Dana", "Kim")}
    found["Ana"] = team.person("Ana")
    acme = team.world.workspace(
        "acme", owner=found["Olga"], admin=[found["Dana"], found["Kim"]], member=[found["Ana"]]
    )
    team.world.require(acme)
    return found


def ana(team: Team, people: dict[str, Person]) -> str:
    (acme,) = rows(team.world, "workspaces")
    return team.id_of(people["Ana"], acme.id)


def test_one_asks_and_another_agrees(team: Team, people: dict[str, Person]) -> None:
    dana, kim = team.client(people["Dana"]), team.client(people["Kim"])
    ends_at = to_text(team.world.clock.now() + 7 * DAY)
    body = {"teammate": ana(team, people), "reason": "Waits for a phone", "ends_at": ends_at}
    got = dana.post(ALL, body)
    assert got.status == 201, got.text
    assert got.json["approvers"] == ["Olga", "Kim"]
    asked = got.json["exception"]
    assert (asked["state"], asked["approved_by"], asked["name"]) == ("waiting", None, "Ana")
    assert dana.post(ALL, body).code == "conflict"
    assert dana.post(f"{ALL}/{asked['id']}/approve").code == "not_permitted"
    got = kim.post(f"{ALL}/{asked['id']}/approve")
    assert (got.status, got.json["state"], got.json["approved_by"]) == (200, "stands", "Kim")
    (row,) = kim.get(f"{ACME}/teammates?two_factor=exempt").json["items"]
    assert (row["name"], row["two_factor"]["due"]) == ("Ana", ends_at)
    hers = team.client(people["Ana"])
    assert hers.get(ACME).status == 200
    assert hers.get(ALL).code == "not_permitted"
    assert kim.ask("DELETE", f"{ALL}/{asked['id']}").status == 204
    assert hers.get(ACME).code == "enrolment_required"
    (listed,) = kim.get(ALL).json["items"]
    assert (listed["state"], listed["ended_why"], listed["ended_by"]) == ("over", "ended", "Kim")


@pytest.mark.parametrize(
    "changed, field",
    [
        ({"ends_at": "2020-01-01T00:00:00Z"}, "ends_at"),
        ({"ends_at": "2999-01-01T00:00:00Z"}, "ends_at"),
        ({"ends_at": "tomorrow"}, "ends_at"),
        ({"reason": " "}, "reason"),
        ({"reason": "x" * 301}, "reason"),
    ],
)
def test_what_is_asked_wrongly_is_said_at_its_field(
    team: Team, people: dict[str, Person], changed: dict[str, str], field: str
) -> None:
    body = {"teammate": ana(team, people), "reason": "x", "ends_at": to_text(team.world.clock.now() + DAY)}
    got = team.client(people["Dana"]).post(ALL, body | changed)
    assert (got.status, [each["field"] for each in got.json["errors"]]) == (422, [field])


def test_the_pages_lead_from_the_row_to_the_end(team: Team, people: dict[str, Person]) -> None:
    dana = team.visitor(people["Dana"])
    mine = f"/w/acme/settings/team/{ana(team, people)}/more-time"
    assert mine in dana.open("/w/acme/settings/team").read.links.values()
    assert "Olga or Kim can agree" in dana.open(mine).text
    shown = dana.submit(mine, reason="", until="2020-01-01")
    assert shown.status == 422
    assert "Say it in a few words" in shown.text
    assert "Choose a day from today to" in shown.text
    day = to_text(team.world.clock.now() + 30 * DAY)[:10]
    shown = dana.submit(mine, reason="Waits for a phone", until=day)
    assert "Asked. Nothing changes before somebody else agrees" in shown.text
    assert "Waits for agreement" in shown.text
    assert not [each for each in shown.actions if each.endswith("/approve")]
    assert "has asked already" in dana.open(mine).text
    kim = team.visitor(people["Kim"])
    assert "Somebody asks for more time" in kim.open("/w/acme/settings/team").text
    (approve,) = [each for each in kim.open(PAGE).actions if each.endswith("/approve")]
    shown = kim.submit(approve)
    assert "Agreed." in shown.text
    assert "Stands" in shown.text
    assert "More time" in kim.open("/w/acme/settings/team?two_factor=exempt").text
    (end,) = [each for each in kim.open(PAGE).actions if each.endswith("/end")]
    assert "It is ended." in kim.submit(end).text


def test_a_week_more_than_the_date_is_suggested(team: Team) -> None:
    olga, ana = team.person("Olga", two_factor=True), team.person("Ana")
    acme = team.world.workspace("acme", owner=olga, member=ana)
    now = team.world.clock.now()
    team.world.require(acme, since=now + 10 * DAY)
    path = f"/w/acme/settings/team/{team.id_of(ana, acme)}/more-time"
    form = team.visitor(olga).open(path).form(path)
    assert form.fields["until"] == to_text(now + 17 * DAY)[:10]
