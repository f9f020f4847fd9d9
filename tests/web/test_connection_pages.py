"""The pages of a connection that an admin reads: what a test of it brought, and how it is removed."""

import re
from collections.abc import Iterator
from html import unescape

import pytest

from nightlatch.ids import from_text, to_text
from nightlatch.instants import SECOND
from nightlatch.store import connections
from tests.support.provider import SECRET, Provider, running
from tests.support.signing_on import a_connection, connected
from tests.support.visitor import Page, Visitor
from tests.support.world import Person
from tests.web.team import Team


@pytest.fixture
def provider(team: Team) -> Iterator[Provider]:
    with running(lambda: team.world.clock.now() // SECOND) as found:
        yield found


@pytest.fixture
def dana(team: Team) -> Person:
    return team.person("Dana")


@pytest.fixture
def path(team: Team, provider: Provider, dana: Person) -> str:
    """Of the page of a connection that is ready, in Acme, which Dana owns."""
    acme = team.world.workspace("acme", owner=dana)
    id = a_connection(team.world, acme, issuer=provider.issuer, name="Okta")
    team.world.write(lambda tx: connections.set_secret(tx, id, SECRET))
    return f"/w/acme/settings/team/authentication/sso/{to_text(id)}"


def report_of(browser: Visitor, provider: Provider, path: str) -> Page:
    """There and back, to the report."""
    browser.open(path)
    page = browser.submit(f"{path}/test")
    found = re.search(r'http-equiv="refresh" content="0; url=([^"]+)"', page.got.text)
    assert found is not None, page.text
    return browser.open(provider.authorize(unescape(found[1])))


def test_a_report_does_not_call_it_working_where_the_person_is_turned_away(
    team: Team, provider: Provider, dana: Person, path: str
) -> None:
    browser = team.visitor(dana)
    page = report_of(browser, provider, path)
    assert "The sign-in works, but does not let this person in" in page.text
    assert "the provider told no e-mail address" in page.text
    assert "It works" not in page.text
    connected(team.world, dana, from_text(path.rpartition("/")[2]) or 0, "u-1")
    page = report_of(browser, provider, path)
    assert "It works" in page.text
    assert "Dana would have been signed in." in page.text


def test_a_report_shows_what_was_told_as_the_provider_wrote_it(
    team: Team, provider: Provider, dana: Person, path: str
) -> None:
    provider.person = {
        "sub": "u-1",
        "email": "dana@corp.example",
        "email_verified": True,
        "amr": ["pwd", "mfa"],
    }
    page = report_of(team.visitor(dana), provider, path)
    assert 'amr ["pwd", "mfa"]' in page.text
    assert "email_verified true" in page.text
    assert "email dana@corp.example" in page.text


def test_the_way_to_remove_it_says_what_goes(team: Team, dana: Person, path: str) -> None:
    browser = team.visitor(dana)
    page = browser.open(path)
    page = browser.open(page.read.links["Remove this connection"])
    assert (page.heading, page.read.links["Keep it"]) == ("Remove Okta?", path)
    page = browser.submit(f"{path}/remove")
    assert page.path == f"{path.rpartition('/')[0]}?said=connection-removed"
    assert browser.open(path).status == 404
