"""kill -9 to `nightlatch serve`, supervisor and workers at once, in the middle of a burst over the JSON API.

Nothing acknowledged is lost, nothing is half done, the server starts again by itself, and every mail leaves in the end.
"""

import email
import random
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest

from nightlatch import wiring
from nightlatch.actions import workspaces
from nightlatch.actions.by import operator
from nightlatch.addresses import parse
from nightlatch.config import Config
from nightlatch.store.query import Row
from nightlatch.vocabulary import Credential
from tests.races import KILLS
from tests.races.clients import Crowd
from tests.races.held import PATIENCE
from tests.races.kills import check, gone_with_it, invite, told
from tests.races.ledger import Ledger, Said
from tests.races.snapshot import Snapshot
from tests.support.clockfile import ClockFile
from tests.support.server import Serve, Server

pytestmark = [pytest.mark.race, pytest.mark.slow]
PEOPLE = 12
"""Invited before each burst: more than it gets round to."""
A_LEASE = 6 * 60
"""Seconds after which the mail that a dead server had in hand is anybody's again."""


class Killing:
    """One server that is started and killed again and again."""

    def __init__(self, server: Server, seed: str) -> None:
        self._server = server
        self._chance = random.Random(seed)
        self._invited = 0
        self.ledgers: list[Ledger] = []
        with self._house() as house:
            self._workspace = house.store.write_now(
                lambda tx: workspaces.create(
                    tx, by=operator("test"), name="Acme", slug="acme", owner=parse("dana@example.com")
                )
            ).workspace_id

    def round(self) -> None:
        """Start, burst, kill, open again, check."""
        with self._house() as house:
            emails = [f"p{self._invited + number}@example.com" for number in range(PEOPLE)]
            invited = invite(house.store, self._workspace, emails)
            self._invited += PEOPLE
        ledger = Ledger(Credential.BEARER)
        self.ledgers.append(ledger)
        self._server.start()
        self._burst([(each, token.text) for each, token in invited], ledger)
        gone_with_it(Config.from_environment(self._server.environment).database_url)
        with self._house() as house:
            house.store.read_now(partial(check, ledgers=[ledger]))

    def check_everything(self) -> None:
        """What was acknowledged before any of the kills."""
        with self._house() as house:
            house.store.read_now(partial(check, ledgers=self.ledgers))

    def mails(self) -> list[Row]:
        """The outbox."""
        with self._house() as house:
            return house.store.read_now(Snapshot)["outbox"]

    def _burst(self, invited: list[tuple[str, str]], ledger: Ledger) -> None:
        enough = threading.Event()
        left = self._chance.randrange(1, 60)

        def say(said: Said) -> None:
            nonlocal left
            ledger.note(said)
            left -= 1
            if left <= 0:
                enough.set()

        crowd = Crowd(self._server, invited, say)
        begun = enough.wait(PATIENCE)
        time.sleep(self._chance.uniform(0, 0.05))  # whatever moment of the others this is
        self._server.kill9()
        crowd.join()
        assert begun

    @contextmanager
    def _house(self) -> Iterator[wiring.House]:
        """The house, opened as the server opens it."""
        house = wiring.build(Config.from_environment(self._server.environment))
        try:
            yield house
        finally:
            house.close()


def test_the_program_on_sqlite(serve: Serve, clock_file: ClockFile) -> None:
    server = serve(start=False, environment=clock_file.environment)
    killing = Killing(server, "serve on sqlite")
    kills = max(3, KILLS // 10)
    for _ in range(kills):
        killing.round()
    killing.check_everything()
    acknowledged, waiting = told(killing.ledgers)
    assert acknowledged > kills
    assert waiting > kills
    every_mail_leaves(server, killing, clock_file)


def test_two_workers_on_postgresql(serve: Serve, postgres_url: str) -> None:
    server = serve(start=False, database_url=postgres_url, workers="2")
    killing = Killing(server, "serve on postgresql")
    kills = max(3, KILLS // 40)
    for _ in range(kills):
        killing.round()
    killing.check_everything()
    acknowledged, waiting = told(killing.ledgers)
    assert acknowledged > kills
    assert waiting > kills


def every_mail_leaves(server: Server, killing: Killing, clock: ClockFile) -> None:
    """At least once, whatever the killed ones had in hand; a mail that left twice has one Message-ID (law 6)."""
    server.start()
    clock.advance(A_LEASE)
    deadline = time.monotonic() + PATIENCE
    while any(row.next_at is not None for row in killing.mails()):
        assert time.monotonic() < deadline, "mail is still waiting"
        time.sleep(0.2)
    rows = killing.mails()
    assert server.stop() == 0
    assert all(row.sent_at is not None for row in rows)
    assert {f"<{row.message_id}>" for row in rows} == {
        str(email.message_from_bytes(path.read_bytes())["Message-ID"])
        for path in Path(server.environment["NIGHTLATCH_DATA"]).rglob("*.eml")
    }
