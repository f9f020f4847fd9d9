"""Guesses: how many are free, how long the wait grows, when it ends (law 5; RFC 4226 7.3; NIST SP 800-63B-4 3.2.2)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nightlatch.budget import (
    FRESH,
    PASSWORD_KNOWN_BROWSER,
    PASSWORD_UNKNOWN_BROWSER,
    SECOND_STEP,
    SOURCE,
    WAYS,
    Allowance,
    Counter,
    exhausted,
    failed,
    may_guess,
    open_at,
    wait_after,
)
from nightlatch.instants import DAY, HOUR, MINUTE, SECOND

ALL = [PASSWORD_UNKNOWN_BROWSER, PASSWORD_KNOWN_BROWSER, SECOND_STEP, SOURCE, WAYS]
NOW = 20_000 * DAY


@pytest.mark.parametrize(
    "allowance,waits",
    [
        # The waits after so many failures in a row.
        (
            PASSWORD_UNKNOWN_BROWSER,
            {0: 0, 4: 0, 5: 30, 6: 60, 7: 120, 8: 240, 9: 480, 10: 900, 11: 900, 99: 900},
        ),
        (PASSWORD_KNOWN_BROWSER, {0: 0, 9: 0, 10: 30, 11: 60, 14: 480, 15: 900, 1000: 900}),
        (SECOND_STEP, {0: 0, 4: 0, 5: 30, 6: 60, 11: 1920, 12: 3600, 13: 3600, 99: 3600}),
        (SOURCE, {0: 0, 59: 0, 60: 1, 61: 2, 64: 16, 65: 30, 10**9: 30}),
    ],
)
def test_waits_double_after_the_free_ones(allowance: Allowance, waits: dict[int, int]):
    """Law 5: 5 (or 10) free, then 30 s doubling to 15 min, or to an hour for the second step; a network only slows."""
    assert {failures: wait_after(allowance, failures) // SECOND for failures in waits} == waits


@pytest.mark.parametrize(
    "allowance,last",
    [(PASSWORD_UNKNOWN_BROWSER, 100), (SECOND_STEP, 100), (PASSWORD_KNOWN_BROWSER, None), (SOURCE, None)],
)
def test_where_guessing_ends(allowance: Allowance, last: int | None):
    """NIST 3.2.2: at most 100 in a row. A known browser and a network are never shut out."""
    for failures in range(1, 1200):
        assert exhausted(allowance, Counter(failures, NOW)) is (last is not None and failures >= last)
    after_a_year = may_guess(allowance, Counter(100, NOW), NOW + 365 * DAY)
    assert after_a_year is (last is None)


@pytest.mark.parametrize("allowance", ALL)
def test_a_guess_may_come_at_the_very_end_of_its_wait(allowance: Allowance):
    """Not a microsecond before."""
    counter = Counter(allowance.free, NOW)
    assert open_at(allowance, counter) == NOW + allowance.first
    assert not may_guess(allowance, counter, NOW + allowance.first - 1)
    assert may_guess(allowance, counter, NOW + allowance.first)


@pytest.mark.parametrize("allowance", ALL)
def test_the_free_ones_cost_no_time(allowance: Allowance):
    """People mistype."""
    counter = FRESH
    for _ in range(allowance.free):
        assert may_guess(allowance, counter, NOW)
        counter = failed(counter, NOW)
    assert counter == Counter(allowance.free, NOW)
    assert not may_guess(allowance, counter, NOW)


def test_a_failure_never_goes_back_in_time():
    """The clock may jump; the wait does not shrink (law 12)."""
    assert failed(Counter(7, NOW), NOW - HOUR) == Counter(8, NOW)
    assert failed(Counter(7, NOW), NOW + 1) == Counter(8, NOW + 1)
    assert failed(FRESH, NOW) == Counter(1, NOW)


@given(st.sampled_from(ALL), st.lists(st.integers(0, 2 * HOUR), max_size=150))
def test_no_pace_of_guessing_is_faster_than_the_budget(allowance: Allowance, pauses: list[int]):
    """Whatever the pauses between tries: the failures in a row fit into the time that their waits take."""
    counter, now, spent = FRESH, NOW, 0
    for pause in pauses:
        now += pause
        if may_guess(allowance, counter, now):
            counter = failed(counter, now)
            spent += wait_after(allowance, counter.failures)
    assert counter.failures <= len(pauses)
    assert allowance.last is None or counter.failures <= allowance.last
    assert now - NOW >= spent - wait_after(allowance, counter.failures)


@given(st.sampled_from(ALL), st.integers(0, 10**12))
def test_waits_only_grow(allowance: Allowance, failures: int):
    """And never beyond the longest."""
    wait = wait_after(allowance, failures)
    assert wait <= wait_after(allowance, failures + 1) <= allowance.longest


def test_a_day_of_guessing_the_second_step():
    """In a day of steady guessing at most 34 codes are judged: 1 in 10,000 with three codes right at a time."""
    counter, now = FRESH, NOW
    while now < NOW + DAY:
        if may_guess(SECOND_STEP, counter, now):
            counter = failed(counter, now)
        now += MINUTE // 2
    assert counter.failures == 34
