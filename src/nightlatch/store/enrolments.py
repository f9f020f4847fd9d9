"""Pending enrolments: one a session, replaced by a new begin, nobody else's (law 14)."""

from sqlalchemy import bindparam, delete, select

from nightlatch.instants import MINUTE, Duration
from nightlatch.store.engine import Transaction
from nightlatch.store.query import Query, Row, insert_into
from nightlatch.store.schema import enrolments

ENROLMENT_LIFE: Duration = 60 * MINUTE

_OF_SESSION = Query(
    select(enrolments).where(
        enrolments.c.session_id == bindparam("session_id"),
        enrolments.c.account_id == bindparam("account_id"),
        enrolments.c.expires_at > bindparam("now"),
    )
)
_DELETE_OF_SESSION = Query(delete(enrolments).where(enrolments.c.session_id == bindparam("session_id")))
_TAKE = Query(
    delete(enrolments)
    .where(
        enrolments.c.id == bindparam("id"),
        enrolments.c.session_id == bindparam("session_id"),
        enrolments.c.account_id == bindparam("account_id"),
        enrolments.c.expires_at > bindparam("now"),
    )
    .returning(enrolments.c.id)
)
_DELETE_OF_ACCOUNT = Query(delete(enrolments).where(enrolments.c.account_id == bindparam("account_id")))
_DELETE_OTHERS = Query(
    delete(enrolments).where(
        enrolments.c.account_id == bindparam("account_id"), enrolments.c.session_id != bindparam("keep")
    )
)
_DELETE_FOR = Query(
    delete(enrolments).where(
        enrolments.c.account_id == bindparam("account_id"),
        enrolments.c.workspace_id == bindparam("workspace_id"),
    )
)
_ALL = Query(
    select(enrolments)
    .where(enrolments.c.expires_at > bindparam("now"))
    .order_by(enrolments.c.created_at.desc(), enrolments.c.id)
)
_INSERT = Query(insert_into(enrolments))
_PRUNE = Query(delete(enrolments).where(enrolments.c.expires_at <= bindparam("now")))


def begin(
    tx: Transaction,
    *,
    id: int,
    session_id: int,
    account_id: int,
    sealed: bytes,
    name: str,
    replaces: int | None,
    workspace_id: int | None,
) -> None:
    """Begin one; an older one of the session is gone."""
    tx.run(_DELETE_OF_SESSION, session_id=session_id)
    tx.run(
        _INSERT,
        id=id,
        session_id=session_id,
        account_id=account_id,
        sealed=sealed,
        name=name,
        replaces=replaces,
        workspace_id=workspace_id,
        created_at=tx.now,
        expires_at=tx.now + ENROLMENT_LIFE,
    )


def of_session(tx: Transaction, session_id: int, account_id: int) -> Row | None:
    """The session's own pending enrolment."""
    return tx.one(_OF_SESSION, session_id=session_id, account_id=account_id, now=tx.now)


def take(tx: Transaction, enrolment_id: int, session_id: int, account_id: int) -> bool:
    """Take it away for good as it is confirmed: once, by its own session."""
    row = tx.one(_TAKE, id=enrolment_id, session_id=session_id, account_id=account_id, now=tx.now)
    return row is not None


def drop_all(tx: Transaction, account_id: int) -> None:
    """Drop whatever is pending for an account, in every session."""
    tx.run(_DELETE_OF_ACCOUNT, account_id=account_id)


def drop_others(tx: Transaction, account_id: int, keep: int) -> None:
    """Drop whatever is pending for an account in any session but one."""
    tx.run(_DELETE_OTHERS, account_id=account_id, keep=keep)


def drop_for(tx: Transaction, account_id: int, workspace_id: int) -> None:
    """Drop what an account has begun for one workspace, in every session."""
    tx.run(_DELETE_FOR, account_id=account_id, workspace_id=workspace_id)


def every(tx: Transaction) -> list[Row]:
    """All pending enrolments (only the demo's phone looks at other people's)."""
    return tx.all(_ALL, now=tx.now)


def prune(tx: Transaction) -> int:
    """Delete the expired."""
    return tx.run(_PRUNE, now=tx.now)
