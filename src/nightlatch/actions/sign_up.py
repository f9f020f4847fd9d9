"""Signing up, where NIGHTLATCH_SIGN_UP is open: an account for whoever shows that a mailbox is theirs.

Asking is answered alike for every address, and does the same work: an address that has an account gets a mail that says
so, another one a link. These are mails to people who may not have asked for any, so they are limited as invitations
are: at most 3 within 24 hours to one address, and whoever asks for many from one network has to wait.
"""

from dataclasses import dataclass

from nightlatch.actions.by import By
from nightlatch.actions.links import spend, used
from nightlatch.actions.mailing import mail_address
from nightlatch.actions.newcomers import first_session, new_account
from nightlatch.actions.tokens import Token, new_token
from nightlatch.addresses import Address
from nightlatch.audit.events import address as address_subject
from nightlatch.audit.events import record
from nightlatch.budget import SIGN_UP, Counter, failed, open_at
from nightlatch.instants import DAY, Instant
from nightlatch.names import clean_name
from nightlatch.refusals import Code, Refused, WayOut
from nightlatch.sources import source_of
from nightlatch.store import accounts, guesses, outbox, standing, tickets
from nightlatch.store.engine import Transaction
from nightlatch.store.locks import address_name, lock
from nightlatch.store.query import Row
from nightlatch.vocabulary import Credential, Event

MAILS_TO_AN_ADDRESS_A_DAY = 3
_KINDS = ("sign_up", "sign_up_known")
_AGAIN = WayOut("Ask for a new link.", "/sign-up")


@dataclass(frozen=True, slots=True)
class SignUpLink:
    """For which address a sign-up's link makes an account."""

    email: str
    expires_at: Instant


@dataclass(frozen=True, slots=True)
class SignedUp:
    """A new account and its first session."""

    account_id: int
    token: Token
    """Of that session."""


def closed() -> Refused:
    """The refusal where only invited people have accounts."""
    return Refused(
        Code.NOT_PERMITTED,
        "Accounts come by invitation here. An owner or admin of your team's workspace can send you one.",
        WayOut("Sign in.", "/sign-in"),
    )


def request(tx: Transaction, *, by: By, address: Address) -> None:
    """Mail the way on: a link where the address has no account, else that it has one. The answer is always the same.

    A row is written in any case, so that the commit takes as long (F41). A newer link kills the older. Raises Refused:
    `too_many_attempts` for a network that asked for too many.
    """
    account = accounts.by_email(tx, address.key)
    lock(
        tx,
        accounts=[account.id] if account is not None else [],
        names=[address_name(address.key)],
    )
    account = accounts.by_email(tx, address.key)
    _charge(tx, by)
    enough = sum(outbox.count_to(tx, address.key, kind, tx.now - DAY) for kind in _KINDS)
    mails = enough < MAILS_TO_AN_ADDRESS_A_DAY
    if mails:
        tickets.end_links_to(tx, address.key, "sign_up")
    token = new_token()
    tickets.create_link(
        tx,
        token_hash=token.hash,
        purpose="sign_up",
        account_id=None,
        email=address.display if mails and account is None else None,
        email_key=address.key,
    )
    if not mails:
        return
    if account is None:
        link, expires = f"/sign-up/{token.text}", tx.now + tickets.LINK_LIVES["sign_up"]
        mail_address(tx, "sign_up", address.display, by=by, link=link, expires=expires)
    else:
        mail_address(tx, "sign_up_known", account.email, by=by, account_id=account.id, account=account.email)
    record(tx, Event.SIGN_UP_REQUESTED, by=by, subject=address_subject(address.display))


def look(tx: Transaction, token_hash: bytes) -> SignUpLink:
    """What the link is for. Changes nothing. Raises Refused: `already_used`, `expired`."""
    link = _live(tx, token_hash)
    return SignUpLink(link.email, link.expires_at)


def finish(
    tx: Transaction,
    *,
    by: By,
    token_hash: bytes,
    name: str,
    password_hash: str,
    session_token: Token,
    kind: Credential,
) -> SignedUp:
    """Spend the link: an account for its address, signed in with its password and its mailbox.

    Raises Refused: `already_used`, `expired`, `invalid` for a name, `conflict` where the address has an account by now.
    """
    lock(tx, names=[address_name(_live(tx, token_hash).email_key)])
    link, name = _live(tx, token_hash), clean_name(name)
    if accounts.by_email(tx, link.email_key) is not None:
        raise Refused(
            Code.CONFLICT,
            "There is an account for this address already. Sign in with it.",
            WayOut("Sign in.", "/sign-in"),
        )
    spend(tx, link, _AGAIN)
    new = new_account(
        tx,
        by=by,
        address=Address(link.email, link.email_key),
        name=name,
        password_hash=password_hash,
        how="sign_up",
    )
    account_id = new.id or 0
    begun = first_session(tx, by=by, account_id=account_id, session_token=session_token, kind=kind)
    standing.refresh(tx, account_id)
    return SignedUp(account_id, begun.token)


# --- inside ---


def _charge(tx: Transaction, by: By) -> None:
    """One more sign-up asked for from this network; a day without any, and it starts afresh."""
    source = source_of(by.ip)
    counter = guesses.take(tx, "sign_up", source)
    if tx.now - counter.last_at > DAY:
        counter = Counter()
    again = open_at(SIGN_UP, counter)
    if again > tx.now:
        raise Refused(
            Code.TOO_MANY_ATTEMPTS,
            "Too many people have asked for an account from your network. Try again later.",
            WayOut("Sign in, if you have an account.", "/sign-in"),
            retry_at=again,
        )
    guesses.keep(tx, "sign_up", source, failed(counter, tx.now))


def _live(tx: Transaction, token_hash: bytes) -> Row:
    link = tickets.link(tx, token_hash, "sign_up")
    if link is not None and link.spent_at is not None:
        raise used(WayOut("Sign in.", "/sign-in"))
    if link is None or link.email is None or link.ended_at is not None or link.expires_at <= tx.now:
        raise Refused(Code.EXPIRED, "This link no longer works.", _AGAIN)
    return link
