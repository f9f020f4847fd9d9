"""The progress of a team as the geometry of a small SVG chart: two lines over the days, and where the mandate begins.

All of it is plain attributes: no style stands in a page (the policy allows none), and colours follow the style sheet.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from nightlatch.actions.progress import Day
from nightlatch.instants import DAY, Instant

WIDTH, HEIGHT = 600, 160
_EDGE = 6


@dataclass(frozen=True, slots=True)
class Chart:
    """Points as SVG takes them, in a box of WIDTH x HEIGHT."""

    set_up: str
    """The line of those who are set up."""
    area: str
    """The same with the ground below it."""
    teammates: str
    """The line of all."""
    now: tuple[float, float]
    """Where the first line ends."""
    begins: float | None
    """Where the mandate begins; None where that is not among the days."""
    first: Instant
    last: Instant
    most: int


def chart(days: Sequence[Day], required_from: Instant | None) -> Chart | None:
    """The chart of some days in order; None for fewer than two: one point is no line."""
    if len(days) < 2:
        return None
    first, last = days[0].day, days[-1].day
    if required_from is not None:
        last = max(last, min(required_from - required_from % DAY, last + 60 * DAY))
    most = max(1, *(each.teammates for each in days))

    def x(instant: Instant) -> float:
        return round(_EDGE + (instant - first) / max(DAY, last - first) * (WIDTH - 2 * _EDGE), 1)

    def y(number: int) -> float:
        return round(HEIGHT - _EDGE - number / most * (HEIGHT - 2 * _EDGE), 1)

    set_up = [(x(each.day), y(each.set_up)) for each in days]
    ground = HEIGHT - _EDGE
    begins = required_from - required_from % DAY if required_from is not None else None
    return Chart(
        _points(set_up),
        _points([(set_up[0][0], ground), *set_up, (set_up[-1][0], ground)]),
        _points([(x(each.day), y(each.teammates)) for each in days]),
        set_up[-1],
        x(begins) if begins is not None and first <= begins <= last else None,
        first,
        last,
        most,
    )


def _points(points: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{x:g},{y:g}" for x, y in points)
