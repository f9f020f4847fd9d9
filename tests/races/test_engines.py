"""What both engines promise: transactions that are whole, answers that are durable, reads of one moment."""

import asyncio
import threading
from typing import Any

import pytest

from nightlatch.actions import second_step
from nightlatch.actions.proving import Wrong
from nightlatch.actions.tokens import new_token
from nightlatch.refusals import Code, Refused
from nightlatch.store import guesses, meta
from nightlatch.store.engine import Transaction, Unavailable
from nightlatch.vocabulary import Method
from tests.races import setting
from tests.races.held import PATIENCE
from tests.races.notes import note, notes, read_note
from tests.support.races import at_once
from tests.support.world import World

_in_flight: list[Any] = []
"""Tasks of loops that are closed: kept, so that none is found lost in another test."""


def refused(tx: Transaction) -> None:
    """Write, then refuse."""
    meta.write(tx, "refused", "there")
    raise Refused(Code.CONFLICT, "No.")


def test_an_exception_undoes_its_body_alone_and_a_returned_refusal_keeps_its_trace(world: World) -> None:
    """Design section 4, "sync core": un-charging a guess by raising was 200 of 200 judged."""
    ana = world.person("Ana")
    world.workspace("acme", owner=ana)
    _, seed = world.bind_totp(ana)
    by, bad = world.session(ana), setting.wrong_code(world, seed)
    works: list[Any] = [
        lambda: world.write(note("first")),
        lambda: world.write(refused),
        lambda: world.write(lambda tx: second_step.present_totp(tx, by=by, code=bad, token=new_token())),
        lambda: world.write(lambda tx: 1 // 0),
        lambda: world.write(note("last")),
    ]
    told = at_once(*works)
    assert told[0] == "first"
    assert isinstance(told[1], Refused)
    assert isinstance(told[2], Wrong)
    assert isinstance(told[3], ZeroDivisionError)
    assert told[4] == "last"
    assert notes(world, "first", "refused", "last") == ["first", "last"]
    assert world.read(lambda tx: guesses.peek(tx, Method.TOTP, str(ana.id))).failures == 1


@pytest.mark.parametrize("error", [SystemExit, KeyboardInterrupt, asyncio.CancelledError, GeneratorExit])
def test_a_body_that_ends_the_world_ends_only_itself(world: World, error: type[BaseException]) -> None:
    def body(tx: Transaction) -> None:
        meta.write(tx, "undone", "there")
        raise error

    with pytest.raises(error):
        world.write(body)
    world.write(note("after"))
    assert notes(world, "undone", "after") == ["after"]


def test_a_read_sees_one_moment_whatever_is_written_meanwhile(world: World) -> None:
    world.write(note("note", "old"))
    seen: list[str | None] = []

    def body(tx: Transaction) -> None:
        seen.append(meta.read(tx, "note"))
        writer = threading.Thread(target=world.write, args=(note("note", "new"),))
        writer.start()
        writer.join(PATIENCE)
        assert not writer.is_alive(), "a reader stood in the writer's way"
        seen.append(meta.read(tx, "note"))

    world.read(body)
    assert seen == ["old", "old"]
    assert read_note(world.store, "note") == "new"


def test_a_reader_does_not_wait_for_a_writer_and_sees_nothing_of_it(world: World) -> None:
    world.write(note("note", "old"))
    seen: list[str | None] = []

    def body(tx: Transaction) -> None:
        meta.write(tx, "note", "new")
        reader = threading.Thread(target=lambda: seen.append(read_note(world.store, "note")))
        reader.start()
        reader.join(PATIENCE)
        assert not reader.is_alive(), "a writer stood in the reader's way"

    world.write(body)
    assert seen == ["old"]


def test_a_reading_transaction_writes_nothing(world: World) -> None:
    with pytest.raises(Exception, match="read"):
        world.read(note("note"))
    assert notes(world, "note") == []


async def test_the_asynchronous_verbs_answer_as_the_blocking_ones(world: World) -> None:
    store = world.store
    assert await store.write(note("note", "new")) == "note"
    assert await store.read(lambda tx: meta.read(tx, "note")) == "new"
    assert await store.query(lambda tx: meta.read(tx, "note")) == "new"
    with pytest.raises(Refused):
        await store.write(refused)
    with pytest.raises(ZeroDivisionError):
        await store.read(lambda tx: 1 // 0)


async def test_whoever_no_longer_waits_undoes_nothing(world: World) -> None:
    """A browser that goes away cancels its request; the change was asked for, and is made."""
    entered, release = threading.Event(), threading.Event()

    def body(tx: Transaction) -> None:
        entered.set()
        assert release.wait(PATIENCE)
        meta.write(tx, "note", "there")

    request = asyncio.ensure_future(world.store.write(body))
    await asyncio.to_thread(entered.wait, PATIENCE)
    request.cancel()
    with pytest.raises(asyncio.CancelledError):
        await request
    release.set()
    while await world.store.read(lambda tx: meta.read(tx, "note")) is None:
        await asyncio.sleep(0.005)
    assert await world.store.write(note("after")) == "after"


def test_an_event_loop_that_was_closed_meanwhile_takes_nothing_with_it(world: World) -> None:
    """A command that was interrupted: what was in flight happens, and the next one is served."""
    entered, release = threading.Event(), threading.Event()

    def body(tx: Transaction) -> None:
        entered.set()
        assert release.wait(PATIENCE)
        meta.write(tx, "note", "there")

    async def begin() -> None:
        _in_flight.append(asyncio.ensure_future(world.store.write(body)))
        await asyncio.to_thread(entered.wait, PATIENCE)

    loop = asyncio.new_event_loop()
    loop.run_until_complete(begin())
    loop.run_until_complete(loop.shutdown_default_executor())
    loop.close()
    release.set()
    while not notes(world, "note"):
        assert world.write(note("beside")) == "beside"
    assert world.write(note("after")) == "after"


def test_what_is_taken_in_is_answered_even_while_the_store_is_being_closed(world: World) -> None:
    """Nobody waits for ever, and whoever was told "done" finds it done."""
    told: list[str] = []
    begun = threading.Barrier(9, timeout=PATIENCE)

    def run(number: int) -> None:
        begun.wait()
        for each in range(10_000):
            name = f"note {number}.{each}"
            try:
                world.write(note(name))
            except Unavailable:
                return
            told.append(name)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    begun.wait()
    while len(told) < 20:
        threads[0].join(0.001)
    world.store.close()
    for thread in threads:
        thread.join(PATIENCE)
        assert not thread.is_alive()
    again = World(world.url, world.folder)
    try:
        assert notes(again, *told) == told
    finally:
        again.close()
