"""The server's background task: wakes, works in a thread of its own, stops cleanly."""

import asyncio
import logging
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress

import pytest

from nightlatch.actions.chores import CHORES
from nightlatch.instants import HOUR
from nightlatch.mail.background import Chore, Rounds, run
from nightlatch.mail.outgoing import OutgoingMail
from nightlatch.store import campaigns as campaigns_store
from nightlatch.store.engine import Transaction, Unavailable
from tests.mail.test_drain import Pigeon, post, queue, temporary, waiting
from tests.support.tables import rows
from tests.support.world import World


def campaign(world: World, members: int) -> None:
    people = [world.person(f"M{number}") for number in range(members)]
    acme = world.workspace("acme", owner=people[0], member=people[1:])
    world.require(acme)
    world.write(
        lambda tx: campaigns_store.add(
            tx, workspace_id=acme, revision=2, kind="mandate_on", by_name="Dana", required_from=None
        )
    )


@asynccontextmanager
async def running(
    world: World, pigeon: Pigeon, *, pause: float, chores: Sequence[Chore] = ()
) -> AsyncIterator[asyncio.Event]:
    """The task, for as long as the block lasts; yields what wakes it."""
    wake = asyncio.Event()
    task = asyncio.create_task(run(post(world, pigeon), wake=wake, chores=chores, pause=pause))
    try:
        yield wake
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def until(met: Callable[[], bool]) -> None:
    """Wait for it, a minute at most."""
    async with asyncio.timeout(60):
        while not met():
            await asyncio.sleep(0.01)


async def test_it_sends_what_waits_and_what_comes_when_woken(world: World) -> None:
    pigeon = Pigeon()
    queue(world)
    async with running(world, pigeon, pause=3600) as wake:
        await until(lambda: len(pigeon.sent) == 1)
        queue(world, 2)
        wake.set()
        await until(lambda: len(pigeon.sent) == 3)


async def test_it_looks_by_itself_too(world: World) -> None:
    """Another process may have queued it."""
    pigeon = Pigeon()
    async with running(world, pigeon, pause=0.05):
        await asyncio.sleep(0.1)
        queue(world)
        await until(lambda: len(pigeon.sent) == 1)


async def test_it_mails_everybody_without_being_woken_again(world: World) -> None:
    pigeon = Pigeon()
    campaign(world, 60)
    async with running(world, pigeon, pause=3600, chores=CHORES):
        await until(lambda: len({each.to for each in pigeon.sent}) == 60)  # the owner may get one more
    assert not [each for each in rows(world, "campaigns") if each.done_at is None]


async def test_stopping_waits_for_the_mail_at_hand(world: World) -> None:
    queue(world, 3)
    begun, go_on = threading.Event(), threading.Event()

    class Slow(Pigeon):
        def send(self, mail: OutgoingMail) -> None:
            begun.set()
            go_on.wait(10)
            super().send(mail)

    pigeon = Slow()
    async with running(world, pigeon, pause=3600):
        await until(begun.is_set)
        asyncio.get_running_loop().call_later(0.2, go_on.set)
    assert len(pigeon.sent) == 1
    assert [each.leased_until for each in waiting(world)] == [None, None]
    assert not [each for each in threading.enumerate() if each.name.startswith("mail")]


async def test_the_loop_is_free_while_a_mail_is_sent(world: World) -> None:
    queue(world)
    begun, go_on = threading.Event(), threading.Event()

    class Slow(Pigeon):
        def send(self, mail: OutgoingMail) -> None:
            begun.set()
            go_on.wait(10)
            super().send(mail)

    async with running(world, Slow(), pause=3600):
        await until(begun.is_set)
        async with asyncio.timeout(1):
            for _ in range(10):
                await asyncio.sleep(0.01)
        go_on.set()


def test_a_part_that_fails_keeps_none_of_the_others_from_running(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    queue(world)
    campaign(world, 1)

    def broken(tx: Transaction) -> bool:
        raise Unavailable("the secret is 42")

    pigeon = Pigeon()
    with caplog.at_level(logging.INFO, "nightlatch.mail"):
        assert Rounds(post(world, pigeon), [Chore("a_chore", campaigns_store.waits, broken)]).once()
    assert len(pigeon.sent) == 1
    assert "a_chore failed: Unavailable" in caplog.text
    assert "the secret" not in caplog.text


def test_a_blocked_way_out_is_not_tried_again_at_once(world: World) -> None:
    queue(world, 2)
    rounds = Rounds(post(world, Pigeon(troubles=[temporary(everybody=True)])), ())
    assert not rounds.once()
    assert rounds.once()


def test_it_tidies_up_every_hour(world: World) -> None:
    rounds = Rounds(post(world, Pigeon()), ())
    rounds.once()
    ana = world.person("Ana")
    world.session(ana)
    for wait, left in ((HOUR, 1), (8 * 24 * HOUR, 0)):
        world.wait(wait)
        rounds.once()
        assert len(rows(world, "sessions")) == left
