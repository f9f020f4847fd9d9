"""A workspace's policy is set: written, told by an event, announced to its people, and what hung on it ends."""

from dataclasses import dataclass

from nightlatch.actions import campaigns
from nightlatch.actions.by import By
from nightlatch.audit.events import record
from nightlatch.audit.events import workspace as workspace_subject
from nightlatch.instants import DAY, Duration, Instant, to_text
from nightlatch.policy import ManagedBy
from nightlatch.store import exceptions, remembered, standing, withdrawing, workspaces
from nightlatch.store.engine import Transaction
from nightlatch.store.query import Row
from nightlatch.vocabulary import Event


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be required, who may change that, and for how long browsers are remembered."""

    required_from: Instant | None
    resistant_from: Instant | None
    managed_by: ManagedBy
    remember_for: Duration | None


def set_policy(tx: Transaction, *, by: By, row: Row, new: Wanted, reason: str) -> Row | None:
    """Set it, and all that follows. `row`: the workspace as it is, locked. The workspace as it is then; None where
    somebody changed it meanwhile."""
    wanted, resistant = new.required_from, new.resistant_from
    revision = workspaces.set_policy(
        tx,
        row.id,
        required_from=wanted,
        resistant_from=resistant,
        resistant_announced_at=(row.resistant_announced_at or tx.now) if resistant is not None else None,
        remember_for=new.remember_for,
        managed_by=new.managed_by,
        by_name=by.name,
        if_revision=row.revision,
    )
    if revision is None:
        return None
    if (resistant is None) != (row.resistant_from is None):
        standing.strength_changed(tx, row.id, passkeys=resistant is not None)
    forgotten = _memory_changed(tx, row, new.remember_for)
    ended = _end_what_hung_on_it(tx, by, row) if wanted is None and row.required_from is not None else {}
    record(
        tx,
        _event(tx.now, row, wanted, resistant),
        by=by,
        subject=workspace_subject(row.id, row.name),
        workspace_id=row.id,
        revision=revision,
        required_from=to_text(wanted) if wanted is not None else None,
        before=to_text(row.required_from) if row.required_from is not None else None,
        managed_by=new.managed_by,
        reason=reason or None,
        **_told_of_strength(row, resistant),
        **forgotten,
        **ended,
    )
    now = workspaces.by_id(tx, row.id)
    if now is not None:
        _announce(tx, by, row, now)
    return now


# --- inside ---


def _memory_changed(tx: Transaction, row: Row, remember_for: Duration | None) -> dict[str, int]:
    """Turned on or off, it begins with no browser remembered: nothing from before counts again. What to tell of it."""
    if remember_for == row.remember_for:
        return {}
    told = {"remember_days": (remember_for or 0) // DAY}
    if remember_for is not None and row.remember_for is not None:
        return told
    return {**told, "browsers_forgotten": remembered.end_in(tx, row.id)}


def _told_of_strength(row: Row, resistant: Instant | None) -> dict[str, str]:
    """What the event says of passkeys, where they are, or were, required."""
    instants = {"strength_from": resistant, "strength_before": row.resistant_from}
    return {name: to_text(at) for name, at in instants.items() if at is not None}


def _announce(tx: Transaction, by: By, before: Row, now: Row) -> None:
    """Everybody is told what is new: of the mandate, and of its strength where that has another date."""
    wanted, resistant = now.required_from, now.resistant_from
    if wanted is None:
        if before.required_from is not None:
            campaigns.turned_off(tx, now, now.revision, by_name=by.name)
        return
    again = wanted != before.required_from or (resistant != before.resistant_from and wanted > tx.now)
    if again:
        campaigns.announce(tx, now, now.revision, by_name=by.name, required_from=wanted)
    if resistant is not None and resistant > wanted and (again or resistant != before.resistant_from):
        campaigns.announce_strength(tx, now, now.revision, by_name=by.name, told=again)


def _end_what_hung_on_it(tx: Transaction, by: By, row: Row) -> dict[str, int]:
    """Off: queued mails are withdrawn and exceptions end; what people set up is theirs. How many of each."""
    return {
        "exceptions_ended": exceptions.end_all(tx, row.id, by.name),
        "mails_withdrawn": withdrawing.mandate_mails(tx, row.id),
    }


def _event(now: Instant, row: Row, wanted: Instant | None, resistant: Instant | None) -> Event:
    if wanted == row.required_from:
        if resistant == row.resistant_from:
            return Event.POLICY_CHANGED
        if resistant is None:
            return Event.MANDATE_WEAKENED
        return Event.MANDATE_STRENGTH_SCHEDULED if resistant > now else Event.MANDATE_STRENGTHENED
    if wanted is None:
        return Event.MANDATE_TURNED_OFF
    return Event.MANDATE_SCHEDULED if wanted > now else Event.MANDATE_TURNED_ON
