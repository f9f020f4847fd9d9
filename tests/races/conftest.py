"""The fixtures of races. Each test that takes `arena` runs in four of them."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.races.arena import Arena, Pair, Processes, StillWorld, Threads
from tests.support.world import World


@pytest.fixture(scope="session")
def pair() -> Iterator[Pair]:
    """Two worker processes."""
    made = Pair()
    yield made
    made.close()


@pytest.fixture(
    params=["sqlite-threads", "postgresql-threads", "sqlite-processes", "postgresql-processes"],
)
def arena(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Arena]:
    """A world, raced in by threads on one store, or by two processes with a store each, on SQLite or PostgreSQL."""
    database, way = request.param.split("-")
    url = request.getfixturevalue({"sqlite": "sqlite_url", "postgresql": "postgres_url"}[database])
    world = StillWorld(url, tmp_path)
    made: Arena = Threads(world) if way == "threads" else Processes(world, request.getfixturevalue("pair"))
    yield made
    made.close()


@pytest.fixture
def sqlite_world(sqlite_url: str, tmp_path: Path) -> Iterator[World]:
    """A world on SQLite."""
    made = World(sqlite_url, tmp_path)
    yield made
    made.close()


@pytest.fixture
def postgres_world(postgres_url: str, tmp_path: Path) -> Iterator[World]:
    """A world on PostgreSQL."""
    made = World(postgres_url, tmp_path)
    yield made
    made.close()
