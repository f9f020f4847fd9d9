"""A product's people as they stand with us: the one read behind a check, and what a full list is compared with."""

from sqlalchemy import and_, bindparam, func, select

from nightlatch.facts import AppId
from nightlatch.store.accounts import app_source
from nightlatch.store.engine import Transaction
from nightlatch.store.query import Query, Row
from nightlatch.store.schema import accounts, identities, teammates, workspaces
from nightlatch.vocabulary import Role

_of_app = and_(
    identities.c.source == bindparam("source"),
    identities.c.subject == bindparam("person"),
    workspaces.c.app_id == bindparam("app_id"),
    workspaces.c.app_key == bindparam("workspace"),
)
_STANDING = Query(
    select(
        accounts.c.id.label("account_id"),
        accounts.c.name,
        accounts.c.email,
        workspaces.c.id.label("workspace_id"),
        workspaces.c.name.label("workspace_name"),
        teammates.c.id.label("teammate_id"),
        teammates.c.role,
        teammates.c.given_role,
    )
    .select_from(identities)
    .join(accounts, accounts.c.id == identities.c.account_id)
    .join(teammates, teammates.c.account_id == accounts.c.id)
    .join(workspaces, workspaces.c.id == teammates.c.workspace_id)
    .where(_of_app, teammates.c.removed_at.is_(None))
)
_OF_WORKSPACE = Query(
    select(
        identities.c.subject.label("person"),
        accounts.c.id.label("account_id"),
        accounts.c.name,
        accounts.c.email,
        teammates.c.id.label("teammate_id"),
        teammates.c.role,
        teammates.c.given_role,
    )
    .select_from(teammates)
    .join(accounts, accounts.c.id == teammates.c.account_id)
    .join(
        identities,
        and_(identities.c.account_id == accounts.c.id, identities.c.source == bindparam("source")),
    )
    .where(teammates.c.workspace_id == bindparam("workspace_id"), teammates.c.removed_at.is_(None))
    .order_by(identities.c.subject)
)
_GIVEN_OWNERS = Query(
    select(func.count().label("count"))
    .select_from(teammates)
    .where(
        teammates.c.workspace_id == bindparam("workspace_id"),
        teammates.c.given_role == Role.OWNER.value,
        teammates.c.removed_at.is_(None),
    )
)
_GIVEN_ADMINS = Query(
    select(teammates.c.id, teammates.c.account_id, teammates.c.role, accounts.c.name)
    .join(accounts, accounts.c.id == teammates.c.account_id)
    .where(
        teammates.c.workspace_id == bindparam("workspace_id"),
        teammates.c.given_role == Role.ADMIN.value,
        teammates.c.removed_at.is_(None),
    )
    .order_by(teammates.c.id)
)


def standing(tx: Transaction, app_id: AppId, person: str, workspace: str) -> Row | None:
    """A person as they stand in one of the product's workspaces; None for who is not a teammate there (yet)."""
    return tx.one(_STANDING, source=app_source(app_id), person=person, app_id=app_id, workspace=workspace)


def of_workspace(tx: Transaction, app_id: AppId, workspace_id: int) -> list[Row]:
    """Everybody who is in a workspace of the product, by the product's ids."""
    return tx.all(_OF_WORKSPACE, source=app_source(app_id), workspace_id=workspace_id)


def has_given_owner(tx: Transaction, workspace_id: int) -> bool:
    """Whether the product itself calls somebody an owner there."""
    row = tx.one(_GIVEN_OWNERS, workspace_id=workspace_id)
    return row is not None and row.count > 0


def given_admins(tx: Transaction, workspace_id: int) -> list[Row]:
    """Whom the product calls admins there, with the role that counts."""
    return tx.all(_GIVEN_ADMINS, workspace_id=workspace_id)
