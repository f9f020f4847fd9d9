"""Reminding tomorrow: the banner of a mandate that comes may be put away for a day, but not on its last day."""

from nightlatch.actions import kinds
from nightlatch.actions.by import By
from nightlatch.actions.guard import allowed, person_of
from nightlatch.assurance import enrolled, ready
from nightlatch.facts import Facts, WorkspaceId
from nightlatch.instants import DAY, Duration, Instant
from nightlatch.store import snoozes
from nightlatch.store.engine import Transaction

SNOOZE: Duration = DAY
LAST_DAY: Duration = DAY
"""So long before the instant the banner stays."""


def due(facts: Facts, workspace_id: WorkspaceId) -> Instant | None:
    """From when a workspace will ask this person for 2FA that they have not set up there yet; None where it does not.

    It is the person's own instant: an exception puts it off; who joined after the announcement has none to wait for.
    """
    teammate = facts.teammate(workspace_id)
    if teammate is None or ready(facts, workspace_id):
        return None
    at = teammate.mandate.lacking_from(has_two_factor=enrolled(facts.authenticators, workspace_id))
    return at if at is not None and at > facts.now else None


def remind_tomorrow(tx: Transaction, *, by: By, workspace_id: WorkspaceId) -> bool:
    """Put the banner away for a day; False where there is none, or not a day is left. Raises Refused (the gate's)."""
    known = allowed(tx, by, kinds.USE.at(workspace_id))
    at = due(known.facts, workspace_id)
    if at is None or at - tx.now <= LAST_DAY:
        return False
    snoozes.snooze(tx, person_of(known).id, workspace_id, tx.now + SNOOZE)
    return True
