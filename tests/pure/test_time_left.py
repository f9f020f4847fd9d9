"""The time that is left, in words."""

import pytest

from nightlatch.instants import DAY, HOUR, MINUTE, SECOND, ahead
from nightlatch.web.dues import left


@pytest.mark.parametrize(
    "duration,words",
    [
        (1, "in less than a minute"),
        (59 * SECOND, "in less than a minute"),
        (MINUTE, "in 1 minute"),
        (HOUR - 1, "in 59 minutes"),
        (HOUR, "in 1 hour"),
        (2 * HOUR + MINUTE, "in 2 hours and 1 minute"),
        (DAY - 1, "in 23 hours and 59 minutes"),
        (DAY, "in 1 day"),
        (DAY + HOUR, "in 1 day and 1 hour"),
        (DAY + 59 * MINUTE, "in 1 day"),
        (3 * DAY, "in 3 days"),
        (13 * DAY + 23 * HOUR + 59 * MINUTE, "in 13 days and 23 hours"),
    ],
)
def test_it_is_exact_to_the_smaller_of_two_units(duration: int, words: str) -> None:
    assert left(duration) == words


@pytest.mark.parametrize(
    "duration,words",
    [
        (1, "in 1 second"),
        (SECOND, "in 1 second"),
        (29 * SECOND + 1, "in 30 seconds"),
        (119 * SECOND, "in 119 seconds"),
        (2 * MINUTE, "in 2 minutes"),
        (2 * MINUTE + 1, "in 3 minutes"),
        (HOUR, "in 60 minutes"),
    ],
)
def test_a_wait_is_never_said_too_short(duration: int, words: str) -> None:
    assert ahead(duration) == words
