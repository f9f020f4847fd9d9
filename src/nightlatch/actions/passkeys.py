"""Showing a passkey: as the whole sign-in, as the second step, to step up (WebAuthn section 7.2).

There is nothing to guess, so there is no counter; but what is wrong leaves an event and slows its network down. The
answers to an unknown passkey, somebody else's and a wrong signature are the same, in the same time.
"""

from dataclasses import replace

from nightlatch.actions.beginning import new_session
from nightlatch.actions.by import By
from nightlatch.actions.guard import person_of, session_of
from nightlatch.actions.kept import refuse_kept
from nightlatch.actions.mailing import mail_account
from nightlatch.actions.not_me import not_me_link
from nightlatch.actions.passkey_asking import Purpose, Wanted, may_show, must_verify, usable_rows, wanted
from nightlatch.actions.proving import Proved, Wait, Wrong
from nightlatch.actions.remembering import remember
from nightlatch.actions.showing import Shown, succeeded
from nightlatch.actions.source_delay import charge_source, source_wait
from nightlatch.actions.tokens import Token
from nightlatch.audit.events import Subject, record
from nightlatch.audit.events import account as account_subject
from nightlatch.authenticators import passkey, passkey_answers
from nightlatch.authenticators.passkey_asking import Site
from nightlatch.facts import Facts
from nightlatch.refusals import Code, Refused, WayOut
from nightlatch.store import accounts, passkeys
from nightlatch.store.engine import Transaction
from nightlatch.store.facts import read_account_facts
from nightlatch.store.locks import lock
from nightlatch.store.query import Row
from nightlatch.store.session_facts import read_known
from nightlatch.vocabulary import Credential, Event, Method

_NOBODY: Subject = ("account", None, "")


def sign_in(
    tx: Transaction, *, by: By, site: Site, answer: passkey_answers.Shown, kind: Credential, token: Token
) -> Proved | Wrong | Wait:
    """A whole sign-in by a passkey that verified its user; a right one begins a session. Raises Refused."""
    wait = source_wait(tx, by)
    if wait is not None:
        return wait
    asked = _spend(tx, answer, Purpose.SIGN_IN, None, by)
    if asked is None:
        return _failed(tx, by, Event.SIGN_IN_FAILED, _NOBODY, "challenge")
    row = passkeys.by_credential(tx, answer.credential_id)
    if row is not None:
        lock(tx, accounts=[row.account_id])
        row = passkeys.by_credential(tx, answer.credential_id)
    account = accounts.by_id(tx, row.account_id) if row is not None else None
    facts = read_account_facts(tx, account.id if account is not None else 0)
    verdict = _judged(tx, site, answer, row, account, facts, asked, need_verified=True)
    if isinstance(verdict, str) or row is None or account is None:
        subject = account_subject(account.id, account.name) if account is not None else _NOBODY
        return _failed(tx, by, Event.SIGN_IN_FAILED, subject, str(verdict))
    refuse_kept(account.app_id)  # whom a product keeps signs in there
    begun = new_session(tx, by, account.id, kind, token)
    known = read_known(tx, begun.token.hash, kind)
    _keep(tx, by, row, account, verdict)
    shown = Shown(Method.PASSKEY, row.authenticator_id, verdict.verified)
    inside = replace(by, token_hash=begun.token.hash, credential=kind)
    return succeeded(tx, inside, known, shown, token, signs_in=True)


def show(
    tx: Transaction,
    *,
    by: By,
    site: Site,
    answer: passkey_answers.Shown,
    purpose: Purpose,
    token: Token,
    remembers: bool = False,
) -> Proved | Wrong:
    """The second step, or a step-up, in a session. `remembers`: and not again in this browser. Raises Refused."""
    lock(tx, accounts=[by.id] if by.id is not None else [])
    known = may_show(tx, by)
    person = person_of(known)
    subject = account_subject(person.id, person.name)
    asked = _spend(tx, answer, purpose, session_of(known).id, by)
    if asked is None:
        return _failed(tx, by, Event.SECOND_STEP_FAILED, subject, "challenge")
    row, account = passkeys.by_credential(tx, answer.credential_id), accounts.by_id(tx, person.id)
    need_verified = must_verify(known.facts)
    verdict = _judged(tx, site, answer, row, account, known.facts, asked, need_verified=need_verified)
    if isinstance(verdict, str) or row is None or account is None:
        return _failed(tx, by, Event.SECOND_STEP_FAILED, subject, str(verdict))
    _keep(tx, by, row, account, verdict)
    shown = succeeded(tx, by, known, Shown(Method.PASSKEY, row.authenticator_id, verdict.verified), token)
    if remembers:
        remember(tx, by, shown.known, row.authenticator_id)
    return shown


def expired() -> Refused:
    """The challenge of an answer is none that would be taken."""
    return Refused(
        Code.EXPIRED,
        "That took too long, or was used already. Try again.",
        WayOut("Begin again.", "/sign-in"),
    )


# --- inside ---


def _spend(
    tx: Transaction, answer: passkey_answers.Shown, purpose: Purpose, session_id: int | None, by: By
) -> Wanted | None:
    """What the answer's challenge was given for, spent. None: it was given, but not like this, or is spent (which an
    honest browser does not do). Raises Refused where it is simply over, or never was."""
    challenge = passkey_answers.challenge_of(answer)
    row = passkeys.spend(
        tx, challenge, purpose=purpose, session_id=session_id, browser=by.browser if not session_id else None
    )
    if row is not None:
        return wanted(row)
    if passkeys.given(tx, challenge):
        return None
    raise expired()


def _judged(
    tx: Transaction,
    site: Site,
    answer: passkey_answers.Shown,
    row: Row | None,
    account: Row | None,
    facts: Facts,
    asked: Wanted,
    *,
    need_verified: bool,
) -> passkey.Verdict | str:
    """The verdict, or which check failed. A signature is verified in any case, by a decoy where nobody has it."""
    kept = passkey.DECOY
    if row is not None:
        kept = passkey.Kept(
            row.public_key, row.sign_count, backup_eligible=row.backup_eligible_at is not None
        )
    challenge = passkey_answers.challenge_of(answer)
    try:
        verdict = passkey.check_shown(answer, site, challenge, kept, need_verified=need_verified)
    except passkey.Wrong as wrong:
        return wrong.why if row is not None else "unknown"
    if row is None or account is None:
        return "unknown"
    if row.account_id != account.id or (asked.account_id is not None and asked.account_id != account.id):
        return "owner"
    if asked.allow is not None and row.authenticator_id not in asked.allow:
        return "not_asked_for"
    if not passkey.belongs(answer, account.user_handle, discovered=asked.allow is None):
        return "user_handle"
    if row.authenticator_id not in {each.authenticator_id for each in usable_rows(tx, facts, account.id)}:
        return "not_usable"
    return verdict


def _keep(tx: Transaction, by: By, row: Row, account: Row, verdict: passkey.Verdict) -> None:
    """Counter and backup as they are now. One that did not rise is told each time, and mailed the first time."""
    first = passkeys.shown(tx, row, verdict)
    if not verdict.count_fell:
        return
    subject = account_subject(account.id, account.name)
    record(tx, Event.AUTHENTICATOR_COUNT_FELL, by=by, subject=subject, method=Method.PASSKEY, name=row.name)
    if first:
        link = not_me_link(tx, account.id, row.authenticator_id)
        mail_account(tx, "passkey_count_fell", account, by=by, name=row.name, not_me_link=link)


def _failed(tx: Transaction, by: By, event: Event, subject: Subject, why: str) -> Wrong:
    record(tx, event, by=by, subject=subject, method=Method.PASSKEY, check=why)
    charge_source(tx, by)
    return Wrong()
