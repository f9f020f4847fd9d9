"""Evidence of a day on its page, as a file and through the API: for those who may read the audit log."""

import csv
import io
from urllib.parse import quote

import pytest

from nightlatch.actions import joining, profile, workspaces
from nightlatch.instants import DAY, to_text
from nightlatch.web.api.evidence_models import Evidence
from nightlatch.web.pages import evidence as page_evidence
from tests.support.asgi import Client
from tests.support.letters import letter
from tests.support.world import Person
from tests.web.passkey_people import KEYS, by_key, put, surfing
from tests.web.team import Team

PAGE = "/w/acme/settings/team/audit/evidence"
API = "/api/v1/workspaces/acme/evidence"


@pytest.fixture
def dana(team: Team) -> Person:
    """The owner of acme, with 2FA."""
    return team.person("Dana", two_factor=True)


@pytest.fixture
def acme(team: Team, dana: Person) -> int:
    """A workspace made by the real action, so that it has its events."""
    by = team.world.signed_in(dana, team.world.bind_totp(dana)[0])
    made = team.world.write(
        lambda tx: workspaces.create(tx, by=by, name="Acme", slug="acme", sign_up_open=True)
    )
    return made.workspace_id


def day(team: Team, before: int = 0) -> str:
    return to_text(team.world.clock.now() - before * DAY)[:10]


def rename(team: Team, person: Person, name: str) -> None:
    by = team.world.signed_in(person, team.world.bind_totp(person)[0])
    team.world.write(lambda tx: profile.rename(tx, by=by, name=name))


def test_the_api_tells_what_its_model_says(team: Team, dana: Person, acme: int) -> None:
    client = team.client(dana)
    policy = {"two_factor": {"required": True}, "reason": "An audit"}
    got = client.ask("PUT", "/api/v1/workspaces/acme/policy", json_body=policy, headers={"if-match": "*"})
    assert got.status == 200, got.text
    got = client.get(API)
    assert got.status == 200, got.text
    Evidence.model_validate(got.json)
    assert (got.json["workspace"], got.json["name"], got.json["on"]) == ("acme", "Acme", day(team))
    (teammate,) = got.json["teammates"]
    assert (teammate["email"], teammate["two_factor"], teammate["methods"]) == (dana.email, "on", ["totp"])
    assert got.json["policy"]["state"] == "required"
    assert got.json["policy"]["decided_by"]["name"] == "Dana"
    assert got.json["policy"]["reason"] == "An audit"


def test_a_past_day_says_what_was_true_then(team: Team, dana: Person, acme: int) -> None:
    first = day(team)
    team.world.wait(2 * DAY)
    rename(team, dana, "Daniela")
    client = team.client(dana)
    assert client.get(f"{API}?on={first}").json["teammates"][0]["name"] == "Dana"
    assert client.get(f"{API}?on={day(team)}").json["teammates"][0]["name"] == "Daniela"
    page = team.visitor(dana).open(f"{PAGE}?on={first}")
    assert "at the end of" in page.text
    assert "Daniela</span><span" not in page.got.text


@pytest.mark.parametrize("on", ["2020-01-01", "2999-01-01", "yesterday", "2026-02-30"])
def test_a_day_that_cannot_be_is_refused_in_words_at_its_field(
    team: Team, dana: Person, acme: int, on: str
) -> None:
    got = team.client(dana).get(f"{API}?on={on}")
    assert (got.status, got.code) == (422, "invalid")
    (error,) = got.json["errors"]
    assert error["field"] == "on"
    visitor = team.visitor(dana)
    page = visitor.open(f"{PAGE}?on={on}")
    assert page.status == 422
    assert error["message"] in page.text
    assert "Download as CSV" not in page.text
    assert visitor.open(f"{PAGE}.csv?on={on}").status == 422, "the file leads to the page that says why"


def test_the_file_is_safe_and_complete(team: Team, dana: Person, acme: int) -> None:
    rename(team, dana, '=HYPERLINK(1),"x"')
    visitor = team.visitor(dana)
    assert "/audit/evidence.csv" in visitor.open(PAGE).got.text
    got = visitor.client.get(f"{PAGE}.csv")
    assert got.header("content-type") == "text/csv; charset=utf-8; header=present"
    assert got.header("content-disposition") == f'attachment; filename="evidence-acme-{day(team)}.csv"'
    assert got.header("cache-control") == "no-store"
    rows = list(csv.DictReader(io.StringIO(got.text, newline=""), strict=True))
    assert [row["record"] for row in rows] == ["workspace", "policy", "managed_by", "teammate"]
    assert rows[-1]["name"] == '\'=HYPERLINK(1),"x"'


def test_a_large_workspace_comes_in_pages(
    team: Team, dana: Person, acme: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page_evidence, "A_PAGE", 1)
    ana = team.person("Ana", two_factor=True)
    client = team.client(dana)
    assert (
        client.post("/api/v1/workspaces/acme/invitations", {"email": ana.email, "role": "member"}).status
        == 201
    )
    _accept(team, ana)
    visitor = team.visitor(dana)
    first = visitor.open(PAGE).got.text
    assert ana.email in first
    assert "The CSV file has all of them at once." in first
    assert f"{PAGE}?page=2" in first
    second = visitor.open(f"{PAGE}?page=2").got.text
    assert ana.email not in second
    assert "Next page" not in second
    for odd in ("0", "-1", "x", "99999999", quote("٣")):
        assert ana.email in visitor.open(f"{PAGE}?page={odd}").got.text


def _accept(team: Team, person: Person) -> None:
    world, bound = team.world, person.id in team.seeds
    by = world.signed_in(person, world.bind_totp(person)[0]) if bound else world.session(person)
    link = letter(team.world, "invitation", to=person.email).hash()
    team.world.write(lambda tx: joining.accept_existing(tx, by=by, token_hash=link))


def test_members_and_strangers_see_none_of_it(team: Team, dana: Person, acme: int) -> None:
    ana, otto = team.person("Ana"), team.person("Otto")
    team.client(dana).post("/api/v1/workspaces/acme/invitations", {"email": ana.email, "role": "member"})
    _accept(team, ana)
    team.world.wait(DAY)
    for person, status in ((ana, 403), (otto, 404)):
        client = team.client(person, second=False)
        assert client.get(API).status == status
        visitor = team.visitor(person)
        assert visitor.open(PAGE).status == status
        assert visitor.open(f"{PAGE}.csv").status == status
    assert Client(team.app).get(API).status == 401


def test_the_audit_log_leads_to_it(team: Team, dana: Person, acme: int) -> None:
    assert f'href="{PAGE}"' in team.visitor(dana).open("/w/acme/settings/team/audit").got.text


def test_the_page_says_since_when_a_passkey_was_required(team: Team, dana: Person, acme: int) -> None:
    team.world.bind_passkey(dana)
    client, owner = by_key(team, dana), surfing(team, dana)
    assert "Passkeys only" not in owner.open(PAGE).text
    later = to_text((team.world.clock.now() + 10 * DAY) // DAY * DAY)
    for wanted, words in (
        ({"required": True}, None),
        ({**KEYS, "strength_from": later}, "Passkeys only From "),
        (KEYS, "Passkeys only Since "),
    ):
        got = put(client, wanted)
        assert got.status == 200, got.text
        assert (words or "Required of everyone") in owner.open(PAGE).text
