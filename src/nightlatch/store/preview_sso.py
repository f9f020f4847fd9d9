"""Whom a mandate meets of those who come by single sign-on, told by connection and rule. Never to decide by."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import and_, bindparam, case, func, literal_column, select

from nightlatch.facts import ConnectionId, WorkspaceId
from nightlatch.instants import Instant
from nightlatch.policy import SsoRule
from nightlatch.store import connections
from nightlatch.store.connection_rules import acceptance_of
from nightlatch.store.engine import Transaction
from nightlatch.store.identities import source_of
from nightlatch.store.preview import MOST_NAMES, Group
from nightlatch.store.query import Query, Row
from nightlatch.store.schema import identities, standing, teammates
from nightlatch.store.table_states import EXEMPT

_connected = and_(
    identities.c.source == bindparam("source"),
    standing.c.workspace_id == bindparam("workspace_id"),
    standing.c.status == "active",
)
_people = identities.join(standing, standing.c.account_id == identities.c.account_id)
_members = _people.join(teammates, teammates.c.id == standing.c.id)
_came = teammates.c.sso_connection_id
_what = case(
    (standing.c.state == "on", literal_column("'set_up'")),
    (and_(standing.c.state == "sso", _came == bindparam("counts")), literal_column("'by_sso'")),
    (and_(standing.c.state == "sso", _came != bindparam("connection_id")), literal_column("'otherwise'")),
    (EXEMPT, literal_column("'exempt'")),
    else_=literal_column("'will_be_asked'"),
)
_NUMBERS = Query(
    select(_what.label("what"), func.count().label("number"))
    .select_from(_members)
    .where(_connected)
    .group_by(literal_column("1"))
)
_NAMES = Query(
    select(standing.c.name, standing.c.email, standing.c.search_key, standing.c.id)
    .select_from(_members)
    .where(_connected, _what == bindparam("what"))
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
_NOBODY = Group(0, ())
PARTS = ("set_up", "by_sso", "otherwise", "exempt", "will_be_asked")
"""Of `ByConnection.people`: each of them is in one."""


@dataclass(frozen=True, slots=True)
class ByConnection:
    """The teammates who are connected with a provider, and what a mandate means for them by the connection's rule.

    `people` are all of them, each in one of PARTS.
    """

    id: ConnectionId
    name: str
    ready: bool
    """Somebody could sign in by it."""
    rule: SsoRule
    """As it is now: an exemption that is over asks."""
    exempt_until: Instant | None
    """Until when it exempts; None where it does not."""
    people: Group
    set_up: Group
    """They have 2FA here."""
    by_sso: Group
    """They came last by it, and its rule takes that for enough."""
    otherwise: Group
    """They came last by another connection, whose rule takes that for enough."""
    exempt: Group
    """They have an exception of their own now."""
    will_be_asked: Group


def by_connection(tx: Transaction, workspace_id: WorkspaceId) -> tuple[ByConnection, ...]:
    """Every connection of a workspace, by name."""
    return tuple(_one(tx, workspace_id, row) for row in connections.of_workspace(tx, workspace_id))


def _one(tx: Transaction, workspace_id: WorkspaceId, connection: Row) -> ByConnection:
    rule, until = rule_now(connection, tx.now)
    here = {
        "workspace_id": workspace_id,
        "source": source_of(connection.id),
        "connection_id": connection.id,
        "counts": connection.id
        if rule is not SsoRule.ASK
        else 0,  # an exemption that is over counts for nothing
        "now": tx.now,
    }
    numbers = {row.what: int(row.number) for row in tx.all(_NUMBERS, **here)}
    rows = {what: tx.all(_NAMES, **here, what=what) for what in numbers}
    everybody = sorted(
        (row for each in rows.values() for row in each), key=lambda row: (row.search_key, row.id)
    )
    parts = {what: Group(numbers[what], _names(rows[what])) if what in numbers else _NOBODY for what in PARTS}
    return ByConnection(
        id=connection.id,
        name=connection.name,
        ready=connections.is_ready(connection),
        rule=rule,
        exempt_until=until,
        people=Group(sum(numbers.values()), _names(everybody)),
        **parts,
    )


def _names(rows: list[Row]) -> tuple[str, ...]:
    return tuple(str(row.name or row.email) for row in rows[:MOST_NAMES])


def rule_now(connection: Row, now: Instant) -> tuple[SsoRule, Instant | None]:
    """What a connection's rule is at `now`, and until when it exempts."""
    acceptance = acceptance_of(connection)
    rule = acceptance.rule_at(now)
    return rule, acceptance.exempt_until if rule is SsoRule.EXEMPT else None


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
