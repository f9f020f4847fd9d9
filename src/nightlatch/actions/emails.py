"""Changing one's e-mail: confirmed by the new mailbox, undone by the old one (design: "lives"; laws 13 and 14)."""

from dataclasses import dataclass

from nightlatch import addresses
from nightlatch.actions import kinds
from nightlatch.actions.api_tokens import end_of_account
from nightlatch.actions.by import By
from nightlatch.actions.email_mails import mail_confirm, mail_undo
from nightlatch.actions.guard import allowed, person_of
from nightlatch.actions.kept import refuse_person
from nightlatch.actions.links import live_link, spend, used
from nightlatch.actions.mailing import UNDO_WINDOW, every_address, mail_account, mail_address, mail_copies
from nightlatch.actions.remembering import forget
from nightlatch.actions.standing_notes import note_changed
from nightlatch.addresses import Address, masked
from nightlatch.audit.events import account as account_subject
from nightlatch.audit.events import record
from nightlatch.instants import HOUR, Instant
from nightlatch.refusals import Code, Refused, WayOut, invalid, not_found
from nightlatch.store import accounts, email_changes, enrolments, sessions, standing, tickets
from nightlatch.store.engine import Transaction
from nightlatch.store.locks import address_name, lock
from nightlatch.store.query import Row
from nightlatch.vocabulary import Event

CHANGES_AN_HOUR = 5
_AGAIN = WayOut("Ask for the change again.", "/settings/user")
_HELP = WayOut("Choose a new password.", "/password-reset")


@dataclass(frozen=True, slots=True)
class EmailChange:
    """A change that waits for the new mailbox: the same whether or not somebody has that address already."""

    email: str
    requested_at: Instant
    expires_at: Instant


@dataclass(frozen=True, slots=True)
class ConfirmLink:
    """What the page of a confirm link may say. Its reader may be a stranger: the present address is masked."""

    new_email: str
    old_email: str
    expires_at: Instant


@dataclass(frozen=True, slots=True)
class UndoLink:
    """What the page of an undo link may say."""

    old_email: str
    new_email: str
    changed_at: Instant
    expires_at: Instant


# --- asking for a change ---


def pending(tx: Transaction, *, by: By) -> EmailChange | None:
    """The change of the session's account that waits for its new mailbox. Reads only."""
    row = email_changes.pending(tx, person_of(allowed(tx, by, kinds.READ_PROFILE)).id)
    if row is None or row.requested_at + tickets.LINK_LIVES["email_confirm"] <= tx.now:
        return None
    return _waiting(row.new_email, row.requested_at)


def request_change(tx: Transaction, *, by: By, address: Address) -> EmailChange:
    """Mail a confirm link to the new address and a notice to the present ones; an older pending change dies.

    An address that has an account gets no mail, and the answer is the same. Raises Refused: the gate's, `invalid` for
    the present address, `too_many_attempts`.
    """
    lock(tx, accounts=[by.id] if by.id is not None else [])
    account = _account(tx, person_of(allowed(tx, by, kinds.CHANGE_EMAIL)).id)
    if address.key == account.email_key:
        raise invalid("email", "This is your e-mail address already.")
    if email_changes.asked_since(tx, account.id, tx.now - HOUR) >= CHANGES_AN_HOUR:
        raise Refused(
            Code.TOO_MANY_ATTEMPTS,
            "You have asked for several changes already. Use the newest link, or wait an hour.",
            WayOut("See your settings.", "/settings/user"),
            retry_at=tx.now + HOUR,
        )
    end_pending_change(tx, account.id)
    change_id = email_changes.request(tx, account_id=account.id, old_email=account.email, new=address)
    mail_confirm(tx, by, account, address, change_id)
    mail_account(tx, "email_changing", account, by=by, new=address.display)
    record(tx, Event.EMAIL_CHANGE_REQUESTED, by=by, subject=_subject(account), new=address.display)
    return _waiting(address.display, tx.now)


def cancel(tx: Transaction, *, by: By) -> None:
    """Take the pending change back: its link is dead. Raises Refused: the gate's, and not found."""
    lock(tx, accounts=[by.id] if by.id is not None else [])
    person = person_of(allowed(tx, by, kinds.CANCEL_EMAIL_CHANGE))
    refuse_person(person)
    account = _account(tx, person.id)
    if not end_pending_change(tx, account.id):
        raise not_found()
    record(tx, Event.EMAIL_CHANGE_CANCELLED, by=by, subject=_subject(account))


def end_pending_change(tx: Transaction, account_id: int) -> bool:
    """A pending change and its link die: by a newer one, by its owner, by a new password (F06)."""
    tickets.end_links(tx, account_id, "email_confirm")
    return email_changes.end_pending(tx, account_id)


# --- the new mailbox confirms ---


def look_confirm(tx: Transaction, token_hash: bytes) -> ConfirmLink:
    """What confirming would do. Changes nothing. Raises Refused for a link that no longer works."""
    link = live_link(tx, token_hash, "email_confirm", _AGAIN)
    change = _pending_change(tx, link)
    return ConfirmLink(change.new_email, masked(change.old_email), link.expires_at)


def confirm(tx: Transaction, *, by: By, token_hash: bytes) -> None:
    """The link is the proof of the new mailbox: the account is known by that address from now on.

    Needs no session and opens none. Raises Refused: a dead link, or an address that was taken meanwhile.
    """
    link = live_link(tx, token_hash, "email_confirm", _AGAIN)
    new = addresses.parse(_pending_change(tx, link).new_email)
    lock(tx, accounts=[link.account_id], names=[address_name(new.key)])
    link = live_link(tx, token_hash, "email_confirm", _AGAIN)
    change, account = _pending_change(tx, link), _account(tx, link.account_id)
    _refuse_if_taken(tx, new, account)
    spend(tx, link, _AGAIN)
    if not email_changes.confirm(tx, change.id, account.id):
        raise used(_AGAIN)
    accounts.set_email(tx, account.id, account.email_key, new)
    # Mailed to the address that is no longer this account's: whoever reads it must not get in by them (F06).
    tickets.end_links(tx, account.id, "password_reset")
    tickets.end_links(tx, account.id, "unblock")
    forget(tx, by, account.id, account.name, how="e-mail")
    standing.refresh(tx, account.id)
    record(tx, Event.EMAIL_CHANGED, by=by, subject=_subject(account), old=account.email, new=new.display)
    note_changed(tx, by=by, account_id=account.id)
    for each in email_changes.confirmed_since(tx, account.id, tx.now - UNDO_WINDOW):
        mail_undo(tx, by, account.id, each, new)
    mail_copies(tx, "email_changed", _account(tx, account.id), by=by, new=new.display)


# --- the old mailbox undoes ---


def look_undo(tx: Transaction, token_hash: bytes) -> UndoLink:
    """What undoing would do. Changes nothing. Raises Refused for a link that no longer works."""
    link = live_link(tx, token_hash, "email_undo", _HELP)
    change = _confirmed_change(tx, link)
    account = _account(tx, link.account_id)
    return UndoLink(change.old_email, account.email, change.confirmed_at, link.expires_at)


def undo(tx: Transaction, *, by: By, token_hash: bytes) -> str:
    """The old mailbox alone takes the change back, and whatever was changed after it. Returns the restored address.

    Every session and API token of the account ends, and every link and ticket that is under way; nothing is bound or
    unbound, and the password stays (the page leads to a new one). Raises Refused: a dead link, or an address that is
    another account's now.
    """
    link = live_link(tx, token_hash, "email_undo", _HELP)
    old = addresses.parse(_confirmed_change(tx, link).old_email)
    lock(tx, accounts=[link.account_id], names=[address_name(old.key)])
    link = live_link(tx, token_hash, "email_undo", _HELP)
    change, account = _confirmed_change(tx, link), _account(tx, link.account_id)
    _refuse_if_taken(tx, old, account)
    spend(tx, link, _HELP)
    told = list(dict.fromkeys([old.display, *every_address(tx, account)]))
    email_changes.undo(tx, change.id, account.id)
    if account.email_key != old.key:
        accounts.set_email(tx, account.id, account.email_key, old)
    _end_everything(tx, account.id)
    end_of_account(tx, account, by=by, how="an e-mail change undone")
    forget(tx, by, account.id, account.name, how="e-mail")
    standing.refresh(tx, account.id)
    record(
        tx, Event.EMAIL_CHANGE_UNDONE, by=by, subject=_subject(account), old=account.email, new=old.display
    )
    note_changed(tx, by=by, account_id=account.id)
    for email in told:
        mail_address(tx, "email_undone", email, by=by, account_id=account.id, account=old.display)
    mail_copies(tx, "email_undone", _account(tx, account.id), by=by, account=old.display)
    return old.display


# --- inside ---


def _waiting(email: str, requested_at: Instant) -> EmailChange:
    return EmailChange(email, requested_at, requested_at + tickets.LINK_LIVES["email_confirm"])


def _subject(account: Row) -> tuple[str, int | None, str]:
    return account_subject(account.id, account.name)


def _account(tx: Transaction, account_id: int) -> Row:
    account = accounts.by_id(tx, account_id)
    if account is None:
        raise not_found()
    return account


def _pending_change(tx: Transaction, link: Row) -> Row:
    change = email_changes.by_id(tx, link.reference, link.account_id)
    if change is None or change.ended_at is not None or change.confirmed_at is not None:
        raise used(_AGAIN)
    return change


def _confirmed_change(tx: Transaction, link: Row) -> Row:
    change = email_changes.by_id(tx, link.reference, link.account_id)
    if change is None or change.confirmed_at is None or change.undone_at is not None:
        raise used(_HELP)
    return change


def _refuse_if_taken(tx: Transaction, address: Address, account: Row) -> None:
    holder = accounts.by_email(tx, address.key)
    if holder is not None and holder.id != account.id:
        raise Refused(
            Code.CONFLICT,
            "Another account uses this e-mail address now.",
            WayOut("Sign in to that account.", "/sign-in"),
        )


def _end_everything(tx: Transaction, account_id: int) -> None:
    """Two people reach for this account: nothing that is under way goes on, whoever began it."""
    sessions.end_others(tx, account_id, keep=None)
    enrolments.drop_all(tx, account_id)
    tickets.end_all(tx, account_id)
    end_pending_change(tx, account_id)
    for purpose in ("password_reset", "unblock", "lift", "notify_confirm"):
        tickets.end_links(tx, account_id, purpose)
