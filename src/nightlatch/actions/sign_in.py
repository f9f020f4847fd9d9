"""Signing in with a password, resuming an idle session with it, and signing out.

argon2 runs between two transactions: `look` reads the hash and the budget, the caller judges the password, `sign_in` or
`present_password` charges and records in one commit. The verdict is used only if the hash is still the one that was
judged and the budget still had room (law 5). Known and unknown e-mails take the same way and the same time.
"""

from dataclasses import dataclass

from nightlatch.actions import kinds
from nightlatch.actions.beginning import new_session, note_sign_in
from nightlatch.actions.by import By
from nightlatch.actions.guard import allowed, person_of, session_of
from nightlatch.actions.kept import refuse_person
from nightlatch.actions.links import Mailed, live_link, mail_link
from nightlatch.actions.proving import Proved, Wait, Wrong, accept, must_wait, proved
from nightlatch.actions.remembering import recognise
from nightlatch.actions.source_delay import charge_source, source_wait
from nightlatch.actions.tokens import Token
from nightlatch.addresses import Address
from nightlatch.audit.events import account as account_subject
from nightlatch.audit.events import address as address_subject
from nightlatch.audit.events import record
from nightlatch.budget import (
    PASSWORD_KNOWN_BROWSER,
    PASSWORD_UNKNOWN_BROWSER,
    Allowance,
    failed,
    open_at,
)
from nightlatch.instants import Instant
from nightlatch.refusals import Code, Refused, WayOut, not_found
from nightlatch.store import accounts, guesses, sessions, tickets
from nightlatch.store.engine import Transaction
from nightlatch.store.known import Known
from nightlatch.store.locks import lock
from nightlatch.store.session_facts import read_known
from nightlatch.vocabulary import Credential, Event, Method

_UNBLOCK_MAILS_AN_HOUR = 3
_UNBLOCK = Mailed("unblock", "sign_in_unblock", "/unblock", _UNBLOCK_MAILS_AN_HOUR)


@dataclass(frozen=True, slots=True)
class Candidate:
    """Who may be signing in, and what their password is judged by."""

    email_key: str
    account_id: int | None
    stored: str | None
    door: str
    subject: str
    wait: Wait | None

    def __repr__(self) -> str:
        return f"Candidate({self.account_id})"


class Changed(Exception):
    """The password was changed while it was being judged: look again."""


def look(tx: Transaction, *, by: By, address: Address) -> Candidate:
    """Who has this e-mail, and whether a try may be judged now. Reads only; unknown e-mails look like known ones."""
    row = accounts.by_email(tx, address.key)
    known_here = row is not None and sessions.browser_known(tx, by.browser, row.id)
    door = "password_known" if known_here else "password"
    subject = f"{address.key} {(by.browser or b'').hex()}" if known_here else address.key
    counter = guesses.peek(tx, door, subject)
    wait = must_wait(_allowance(door), counter, tx.now) or source_wait(tx, by)
    return Candidate(
        address.key,
        row.id if row is not None else None,
        row.password_hash if row is not None else None,
        door,
        subject,
        wait,
    )


def look_own(tx: Transaction, *, by: By) -> Candidate:
    """The same for the person of a session."""
    known = allowed(tx, by, kinds.PRESENT_FIRST)
    refuse_person(person_of(known))  # whom a product keeps has no password here
    row = accounts.by_id(tx, known.facts.account or 0)
    if row is None:
        raise Refused(Code.SIGN_IN_REQUIRED, "Sign in first.", WayOut("Sign in.", "/sign-in"))
    return look(tx, by=by, address=Address(row.email, row.email_key))


def sign_in(
    tx: Transaction, *, by: By, candidate: Candidate, right: bool, kind: Credential, token: Token
) -> Proved | Wrong | Wait:
    """Charge, judge and record one password; a right one begins a session. Raises Changed."""
    refused = _judge(tx, by, candidate, right)
    if refused is not None:
        return refused
    account_id = candidate.account_id or 0
    begun = new_session(tx, by, account_id, kind, token)
    sessions.add_proof(tx, begun.id, Method.PASSWORD, supersedes=False)
    recognise(tx, by, kind, account_id, begun.id)
    return _proved(tx, by, read_known(tx, begun.token.hash, kind), token)


def present_password(
    tx: Transaction, *, by: By, candidate: Candidate, right: bool, token: Token
) -> Proved | Wrong | Wait:
    """The same inside a session: resuming it, or stepping up. Raises Changed, Refused."""
    known = allowed(tx, by, kinds.PRESENT_FIRST)
    refused = _judge(tx, by, candidate, right)
    if refused is not None:
        return refused
    return _proved(tx, by, proved(tx, known, Method.PASSWORD), token)


def sign_out(tx: Transaction, *, by: By) -> None:
    """End this session. One that is over already is no error."""
    known = allowed(tx, by, kinds.SEE_SESSION)
    session = session_of(known)
    if known.person is not None and sessions.end(tx, session.id, known.person.id):
        record(
            tx,
            Event.SESSION_ENDED,
            by=by,
            subject=account_subject(known.person.id, known.person.name),
            how="signed out",
        )


def ask_unblock(tx: Transaction, *, by: By, address: Address) -> None:
    """Mail a link that lets this browser try a password again. The answer is the same for any address.

    A row is written in any case, so that the commit takes as long for an unknown address (F41).
    """
    mail_link(tx, by=by, address=address, about=_UNBLOCK)


def look_unblock(tx: Transaction, *, token_hash: bytes) -> str:
    """The e-mail of the account that an unblocking link is for. Changes nothing. Raises Refused for a dead link."""
    row = live_link(tx, token_hash, "unblock", WayOut("Ask for a new one.", "/sign-in"))
    account = accounts.by_id(tx, row.account_id)
    if account is None:
        raise not_found()
    return str(account.email)


def unblock(tx: Transaction, *, by: By, token_hash: bytes) -> str:
    """Spend the mailed link: this browser counts as known to the account. Returns the e-mail to sign in with."""
    row = tickets.link(tx, token_hash, "unblock")
    account = accounts.by_id(tx, row.account_id) if row is not None else None
    if row is None or account is None or not tickets.spend_link(tx, row.id):
        raise Refused(Code.EXPIRED, "This link no longer works.", WayOut("Ask for a new one.", "/sign-in"))
    sessions.remember_browser(tx, by.browser, account.id)
    record(tx, Event.SIGN_IN_UNBLOCKED, by=by, subject=account_subject(account.id, account.name))
    return str(account.email)


# --- inside ---


def _allowance(door: str) -> Allowance:
    return PASSWORD_KNOWN_BROWSER if door == "password_known" else PASSWORD_UNKNOWN_BROWSER


def _judge(tx: Transaction, by: By, candidate: Candidate, right: bool) -> Wrong | Wait | None:
    """None: it was right. The counter of the door is taken first, so that parallel tries come one after the other."""
    lock(tx, accounts=[candidate.account_id] if candidate.account_id is not None else [])
    counter = guesses.take(tx, candidate.door, candidate.subject)
    allowance = _allowance(candidate.door)
    wait = must_wait(allowance, counter, tx.now)
    if wait is not None:
        return wait
    row = accounts.by_id(tx, candidate.account_id) if candidate.account_id is not None else None
    if (row.password_hash if row is not None else None) != candidate.stored:
        raise Changed
    if right and row is not None:
        if counter.failures:
            guesses.clear(tx, candidate.door, candidate.subject)
        return None
    counter = failed(counter, tx.now)
    guesses.keep(tx, candidate.door, candidate.subject, counter)
    charge_source(tx, by)
    subject = account_subject(row.id, row.name) if row is not None else address_subject(candidate.email_key)
    record(
        tx, Event.SIGN_IN_FAILED, by=by, subject=subject, method=Method.PASSWORD, in_a_row=counter.failures
    )
    again: Instant = open_at(allowance, counter)
    return Wrong(again if again > tx.now else None)


def _proved(tx: Transaction, by: By, after: Known, token: Token) -> Proved:
    accepted = accept(tx, by, after, token)
    note_sign_in(tx, by, accepted.known, Method.PASSWORD)
    return accepted
