"""Who is looking at a team's notes right now, and is told of every change."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

Event = dict[str, Any]
Queue = asyncio.Queue[Event]


class Hub:
    """The listeners of this process, by team."""

    def __init__(self) -> None:
        self._listeners: dict[str, set[tuple[asyncio.AbstractEventLoop, Queue]]] = {}

    @contextmanager
    def listening(self, team: str) -> Iterator[Queue]:
        """A queue that gets the team's changes."""
        queue: Queue = asyncio.Queue()
        listener = (asyncio.get_running_loop(), queue)
        self._listeners.setdefault(team, set()).add(listener)
        try:
            yield queue
        finally:
            self._listeners[team].discard(listener)

    def tell(self, team: str, event: Event) -> None:
        """Tell everybody who listens; from any thread."""
        for loop, queue in list(self._listeners.get(team, ())):
            loop.call_soon_threadsafe(queue.put_nowait, event)


hub = Hub()
