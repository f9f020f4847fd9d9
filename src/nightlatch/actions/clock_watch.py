"""The machine's clock was set: written down, so that whoever reads events later knows (law 12)."""

from nightlatch.actions.by import By
from nightlatch.audit.events import record
from nightlatch.instants import SECOND, Duration
from nightlatch.store.engine import Transaction
from nightlatch.vocabulary import Event


def note_jump(tx: Transaction, *, by: By, jump: Duration) -> None:
    """The clock moved by `jump` (negative: back) against the time that has passed."""
    record(tx, Event.CLOCK_JUMPED, by=by, subject=("system", None, "clock"), by_seconds=round(jump / SECOND))
