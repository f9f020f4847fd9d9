"""The one place where the client reads a clock."""

import time
from datetime import UTC, datetime


def now() -> float:
    """Seconds since the epoch."""
    return time.time()


def instant(text: object) -> datetime:
    """An RFC 3339 instant as an aware datetime in UTC.

    Raises ValueError for anything else, an instant without an offset included.
    """
    if not isinstance(text, str):
        raise ValueError("an instant is a text")
    read = datetime.fromisoformat(text)
    if read.tzinfo is None:
        raise ValueError("an instant needs its offset")
    return read.astimezone(UTC)


def text_of(moment: datetime) -> str:
    """An aware datetime as RFC 3339 in UTC."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
