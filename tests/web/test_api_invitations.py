"""Inviting people through the API: one or many, their links, and every way in which a link dies (F32, F33)."""

from typing import Any

import pytest

from nightlatch.instants import DAY, MINUTE
from tests.support.asgi import Client, Got
from tests.support.letters import letters
from tests.support.mails import link_in
from tests.support.tables import everything
from tests.support.world import Person
from tests.web.team import Team

ACME = "/api/v1/workspaces/acme"
ALL = f"{ACME}/invitations"
NEW = {"name": "Nia", "password": "a quiet and new password"}


@pytest.fixture
def dana(team: Team) -> Person:
    """The owner of acme, with 2FA."""
    return team.person("Dana", two_factor=True)


def token(team: Team) -> str:
    """The token in the newest invitation's mail."""
    return str(link_in(team.world, "invitation")).rpartition("/")[2]


def accept(team: Team, text: str) -> Got:
    return Client(team.app).post("/api/v1/invitations/accept", {"token": text, **NEW})


def invite(client: Client, **body: Any) -> Any:
    got = client.post(ALL, body)
    assert got.status == 201, got.text
    return got.json["items"]


def test_one_is_invited_and_comes_in(team: Team, dana: Person) -> None:
    team.world.workspace("acme", owner=dana)
    client = team.client(dana)
    (item,) = invite(client, email="Nia@Example.com", role="member")
    assert (item["email"], item["outcome"]) == ("Nia@Example.com", "sent")
    text = token(team)
    listed = client.get(ALL)
    assert text not in listed.text, "the link is in the mail only"
    (row,) = listed.json["items"]
    assert (row["id"], row["email"], row["inviter"], row["status"]) == (
        item["id"],
        "Nia@Example.com",
        "Dana",
        "pending",
    )
    got = Client(team.app).post("/api/v1/invitations/look", {"token": text}).json
    assert (got["workspace"], got["inviter"], got["role"]) == ("acme", "Dana", "member")
    got = accept(team, text)
    assert got.status == 201, got.text
    assert client.get(ALL).json == {"items": [], "next_cursor": None}
    nia = Client(team.app, bearer=got.json["token"])
    assert nia.get(ACME).json["role"] == "member"


def test_many_are_invited_at_once(team: Team, dana: Person) -> None:
    ben = team.person("Ben")
    team.world.workspace("acme", owner=dana, member=ben)
    client = team.client(dana)
    invite(client, email="b@example.com", role="member")
    items = invite(
        client,
        emails=["a@example.com", "A@example.com", "b@example.com", ben.email],
        role="member",
    )
    assert [(each["email"], each["outcome"]) for each in items] == [
        ("a@example.com", "sent"),
        ("b@example.com", "already_invited"),
        (ben.email, "already_teammate"),
    ]
    assert items[2]["id"] is None
    many = [f"person{number}@{'x' * 60}.example.com" for number in range(500)]
    items = invite(client, emails=many, role="member")
    assert [each["outcome"] for each in items] == ["sent"] * 500
    seen: list[str] = []
    cursor = ""
    while True:
        got = client.get(f"{ALL}?limit=200{cursor}").json
        seen += [each["email"] for each in got["items"]]
        if got["next_cursor"] is None:
            break
        cursor = f"&cursor={got['next_cursor']}"
    assert sorted(seen) == sorted([*many, "a@example.com", "b@example.com"])


BAD: list[tuple[Any, str]] = [
    ({"role": "member"}, "emails"),
    ({"email": "a@example.com"}, "role"),
    ({"email": "a@example.com", "emails": ["b@example.com"], "role": "member"}, "emails"),
    ({"email": "nobody", "role": "member"}, "email"),
    ({"email": "a@b.example, c@d.example", "role": "member"}, "email"),
    ({"email": "Nia <nia@example.com>", "role": "member"}, "email"),
    ({"email": 7, "role": "member"}, "email"),
    ({"email": "a@example.com", "role": "boss"}, "role"),
    ({"emails": [], "role": "member"}, "emails"),
    ({"emails": "a@example.com", "role": "member"}, "emails"),
    ({"emails": ["a@example.com", "x"], "role": "member"}, "emails.1"),
    ({"emails": ["a@example.com"] * 501, "role": "member"}, "emails"),
    ({"email": "a@example.com", "role": "member", "token": "mine"}, "token"),
]


def test_what_cannot_be_invited_is_told_and_nobody_is(team: Team, dana: Person) -> None:
    team.world.workspace("acme", owner=dana)
    client = team.client(dana)
    before = everything(team.world)
    for body, field in BAD:
        got = client.post(ALL, body)
        assert (got.status, got.code, got.json["errors"][0]["field"]) == (422, "invalid", field), body
    assert everything(team.world) == before


def test_nobody_invites_above_their_own_role_and_members_nobody(team: Team, dana: Person) -> None:
    """F32."""
    ada, ben = team.person("Ada"), team.person("Ben")
    team.world.workspace("acme", owner=dana, admin=ada, member=ben)
    got = team.client(ben).post(ALL, {"email": "a@example.com", "role": "member"})
    assert (got.status, got.code) == (403, "not_permitted")
    assert team.client(ben).get(ALL).code == "not_permitted"
    admin = team.client(ada)
    got = admin.post(ALL, {"email": "a@example.com", "role": "owner"})
    assert (got.status, got.code) == (403, "not_permitted")
    assert invite(admin, email="a@example.com", role="admin")[0]["outcome"] == "sent"
    text = token(team)
    got = Client(team.app).post("/api/v1/invitations/accept", {"token": text, **NEW, "role": "owner"})
    assert (got.status, got.code) == (422, "invalid"), "who accepts does not choose"
    assert accept(team, text).json["session"]["workspaces"][0]["role"] == "admin"


def test_handing_out_power_asks_for_fresh_proof(team: Team, dana: Person) -> None:
    team.world.workspace("acme", owner=dana)
    client = team.client(dana)
    team.world.wait(11 * MINUTE)
    assert invite(client, email="a@example.com", role="member")
    got = client.post(ALL, {"email": "b@example.com", "role": "admin"})
    assert (got.status, got.code) == (401, "step_up_required")
    assert 'max_age="600"' in got.header("www-authenticate")
    team.step_up(client, dana)
    assert invite(client, email="b@example.com", role="admin")


def test_a_link_dies_by_use_by_a_newer_one_by_being_taken_back_and_by_time(team: Team, dana: Person) -> None:
    """F33."""
    team.world.workspace("acme", owner=dana)
    client = team.client(dana)
    (used,) = invite(client, email="used@example.com", role="member")
    first = token(team)
    assert accept(team, first).status == 201
    got = accept(team, first)
    assert (got.status, got.code) == (409, "already_used")
    assert client.post(f"{ALL}/{used['id']}/resend").code == "not_found"

    (item,) = invite(client, email="again@example.com", role="member")
    older = token(team)
    got = client.post(f"{ALL}/{item['id']}/resend")
    assert (got.status, got.code) == (429, "too_many_attempts"), "not twice in ten minutes"
    assert int(got.header("retry-after")) <= 600
    team.world.wait(11 * MINUTE)
    got = client.post(f"{ALL}/{item['id']}/resend")
    assert (got.status, got.body) == (202, b"")
    assert token(team) != older
    got = accept(team, older)
    assert (got.status, got.code) == (410, "expired")

    newer = token(team)
    assert client.ask("DELETE", f"{ALL}/{item['id']}").status == 204
    assert client.ask("DELETE", f"{ALL}/{item['id']}").code == "not_found"
    assert accept(team, newer).code == "expired"

    invite(client, email="late@example.com", role="member")
    late = token(team)
    team.world.wait(7 * DAY)
    assert accept(team, late).code == "expired"
    (row,) = team.client(dana).get(ALL).json["items"]
    assert row["status"] == "expired"


def test_an_address_gets_three_a_day_whoever_sends(team: Team, dana: Person) -> None:
    team.world.workspace("acme", owner=dana)
    client = team.client(dana)
    outcomes = []
    for _ in range(4):
        (item,) = invite(client, email="much@example.com", role="member")
        outcomes.append(item["outcome"])
        if item["id"]:
            client.ask("DELETE", f"{ALL}/{item['id']}")
    assert outcomes == ["sent", "sent", "sent", "limited"]
    assert len(letters(team.world, "invitation", to="much@example.com")) == 3
