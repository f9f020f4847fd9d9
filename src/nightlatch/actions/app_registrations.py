"""Registered products as they stand: what a registration says, and who is shown it. Reads only."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from nightlatch.actions.tokens import Token
from nightlatch.facts import AppId, WorkspaceId
from nightlatch.instants import Instant
from nightlatch.refusals import not_found
from nightlatch.store import apps, workspaces
from nightlatch.store.engine import Transaction
from nightlatch.store.query import Row
from nightlatch.vocabulary import Role


@dataclass(frozen=True, slots=True)
class Secret:
    """A secret that is valid: since when, never what."""

    id: int
    created_at: Instant


@dataclass(frozen=True, slots=True)
class Registration:
    """A registered product."""

    id: AppId
    handle: str
    name: str
    workspace: str | None
    """The slug of the workspace that it belongs to (without users of its own), or that manages it."""
    keeps_people: bool
    origins: tuple[str, ...]
    return_url: str
    roles: tuple[Role, ...] | None
    role_map: Mapping[str, Role]
    colour: str | None
    logo_type: str | None
    created_at: Instant
    secrets: tuple[Secret, ...]


@dataclass(frozen=True, slots=True)
class Made:
    """A product and its new secret, which is shown this once."""

    app: Registration
    secret: Token
    secret_id: int


def every(tx: Transaction) -> list[Registration]:
    """All products, by handle; for the operator."""
    return [_registration(tx, row) for row in apps.every(tx)]


def managed(tx: Transaction, workspace_id: WorkspaceId) -> list[Registration]:
    """The products of a workspace, by handle; the gate has asked for MANAGE_APPS."""
    return [_registration(tx, row) for row in apps.managed(tx, workspace_id)]


def open_to(tx: Transaction, workspace_id: WorkspaceId, role: Role) -> list[tuple[str, tuple[str, ...]]]:
    """The products behind a proxy that a workspace opens to a role: the name and the origins of each."""
    return [
        (row.name, tuple(apps.origins(tx, row.id)))
        for row in apps.managed(tx, workspace_id)
        if row.workspace_id is not None and (row.roles is None or role in row.roles.split())
    ]


def read(tx: Transaction, app_id: AppId, *, managed_by: WorkspaceId | None = None) -> Registration:
    """One product; with `managed_by`, one of that workspace's. Raises Refused (`not_found`)."""
    row = apps.by_id(tx, app_id)
    if row is None or (managed_by is not None and row.managed_by != managed_by):
        raise not_found()
    return _registration(tx, row)


def _registration(tx: Transaction, row: Row) -> Registration:
    workspace = workspaces.by_id(tx, row.managed_by) if row.managed_by is not None else None
    return Registration(
        id=row.id,
        handle=row.handle,
        name=row.name,
        workspace=workspace.slug if workspace is not None else None,
        keeps_people=row.workspace_id is None,
        origins=tuple(apps.origins(tx, row.id)),
        return_url=row.return_url,
        roles=tuple(map(Role, row.roles.split())) if row.roles is not None else None,
        role_map={word: Role(role) for word, role in json.loads(row.role_map).items()},
        colour=row.colour,
        logo_type=row.logo_type,
        created_at=row.created_at,
        secrets=tuple(Secret(each.id, each.created_at) for each in apps.secrets(tx, row.id)),
    )
