"""Showing a second factor: at sign-in, and again to step up. One budget a method, whatever the door (law 5 d)."""

from dataclasses import dataclass

from nightlatch.actions import kinds
from nightlatch.actions.by import By
from nightlatch.actions.guard import allowed, person_of
from nightlatch.actions.mailing import mail_account
from nightlatch.actions.not_me import not_me_link
from nightlatch.actions.proving import Proved, Wait, Wrong, must_wait
from nightlatch.actions.remembering import forget, remember
from nightlatch.actions.showing import Shown, clear, succeeded
from nightlatch.actions.tokens import Token, new_token
from nightlatch.assurance import liftable, relied, usable
from nightlatch.audit.events import account as account_subject
from nightlatch.audit.events import record
from nightlatch.authenticators import totp
from nightlatch.authenticators.recovery_code import CodeParts
from nightlatch.budget import SECOND_STEP, Counter, exhausted, failed, open_at
from nightlatch.facts import NOWHERE, Authenticator, Facts, Proof, Reach
from nightlatch.ids import to_text
from nightlatch.instants import HOUR
from nightlatch.refusals import Code, Refused, WayOut
from nightlatch.store import accounts, authenticators, guesses, outbox, standing, tickets
from nightlatch.store.engine import Transaction
from nightlatch.store.known import Known
from nightlatch.store.locks import lock
from nightlatch.store.query import Row
from nightlatch.vocabulary import WITHOUT_AUTHENTICATOR, Event, Method

_LIFT_MAILS_AN_HOUR = 3


@dataclass(frozen=True, slots=True)
class CodeCandidate:
    """The recovery code with the typed selector, if there is an unspent one."""

    authenticator_id: int | None
    hash: str | None
    wait: Wait | None

    def __repr__(self) -> str:
        return "CodeCandidate(...)"


def present_totp(
    tx: Transaction, *, by: By, code: str, token: Token, remembers: bool = False
) -> Proved | Wrong | Wait:
    """Charge, judge and record one code, all in this transaction. `code` is canonical (authenticators.totp).

    `remembers`: do not ask again in this browser, where a workspace lets that be.
    """
    known, counter, wait = _may_try(tx, by, Method.TOTP)
    if wait is not None:
        return wait
    bound = _usable(known.facts, Method.TOTP)
    if not bound:
        raise _nothing_usable()
    accepted, replayed = _match(tx, known, bound, code)
    if accepted is None:
        return _failed(tx, by, known, Method.TOTP, counter, replayed)
    clear(tx, known, Method.TOTP, counter)
    shown = succeeded(tx, by, known, Shown(Method.TOTP, accepted), token)
    if remembers:
        remember(tx, by, shown.known, accepted)
    return shown


def look_code(tx: Transaction, *, by: By, parts: CodeParts) -> CodeCandidate:
    """What a recovery code is judged by: at most one hash a try, whatever was typed. Reads only."""
    known = allowed(tx, by, kinds.PRESENT_SECOND)
    account_id = person_of(known).id
    wait = must_wait(SECOND_STEP, guesses.peek(tx, Method.RECOVERY_CODE, str(account_id)), tx.now)
    row = authenticators.code(tx, account_id, parts.selector)
    usable_ids = {each.id for each in _usable(known.facts, Method.RECOVERY_CODE)}
    if row is None or row.used_at is not None or row.authenticator_id not in usable_ids:
        return CodeCandidate(None, None, wait)
    return CodeCandidate(row.authenticator_id, row.hash, wait)


def present_recovery_code(
    tx: Transaction, *, by: By, parts: CodeParts, candidate: CodeCandidate, right: bool, token: Token
) -> Proved | Wrong | Wait:
    """Charge, judge and record one recovery code; a right one is spent and the person is mailed how many are left."""
    known, counter, wait = _may_try(tx, by, Method.RECOVERY_CODE)
    if wait is not None:
        return wait
    id, hash = candidate.authenticator_id, candidate.hash
    # Judged outside of any transaction: what is no longer usable by now proves nothing (law 5).
    still_usable = id in {each.id for each in _usable(known.facts, Method.RECOVERY_CODE)}
    spent = right and still_usable and id is not None and hash is not None
    if not spent or not authenticators.spend_code(tx, id or 0, parts.selector, hash or ""):
        return _failed(tx, by, known, Method.RECOVERY_CODE, counter, replayed=False)
    left = authenticators.codes_left(tx, id or 0)
    account = accounts.by_id(tx, person_of(known).id)
    record(
        tx,
        Event.RECOVERY_CODE_USED,
        by=by,
        subject=account_subject(account.id, account.name) if account else ("account", None, ""),
        left=left,
    )
    if account is not None:
        standing.refresh(tx, account.id)
        not_me = not_me_link(tx, account.id, id)
        mail_account(tx, "recovery_code_used", account, by=by, left=left, not_me_link=not_me)
    clear(tx, known, Method.RECOVERY_CODE, counter)
    proved = succeeded(tx, by, known, Shown(Method.RECOVERY_CODE, id or 0), token)
    return Proved(proved.known, proved.token, left)


# --- the way back after too many failures ---


def ask_lift(tx: Transaction, *, by: By) -> None:
    """Mail the link that, with the password and one right code, lifts a suspension by failures."""
    lock(tx, accounts=[by.id] if by.id is not None else [])
    known = allowed(tx, by, kinds.PRESENT_SECOND)
    account = accounts.by_id(tx, person_of(known).id)
    if account is None or not _suspended(known.facts, Method.TOTP):
        raise _nothing_usable()
    if (
        outbox.count_to(tx, account.email_key, "second_factor_suspended", tx.now - HOUR)
        >= _LIFT_MAILS_AN_HOUR
    ):
        raise Refused(
            Code.TOO_MANY_ATTEMPTS,
            "We have mailed you several links already. Use the newest one, or wait an hour.",
            WayOut("See other ways in.", "/recover"),
            retry_at=tx.now + HOUR,
        )
    _mail_lift(tx, by, account, Method.TOTP)


def look_lift(tx: Transaction, *, token_hash: bytes) -> Row | None:
    """The account that a lift link is for, if the link still works."""
    row = tickets.link(tx, token_hash, "lift")
    if row is None or row.spent_at is not None or row.ended_at is not None or row.expires_at <= tx.now:
        return None
    return accounts.by_id(tx, row.account_id)


def lift(tx: Transaction, *, by: By, token_hash: bytes, code: str, token: Token) -> Proved | Wrong:
    """Password (in this session), mailed link and one right code together lift the suspension.

    The link is spent by the try, right or wrong: so there are never more tries than mails.
    """
    lock(tx, accounts=[by.id] if by.id is not None else [])
    known = allowed(tx, by, kinds.PRESENT_SECOND)
    row = tickets.link(tx, token_hash, "lift")
    if row is None or row.account_id != person_of(known).id or not tickets.spend_link(tx, row.id):
        raise Refused(
            Code.EXPIRED, "This link no longer works.", WayOut("Get a new one.", "/sign-in/second-step")
        )
    bound = [each for each in known.facts.authenticators if each.method is Method.TOTP and liftable(each)]
    counter = guesses.take(tx, Method.TOTP, str(person_of(known).id))
    accepted, replayed = _match(tx, known, bound, code)
    if accepted is None:
        return _failed(tx, by, known, Method.TOTP, counter, replayed)
    clear(tx, known, Method.TOTP, counter)
    return succeeded(tx, by, known, Shown(Method.TOTP, accepted), token)


# --- inside ---


def _may_try(tx: Transaction, by: By, method: Method) -> tuple[Known, Counter, Wait | None]:
    """Under the account's lock: who it is, the counter, and whether a guess may be judged."""
    lock(tx, accounts=[by.id] if by.id is not None else [])
    known = allowed(tx, by, kinds.PRESENT_SECOND)
    counter = guesses.take(tx, method, str(person_of(known).id))
    return known, counter, must_wait(SECOND_STEP, counter, tx.now)


def _planes(facts: Facts) -> list[int]:
    return [each.workspace for each in facts.teammates]


def _usable(facts: Facts, method: Method) -> list[Authenticator]:
    """What a method may be shown with: what some workspace would take; without any, what is void nowhere."""
    if not facts.teammates:
        return [
            each
            for each in facts.authenticators
            if each.method is method and not each.void and not each.suspended
        ]
    return [
        each
        for each in facts.authenticators
        if each.method is method and any(usable(each, plane) for plane in _planes(facts))
    ]


def _suspended(facts: Facts, method: Method) -> list[Authenticator]:
    return [
        each
        for each in facts.authenticators
        if each.method is method
        and liftable(each)
        and (not facts.teammates or any(relied(each, plane) for plane in _planes(facts)))
    ]


def _match(tx: Transaction, known: Known, bound: list[Authenticator], code: str) -> tuple[int | None, bool]:
    """The authenticator that a code is right for, spent by the guarded statement; or whether it was a replay."""
    replayed = False
    for each in bound:
        row = authenticators.seed(tx, each.id, person_of(known).id)
        if row is None:
            continue
        seed = tx.keys.open("authenticators", to_text(each.id), row.sealed)
        verdict = totp.verify(seed, code, tx.now, row.highest_step)
        if verdict.outcome is totp.Outcome.REPLAYED:
            replayed = True
        elif verdict.step is not None and authenticators.spend_step(tx, each.id, verdict.step):
            return each.id, False
    return None, replayed


def _failed(tx: Transaction, by: By, known: Known, method: Method, counter: Counter, replayed: bool) -> Wrong:
    person = person_of(known)
    subject = account_subject(person.id, person.name)
    counter = failed(counter, tx.now)
    guesses.keep(tx, method, str(person.id), counter)
    record(
        tx,
        Event.SECOND_STEP_FAILED,
        by=by,
        subject=subject,
        method=method,
        in_a_row=counter.failures,
        replayed=replayed,
    )
    if exhausted(SECOND_STEP, counter):
        _suspend(tx, by, known, method)
        return Wrong(None, replayed, suspended=True)
    again = open_at(SECOND_STEP, counter)
    return Wrong(again if again > tx.now else None, replayed)


def _suspend(tx: Transaction, by: By, known: Known, method: Method) -> None:
    """A hundred failures in a row: suspended where the first factor reaches. Still relied on: no enrolment.

    Browsers are forgotten there, too: one that was stolen with the password must not be the way past it.
    """
    person = person_of(known)
    where = _first_factor_reach(known.facts)
    for each in known.facts.authenticators:
        if each.method is method:
            authenticators.suspend(tx, each.id, where)
    for place in (None,) if where.everywhere else sorted(where.workspaces):
        forget(tx, by, person.id, person.name, how="too many wrong codes", workspace_id=place)
    record(
        tx,
        Event.AUTHENTICATOR_SUSPENDED,
        by=by,
        subject=account_subject(person.id, person.name),
        method=method,
    )
    account = accounts.by_id(tx, person.id)
    if account is not None:
        _mail_lift(tx, by, account, method)


def _first_factor_reach(facts: Facts) -> Reach:
    everywhere, named = False, frozenset[int]()
    for proof in facts.proofs:
        source = _reach_of_first(facts, proof)
        everywhere, named = everywhere or source.everywhere, named | source.workspaces
    return Reach(everywhere, named)


def _reach_of_first(facts: Facts, proof: Proof) -> Reach:
    """Of a passkey that verified its user: what it reaches."""
    if proof.method in WITHOUT_AUTHENTICATOR:
        return proof.source
    passkey = facts.authenticator(proof.authenticator)
    return passkey.reach if proof.method is Method.PASSKEY and proof.verified and passkey else NOWHERE


def _mail_lift(tx: Transaction, by: By, account: Row, method: Method) -> None:
    token = new_token()
    tickets.create_link(tx, token_hash=token.hash, purpose="lift", account_id=account.id)
    mail_account(
        tx,
        "second_factor_suspended",
        account,
        by=by,
        lift_link=f"/lift/{token.text}",
        method=method.value,
        expires=tx.now + tickets.LINK_LIVES["lift"],
    )


def _nothing_usable() -> Refused:
    return Refused(
        Code.CONFLICT,
        "There is no authenticator app to take a code from.",
        WayOut("See the other ways in.", "/recover"),
    )
