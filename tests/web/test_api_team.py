"""Workspaces and their policy through the API: the switch, its refusals in their order, and live sessions."""

from dataclasses import replace
from typing import Any

import pytest

from nightlatch.actions.campaigns import expand_campaign
from nightlatch.instants import DAY, MINUTE, to_text
from nightlatch.store.teammates import join
from nightlatch.vocabulary import Role
from tests.support.asgi import Client, Got, app_of
from tests.support.mails import newest
from tests.support.switch import exempt
from tests.support.tables import everything
from tests.support.world import Person
from tests.web.team import Team

POLICY = "/api/v1/workspaces/acme/policy"
ON = {"two_factor": {"required": True}}
OFF = {"two_factor": {"required": False}, "reason": "Enough"}


def put(client: Client, body: Any, tag: str | None = '"1"', path: str = POLICY) -> Got:
    return client.ask("PUT", path, json_body=body, headers={"if-match": tag} if tag else {})


@pytest.fixture
def dana(team: Team) -> Person:
    """The owner of acme, with 2FA."""
    return team.person("Dana", two_factor=True)


# --- refusals, in their order ---


def test_refusals_come_in_their_order(team: Team, dana: Person) -> None:
    """Each refusal wins over all that follow: every request here has a bad body too."""
    ben, ana, otto = team.person("Ben"), team.person("Ana", two_factor=True), team.person("Otto")
    acme = team.world.workspace("acme", owner=dana, member=[ben, ana])
    team.world.workspace("beta", owner=otto)
    owner, half = team.client(dana), team.client(dana, second=False)
    member, other = team.client(ana), team.client(otto)
    newcomer = team.client(ben)
    team.world.require(acme)
    bad = {"two_factor": "yes"}

    got = put(Client(team.app), bad)
    assert (got.status, got.code) == (401, "sign_in_required")
    assert got.header("www-authenticate").startswith("Bearer")
    got = put(other, bad)
    assert (got.status, got.code) == (404, "not_found")
    got = put(half, bad)
    assert (got.status, got.code) == (401, "second_factor_required")
    assert 'error="insufficient_user_authentication"' in got.header("www-authenticate")
    assert 'acr_values="urn:nightlatch:aal2"' in got.header("www-authenticate")
    got = put(newcomer, bad)
    assert (got.status, got.code, got.json["needs"]) == (403, "enrolment_required", "mail")
    got = put(member, bad)
    assert (got.status, got.code) == (403, "not_permitted")
    team.world.wait(11 * MINUTE)
    got = put(owner, bad)
    assert (got.status, got.code) == (401, "step_up_required")
    assert 'max_age="600"' in got.header("www-authenticate")
    team.step_up(owner, dana)
    got = put(owner, bad)
    assert (got.status, got.code) == (422, "invalid")
    assert got.json["errors"][0]["field"] == "two_factor"
    got = put(owner, ON)
    assert (got.status, got.code) == (412, "revision_conflict")


def test_every_refusal_says_why_and_shows_a_way_on(team: Team, dana: Person) -> None:
    team.world.workspace("acme", owner=dana)
    for got in (put(Client(team.app), ON), put(team.client(dana), ON, None)):
        assert got.header("content-type") == "application/problem+json"
        assert got.header("cache-control") == "no-store"
        told = got.json
        assert told["status"] == got.status
        assert told["type"] == f"urn:nightlatch:problem:{told['code']}"
        assert told["detail"].endswith(".")
        assert told["way_out"]["path"].startswith("/")


# --- the switch ---


def test_the_mandate_is_off_until_it_is_turned_on(team: Team, dana: Person) -> None:
    team.world.workspace("acme", owner=dana)
    client = team.client(dana)
    got = client.get(POLICY)
    assert got.json["two_factor"] == {
        "required": False,
        "required_from": None,
        "strength": "any",
        "strength_from": None,
        "managed_by": "admins",
    }
    assert (got.json["revision"], got.header("etag")) == (1, '"1"')

    got = put(client, {**ON, "reason": "Audit"}, got.header("etag"))
    assert got.status == 200, got.text
    assert got.json["in_force"] is True
    assert (got.json["revision"], got.header("etag")) == (2, '"2"')
    assert got.json["changed_by"] == "Dana"
    assert client.get(POLICY).json == got.json

    again = put(client, {"two_factor": got.json["two_factor"]}, '"2"')
    assert (again.status, again.json["revision"]) == (200, 2), "what is read can be put back"

    got = put(client, {**OFF, "reason": "Over"}, '"2"')
    assert (got.json["two_factor"]["required"], got.json["in_force"]) == (False, False)


def test_a_change_names_the_revision_it_is_about(team: Team, dana: Person) -> None:
    team.world.workspace("acme", owner=dana)
    client = team.client(dana)
    before = everything(team.world)
    got = put(client, ON, None)
    assert (got.status, got.code) == (428, "revision_required")
    for stale in ('"0"', '"2"', "1", 'W/"1"', '"x"', "", '"99999999999999999999"'):
        got = client.ask("PUT", POLICY, json_body=ON, headers={"if-match": stale})
        assert (got.status, got.code) == (412, "revision_conflict"), stale
    assert everything(team.world) == before
    assert put(client, ON, '"7", "1"').status == 200
    assert put(client, OFF, "*").status == 200


def test_from_an_instant_on_that_instant_alone_decides(team: Team, dana: Person) -> None:
    ben = team.person("Ben")
    team.world.workspace("acme", owner=dana, member=ben)
    owner, member = team.client(dana), team.client(ben)
    at = team.world.clock.now() + DAY
    got = put(owner, {"two_factor": {"required": True, "required_from": to_text(at)}})
    assert got.json["two_factor"]["required_from"] == to_text(at)
    assert got.json["in_force"] is False
    assert member.get("/api/v1/workspaces/acme").status == 200
    (entry,) = member.get("/api/v1/session").json["workspaces"]
    assert (entry["decision"], entry["due"]) == ("allow", to_text(at))
    table = owner.get("/api/v1/workspaces/acme/teammates?two_factor=due").json
    assert [each["two_factor"]["due"] for each in table["items"]] == [to_text(at)]
    for spelling in ("2030-01-01T00:00:00+01:00", "2030-01-01T00:00:00Z"):
        moved = {"two_factor": {"required": True, "required_from": spelling}}
        assert put(owner, moved, owner.get(POLICY).header("etag")).status == 200
    put(owner, {"two_factor": {"required": True, "required_from": to_text(at)}}, "*")
    team.world.wait(DAY)
    assert member.get("/api/v1/workspaces/acme").code in ("enrolment_required", "sign_in_required")
    late = {"two_factor": {"required": True, "required_from": to_text(at + DAY)}}
    owner = team.client(dana)
    got = put(owner, late, owner.get(POLICY).header("etag"))
    assert (got.status, got.code) == (409, "mandate_in_force")


def test_off_takes_a_reason(team: Team, dana: Person) -> None:
    acme = team.world.workspace("acme", owner=dana)
    client = team.client(dana)
    team.world.require(acme)
    for reason in ({}, {"reason": None}, {"reason": "  "}):
        got = put(client, {"two_factor": {"required": False}, **reason}, "*")
        assert (got.status, got.code) == (422, "invalid")
        assert got.json["errors"][0]["field"] == "reason"
    assert put(client, OFF, "*").status == 200


def test_on_again_within_thirty_days_means_now(team: Team, dana: Person) -> None:
    acme = team.world.workspace("acme", owner=dana)
    client = team.client(dana)
    assert client.get(POLICY).json["announced_at"] is None
    team.world.require(acme)
    assert put(client, OFF, "*").json["announced_at"] is None
    later = to_text(team.world.clock.now() + 14 * DAY)
    got = put(client, {"two_factor": {"required": True, "required_from": later}}, "*")
    assert (got.status, got.code) == (409, "grace_used")
    assert got.json["way_out"]["path"] == "/w/acme/settings/team/authentication"
    told = client.get(POLICY).json
    assert told["at_once_until"] > later
    got = put(client, ON, "*")
    assert got.json["in_force"] is True
    assert (got.json["announced_at"], got.json["at_once_until"]) == (
        got.json["two_factor"]["required_from"],
        None,
    )


def test_due_is_each_persons_own(team: Team, dana: Person) -> None:
    """The date for those who were there; for who joined after the announcement none; with an exception its end."""
    ben, eva = team.person("Ben"), team.person("Eva")
    acme = team.world.workspace("acme", owner=dana, member=[ben, eva])
    at = team.world.clock.now() + 10 * DAY
    assert (
        put(team.client(dana), {"two_factor": {"required": True, "required_from": to_text(at)}}).status == 200
    )
    exempt(team.world, acme, eva, until=at + DAY)
    team.world.wait(MINUTE)
    lea = team.person("Lea")
    team.world.write(lambda tx: join(tx, workspace_id=acme, account_id=lea.id, role=Role.MEMBER))
    told = {
        name: team.client(person).get("/api/v1/session").json["workspaces"][0]
        for name, person in (("ben", ben), ("eva", eva), ("lea", lea))
    }
    assert {name: (each["decision"], each["due"]) for name, each in told.items()} == {
        "ben": ("allow", to_text(at)),
        "eva": ("allow", to_text(at + DAY)),
        "lea": ("enrol", None),
    }


def test_a_live_session_without_2fa_is_refused_at_its_very_next_request(team: Team, dana: Person) -> None:
    """F40: on every kind of route, for every kind of session, and again after it was off in between."""
    ben = team.person("Ben")
    team.world.workspace("acme", owner=dana, member=ben)
    owner, bearer, browser = team.client(dana), team.client(ben), team.visitor(ben)
    paths = ["/api/v1/workspaces/acme", POLICY, "/api/v1/workspaces/acme/teammates"]
    for _ in range(2):
        assert [bearer.get(path).status for path in paths] == [200] * 3
        assert browser.open("/w/acme").status == 200
        assert put(owner, ON, "*").status == 200
        assert [bearer.get(path).code for path in paths] == ["enrolment_required"] * 3
        assert browser.open("/w/acme").path.startswith("/set-up")
        (entry,) = bearer.get("/api/v1/session").json["workspaces"]
        assert (entry["decision"], entry["needs"], entry["role"]) == ("enrol", "mail", None)
        assert put(owner, OFF, "*").status == 200


def test_whoever_turns_it_on_has_2fa_and_so_has_an_owner(team: Team, dana: Person) -> None:
    """Law 8, and no dead end: each refusal leads to set-up or to the owners."""
    ada, olga = team.person("Ada", two_factor=True), team.person("Olga")
    team.world.workspace("acme", owner=[dana, olga])
    team.world.workspace("beta", owner=olga, admin=ada)
    got = put(team.client(olga), ON)
    assert (got.status, got.code) == (409, "not_enrolled")
    assert got.json["way_out"]["path"] == "/set-up?workspace=acme"
    got = put(team.client(ada), ON, path="/api/v1/workspaces/beta/policy")
    assert (got.status, got.code) == (409, "not_enrolled")
    assert "owner" in got.json["detail"]


def test_an_owner_can_keep_the_switch_for_owners(team: Team, dana: Person) -> None:
    ada = team.person("Ada", two_factor=True)
    team.world.workspace("acme", owner=dana, admin=ada)
    owner, admin = team.client(dana), team.client(ada)
    kept = {"two_factor": {"required": False, "managed_by": "owners"}}
    got = put(admin, kept)
    assert (got.status, got.code) == (403, "not_permitted")
    assert put(owner, kept).status == 200
    got = put(admin, ON, '"2"')
    assert (got.status, got.code) == (403, "not_permitted")
    assert admin.get(f"{POLICY}/preview").code == "not_permitted"
    got = put(owner, ON, '"2"')
    assert got.json["two_factor"]["managed_by"] == "owners", "it stays who it was where nothing is said"


def test_before_the_switch_it_is_told_whom_it_meets(team: Team, dana: Person) -> None:
    ben = team.person("Ben")
    team.world.workspace("acme", owner=dana, member=ben)
    client = team.client(dana)
    team.client(ben)
    client.post("/api/v1/workspaces/acme/invitations", {"email": "new@example.com", "role": "member"})
    got = client.get(f"{POLICY}/preview").json
    assert got["set_up"] == {"count": 1, "names": ["Dana"]}
    assert got["will_be_asked"] == {"count": 1, "names": ["Ben"]}
    assert got["invited"] == {"count": 1, "names": ["new@example.com"]}
    assert got["working_now"] == 1
    assert (got["only_owner"], got["owners"], got["enrolled_owners"]) == (True, 1, 1)
    assert got["i_am_enrolled"] is True
    assert got["mail"]["state"] == "demo"


BAD = [
    {},
    {"two_factor": {}},
    {"two_factor": {"required": "true"}},
    {"two_factor": {"required": 1}},
    {"two_factor": {"required": True, "strength": "strong"}},
    {"two_factor": {"required": True, "required_from": "tomorrow"}},
    {"two_factor": {"required": True, "required_from": "2030-01-01T00:00:00"}},
    {"two_factor": {"required": True, "required_from": "9999-12-31T23:59:59-14:00"}},
    {"two_factor": {"required": True, "required_from": 7}},
    {"two_factor": {"required": False, "required_from": "2030-01-01T00:00:00Z"}},
    {"two_factor": {"required": True, "managed_by": "everybody"}},
    {"two_factor": {"required": True}, "reason": "x" * 301},
    {"two_factor": {"required": True}, "reason": ["a"]},
    {"two_factor": {"required": True}, "more": 1},
    {"two_factor": {"required": True, "more": 1}},
    [],
    "on",
    None,
]


def test_bad_bodies_are_refused_and_change_nothing(team: Team, dana: Person) -> None:
    team.world.workspace("acme", owner=dana)
    client = team.client(dana)
    put(client, {}, '"1"')  # the step-up window is noted from now on
    before = everything(team.world)
    for body in BAD:
        raw = b"null" if body is None else None
        got = client.ask(
            "PUT",
            POLICY,
            json_body=body,
            raw=raw,
            headers={"if-match": '"1"', "content-type": "application/json"},
        )
        assert (got.status, got.code) == (422, "invalid"), body
        assert got.json["errors"], body
    for raw, status, code in [
        (b"{", 400, "malformed"),
        (b"\xff", 400, "malformed"),
        (b'{"reason": "\\u0000", "two_factor": {"required": true}}', 400, "malformed"),
        (b'{"reason": "\\ud800", "two_factor": {"required": true}}', 400, "malformed"),
        (b"[" * 50_000, 400, "malformed"),
        (b'"' + b"x" * 70_000 + b'"', 413, "too_large"),
    ]:
        headers = {"if-match": '"1"', "content-type": "application/json"}
        got = client.ask("PUT", POLICY, raw=raw, headers=headers)
        assert (got.status, got.code) == (status, code), raw[:40]
    got = client.ask("PUT", POLICY, raw=b"{}", headers={"content-type": "text/plain"})
    assert (got.status, got.code) == (415, "unsupported_media_type")
    assert everything(team.world) == before


# --- workspaces ---


def test_a_workspace_tells_its_teammates_alone(team: Team, dana: Person) -> None:
    otto = team.person("Otto")
    team.world.workspace("acme", owner=dana)
    team.world.workspace("beta", owner=otto)
    assert team.client(dana).get("/api/v1/workspaces/acme").json == {
        "slug": "acme",
        "name": "Acme",
        "role": "owner",
        "two_factor": {"required": False, "required_from": None, "in_force": False},
    }
    for slug in ("acme", "nowhere", "..", "%00", "a b"):
        got = team.client(otto).get(f"/api/v1/workspaces/{slug}")
        assert (got.status, got.code) == (404, "not_found")


def test_workspaces_are_the_operators_to_make_unless_sign_up_is_open(team: Team, dana: Person) -> None:
    got = team.client(dana).post("/api/v1/workspaces", {"name": "Acme", "slug": "acme"})
    assert (got.status, got.code) == (403, "not_permitted")
    opened = replace(team, app=app_of(team.world, NIGHTLATCH_SIGN_UP="open"))
    client = opened.client(dana)
    got = client.post("/api/v1/workspaces", {"name": "Acme", "slug": "acme"})
    assert got.status == 201, got.text
    assert got.header("location") == "/api/v1/workspaces/acme"
    assert got.json == client.get("/api/v1/workspaces/acme").json
    got = client.post("/api/v1/workspaces", {"name": "Other", "slug": "acme"})
    assert (got.status, got.code) == (409, "slug_taken")
    for slug in ("A", "-a", "api", "x" * 41, "ä", ""):
        got = client.post("/api/v1/workspaces", {"name": "Other", "slug": slug})
        assert (got.status, got.code, got.json["errors"][0]["field"]) == (422, "invalid", "slug")


def test_leaving(team: Team, dana: Person) -> None:
    ben = team.person("Ben")
    team.world.workspace("acme", owner=dana, member=ben)
    got = team.client(dana).post("/api/v1/workspaces/acme/leave")
    assert (got.status, got.code) == (409, "last_owner")
    member = team.client(ben)
    assert member.post("/api/v1/workspaces/acme/leave").status == 204
    assert member.post("/api/v1/workspaces/acme/leave").code == "not_found"
    assert member.get("/api/v1/workspaces/acme").code == "not_found"


def test_everybody_is_mailed_after_the_switch(team: Team, dana: Person) -> None:
    ben = team.person("Ben")
    team.world.workspace("acme", owner=dana, member=ben)
    assert put(team.client(dana), ON).status == 200
    while team.world.write(expand_campaign):
        pass
    assert newest(team.world, "mandate_ready")["workspace"] == "Acme"
    assert newest(team.world, "mandate_enrol")["link"].startswith("/tickets/")
