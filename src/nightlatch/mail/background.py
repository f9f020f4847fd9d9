"""The server's background task: expands campaigns, drains the outbox, tidies up every hour."""

import asyncio
import logging
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

from nightlatch.instants import HOUR, Instant
from nightlatch.mail.drain import Post, drain_once
from nightlatch.store import outbox
from nightlatch.store.engine import Transaction
from nightlatch.store.housekeeping import tidy

PAUSE = 5.0
"""Seconds between two looks when nobody wakes the task: other processes queue mail too."""
_log = logging.getLogger("nightlatch.mail")


class Rounds:
    """The blocking side, for one thread: each round does a little of everything."""

    def __init__(self, post: Post, expand: Callable[[Transaction], bool]) -> None:
        """`expand` queues the next mails of a campaign and says whether there is more (`actions.campaigns`)."""
        self._post = post
        self._expand = expand
        self._tidied_at: Instant = 0
        self._stopping = threading.Event()

    def stop(self) -> None:
        """Finish the mail at hand and no more."""
        self._stopping.set()

    def once(self) -> bool:
        """One round; whether there is more to do at once. One part that fails keeps none of the others from running."""
        expanded = self._guarded(self._expand_some)
        drained = self._guarded(self._drain)
        self._guarded(self._tidy_hourly)
        return bool(expanded) or bool(drained)

    def _guarded(self, part: Callable[[], bool]) -> bool:
        """What goes wrong is logged by its name alone (its text might quote what is secret), and tried again later."""
        try:
            return part()
        except Exception as error:
            _log.error("%s failed: %s", part.__name__.strip("_"), type(error).__name__)
            return False

    def _expand_some(self) -> bool:
        store = self._post.store
        return store.read_now(outbox.campaign_waits) and store.write_now(self._expand)

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


async def run(
    post: Post, *, wake: asyncio.Event, expand: Callable[[Transaction], bool], pause: float = PAUSE
) -> None:
    """Until it is cancelled: a round whenever `wake` is set, and every `pause` seconds.

    The blocking parts run in one thread of its own. Cancelling lets it finish the mail at hand.
    """
    rounds, loop = Rounds(post, expand), asyncio.get_running_loop()
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
