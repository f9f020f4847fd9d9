"""PostgreSQL's engine: what is begun again, what is lost, and how it comes back."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from nightlatch.store import meta, migrate, postgres
from nightlatch.store.engine import Transaction, Unavailable
from tests.races.held import PATIENCE
from tests.races.notes import note, notes, read_note
from tests.support.postgres import Cluster, cluster
from tests.support.races import at_once
from tests.support.world import World


class Backends:
    """The server's side of a world's connections."""

    def __init__(self, world: World) -> None:
        self._url = world.url

    def end(self, pid: int) -> None:
        """End one, as an administrator does; it is gone when this returns."""
        with psycopg.connect(self._url, autocommit=True) as connection:
            assert connection.execute("SELECT pg_terminate_backend(%s, 60000)", (pid,)).fetchone() == (True,)

    def end_all(self) -> int:
        """End all of Nightlatch's, wherever they are; how many there were."""
        with psycopg.connect(self._url, autocommit=True) as connection:
            pids = connection.execute(
                "SELECT pid FROM pg_stat_activity"
                " WHERE application_name = 'nightlatch' AND datname = current_database()"
            ).fetchall()
        for (pid,) in pids:
            self.end(pid)
        return len(pids)


@pytest.fixture
def backends(postgres_world: World) -> Backends:
    return Backends(postgres_world)


def own_pid(tx: Transaction) -> int:
    return int(tx._execute("SELECT pg_backend_pid()", {}).fetchone()[0])


def add(tx: Transaction, name: str, letter: str) -> None:
    """One letter more, in one statement: nothing is read that somebody else may be changing."""
    values = {"name": name, "letter": letter}
    tx._execute("UPDATE meta SET value = value || %(letter)s WHERE name = %(name)s", values)


# --- what is begun again ---


def test_a_deadlock_is_begun_again_and_both_come_through(postgres_world: World) -> None:
    """PostgreSQL ends one of the two; nothing of it happened, so it simply runs again."""
    world = postgres_world
    world.write(note("a", "0"))
    world.write(note("b", "0"))
    both_hold_one = threading.Barrier(2, timeout=PATIENCE)
    begun: list[str] = []

    def body(first: str, second: str) -> Callable[[Transaction], str]:
        def run(tx: Transaction) -> str:
            begun.append(first)
            add(tx, first, first)
            if begun.count(first) == 1:
                both_hold_one.wait()
            add(tx, second, first)
            return first

        return run

    told = at_once(lambda: world.write(body("a", "b")), lambda: world.write(body("b", "a")))
    assert list(told) == ["a", "b"]
    assert len(begun) >= 3, "one of them ran again"
    assert sorted(read_note(world.store, "a") or "") == ["0", "a", "b"]
    assert sorted(read_note(world.store, "b") or "") == ["0", "a", "b"]


def test_a_serialisation_failure_is_begun_again(postgres_world: World) -> None:
    world = postgres_world
    world.write(note("a", "0"))
    world.write(note("b", "0"))
    both_have_read = threading.Barrier(2, timeout=PATIENCE)
    begun: list[str] = []

    def body(mine: str, other: str) -> Callable[[Transaction], str | None]:
        def run(tx: Transaction) -> str | None:
            tx._execute("SET TRANSACTION ISOLATION LEVEL SERIALIZABLE", {})
            begun.append(mine)
            read = meta.read(tx, other)
            if begun.count(mine) == 1:
                both_have_read.wait()
            meta.write(tx, mine, f"after {read}")
            return read

        return run

    told = at_once(lambda: world.write(body("a", "b")), lambda: world.write(body("b", "a")))
    assert len(begun) >= 3
    assert sorted(map(str, told)) == ["0", "after 0"], "one after the other"


def test_whoever_comes_second_to_a_new_row_sees_it(postgres_world: World) -> None:
    """Two that find nothing and write the same: the second runs again and finds it."""
    world = postgres_world
    both_found_nothing = threading.Barrier(2, timeout=PATIENCE)
    begun: list[int] = []

    def body(number: int) -> Callable[[Transaction], str]:
        def run(tx: Transaction) -> str:
            found = meta.read(tx, "new")
            begun.append(number)
            if begun.count(number) == 1:
                both_found_nothing.wait()
            if found is not None:
                return "found"
            values = {"name": "new", "value": str(number)}
            tx._execute("INSERT INTO meta (name, value) VALUES (%(name)s, %(value)s)", values)
            return "written"

        return run

    told = at_once(lambda: world.write(body(1)), lambda: world.write(body(2)))
    assert sorted(map(str, told)) == ["found", "written"]
    assert len(begun) == 3


def test_what_never_comes_through_is_given_up(postgres_world: World) -> None:
    """A bounded number of times; then 503, and nothing happened."""
    world, begun = postgres_world, 0

    def body(tx: Transaction) -> None:
        nonlocal begun
        begun += 1
        meta.write(tx, "undone", "there")
        tx._execute("INSERT INTO meta (name, value) VALUES ('twice', '1'), ('twice', '2')", {})

    with pytest.raises(Unavailable):
        world.write(body)
    assert begun == postgres.ATTEMPTS
    assert notes(world, "undone", "twice") == []
    assert world.write(note("after")) == "after"


def test_an_error_that_was_swallowed_is_no_success(postgres_world: World) -> None:
    """PostgreSQL answers such a COMMIT with ROLLBACK and no error: nobody is told that it was kept."""
    world = postgres_world

    def body(tx: Transaction) -> str:
        meta.write(tx, "lost", "there")
        with pytest.raises(psycopg.errors.UndefinedTable):
            tx._execute("SELECT * FROM nonsense", {})
        return "done"

    with pytest.raises(Unavailable):
        world.write(body)
    assert notes(world, "lost") == []
    assert world.write(note("after")) == "after"


# --- what is lost ---


def test_a_connection_that_is_lost_in_the_middle_is_503_and_the_next_one_works(
    postgres_world: World, backends: Backends
) -> None:
    world = postgres_world

    def body(tx: Transaction) -> None:
        meta.write(tx, "undone", "there")
        backends.end(own_pid(tx))
        meta.write(tx, "undone too", "there")

    with pytest.raises(Unavailable):
        world.write(body)
    assert notes(world, "undone", "undone too") == []
    assert world.write(note("after")) == "after"


def test_a_commit_that_never_arrived_is_no_success(postgres_world: World, backends: Backends) -> None:
    world = postgres_world

    def body(tx: Transaction) -> str:
        meta.write(tx, "undone", "there")
        backends.end(own_pid(tx))
        return "done"

    with pytest.raises(Unavailable):
        world.write(body)
    assert notes(world, "undone") == []
    assert world.write(note("after")) == "after"


async def test_connections_that_died_while_they_lay_idle_are_replaced(
    postgres_world: World, backends: Backends
) -> None:
    """The server was started again: no request pays for it, since nothing had been asked of them yet."""
    world = postgres_world
    world.write(note("before"))
    await world.store.write(note("and before"))
    assert backends.end_all() >= 2
    assert world.write(note("after")) == "after"
    assert await world.store.write(note("and after")) == "and after"
    assert backends.end_all() >= 2
    assert await world.store.read(lambda tx: meta.read(tx, "and after")) == "there"
    assert read_note(world.store, "after") == "there"


@pytest.fixture
def own_cluster() -> Iterator[Cluster]:
    """A cluster that may be stopped."""
    with cluster() as made:
        yield made


async def test_a_server_that_is_down_is_503_until_it_is_up(own_cluster: Cluster, tmp_path: Path) -> None:
    """Law 11: never a pass, and nothing to do but wait."""
    url = own_cluster.url(own_cluster.create())
    migrate.upgrade(url)
    world = World(url, tmp_path)
    try:
        world.write(note("before"))
        own_cluster.stop()
        for _ in range(2):
            with pytest.raises(Unavailable):
                world.write(note("undone"))
            with pytest.raises(Unavailable):
                read_note(world.store, "before")
            with pytest.raises(Unavailable):
                await world.store.read(lambda tx: meta.read(tx, "before"))
        own_cluster.start()
        assert await world.store.write(note("after")) == "after"
        assert notes(world, "before", "undone", "after") == ["before", "after"]
    finally:
        world.close()


def test_a_closed_store_says_so(postgres_world: World, backends: Backends) -> None:
    world = postgres_world
    world.write(note("before"))
    world.store.close()
    with pytest.raises(Unavailable):
        world.write(note("undone"))
    with pytest.raises(Unavailable):
        read_note(world.store, "before")
    assert backends.end_all() == 0, "every connection was let go of"
