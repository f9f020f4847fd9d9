"""Denied authorisation leaves one line in the log, without secrets (ASVS 16.3.2)."""

import logging
import re

import pytest

from nightlatch import logs
from nightlatch.ids import to_text
from tests.support.asgi import Client
from tests.support.tables import everything
from tests.web.team import Team

ACME = "/api/v1/workspaces/acme"


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.INFO, "nightlatch")
    return caplog


def told(lines: pytest.LogCaptureFixture) -> list[dict[str, str]]:
    """The pairs of each line that tells a denial."""
    found = [
        dict(re.findall(r"(\w+)=(\S+)", record.getMessage()))
        for record in lines.records
        if record.getMessage().startswith("denied: ")
    ]
    lines.clear()
    return found


def test_a_permission_that_lacks(team: Team, lines: pytest.LogCaptureFixture) -> None:
    dana, ben = team.person("Dana"), team.person("Ben")
    acme = team.world.workspace("acme", owner=dana, member=ben)
    client = team.client(ben)
    token = client.bearer or ""
    before = everything(team.world)
    target = team.id_of(dana, acme)
    got = client.ask("PATCH", f"{ACME}/teammates/{target}", json_body={"role": "member"})
    assert got.status == 403
    [line] = told(lines)
    assert line.pop("session")
    assert line == {
        "by": "account",
        "id": to_text(ben.id),
        "credential": "bearer",
        "ip": "127.0.0.1",
        "method": "PATCH",
        "route": "/api/v1/workspaces/{slug}/teammates/{id}",
        "workspace": "acme",
        "target": target,
        "needs": "manage_teammates",
        "code": "not_permitted",
        "reason": "permission",
    }
    assert everything(team.world) == before
    assert client.get(f"{ACME}/audit-events").status == 403
    [line] = told(lines)
    assert (line["method"], line["needs"]) == ("GET", "read_audit")
    assert token not in lines.text


def test_the_pages_say_it_too(team: Team, lines: pytest.LogCaptureFixture) -> None:
    dana, ben = team.person("Dana"), team.person("Ben")
    team.world.workspace("acme", owner=dana, member=ben)
    visitor = team.visitor(ben)
    assert visitor.open("/w/acme/settings/team/audit").status == 403
    [line] = told(lines)
    assert (line["credential"], line["route"]) == ("cookie", "/w/{slug}/settings/team/audit")


def test_what_an_action_refuses_and_a_page_explains(team: Team, lines: pytest.LogCaptureFixture) -> None:
    """An admin has the permission; it is the owner's rank that stands against it."""
    dana, ada = team.person("Dana"), team.person("Ada")
    acme = team.world.workspace("acme", owner=dana, admin=ada)
    visitor = team.visitor(ada)
    path = f"/w/acme/settings/team/{team.id_of(dana, acme)}/remove"
    page = visitor.open(path)
    assert told(lines) == [], "looking at it is allowed"
    csrf = page.form("/sign-out").fields["csrf"]
    assert visitor.post(path, {"csrf": csrf}).status == 403
    [line] = told(lines)
    assert (line["method"], line["code"]) == ("POST", "not_permitted")
    assert "reason" not in line


def test_a_workspace_of_others(team: Team, lines: pytest.LogCaptureFixture) -> None:
    dana, otto = team.person("Dana"), team.person("Otto")
    team.world.workspace("acme", owner=dana)
    client = team.client(otto)
    assert client.get(ACME).status == 404
    assert told(lines) == [], "an old link is no attack"
    assert client.post(f"{ACME}/leave").status == 404
    [line] = told(lines)
    assert (line["workspace"], line["reason"], line["code"]) == ("acme", "not_a_teammate", "not_found")
    assert client.post("/api/v1/workspaces/A%20b=c%0Ad/leave").status == 404
    [line] = told(lines)
    assert "workspace" not in line, "only what can be a workspace's address is repeated"


def test_what_is_no_denial_leaves_none(team: Team, lines: pytest.LogCaptureFixture) -> None:
    dana = team.person("Dana", two_factor=True)
    team.world.workspace("acme", owner=dana)
    assert Client(team.app).get("/api/v1/me").status == 401
    half = team.client(dana, second=False)
    assert half.get(ACME).status == 401
    client = team.client(dana)
    assert client.post("/api/v1/workspaces/acme/leave").status == 409
    assert client.get("/api/v1/nowhere").status == 404
    assert told(lines) == []


def test_values_that_are_no_words_cannot_break_the_line() -> None:
    pairs = logs.fields({"a": "plain-1", "none": "", "b": 'x y="z"', "c": "1\n2", "d": "{id}"})
    assert pairs == 'a=plain-1 b="x y=\\"z\\"" c="1\\n2" d={id}'
