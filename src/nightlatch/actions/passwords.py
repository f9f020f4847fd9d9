"""Forgotten and changed passwords. Hashing happens outside: argon2 never runs in a transaction.

A reset shows the mailbox and nothing else: it never signs anybody in, never touches the second step, opens nothing and
binds nothing (design, "planes and reach"; F04).
"""

from dataclasses import dataclass

from nightlatch.actions import kinds
from nightlatch.actions.api_tokens import end_of_account
from nightlatch.actions.by import By
from nightlatch.actions.emails import end_pending_change
from nightlatch.actions.guard import allowed, person_of, session_of
from nightlatch.actions.links import Mailed, live_link, mail_link, spend
from nightlatch.actions.mailing import mail_account
from nightlatch.actions.proving import Proved
from nightlatch.actions.remembering import forget
from nightlatch.actions.tokens import Token
from nightlatch.addresses import Address
from nightlatch.audit.events import account as account_subject
from nightlatch.audit.events import record
from nightlatch.instants import Instant
from nightlatch.refusals import Code, Refused, WayOut, not_found
from nightlatch.store import accounts, enrolments, sessions, teammates, tickets, workspaces
from nightlatch.store.engine import Transaction
from nightlatch.store.locks import lock
from nightlatch.store.query import Row
from nightlatch.store.session_facts import read_known
from nightlatch.vocabulary import Event, Method

RESETS_AN_HOUR = 3
"""Reset mails to one address."""
_FORGOTTEN = Mailed("password_reset", "password_reset", "/password-reset", RESETS_AN_HOUR)
_AGAIN = WayOut("Ask for a new link.", "/password-reset")


@dataclass(frozen=True, slots=True)
class ResetLink:
    """Whose password a reset link is for, and what it must not be made of."""

    account_id: int
    email: str
    expires_at: Instant
    words: tuple[str, ...]


def words_for(tx: Transaction, account_id: int) -> tuple[str, ...]:
    """What anybody may know of a person, for `authenticators.password.problem`: e-mail, name, workspaces."""
    account = accounts.by_id(tx, account_id)
    if account is None:
        return ()
    words = [account.email, account.name]
    for membership in teammates.of_account(tx, account_id):
        workspace = workspaces.by_id(tx, membership.workspace_id)
        words += [workspace.name, workspace.slug] if workspace is not None else []
    return tuple(dict.fromkeys(words))


# --- forgotten ---


def request_reset(tx: Transaction, *, by: By, address: Address) -> None:
    """Mail a reset link to the account's own spelling of the address, if there is one. The answer is always the same.

    A row is written in any case, so that the commit takes as long for an unknown address (F41). At most three mails an
    hour; a newer link kills the older.
    """
    account = mail_link(tx, by=by, address=address, about=_FORGOTTEN)
    if account is not None:
        subject = account_subject(account.id, account.name)
        record(tx, Event.PASSWORD_RESET_REQUESTED, by=by, subject=subject)


def look_reset(tx: Transaction, token_hash: bytes) -> ResetLink:
    """Whose password the link is for. Changes nothing. Raises Refused for a link that no longer works."""
    link, account = _reset_link(tx, token_hash)
    return ResetLink(account.id, account.email, link.expires_at, words_for(tx, account.id))


def finish_reset(tx: Transaction, *, by: By, token_hash: bytes, password_hash: str) -> None:
    """Spend the link and set the password. Every session and API token ends, and none begins. Raises Refused for a dead
    link.

    Authenticators, their suspensions and their counters stay what they were. Open tickets stay too: they are good only
    with the new password. The browser has opened a mailed link, so that the wrong passwords of strangers do not keep it
    waiting (law 5 c); that is all that being known does for it.
    """
    lock(tx, accounts=[_reset_link(tx, token_hash)[1].id])
    link, account = _reset_link(tx, token_hash)
    spend(tx, link, _AGAIN)
    accounts.set_password(tx, account.id, password_hash)
    ended = sessions.end_others(tx, account.id, keep=None)
    end_of_account(tx, account, by=by, how="a new password by mail")
    enrolments.drop_all(tx, account.id)
    _after_new_password(tx, by, account)
    sessions.remember_browser(tx, by.browser, account.id)
    subject = account_subject(account.id, account.name)
    record(tx, Event.PASSWORD_RESET, by=by, subject=subject, sessions_ended=len(ended))
    mail_account(tx, "password_reset_done", account, by=by, account=account.email)


# --- changed ---


def change(tx: Transaction, *, by: By, password_hash: str, session_token: Token) -> Proved:
    """Set another password, behind fresh proof. Every other session ends; this one goes on under its new token.

    What the session may bind later needs the first factor, and that is the new password now: it counts as just shown.
    Raises Refused.
    """
    lock(tx, accounts=[by.id] if by.id is not None else [])
    known = allowed(tx, by, kinds.CHANGE_PASSWORD)
    session, account = session_of(known), accounts.by_id(tx, person_of(known).id)
    token = session_token.of_session(session.id)
    if account is None or not sessions.rotate(tx, session.id, token.hash, pending_until=None):
        raise not_found()
    accounts.set_password(tx, account.id, password_hash)
    sessions.add_proof(tx, session.id, Method.PASSWORD)
    ended = sessions.end_others(tx, account.id, keep=session.id)
    enrolments.drop_others(tx, account.id, session.id)
    _after_new_password(tx, by, account)
    subject = account_subject(account.id, account.name)
    record(tx, Event.PASSWORD_CHANGED, by=by, subject=subject, sessions_ended=len(ended))
    mail_account(tx, "password_changed", account, by=by, account=account.email)
    return Proved(read_known(tx, token.hash, session.kind), token)


# --- inside ---


def _reset_link(tx: Transaction, token_hash: bytes) -> tuple[Row, Row]:
    """The link and its account, as long as the account still has the address that the link went to (F06)."""
    link = live_link(tx, token_hash, "password_reset", _AGAIN)
    account = accounts.by_id(tx, link.account_id)
    if account is None or account.email_key != link.email_key:
        raise Refused(Code.EXPIRED, "This link no longer works.", _AGAIN)
    return link, account


def _after_new_password(tx: Transaction, by: By, account: Row) -> None:
    """What somebody with the old password may have begun dies: other reset links, a pending e-mail change, an address
    for notices that is not confirmed yet (F06). No browser is remembered any more (F38)."""
    tickets.end_links(tx, account.id, "password_reset")
    tickets.end_links(tx, account.id, "notify_confirm")
    end_pending_change(tx, account.id)
    forget(tx, by, account.id, account.name, how="password")
