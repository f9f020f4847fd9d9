"""Service accounts: the machines of a workspace. Nobody signs in as one; a teammate, the sponsor, answers for it."""

from sqlalchemy import and_, bindparam, func, or_, select, update

from nightlatch.facts import WorkspaceId
from nightlatch.ids import new_id
from nightlatch.store.engine import Transaction
from nightlatch.store.query import Query, Row, insert_into, set_columns
from nightlatch.store.schema import accounts, teammates
from nightlatch.store.schema_team import service_accounts, tokens
from nightlatch.vocabulary import Role

_there = service_accounts.c.removed_at.is_(None)
_live_tokens = (
    select(func.count())
    .select_from(tokens)
    .where(
        tokens.c.service_id == service_accounts.c.id,
        tokens.c.ended_at.is_(None),
        tokens.c.expires_at > bindparam("now"),
    )
    .scalar_subquery()
)
_last_used = (
    select(func.max(tokens.c.last_used_at))
    .where(tokens.c.service_id == service_accounts.c.id)
    .scalar_subquery()
)
_shown = (
    select(
        service_accounts,
        accounts.c.id.label("sponsor_account_id"),
        accounts.c.name.label("sponsor_name"),
        accounts.c.email.label("sponsor_email"),
        teammates.c.removed_at.label("sponsor_removed_at"),
        _live_tokens.label("tokens"),
        _last_used.label("last_used_at"),
    )
    .join_from(service_accounts, teammates, teammates.c.id == service_accounts.c.sponsor_id)
    .join(accounts, accounts.c.id == teammates.c.account_id)
)
_OF_WORKSPACE = Query(
    _shown.where(service_accounts.c.workspace_id == bindparam("workspace_id"), _there).order_by(
        service_accounts.c.name, service_accounts.c.id
    )
)
_BY_ID = Query(
    _shown.where(
        service_accounts.c.id == bindparam("id"),
        service_accounts.c.workspace_id == bindparam("workspace_id"),
        _there,
    )
)
_COUNT = Query(
    select(func.count().label("count"))
    .select_from(service_accounts)
    .where(service_accounts.c.workspace_id == bindparam("workspace_id"), _there)
)
_INSERT = Query(insert_into(service_accounts, without=("suspended_at", "removed_at")))
_RENAME = Query(set_columns(service_accounts, "name").where(service_accounts.c.id == bindparam("id"), _there))
_SPONSOR = Query(
    set_columns(service_accounts, "sponsor_id", "suspended_at").where(
        service_accounts.c.id == bindparam("id"), _there
    )
)
_SUSPEND = Query(
    update(service_accounts)
    .values(suspended_at=bindparam("now"))
    .where(
        service_accounts.c.sponsor_id == bindparam("sponsor_id"),
        service_accounts.c.suspended_at.is_(None),
        _there,
    )
    .returning(service_accounts.c.id, service_accounts.c.name)
)
_REMOVE = Query(
    update(service_accounts)
    .values(removed_at=bindparam("now"))
    .where(service_accounts.c.id == bindparam("id"), _there)
    .returning(service_accounts.c.id)
)
_SPONSOR_BY_ADDRESS = Query(
    select(teammates.c.id, accounts.c.id.label("account_id"), accounts.c.name, accounts.c.email)
    .join(accounts, accounts.c.id == teammates.c.account_id)
    .where(
        teammates.c.workspace_id == bindparam("workspace_id"),
        teammates.c.removed_at.is_(None),
        accounts.c.email_key == bindparam("email_key"),
    )
)
_MANAGERS = Query(
    select(accounts.c.id, accounts.c.email)
    .join_from(teammates, accounts, accounts.c.id == teammates.c.account_id)
    .where(
        and_(teammates.c.workspace_id == bindparam("workspace_id"), teammates.c.removed_at.is_(None)),
        or_(teammates.c.role == Role.OWNER.value, teammates.c.role == Role.ADMIN.value),
    )
    .order_by(teammates.c.id)
)


def of_workspace(tx: Transaction, workspace_id: WorkspaceId) -> list[Row]:
    """A workspace's service accounts by name: sponsor, how many tokens are good, when one was last used."""
    return tx.all(_OF_WORKSPACE, workspace_id=workspace_id, now=tx.now)


def by_id(tx: Transaction, service_id: int, workspace_id: WorkspaceId) -> Row | None:
    """One of a workspace's service accounts."""
    return tx.one(_BY_ID, id=service_id, workspace_id=workspace_id, now=tx.now)


def count(tx: Transaction, workspace_id: WorkspaceId) -> int:
    """How many service accounts a workspace has."""
    row = tx.one(_COUNT, workspace_id=workspace_id)
    return int(row.count) if row is not None else 0


def create(tx: Transaction, *, workspace_id: WorkspaceId, name: str, sponsor_id: int, by_name: str) -> int:
    """A new service account, answered for by a teammate."""
    id = new_id()
    tx.run(
        _INSERT,
        id=id,
        workspace_id=workspace_id,
        name=name,
        sponsor_id=sponsor_id,
        created_at=tx.now,
        created_by=by_name,
    )
    return id


def rename(tx: Transaction, service_id: int, name: str) -> None:
    """Another name."""
    tx.run(_RENAME, id=service_id, new_name=name)


def set_sponsor(tx: Transaction, service_id: int, teammate_id: int) -> None:
    """Another teammate answers for it: it works again where it was suspended."""
    tx.run(_SPONSOR, id=service_id, new_sponsor_id=teammate_id, new_suspended_at=None)


def suspend_of_sponsor(tx: Transaction, teammate_id: int) -> list[Row]:
    """What a teammate answered for is suspended; which."""
    return tx.all(_SUSPEND, sponsor_id=teammate_id, now=tx.now)


def remove(tx: Transaction, service_id: int) -> bool:
    """It is no more."""
    return tx.one(_REMOVE, id=service_id, now=tx.now) is not None


def teammate_by_address(tx: Transaction, workspace_id: WorkspaceId, email_key: str) -> Row | None:
    """The teammate with this e-mail address."""
    return tx.one(_SPONSOR_BY_ADDRESS, workspace_id=workspace_id, email_key=email_key)


def managers(tx: Transaction, workspace_id: WorkspaceId) -> list[Row]:
    """Every owner and admin of a workspace: who is told."""
    return tx.all(_MANAGERS, workspace_id=workspace_id)
