"""A PostgreSQL server or role that does not wait for the disk: our connections do, and doctor tells."""

from pathlib import Path

import pytest

from nightlatch.store import durability
from nightlatch.store.engine import Transaction
from nightlatch.wiring import open_store
from tests.support.world import World


@pytest.fixture
def postgres(postgres_url: str, tmp_path: Path) -> World:
    return World(postgres_url, tmp_path)


def synchronous_commit(tx: Transaction) -> str:
    return str(tx._execute("SHOW synchronous_commit", {}).fetchone()[0])


def say(world: World, value: str) -> None:
    """What this database says to every new connection."""
    name = world.url.rpartition("/")[2]
    assert name.isidentifier()
    world.write(lambda tx: tx._execute(f'ALTER DATABASE "{name}" SET synchronous_commit = {value}', {}))


@pytest.mark.parametrize(
    "said, ours", [("off", "on"), ("on", "on"), ("local", "local"), ("remote_apply", "remote_apply")]
)
def test_every_connection_waits_for_the_disk(postgres: World, said: str, ours: str) -> None:
    """And one that is told to wait for more than that does."""
    say(postgres, said)
    store = open_store(postgres.url, postgres.clock, postgres.keys)
    try:
        assert store.write_now(synchronous_commit) == ours
        assert store.read_now(synchronous_commit) == ours
        off = store.read_now(durability.switched_off)
        assert ("synchronous_commit" in off) is (said == "off")
        assert "synchronous_commit" not in store.read_now(durability.lost)
    finally:
        store.close()
    postgres.close()


def test_a_server_that_never_asks_the_disk_is_told_apart(postgres: World) -> None:
    """The cluster of the tests is such a one; see tests/support/postgres.py."""
    assert postgres.read(durability.lost) == ("fsync", "full_page_writes")
    postgres.close()


def test_sqlite_always_waits(sqlite_url: str, tmp_path: Path) -> None:
    world = World(sqlite_url, tmp_path)
    assert world.read(durability.switched_off) == ()
    world.close()
