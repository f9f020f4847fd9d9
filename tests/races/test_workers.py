"""Laws 4 and 5 over HTTP, with two workers of the real program: one right code, wrong guesses, one invitation."""

import json
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import pytest

from nightlatch import wiring
from nightlatch.actions import workspaces
from nightlatch.actions.by import operator
from nightlatch.addresses import parse
from nightlatch.authenticators import totp
from nightlatch.clock import Clock
from nightlatch.config import Config
from tests.races.clients import Client, Connection
from tests.races.kills import invite
from tests.support.server import Serve, Server
from tests.support.world import PASSWORD

pytestmark = [pytest.mark.race, pytest.mark.slow]
CONNECTIONS = 16


@dataclass(frozen=True)
class Request:
    """One POST to the API."""

    path: str
    body: dict[str, str]
    token: str | None = None


class Site:
    """A running server with people who were invited."""

    def __init__(self, server: Server, people: Sequence[str]) -> None:
        self.server = server
        with closing(wiring.build(Config.from_environment(server.environment))) as house:
            acme = house.store.write_now(
                lambda tx: workspaces.create(
                    tx, by=operator("test"), name="Acme", slug="acme", owner=parse("dana@example.com")
                )
            )
            emails = [f"{name}@example.com" for name in people]
            made = invite(house.store, acme.workspace_id, emails)
        self.invitations = {email: token.text for email, token in made}

    def enrolled(self, name: str) -> bytes:
        """Let somebody come in and enrol; the seed of their app."""
        email = f"{name}@example.com"
        with closing(Client(self.server, email, lambda said: None)) as client:
            client.come_in(self.invitations[email])
            client.enrol()
            return client.seed

    def sign_ins(self, name: str, number: int) -> list[str]:
        """Sessions that have shown the password; their tokens."""
        body = {"email": f"{name}@example.com", "password": PASSWORD}
        answers = self.all_at_once([Request("/sign-in/password", body)] * number)
        return [answer["token"] for _, answer in answers]

    def all_at_once(self, requests: Sequence[Request]) -> list[tuple[int, Any]]:
        """Ask over several connections, which the workers share; status and body of each."""
        shares = [requests[number::CONNECTIONS] for number in range(CONNECTIONS)]
        with ThreadPoolExecutor(CONNECTIONS) as pool:
            return [answer for answers in pool.map(self._ask, shares) for answer in answers]

    def _ask(self, requests: Sequence[Request]) -> list[tuple[int, Any]]:
        answers = []
        with closing(Connection(self.server)) as connection:
            for each in requests:
                headers = {"Host": f"localhost:{self.server.port}", "Content-Type": "application/json"}
                if each.token is not None:
                    headers["Authorization"] = f"Bearer {each.token}"
                connection.request("POST", f"/api/v1{each.path}", json.dumps(each.body), headers)
                answer = connection.getresponse()
                answers.append((answer.status, json.loads(answer.read())))
        return answers


@pytest.fixture(params=["sqlite", "postgresql"])
def site(request: pytest.FixtureRequest, serve: Serve) -> Iterator[Site]:
    """Two workers on one SQLite file, or on one PostgreSQL database."""
    environment = {"NIGHTLATCH_WORKERS": "2"}
    if request.param == "postgresql":
        environment["NIGHTLATCH_DATABASE_URL"] = request.getfixturevalue("postgres_url")
    server = serve(environment=environment)
    yield Site(server, ["ana", "ben", "eve"])
    assert server.stop() == 0


def test_laws_4_and_5_over_http(site: Site) -> None:
    seed, clock = site.enrolled("ana"), Clock()
    tokens = site.sign_ins("ana", 10)
    code = totp.code_at(seed, totp.step_at(clock.now()) + 1)
    told = site.all_at_once(
        [Request("/sign-in/totp", {"code": code}, tokens[each % 10]) for each in range(50)]
    )
    statuses = Counter(status for status, _ in told)
    assert statuses[200] == 1
    assert statuses.keys() <= {200, 401, 429}

    seed = site.enrolled("ben")
    tokens = site.sign_ins("ben", 10)
    near = {totp.code_at(seed, totp.step_at(clock.now()) + steps) for steps in range(-30, 31)}
    bad = next(text for text in map("{:06d}".format, range(1000)) if text not in near)
    begun = time.monotonic()
    told = site.all_at_once(
        [Request("/sign-in/totp", {"code": bad}, tokens[each % 10]) for each in range(200)]
    )
    later = int(
        (time.monotonic() - begun) // 30
    )  # on the slowest machine somebody may have waited long enough
    codes = Counter(answer["code"] for _, answer in told)
    assert codes.keys() == {"wrong_code", "too_many_attempts"}
    assert 5 <= codes["wrong_code"] <= 5 + later

    body = {"token": site.invitations["eve@example.com"], "name": "Eve", "password": PASSWORD}
    told = site.all_at_once([Request("/invitations/accept", body)] * 20)
    assert Counter(status for status, _ in told) == {201: 1, 409: 19}
