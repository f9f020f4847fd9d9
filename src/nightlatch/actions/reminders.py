"""Reminding teammates to set up 2FA, where their workspace requires it or will: one, some, or all who are left.

Each is reminded at most once a day for a workspace, by one guarded statement, whoever presses the button how often.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from nightlatch.actions import kinds, notices
from nightlatch.actions.by import By
from nightlatch.actions.guard import allowed
from nightlatch.audit.events import account as account_subject
from nightlatch.audit.events import record
from nightlatch.audit.events import workspace as workspace_subject
from nightlatch.instants import Instant
from nightlatch.refusals import Code, Refused, WayOut, invalid, not_found
from nightlatch.store import campaigns, reminding, teammates, workspaces
from nightlatch.store.engine import Transaction
from nightlatch.store.query import Row
from nightlatch.vocabulary import Event

MOST = 500
"""Teammates named in one go."""


@dataclass(frozen=True, slots=True)
class Reminded:
    """What comes of it."""

    number: int
    """How many will be reminded."""
    left_out: int
    """Of those named: who have 2FA, or were reminded within the last day."""


def remind(tx: Transaction, *, by: By, workspace_id: int, teammate_ids: Sequence[int] | None) -> Reminded:
    """Remind these teammates (up to MOST), or all who are left (None), who are mailed in batches afterwards.

    Raises Refused: the gate's; `not_found` for nobody of the workspace; `conflict` where 2FA is not required or whoever
    was named has it; `too_many_attempts` where they were reminded within the last day; `invalid` for too many.
    """
    if teammate_ids is not None:
        _few_enough(teammate_ids)
    named = [teammates.by_id(tx, id, workspace_id) for id in dict.fromkeys(teammate_ids or ())]
    people = [each for each in named if each is not None]
    notices.lock_people(tx, [each.account_id for each in people])
    if by.kind != "operator":
        allowed(tx, by, kinds.REMIND.at(workspace_id))
    workspace = workspaces.by_id(tx, workspace_id)
    if workspace is None or (teammate_ids is not None and not people):
        raise not_found()
    if workspace.required_from is None:
        raise Refused(
            Code.CONFLICT,
            f"{workspace.name} does not ask for 2FA, so there is nothing to remind of.",
            WayOut("See what is required.", f"/w/{workspace.slug}/settings/team/authentication"),
        )
    if teammate_ids is None:
        return _everybody(tx, by, workspace)
    return _these(tx, by, workspace, people, len(named))


# --- inside ---


def _few_enough(teammate_ids: Sequence[int]) -> None:
    if not teammate_ids:
        raise invalid("ids", "Choose whom to remind.")
    if len(teammate_ids) > MOST:
        raise invalid("ids", f"At most {MOST} can be named at once. Remind all who are left instead.")


def _these(tx: Transaction, by: By, workspace: Row, people: Sequence[Row], named: int) -> Reminded:
    number, lately = 0, None
    for each in people:
        if notices.remind(tx, workspace, each, by.name):
            number += 1
            _note(tx, by, workspace, account_subject(each.account_id, each.name))
        elif _lately(tx, workspace, each):
            lately = min(lately or each.reminded_at, each.reminded_at)
    if number == 0:
        raise _too_soon(workspace, lately) if lately is not None else _ready(workspace, len(people))
    return Reminded(number, named - number)


def _lately(tx: Transaction, workspace: Row, teammate: Row) -> bool:
    at = teammate.reminded_at
    return (
        at is not None
        and at > tx.now - teammates.REMIND_EVERY
        and not notices.is_set_up(tx, workspace, teammate)
    )


def _everybody(tx: Transaction, by: By, workspace: Row) -> Reminded:
    running = campaigns.running(tx, workspace.id, "mandate_reminder")
    number, left, latest = reminding.numbers(tx, workspace.id)
    if running is not None:
        raise _too_soon(workspace, running)
    if number == 0:
        raise _too_soon(workspace, latest) if left and latest else _ready(workspace, 0)
    campaigns.add(
        tx,
        workspace_id=workspace.id,
        revision=workspace.revision,
        kind="mandate_reminder",
        by_name=by.name,
        required_from=workspace.required_from,
    )
    _note(tx, by, workspace, workspace_subject(workspace.id, workspace.name), number=number)
    return Reminded(number, 0)


def _note(
    tx: Transaction, by: By, workspace: Row, subject: tuple[str, int | None, str], **detail: int
) -> None:
    record(tx, Event.TEAMMATE_REMINDED, by=by, subject=subject, workspace_id=workspace.id, **detail)


def _ready(workspace: Row, named: int) -> Refused:
    who = "They have" if named != 1 else "This teammate has"
    thing = "a passkey" if workspace.resistant_from is not None else "2FA"
    text = f"{who} set up {thing} already." if named else "There is nobody left to remind."
    return Refused(Code.CONFLICT, text, _table(workspace))


def _too_soon(workspace: Row, at: Instant) -> Refused:
    return Refused(
        Code.TOO_MANY_ATTEMPTS,
        "They were reminded within the last day already. Each person is reminded once a day.",
        _table(workspace),
        retry_at=at + teammates.REMIND_EVERY,
    )


def _table(workspace: Row) -> WayOut:
    return WayOut("See who is left.", f"/w/{workspace.slug}/settings/team")
