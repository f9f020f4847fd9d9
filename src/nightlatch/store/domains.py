"""Domains of e-mail addresses that workspaces have proved to be theirs, or are about to."""

from sqlalchemy import bindparam, or_, select, update

from nightlatch.ids import new_id
from nightlatch.instants import DAY, Duration, Instant
from nightlatch.store.engine import Transaction
from nightlatch.store.query import Query, Row, insert_into, set_columns
from nightlatch.store.schema import workspaces
from nightlatch.store.schema_ways import connections, domains

CHECK_EVERY: Duration = DAY
"""How often the record of a proved domain is looked for again."""

_there = domains.c.removed_at.is_(None)
_proved = domains.c.proved_at.is_not(None)
_BY_ID = Query(
    select(domains).where(
        domains.c.id == bindparam("id"), domains.c.workspace_id == bindparam("workspace_id"), _there
    )
)
_OF_WORKSPACE = Query(
    select(domains)
    .where(domains.c.workspace_id == bindparam("workspace_id"), _there)
    .order_by(domains.c.domain, domains.c.id)
)
_EVERY = Query(
    select(domains, workspaces.c.slug)
    .join(workspaces, workspaces.c.id == domains.c.workspace_id)
    .where(_there)
    .order_by(domains.c.domain, workspaces.c.slug)
)
_OWNER = Query(
    select(domains.c.id, domains.c.workspace_id, workspaces.c.name)
    .join(workspaces, workspaces.c.id == domains.c.workspace_id)
    .where(domains.c.domain == bindparam("domain"), _proved, _there)
)
_ROUTES = Query(
    select(
        connections.c.id, connections.c.name, connections.c.kind, workspaces.c.name.label("workspace_name")
    )
    .join_from(domains, connections, connections.c.workspace_id == domains.c.workspace_id)
    .join(workspaces, workspaces.c.id == connections.c.workspace_id)
    .where(
        domains.c.domain == bindparam("domain"),
        _proved,
        _there,
        connections.c.removed_at.is_(None),
        connections.c.client_id != bindparam("nothing"),
    )
    .order_by(connections.c.name, connections.c.id)
)
_INSERT = Query(insert_into(domains, without=("proved_at", "checked_at", "missing_since", "removed_at")))
_PROVE = Query(
    set_columns(domains, "proved_at", "checked_at", "missing_since").where(
        domains.c.id == bindparam("id"), _there
    )
)
_CHECKED = Query(
    set_columns(domains, "checked_at", "missing_since").where(domains.c.id == bindparam("id"), _there)
)
_LAPSE = Query(
    update(domains)
    .values(proved_at=None, missing_since=None)
    .where(domains.c.id == bindparam("id"), _proved, _there)
    .returning(domains.c.id)
)
_REMOVE = Query(
    update(domains)
    .values(removed_at=bindparam("now"))
    .where(domains.c.id == bindparam("id"), _there)
    .returning(domains.c.id)
)
_DUE = Query(
    select(domains.c.id, domains.c.workspace_id, domains.c.domain, domains.c.proof, domains.c.missing_since)
    .where(_proved, _there, or_(domains.c.checked_at.is_(None), domains.c.checked_at < bindparam("before")))
    .order_by(domains.c.checked_at, domains.c.id)
    .limit(bindparam("most"))
)


def by_id(tx: Transaction, domain_id: int, workspace_id: int) -> Row | None:
    """One of a workspace's domains."""
    return tx.one(_BY_ID, id=domain_id, workspace_id=workspace_id)


def of_workspace(tx: Transaction, workspace_id: int) -> list[Row]:
    """A workspace's domains, proved or not, by name."""
    return tx.all(_OF_WORKSPACE, workspace_id=workspace_id)


def every(tx: Transaction) -> list[Row]:
    """Every domain, proved or not, with its workspace's slug; for the operator."""
    return tx.all(_EVERY)


def owner(tx: Transaction, domain: str) -> Row | None:
    """The workspace that has proved a domain, if one has."""
    return tx.one(_OWNER, domain=domain)


def routes(tx: Transaction, domain: str) -> list[Row]:
    """The connections that are offered to addresses of a domain: those of the workspace that has proved it."""
    return tx.all(_ROUTES, domain=domain, nothing="")


def add(tx: Transaction, *, workspace_id: int, domain: str, proof: str) -> int:
    """A domain that is yet to be proved."""
    id = new_id()
    tx.run(_INSERT, id=id, workspace_id=workspace_id, domain=domain, proof=proof, created_at=tx.now)
    return id


def prove(tx: Transaction, domain_id: int) -> None:
    """Its record was found. Call it under the lock of the domain's name: each is one workspace's."""
    tx.run(_PROVE, id=domain_id, new_proved_at=tx.now, new_checked_at=tx.now, new_missing_since=None)


def checked(tx: Transaction, domain_id: int, missing_since: Instant | None) -> None:
    """Its record was looked for again; since when it is missing, if it is."""
    tx.run(_CHECKED, id=domain_id, new_checked_at=tx.now, new_missing_since=missing_since)


def lapse(tx: Transaction, domain_id: int) -> bool:
    """It counts as proved no longer."""
    return tx.one(_LAPSE, id=domain_id) is not None


def remove(tx: Transaction, domain_id: int) -> bool:
    """The workspace has nothing to do with it any more."""
    return tx.one(_REMOVE, id=domain_id, now=tx.now) is not None


def due(tx: Transaction, most: int) -> list[Row]:
    """Proved domains whose record was not looked for within a day, the longest ago first."""
    return tx.all(_DUE, before=tx.now - CHECK_EVERY, most=most)
