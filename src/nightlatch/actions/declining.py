"""An address that takes no invitations any more: said by the link of an invitation, taken back the same way.

The link is the proof of the mailbox, needs no session and opens nothing. It is not spent: whoever said "never again"
finds the way back under the same link. Signing up oneself takes it back, too.
"""

from dataclasses import dataclass

from nightlatch import addresses
from nightlatch.actions import kinds
from nightlatch.actions.by import By
from nightlatch.actions.guard import allowed, person_of
from nightlatch.actions.tokens import Token, new_token
from nightlatch.addresses import Address
from nightlatch.audit.events import address as address_subject
from nightlatch.audit.events import record
from nightlatch.ids import to_text
from nightlatch.refusals import Code, Refused, WayOut
from nightlatch.store import declined, standing, tickets
from nightlatch.store.engine import Transaction
from nightlatch.store.locks import address_name, lock
from nightlatch.store.query import Row
from nightlatch.vocabulary import Event

PURPOSE = "never_again"


@dataclass(frozen=True, slots=True)
class NeverAgain:
    """What the page of the link says. Its reader holds the mailbox, or was forwarded the mail."""

    email: str
    declined: bool


def new_link(tx: Transaction, address: Address) -> Token:
    """A link for an invitation mail to this address. Older ones go on working: each mail has its own."""
    token = new_token()
    tickets.create_link(
        tx,
        token_hash=token.hash,
        purpose=PURPOSE,
        account_id=None,
        email=address.display,
        email_key=address.key,
    )
    return token


def look(tx: Transaction, token_hash: bytes) -> NeverAgain:
    """Whose address it is, and how it stands. Reads only. Raises Refused for a link that does not work."""
    link = _link(tx, token_hash)
    return NeverAgain(link.email, declined.is_declined(tx, link.email_key))


def decline(tx: Transaction, *, by: By, token_hash: bytes) -> None:
    """No workspace invites the address any more; what is pending is revoked, and mails that wait are taken back.

    Once more changes nothing. Raises Refused for a link that does not work.
    """
    link = _link(tx, token_hash)
    lock(tx, names=[address_name(link.email_key)])
    if not declined.add(tx, link.email_key):
        return
    record(tx, Event.INVITATIONS_DECLINED, by=by, subject=address_subject(link.email))
    for row in declined.end_invitations(tx, link.email_key):
        standing.drop(tx, row.id)
        record(
            tx,
            Event.INVITATION_REVOKED,
            by=by,
            subject=address_subject(row.email),
            workspace_id=row.workspace_id,
            invitation=to_text(row.id),
            role=row.role,
        )


def accept_again(tx: Transaction, *, by: By, token_hash: bytes) -> None:
    """The same link takes it back: the address may be invited. Raises Refused for a link that does not work."""
    link = _link(tx, token_hash)
    lock(tx, names=[address_name(link.email_key)])
    _take_back(tx, by, Address(link.email, link.email_key))


def own_declined(tx: Transaction, *, by: By) -> bool:
    """Whether the session's own address takes no invitations. Reads only. Raises Refused."""
    person = person_of(allowed(tx, by, kinds.READ_ACCOUNT))
    return declined.is_declined(tx, addresses.parse(person.email).key)


def accept_again_own(tx: Transaction, *, by: By) -> None:
    """The same for the address of one's own account, from its settings. Raises Refused."""
    person = person_of(allowed(tx, by, kinds.RENAME))
    address = addresses.parse(person.email)
    lock(tx, names=[address_name(address.key)])
    _take_back(tx, by, address)


# --- inside ---


def _take_back(tx: Transaction, by: By, address: Address) -> None:
    if declined.forget(tx, address.key):
        record(tx, Event.INVITATIONS_WELCOME, by=by, subject=address_subject(address.display))


def _link(tx: Transaction, token_hash: bytes) -> Row:
    row = tickets.link(tx, token_hash, PURPOSE)
    if row is None or row.email is None or row.ended_at is not None or row.expires_at <= tx.now:
        raise Refused(
            Code.EXPIRED,
            "This link no longer works. A newer invitation has a link of its own.",
            WayOut("Go to the start.", "/"),
        )
    return row
