"""What a person is told unasked because it may be a thief: a sign-in that stopped half-way, one in a new browser."""

from hashlib import sha256

from nightlatch.actions.by import By
from nightlatch.actions.mailing import mail_account, mail_owners
from nightlatch.actions.not_me import not_me_link
from nightlatch.assurance import counting
from nightlatch.audit.events import account as account_subject
from nightlatch.audit.events import record
from nightlatch.facts import Teammate
from nightlatch.instants import DAY, Duration
from nightlatch.sources import source_of
from nightlatch.store import accounts, alerts, events, outbox, tickets
from nightlatch.store.engine import Transaction
from nightlatch.store.known import Known
from nightlatch.store.locks import lock
from nightlatch.store.query import Row
from nightlatch.vocabulary import Event

HALF_DONE_EVERY: Duration = DAY
"""A person is told once in this time that sign-ins stop half-way, however many do."""


def browser_of(by: By) -> bytes | None:
    """What a browser is known by: its own cookie. A program that keeps none is known by its network and its name."""
    if by.browser is not None or not by.ip:
        return by.browser
    return sha256(f"program {source_of(by.ip)} {by.user_agent[:400]}".encode("utf-8", "replace")).digest()


def tell_new_browser(tx: Transaction, by: By, known: Known) -> None:
    """The account was opened, for the first time, in this browser; it was opened in others before."""
    account = accounts.by_id(tx, known.person.id) if known.person is not None else None
    if account is None:
        return
    second = _second_shown(known)
    link = not_me_link(tx, account.id, second)
    expires = tx.now + tickets.LINK_LIVES["not_me"]
    mail_account(tx, "new_browser", account, by=by, account=account.email, not_me_link=link, expires=expires)


def tell_emergency_door(tx: Transaction, by: By, known: Known, teammate: Teammate) -> None:
    """An owner came in without single sign-on, where it is required: every owner learns of it, once a session."""
    person, session, place = known.person, known.session, (known.places or {}).get(teammate.workspace)
    if person is None or session is None or place is None:
        return
    if any(proof.connection is not None for proof in counting(known.facts, teammate.workspace)):
        return
    last = events.latest(tx, teammate.workspace, Event.SSO_BYPASSED)
    if last is not None and last.subject_id == person.id and last.at >= session.created_at:
        return
    subject = account_subject(person.id, person.name)
    record(tx, Event.SSO_BYPASSED, by=by, subject=subject, workspace_id=teammate.workspace)
    mail_owners(
        tx,
        "sso_bypassed",
        teammate.workspace,
        by=by,
        workspace=place.name,
        name=person.name,
        link=f"/w/{place.slug}/settings/team/audit",
    )


def half_done_waits(tx: Transaction) -> bool:
    """Whether a sign-in stopped half-way that nobody was told of yet. Takes no lock."""
    return alerts.waits(tx)


def tell_half_done(tx: Transaction, *, most: int = 50) -> bool:
    """Tell people of sign-ins whose first factor was right and that showed no second step in their time; whether there
    may be more.

    Given up by signing out counts, too. Not told: where the same browser completed a sign-in meanwhile (a person who
    tried again), and more than once a day. Each session is looked at once.
    """
    rows = alerts.half_done(tx, most)
    lock(tx, accounts=[row.account_id for row in rows])
    for row in rows:
        if alerts.note(tx, row.id):
            _tell(tx, row)
    return len(rows) == most


# --- inside ---


def _second_shown(known: Known) -> int | None:
    """What was shown beside the first factor, last: what "not me" is about."""
    shown = [each for each in known.facts.proofs if each.authenticator is not None]
    return max(shown, key=lambda each: each.sequence).authenticator if shown else None


def _tell(tx: Transaction, row: Row) -> None:
    if alerts.signed_in_since(tx, row.browser, row.account_id, row.created_at):
        return
    account = accounts.by_id(tx, row.account_id)
    if account is None or _told_today(tx, account):
        return
    by = By("system", None, "Nightlatch", row.ip, row.user_agent)
    mail_account(tx, "second_step_missing", account, by=by, account=account.email, when=row.created_at)


def _told_today(tx: Transaction, account: Row) -> bool:
    return bool(outbox.count_to(tx, account.email_key, "second_step_missing", tx.now - HALF_DONE_EVERY))
