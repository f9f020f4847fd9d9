"""Mailed links that are neither tickets nor invitations: alive or not, and spending them (law 4)."""

from dataclasses import dataclass

from nightlatch.actions.by import By
from nightlatch.actions.mailing import mail_address
from nightlatch.actions.tokens import new_token
from nightlatch.addresses import Address
from nightlatch.instants import HOUR
from nightlatch.refusals import Code, Refused, WayOut
from nightlatch.store import accounts, outbox, tickets
from nightlatch.store.engine import Transaction
from nightlatch.store.locks import lock
from nightlatch.store.query import Row


@dataclass(frozen=True, slots=True)
class Mailed:
    """A link that anybody may have mailed to whose address it is."""

    purpose: str
    kind: str
    """Of the mail."""
    path: str
    most_an_hour: int


def live_link(tx: Transaction, token_hash: bytes, purpose: str, again: WayOut) -> Row:
    """The link, if it still works. Reads only: opening a link changes nothing.

    Raises Refused: `already_used`, else `expired`, also for a token that never was one.
    """
    row = tickets.link(tx, token_hash, purpose)
    if row is not None and row.spent_at is not None:
        raise used(again)
    if row is None or row.account_id is None or row.ended_at is not None or row.expires_at <= tx.now:
        raise Refused(Code.EXPIRED, "This link no longer works.", again)
    return row


def mail_link(tx: Transaction, *, by: By, address: Address, about: Mailed) -> Row | None:
    """Mail a link to the account of an address, in the account's own spelling; the account, None where none was mailed.

    A row is written in any case, so that the commit takes as long for an unknown address (F41). At most `most_an_hour`
    mails an hour, counted one after the other; a newer link kills the older.
    """
    account = accounts.by_email(tx, address.key)
    if account is not None:
        lock(tx, accounts=[account.id])
        account = accounts.by_email(tx, address.key)
    if outbox.count_to(tx, address.key, about.kind, tx.now - HOUR) >= about.most_an_hour:
        account = None
    token = new_token()
    tickets.create_link(
        tx,
        token_hash=token.hash,
        purpose=about.purpose,
        account_id=account.id if account is not None else None,
        email_key=address.key,
    )
    if account is not None:
        mail_address(
            tx,
            about.kind,
            account.email,
            by=by,
            account_id=account.id,
            link=f"{about.path}/{token.text}",
            expires=tx.now + tickets.LINK_LIVES[about.purpose],
        )
    return account


def spend(tx: Transaction, row: Row, again: WayOut) -> None:
    """Spend it, once. Raises Refused where somebody else was first."""
    if not tickets.spend_link(tx, row.id):
        raise used(again)


def used(again: WayOut) -> Refused:
    """The refusal of a link that has done what it was for."""
    return Refused(Code.ALREADY_USED, "This link was used already.", again)
