"""What the web layer keeps for its process: the house, templates, static files, the hash pool, sessions last seen."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from nightlatch.instants import Instant
from nightlatch.refusals import Code, Refused
from nightlatch.sso.discovery import Discoveries
from nightlatch.sso.fetching import Fetcher
from nightlatch.store.engine import T
from nightlatch.store.sessions import SEEN_EVERY
from nightlatch.wiring import House

SIGNING_IN = "Too many people are signing in at this moment. Try again in a few seconds."
ASKING = "Too much is being asked of other machines at this moment. Try again in a few seconds."


class Pool:
    """Slow computation in a few threads. Past its bound it refuses: a queue of hashes is a queue of timeouts."""

    def __init__(self, threads: int, waiting: int, *, name: str = "slow", busy: str = SIGNING_IN) -> None:
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix=name)
        self._room = threads + waiting
        self._busy = busy

    async def run(self, work: Callable[[], T]) -> T:
        """Run it off the event loop. Raises Refused (503) where there is no room."""
        if self._room <= 0:
            raise Refused(Code.UNAVAILABLE, self._busy)
        self._room -= 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)
        finally:
            self._room += 1

    def close(self) -> None:
        """Finish what is running."""
        self._threads.shutdown()


class Front:
    """The process's web side."""

    def __init__(self, house: House, *, demo: bool = False) -> None:
        self.house = house
        self.config = house.config
        self.demo = demo
        self.pool = Pool(threads=2, waiting=64)
        self.outside = Pool(threads=4, waiting=16, name="outside", busy=ASKING)
        self.fetcher = Fetcher(local=house.config.local, networks=house.config.provider_networks)
        self.discoveries = Discoveries(self.fetcher)
        self.mail_wanted: asyncio.Event | None = None
        self._seen: dict[int, Instant] = {}
        self._used: dict[int, Instant] = {}

    def url(self, path: str) -> str:
        """A path with the configured prefix."""
        return self.config.path + path

    def wake_mail(self) -> None:
        """There may be mail to send."""
        if self.mail_wanted is not None:
            self.mail_wanted.set()

    def saw(self, session_id: int, last_seen_at: Instant, now: Instant) -> None:
        """A session was used. Written at most once a minute, in batches; a check itself only reads."""
        if now - last_seen_at >= SEEN_EVERY:
            self._seen[session_id] = now

    def saw_token(self, token_id: int, last_used_at: Instant | None, now: Instant) -> None:
        """An API token was used. Written as seldom as sessions are."""
        if last_used_at is None or now - last_used_at >= SEEN_EVERY:
            self._used[token_id] = now

    def take_used(self) -> list[tuple[int, Instant]]:
        """What is to be written of API tokens, once."""
        used, self._used = self._used, {}
        return list(used.items())

    def take_seen(self) -> list[tuple[int, Instant]]:
        """What is to be written, once."""
        seen, self._seen = self._seen, {}
        return list(seen.items())
