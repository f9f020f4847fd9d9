"""Calls for help: somebody with a teammate's first factor says that the second is lost."""

from sqlalchemy import bindparam, or_, select, update

from nightlatch.ids import new_id
from nightlatch.instants import Instant
from nightlatch.store.engine import Transaction
from nightlatch.store.query import ONE, Query, Row, insert_into
from nightlatch.store.schema import accounts, teammates
from nightlatch.store.schema_team import help_requests
from nightlatch.vocabulary import Role

_INSERT = Query(insert_into(help_requests, without=("closed_at", "closed_by")))
_SINCE = Query(
    select(help_requests)
    .where(
        help_requests.c.account_id == bindparam("account_id"),
        help_requests.c.workspace_id == bindparam("workspace_id"),
        help_requests.c.created_at > bindparam("since"),
    )
    .order_by(help_requests.c.created_at.desc())
    .limit(ONE)
)
_OPEN_OF = Query(
    select(help_requests.c.id, help_requests.c.workspace_id, help_requests.c.created_at)
    .where(help_requests.c.account_id == bindparam("account_id"), help_requests.c.closed_at.is_(None))
    .order_by(help_requests.c.workspace_id, help_requests.c.created_at)
)
_OPEN_IN = Query(
    select(
        help_requests.c.id,
        help_requests.c.account_id,
        help_requests.c.created_at,
        help_requests.c.ip,
        help_requests.c.user_agent,
        teammates.c.id.label("teammate_id"),
        teammates.c.role,
        accounts.c.name,
        accounts.c.email,
    )
    .join(accounts, accounts.c.id == help_requests.c.account_id)
    .join(
        teammates,
        (teammates.c.account_id == help_requests.c.account_id)
        & (teammates.c.workspace_id == help_requests.c.workspace_id),
    )
    .where(
        help_requests.c.workspace_id == bindparam("workspace_id"),
        help_requests.c.closed_at.is_(None),
        teammates.c.removed_at.is_(None),
    )
    .order_by(help_requests.c.created_at.desc(), help_requests.c.id)
    .limit(bindparam("most"))
)
_CLOSE = Query(
    update(help_requests)
    .values(closed_at=bindparam("now"), closed_by=bindparam("why"))
    .where(help_requests.c.id == bindparam("id"), help_requests.c.closed_at.is_(None))
    .returning(help_requests.c.id)
)
_MANAGERS = Query(
    select(teammates.c.account_id, teammates.c.role, accounts.c.name, accounts.c.email)
    .join(accounts, accounts.c.id == teammates.c.account_id)
    .where(
        teammates.c.workspace_id == bindparam("workspace_id"),
        or_(teammates.c.role == Role.OWNER.value, teammates.c.role == Role.ADMIN.value),
        teammates.c.account_id != bindparam("but"),
        teammates.c.removed_at.is_(None),
    )
    .order_by(teammates.c.role.desc(), teammates.c.id)
    .limit(bindparam("most"))
)


def add(tx: Transaction, *, workspace_id: int, account_id: int, ip: str, user_agent: str) -> int:
    """A new call for help."""
    id = new_id()
    tx.run(
        _INSERT,
        id=id,
        workspace_id=workspace_id,
        account_id=account_id,
        created_at=tx.now,
        ip=ip,
        user_agent=user_agent,
    )
    return id


def newest_since(tx: Transaction, account_id: int, workspace_id: int, since: Instant) -> Row | None:
    """The newest call of a person in a workspace since an instant, whatever became of it."""
    return tx.one(_SINCE, account_id=account_id, workspace_id=workspace_id, since=since)


def open_of(tx: Transaction, account_id: int) -> list[Row]:
    """The open calls of a person, in all workspaces: mostly none."""
    return tx.all(_OPEN_OF, account_id=account_id)


def open_in(tx: Transaction, workspace_id: int, most: int = 100) -> list[Row]:
    """The open calls in a workspace, with who asks; the newest first."""
    return tx.all(_OPEN_IN, workspace_id=workspace_id, most=most)


def close(tx: Transaction, id: int, why: str) -> bool:
    """It needs nobody any more: once (law 4)."""
    return tx.one(_CLOSE, id=id, now=tx.now, why=why) is not None


def managers(tx: Transaction, workspace_id: int, but: int, most: int) -> list[Row]:
    """The owners and admins of a workspace other than one account, owners first."""
    return tx.all(_MANAGERS, workspace_id=workspace_id, but=but, most=most)
