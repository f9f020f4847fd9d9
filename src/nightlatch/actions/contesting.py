"""Not me: by the link in a mail a person says that what the mail tells was somebody else.

What the mail is about is suspended wherever the account has it, and the sessions that were opened with it end. It stays
bound and relied on, so nothing becomes bindable by it and no workspace opens. A link in a mailbox is not much of a
proof, so it does not do more than that (docs/decisions/0018-contested.md): whoever reads the mailbox can suspend what a
mail of the last 72 hours is about. The ways back are another second factor (`losing.found`), the reset by an admin, and
the operator (`unlock`); the mailed link that lifts a suspension by failures does not lift this one.
"""

from dataclasses import dataclass

from nightlatch.actions.api_tokens import end_of_account
from nightlatch.actions.by import By
from nightlatch.actions.help import tell_contested
from nightlatch.actions.help_closing import closed
from nightlatch.actions.links import live_link, spend
from nightlatch.actions.mailing import mail_account
from nightlatch.actions.not_me import PURPOSE
from nightlatch.actions.not_me import not_me_link as not_me_link
from nightlatch.actions.remembering import forget
from nightlatch.audit.events import account as account_subject
from nightlatch.audit.events import record
from nightlatch.facts import AppId
from nightlatch.instants import Instant
from nightlatch.refusals import WayOut, not_found
from nightlatch.store import accounts, authenticators, help_requests, sessions, standing
from nightlatch.store.engine import Transaction
from nightlatch.store.locks import lock
from nightlatch.store.query import Row
from nightlatch.vocabulary import Event, Method

_AGAIN = WayOut("Choose a new password.", "/password-reset")


@dataclass(frozen=True, slots=True)
class NotMe:
    """What a link is about, for the page with its one button."""

    email: str
    method: Method | None
    """What would be suspended; None where the mail was about nothing that is still bound."""
    name: str
    contested: bool
    """It is suspended like that already."""
    asks_for_help: bool
    """Calls for help are open, and would be closed."""
    created_at: Instant
    expires_at: Instant
    app_id: AppId | None
    """The product that keeps the account."""


def look(tx: Transaction, token_hash: bytes) -> NotMe:
    """What contesting would do. Changes nothing. Raises Refused for a link that no longer works."""
    link = live_link(tx, token_hash, PURPOSE, _AGAIN)
    account, row = _account(tx, link), _about(tx, link)
    return NotMe(
        account.email,
        Method(row.method) if row is not None else None,
        row.name if row is not None else "",
        row is not None and row.contested_at is not None,
        bool(help_requests.open_of(tx, account.id)),
        link.created_at,
        link.expires_at,
        account.app_id,
    )


def contest(tx: Transaction, *, by: By, token_hash: bytes) -> NotMe:
    """Suspend what the mail was about and end its sessions, or, where it was about nothing bound, all sessions.

    With them go the API tokens that were made since it was bound, or all.
    Recovery codes that were made in the very act of binding an app go the same way: whoever bound the app has them.
    Raises Refused for a link that no longer works.
    """
    link = live_link(tx, token_hash, PURPOSE, _AGAIN)
    lock(tx, accounts=[link.account_id])
    seen = look(tx, token_hash)
    link = live_link(tx, token_hash, PURPOSE, _AGAIN)
    spend(tx, link, _AGAIN)
    account, row = _account(tx, link), _about(tx, link)
    if row is not None:
        _suspend(tx, by, account, row)
    else:
        ended = sessions.end_others(tx, account.id, keep=None)
        end_of_account(tx, account, by=by, how="not me")
        subject = account_subject(account.id, account.name)
        record(tx, Event.SESSION_ENDED, by=by, subject=subject, how="not me", count=len(ended))
    for workspace_id in closed(tx, by=by, account_id=account.id, why="contested"):
        tell_contested(tx, by=by, account=account, workspace_id=workspace_id)
    forget(tx, by, account.id, account.name, how="not me")
    standing.refresh(tx, account.id)
    mail_account(tx, "contested", account, by=by, name=row.name if row is not None else None)
    return seen


# --- inside ---


def _suspend(tx: Transaction, by: By, account: Row, row: Row) -> None:
    about = [row.id]
    if row.method != Method.RECOVERY_CODE:
        about += authenticators.codes_bound_with(tx, account.id, row.bound_at)
    ended = 0
    for each in about:
        authenticators.contest(tx, each)
        ended += len(sessions.end_holding(tx, account.id, each))
    # Whoever bound it may have made API tokens since; they would outlive their sessions.
    end_of_account(tx, account, by=by, how="not me", since=row.bound_at)
    record(
        tx,
        Event.AUTHENTICATOR_CONTESTED,
        by=by,
        subject=account_subject(account.id, account.name),
        method=row.method,
        name=row.name,
        sessions_ended=ended,
    )


def _account(tx: Transaction, link: Row) -> Row:
    account = accounts.by_id(tx, link.account_id)
    if account is None:
        raise not_found()
    return account


def _about(tx: Transaction, link: Row) -> Row | None:
    """The authenticator that the mail was about, if it is still bound."""
    if link.reference is None:
        return None
    return authenticators.by_id(tx, link.reference, link.account_id)
