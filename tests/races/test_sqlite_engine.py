"""SQLite's engine: one commit for many, and a writer that outlives a full disk, a lost transaction and its waiters."""

import asyncio
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pysqlite3
import pytest
from sqlalchemy import select

from nightlatch.store import migrate, sqlite, sqlite_writer
from nightlatch.store.engine import SEQUENCE_BLOCK, Transaction, Unavailable
from nightlatch.store.query import Query
from nightlatch.store.schema import sequences
from tests.races import beside
from tests.races.held import held
from tests.races.notes import note, notes, read_note
from tests.races.others import another
from tests.races.wal import commits
from tests.support.world import World

Outcome = tuple[Any, BaseException | None]


def file_of(world: World) -> Path:
    return migrate.sqlite_path(world.url)


def in_one_batch(world: World, *bodies: Callable[[Transaction], Any]) -> list[Outcome]:
    """What became of each, when all were waiting for the writer at once."""
    told: dict[int, Outcome] = {}

    def settle(number: int) -> sqlite_writer.Settle:
        return lambda result, error: told.update({number: (result, error)})

    with held(world.store):
        for number, body in enumerate(bodies):
            world.store._writer.submit(body, settle(number))  # type: ignore[attr-defined]
    world.write(lambda tx: None)  # whatever was queued before has been answered
    return [told[number] for number in range(len(bodies))]


def raw(statement: str) -> Callable[[Transaction], None]:
    """A body that runs one statement."""

    def body(tx: Transaction) -> None:
        tx._execute(statement, {})

    return body


# --- group commit ---


def test_a_hundred_that_wait_are_one_commit(sqlite_world: World) -> None:
    """One fsync for all of them, and nobody is answered before it."""
    world = sqlite_world
    world.write(note("before"))
    before = commits(file_of(world))
    names = [f"note {number}" for number in range(100)]
    told = in_one_batch(world, *map(note, names))
    assert told == [(name, None) for name in names]
    assert commits(file_of(world)) == before + 1, "the bodies that only wait write nothing"
    assert notes(world, *names) == names


def test_nobody_is_answered_before_the_commit(sqlite_world: World) -> None:
    """Whoever is told, alone or in a batch, finds what was written by another connection, in that very moment."""
    world, found = sqlite_world, list[list[str]]()
    names = ["alone", "first", "second", "third"]
    connection = sqlite.connect(str(file_of(world)), read_only=True)

    def settle(result: Any, error: BaseException | None) -> None:
        found.append([name for name in names if is_there(connection, name)])

    with closing(connection):
        submit = world.store._writer.submit  # type: ignore[attr-defined]
        submit(note("alone"), settle)
        with held(world.store):
            for name in names[1:]:
                submit(note(name), settle)
        world.write(lambda tx: None)
    assert found == [["alone"], names, names, names]


def is_there(connection: Any, name: str) -> bool:
    """Whether another connection sees a note."""
    return connection.execute("SELECT 1 FROM meta WHERE name = ?", (name,)).fetchone() is not None


def test_a_batch_has_its_bound(sqlite_world: World) -> None:
    world = sqlite_world
    world.write(note("before"))
    before = commits(file_of(world))
    names = [f"note {number}" for number in range(2 * sqlite_writer.BATCH)]
    told = in_one_batch(world, *map(note, names))
    assert all(error is None for _, error in told)
    assert commits(file_of(world)) == before + 2


async def test_requests_that_come_together_are_committed_together(sqlite_world: World) -> None:
    world = sqlite_world
    world.write(note("before"))
    before = commits(file_of(world))
    with held(world.store):
        waiting = [asyncio.ensure_future(world.store.write(note(f"note {number}"))) for number in range(50)]
        await asyncio.sleep(0)
        await asyncio.sleep(0)  # what one round of the loop asked is handed over in the next
    await asyncio.gather(*waiting)
    assert commits(file_of(world)) == before + 1


def test_a_commit_is_on_the_disk_before_it_is_answered(sqlite_world: World) -> None:
    """`synchronous` FULL (2) and a write-ahead log, on the connection that writes."""
    assert sqlite_world.write(lambda tx: tx._execute("PRAGMA synchronous", {}).fetchone()) == (2,)
    assert sqlite_world.write(lambda tx: tx._execute("PRAGMA journal_mode", {}).fetchone()) == ("wal",)


# --- what goes wrong ---


def test_one_body_that_fails_in_a_batch_fails_alone(sqlite_world: World) -> None:
    world = sqlite_world
    twice = "INSERT INTO meta (name, value) VALUES ('twice', '1'), ('twice', '2')"
    told = in_one_batch(world, note("first"), raw(twice), raw("SELECT nonsense"), note("last"))
    assert told[0] == ("first", None)
    assert isinstance(told[1][1], pysqlite3.IntegrityError)
    assert isinstance(told[2][1], Unavailable)
    assert told[3] == ("last", None)
    assert notes(world, "first", "twice", "last") == ["first", "last"]


def test_no_number_is_given_twice_in_a_batch(sqlite_world: World) -> None:
    """One that is undone undoes its taking, too."""
    given: list[list[int]] = []

    def take(tx: Transaction) -> None:
        given.append([tx.next_sequence() for _ in range(3)])

    def take_and_fail(tx: Transaction) -> None:
        tx.next_sequence()
        raise ValueError

    def take_many(tx: Transaction) -> None:
        given.append([tx.next_sequence() for _ in range(SEQUENCE_BLOCK["sqlite"])])

    in_one_batch(sqlite_world, take_and_fail, take, take, take_and_fail, take, take_many, take_and_fail, take)
    sqlite_world.write(take)
    numbers = [number for each in given for number in each]
    assert numbers == sorted(set(numbers))
    assert len(numbers) == 15 + SEQUENCE_BLOCK["sqlite"]
    (row,) = sqlite_world.read(lambda tx: tx.all(Query(select(sequences.c.value))))
    assert row.value + SEQUENCE_BLOCK["sqlite"] > numbers[-1]


def test_a_transaction_that_is_lost_fails_the_whole_batch(sqlite_world: World) -> None:
    """An error may take the whole transaction with it; then nobody is told success, those before it neither."""
    world = sqlite_world
    world.write(
        raw(
            "CREATE TRIGGER broken BEFORE INSERT ON links"
            " BEGIN SELECT RAISE(ROLLBACK, 'broken on purpose'); END"
        )
    )
    lose = raw(
        "INSERT INTO links (id, token_hash, purpose, created_at, expires_at) VALUES (1, x'00', '', 0, 0)"
    )
    told = in_one_batch(world, note("first"), note("second"), lose, note("last"))
    errors = [error for _, error in told]
    assert all(isinstance(error, Unavailable) for error in errors)
    assert len({id(error) for error in errors}) == 4, "each has an exception of their own"
    assert notes(world, "first", "second", "last") == []
    assert world.write(note("after")) == "after"


def test_a_database_that_may_not_grow_keeps_what_it_promised(sqlite_world: World) -> None:
    """SQLITE_FULL in the middle of a batch: whoever was told success is there, whoever was not is not."""
    world = sqlite_world
    pages = world.write(lambda tx: tx._execute("PRAGMA page_count", {}).fetchone())[0]
    world.write(raw(f"PRAGMA max_page_count = {pages + 3}"))
    names = [f"note {number}" for number in range(12)]
    told = in_one_batch(world, *[note(name, "x" * 6000) for name in names])
    kept = [name for name, (_, error) in zip(names, told, strict=True) if error is None]
    assert len(kept) < len(names)
    assert all(error is None or isinstance(error, Unavailable) for _, error in told)
    assert notes(world, *names) == kept
    world.write(raw("PRAGMA max_page_count = 1073741823"))
    assert world.write(note("after", "x" * 60_000)) == "after"


def test_a_full_disk_fails_the_batch_and_not_the_writer(sqlite_url: str, tmp_path: Path) -> None:
    """No file may grow by a byte (RLIMIT_FSIZE) as the commit is written: 503 to all, and then it goes on."""
    with another(beside.fill_the_disk, sqlite_url) as other:
        errors, kept, after = other.hear()
    assert errors == ["Unavailable"] * 20
    assert kept == []
    assert after == "after"
    world = World(sqlite_url, tmp_path)
    try:
        assert notes(world, "before", "after", *[f"note {number}" for number in range(20)]) == [
            "before",
            "after",
        ]
        assert world.read(lambda tx: tx._execute("PRAGMA integrity_check", {}).fetchall()) == [("ok",)]
    finally:
        world.close()


def test_a_connection_that_cannot_be_opened_is_tried_again(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No more file descriptors, a folder that went away for a moment: 503 until it is there again."""
    connect, gone = sqlite.connect, [True]

    def connect_or_fail(path: str, *, read_only: bool = False, mapped: bool = False) -> Any:
        if gone and not read_only:
            raise pysqlite3.OperationalError("unable to open database file")
        return connect(path, read_only=read_only, mapped=mapped)

    monkeypatch.setattr(sqlite, "connect", connect_or_fail)
    with closing(beside.opened(sqlite_url)) as store:
        for _ in range(3):
            with pytest.raises(Unavailable):
                store.write_now(note("note"))
        gone.clear()
        assert store.write_now(note("after")) == "after"
        assert read_note(store, "note") is None


def test_a_closed_store_says_so(sqlite_world: World) -> None:
    sqlite_world.store.close()
    with pytest.raises(Unavailable):
        sqlite_world.write(note("note"))
    with pytest.raises(Unavailable):
        read_note(sqlite_world.store, "note")
    sqlite_world.store.close()
    assert not Path(f"{file_of(sqlite_world)}-wal").exists(), "every connection was let go of"


# --- several processes ---


def test_a_reader_in_another_process_stands_in_nobodys_way(sqlite_world: World) -> None:
    """It holds its moment while the writer goes on, over a checkpoint and more."""
    world = sqlite_world
    world.write(note("note", "old"))
    with another(beside.read_slowly, world.url) as other:
        assert other.hear() == "old"
        for number in range(1500):
            world.write(note("note", f"new {number}"))
        other.tell("read again")
        assert other.hear() == "old"
        assert other.hear() == "new 1499"


def test_two_processes_take_turns(sqlite_world: World) -> None:
    """Neither gets a second turn while the other waits for one; SQLite's own waiting lets one starve."""
    world = sqlite_world
    with another(beside.take_turns, world.url, "a") as a, another(beside.take_turns, world.url, "b") as b:
        with held(world.store):
            a.tell(("b", b.pid))
            b.tell(("a", a.pid))
            assert (a.hear(), b.hear()) == ("queued", "queued")
        assert (a.hear(), b.hear()) == ("written", "written")
    turns = read_note(world.store, "turns")
    assert turns in ("ab" * beside.TURNS, "ba" * beside.TURNS)
