"""A reset that waits ends before it is done: withdrawn, stopped, cancelled by the person's own second step, or moot."""

from dataclasses import dataclass

from nightlatch.actions import kinds
from nightlatch.actions.by import By
from nightlatch.actions.guard import allowed, place_of
from nightlatch.actions.reset_mails import tell_ended
from nightlatch.actions.reset_rules import MAIL_STOPS_EVERY, may_ask, rank_of
from nightlatch.assurance import usable
from nightlatch.audit.events import account as account_subject
from nightlatch.audit.events import record
from nightlatch.ids import to_text
from nightlatch.instants import Instant
from nightlatch.refusals import Code, Refused, WayOut, not_found
from nightlatch.store import accounts, resets, standing, teammates, tickets, workspaces
from nightlatch.store.engine import Transaction
from nightlatch.store.known import Known
from nightlatch.store.locks import lock
from nightlatch.store.query import Row
from nightlatch.vocabulary import Event, Role

_STOPPED = ("owner", "mail")
"""Others call it cancelled: by the person's own second step, by whoever asked, or because it is moot."""


@dataclass(frozen=True, slots=True)
class LookedStop:
    """What the mailed page says. Opening it changes nothing."""

    state: str
    """`waits`, `done`, `ended`, or `once`: this page has stopped one within 7 days already."""
    workspace_name: str
    slug: str
    by: str
    reason: str
    asked_at: Instant
    until: Instant
    held: bool


def cancel(tx: Transaction, *, by: By, workspace_id: int, reset_id: int) -> str:
    """Withdraw what one asked for, or stop it as an owner: `withdrawn` or `owner`.

    Nothing becomes weaker by it, so it takes no fresh proof. Raises Refused: the gate's, `not_found`, `not_permitted`,
    `conflict` where it is done already or has ended.
    """
    reset = _waiting(tx, workspace_id, reset_id)
    lock(tx, workspaces=[workspace_id], accounts=[reset.account_id])
    known = allowed(tx, by, kinds.STOP_RESET.at(workspace_id))
    mine = known.facts.teammate(workspace_id)
    if known.facts.account == reset.account_id:
        raise Refused(
            Code.NOT_PERMITTED,
            "This one is about your own 2FA. Stop it with a fresh code, or by the link in the mail.",
            WayOut("Look at it.", f"/w/{place_of(known, workspace_id).slug}/reset"),
        )
    if known.facts.account == reset.requested_by:
        why = "withdrawn"
    elif mine is not None and mine.role is Role.OWNER:
        why = "owner"
    else:
        raise Refused(
            Code.NOT_PERMITTED,
            "Only an owner, or whoever asked for it, can stop this.",
            WayOut(
                "See who the owners are.", f"/w/{place_of(known, workspace_id).slug}/settings/team?role=owner"
            ),
        )
    if not end_reset(tx, by, reset, why):
        raise over()
    return why


def stop_own(tx: Transaction, *, by: By, workspace_id: int) -> None:
    """The person stops it from inside, with a fresh second step: as the step itself does, once in 30 days."""
    lock(tx, workspaces=[workspace_id], accounts=[by.id] if by.id is not None else [])
    known = allowed(tx, by, kinds.STOP_OWN_RESET.at(workspace_id))
    reset = resets.waiting_of(tx, known.facts.account or 0, workspace_id)
    if reset is None:
        raise over()
    if reset.held_at is not None:
        raise Refused(
            Code.CONFLICT,
            "Your second step stopped one within the last 30 days already. Since it may be stolen, this one is "
            " up to the owners: it is done only if a second owner approves it.",
            WayOut(
                "Ask an owner to stop it.",
                f"/w/{place_of(known, workspace_id).slug}/settings/team?role=owner",
            ),
        )
    end_reset(tx, by, reset, "second_step")


def second_step_shown(tx: Transaction, by: By, known: Known, authenticator_id: int) -> None:
    """A right code, under the account's lock: whoever can show one is not locked out. It cancels once in 30 days."""
    for place in (known.places or {}).values():
        if place.waiting_reset is None:
            continue
        shown = known.facts.authenticator(authenticator_id)
        reset = resets.by_id(tx, place.waiting_reset)
        if reset is None or shown is None or not usable(shown, place.id):
            continue
        if reset.held_at is None and reset.effective_at > tx.now:
            end_reset(tx, by, reset, "second_step")


# --- the mailed page ---


def look_stop(tx: Transaction, *, token_hash: bytes) -> LookedStop:
    """What the link is about. Raises Refused (`not_found`) for one that nobody knows."""
    link, reset = _by_link(tx, token_hash)
    workspace = workspaces.by_id(tx, reset.workspace_id)
    if workspace is None:
        raise not_found()
    return LookedStop(
        _state(tx, link, reset),
        workspace.name,
        workspace.slug,
        reset.requester,
        reset.reason,
        reset.created_at,
        reset.effective_at,
        reset.held_at is not None,
    )


def stop(tx: Transaction, *, by: By, token_hash: bytes) -> LookedStop:
    """Stop it by the mailed link, signed in or not: once in 7 days for a person in a workspace.

    What cannot be stopped so any more is told by the state: nothing has happened then, but for `ended` after `waits`.
    """
    link, reset = _by_link(tx, token_hash)
    lock(tx, workspaces=[reset.workspace_id], accounts=[reset.account_id])
    looked = look_stop(tx, token_hash=token_hash)
    if looked.state == "waits" and tickets.spend_link(tx, link.id):
        end_reset(tx, by, reset, "mail")
    return looked


def _by_link(tx: Transaction, token_hash: bytes) -> tuple[Row, Row]:
    link = tickets.link(tx, token_hash, "reset_stop")
    reset = resets.by_id(tx, link.reference) if link is not None and link.reference is not None else None
    if link is None or reset is None:
        raise not_found()
    return link, reset


def _state(tx: Transaction, link: Row, reset: Row) -> str:
    if reset.done_at is not None:
        return "done"
    if reset.ended_at is not None or link.spent_at is not None or link.ended_at is not None:
        return "ended"
    if reset.effective_at <= tx.now:
        return "done"
    if resets.ended_so(tx, reset.account_id, reset.workspace_id, "mail", tx.now - MAIL_STOPS_EVERY):
        return "once"
    return "waits"


# --- what other acts mean for it ---


def person_gone(tx: Transaction, by: By, workspace_id: int, account_id: int) -> None:
    """Somebody was removed or has left: what waits for them ends, and what they had asked for."""
    reset = resets.waiting_of(tx, account_id, workspace_id)
    if reset is not None:
        end_reset(tx, by, reset, "removed")
    for each in resets.waiting_by(tx, workspace_id, account_id):
        end_reset(tx, by, each, "requester")


def role_changed(tx: Transaction, by: By, workspace_id: int, account_id: int) -> None:
    """Somebody has another role: a reset of a person who ranks higher now ends, and one whose asker may not ask now."""
    row = teammates.by_account(tx, account_id, workspace_id)
    if row is None:
        return
    reset = resets.waiting_of(tx, account_id, workspace_id)
    if reset is not None and rank_of(tx, row) > reset.rank:
        end_reset(tx, by, reset, "role")
    for each in resets.waiting_by(tx, workspace_id, account_id):
        if not may_ask(Role(row.role), each.rank):
            end_reset(tx, by, each, "requester")


def end_reset(tx: Transaction, by: By, reset: Row, why: str) -> bool:
    """End it, and tell everybody concerned; False where it is done or has ended already."""
    if not resets.end(tx, reset.id, why):
        return False
    teammates.reset_waits_no_more(tx, reset.account_id, reset.workspace_id, reset.id)
    workspace, account = workspaces.by_id(tx, reset.workspace_id), accounts.by_id(tx, reset.account_id)
    if workspace is None or account is None:
        return True
    standing.refresh(tx, account.id, only=[workspace.id])
    record(
        tx,
        Event.TEAMMATE_RESET_STOPPED if why in _STOPPED else Event.TEAMMATE_RESET_CANCELLED,
        by=by,
        subject=account_subject(account.id, account.name),
        workspace_id=workspace.id,
        reset=to_text(reset.id),
        ended_by=why,
    )
    tell_ended(tx, by, workspace, account, reset, why)
    return True


def _waiting(tx: Transaction, workspace_id: int, reset_id: int) -> Row:
    reset = resets.by_id(tx, reset_id)
    if reset is None or reset.workspace_id != workspace_id:
        raise not_found()
    return reset


def over() -> Refused:
    """It waits no longer."""
    return Refused(
        Code.CONFLICT,
        "This does not wait any more: it was done, or somebody has stopped it.",
        WayOut("See your workspaces.", "/workspaces"),
    )
