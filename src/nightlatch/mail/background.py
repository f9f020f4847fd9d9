"""The server's background task: does what has come due, drains the outbox, tidies up every hour."""

import asyncio
import logging
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

from nightlatch.instants import HOUR, Instant
from nightlatch.mail.drain import Post, drain_once
from nightlatch.store.engine import Transaction
from nightlatch.store.housekeeping import tidy

PAUSE = 5.0
"""Seconds between two looks when nobody wakes the task: other processes queue mail too."""
_log = logging.getLogger("nightlatch.mail")


@dataclass(frozen=True, slots=True)
class Chore:
    """Work that comes due by itself, done in small transactions by whichever process comes to it."""

    name: str
    """For the log."""
    waits: Callable[[Transaction], bool]
    """Whether there is something to do: a read that takes no lock."""
    work: Callable[[Transaction], bool]
    """One transaction of it; whether there is more at once."""


class Rounds:
    """The blocking side, for one thread: each round does a little of everything."""

    def __init__(self, post: Post, chores: Sequence[Chore]) -> None:
        """`chores`: what comes due by itself (`actions.chores`)."""
        self._post = post
        self._chores = chores
        self._tidied_at: Instant = 0
        self._stopping = threading.Event()

    def stop(self) -> None:
        """Finish the mail at hand and no more."""
        self._stopping.set()

    def once(self) -> bool:
        """One round; whether there is more to do at once. One part that fails keeps none of the others from running."""
        more = [self._guarded(each.name, partial(self._do, each)) for each in self._chores]
        drained = self._guarded("drain", self._drain)
        self._guarded("tidy_hourly", self._tidy_hourly)
        return any(more) or drained

    def _guarded(self, name: str, part: Callable[[], bool]) -> bool:
        """What goes wrong is logged by its name alone (its text might quote what is secret), and tried again later."""
        try:
            return part()
        except Exception as error:
            _log.error("%s failed: %s", name, type(error).__name__)
            return False

    def _do(self, chore: Chore) -> bool:
        store = self._post.store
        return store.read_now(chore.waits) and store.write_now(chore.work)

    def _drain(self) -> bool:
        drained = drain_once(self._post, stopping=self._stopping.is_set)
        if drained.retried or drained.failed:
            _log.warning("mail: %d to retry, %d given up", drained.retried, drained.failed)
        return drained.handled > 0 and not drained.stuck

    def _tidy_hourly(self) -> bool:
        now = self._post.clock.now()
        if now - self._tidied_at >= HOUR:
            self._post.store.write_now(tidy)
            self._tidied_at = now
        return False


async def run(post: Post, *, wake: asyncio.Event, chores: Sequence[Chore], pause: float = PAUSE) -> None:
    """Until it is cancelled: a round whenever `wake` is set, and every `pause` seconds.

    The blocking parts run in one thread of its own. Cancelling lets it finish the mail at hand.
    """
    rounds, loop = Rounds(post, chores), asyncio.get_running_loop()
    pool = ThreadPoolExecutor(1, thread_name_prefix="mail")
    try:
        while True:
            wake.clear()
            if await loop.run_in_executor(pool, rounds.once):
                continue
            with suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await wake.wait()
    finally:
        rounds.stop()
        await loop.run_in_executor(None, pool.shutdown)
