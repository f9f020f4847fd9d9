"""The operator ends every session, API token and grant, of the installation or for one workspace: break-glass."""

from nightlatch.actions.by import By
from nightlatch.actions.mailing import tell_owners_first
from nightlatch.actions.reasons import clean_reason
from nightlatch.audit.events import record
from nightlatch.audit.events import workspace as workspace_subject
from nightlatch.refusals import not_found
from nightlatch.store import ending, workspaces
from nightlatch.store.engine import Transaction
from nightlatch.store.locks import lock
from nightlatch.store.query import Row
from nightlatch.vocabulary import Event


def end_sessions(tx: Transaction, *, by: By, workspace_id: int | None, reason: str) -> dict[str, int]:
    """End them all; everybody signs in anew, with both steps. Owners are mailed first. How many of each.

    Only for the command line. Raises Refused: `not_found`, `invalid` without a reason.
    """
    if by.kind != "operator":
        raise not_found()
    if workspace_id is not None:
        lock(tx, workspaces=[workspace_id])
    reason = clean_reason(reason, needed=True)
    touched = _touched(tx, workspace_id)
    for each in touched:
        what = f"End every session, API token and grant of {each.name}: everybody signs in anew"
        tell_owners_first(tx, by, each.id, what, reason)
    ended = ending.end_all(tx) if workspace_id is None else ending.end_in(tx, workspace_id)
    for each in touched:
        record(
            tx,
            Event.SESSIONS_ENDED,
            by=by,
            subject=workspace_subject(each.id, each.name),
            workspace_id=each.id,
            reason=reason,
        )
    if workspace_id is None:
        record(
            tx, Event.SESSIONS_ENDED, by=by, subject=("system", None, "Nightlatch"), reason=reason, **ended
        )
    return ended


def _touched(tx: Transaction, workspace_id: int | None) -> list[Row]:
    if workspace_id is None:
        return workspaces.every(tx)
    row = workspaces.by_id(tx, workspace_id)
    if row is None:
        raise not_found()
    return [row]
