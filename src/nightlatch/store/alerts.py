"""Sign-ins that stopped half-way: sessions whose first factor was right, and that showed nothing else in their time."""

from sqlalchemy import bindparam, or_, select, update

from nightlatch.instants import HOUR, Duration
from nightlatch.store.engine import Transaction
from nightlatch.store.query import ONE, Query, Row
from nightlatch.store.schema import browsers, sessions
from nightlatch.store.session_facts import PENDING_LIMIT

LOOK_BACK: Duration = HOUR
"""How long after its time such a session is still told of: the search stays in a short piece of the index."""

_HALF_DONE = (
    sessions.c.last_seen_at > bindparam("after"),
    sessions.c.last_seen_at <= bindparam("until"),
    sessions.c.pending_until.is_not(None),
    or_(sessions.c.pending_until <= bindparam("now"), sessions.c.ended_at.is_not(None)),
    sessions.c.alerted_at.is_(None),
)
_WAITS = Query(select(sessions.c.id).where(*_HALF_DONE).limit(ONE))
_NEXT = Query(
    select(
        sessions.c.id,
        sessions.c.account_id,
        sessions.c.created_at,
        sessions.c.ip,
        sessions.c.user_agent,
        sessions.c.browser,
    )
    .where(*_HALF_DONE)
    .order_by(sessions.c.last_seen_at, sessions.c.id)
    .limit(bindparam("most"))
)
_NOTE = Query(
    update(sessions)
    .values(alerted_at=bindparam("now"))
    .where(sessions.c.id == bindparam("id"), sessions.c.alerted_at.is_(None))
    .returning(sessions.c.id)
)
_SIGNED_IN_SINCE = Query(
    select(browsers.c.last_at).where(
        browsers.c.token_hash == bindparam("browser"),
        browsers.c.account_id == bindparam("account_id"),
        browsers.c.last_at >= bindparam("since"),
    )
)


def waits(tx: Transaction) -> bool:
    """Whether a sign-in stopped half-way that was not looked at yet. Takes no lock."""
    return tx.one(_WAITS, **_window(tx)) is not None


def half_done(tx: Transaction, most: int) -> list[Row]:
    """The next ones, the one that was seen first first."""
    return tx.all(_NEXT, most=most, **_window(tx))


def note(tx: Transaction, session_id: int) -> bool:
    """It was looked at. False where somebody else did so before. Call it under the account's lock."""
    return tx.one(_NOTE, id=session_id, now=tx.now) is not None


def signed_in_since(tx: Transaction, browser: bytes | None, account_id: int, since: int) -> bool:
    """Whether a browser signed in fully to an account since an instant."""
    if browser is None:
        return False
    return tx.one(_SIGNED_IN_SINCE, browser=browser, account_id=account_id, since=since) is not None


def _window(tx: Transaction) -> dict[str, int]:
    """By when they were last seen, which is indexed: ten quiet minutes ago, so that whoever retries has had time."""
    until = tx.now - PENDING_LIMIT
    return {"now": tx.now, "until": until, "after": until - LOOK_BACK}
