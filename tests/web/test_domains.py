"""Domains by the pages and the API, with a real name server on loopback."""

from collections.abc import Iterator

import pytest

from nightlatch.instants import DAY
from nightlatch.resolver import Resolver, Unanswered
from nightlatch.web.domain_watch import look_again
from nightlatch.wiring import House
from tests.support.asgi import app_of
from tests.support.letters import letters
from tests.support.names import NameServer, name_server
from tests.support.signing_on import a_domain
from tests.support.world import World
from tests.web.team import Team

HERE = "/w/acme/settings/team/authentication/domains"
API = "/api/v1/workspaces/acme/domains"


@pytest.fixture
def names() -> Iterator[NameServer]:
    with name_server() as running:
        yield running


@pytest.fixture
def team(world: World, names: NameServer) -> Team:
    return Team(world, app_of(world, NIGHTLATCH_NAME_SERVERS=names.setting))


def resolver(team: Team) -> Resolver:
    house: House = team.app.front.house
    return house.resolver()


def test_what_dns_says(team: Team, names: NameServer):
    """Several texts, long ones in pieces, none, no such name; and no answer, which is not the same as none."""
    long = "x" * 450
    names.texts = {"a.example": ["one", long], "b.example": []}
    assert resolver(team).texts("a.example") == ("one", long)
    assert resolver(team).texts("b.example") == ()
    assert resolver(team).texts("c.example") == ()
    names.texts["c.example"] = ["now"]
    assert resolver(team).texts("c.example") == ("now",), "nothing is remembered"
    names.failing = True
    with pytest.raises(Unanswered):
        resolver(team).texts("a.example")


def test_by_the_pages(team: Team, names: NameServer):
    dana = team.person("Dana", two_factor=True)
    team.world.workspace("acme", owner=dana)
    visitor = team.visitor(dana)
    assert f"{HERE}" in visitor.open("/w/acme/settings/team/authentication").got.text
    assert "There is none yet." in visitor.open(HERE).text
    assert "Everybody can have an address there" in visitor.submit(HERE, domain="gmail.com").text
    one = visitor.submit(HERE, domain="Acme.Example")
    assert one.heading == "acme.example"
    record = next(word for word in one.text.split() if word.startswith("nightlatch="))
    check = f"{one.path}/check"
    missing = visitor.submit(check)
    assert "The record is not there yet" in missing.text
    names.texts = {"_nightlatch-challenge.acme.example": ["google-site-verification=<b>1</b>"]}
    other = visitor.submit(check)
    assert "<b>1</b>" in other.text
    assert "<b>1</b>" not in other.got.text
    names.failing = True
    again = visitor.submit(check)
    assert again.status == 503
    assert "The name servers gave no answer." in again.text
    names.failing = False
    names.texts["_nightlatch-challenge.acme.example"].append(record)
    done = visitor.submit(check)
    assert "The domain is proved." in done.text
    assert set(names.asked) == {"_nightlatch-challenge.acme.example"}
    assert "are not offered your single sign-on any more" in visitor.open(f"{one.path}/remove").text
    assert "The domain is removed." in visitor.submit(f"{one.path}/remove").text


def test_by_the_api(team: Team, names: NameServer):
    dana, ana = team.person("Dana", two_factor=True), team.person("Ana")
    team.world.workspace("acme", owner=dana, member=ana)
    client = team.client(dana)
    claimed = client.post(API, {"domain": "acme.example"})
    assert claimed.status == 201, claimed.text
    one, record = f"{API}/{claimed.json['id']}", claimed.json["record"]
    assert client.post(f"{one}/check").json["found"] == []
    names.texts = {claimed.json["record_name"]: ["z" * 300, record]}
    checked = client.post(f"{one}/check")
    assert checked.json["proved_at"] is not None
    assert checked.json["found"] == ["z" * 255, record]
    assert [each["domain"] for each in client.get(API).json["items"]] == ["acme.example"]
    assert team.client(ana).get(API).code == "not_permitted"
    assert client.ask("DELETE", one).status == 204
    assert client.get(API).json["items"] == []
    assert client.post(f"{one}/check").status == 404


async def test_the_daily_look(team: Team, names: NameServer):
    dana = team.person("Dana", two_factor=True)
    acme = team.world.workspace("acme", owner=dana)
    a_domain(team.world, acme, "acme.example")
    record = "_nightlatch-challenge.acme.example"
    names.texts = {record: ["x"]}
    team.world.wait(DAY + 1)
    assert await look_again(team.app.front) == 1
    assert await look_again(team.app.front) == 0
    names.failing = True
    team.world.wait(DAY + 1)
    assert await look_again(team.app.front) == 1
    assert not letters(team.world, "domain_missing")
    names.failing, names.texts = False, {}
    team.world.wait(DAY + 1)
    await look_again(team.app.front)
    assert letters(team.world, "domain_missing")
    assert names.asked == [record] * len(names.asked)
