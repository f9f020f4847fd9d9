"""The Teammates table through the API, roles, removing, and disabling 2FA for somebody who is locked out."""

import base64
import json
from typing import Any

import pytest

from nightlatch.ids import to_text
from nightlatch.instants import HOUR, MINUTE
from tests.support.asgi import Client
from tests.support.mails import link_in, newest
from tests.support.tables import everything
from tests.support.world import PASSWORD, Person
from tests.web.team import Team

ACME = "/api/v1/workspaces/acme"
TABLE = f"{ACME}/teammates"
WHY = {"reason": "Lost phone", "recognised_by": "phone"}


@pytest.fixture
def dana(team: Team) -> Person:
    """The owner of acme, with 2FA."""
    return team.person("Dana", two_factor=True)


def names(client: Client, query: str = "") -> list[str]:
    got = client.get(f"{TABLE}{query}")
    assert got.status == 200, got.text
    return [each["name"] or each["email"] for each in got.json["items"]]


def walk(client: Client, query: str) -> list[str]:
    """Every page of a list, from first to last."""
    found: list[str] = []
    cursor = ""
    while True:
        got = client.get(f"{TABLE}?{query}&limit=2{cursor}").json
        found += [each["name"] for each in got["items"]]
        if got["next_cursor"] is None:
            return found
        cursor = f"&cursor={got['next_cursor']}"


# --- the table ---


def test_the_table_is_a_work_list(team: Team, dana: Person) -> None:
    ada, ben = team.person("Ada", two_factor=True), team.person("Ben")
    acme = team.world.workspace("acme", owner=dana, admin=ada, member=ben)
    client = team.client(dana)
    client.post(f"{ACME}/invitations", {"email": "New@example.com", "role": "member"})
    got = client.get(TABLE).json
    by_name = {each["name"] or each["email"]: each for each in got["items"]}
    assert list(by_name) == ["Ada", "Ben", "Dana", "New@example.com"]
    assert got["counts"] == {
        "teammates": 3,
        "invited": 1,
        "matching": 4,
        "two_factor": {
            "on": 2,
            "due": 0,
            "overdue": 0,
            "off": 1,
            "reset": 0,
            "sso": 0,
            "exempt": 0,
        },
        "flags": {"recovery_codes_low": 2, "reset_pending": 0, "mail_bouncing": 0},
    }
    mine = by_name["Dana"]
    assert mine["id"] == team.id_of(dana, acme)
    assert (mine["role"], mine["status"], mine["email"]) == ("owner", "active", dana.email)
    assert mine["last_sign_in_at"].endswith("Z")
    assert mine["two_factor"]["state"] == "on"
    assert mine["two_factor"]["methods"] == ["totp"]
    assert mine["two_factor"]["flags"] == ["recovery_codes_low"]
    assert by_name["Ben"]["two_factor"] | {"since": None} == {
        "state": "off",
        "flags": [],
        "methods": [],
        "since": None,
        "due": None,
    }
    assert by_name["Ben"]["last_sign_in_at"] is None
    invited = by_name["New@example.com"]
    assert (invited["name"], invited["status"], invited["two_factor"]) == ("", "invited", None)
    assert client.get(f"{TABLE}/{team.id_of(ben, acme)}").json == by_name["Ben"]
    team.world.require(acme)
    assert {each["name"] for each in client.get(f"{TABLE}?two_factor=overdue").json["items"]} == {"Ben"}


def test_it_is_searched_filtered_sorted_and_paged(team: Team, dana: Person) -> None:
    people = [team.world.person(name) for name in ("Élodie", "Eli", "Zoë", "Bo", "Cy")]
    team.world.workspace("acme", owner=dana, admin=people[2], member=[*people[:2], *people[3:]])
    client = team.client(dana)
    assert names(client) == ["Bo", "Cy", "Dana", "Eli", "Élodie", "Zoë"]
    assert names(client, "?q=ELODIE") == ["Élodie"]
    assert names(client, "?q=example.com&role=admin") == ["Zoë"]
    assert names(client, "?q=%25") == []
    assert names(client, "?sort=-name&limit=2") == ["Zoë", "Élodie"]
    assert names(client, "?sort=role&limit=2") == ["Dana", "Zoë"]
    assert names(client, "?sort=-last_sign_in&limit=1") == ["Dana"]
    assert names(client, "?two_factor=on") == ["Dana"]
    assert names(client, "?status=invited") == []
    for sort in ("name", "-name", "email", "-email", "role", "-role", "last_sign_in", "-last_sign_in"):
        found = walk(client, f"sort={sort}")
        assert sorted(found) == sorted(["Dana", *(each.name for each in people)]), sort
        assert found == walk(client, f"sort={sort.removeprefix('-') if sort[0] == '-' else f'-{sort}'}")[::-1]


@pytest.mark.parametrize(
    "query,field",
    [
        ("limit=0", "limit"),
        ("limit=201", "limit"),
        ("limit=-1", "limit"),
        ("limit=1e2", "limit"),
        ("limit=%D9%A1", "limit"),
        ("limit=", None),
        ("cursor=x", "cursor"),
        ("cursor=%00", "cursor"),
        ("cursor=bnVsbA", "cursor"),
        ("cursor=WyJuYW1lIiwxLDJd", "cursor"),
        ("cursor=WyItbmFtZSIsImEiLDJd", "cursor"),
        ("sort=age", "sort"),
        ("sort=--name", "sort"),
        ("role=boss", "role"),
        ("status=gone", "status"),
        ("two_factor=maybe", "two_factor"),
        ("q=%00", "q"),
        ("q=" + "x" * 201, "q"),
        ("q=%FF", None),
        ("sort=name&sort=role", None),
    ],
)
def test_a_malformed_query_is_told_at_its_field(
    team: Team, dana: Person, query: str, field: str | None
) -> None:
    team.world.workspace("acme", owner=dana)
    got = team.client(dana).get(f"{TABLE}?{query}")
    if field is None:
        assert got.status == 200, got.text
    else:
        assert (got.status, got.code) == (422, "invalid")
        assert [each["field"] for each in got.json["errors"]] == [field]


def test_members_see_who_is_there_and_nothing_about_2fa(team: Team, dana: Person) -> None:
    ben = team.person("Ben")
    acme = team.world.workspace("acme", owner=dana, member=ben)
    member = team.client(ben)
    got = member.get(TABLE).json
    assert [each["name"] for each in got["items"]] == ["Ben", "Dana"]
    assert all(each["two_factor"] is None for each in got["items"])
    assert got["counts"]["two_factor"] is None
    assert member.get(f"{TABLE}/{team.id_of(dana, acme)}").json["two_factor"] is None
    got = member.get(f"{TABLE}?two_factor=off")
    assert (got.status, got.code) == (403, "not_permitted"), "a filter would tell too"


# --- roles and removing ---


def test_nobody_grants_or_touches_above_their_own_rank(team: Team, dana: Person) -> None:
    """F31, and the escalation of F32 by way of a role."""
    ada, ben, cy = team.person("Ada"), team.person("Ben"), team.person("Cy")
    acme = team.world.workspace("acme", owner=dana, admin=ada, member=[ben, cy])
    admin, member = team.client(ada), team.client(ben)
    owner_id, admin_id, ben_id = (team.id_of(each, acme) for each in (dana, ada, ben))
    for client, id, role in [
        (admin, owner_id, "member"),
        (admin, ben_id, "owner"),
        (admin, admin_id, "owner"),
        (member, ben_id, "admin"),
        (member, team.id_of(cy, acme), "member"),
    ]:
        got = client.ask("PATCH", f"{TABLE}/{id}", json_body={"role": role})
        assert (got.status, got.code) == (403, "not_permitted")
    for client, id in [(admin, owner_id), (member, ben_id), (member, admin_id), (admin, admin_id)]:
        got = client.ask("DELETE", f"{TABLE}/{id}")
        assert (got.status, got.code) == (403, "not_permitted")
    got = admin.ask("PATCH", f"{TABLE}/{ben_id}", json_body={"role": "admin"})
    assert (got.status, got.json["role"]) == (200, "admin")
    got = admin.ask("PATCH", f"{TABLE}/{admin_id}", json_body={"role": "member"})
    assert (got.status, got.json["two_factor"]) == (200, None), "and with the next answer they are a member"
    assert admin.get(f"{TABLE}?two_factor=on").code == "not_permitted"


def test_an_enrolled_owner_stays(team: Team, dana: Person) -> None:
    """Law 8, and two in turn."""
    olga = team.person("Olga")
    acme = team.world.workspace("acme", owner=[dana, olga])
    owner = team.client(dana)
    mine, hers = f"{TABLE}/{team.id_of(dana, acme)}", f"{TABLE}/{team.id_of(olga, acme)}"
    team.world.require(acme)
    got = owner.ask("PATCH", mine, json_body={"role": "member"})
    assert (got.status, got.code) == (409, "last_owner")
    assert owner.ask("DELETE", hers).status == 204
    got = owner.ask("PATCH", mine, json_body={"role": "admin"})
    assert (got.status, got.code) == (409, "last_owner")


def test_who_is_removed_is_out_with_the_next_request(team: Team, dana: Person) -> None:
    """F34: session, browser, invitations sent and received; and the account stays as it was."""
    ada = team.person("Ada", two_factor=True)
    acme = team.world.workspace("acme", owner=dana, admin=ada)
    team.world.workspace("beta", owner=ada)
    owner, admin, browser = team.client(dana), team.client(ada), team.visitor(ada)
    admin.post(f"{ACME}/invitations", {"email": "friend@example.com", "role": "admin"})
    token = link_in(team.world, "invitation").rpartition("/")[2]
    assert owner.ask("DELETE", f"{TABLE}/{team.id_of(ada, acme)}").status == 204
    for path in (ACME, TABLE, f"{ACME}/policy", f"{ACME}/audit-events", f"{ACME}/invitations"):
        assert admin.get(path).code == "not_found"
    assert browser.open("/w/acme/settings/team").status == 404
    assert admin.get("/api/v1/workspaces/beta").status == 200
    assert [each["slug"] for each in admin.get("/api/v1/session").json["workspaces"]] == ["beta"]
    got = Client(team.app).post(
        "/api/v1/invitations/accept", {"token": token, "name": "Fay", "password": "quite another password"}
    )
    assert (got.status, got.code) == (410, "expired"), "what they sent no longer stands"
    assert "Ada" not in names(owner)


def test_ids_of_other_workspaces_and_forged_ones_are_not_there(team: Team, dana: Person) -> None:
    """F30: an admin of one workspace reaches nothing in another, by any id or path."""
    otto, ben = team.person("Otto", two_factor=True), team.person("Ben")
    team.secure(ben)
    team.world.workspace("acme", owner=dana)
    beta = team.world.workspace("beta", owner=otto, member=ben)
    client = team.client(dana)
    client.post(f"{ACME}/invitations", {"email": "new@example.com", "role": "member"})
    invited = client.get(f"{ACME}/invitations").json["items"][0]["id"]
    before = everything(team.world)
    ids = [team.id_of(ben, beta), to_text(ben.id), invited, to_text(1), "0" * 13, "I" * 13, "x", "%00", "é"]
    for id in ids:
        for method, path, body in [
            ("GET", f"{TABLE}/{id}", None),
            ("PATCH", f"{TABLE}/{id}", {"role": "member"}),
            ("DELETE", f"{TABLE}/{id}", None),
            ("POST", f"{TABLE}/{id}/disable-two-factor", WHY),
            ("POST", f"{TABLE}/{id}/disable-two-factor/renew", None),
        ]:
            got = client.ask(method, path, json_body=body)
            assert (got.status, got.code) == (404, "not_found"), f"{method} {path}"
    for path in ("/teammates", "/invitations", "/audit-events", "/policy", "/policy/preview"):
        assert client.get(f"/api/v1/workspaces/beta{path}").code == "not_found"
    changed = {
        name
        for name, rows in everything(team.world).items()
        if rows != before[name] and name != "sessions"  # which notes that fresh proof was used
    }
    assert not changed


# --- disabling 2FA ---


def disable(client: Client, team: Team, person: Person, workspace: int, body: Any = None) -> Any:
    return client.post(f"{TABLE}/{team.id_of(person, workspace)}/disable-two-factor", body or WHY)


def test_a_locked_out_member_is_let_back_in_and_nowhere_else_anything_changes(
    team: Team, dana: Person
) -> None:
    ana, otto = team.person("Ana", two_factor=True), team.person("Otto")
    acme = team.world.workspace("acme", owner=dana, member=ana)
    team.world.workspace("beta", owner=otto, member=ana)
    owner, hers = team.client(dana), team.client(ana)
    team.world.require(acme)
    got = disable(owner, team, ana, acme)
    assert got.status == 200, got.text
    reset = got.json["reset"]
    assert (reset["state"], len(reset["number"]), reset["number"].isdigit()) == ("done", 8, True)
    assert reset["effective_at"].endswith("Z")
    assert hers.get(ACME).code == "step_up_required", "what it proved counts no longer, here"
    assert hers.get("/api/v1/workspaces/beta").status == 200, "and there as before"
    (row,) = owner.get(f"{TABLE}?two_factor=reset").json["items"]
    assert (row["name"], row["two_factor"]["state"]) == ("Ana", "reset")

    again = Client(team.app)
    password = {"email": ana.email, "password": PASSWORD}
    again.bearer = again.post("/api/v1/sign-in/password", password).json["token"]
    team.step_up(again, ana, "/api/v1/sign-in/totp")
    assert again.get(ACME).code == "enrolment_required"
    token = link_in(team.world, "reset").rpartition("/")[2]
    got = again.post("/api/v1/tickets/redeem", {"token": token})
    assert got.status in (401, 422), got.text
    got = again.post("/api/v1/tickets/redeem", {"token": token, "number": reset["number"]})
    assert got.status == 200, got.text
    begun = again.post("/api/v1/me/authenticators/totp", {"workspace": "acme"}).json
    seed = base64.b32decode(begun["secret"].replace(" ", "").upper())
    got = again.post(f"/api/v1/me/authenticators/totp/{begun['id']}/confirm", {"code": team.world.code(seed)})
    assert got.status == 200, got.text
    again.bearer = got.json["token"]
    assert again.get(ACME).status == 200
    assert owner.get(f"{TABLE}?two_factor=reset").json["items"] == []


def test_the_number_is_told_once_and_renewed_after_five_wrong_ones(team: Team, dana: Person) -> None:
    ana = team.person("Ana", two_factor=True)
    acme = team.world.workspace("acme", owner=dana, member=ana)
    team.world.require(acme)
    owner = team.client(dana)
    number = disable(owner, team, ana, acme).json["reset"]["number"]
    assert number not in json.dumps(newest(team.world, "reset"))
    assert number not in str(everything(team.world))
    assert number not in owner.get(f"{ACME}/audit-events").text
    got = disable(owner, team, ana, acme)
    assert (got.status, got.code) == (409, "conflict")

    client = Client(team.app)
    password = {"email": ana.email, "password": PASSWORD}
    client.bearer = client.post("/api/v1/sign-in/password", password).json["token"]
    token = link_in(team.world, "reset").rpartition("/")[2]
    wrong = f"{(int(number) + 1) % 10**8:08d}"
    for _ in range(5):
        got = client.post("/api/v1/tickets/redeem", {"token": token, "number": wrong})
        assert (got.status, got.code) == (401, "wrong_code")
    got = client.post("/api/v1/tickets/redeem", {"token": token, "number": number})
    assert got.status in (401, 410), "five wrong ones killed it"

    renewed = owner.post(f"{TABLE}/{team.id_of(ana, acme)}/disable-two-factor/renew")
    assert renewed.status == 200, renewed.text
    fresh = link_in(team.world, "reset").rpartition("/")[2]
    assert fresh != token
    got = client.post("/api/v1/tickets/redeem", {"token": fresh, "number": renewed.json["reset"]["number"]})
    assert got.status == 200, got.text


def test_who_may_not_be_reset_and_by_whom(team: Team, dana: Person) -> None:
    ada, ana, ben = (team.person(name, two_factor=True) for name in ("Ada", "Ana", "Ben"))
    cy = team.person("Cy")
    acme = team.world.workspace("acme", owner=dana, admin=ada, member=[ana, ben, cy])
    owner, admin, member = team.client(dana), team.client(ada), team.client(ana)
    for client, person in [(member, ben), (owner, dana), (admin, ada)]:
        got = disable(client, team, person, acme)
        assert (got.status, got.code) == (403, "not_permitted"), person.name
        assert got.json["way_out"]["path"]
    got = disable(admin, team, cy, acme)
    assert (got.status, got.code) == (409, "not_enrolled")
    for body, field in [
        ({"reason": " ", "recognised_by": "phone"}, "reason"),
        ({"reason": "x", "recognised_by": ""}, "recognised_by"),
        ({"reason": "x" * 301, "recognised_by": "phone"}, "reason"),
        ({"reason": "x"}, "recognised_by"),
        ({"reason": 1, "recognised_by": "phone"}, "reason"),
    ]:
        got = disable(admin, team, ana, acme, body)
        assert (got.status, got.code, got.json["errors"][0]["field"]) == (422, "invalid", field)
    assert owner.post(f"{TABLE}/{team.id_of(ana, acme)}/disable-two-factor/renew").code == "conflict"
    team.world.wait(11 * MINUTE)
    got = disable(admin, team, ana, acme)
    assert (got.status, got.code) == (401, "step_up_required")
    team.step_up(admin, ada)
    assert disable(admin, team, ana, acme).status == 200


def test_an_owner_may_waive_the_number_and_an_admin_may_not(team: Team, dana: Person) -> None:
    ada, ana = team.person("Ada", two_factor=True), team.person("Ana", two_factor=True)
    acme = team.world.workspace("acme", owner=dana, admin=ada, member=ana)
    body = {**WHY, "waive_number": True}
    got = disable(team.client(ada), team, ana, acme, body)
    assert (got.status, got.code) == (403, "not_permitted")
    owner = team.client(dana)
    assert disable(owner, team, ana, acme, {**WHY, "waive_number": "yes"}).status == 422
    got = disable(owner, team, ana, acme, body)
    assert (got.status, got.json["reset"]["number"]) == (200, None)
    hers = Client(team.app)
    password = {"email": ana.email, "password": PASSWORD}
    hers.bearer = hers.post("/api/v1/sign-in/password", password).json["token"]
    token = link_in(team.world, "reset").rpartition("/")[2]
    assert hers.post("/api/v1/tickets/redeem", {"token": token}).status == 200


def test_ten_an_hour_by_one_admin(team: Team, dana: Person) -> None:
    people = [team.person(f"Member{number}") for number in range(11)]
    for person in people:
        team.secure(person)
    acme = team.world.workspace("acme", owner=dana, member=people)
    client = team.client(dana)
    for person in people[:10]:
        assert disable(client, team, person, acme).status == 200
    got = disable(client, team, people[10], acme)
    assert (got.status, got.code) == (429, "too_many_attempts")
    assert int(got.header("retry-after")) <= HOUR // 1_000_000
