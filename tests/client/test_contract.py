"""The plugin's stand-in and Nightlatch itself say the same to the same calls."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from nightlatch_client import Nightlatch, Person, Refused
from nightlatch_client.errors import SecretRefused
from tests.client.stand_in_server import SECRET
from tests.support.acme_notes import register
from tests.support.server import Serve

ADA = Person("ada", "ada@acme.dev", "Ada", "7", "Acme", "owner")
ORIGIN = "http://localhost:9"
STATE = "s" * 32
Connect = Callable[..., Nightlatch]


@pytest.fixture(scope="module")
def real(serve_module: Serve) -> tuple[str, str]:
    """Address and secret of a product at a running Nightlatch."""
    server = serve_module()
    return server.url, register(server, "Acme", ORIGIN)


@pytest.fixture(params=["stand-in", "nightlatch"])
def connect(request: pytest.FixtureRequest) -> Iterator[Connect]:
    """Connections to either."""
    made: list[Nightlatch] = []
    url, secret = (
        (request.getfixturevalue("server").url, SECRET)
        if request.param == "stand-in"
        else request.getfixturevalue("real")
    )

    def connect(secret: str = secret) -> Nightlatch:
        made.append(Nightlatch(url, app="acme", secret=secret, origin=ORIGIN, timeout=60))
        return made[-1]

    yield connect
    for nl in made:
        nl.close()


def test_checks(connect: Connect):
    nl, person = connect(), replace(ADA, id="checks", workspace="checks")
    allowed = nl.check(person)
    assert (allowed.decision, allowed.reason, allowed.start, allowed.state) == (
        "allow",
        "allowed",
        None,
        None,
    )
    assert allowed.proof.aal == 1
    opened = nl.check(person, open="team/authentication", state=STATE)
    assert (opened.decision, opened.state) == ("allow", STATE)
    assert opened.start is not None
    assert opened.start.startswith(f"{nl.settings.url}/app/start/")
    stale = nl.check(person, max_age=600)
    assert (stale.decision, stale.reason) == ("challenge", "freshness")
    assert stale.state is not None
    lately = replace(person, signed_in_at=datetime.now(UTC) - timedelta(minutes=5))  # noqa: TID251
    assert nl.check(lately, max_age=600).decision == "allow"
    assert nl.check(person, grant="x" * 43).decision == "allow"


def test_standing(connect: Connect):
    nl, person = connect(), replace(ADA, id="standing?#é", workspace="standing")
    unknown = nl.standing(person.id, person.workspace)
    assert (unknown.decision, unknown.reason, unknown.two_factor) == ("deny", "not_a_teammate", False)
    nl.check(person)
    known = nl.standing(person.id, person.workspace)
    assert (known.decision, known.reason, known.two_factor) == ("allow", "allowed", False)
    nl.gone(person.id)
    nl.gone("nobody")
    assert nl.standing(person.id, person.workspace).decision == "deny"


def test_lists(connect: Connect):
    nl = connect()
    people = [
        replace(ADA, id=f"p{number}", email=f"p{number}@acme.dev", workspace="lists") for number in range(10)
    ]
    dry = nl.replace_team("lists", "Acme", people, dry_run=True)
    assert (dry.added, dry.dry_run) == (10, True)
    assert nl.replace_team("lists", "Acme", people).added == 10
    changed = [replace(people[0], name="Other"), *people[1:]]
    again = nl.replace_team("lists", "Acme", changed)
    assert (again.added, again.changed, again.removed, again.unchanged) == (0, 1, 0, 9)
    with pytest.raises(Refused, match="confirm_required"):
        nl.replace_team("lists", "Acme", changed[:5])
    assert nl.replace_team("lists", "Acme", changed[:5], confirm=True).removed == 5


def test_grants(connect: Connect):
    nl = connect()
    with pytest.raises(Refused, match="not_found"):
        nl.redeem("x" * 43, STATE)
    nl.end("x" * 43)


def test_a_wrong_secret(connect: Connect):
    with pytest.raises(SecretRefused):
        connect("wrong").check(ADA)
