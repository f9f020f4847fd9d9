"""Passkeys: the record of each beside its authenticator, and the challenges that were given out."""

from hashlib import sha256

from sqlalchemy import bindparam, delete, func, or_, select, update

from nightlatch.authenticators.passkey import NewPasskey, Verdict
from nightlatch.instants import MINUTE, Duration
from nightlatch.store.engine import Transaction
from nightlatch.store.query import Query, Row, insert_into, set_columns
from nightlatch.store.schema import accounts, authenticators
from nightlatch.store.schema_ways import passkey_challenges, passkeys

CHALLENGE_LIFE: Duration = 10 * MINUTE

_all = select(passkeys, authenticators.c.name, authenticators.c.bound_at).join(
    authenticators, authenticators.c.id == passkeys.c.authenticator_id
)
_OF_ACCOUNT = Query(
    _all.where(passkeys.c.account_id == bindparam("account_id")).order_by(
        authenticators.c.bound_at, authenticators.c.id
    )
)
_BY_CREDENTIAL = Query(_all.where(passkeys.c.credential_id == bindparam("credential_id")))
_INSERT = Query(insert_into(passkeys, without=("count_fell_at",)))
_SHOWN = Query(
    set_columns(passkeys, "sign_count", "backed_up_at").where(
        passkeys.c.authenticator_id == bindparam("authenticator_id")
    )
)
_VERIFIED = Query(
    update(passkeys)
    .values(verified_at=bindparam("now"))
    .where(passkeys.c.authenticator_id == bindparam("authenticator_id"), passkeys.c.verified_at.is_(None))
)
_FELL = Query(
    update(passkeys)
    .values(count_fell_at=bindparam("now"))
    .where(passkeys.c.authenticator_id == bindparam("authenticator_id"), passkeys.c.count_fell_at.is_(None))
    .returning(passkeys.c.authenticator_id)
)
_SET_HANDLE = Query(
    update(accounts)
    .values(user_handle=bindparam("handle"))
    .where(accounts.c.id == bindparam("id"), accounts.c.user_handle.is_(None))
)
_GIVE = Query(insert_into(passkey_challenges, without=("spent_at",)))
_OPEN = (
    passkey_challenges.c.challenge_hash == bindparam("challenge_hash"),
    passkey_challenges.c.purpose == bindparam("purpose"),
    func.coalesce(passkey_challenges.c.session_id, 0) == bindparam("session_id"),
    or_(passkey_challenges.c.browser.is_(None), passkey_challenges.c.browser == bindparam("browser")),
    passkey_challenges.c.spent_at.is_(None),
    passkey_challenges.c.expires_at > bindparam("now"),
)
_LOOK = Query(select(passkey_challenges).where(*_OPEN))
_SPEND = Query(
    update(passkey_challenges)
    .values(spent_at=bindparam("now"))
    .where(*_OPEN)
    .returning(passkey_challenges.c.id, passkey_challenges.c.account_id, passkey_challenges.c.detail)
)
_GIVEN = Query(
    select(passkey_challenges.c.id).where(
        passkey_challenges.c.challenge_hash == bindparam("challenge_hash"),
        passkey_challenges.c.expires_at > bindparam("now"),
    )
)
_PRUNE = Query(delete(passkey_challenges).where(passkey_challenges.c.expires_at <= bindparam("now")))


# --- the records ---


def bind(tx: Transaction, *, authenticator_id: int, account_id: int, made: NewPasskey) -> None:
    """What is kept beside the authenticator. A credential id that somebody has is refused by its unique key."""
    tx.run(
        _INSERT,
        authenticator_id=authenticator_id,
        account_id=account_id,
        credential_id=made.credential_id,
        public_key=made.public_key,
        sign_count=made.sign_count,
        aaguid=made.aaguid,
        transports=" ".join(made.transports),
        verified_at=tx.now if made.verified else None,
        backup_eligible_at=tx.now if made.backup_eligible else None,
        backed_up_at=tx.now if made.backed_up else None,
    )


def of_account(tx: Transaction, account_id: int) -> list[Row]:
    """An account's passkeys with their names, the oldest first."""
    return tx.all(_OF_ACCOUNT, account_id=account_id)


def by_credential(tx: Transaction, credential_id: bytes) -> Row | None:
    """The passkey with this credential id, whosever it is."""
    return tx.one(_BY_CREDENTIAL, credential_id=credential_id)


def shown(tx: Transaction, row: Row, verdict: Verdict) -> bool:
    """Keep what a right showing told of it. True where its counter did not rise, for the first time."""
    id = row.authenticator_id
    backed_up_at = (row.backed_up_at or tx.now) if verdict.backed_up else None
    tx.run(_SHOWN, authenticator_id=id, new_sign_count=verdict.sign_count, new_backed_up_at=backed_up_at)
    if verdict.verified and row.verified_at is None:
        tx.run(_VERIFIED, authenticator_id=id, now=tx.now)
    return verdict.count_fell and tx.one(_FELL, authenticator_id=id, now=tx.now) is not None


def keep_handle(tx: Transaction, account_id: int, handle: bytes) -> None:
    """Give an account its user handle, once for good: call it under the account's lock."""
    tx.run(_SET_HANDLE, id=account_id, handle=handle)


# --- challenges ---


def give(
    tx: Transaction,
    *,
    id: int,
    challenge: bytes,
    purpose: str,
    session_id: int | None,
    account_id: int | None,
    browser: bytes | None,
    detail: str,
) -> None:
    """Keep the hash of a challenge that is given out, for one answer; expired ones go."""
    tx.run(_PRUNE, now=tx.now)
    tx.run(
        _GIVE,
        id=id,
        challenge_hash=sha256(challenge).digest(),
        purpose=purpose,
        session_id=session_id,
        account_id=account_id,
        browser=browser,
        detail=detail,
        created_at=tx.now,
        expires_at=tx.now + CHALLENGE_LIFE,
    )


def look(
    tx: Transaction, challenge: bytes, *, purpose: str, session_id: int | None, browser: bytes | None
) -> Row | None:
    """A challenge that could be spent so. Reads only."""
    return tx.one(_LOOK, **_asked(tx, challenge, purpose, session_id, browser))


def spend(
    tx: Transaction, challenge: bytes, *, purpose: str, session_id: int | None, browser: bytes | None
) -> Row | None:
    """Spend a challenge: once, for what it was given, by the session or browser it was given to (law 4)."""
    return tx.one(_SPEND, **_asked(tx, challenge, purpose, session_id, browser))


def given(tx: Transaction, challenge: bytes) -> bool:
    """Whether it was given out lately at all: to somebody, for something, spent or not."""
    return tx.one(_GIVEN, challenge_hash=sha256(challenge).digest(), now=tx.now) is not None


def prune(tx: Transaction) -> int:
    """Delete the expired."""
    return tx.run(_PRUNE, now=tx.now)


def _asked(
    tx: Transaction, challenge: bytes, purpose: str, session_id: int | None, browser: bytes | None
) -> dict[str, object]:
    return {
        "challenge_hash": sha256(challenge).digest(),
        "purpose": purpose,
        "session_id": session_id or 0,
        "browser": browser or b"",
        "now": tx.now,
    }
