"""kill -9 in the middle of a burst of enrolments and sign-ins: nothing acknowledged is lost, nothing is half done.

Two hundred times on SQLite, and some on PostgreSQL, where the server dies and the database stays. A lean process is
killed here, which runs the real store and the real actions; the whole program is killed in test_durability_serve.py.
TEST_KILLS (in the environment) changes how often (an eighth of it on PostgreSQL).
"""

import multiprocessing
import random
import time
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from nightlatch.vocabulary import Credential
from tests.races import KILLS
from tests.races.arena import StillWorld
from tests.races.burst import burst
from tests.races.kills import check, gone_with_it, invite, told
from tests.races.ledger import Ledger, Said
from tests.support import databases
from tests.support.postgres import Cluster

pytestmark = [pytest.mark.race, pytest.mark.slow]
A_LIFE = 20
"""So many kills does one database live through."""
PEOPLE = 12
"""Invited before each burst: more than it gets round to."""


@pytest.fixture(scope="module")
def nursery() -> "multiprocessing.context.ForkServerContext":
    """Where the processes come from: a server that has everything imported, and forks."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.races.burst"])
    return context


class Killing:
    """One database, and the processes that are killed over it."""

    def __init__(
        self, nursery: "multiprocessing.context.ForkServerContext", world: StillWorld, seed: str
    ) -> None:
        self._nursery = nursery
        self._world = world
        self._chance = random.Random(seed)
        self._workspace = world.workspace("acme", owner=world.person("Dana"))
        world.require(self._workspace)
        self._invited = 0
        self.ledgers: list[Ledger] = []

    def round(self) -> None:
        """Burst, kill, open again, check."""
        invited = self._invite()
        self._world.store.close()
        ledger = self._burst(invited)
        self.ledgers.append(ledger)
        gone_with_it(self._world.url)
        self._world.reopen()
        self._world.read(partial(check, ledgers=[ledger]))

    def check_everything(self) -> None:
        """What was acknowledged before any of the kills."""
        self._world.read(partial(check, ledgers=self.ledgers))

    def _burst(self, invited: list[tuple[str, bytes]]) -> Ledger:
        ledger = Ledger(Credential.COOKIE)
        mine, theirs = self._nursery.Pipe(duplex=False)
        process = self._nursery.Process(target=burst, args=(theirs, self._world.place, invited))
        process.start()
        theirs.close()
        lines = self._chance.randrange(240)
        with mine:
            for said in said_until_the_end(mine):
                ledger.note(said)
                lines -= 1
                if lines < 0:
                    break
            time.sleep(self._chance.uniform(0, 0.01))  # whatever moment of the others this is
            process.kill()
            for said in said_until_the_end(mine):
                ledger.note(said)
        process.join()
        process.close()
        return ledger

    def _invite(self) -> list[tuple[str, bytes]]:
        emails = [f"p{self._invited + number}@example.com" for number in range(PEOPLE)]
        self._invited += PEOPLE
        made = invite(self._world.store, self._workspace, emails)
        return [(email, token.hash) for email, token in made]


def said_until_the_end(end: Connection) -> Iterator[Said]:
    """What the process says; it ends with it, or when it has nothing more to say."""
    try:
        while (said := end.recv()) is not None:
            yield said
    except EOFError:
        return


def lives(kills: int) -> list[int]:
    """Databases, each with so many kills."""
    return [A_LIFE] * (kills // A_LIFE) + [kills % A_LIFE] * (kills % A_LIFE > 0)


def test_sqlite_survives_its_server(
    nursery: "multiprocessing.context.ForkServerContext", sqlite_template: Path, tmp_path: Path
) -> None:
    ledgers: list[Ledger] = []
    for number, kills in enumerate(lives(KILLS)):
        folder = tmp_path / str(number)
        folder.mkdir()
        with closing(StillWorld(databases.sqlite_copy(sqlite_template, folder), folder)) as world:
            killing = Killing(nursery, world, f"sqlite {number}")
            for _ in range(kills):
                killing.round()
            killing.check_everything()
            ledgers += killing.ledgers
    acknowledged, waiting = told(ledgers)
    assert len(ledgers) == KILLS
    assert acknowledged > KILLS
    assert waiting > KILLS, "hardly anybody was in the middle of something"


def test_postgresql_survives_the_server(
    nursery: "multiprocessing.context.ForkServerContext",
    cluster: Cluster,
    postgres_template: str,
    tmp_path: Path,
) -> None:
    """A dead worker's transactions end with its connections: whole, or not at all."""
    kills = max(3, KILLS // 8)
    with (
        databases.postgres_copy(cluster, postgres_template) as url,
        closing(StillWorld(url, tmp_path)) as world,
    ):
        killing = Killing(nursery, world, "postgresql")
        for _ in range(kills):
            killing.round()
        killing.check_everything()
    acknowledged, waiting = told(killing.ledgers)
    assert acknowledged > kills
    assert waiting > kills
