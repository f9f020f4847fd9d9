"""Setting up a SAML connection by the pages and by the API."""

import re
from pathlib import Path

import pytest

from nightlatch.ids import to_text
from nightlatch.instants import MINUTE
from nightlatch.store import connections
from tests.support.asgi import ORIGIN
from tests.support.saml_idp import Idp
from tests.support.tables import rows
from tests.support.visitor import Visitor
from tests.support.world import Person
from tests.web.team import Team

SSO = "/w/acme/settings/team/authentication/sso"
API = "/api/v1/workspaces/acme/connections"


@pytest.fixture(scope="module")
def idp(tmp_path_factory: pytest.TempPathFactory) -> Idp:
    return Idp(tmp_path_factory.mktemp("idp"))


@pytest.fixture
def dana(team: Team) -> Person:
    person = team.person("Dana", two_factor=True)
    team.world.workspace("acme", owner=person)
    return person


def kept(team: Team) -> list[dict[str, object]]:
    return [connections.settings_of(each) for each in rows(team.world, "connections")]


def add(visitor: Visitor, idp: Idp, **more: str) -> int:
    visitor.open(f"{SSO}/saml")
    return visitor.submit(f"{SSO}/saml", **{"name": "Shibboleth", "metadata": idp.metadata(), **more}).status


def test_it_is_added_by_its_metadata(team: Team, dana: Person, idp: Idp) -> None:
    visitor = team.visitor(dana)
    page = visitor.open(f"{SSO}/saml")
    workspace = to_text(rows(team.world, "workspaces")[0].id)
    assert f"{ORIGIN}/saml/{workspace}/acs" in page.text
    add(visitor, idp, subject_attribute="uid")
    (row,) = rows(team.world, "connections")
    assert (row.kind, row.issuer, row.client_id) == ("saml", idp.entity_id, f"{ORIGIN}/saml/{workspace}")
    assert kept(team) == [{**idp.provider.kept(), "subject_attribute": "uid", "email_attribute": ""}]
    assert f"{SSO}/saml" in visitor.open(SSO).got.text
    assert f"{SSO}/{to_text(row.id)}/saml" in visitor.open(f"{SSO}/{to_text(row.id)}").got.text
    page = visitor.open(f"{SSO}/{to_text(row.id)}/saml")
    assert re.search(r"\b[0-9a-f]{64}\b", page.text)
    assert re.search(r"dated until 1 Jan\w* 2021", page.text)


@pytest.mark.parametrize(
    "metadata,part",
    [
        ("", "Paste the provider's metadata"),
        ("<x/>", "describes no SAML 2.0 identity provider"),
        ("<!DOCTYPE x>", "declares a document type"),
    ],
)
def test_what_cannot_be_used_is_said_at_its_field(team: Team, dana: Person, metadata: str, part: str) -> None:
    visitor = team.visitor(dana)
    visitor.open(f"{SSO}/saml")
    page = visitor.submit(f"{SSO}/saml", name="Shibboleth", metadata=metadata)
    assert page.status == 422
    assert part in page.text
    assert not rows(team.world, "connections")


def test_its_address_is_asked_with_care(team: Team, dana: Person) -> None:
    """Neither plain http elsewhere, nor something inside."""
    visitor = team.visitor(dana)
    for url in (
        "http://idp.acme.example/m",
        "ftp://x",
        "https://user@idp.example/",
        "http://localhost:1/none",
    ):
        visitor.open(f"{SSO}/saml")
        page = visitor.submit(f"{SSO}/saml", name="Shibboleth", metadata_url=url)
        assert page.status == 422, url


def test_newer_metadata_of_the_same_provider_alone(
    team: Team, dana: Person, idp: Idp, tmp_path: Path
) -> None:
    visitor = team.visitor(dana)
    add(visitor, idp)
    path = f"{SSO}/{to_text(rows(team.world, 'connections')[0].id)}/saml"
    visitor.open(path)
    other = Idp(tmp_path / "other", "https://other.example")
    page = visitor.submit(path, metadata=other.metadata())
    assert page.status == 422
    assert "another provider" in page.text
    visitor.open(path)
    newer = Idp(tmp_path / "newer", idp.entity_id)
    visitor.submit(path, metadata=newer.metadata(), email_attribute="work")
    assert kept(team) == [{**newer.provider.kept(), "subject_attribute": "", "email_attribute": "work"}]


def test_by_the_api(team: Team, dana: Person, idp: Idp) -> None:
    client = team.client(dana)
    added = client.post(f"{API}/saml", {"name": "Shibboleth", "metadata": idp.metadata(), "joins": True})
    assert added.status == 201, added.text
    assert added.json["issuer"] == idp.entity_id
    assert added.json["acs"] == added.json["entity_id"] + "/acs"
    one = f"{API}/{added.json['id']}/saml"
    assert client.get(one).json == added.json
    changed = client.ask("PUT", one, json_body={"email_attribute": "work"})
    assert changed.json == {**added.json, "email_attribute": "work"}
    assert client.post(f"{API}/{added.json['id']}/test").code == "conflict"
    assert client.post(f"{API}/saml", {"name": "Again", "metadata": idp.metadata()}).code == "conflict"
    assert client.post(f"{API}/saml", {"name": "x", "metadata": "y"}).json["errors"][0]["field"] == "metadata"
    team.world.wait(31 * MINUTE)
    assert client.ask("PUT", one, json_body={}).code == "step_up_required"
