"""Tickets: the mailed link that, with the first factor, lets its holder bind an authenticator (law 14)."""

from dataclasses import dataclass

from nightlatch.access import decide_workspace
from nightlatch.actions import kinds
from nightlatch.actions.by import By
from nightlatch.actions.guard import allowed, known, person_of, session_of
from nightlatch.actions.mailing import mail_address, settled_address
from nightlatch.actions.tokens import new_token
from nightlatch.assurance import passkey_alone, very_first
from nightlatch.audit.events import account as account_subject
from nightlatch.audit.events import record
from nightlatch.decision import Enrol
from nightlatch.facts import AppId, Facts
from nightlatch.instants import HOUR, Instant
from nightlatch.refusals import Code, Refused, WayOut, not_found
from nightlatch.store import accounts, outbox, resets, sessions, tickets, workspaces
from nightlatch.store.engine import Transaction
from nightlatch.store.facts import read_account_facts
from nightlatch.store.known import Known
from nightlatch.store.locks import lock
from nightlatch.store.query import Row
from nightlatch.vocabulary import Event, Method, TicketPurpose

WRONG_NUMBERS = 5
"""So many wrong numbers kill a reset's ticket; an admin can renew it."""
_MAILS_AN_HOUR = 5


@dataclass(frozen=True, slots=True)
class Sent:
    """The link is on its way."""

    email: str
    purpose: TicketPurpose


@dataclass(frozen=True, slots=True)
class Look:
    """What a ticket's page may say before anybody presses its button. Opening it changed nothing."""

    state: str
    """`ready`, `sign_in` (nobody is signed in), `other` (somebody else is), or why it is dead: `expired`, `used`,
    `replaced`, `unknown`."""
    purpose: TicketPurpose = TicketPurpose.SELF_SERVICE
    email: str = ""
    workspace_name: str | None = None
    slug: str | None = None
    by: str | None = None
    at: Instant | None = None
    passkey: bool = False
    """A passkey is what is to be set up: an app would not do."""
    needs_number: bool = False
    tries_left: int | None = None
    expires_at: Instant = 0
    app_id: AppId | None = None
    """The product that keeps the person: its own sign-in is what comes first."""


@dataclass(frozen=True, slots=True)
class Redeemed:
    """This session may now bind, in this plane."""

    workspace_id: int | None
    slug: str | None


@dataclass(frozen=True, slots=True)
class WrongNumber:
    """Charged: the number was wrong. With no tries left the ticket is dead, and an admin must renew it."""

    tries_left: int


def send(tx: Transaction, *, by: By, workspace_id: int | None) -> Sent:
    """Mail the link to the person of the session: a new one, or a reset's again with the same number."""
    lock(tx, accounts=[by.id] if by.id is not None else [])
    now = allowed(tx, by, kinds.ASK_TICKET.at(workspace_id))
    account = accounts.by_id(tx, person_of(now).id)
    if account is None:
        raise not_found()
    teammate = now.facts.teammate(workspace_id) if workspace_id is not None else None
    if workspace_id is None and not very_first(now.facts):
        raise Refused(
            Code.CONFLICT,
            "You have 2FA already. Show your second step to add another.",
            WayOut("See your settings.", "/settings/user"),
        )
    _limit(tx, account)
    if teammate is not None and teammate.reset is not None:
        return _send_again(tx, by, account, now, teammate.workspace, teammate.reset)
    return _send_own(tx, by, account, now, workspace_id)


def default_workspace(now: Known) -> int | None:
    """The workspace a ticket is for where none was named: the first that says Enrol and lacks the mailbox."""
    for teammate in now.facts.teammates:
        decision = decide_workspace(now.facts, teammate.workspace)
        if isinstance(decision, Enrol) and decision.needs == "mail":
            return teammate.workspace
    return None


def look(tx: Transaction, *, by: By, token_hash: bytes) -> Look:
    """Who, what, and which button. Changes nothing: mail scanners open every link (law 4)."""
    row = tickets.by_token(tx, token_hash)
    account = accounts.by_id(tx, row.account_id) if row is not None else None
    if row is None or account is None:
        return Look("unknown")
    dead = _why_dead(tx, row)
    purpose = TicketPurpose(row.purpose)
    workspace = workspaces.by_id(tx, row.workspace_id) if row.workspace_id is not None else None
    reset = resets.by_id(tx, row.reset_id) if row.reset_id is not None else None
    state = dead or _state(known(tx, by), account.id)
    by_name = reset.requester if reset is not None else None
    if purpose is TicketPurpose.MANDATE and workspace is not None:
        by_name = workspace.policy_changed_by
    return Look(
        state,
        purpose,
        account.email,
        workspace.name if workspace is not None else None,
        workspace.slug if workspace is not None else None,
        by_name,
        reset.created_at if reset is not None else row.created_at,
        _passkey(read_account_facts(tx, account.id), row.workspace_id),
        reset is not None and len(reset.number_tag) > 0,
        WRONG_NUMBERS - reset.number_failures if reset is not None and reset.number_failures else None,
        row.expires_at,
        account.app_id,
    )


def redeem(tx: Transaction, *, by: By, token_hash: bytes, number: str | None) -> Redeemed | WrongNumber:
    """Spend a ticket in the session of its account. Raises Refused for a dead one, or one of somebody else."""
    lock(tx, accounts=[by.id] if by.id is not None else [])
    row = tickets.by_token(tx, token_hash)
    now = allowed(tx, by, kinds.SEE_SESSION)
    if row is None or row.account_id != person_of(now).id:
        raise not_found()
    dead = _why_dead(tx, row)
    if dead is not None:
        raise _dead(dead)
    allowed(tx, by, kinds.ASK_TICKET.at(row.workspace_id))
    subject = account_subject(row.account_id, person_of(now).name)
    if row.reset_id is not None:
        wrong = _wrong_number(tx, row, number)
        if wrong is not None:
            record(
                tx,
                Event.TICKET_REFUSED,
                by=by,
                subject=subject,
                workspace_id=row.workspace_id,
                tries_left=wrong.tries_left,
            )
            return wrong
    if not tickets.redeem(tx, row.id, row.account_id):
        raise _dead("used")
    sessions.add_proof(
        tx, session_of(now).id, Method.TICKET, workspace_id=row.workspace_id, reset_id=row.reset_id
    )
    record(
        tx, Event.TICKET_REDEEMED, by=by, subject=subject, workspace_id=row.workspace_id, purpose=row.purpose
    )
    place = (now.places or {}).get(row.workspace_id)
    return Redeemed(row.workspace_id, place.slug if place is not None else None)


# --- inside ---


def _limit(tx: Transaction, account: Row) -> None:
    sent = sum(outbox.count_to(tx, account.email_key, kind, tx.now - HOUR) for kind in ("ticket", "reset"))
    if sent >= _MAILS_AN_HOUR:
        raise Refused(
            Code.TOO_MANY_ATTEMPTS,
            "We have mailed you several links already. Use the newest one, or wait an hour.",
            WayOut("See what to do when no mail comes.", "/help"),
            retry_at=tx.now + HOUR,
        )


def _send_own(tx: Transaction, by: By, account: Row, now: Known, workspace_id: int | None) -> Sent:
    token, email = new_token(), settled_address(tx, account)
    tickets.create(
        tx,
        token_hash=token.hash,
        account_id=account.id,
        purpose=TicketPurpose.SELF_SERVICE,
        workspace_id=workspace_id,
    )
    place = (now.places or {}).get(workspace_id) if workspace_id is not None else None
    mail_address(
        tx,
        "ticket",
        email,
        by=by,
        account_id=account.id,
        workspace_id=workspace_id,
        workspace=place.name if place is not None else None,
        passkey=_passkey(now.facts, workspace_id),
        link=f"/tickets/{token.text}",
        expires=tx.now + tickets.TICKET_LIFE,
    )
    return _sent(tx, by, account, email, workspace_id, TicketPurpose.SELF_SERVICE)


def _send_again(tx: Transaction, by: By, account: Row, now: Known, workspace_id: int, reset_id: int) -> Sent:
    """A reset's ticket is mailed again by the page until it is used, with the same number, to the present address."""
    reset = resets.by_id(tx, reset_id)
    if reset is None or reset.number_failures >= WRONG_NUMBERS:
        raise _dead("killed")
    token = new_token()
    tickets.create(
        tx,
        token_hash=token.hash,
        account_id=account.id,
        purpose=TicketPurpose.RESET,
        workspace_id=workspace_id,
        reset_id=reset_id,
    )
    place = (now.places or {})[workspace_id]
    mail_address(
        tx,
        "reset",
        account.email,
        by=by,
        account_id=account.id,
        workspace_id=workspace_id,
        workspace=place.name,
        by_name=reset.requester,
        reason=reset.reason,
        number=bool(reset.number_tag),
        link=f"/tickets/{token.text}",
        expires=tx.now + tickets.TICKET_LIFE,
    )
    return _sent(tx, by, account, account.email, workspace_id, TicketPurpose.RESET)


def _sent(
    tx: Transaction, by: By, account: Row, email: str, workspace_id: int | None, purpose: TicketPurpose
) -> Sent:
    subject = account_subject(account.id, account.name)
    record(tx, Event.TICKET_SENT, by=by, subject=subject, workspace_id=workspace_id, purpose=purpose)
    return Sent(email, purpose)


def _passkey(facts: Facts, workspace_id: int | None) -> bool:
    """Whether a passkey is what the link is for: there, or without a workspace in any."""
    everywhere = [each.workspace for each in facts.teammates]
    return passkey_alone(facts, everywhere if workspace_id is None else [workspace_id])


def _state(now: Known, account_id: int) -> str:
    if now.person is None:
        return "sign_in"
    return "ready" if now.person.id == account_id else "other"


def _why_dead(tx: Transaction, row: Row) -> str | None:
    if row.redeemed_at is not None:
        return "used"
    if row.ended_at is not None:
        return "replaced"
    return "expired" if row.expires_at <= tx.now else None


def _dead(why: str) -> Refused:
    again = WayOut("Have a new link mailed to you.", "/set-up")
    if why == "used":
        return Refused(Code.ALREADY_USED, "This link was used already.", again)
    if why == "killed":
        return Refused(
            Code.EXPIRED,
            "There were too many wrong numbers. An admin of your workspace can start it again.",
            WayOut("See who can help.", "/recover"),
        )
    return Refused(Code.EXPIRED, "This link no longer works.", again)


def _wrong_number(tx: Transaction, row: Row, number: str | None) -> WrongNumber | None:
    """None: the number is right, or was waived. A wrong one is charged to the reset, not to the link."""
    reset = resets.take(tx, row.reset_id)
    if reset is None or reset.completed_at is not None or reset.ended_at is not None:
        raise _dead("expired")
    if reset.number_failures >= WRONG_NUMBERS:
        raise _dead("killed")
    if not reset.number_tag:
        return None
    digits = "".join(letter for letter in (number or "") if letter not in " -\t\u2013\u2014")
    if tx.keys.tag_matches("reset_number", f"{reset.id}:{digits}".encode(), reset.number_tag):
        return None
    failures = resets.number_failed(tx, reset.id)
    if failures >= WRONG_NUMBERS:
        tickets.end_open(tx, row.account_id, row.workspace_id)
    return WrongNumber(max(0, WRONG_NUMBERS - failures))
