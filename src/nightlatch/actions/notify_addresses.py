"""Further addresses that are told what happens to an account: up to two, each confirmed by a link in its mailbox.

They are told and nothing else: no sign-in, no ticket, no password reset goes there, and the copies they get hold no
link that changes anything (`mailing.mail_copies`).
"""

from collections.abc import Sequence
from dataclasses import dataclass

from nightlatch.actions import kinds
from nightlatch.actions.by import By
from nightlatch.actions.guard import allowed, person_of
from nightlatch.actions.links import live_link, spend, used
from nightlatch.actions.mailing import mail_account, mail_address
from nightlatch.actions.tokens import new_token
from nightlatch.addresses import Address, masked
from nightlatch.audit.events import account as account_subject
from nightlatch.audit.events import record
from nightlatch.instants import DAY
from nightlatch.refusals import Code, Refused, WayOut, invalid, not_found
from nightlatch.store import accounts, notification_addresses, outbox, tickets
from nightlatch.store.engine import Transaction
from nightlatch.store.locks import lock
from nightlatch.store.query import Row
from nightlatch.vocabulary import Event

MOST = 2
CONFIRM_MAILS_A_DAY = 3
"""To one address, whoever asks."""
ASKED_A_DAY = 6
"""By one account, whichever addresses."""
PURPOSE = "notify_confirm"
_AGAIN = WayOut("Add the address again in your settings.", "/settings/user")


@dataclass(frozen=True, slots=True)
class NotifyAddress:
    """One further address, as its owner sees it."""

    id: int
    email: str
    confirmed: bool


@dataclass(frozen=True, slots=True)
class NotifyLink:
    """What the page of a confirm link says. Its reader may be a stranger: the account's address is masked."""

    email: str
    account_email: str
    expires_at: int


def own(tx: Transaction, *, by: By) -> list[NotifyAddress]:
    """The addresses of the session's account, in the order in which they were added. Reads only. Raises Refused."""
    person = person_of(allowed(tx, by, kinds.READ_ACCOUNT))
    rows = notification_addresses.of_account(tx, person.id)
    return [NotifyAddress(row.id, row.email, row.confirmed_at is not None) for row in rows]


def set_all(tx: Transaction, *, by: By, wanted: Sequence[Address]) -> None:
    """Exactly these: what is missing is added, and waits for its mailbox; what is not named is removed.

    Raises Refused: the gate's (fresh proof, where something changes), `invalid`, `too_many_attempts`.
    """
    lock(tx, accounts=[by.id] if by.id is not None else [])
    account = _own_account(tx, by)
    keys = {address.key: address for address in wanted}
    rows = {row.email_key: row for row in notification_addresses.of_account(tx, account.id)}
    if keys.keys() == rows.keys():
        return
    allowed(tx, by, kinds.CHANGE_NOTIFY)
    if len(keys) > MOST:
        raise invalid("notify", f"Give {MOST} addresses at most.")
    for key, row in rows.items():
        if key not in keys:
            _remove(tx, by, account, row)
    for key, address in keys.items():
        if key not in rows:
            _add(tx, by, account, address)


def add(tx: Transaction, *, by: By, address: Address) -> None:
    """One more. It is mailed a link, and told nothing before that is confirmed. Raises Refused as `set_all` does."""
    lock(tx, accounts=[by.id] if by.id is not None else [])
    allowed(tx, by, kinds.CHANGE_NOTIFY)
    account = _own_account(tx, by)
    rows = notification_addresses.of_account(tx, account.id)
    if any(row.email_key == address.key for row in rows):
        raise invalid("notify", "This address is there already.")
    if len(rows) >= MOST:
        raise invalid("notify", f"There are {MOST} addresses already. Remove one first.")
    _add(tx, by, account, address)


def remove(tx: Transaction, *, by: By, id: int) -> None:
    """One less. Everybody is told, the removed address included. Raises Refused: the gate's, `not_found`."""
    lock(tx, accounts=[by.id] if by.id is not None else [])
    allowed(tx, by, kinds.CHANGE_NOTIFY)
    account = _own_account(tx, by)
    for row in notification_addresses.of_account(tx, account.id):
        if row.id == id:
            return _remove(tx, by, account, row)
    raise not_found()


def look_confirm(tx: Transaction, token_hash: bytes) -> NotifyLink:
    """What confirming would do. Changes nothing. Raises Refused for a link that no longer works."""
    link = live_link(tx, token_hash, PURPOSE, _AGAIN)
    row, account = _waiting(tx, link)
    return NotifyLink(row.email, masked(account.email), link.expires_at)


def confirm(tx: Transaction, *, by: By, token_hash: bytes) -> None:
    """The mailbox was shown: from now on it is told. Needs no session and opens none. Raises Refused."""
    link = live_link(tx, token_hash, PURPOSE, _AGAIN)
    lock(tx, accounts=[link.account_id])
    row, account = _waiting(tx, live_link(tx, token_hash, PURPOSE, _AGAIN))
    spend(tx, link, _AGAIN)
    if not notification_addresses.confirm(tx, row.id, account.id):
        raise used(_AGAIN)
    record(tx, Event.NOTIFY_ADDRESS_CONFIRMED, by=by, subject=_subject(account), address=row.email)


# --- inside ---


def _own_account(tx: Transaction, by: By) -> Row:
    account = accounts.by_id(tx, person_of(allowed(tx, by, kinds.READ_ACCOUNT)).id)
    if account is None:
        raise not_found()
    return account


def _add(tx: Transaction, by: By, account: Row, address: Address) -> None:
    if address.key == account.email_key:
        raise invalid("notify", "This is the address you sign in with: it is told already.")
    if notification_addresses.asked_since(tx, account.id, tx.now - DAY) >= ASKED_A_DAY:
        raise Refused(
            Code.TOO_MANY_ATTEMPTS,
            "You have added several addresses already. Wait a day.",
            WayOut("See your settings.", "/settings/user"),
            retry_at=tx.now + DAY,
        )
    id = notification_addresses.add(tx, account.id, address)
    record(tx, Event.NOTIFY_ADDRESS_ADDED, by=by, subject=_subject(account), address=address.display)
    mail_account(tx, "notify_added", account, by=by, new=address.display, account=account.email)
    token = new_token()
    tickets.create_link(
        tx,
        token_hash=token.hash,
        purpose=PURPOSE,
        account_id=account.id,
        email_key=address.key,
        reference=id,
        keep_older=True,
    )
    if outbox.count_to(tx, address.key, PURPOSE, tx.now - DAY) >= CONFIRM_MAILS_A_DAY:
        return  # nobody is told so: the mailbox has had its mails for today
    mail_address(
        tx,
        PURPOSE,
        address.display,
        by=by,
        link=f"/notify/{token.text}",
        account=account.email,
        expires=tx.now + tickets.LINK_LIVES[PURPOSE],
    )


def _remove(tx: Transaction, by: By, account: Row, row: Row) -> None:
    # While it is one of them it is told, too, if it was ever confirmed: nothing is sent to one that was not.
    mail_account(tx, "notify_removed", account, by=by, old=row.email, account=account.email)
    notification_addresses.remove(tx, row.id, account.id)
    record(tx, Event.NOTIFY_ADDRESS_REMOVED, by=by, subject=_subject(account), address=row.email)


def _waiting(tx: Transaction, link: Row) -> tuple[Row, Row]:
    account = accounts.by_id(tx, link.account_id)
    rows = notification_addresses.of_account(tx, link.account_id)
    found = next((row for row in rows if row.id == link.reference), None)
    if account is None or found is None or found.confirmed_at is not None:
        raise used(_AGAIN)
    return found, account


def _subject(account: Row) -> tuple[str, int | None, str]:
    return account_subject(account.id, account.name)
