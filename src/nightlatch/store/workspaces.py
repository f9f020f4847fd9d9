"""Workspaces and their policy."""

from typing import Any

from sqlalchemy import BigInteger, bindparam, case, func, select, update

from nightlatch.ids import new_id
from nightlatch.instants import Duration, Instant
from nightlatch.store.engine import Transaction
from nightlatch.store.query import Query, Row, insert_into, set_columns
from nightlatch.store.schema import teammates, workspaces

_BY_ID = Query(select(workspaces).where(workspaces.c.id == bindparam("id")))
_BY_SLUG = Query(select(workspaces).where(workspaces.c.slug == bindparam("slug")))
_BY_APP = Query(
    select(workspaces).where(
        workspaces.c.app_id == bindparam("app_id"), workspaces.c.app_key == bindparam("app_key")
    )
)
_SET_NAME = Query(set_columns(workspaces, "name").where(workspaces.c.id == bindparam("id")))
_SET_SSO = Query(set_columns(workspaces, "sso_required_at").where(workspaces.c.id == bindparam("id")))
_ALL = Query(select(workspaces).order_by(workspaces.c.slug))
_INSERT = Query(
    insert_into(
        workspaces,
        without=(
            "announced_at",
            "turned_off_at",
            "resistant_from",
            "resistant_announced_at",
            "resistant_ended_at",
            "sso_required_at",
            "remember_for",
        ),
    )
)
_now = bindparam("now", type_=BigInteger)
_resistant = bindparam("resistant_from", type_=BigInteger)


def _set_policy(**values: Any) -> Query:
    return Query(
        update(workspaces)
        .values(
            managed_by=bindparam("managed_by"),
            resistant_from=_resistant,
            resistant_announced_at=bindparam("resistant_announced_at"),
            resistant_ended_at=case(
                (_resistant.is_(None) & (workspaces.c.resistant_from <= _now), _now),
                else_=workspaces.c.resistant_ended_at,
            ),
            remember_for=bindparam("remember_for"),
            revision=workspaces.c.revision + 1,
            policy_changed_at=_now,
            policy_changed_by=bindparam("by_name"),
            **values,
        )
        .where(workspaces.c.id == bindparam("id"), workspaces.c.revision == bindparam("if_revision"))
        .returning(workspaces.c.revision)
    )


_SET_REQUIRED = _set_policy(
    required_from=bindparam("required_from"), announced_at=func.coalesce(workspaces.c.announced_at, _now)
)
_SET_OFF = _set_policy(
    required_from=None,
    announced_at=None,
    turned_off_at=case((workspaces.c.required_from <= _now, _now), else_=workspaces.c.turned_off_at),
)

_MADE_BY = Query(
    select(func.count().label("number"), func.min(workspaces.c.created_at).label("oldest"))
    .select_from(teammates)
    .join(workspaces, workspaces.c.id == teammates.c.workspace_id)
    .where(
        teammates.c.account_id == bindparam("account_id"),
        workspaces.c.created_at > bindparam("since"),
        teammates.c.joined_at == workspaces.c.created_at,
    )
)


def by_id(tx: Transaction, workspace_id: int) -> Row | None:
    """The workspace with this id."""
    return tx.one(_BY_ID, id=workspace_id)


def by_slug(tx: Transaction, slug: str) -> Row | None:
    """The workspace with this slug."""
    return tx.one(_BY_SLUG, slug=slug)


def every(tx: Transaction) -> list[Row]:
    """All workspaces, by slug (for the operator)."""
    return tx.all(_ALL)


def by_app(tx: Transaction, app_id: int, app_key: str) -> Row | None:
    """A product's workspace, by the product's own id."""
    return tx.one(_BY_APP, app_id=app_id, app_key=app_key)


def set_name(tx: Transaction, workspace_id: int, name: str) -> None:
    """Rename a workspace."""
    tx.run(_SET_NAME, id=workspace_id, new_name=name)


def create(
    tx: Transaction, *, slug: str, name: str, app_id: int | None = None, app_key: str | None = None
) -> int:
    """A new workspace, its mandate off. `app_id`, `app_key`: the product that it belongs to, and its id there."""
    workspace_id = new_id()
    tx.run(
        _INSERT,
        id=workspace_id,
        slug=slug,
        name=name,
        created_at=tx.now,
        required_from=None,
        managed_by="admins",
        revision=1,
        policy_changed_at=None,
        policy_changed_by=None,
        app_id=app_id,
        app_key=app_key,
    )
    return workspace_id


def set_sso_required(tx: Transaction, workspace_id: int, *, required: bool) -> None:
    """Whether nothing but the workspace's own provider is a first factor there, from now on."""
    tx.run(_SET_SSO, id=workspace_id, new_sso_required_at=tx.now if required else None)


def made_by(tx: Transaction, account_id: int, since: Instant) -> tuple[int, Instant | None]:
    """How many workspaces an account made since an instant (it joined in the moment they were made), and when the
    first of them."""
    row = tx.all(_MADE_BY, account_id=account_id, since=since)[0]
    return int(row.number), row.oldest


def set_policy(
    tx: Transaction,
    workspace_id: int,
    *,
    required_from: Instant | None,
    resistant_from: Instant | None = None,
    resistant_announced_at: Instant | None = None,
    remember_for: Duration | None = None,
    managed_by: str,
    by_name: str,
    if_revision: int,
) -> int | None:
    """Set the policy if nobody changed it since `if_revision`; the new revision, else None.

    `announced_at` is kept while a requirement stands, also when its date is moved: who joined after it has no grace.
    `resistant_from`, `resistant_announced_at`: the same of its strength. `turned_off_at` and `resistant_ended_at` are
    when what was in force was last turned off. `remember_for`: for how long browsers are remembered, where nothing is
    required.
    """
    named = {
        "id": workspace_id,
        "managed_by": managed_by,
        "resistant_from": resistant_from,
        "resistant_announced_at": resistant_announced_at,
        "remember_for": remember_for,
        "by_name": by_name,
        "if_revision": if_revision,
    }
    if required_from is None:
        row = tx.one(_SET_OFF, **named, now=tx.now)
    else:
        row = tx.one(_SET_REQUIRED, **named, required_from=required_from, now=tx.now)
    return int(row.revision) if row is not None else None
