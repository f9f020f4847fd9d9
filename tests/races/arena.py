"""Where laws are raced: threads on one store, or two processes that each have a store of their own on one database.

Works are raced: picklable functions of a store (`functools.partial` of a module's function) that each try something.
All begin together; what became of each is told by its name: the type of what was returned, or the code of a refusal.
"""

import multiprocessing
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any, Protocol

from nightlatch.clock import Clock
from nightlatch.instants import Instant, from_text
from nightlatch.keyring import KeyRing
from nightlatch.refusals import Refused
from nightlatch.store.engine import Store
from nightlatch.wiring import open_store
from tests.races.looped import Looped
from tests.support.world import World

THREADS = 24
"""On one store; two processes share them."""
PATIENCE = 60
"""Seconds after which a race that does not begin has failed."""
STILL: Instant = from_text("2026-03-01T09:00:10Z")
"""Here the clock stands still: on the slowest machine nobody gets a try back while a race is on."""

Work = Callable[[Store], Any]


def still_clock(offset_file: Path) -> Clock:
    """A clock that moves only as the test moves it."""
    return Clock(offset_file, wall=lambda: STILL)


class StillWorld(World):
    """A world in which time passes only by `wait`."""

    def __init__(self, url: str, folder: Path) -> None:
        super().__init__(url, folder)
        self.reopen()

    def reopen(self) -> None:
        """A restart: another store, with another clock, on the same database."""
        self.store.close()
        self.clock = still_clock(self._offset_file)
        self.store = open_store(self.url, self.clock, self.keys)

    @property
    def place(self) -> "Place":
        """What another process needs to open it."""
        return Place(self.url, self.keys.to_text(), self._offset_file)


@dataclass(frozen=True)
class Place:
    """A world's database, for another process."""

    url: str
    keys: str
    offset_file: Path

    def open(self) -> Store:
        """A store of one's own."""
        return open_store(self.url, still_clock(self.offset_file), KeyRing.parse(self.keys))


class Arena(Protocol):
    """Races works against each other in one of the ways."""

    world: StillWorld

    def race(self, works: Sequence[Work]) -> Counter[str]:
        """Run them all at once; how many ended in which way."""

    def close(self) -> None:
        """Let go of the world."""


class Threads:
    """Threads on one store."""

    def __init__(self, world: StillWorld) -> None:
        self.world = world
        self._pool = ThreadPoolExecutor(THREADS)

    def race(self, works: Sequence[Work]) -> Counter[str]:
        return _run(self.world.store, self._pool, THREADS, works, lambda: None)

    def close(self) -> None:
        self._pool.shutdown()
        self.world.close()


class Processes:
    """Two processes, each with a store on the same database, which they use as servers do: through an event loop."""

    def __init__(self, world: StillWorld, pair: "Pair") -> None:
        self.world = world
        self._pair = pair

    def race(self, works: Sequence[Work]) -> Counter[str]:
        return self._pair.race(self.world.place, works)

    def close(self) -> None:
        self.world.close()


class Pair:
    """Two worker processes that live as long as the tests need them."""

    def __init__(self) -> None:
        context = multiprocessing.get_context("spawn")
        self._together = together = context.Barrier(2, timeout=PATIENCE)
        self._ends: list[Connection] = []
        self._processes = []
        for number in range(2):
            mine, theirs = context.Pipe()
            process = context.Process(
                target=_work, args=(theirs, together), name=f"racer-{number}", daemon=True
            )
            process.start()
            theirs.close()
            self._ends.append(mine)
            self._processes.append(process)

    def race(self, place: Place, works: Sequence[Work]) -> Counter[str]:
        """Half of the works in each process, all at once."""
        for number, end in enumerate(self._ends):
            end.send((place, list(works[number::2])))
        told: Counter[str] = Counter()
        for end in self._ends:
            told += end.recv()
        return told

    def close(self) -> None:
        """End the processes."""
        for end in self._ends:
            end.send(None)
        for process in self._processes:
            process.join()
        for end in self._ends:
            end.close()


def _work(end: Connection, together: Barrier) -> None:
    """One worker process: race after race, each with a fresh store."""
    with ThreadPoolExecutor(THREADS // 2) as pool:
        while (task := end.recv()) is not None:
            place, works = task
            with closing(place.open()) as store, closing(Looped(store)) as looped:
                end.send(_run(looped, pool, THREADS // 2, works, together.wait))


def _run(
    store: Store, pool: ThreadPoolExecutor, most: int, works: Sequence[Work], ready: Callable[[], Any]
) -> Counter[str]:
    """The works, shared among the pool's threads, which begin together: with the other process, when it is `ready`."""
    threads = max(1, min(most, len(works)))
    start = threading.Barrier(threads, action=ready, timeout=PATIENCE)

    def run(share: Sequence[Work]) -> list[str]:
        store.read_now(lambda tx: tx.now)  # its connection is open before the start
        start.wait()
        return [_told(work, store) for work in share]

    shares = [works[number::threads] for number in range(threads)]
    return Counter(name for names in pool.map(run, shares) for name in names)


def _told(work: Work, store: Store) -> str:
    try:
        result = work(store)
    except Refused as refused:
        return str(refused.code)
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return type(result).__name__
