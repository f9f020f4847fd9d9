"""Whom a mandate meets of those who come by single sign-on, told by connection and rule. Never to decide by."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import and_, bindparam, case, func, literal_column, select

from nightlatch.facts import ConnectionId, WorkspaceId
from nightlatch.policy import Acceptance
from nightlatch.store import connections
from nightlatch.store.connection_rules import acceptance_of
from nightlatch.store.engine import Transaction
from nightlatch.store.identities import source_of
from nightlatch.store.preview import MOST_NAMES, Group
from nightlatch.store.query import Query, Row
from nightlatch.store.schema import identities, standing
from nightlatch.store.table_states import EXEMPT

_connected = and_(
    identities.c.source == bindparam("source"),
    standing.c.workspace_id == bindparam("workspace_id"),
    standing.c.status == "active",
)
_people = identities.join(standing, standing.c.account_id == identities.c.account_id)
_excepted = case((EXEMPT, literal_column("1")), else_=literal_column("0"))
_NUMBERS = Query(
    select(standing.c.state, _excepted.label("excepted"), func.count().label("number"))
    .select_from(_people)
    .where(_connected)
    .group_by(standing.c.state, _excepted)
)
_NAMES = Query(
    select(standing.c.name, standing.c.email)
    .select_from(_people)
    .where(_connected)
    .order_by(standing.c.search_key, standing.c.id)
    .limit(literal_column(str(MOST_NAMES)))
)
_SOURCES = Query(
    select(standing.c.id, identities.c.source)
    .select_from(_people)
    .where(
        standing.c.workspace_id == bindparam("workspace_id"),
        standing.c.email_key >= bindparam("first"),
        standing.c.email_key <= bindparam("last"),
        identities.c.source.like(literal_column("'sso:%'")),
    )
)


@dataclass(frozen=True, slots=True)
class ByConnection:
    """The teammates who are connected with a provider, and what a mandate means for them by the connection's rule.

    Whoever is in none of the three numbers has an exception of their own.
    """

    id: ConnectionId
    name: str
    acceptance: Acceptance
    people: Group
    set_up: int
    """They have 2FA here."""
    by_sso: int
    """They came last by what the rule takes for enough."""
    will_be_asked: int


def by_connection(tx: Transaction, workspace_id: WorkspaceId) -> tuple[ByConnection, ...]:
    """Every connection of a workspace, by name."""
    return tuple(_one(tx, workspace_id, row) for row in connections.of_workspace(tx, workspace_id))


def _one(tx: Transaction, workspace_id: WorkspaceId, connection: Row) -> ByConnection:
    where = {"workspace_id": workspace_id, "source": source_of(connection.id)}
    rows = tx.all(_NUMBERS, **where, now=tx.now)
    names = tuple(str(row.name or row.email) for row in tx.all(_NAMES, **where))

    def number(*states: str) -> int:
        return sum(row.number for row in rows if row.state in states)

    asked = (row for row in rows if row.state not in ("on", "sso") and not row.excepted)
    return ByConnection(
        connection.id,
        connection.name,
        acceptance_of(connection),
        Group(number(*{row.state for row in rows}), names),
        number("on"),
        number("sso"),
        sum(row.number for row in asked),
    )


def connections_of(
    tx: Transaction, workspace_id: WorkspaceId, first: str, last: str
) -> Mapping[int, tuple[Row, ...]]:
    """With which connections those are connected whose address keys lie between two (both included), by the ids of
    their rows in the table."""
    by_source = {source_of(row.id): row for row in connections.of_workspace(tx, workspace_id)}
    if not by_source:
        return {}
    theirs: dict[int, set[str]] = defaultdict(set)
    for row in tx.all(_SOURCES, workspace_id=workspace_id, first=first, last=last):
        theirs[row.id].add(row.source)
    return {
        id: tuple(row for source, row in by_source.items() if source in known) for id, known in theirs.items()
    }
