"""Time: read here, kept as text, shown to people."""

from datetime import UTC, datetime, timedelta


def now() -> datetime:
    """This moment."""
    return datetime.now(UTC)


def text(moment: datetime | None = None) -> str:
    """As it is kept."""
    return (moment or now()).isoformat(timespec="microseconds")


def read(kept: str) -> datetime:
    """As it was kept."""
    return datetime.fromisoformat(kept)


def in_an_hour() -> str:
    """An hour from now, as it is kept."""
    return text(now() + timedelta(hours=1))


def shown(kept: str) -> str:
    """For people."""
    return f"{read(kept):%-d %B, %H:%M} UTC"
