"""What stands for a session elsewhere: start links, ways back, one-time codes, and the grants made of them."""

from sqlalchemy import bindparam, delete, select, update

from nightlatch.facts import AppId
from nightlatch.ids import new_id
from nightlatch.instants import DAY, SECOND, Duration, Instant
from nightlatch.store.engine import Transaction
from nightlatch.store.query import ONE, Query, Row, insert_into
from nightlatch.store.schema import sessions
from nightlatch.store.schema_apps import app_codes, grants, handoffs, spent_starts

CODE_LIFE: Duration = 60 * SECOND
APP = "app"
"""A grant for a product's server."""
HOST = "host"
"""A grant that is a protected host's cookie."""

_BY_TOKEN = Query(
    select(grants, sessions.c.ended_at.label("session_ended_at"))
    .join(sessions, sessions.c.id == grants.c.session_id)
    .where(grants.c.token_hash == bindparam("token_hash"), grants.c.ended_at.is_(None))
)
_INSERT = Query(insert_into(grants))
_END = Query(
    update(grants)
    .values(ended_at=bindparam("now"))
    .where(grants.c.id == bindparam("id"), grants.c.ended_at.is_(None))
    .returning(grants.c.id)
)
_SPEND_START = Query(insert_into(spent_starts))
_START_SPENT = Query(select(spent_starts.c.nonce).where(spent_starts.c.nonce == bindparam("nonce")))
_ADD_HANDOFF = Query(insert_into(handoffs))
_HANDOFF = Query(
    select(handoffs).where(handoffs.c.id == bindparam("id"), handoffs.c.session_id == bindparam("session_id"))
)
_LATEST = Query(
    select(handoffs)
    .where(
        handoffs.c.session_id == bindparam("session_id"),
        handoffs.c.workspace_id == bindparam("workspace_id"),
    )
    .order_by(handoffs.c.created_at.desc(), handoffs.c.id)
    .limit(ONE)
)
_NEWEST = Query(
    select(handoffs)
    .where(handoffs.c.session_id == bindparam("session_id"))
    .order_by(handoffs.c.created_at.desc(), handoffs.c.id)
    .limit(ONE)
)
_ADD_CODE = Query(insert_into(app_codes))
_CODE = Query(select(app_codes).where(app_codes.c.code_hash == bindparam("code_hash")))
_SPEND_CODE = Query(
    update(app_codes)
    .values(spent_at=bindparam("now"), grant_id=bindparam("grant_id"))
    .where(
        app_codes.c.code_hash == bindparam("code_hash"),
        app_codes.c.app_id == bindparam("app_id"),
        app_codes.c.state_hash == bindparam("state_hash"),
        app_codes.c.spent_at.is_(None),
        app_codes.c.expires_at > bindparam("now"),
    )
    .returning(app_codes.c.session_id, app_codes.c.account_id, app_codes.c.workspace_id)
)
_PRUNE = (
    Query(delete(grants).where(grants.c.expires_at < bindparam("before"))),
    Query(delete(app_codes).where(app_codes.c.expires_at < bindparam("before"))),
    Query(delete(spent_starts).where(spent_starts.c.expires_at < bindparam("before"))),
    Query(delete(handoffs).where(handoffs.c.created_at < bindparam("before") - 2 * DAY)),
)


# --- start links ---


def spend_start(tx: Transaction, nonce: bytes, expires_at: Instant) -> bool:
    """Use a start link; False where it was used already. Call it under the account's lock."""
    if tx.one(_START_SPENT, nonce=nonce) is not None:
        return False
    tx.run(_SPEND_START, nonce=nonce, expires_at=expires_at)
    return True


# --- ways back ---


def hand_off(
    tx: Transaction,
    *,
    session_id: int,
    app_id: AppId,
    workspace_id: int,
    state: str,
    return_to: str,
    max_age: Duration | None,
    browser: bytes | None = None,
) -> int:
    """Remember where a session goes once its workspace is open to it."""
    id = new_id()
    tx.run(
        _ADD_HANDOFF,
        id=id,
        session_id=session_id,
        app_id=app_id,
        workspace_id=workspace_id,
        state=state,
        return_to=return_to,
        max_age=max_age,
        browser=browser,
        created_at=tx.now,
    )
    return id


def handoff(tx: Transaction, id: int, session_id: int) -> Row | None:
    """A session's own way back."""
    return tx.one(_HANDOFF, id=id, session_id=session_id)


def latest_handoff(tx: Transaction, session_id: int, workspace_id: int) -> Row | None:
    """The way back that a session was given last in a workspace."""
    return tx.one(_LATEST, session_id=session_id, workspace_id=workspace_id)


def newest_handoff(tx: Transaction, session_id: int) -> Row | None:
    """The way back that a session was given last, in whichever workspace."""
    return tx.one(_NEWEST, session_id=session_id)


# --- one-time codes ---


def add_code(
    tx: Transaction,
    *,
    code_hash: bytes,
    app_id: AppId,
    session_id: int,
    account_id: int,
    workspace_id: int,
    state_hash: bytes,
) -> None:
    """A code for one app and state, good for a minute."""
    tx.run(
        _ADD_CODE,
        id=new_id(),
        code_hash=code_hash,
        app_id=app_id,
        session_id=session_id,
        account_id=account_id,
        workspace_id=workspace_id,
        state_hash=state_hash,
        expires_at=tx.now + CODE_LIFE,
        spent_at=None,
        grant_id=None,
    )


def code(tx: Transaction, code_hash: bytes) -> Row | None:
    """A code, whatever its state: to say why it is refused."""
    return tx.one(_CODE, code_hash=code_hash)


def spend_code(
    tx: Transaction, *, code_hash: bytes, app_id: AppId, state_hash: bytes, grant_id: int
) -> Row | None:
    """Spend a code by one guarded statement (law 4): its row is the proof, None means that it is not good."""
    return tx.one(
        _SPEND_CODE,
        code_hash=code_hash,
        app_id=app_id,
        state_hash=state_hash,
        grant_id=grant_id,
        now=tx.now,
    )


# --- grants ---


def create(
    tx: Transaction,
    *,
    id: int,
    token_hash: bytes,
    kind: str,
    app_id: AppId,
    session_id: int,
    account_id: int,
    workspace_id: int,
    expires_at: Instant,
    host: str | None = None,
) -> None:
    """A child of a session: for one app, person and workspace alone."""
    tx.run(
        _INSERT,
        id=id,
        token_hash=token_hash,
        kind=kind,
        app_id=app_id,
        session_id=session_id,
        account_id=account_id,
        workspace_id=workspace_id,
        host=host,
        created_at=tx.now,
        expires_at=expires_at,
        ended_at=None,
    )


def by_token(tx: Transaction, token_hash: bytes, kind: str) -> Row | None:
    """A live grant. Whether its session lives, and what it has proved, is read with the session."""
    row = tx.one(_BY_TOKEN, token_hash=token_hash)
    if row is None or row.kind != kind or row.expires_at <= tx.now or row.session_ended_at is not None:
        return None
    return row


def end(tx: Transaction, grant_id: int) -> bool:
    """A grant is dead from now on."""
    return tx.one(_END, id=grant_id, now=tx.now) is not None


def prune(tx: Transaction, before: Instant) -> int:
    """Delete what expired before an instant."""
    return sum(tx.run(query, before=before) for query in _PRUNE)
