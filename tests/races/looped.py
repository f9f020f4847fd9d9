"""A store used as a server uses it: through its asynchronous verbs, on one event loop."""

import asyncio
import threading
from collections.abc import Awaitable

from nightlatch.store.engine import Body, Store, T


class Looped(Store):
    """The blocking verbs run over an event loop in a thread of its own. Closing it leaves the store open."""

    def __init__(self, store: Store) -> None:
        self.dialect = store.dialect
        self._store = store
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="loop", daemon=True)
        self._thread.start()

    async def read(self, body: Body[T]) -> T:
        return await self._store.read(body)

    async def query(self, body: Body[T]) -> T:
        return await self._store.query(body)

    async def write(self, body: Body[T]) -> T:
        return await self._store.write(body)

    def read_now(self, body: Body[T]) -> T:
        return self._wait(self._store.read(body))

    def write_now(self, body: Body[T]) -> T:
        return self._wait(self._store.write(body))

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _wait(self, verb: Awaitable[T]) -> T:
        async def run() -> T:
            return await verb

        return asyncio.run_coroutine_threadsafe(run(), self._loop).result()
