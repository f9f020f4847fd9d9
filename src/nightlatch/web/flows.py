"""What pages and API do alike and an action cannot do alone: computation between two transactions.

argon2 never runs in a transaction or on the event loop. So a password or a recovery code is looked up, judged in the
pool, and then charged and recorded; if what it was judged by changed meanwhile, it is judged again.
"""

import secrets

from nightlatch.actions import enrolment, second_step, sign_in
from nightlatch.actions.enrolment import Confirmed, HashedCode, NotConfirmed
from nightlatch.actions.proving import Proved, Wait, Wrong
from nightlatch.actions.sign_in import Candidate, Changed
from nightlatch.actions.tokens import new_token
from nightlatch.addresses import Address
from nightlatch.authenticators import recovery_code, totp
from nightlatch.authenticators.password import (
    DECOY_HASH,
    MalformedPassword,
    Pepper,
    PepperMissing,
    hash_password,
    needs_rehash,
    problem,
    verify_password,
)
from nightlatch.authenticators.recovery_code import CodeParts, NewCode
from nightlatch.refusals import Code, Refused, invalid
from nightlatch.store import accounts, sessions
from nightlatch.store.engine import Transaction
from nightlatch.web.context import Context

_ATTEMPTS = 3

NOT_MATCHED = "That code did not match. Codes change every 30 seconds: enter the one showing now."


async def password_sign_in(context: Context, address: Address, password: str) -> Proved | Wrong | Wait:
    """Sign in with e-mail and password. A session that the browser had is over."""
    by, token, kind = context.by, new_token(), context.session_kind

    async def judge(candidate: Candidate, right: bool) -> Proved | Wrong | Wait:
        def body(tx: Transaction) -> Proved | Wrong | Wait:
            result = sign_in.sign_in(tx, by=by, candidate=candidate, right=right, kind=kind, token=token)
            return end_former(tx, context, result)

        return await context.write(body)

    for _ in range(_ATTEMPTS):
        candidate = await context.read(lambda tx: sign_in.look(tx, by=by, address=address))
        if candidate.wait is not None:
            return candidate.wait
        right = await _judged(context, candidate, password)
        try:
            result = await judge(candidate, right)
        except Changed:
            continue
        if isinstance(result, Proved):
            await _renew_hash(context, candidate, password)
        return result
    raise Refused(Code.UNAVAILABLE, "The password is being changed at this moment. Try again.")


def end_former(tx: Transaction, context: Context, result: Proved | Wrong | Wait) -> Proved | Wrong | Wait:
    """After a whole sign-in, in its transaction: the session that the browser had is over."""
    session, person = context.known.session, context.known.person
    if isinstance(result, Proved) and session is not None and person is not None:
        sessions.end(tx, session.id, person.id)
    return result


async def password_again(context: Context, password: str) -> Proved | Wrong | Wait:
    """The password of the session's own person: to resume it, or to step up."""
    by, token = context.by, new_token()
    for _ in range(_ATTEMPTS):
        candidate = await context.read(lambda tx: sign_in.look_own(tx, by=by))
        if candidate.wait is not None:
            return candidate.wait
        right = await _judged(context, candidate, password)

        def body(
            tx: Transaction, candidate: Candidate = candidate, right: bool = right
        ) -> Proved | Wrong | Wait:
            return sign_in.present_password(tx, by=by, candidate=candidate, right=right, token=token)

        try:
            return await context.write(body)
        except Changed:
            continue
    raise Refused(Code.UNAVAILABLE, "The password is being changed at this moment. Try again.")


async def code_from_app(context: Context, code: str, *, remembers: bool = False) -> Proved | Wrong | Wait:
    """A code from the authenticator app. Raises Refused (422, not charged) for what cannot be one.

    `remembers`: do not ask again in this browser, where a workspace lets that be.
    """
    by, canonical, token = context.by, canonical_code(code), new_token()
    return await context.write(
        lambda tx: second_step.present_totp(tx, by=by, code=canonical, token=token, remembers=remembers)
    )


async def recovery(context: Context, text: str) -> Proved | Wrong | Wait:
    """A recovery code: one argon2 hash a try, whatever was typed."""
    by, parts, token = context.by, canonical_recovery(text), new_token()
    candidate = await context.read(lambda tx: second_step.look_code(tx, by=by, parts=parts))
    if candidate.wait is not None:
        return candidate.wait
    stored = candidate.hash or recovery_code.decoy_hash()
    right = await context.pool(lambda: recovery_code.verify_secret(stored, parts.secret))
    right = right and candidate.hash is not None
    return await context.write(
        lambda tx: second_step.present_recovery_code(
            tx, by=by, parts=parts, candidate=candidate, right=right, token=token
        )
    )


def drift_words(steps: int) -> dict[str, str]:
    """How far a phone's clock is off, in words: `steps` of 30 seconds, negative when it is behind."""
    minutes = max(1, round(abs(steps) / 2))
    return {
        "amount": "1 minute" if minutes == 1 else f"{minutes} minutes",
        "direction": "behind" if steps < 0 else "ahead",
    }


async def confirm_enrolment(
    context: Context, enrolment_id: int, code: str
) -> tuple[Confirmed | NotConfirmed, list[str]]:
    """Confirm a pending enrolment; with it come ten recovery codes where there are none yet, shown this once."""
    by, canonical, token = context.by, canonical_code(code), new_token()
    wanted = await context.read(
        lambda tx: enrolment.takes_codes(tx, by=by, enrolment_id=enrolment_id, code=canonical)
    )
    fresh, hashed = await new_codes(context) if wanted else ([], [])
    result = await context.write(
        lambda tx: enrolment.confirm(
            tx, by=by, enrolment_id=enrolment_id, code=canonical, codes=hashed, token=token
        )
    )
    kept = isinstance(result, Confirmed) and result.codes_kept
    return result, [each.text for each in fresh] if kept else []


async def new_codes(context: Context) -> tuple[list[NewCode], list[HashedCode]]:
    """Ten fresh recovery codes, and what is kept of them."""

    def make() -> tuple[list[NewCode], list[HashedCode]]:
        fresh = list(recovery_code.generate(secrets.token_bytes))
        return fresh, [HashedCode(each.selector, recovery_code.hash_secret(each.secret)) for each in fresh]

    return await context.pool(make)


async def hashed_password(context: Context, password: str, words: list[str], field: str = "password") -> str:
    """A password that may be chosen, hashed. Raises Refused (422) with the reason for one that may not."""
    peppers = pepper(context)

    def judge() -> str | None:
        found = problem(password, [*words, context.front.config.name])
        return found.message if found is not None else None

    why = await context.pool(judge)
    if why is not None:
        raise invalid(field, why)
    return await context.pool(lambda: hash_password(password, peppers))


def pepper(context: Context) -> Pepper:
    """The keys of the passwords' keyed step."""
    keys = context.front.house.keys
    return Pepper(keys.current_id, keys.subkeys("password"))


def canonical_code(text: str) -> str:
    """Six ASCII digits. Raises Refused (422): it was not charged."""
    try:
        return totp.canonical(text)
    except totp.MalformedCode as malformed:
        if malformed.digits == 0:
            raise invalid("code", "Enter the 6-digit code from your authenticator app.") from None
        if malformed.digits is not None:
            raise invalid("code", f"The code has 6 digits. You entered {malformed.digits}.") from None
        raise invalid("code", "The code has 6 digits and nothing else.") from None


def canonical_recovery(text: str) -> CodeParts:
    """A recovery code's parts. Raises Refused (422): it was not charged."""
    try:
        return recovery_code.canonical(text)
    except recovery_code.MalformedCode:
        raise invalid(
            "recovery_code", "A recovery code has five groups of four letters and digits."
        ) from None


async def _judged(context: Context, candidate: Candidate, password: str) -> bool:
    """Whether a password is right: the same work for an e-mail that nobody has."""
    peppers, stored = pepper(context), candidate.stored or DECOY_HASH

    def work() -> bool:
        try:
            return verify_password(stored, password, peppers) and candidate.stored is not None
        except MalformedPassword:
            return False

    try:
        return await context.pool(work)
    except PepperMissing:
        raise Refused(Code.UNAVAILABLE, "A key that is needed to check passwords is missing.") from None


async def _renew_hash(context: Context, candidate: Candidate, password: str) -> None:
    """After a right password: hash it anew where parameters or key are no longer the current ones."""
    peppers, stored, account_id = pepper(context), candidate.stored, candidate.account_id
    if stored is None or account_id is None or not needs_rehash(stored, peppers):
        return
    renewed = await context.pool(lambda: hash_password(password, peppers))
    await context.write(lambda tx: accounts.rehash(tx, account_id, stored, renewed))
