"""The clock: the only place where time is read (law 12)."""

import threading
import time
from collections.abc import Callable
from pathlib import Path

from nightlatch.instants import MINUTE, SECOND, Duration, Instant

BACKWARDS_ALARM: Duration = 2 * SECOND
FORWARDS_ALARM: Duration = 2 * MINUTE


def _wall() -> Instant:
    return time.time_ns() // 1000


def _steady() -> Instant:
    # Counts while the machine sleeps, where the system has such a clock: waking up is no jump.
    return time.clock_gettime_ns(_STEADY) // 1000


_STEADY: int = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


class Clock:
    """The time that decisions see. It never goes back: where the machine's clock does, it stands still until
    passed.

    Make one for a process (wiring does) and share it between threads. `wall` and `steady` are for tests of
    the clock itself; `offset_file` (NIGHTLATCH_TEST_CLOCK) holds seconds to add, read at every use.
    """

    def __init__(
        self,
        offset_file: Path | None = None,
        *,
        wall: Callable[[], Instant] = _wall,
        steady: Callable[[], Instant] = _steady,
    ) -> None:
        self._wall = wall
        self._steady = steady
        self._offset_file = offset_file
        self._offset: Duration = 0
        self._lock = threading.Lock()
        self._floor: Instant = 0
        self._start = self._read() - steady()

    def now(self) -> Instant:
        """This instant, never before one that was returned earlier or set by `raise_to`."""
        with self._lock:
            reading = self._wall() if self._offset_file is None else self._read()
            if reading > self._floor:
                self._floor = reading
            return self._floor

    def raise_to(self, instant: Instant) -> None:
        """Never say an instant before this one again: at the start, the newest that the database has seen."""
        with self._lock:
            self._floor = max(self._floor, instant)

    def jumped(self) -> Duration | None:
        """How far the machine's clock has been set since the start (negative: back), or None while it runs
        true.

        True is within BACKWARDS_ALARM and FORWARDS_ALARM of the time that has passed; a clock put right again
        is true. A moved test clock is a jump like any other.
        """
        moved = self._read() - self._steady() - self._start
        return moved if moved < -BACKWARDS_ALARM or moved > FORWARDS_ALARM else None

    def behind(self) -> Duration:
        """How far the machine's clock is behind what decisions see: zero, except after it was set back."""
        with self._lock:
            return max(0, self._floor - self._read())

    def _read(self) -> Instant:
        if self._offset_file is not None:
            try:
                self._offset = round(float(self._offset_file.read_text("ascii")) * SECOND)
            except FileNotFoundError:
                self._offset = 0
            except (OSError, ValueError, OverflowError):
                pass  # just being written: the offset stays as it was
        return self._wall() + self._offset
