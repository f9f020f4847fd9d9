"""Registered products: apps, where they are reached, and their secrets."""

from collections.abc import Iterable

from sqlalchemy import bindparam, delete, select, update

from nightlatch.facts import AppId
from nightlatch.ids import new_id
from nightlatch.store.engine import Transaction
from nightlatch.store.query import Query, Row, insert_into, set_columns
from nightlatch.store.schema import accounts, sessions
from nightlatch.store.schema_apps import app_origins, app_secrets, apps

SECRETS_AT_A_TIME = 2

_live = apps.c.removed_at.is_(None)
_BY_ID = Query(select(apps).where(apps.c.id == bindparam("id"), _live))
_BY_HANDLE = Query(select(apps).where(apps.c.handle == bindparam("handle"), _live))
_ALL = Query(select(apps).where(_live).order_by(apps.c.handle))
_MANAGED = Query(
    select(apps).where(apps.c.managed_by == bindparam("workspace_id"), _live).order_by(apps.c.handle)
)
_INSERT = Query(insert_into(apps))
_CHANGE = Query(
    set_columns(apps, "name", "return_url", "roles", "role_map", "colour").where(
        apps.c.id == bindparam("id"), _live
    )
)
_SET_LOGO = Query(set_columns(apps, "logo", "logo_type").where(apps.c.id == bindparam("id"), _live))
_REMOVE = Query(
    update(apps)
    .values(removed_at=bindparam("now"))
    .where(apps.c.id == bindparam("id"), _live)
    .returning(apps.c.id)
)
_ORIGINS = Query(
    select(app_origins.c.origin)
    .where(app_origins.c.app_id == bindparam("app_id"))
    .order_by(app_origins.c.origin)
)
_BY_ORIGIN = Query(
    select(apps)
    .join(app_origins, app_origins.c.app_id == apps.c.id)
    .where(app_origins.c.origin == bindparam("origin"), _live)
)
_PROTECTED = Query(
    select(apps.c.id, apps.c.name, apps.c.workspace_id, apps.c.roles)
    .join(app_origins, app_origins.c.app_id == apps.c.id)
    .where(app_origins.c.origin == bindparam("origin"), apps.c.workspace_id.is_not(None), _live)
)
_ADD_ORIGIN = Query(insert_into(app_origins))
_DROP_ORIGINS = Query(delete(app_origins).where(app_origins.c.app_id == bindparam("app_id")))
_ADD_SECRET = Query(insert_into(app_secrets))
_BY_SECRET = Query(
    select(apps.c.id, apps.c.handle, apps.c.name, apps.c.role_map, apps.c.workspace_id, apps.c.return_url)
    .join(app_secrets, app_secrets.c.app_id == apps.c.id)
    .where(app_secrets.c.secret_hash == bindparam("secret_hash"), app_secrets.c.ended_at.is_(None), _live)
)
_SECRETS = Query(
    select(app_secrets.c.id, app_secrets.c.created_at)
    .where(app_secrets.c.app_id == bindparam("app_id"), app_secrets.c.ended_at.is_(None))
    .order_by(app_secrets.c.created_at, app_secrets.c.id)
)
_END_SECRET = Query(
    update(app_secrets)
    .values(ended_at=bindparam("now"))
    .where(
        app_secrets.c.id == bindparam("id"),
        app_secrets.c.app_id == bindparam("app_id"),
        app_secrets.c.ended_at.is_(None),
    )
    .returning(app_secrets.c.id)
)
_END_SESSIONS = Query(
    update(sessions)
    .values(ended_at=bindparam("now"))
    .where(
        sessions.c.account_id.in_(select(accounts.c.id).where(accounts.c.app_id == bindparam("app_id"))),
        sessions.c.ended_at.is_(None),
    )
)


def by_id(tx: Transaction, app_id: AppId) -> Row | None:
    """The app with this id, unless it was removed."""
    return tx.one(_BY_ID, id=app_id)


def by_handle(tx: Transaction, handle: str) -> Row | None:
    """The app of this handle."""
    return tx.one(_BY_HANDLE, handle=handle)


def by_origin(tx: Transaction, origin: str) -> Row | None:
    """The app that is reached at an origin."""
    return tx.one(_BY_ORIGIN, origin=origin)


def protected_at(tx: Transaction, origin: str) -> Row | None:
    """The product without users of its own that is reached at an origin: what a proxy's check needs of it."""
    return tx.one(_PROTECTED, origin=origin)


def by_secret(tx: Transaction, secret_hash: bytes) -> Row | None:
    """The app that has this secret now."""
    return tx.one(_BY_SECRET, secret_hash=secret_hash)


def every(tx: Transaction) -> list[Row]:
    """All apps, by handle (for the operator)."""
    return tx.all(_ALL)


def managed(tx: Transaction, workspace_id: int) -> list[Row]:
    """The apps that the owners of a workspace manage, by handle."""
    return tx.all(_MANAGED, workspace_id=workspace_id)


def create(
    tx: Transaction,
    *,
    handle: str,
    name: str,
    workspace_id: int | None,
    managed_by: int | None,
    return_url: str,
    roles: str | None,
    role_map: str,
    colour: str | None,
) -> AppId:
    """A new app. `roles`: space-separated; `role_map`: a JSON object."""
    app_id = new_id()
    tx.run(
        _INSERT,
        id=app_id,
        handle=handle,
        name=name,
        workspace_id=workspace_id,
        managed_by=managed_by,
        return_url=return_url,
        roles=roles,
        role_map=role_map,
        colour=colour,
        logo=None,
        logo_type=None,
        created_at=tx.now,
        removed_at=None,
    )
    return app_id


def change(
    tx: Transaction,
    app_id: AppId,
    *,
    name: str,
    return_url: str,
    roles: str | None,
    role_map: str,
    colour: str | None,
) -> None:
    """What an app says of itself."""
    tx.run(
        _CHANGE,
        id=app_id,
        new_name=name,
        new_return_url=return_url,
        new_roles=roles,
        new_role_map=role_map,
        new_colour=colour,
    )


def set_logo(tx: Transaction, app_id: AppId, logo: bytes | None, media_type: str | None) -> None:
    """The picture on the app's pages."""
    tx.run(_SET_LOGO, id=app_id, new_logo=logo, new_logo_type=media_type)


def remove(tx: Transaction, app_id: AppId) -> bool:
    """Take an app out: its secrets, origins and checks end with it."""
    tx.run(_DROP_ORIGINS, app_id=app_id)
    for secret in secrets(tx, app_id):
        end_secret(tx, secret.id, app_id)
    return tx.one(_REMOVE, id=app_id, now=tx.now) is not None


def origins(tx: Transaction, app_id: AppId) -> list[str]:
    """Where an app is reached."""
    return [row.origin for row in tx.all(_ORIGINS, app_id=app_id)]


def set_origins(tx: Transaction, app_id: AppId, wanted: Iterable[str]) -> None:
    """Where an app is reached from now on. The primary key refuses another app's."""
    tx.run(_DROP_ORIGINS, app_id=app_id)
    for origin in wanted:
        tx.run(_ADD_ORIGIN, origin=origin, app_id=app_id)


def add_secret(tx: Transaction, app_id: AppId, secret_hash: bytes) -> int:
    """One more secret."""
    secret_id = new_id()
    tx.run(
        _ADD_SECRET, id=secret_id, app_id=app_id, secret_hash=secret_hash, created_at=tx.now, ended_at=None
    )
    return secret_id


def secrets(tx: Transaction, app_id: AppId) -> list[Row]:
    """The secrets that are valid now, the oldest first: since when, never what."""
    return tx.all(_SECRETS, app_id=app_id)


def end_secret(tx: Transaction, secret_id: int, app_id: AppId) -> bool:
    """One secret is dead from now on."""
    return tx.one(_END_SECRET, id=secret_id, app_id=app_id, now=tx.now) is not None


def end_sessions(tx: Transaction, app_id: AppId) -> int:
    """End every session of the people that an app keeps; how many."""
    return tx.run(_END_SESSIONS, app_id=app_id, now=tx.now)
