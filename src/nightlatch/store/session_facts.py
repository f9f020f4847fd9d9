"""The one read behind a decision where a session asks: four keyed look-ups on one snapshot."""

from hmac import compare_digest

from sqlalchemy import bindparam, select

from nightlatch.facts import Facts, RecentAct
from nightlatch.instants import HOUR, MINUTE, Duration, Instant
from nightlatch.store.engine import Transaction
from nightlatch.store.facts import app_reach, read_authenticators, read_members, read_proofs, teammate_of
from nightlatch.store.known import Known, Person, Place, Session
from nightlatch.store.query import Query, Row
from nightlatch.store.schema import accounts, sessions
from nightlatch.store.token_facts import read_known_token
from nightlatch.vocabulary import Credential, Method

ABSOLUTE_LIMIT: Duration = 24 * HOUR
IDLE_LIMIT: Duration = 12 * HOUR
PENDING_LIMIT: Duration = 10 * MINUTE
_LARGEST = (1 << 63) - 1
_KINDS = {each.value: each for each in Credential}

_session = select(
    sessions.c.id,
    sessions.c.token_hash,
    sessions.c.kind,
    sessions.c.account_id,
    sessions.c.created_at,
    sessions.c.authenticated_at,
    sessions.c.last_seen_at,
    sessions.c.expires_at,
    sessions.c.pending_until,
    sessions.c.ended_at,
    sessions.c.recent_kind,
    sessions.c.recent_at,
    accounts.c.name,
    accounts.c.email,
    accounts.c.locale,
    accounts.c.app_id,
    accounts.c.password_hash.is_(None).label("passwordless"),
).join(accounts, accounts.c.id == sessions.c.account_id)
_SESSION = Query(_session.where(sessions.c.id == bindparam("id")))


def read_known(tx: Transaction, token_hash: bytes | None, kind: Credential) -> Known:
    """What is known of the holder of a session token. A dead session, or one of the other kind, is nobody's.

    API tokens are told by their first letters, before any read.
    """
    if kind is Credential.TOKEN and token_hash is not None:
        return read_known_token(tx, token_hash)
    row = tx.one(_SESSION, id=named_by(token_hash)) if token_hash is not None else None
    if row is None or row.kind != kind or not compare_digest(row.token_hash, token_hash or b""):
        return Known(Facts(now=tx.now))
    return _known(tx, row)


def named_by(token_hash: bytes) -> int:
    """The id of the session that a token names, in what is kept of it (actions/tokens.py): its first eight bytes."""
    return int.from_bytes(token_hash[:8], "big") & _LARGEST


def read_known_by_session(tx: Transaction, session_id: int) -> Known:
    """The same by the session's id: for what is a child of it (grants), never for what a client sends."""
    row = tx.one(_SESSION, id=session_id)
    return _known(tx, row) if row is not None else Known(Facts(now=tx.now))


def _known(tx: Transaction, row: Row) -> Known:
    if not alive(row, tx.now):
        return Known(Facts(now=tx.now))
    members = read_members(tx, row.account_id)
    own = app_reach(members, row.app_id)
    facts = Facts(
        now=tx.now,
        account=row.account_id,
        idle=tx.now - row.last_seen_at >= IDLE_LIMIT,
        proofs=read_proofs(tx, row.id, own),
        authenticators=read_authenticators(tx, row.account_id),
        teammates=tuple(map(teammate_of, members)),
        recent=RecentAct(row.recent_kind, row.recent_at) if row.recent_kind else None,
        first=Method.PROVIDER if row.passwordless else Method.PASSWORD,
        by_connection=bool(row.passwordless) and row.app_id is None,
    )
    kind = _KINDS[row.kind]
    session = Session(row.id, kind, row.created_at, row.authenticated_at, row.last_seen_at, row.expires_at)
    person = Person(row.account_id, row.name, row.email, row.locale, row.app_id, bool(row.passwordless))
    places = {
        each.workspace_id: Place(
            each.workspace_id, each.slug, each.name, each.id, each.app_id, each.waiting_reset_id
        )
        for each in members
    }
    return Known(facts, session, person, places)


def alive(row: Row, now: Instant) -> bool:
    """Whether a session's row stands for a live session (idle ones are alive: the first factor resumes them)."""
    return (
        row.ended_at is None
        and now < row.expires_at
        and (row.pending_until is None or now < row.pending_until)
    )
