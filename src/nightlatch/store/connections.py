"""A workspace's connections to identity providers. What their rules accept is read live in connection_rules.py."""

import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy import bindparam, exists, literal_column, select, update

from nightlatch.ids import new_id, to_text
from nightlatch.instants import Instant
from nightlatch.policy import Acceptance, SsoRule
from nightlatch.store.engine import Transaction
from nightlatch.store.query import Query, Row, insert_into, set_columns
from nightlatch.store.schema import teammates, workspaces
from nightlatch.store.schema_ways import connections

OIDC, SAML = "oidc", "saml"

_there = connections.c.removed_at.is_(None)
_shown = select(
    connections,
    workspaces.c.slug,
    workspaces.c.name.label("workspace_name"),
    workspaces.c.app_id,
    workspaces.c.sso_required_at,
).join_from(connections, workspaces, workspaces.c.id == connections.c.workspace_id)
_BY_ID = Query(_shown.where(connections.c.id == bindparam("id"), _there))
_OF_WORKSPACE = Query(
    _shown.where(connections.c.workspace_id == bindparam("workspace_id"), _there).order_by(
        connections.c.name, connections.c.id
    )
)
_OF_KIND = Query(
    _shown.where(connections.c.kind == bindparam("kind"), _there).order_by(
        workspaces.c.slug, connections.c.id
    )
)
_EVERY = Query(_shown.where(_there).order_by(workspaces.c.slug, connections.c.name, connections.c.id))
_INSERT = Query(
    insert_into(connections, without=("sealed", "max_age", "exempt_until", "exempt_by", "removed_at"))
)
_CHANGE = Query(
    set_columns(connections, "name", "client_id", "settings", "joins_from", "changed_at").where(
        connections.c.id == bindparam("id"), _there
    )
)
_SECRET = Query(
    set_columns(connections, "sealed", "changed_at").where(connections.c.id == bindparam("id"), _there)
)
_RULE = Query(
    set_columns(connections, "rule", "accepted", "max_age", "exempt_until", "exempt_by", "changed_at").where(
        connections.c.id == bindparam("id"), _there
    )
)
_OVER = Query(
    select(connections.c.id, connections.c.workspace_id, connections.c.name)
    .where(
        _there,
        connections.c.rule == SsoRule.EXEMPT.value,
        connections.c.exempt_until <= bindparam("now"),
        exists(
            select(teammates.c.id).where(
                teammates.c.workspace_id == connections.c.workspace_id,
                teammates.c.sso_connection_id == connections.c.id,
            )
        ),
    )
    .order_by(connections.c.id)
    .limit(literal_column("1"))
)
_REMOVE = Query(
    update(connections)
    .values(removed_at=bindparam("now"), sealed=None)
    .where(connections.c.id == bindparam("id"), _there)
    .returning(connections.c.id)
)


def by_id(tx: Transaction, connection_id: int) -> Row | None:
    """A connection that is not removed, with the slug and name of its workspace."""
    return tx.one(_BY_ID, id=connection_id)


def of_workspace(tx: Transaction, workspace_id: int) -> list[Row]:
    """The connections of a workspace, by name."""
    return tx.all(_OF_WORKSPACE, workspace_id=workspace_id)


def of_kind(tx: Transaction, kind: str) -> list[Row]:
    """Every connection of a kind, with its workspace's slug; for the operator."""
    return tx.all(_OF_KIND, kind=kind)


def every(tx: Transaction) -> list[Row]:
    """All connections, by workspace and name (for the operator)."""
    return tx.all(_EVERY)


def settings_of(row: Row) -> dict[str, Any]:
    """What its kind needs, as it was kept."""
    settings: dict[str, Any] = json.loads(row.settings)
    return settings


def is_ready(row: Row) -> bool:
    """Whether somebody could sign in by it: what the provider gave (a client ID, certificates) is there."""
    return bool(row.client_id)


def create(
    tx: Transaction,
    *,
    workspace_id: int,
    kind: str,
    name: str,
    issuer: str,
    client_id: str,
    settings: Mapping[str, Any],
    joins: bool,
) -> int:
    """A new connection, whose rule is to ask. `issuer` stays as it is for good."""
    id = new_id()
    tx.run(
        _INSERT,
        id=id,
        workspace_id=workspace_id,
        kind=kind,
        name=name,
        issuer=issuer,
        client_id=client_id,
        settings=json.dumps(settings),
        rule=SsoRule.ASK,
        accepted="{}",
        joins_from=tx.now if joins else None,
        created_at=tx.now,
        changed_at=tx.now,
    )
    return id


def change(
    tx: Transaction,
    connection_id: int,
    *,
    name: str,
    client_id: str,
    settings: Mapping[str, Any],
    joins_from: Instant | None,
) -> None:
    """Another name, client ID, settings; whether strangers join."""
    tx.run(
        _CHANGE,
        id=connection_id,
        new_name=name,
        new_client_id=client_id,
        new_settings=json.dumps(settings),
        new_joins_from=joins_from,
        new_changed_at=tx.now,
    )


def set_secret(tx: Transaction, connection_id: int, secret: str | None) -> None:
    """The client's secret, sealed; None: it has none."""
    sealed = (
        tx.keys.seal("connections", to_text(connection_id), secret.encode()) if secret is not None else None
    )
    tx.run(_SECRET, id=connection_id, new_sealed=sealed, new_changed_at=tx.now)


def secret_of(tx: Transaction, row: Row) -> str | None:
    """The client's secret. Raises SealError where no key of the ring opens it."""
    if row.sealed is None:
        return None
    return tx.keys.open("connections", to_text(row.id), row.sealed).decode()


def set_rule(tx: Transaction, connection_id: int, acceptance: Acceptance, *, exempt_by: str | None) -> None:
    """What a sign-in by it counts for from the next request on. `exempt_by`: which owner said so."""
    accepted = {"second": sorted(acceptance.second), "resistant": sorted(acceptance.resistant)}
    tx.run(
        _RULE,
        id=connection_id,
        new_rule=acceptance.rule,
        new_accepted=json.dumps(accepted),
        new_max_age=acceptance.max_age,
        new_exempt_until=acceptance.exempt_until,
        new_exempt_by=exempt_by,
        new_changed_at=tx.now,
    )


def over(tx: Transaction) -> Row | None:
    """A connection whose exemption is over, and by which somebody still counts as having come."""
    return tx.one(_OVER, now=tx.now)


def remove(tx: Transaction, connection_id: int) -> bool:
    """It is no more: proofs given by it count for nothing with the next request. Its secret is wiped."""
    return tx.one(_REMOVE, id=connection_id, now=tx.now) is not None
