"""How far a team has come with 2FA: the figures of each day, written down when it is over, and how it stands now."""

from dataclasses import dataclass

from nightlatch.actions import kinds
from nightlatch.actions.by import By
from nightlatch.actions.guard import allowed
from nightlatch.actions.mandate import Policy, policy_now
from nightlatch.instants import DAY, Instant
from nightlatch.store import exceptions, meta, progress
from nightlatch.store.engine import Transaction
from nightlatch.store.locks import lock

_NOTED = "progress_noted"
"""The last day whose figures are written down, for every workspace that has any."""
_A_BATCH = 5


@dataclass(frozen=True, slots=True)
class Day:
    """How it stood at the end of a day in UTC; of today, how it stands."""

    day: Instant
    set_up: int
    teammates: int


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a team has come."""

    set_up: int
    teammates: int
    exempt: int
    """Teammates with an exception now."""
    policy: Policy
    days: tuple[Day, ...]
    """Since the announcement, today last; without a mandate none."""

    @property
    def left(self) -> int:
        """Teammates without 2FA."""
        return self.teammates - self.set_up


def read_progress(tx: Transaction, *, by: By, workspace_id: int) -> Progress:
    """How far a workspace's team has come. A longer read. Raises Refused (the gate's)."""
    allowed(tx, by, kinds.PREVIEW_POLICY.at(workspace_id))
    policy = policy_now(tx, workspace_id)
    set_up, teammates = progress.now(tx, workspace_id)
    exempt, _ = exceptions.numbers(tx, workspace_id)
    since, today = policy.announced_at, progress.day_of(tx.now)
    days: list[Day] = []
    if since is not None:
        written = progress.days(tx, workspace_id, since)
        days = [Day(row.day, row.set_up, row.teammates) for row in written if row.day < today]
        days.append(Day(today, set_up, teammates))
    return Progress(set_up, teammates, exempt, policy, tuple(days))


def day_waits(tx: Transaction) -> bool:
    """Whether the figures of the day that ended last are still to be written down. Takes no lock."""
    return int(meta.read(tx, _NOTED) or 0) < _ended(tx.now)


def note_day(tx: Transaction, *, most: int = _A_BATCH) -> bool:
    """Write the figures of yesterday down for some workspaces; whether there are more.

    Days on which nobody did it (nothing ran) are left out: what they were like is not known any more.
    """
    lock(tx, names=["progress"])
    day = _ended(tx.now)
    if not day_waits(tx):
        return False
    found = progress.lacking(tx, day, most)
    for workspace_id in found:
        progress.note(tx, workspace_id, day)
    if len(found) == most:
        return True
    meta.write(tx, _NOTED, str(day))
    return False


def _ended(now: Instant) -> Instant:
    return progress.day_of(now) - DAY
