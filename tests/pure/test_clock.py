"""The clock: it never goes back, and it says when the machine's clock was set."""

import threading
import time
from pathlib import Path

import pytest

from nightlatch.clock import Clock
from nightlatch.instants import HOUR, MINUTE, SECOND, from_text, seconds
from tests.support.called import called

START = from_text("2026-11-24T09:14:00Z")


class Machine:
    """The two clocks of a machine, moved by hand."""

    def __init__(self) -> None:
        self.wall = START
        self.steady = 77 * SECOND

    def pass_(self, duration: int) -> None:
        self.wall += duration
        self.steady += duration

    def clock(self, offset_file: Path | None = None) -> Clock:
        return Clock(offset_file, wall=lambda: self.wall, steady=lambda: self.steady)


def test_it_tells_the_time():
    """ASVS 6.5.8: the server's own time, in microseconds."""
    before = time.time_ns() // 1000  # noqa: TID251 - what it is compared with
    now = Clock().now()
    after = time.time_ns() // 1000  # noqa: TID251
    assert before <= now <= after


def test_it_never_goes_back():
    """Law 12, F12: where the machine's clock is set back, time stands still until it is passed again."""
    machine = Machine()
    clock = machine.clock()
    machine.pass_(HOUR)
    assert clock.now() == START + HOUR
    machine.wall -= HOUR
    assert clock.now() == START + HOUR
    assert clock.behind() == HOUR
    machine.pass_(HOUR + SECOND)
    assert clock.now() == START + HOUR + SECOND
    assert clock.behind() == 0


def test_it_starts_where_the_database_was():
    """Law 12: a restart with a clock set back sees nothing earlier than what was already decided."""
    machine = Machine()
    clock = machine.clock()
    clock.raise_to(START + MINUTE)
    assert clock.now() == START + MINUTE
    clock.raise_to(START)
    assert clock.now() == START + MINUTE
    machine.pass_(2 * MINUTE)
    assert clock.now() == START + 2 * MINUTE


@pytest.mark.parametrize(
    "moved,jump",
    [
        (0, None),
        (-seconds(1.5), None),
        (seconds(-2), None),
        (seconds(-2.5), seconds(-2.5)),
        (-HOUR, -HOUR),
        (MINUTE, None),
        (2 * MINUTE, None),
        (2 * MINUTE + SECOND, 2 * MINUTE + SECOND),
        (HOUR, HOUR),
    ],
)
def test_a_jump_is_told_with_its_size(moved: int, jump: int | None):
    """Law 12: over 2 s back or 2 min forward; hours that simply pass are no jump."""
    machine = Machine()
    clock = machine.clock()
    machine.pass_(30 * HOUR)
    assert clock.jumped() is None
    machine.wall += moved
    assert clock.jumped() == jump
    machine.pass_(HOUR)
    assert clock.jumped() == jump
    machine.wall -= moved
    assert clock.jumped() is None


def test_the_real_clock_does_not_jump():
    assert Clock().jumped() is None


def test_the_test_clock_is_read_at_every_use(tmp_path: Path):
    """NIGHTLATCH_TEST_CLOCK: seconds to add; missing is none, nonsense changes nothing, never back."""
    machine, path = Machine(), tmp_path / "offset"
    clock = machine.clock(path)
    assert clock.now() == START
    path.write_text("3600\n")
    assert clock.now() == START + HOUR
    assert clock.jumped() == HOUR
    path.write_text("")
    machine.pass_(SECOND)
    assert clock.now() == START + HOUR + SECOND
    path.write_text("3600.5")
    assert clock.now() == START + HOUR + seconds(1.5)
    for nonsense in ("soon", "nan", "inf", "1e400"):
        path.write_text(nonsense)
        assert clock.now() == START + HOUR + seconds(1.5)
    path.write_bytes(b"\xff\xfe")
    assert clock.now() == START + HOUR + seconds(1.5)
    path.write_text("-60")
    assert clock.now() == START + HOUR + seconds(1.5)
    path.unlink()
    assert clock.jumped() is None
    assert clock.behind() == HOUR + seconds(0.5)


def test_threads_never_see_time_go_back():
    """Law 12: one floor for the process, whatever thread raised it."""
    machine, went_back = Machine(), []
    clock, gate = machine.clock(), threading.Barrier(5)

    def read() -> None:
        gate.wait()
        last = 0
        for _ in range(3000):
            now = clock.now()
            if now < last:
                went_back.append(now)
            last = now

    threads = [threading.Thread(target=read) for _ in range(4)]
    for thread in threads:
        thread.start()
    gate.wait()
    for step in range(3000):
        machine.wall = START + (SECOND if step % 2 else -SECOND)
    for thread in threads:
        thread.join()
    assert not went_back


def test_reading_is_a_few_calls():
    """It stands on the path of every request."""
    clock = Clock()
    assert called(clock.now).total() < 12
