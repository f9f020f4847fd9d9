"""Who may be given more time, for how long, and how often; and who can agree to it. Reads only."""

from dataclasses import dataclass

from nightlatch.actions.by import By
from nightlatch.actions.exceptions_ending import is_open
from nightlatch.assurance import enrolled, ready
from nightlatch.facts import Facts
from nightlatch.instants import DAY, Duration, Instant
from nightlatch.mail import words
from nightlatch.policy import ManagedBy, Mandate, binding_from
from nightlatch.refusals import Code, Refused, WayOut, invalid
from nightlatch.store import exceptions, teammates
from nightlatch.store.engine import Transaction
from nightlatch.store.facts import read_account_facts
from nightlatch.store.query import Row
from nightlatch.vocabulary import Role

LONGEST: Duration = 30 * DAY
"""From the moment it is asked for."""
IN_A_ROW = 2
GAP: Duration = 30 * DAY
"""So long without any, and the row begins anew."""


@dataclass(frozen=True, slots=True)
class Approver:
    """Somebody who can agree."""

    account_id: int
    name: str
    email: str


def may_have(tx: Transaction, by: By, workspace: Row, target: Row) -> Instant:
    """From when this teammate is asked for what they lack: an exception ends later than that.

    Raises Refused where they can have no (further) one now, whoever agrees.
    """
    if by.kind == "account" and by.id == target.account_id:
        raise _not_permitted(workspace, "Nobody gives themself more time.")
    if Role(target.role) is not Role.MEMBER:
        raise _not_permitted(
            workspace,
            "Only members can be given more time. Admins and owners set up 2FA when it is required.",
        )
    if workspace.required_from is None:
        raise _conflict(workspace, f"{workspace.name} does not require 2FA, so nobody needs more time.")
    facts = read_account_facts(tx, target.account_id)
    if ready(facts, workspace.id):
        raise _conflict(workspace, f"{target.name} has what is required already.")
    again = again_from(exceptions.of_person(tx, workspace.id, target.account_id), tx.now)
    if again is not None:
        raise _conflict(
            workspace,
            f"{target.name} was given more time twice in a row. It is possible again on {words.day(again)}, "
            "after 30 days without.",
        )
    begins = _asked_from(facts, workspace, target)
    if begins >= tx.now + LONGEST:
        raise _conflict(
            workspace,
            f"{target.name} has time until {words.moment(begins)} anyway. More can be asked for from "
            f"{words.day(begins - LONGEST + DAY)} on.",
        )
    return begins


def nothing_waits(tx: Transaction, workspace: Row, target: Row) -> None:
    """Raises Refused where somebody has asked already."""
    if waiting(exceptions.of_person(tx, workspace.id, target.account_id), tx.now) is not None:
        raise _conflict(workspace, "Somebody has asked already, and it waits for another person to agree.")


def checked_end(now: Instant, ends_at: Instant, begins: Instant) -> None:
    """Raises Refused (`invalid`, at `ends_at`) for an end that is past, too far off, or gives no time: `begins` is from
    when they are asked anyway."""
    if ends_at <= now:
        raise invalid("ends_at", "This is in the past. Choose a day to come.")
    if ends_at <= begins:
        raise invalid("ends_at", f"They have time until {words.moment(begins)} anyway. Choose a later day.")
    if ends_at > now + LONGEST:
        raise invalid(
            "ends_at", f"At most {LONGEST // DAY} days from now: until {words.moment(now + LONGEST)}."
        )


def gives_time(workspace: Row, target: Row, row: Row, begins: Instant) -> None:
    """Raises Refused where one that waits would end before they are asked: that was put off since."""
    if row.ends_at <= begins:
        raise _conflict(
            workspace,
            f"{target.name} has time until {words.moment(begins)} anyway. Refuse this, and ask for a later day.",
        )


def again_from(rows: list[Row], now: Instant) -> Instant | None:
    """From when on a person can have one again; None where it is possible now. `rows`: all of theirs there."""
    number, last_end = 0, 0
    for row in sorted(
        (each for each in rows if each.approved_at is not None), key=lambda each: each.approved_at
    ):
        number = 1 if row.approved_at - last_end >= GAP else number + 1
        last_end = max(last_end, min(row.ends_at, row.ended_at or row.ends_at))
    return last_end + GAP if number >= IN_A_ROW and now - last_end < GAP else None


def waiting(rows: list[Row], now: Instant) -> Row | None:
    """The one that waits for somebody to agree."""
    return next((each for each in rows if is_open(each, now) and each.approved_at is None), None)


def standing(rows: list[Row], now: Instant) -> Row | None:
    """The one that stands."""
    return next((each for each in rows if is_open(each, now) and each.approved_at is not None), None)


def approvers(tx: Transaction, workspace: Row, *, but: tuple[int | None, ...]) -> list[Approver]:
    """Up to ten who can agree: owners, and admins unless an owner keeps authentication for owners. Owners first."""
    return [
        Approver(row.account_id, row.name, row.email)
        for row in teammates.managers(tx, workspace.id)
        if row.account_id not in but and (row.role == Role.OWNER or workspace.managed_by == ManagedBy.ADMINS)
    ]


def _asked_from(facts: Facts, workspace: Row, target: Row) -> Instant:
    """From when the mandate, or its strength, binds them with no exception; 0 where that is nothing to wait for."""
    binds = binding_from(workspace.required_from, workspace.announced_at, target.joined_at, None)
    resistant = binding_from(
        workspace.resistant_from, workspace.resistant_announced_at, target.joined_at, None
    )
    has = enrolled(facts.authenticators, workspace.id)
    return Mandate(binds, resistant_from=resistant).lacking_from(has_two_factor=has) or 0


def _not_permitted(workspace: Row, detail: str) -> Refused:
    return Refused(
        Code.NOT_PERMITTED, detail, WayOut("See the teammates.", f"/w/{workspace.slug}/settings/team")
    )


def _conflict(workspace: Row, detail: str) -> Refused:
    return Refused(
        Code.CONFLICT, detail, WayOut("See all exceptions.", f"/w/{workspace.slug}/settings/team/exceptions")
    )
