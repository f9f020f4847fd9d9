"""Evidence of a workspace on a day: read from its audit events, in batches, on one snapshot."""

from collections.abc import Iterator
from datetime import UTC, datetime

from nightlatch.audit.evidence import Evidence
from nightlatch.audit.evidence_files import day_of
from nightlatch.audit.rebuilding import rebuild
from nightlatch.instants import DAY, Instant, from_datetime
from nightlatch.refusals import invalid
from nightlatch.store import events
from nightlatch.store.engine import Transaction
from nightlatch.store.query import Row

A_BATCH = 5000


def read_evidence(tx: Transaction, *, workspace_id: int, on: str) -> Evidence:
    """Who had what at the end of a day in UTC, such as "2026-11-24"; today, or without a day, at this moment.

    A long read, in the size of the workspace's history: never on the event loop. Raises Refused (`invalid`, at `on`)
    for what is no day, for a day to come, and for one before there was anything.
    """
    at = instant_of(on, tx.now) if on else tx.now
    first = events.first_at(tx, workspace_id)
    if first is not None and at < first:
        raise invalid(
            "on", f"Nothing had happened here yet: this workspace's events begin on {day_of(first)}."
        )
    return rebuild(_told(tx, workspace_id), at)


def instant_of(on: str, now: Instant) -> Instant:
    """The last instant of a day that is over; now, of the day that is not. Raises Refused (`invalid`, at `on`)."""
    try:
        day = datetime.strptime(on, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        day = None
    if day is None or f"{day:%Y-%m-%d}" != on:
        raise invalid("on", "This is a day such as 2026-11-24.")
    start = from_datetime(day)
    if start > now:
        raise invalid("on", f"This day is still to come. Today is {day_of(now)}, in UTC.")
    return min(start + DAY - 1, now)


def _told(tx: Transaction, workspace_id: int) -> Iterator[Row]:
    """All events of a workspace in order, but for those that are many and change nothing of it."""
    after = 0
    while batch := events.forward(tx, workspace_id, after=after, most=A_BATCH):
        yield from batch
        after = batch[-1].sequence
