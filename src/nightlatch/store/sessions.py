"""Sessions, their proofs, and the browsers that have signed in fully before."""

from collections.abc import Iterable, Sequence

from sqlalchemy import bindparam, delete, exists, select, update

from nightlatch.instants import DAY, MINUTE, Duration, Instant
from nightlatch.store.engine import Transaction
from nightlatch.store.query import Query, Row, insert_into, set_columns
from nightlatch.store.schema import browsers, proofs, sessions
from nightlatch.store.session_facts import ABSOLUTE_LIMIT, PENDING_LIMIT, named_by
from nightlatch.vocabulary import Credential, Method

BROWSER_LIFE = 400 * DAY
SEEN_EVERY: Duration = MINUTE
"""When a session was last seen is written at most so often."""

_INSERT = Query(insert_into(sessions, without=("alerted_at",)))
_ROTATE = Query(
    set_columns(sessions, "token_hash", "authenticated_at", "last_seen_at", "pending_until").where(
        sessions.c.id == bindparam("id"), sessions.c.ended_at.is_(None)
    )
)
_ROTATE_UNSEEN = Query(
    set_columns(sessions, "token_hash", "authenticated_at", "pending_until").where(
        sessions.c.id == bindparam("id"), sessions.c.ended_at.is_(None)
    )
)
_OPENED = Query(set_columns(sessions, "pending_until").where(sessions.c.id == bindparam("id")))
_RECENT = Query(set_columns(sessions, "recent_kind", "recent_at").where(sessions.c.id == bindparam("id")))
_SEEN = Query(
    set_columns(sessions, "last_seen_at").where(
        sessions.c.id == bindparam("id"), sessions.c.last_seen_at < bindparam("new_last_seen_at")
    )
)
_LIVE = (sessions.c.ended_at.is_(None), sessions.c.expires_at > bindparam("now"))
_OF_ACCOUNT = Query(
    select(sessions)
    .where(sessions.c.account_id == bindparam("account_id"), *_LIVE)
    .order_by(sessions.c.last_seen_at.desc(), sessions.c.id)
)
_END = Query(
    update(sessions)
    .values(ended_at=bindparam("now"))
    .where(sessions.c.id == bindparam("id"), sessions.c.account_id == bindparam("account_id"), *_LIVE)
    .returning(sessions.c.id)
)
_END_OTHERS = Query(
    update(sessions)
    .values(ended_at=bindparam("now"))
    .where(sessions.c.account_id == bindparam("account_id"), sessions.c.id != bindparam("keep"), *_LIVE)
    .returning(sessions.c.id)
)
_ADD_PROOF = Query(insert_into(proofs))
_DROP_PROOFS_OF = Query(
    delete(proofs).where(
        proofs.c.session_id == bindparam("session_id"),
        proofs.c.authenticator_id == bindparam("authenticator_id"),
    )
)
_HOLDING = Query(
    update(sessions)
    .values(ended_at=bindparam("now"))
    .where(
        sessions.c.account_id == bindparam("account_id"),
        *_LIVE,
        exists(
            select(proofs.c.sequence).where(
                proofs.c.session_id == sessions.c.id,
                proofs.c.authenticator_id == bindparam("authenticator_id"),
            )
        ),
    )
    .returning(sessions.c.id)
)
_FORGET_PROOFS_OF = Query(
    delete(proofs).where(
        proofs.c.authenticator_id == bindparam("authenticator_id"),
        proofs.c.session_id.in_(
            select(sessions.c.id).where(sessions.c.account_id == bindparam("account_id"))
        ),
    )
)
_DROP_OLDER = Query(
    delete(proofs).where(
        proofs.c.session_id == bindparam("session_id"),
        proofs.c.method == bindparam("method"),
        proofs.c.sequence < bindparam("sequence"),
    )
)
_DROP_OLDER_AT = Query(
    delete(proofs).where(
        proofs.c.session_id == bindparam("session_id"),
        proofs.c.connection_id == bindparam("connection_id"),
        proofs.c.sequence < bindparam("sequence"),
    )
)
_FORGET_PROOFS = Query(delete(proofs).where(proofs.c.session_id == bindparam("session_id")))
_its_browser = (
    browsers.c.token_hash == bindparam("token_hash"),
    browsers.c.account_id == bindparam("account_id"),
)
_BROWSER = Query(select(browsers.c.last_at).where(*_its_browser))
_BROWSERS = Query(
    select(
        select(browsers.c.last_at).where(*_its_browser).scalar_subquery().label("last_at"),
        exists(select(browsers.c.last_at).where(browsers.c.account_id == bindparam("account_id"))).label(
            "others"
        ),
    )
)
_ADD_BROWSER = Query(insert_into(browsers))
_SEE_BROWSER = Query(set_columns(browsers, "last_at").where(*_its_browser))
_PRUNE_PROOFS = Query(
    delete(proofs).where(
        proofs.c.session_id.in_(select(sessions.c.id).where(sessions.c.expires_at < bindparam("before")))
    )
)
_PRUNE = Query(delete(sessions).where(sessions.c.expires_at < bindparam("before")))


def create(
    tx: Transaction,
    *,
    account_id: int,
    kind: Credential,
    token_hash: bytes,
    ip: str,
    user_agent: str,
    pending: bool,
    browser: bytes | None = None,
) -> int:
    """A new session, with the id that its token names. `pending`: it waits for its second step, for ten minutes at
    most. `browser`: the hash of the browser's own cookie."""
    session_id = named_by(token_hash)
    tx.run(
        _INSERT,
        id=session_id,
        token_hash=token_hash,
        kind=kind,
        account_id=account_id,
        created_at=tx.now,
        authenticated_at=tx.now,
        last_seen_at=tx.now,
        expires_at=tx.now + ABSOLUTE_LIMIT,
        pending_until=tx.now + PENDING_LIMIT if pending else None,
        ended_at=None,
        ip=ip,
        user_agent=user_agent,
        recent_kind=None,
        recent_at=None,
        browser=browser,
    )
    return session_id


def rotate(
    tx: Transaction,
    session_id: int,
    token_hash: bytes,
    *,
    pending_until: Instant | None,
    seen_at: Instant = 0,
) -> bool:
    """Give a session a new token after an authentication; the old token is dead at once. False if it has ended.

    `token_hash`: of a token that names this session. `seen_at`: when it was last seen, if the caller knows: that is
    written at most once a minute.
    """
    if named_by(token_hash) != session_id:
        raise ValueError("a session's token names the session")
    values = {
        "id": session_id,
        "new_token_hash": token_hash,
        "new_authenticated_at": tx.now,
        "new_pending_until": pending_until,
    }
    if tx.now - seen_at < SEEN_EVERY:
        return bool(tx.run(_ROTATE_UNSEEN, **values))
    return bool(tx.run(_ROTATE, **values, new_last_seen_at=tx.now))


def opened(tx: Transaction, session_id: int) -> None:
    """The session no longer waits for a second step."""
    tx.run(_OPENED, id=session_id, new_pending_until=None)


def add_proof(
    tx: Transaction,
    session_id: int,
    method: Method,
    *,
    authenticator_id: int | None = None,
    workspace_id: int | None = None,
    reset_id: int | None = None,
    supersedes: bool = True,
    at: Instant | None = None,
    connection_id: int | None = None,
    evidence: str | None = None,
    verified: bool = True,
) -> int:
    """Record one authentication event of a session and return its sequence. Call it under the account's lock.

    A newer password proof stands in for older ones, so that a long session does not gather them; proofs of an
    authenticator, and sign-ins by one connection, likewise. `supersedes`: False where the caller knows that there is
    none to replace. `at`: when it was, if not now. `evidence`: what the provider told (`connection_rules.told_text`).
    `verified`: False for a passkey that was only touched.
    """
    sequence = tx.next_sequence()
    if not supersedes:
        pass
    elif authenticator_id is not None:
        tx.run(_DROP_PROOFS_OF, session_id=session_id, authenticator_id=authenticator_id)
    elif connection_id is not None:
        tx.run(_DROP_OLDER_AT, session_id=session_id, connection_id=connection_id, sequence=sequence)
    elif method in (Method.PASSWORD, Method.PROVIDER):
        tx.run(_DROP_OLDER, session_id=session_id, method=method, sequence=sequence)
    tx.run(
        _ADD_PROOF,
        session_id=session_id,
        sequence=sequence,
        method=method,
        authenticator_id=authenticator_id,
        workspace_id=workspace_id,
        reset_id=reset_id,
        at=tx.now if at is None else at,
        connection_id=connection_id,
        evidence=evidence,
        unverified_at=None if verified else tx.now,
    )
    return sequence


def forget_proofs(tx: Transaction, session_id: int) -> None:
    """Whatever this session has shown counts no more."""
    tx.run(_FORGET_PROOFS, session_id=session_id)


def note_act(tx: Transaction, session_id: int, kind: str) -> None:
    """An act that asked for fresh proof was done: acts of the same kind may follow within ten minutes."""
    tx.run(_RECENT, id=session_id, new_recent_kind=kind, new_recent_at=tx.now)


def seen(tx: Transaction, last_seen: Iterable[tuple[int, Instant]]) -> None:
    """Write when sessions were last seen: batched, at most once a minute, and it may be lost."""
    tx.run_each(_SEEN, ({"id": id, "new_last_seen_at": at} for id, at in last_seen))


def of_account(tx: Transaction, account_id: int) -> list[Row]:
    """The live sessions of an account, the most recently seen first."""
    return tx.all(_OF_ACCOUNT, account_id=account_id, now=tx.now)


def end(tx: Transaction, session_id: int, account_id: int) -> bool:
    """End one session of an account. False where there is no such live session."""
    return tx.one(_END, id=session_id, account_id=account_id, now=tx.now) is not None


def end_others(tx: Transaction, account_id: int, keep: int | None) -> Sequence[int]:
    """End every session of an account but one (None: all). Returns the ended ones."""
    return [row.id for row in tx.all(_END_OTHERS, account_id=account_id, keep=keep or 0, now=tx.now)]


def end_holding(tx: Transaction, account_id: int, authenticator_id: int) -> Sequence[int]:
    """End every session of an account that holds a proof given with an authenticator. Returns the ended ones."""
    rows = tx.all(_HOLDING, account_id=account_id, authenticator_id=authenticator_id, now=tx.now)
    return [row.id for row in rows]


def forget_proofs_of(tx: Transaction, account_id: int, authenticator_id: int) -> None:
    """Whatever was shown with an authenticator so far counts nowhere any more."""
    tx.run(_FORGET_PROOFS_OF, account_id=account_id, authenticator_id=authenticator_id)


def browser_known(tx: Transaction, token_hash: bytes | None, account_id: int) -> bool:
    """Whether this browser has signed in fully to this account before."""
    if token_hash is None:
        return False
    row = tx.one(_BROWSER, token_hash=token_hash, account_id=account_id)
    return row is not None and tx.now - row.last_at < BROWSER_LIFE


def remember_browser(tx: Transaction, token_hash: bytes | None, account_id: int) -> bool:
    """A full sign-in happened in this browser. True if it is new to this account, and not the account's first.

    When the last one was is written at most once a day.
    """
    if token_hash is None:
        return False
    found = tx.one(_BROWSERS, token_hash=token_hash, account_id=account_id)
    if found is None or found.last_at is None:
        tx.run(_ADD_BROWSER, token_hash=token_hash, account_id=account_id, last_at=tx.now)
        return found is not None and bool(found.others)
    if tx.now - found.last_at >= DAY:
        tx.run(_SEE_BROWSER, token_hash=token_hash, account_id=account_id, new_last_at=tx.now)
    return False


def prune(tx: Transaction, before: Instant) -> int:
    """Delete sessions that expired before an instant, and their proofs."""
    tx.run(_PRUNE_PROOFS, before=before)
    return tx.run(_PRUNE, before=before)
