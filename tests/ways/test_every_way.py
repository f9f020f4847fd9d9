"""Every way in asks the same question: each door, in each state of the person, under each policy and rule.

The table is written by hand and is what we mean; it is gone through on a real database by the real routes. Ana comes in
once, while nothing is required; then the policy changes under her, and the very next request is answered by it.

A door is how she came: what the provider told stands behind its name, what she showed here after a plus. The words:
*open*; *code*: show the second step; *set up*: set up 2FA, or a passkey, first; *first*: come by another first factor;
*gone*: nothing of hers. `rule` is what the connection takes a sign-in for: ask, accept (the listed `mfa`, and `phr` as
phishing-resistant), exempt.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from nightlatch.instants import SECOND
from tests.support.provider import running
from tests.support.saml_idp import Idp
from tests.support.ways import Ways
from tests.support.world import World

POLICIES = ("off", "soon", "on", "passkeys", "sso")
TABLE = """
door              | person  | rule   | off    | soon   | on     | passkeys | sso
password          | nothing | ask    | open   | open   | set up | set up   | first
password          | app     | ask    | code   | code   | code   | code     | first
password          | lost    | ask    | code   | code   | code   | code     | first
password          | passkey | ask    | code   | code   | code   | code     | first
password          | reset   | ask    | open   | open   | set up | set up   | first
password + code   | app     | ask    | open   | open   | open   | set up   | first
password + code   | removed | ask    | gone   | gone   | gone   | gone     | gone
password + touch  | passkey | ask    | open   | open   | open   | open     | first
passkey           | passkey | ask    | open   | open   | open   | open     | first
oidc              | nothing | ask    | open   | open   | set up | set up   | open
oidc mfa          | nothing | ask    | open   | open   | set up | set up   | open
oidc phr          | nothing | ask    | open   | open   | set up | set up   | open
oidc              | nothing | accept | open   | open   | set up | set up   | open
oidc mfa          | nothing | accept | open   | open   | open   | set up   | open
oidc phr          | nothing | accept | open   | open   | open   | open     | open
oidc              | nothing | exempt | open   | open   | open   | open     | open
oidc              | app     | ask    | code   | code   | code   | code     | code
oidc mfa          | app     | ask    | code   | code   | code   | code     | code
oidc mfa          | app     | accept | open   | open   | open   | set up   | open
oidc              | app     | exempt | code   | code   | code   | code     | code
oidc + code       | app     | ask    | open   | open   | open   | set up   | open
oidc mfa          | passkey | accept | open   | open   | open   | code     | open
oidc              | reset   | ask    | open   | open   | set up | set up   | open
oidc mfa          | removed | accept | gone   | gone   | gone   | gone     | gone
saml              | nothing | ask    | open   | open   | set up | set up   | open
saml mfa          | nothing | ask    | open   | open   | set up | set up   | open
saml mfa          | nothing | accept | open   | open   | open   | set up   | open
saml phr          | nothing | accept | open   | open   | open   | open     | open
saml              | nothing | exempt | open   | open   | open   | open     | open
saml              | app     | ask    | code   | code   | code   | code     | code
saml mfa          | app     | accept | open   | open   | open   | set up   | open
saml + code       | app     | ask    | open   | open   | open   | set up   | open
saml              | reset   | ask    | open   | open   | set up | set up   | open
token             | nothing | ask    | open   | open   | set up | set up   | open
token             | app     | ask    | open   | open   | open   | set up   | open
token             | lost    | ask    | no     | no     | no     | set up   | no
token             | passkey | ask    | open   | open   | open   | open     | open
token             | removed | ask    | gone   | gone   | gone   | gone     | gone
machine           | nothing | ask    | open   | open   | open   | open     | open
product           | nothing | ask    | open   | open   | set up | set up   | -
product           | app     | ask    | code   | code   | code   | code     | -
product           | lost    | ask    | code   | code   | code   | code     | -
proxy             | nothing | ask    | open   | open   | set up | set up   | first
proxy + code      | app     | ask    | open   | open   | open   | set up   | first
"""
ROWS = [[cell.strip() for cell in line.split("|")] for line in TABLE.strip().splitlines()[1:]]


@pytest.fixture(scope="module")
def idp(tmp_path_factory: pytest.TempPathFactory) -> Idp:
    return Idp(tmp_path_factory.mktemp("idp"))


@pytest.fixture
def ways(sqlite_url: str, tmp_path: Path, idp: Idp) -> Iterator[Ways]:
    world = World(sqlite_url, tmp_path)
    with running(lambda: world.clock.now() // SECOND) as provider:
        yield Ways(world, provider, idp)
    world.close()


@pytest.mark.parametrize("row", ROWS, ids=[" ".join(row[:3]) for row in ROWS])
def test_every_way(ways: Ways, row: list[str]) -> None:
    door, person, rule, *wanted = row
    ways.state(person)
    ways.rule(rule)
    ask = ways.come(door)
    if person == "removed":
        ways.remove()
    said = []
    for policy, want in zip(POLICIES, wanted, strict=True):
        if want != "-":
            ways.policy(policy, ways.theirs if door == "product" else None)
        said.append("-" if want == "-" else ask())
    assert dict(zip(POLICIES, said, strict=True)) == dict(zip(POLICIES, wanted, strict=True))


def test_the_table_has_every_door_and_state() -> None:
    doors = {row[0].split(" ")[0] for row in ROWS}
    assert doors == {"password", "passkey", "oidc", "saml", "token", "machine", "product", "proxy"}
    assert {row[1] for row in ROWS} == {"nothing", "app", "lost", "passkey", "reset", "removed"}
    assert {row[2] for row in ROWS} == {"ask", "accept", "exempt"}
