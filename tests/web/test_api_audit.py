"""A workspace's audit events through the API: who did what, found again, and nothing that is not the workspace's."""

import pytest

from nightlatch.ids import to_text
from nightlatch.instants import HOUR
from nightlatch.instants import to_text as instant_text
from tests.support.asgi import Client
from tests.support.world import Person
from tests.web.team import Team

ACME = "/api/v1/workspaces/acme"
EVENTS = f"{ACME}/audit-events"


@pytest.fixture
def dana(team: Team) -> Person:
    """The owner of acme, with 2FA."""
    return team.person("Dana", two_factor=True)


def told(client: Client, query: str = "") -> list[str]:
    got = client.get(f"{EVENTS}{query}")
    assert got.status == 200, got.text
    return [each["event"] for each in got.json["items"]]


def policy(client: Client, *, required: bool) -> None:
    body = {"two_factor": {"required": required}, "reason": "Because"}
    got = client.ask("PUT", f"{ACME}/policy", json_body=body, headers={"if-match": "*"})
    assert got.status == 200, got.text


def test_every_act_is_told_with_who_whom_when_and_from_where(team: Team, dana: Person) -> None:
    ana = team.person("Ana", two_factor=True)
    acme = team.world.workspace("acme", owner=dana, member=ana)
    client = team.client(dana)
    policy(client, required=True)
    path = f"{ACME}/teammates/{team.id_of(ana, acme)}"
    client.ask("PATCH", path, json_body={"role": "admin"})
    client.ask("PATCH", path, json_body={"role": "member"})
    client.post(f"{ACME}/invitations", {"email": "a@example.com", "role": "member"})
    client.ask("DELETE", path)
    policy(client, required=False)
    assert told(client) == [
        "mandate.turned_off",
        "teammate.removed",
        "invitation.sent",
        "teammate.role_changed",
        "teammate.role_changed",
        "mandate.turned_on",
    ]
    removed = client.get(EVENTS).json["items"][1]
    assert removed["actor"] == {"kind": "account", "id": to_text(dana.id), "name": "Dana"}
    assert removed["subject"] == {"kind": "account", "id": to_text(ana.id), "name": "Ana"}
    assert (removed["workspace"], removed["ip"]) == ("acme", "127.0.0.1")
    assert removed["detail"] == {"role": "member"}
    assert len(removed["id"]) == 13


def test_a_workspace_reads_its_own_events_alone(team: Team, dana: Person) -> None:
    """Sign-ins, passwords and other workspaces are not its business (law: account events belong to the account)."""
    ben = team.person("Ben")
    team.world.workspace("acme", owner=dana, member=ben)
    team.world.workspace("beta", owner=dana)
    client = team.client(dana)
    client.post("/api/v1/workspaces/beta/invitations", {"email": "a@example.com", "role": "member"})
    Client(team.app).post("/api/v1/sign-in/password", {"email": ben.email, "password": "wrong"})
    assert told(client) == []
    got = team.client(ben).get(EVENTS)
    assert (got.status, got.code) == (403, "not_permitted")


def test_they_are_found_again(team: Team, dana: Person) -> None:
    ada = team.person("Ada", two_factor=True)
    team.world.workspace("acme", owner=dana, admin=ada)
    owner, admin = team.client(dana), team.client(ada)
    policy(owner, required=True)
    team.world.wait(HOUR)
    between = instant_text(team.world.clock.now())
    team.step_up(admin, ada)
    policy(admin, required=False)
    assert told(owner, f"?actor={to_text(ada.id)}") == ["mandate.turned_off"]
    assert told(owner, "?event=mandate.turned_on") == ["mandate.turned_on"]
    assert told(owner, f"?from={between}") == ["mandate.turned_off"]
    assert told(owner, f"?to={between}") == ["mandate.turned_on"]
    assert told(owner, f"?from={between}&to={between}") == []
    first = owner.get(f"{EVENTS}?limit=1").json
    assert [each["event"] for each in first["items"]] == ["mandate.turned_off"]
    second = owner.get(f"{EVENTS}?limit=1&cursor={first['next_cursor']}").json
    assert [each["event"] for each in second["items"]] == ["mandate.turned_on"]
    assert second["next_cursor"] is None


@pytest.mark.parametrize(
    "query,field",
    [
        ("from=yesterday", "from"),
        ("from=2026-11-24", "from"),
        ("to=2026-11-24T09:00:00", "to"),
        ("from=9999-12-31T23:59:59-14:00", "from"),
        ("to=%00", "to"),
        ("actor=Dana", "actor"),
        ("actor=0000000000000", "actor"),
        ("event=sign_in", "event"),
        ("cursor=x", "cursor"),
        ("cursor=WyJldmVudHMiLC0xXQ", "cursor"),
        ("cursor=WyJldmVudHMiLDkyMjMzNzIwMzY4NTQ3NzU4MDhd", "cursor"),
        ("limit=1000", "limit"),
        ("limit=abc", "limit"),
    ],
)
def test_a_malformed_query_is_told_at_its_field(team: Team, dana: Person, query: str, field: str) -> None:
    team.world.workspace("acme", owner=dana)
    got = team.client(dana).get(f"{EVENTS}?{query}")
    assert (got.status, got.code) == (422, "invalid")
    assert [each["field"] for each in got.json["errors"]] == [field]
