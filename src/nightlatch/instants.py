"""Instants and durations: integers of microseconds, UTC, since the Unix epoch.

One unit everywhere (columns, facts, limits), so that nothing is ever compared across units or time zones.
Text appears only at the edges, as RFC 3339 in UTC.
"""

from datetime import UTC, datetime, timedelta
from typing import TypeAlias

Instant: TypeAlias = int
"""Microseconds since 1970-01-01T00:00:00Z."""

Duration: TypeAlias = int
"""Microseconds."""

SECOND: Duration = 1_000_000
MINUTE: Duration = 60 * SECOND
HOUR: Duration = 60 * MINUTE
DAY: Duration = 24 * HOUR
_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001  (of no zone: its text has no offset, so that `Z` can follow)


def seconds(count: float) -> Duration:
    """A duration of `count` seconds."""
    return round(count * SECOND)


def to_text(instant: Instant) -> str:
    """RFC 3339 in UTC, to the second when it is whole, otherwise to the microsecond: `2026-11-24T09:14:00Z`."""
    return (_EPOCH + timedelta(microseconds=instant)).isoformat() + "Z"


def from_text(text: str) -> Instant:
    """The instant an RFC 3339 text names. It must carry an offset.

    Raises ValueError for anything else, also for years that no calendar of ours has.
    """
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("an instant needs an offset, such as Z")
    try:
        return from_datetime(moment.astimezone(UTC))
    except OverflowError:
        raise ValueError("a year that no calendar of ours has") from None


def from_datetime(moment: datetime) -> Instant:
    """The instant of an aware datetime, exact to the microsecond."""
    delta = moment - datetime(1970, 1, 1, tzinfo=UTC)
    return (delta.days * 86_400 + delta.seconds) * SECOND + delta.microseconds


def to_datetime(instant: Instant) -> datetime:
    """The aware UTC datetime of an instant."""
    return datetime.fromtimestamp(instant // SECOND, UTC).replace(microsecond=instant % SECOND)


def ago(duration: Duration) -> str:
    """How long ago something was, in rough words: `just now`, `5 min ago`, `2 h ago`, `3 days ago`."""
    if duration < MINUTE:
        return "just now"
    if duration < HOUR:
        return f"{duration // MINUTE} min ago"
    if duration < 2 * DAY:
        return f"{duration // HOUR} h ago"
    return f"{duration // DAY} days ago"


def ahead(duration: Duration) -> str:
    """How long something takes yet, never said too short: `in 1 second`, `in 30 seconds`, `in 12 minutes`."""
    seconds = max(1, -(-duration // SECOND))
    if seconds < 120:
        return f"in {seconds} second" + ("s" if seconds > 1 else "")
    return f"in {-(-duration // MINUTE)} minutes"
