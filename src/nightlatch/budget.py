"""How many wrong guesses are free, and how long to wait after them. Pure (design law 5; RFC 4226 section 7.3).

A counter is a number of failures in a row and the instant of the last one. Only a success with the same method clears
it: neither a new sign-in, nor another door, address, worker or restart, since the counter is a row of the database.
"""

from dataclasses import dataclass

from nightlatch.instants import HOUR, MINUTE, SECOND, Duration, Instant


@dataclass(frozen=True, slots=True)
class Allowance:
    """How a counter treats failures: `free` ones cost nothing, then each doubles the wait from `first` to `longest`."""

    free: int
    first: Duration
    longest: Duration
    last: int | None = None
    """Failures in a row at which guessing ends altogether (NIST SP 800-63B-4 section 3.2.2: at most 100)."""


PASSWORD_UNKNOWN_BROWSER = Allowance(free=5, first=30 * SECOND, longest=15 * MINUTE, last=100)
PASSWORD_KNOWN_BROWSER = Allowance(free=10, first=30 * SECOND, longest=15 * MINUTE)
SECOND_STEP = Allowance(free=5, first=30 * SECOND, longest=HOUR, last=100)
SOURCE = Allowance(free=60, first=SECOND, longest=30 * SECOND)
"""A network (/24 or /64): it is slowed down, never shut out."""

SIGN_UP = Allowance(free=20, first=MINUTE, longest=HOUR)
"""Sign-ups asked for from a network: each is a mail to somebody who may not have asked for it."""

WAYS = Allowance(free=1_000, first=SECOND, longest=30 * SECOND)
"""Ways to identity providers begun from a network, none of which led anybody in: each is a row for ten minutes."""


@dataclass(frozen=True, slots=True)
class Counter:
    """Failures in a row, and the instant of the latest."""

    failures: int = 0
    last_at: Instant = 0


FRESH = Counter()


def wait_after(allowance: Allowance, failures: int) -> Duration:
    """How long after the latest of `failures` the next guess may come; 0 while they are free."""
    if failures < allowance.free:
        return 0
    doublings = min(failures - allowance.free, 40)
    return min(allowance.first << doublings, allowance.longest)


def open_at(allowance: Allowance, counter: Counter) -> Instant:
    """The instant from which the next guess may be judged (which may have passed already)."""
    return counter.last_at + wait_after(allowance, counter.failures)


def exhausted(allowance: Allowance, counter: Counter) -> bool:
    """Whether waiting no longer helps."""
    return allowance.last is not None and counter.failures >= allowance.last


def may_guess(allowance: Allowance, counter: Counter, now: Instant) -> bool:
    """Whether a guess at `now` may be judged at all."""
    return not exhausted(allowance, counter) and now >= open_at(allowance, counter)


def failed(counter: Counter, now: Instant) -> Counter:
    """The counter after one more failure. Its instant never goes back."""
    return Counter(counter.failures + 1, max(now, counter.last_at))
