"""Whom a mandate would meet, told before it is turned on. Read from `standing`, never to decide by."""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, bindparam, exists, func, literal_column, not_, or_, select

from nightlatch.instants import MINUTE, Duration
from nightlatch.names import search_key
from nightlatch.store import standing
from nightlatch.store.engine import Transaction
from nightlatch.store.query import Query, Row
from nightlatch.store.schema import sessions, workspaces
from nightlatch.store.schema import standing as table
from nightlatch.store.schema_apps import apps
from nightlatch.store.schema_team import service_accounts, token_workspaces, tokens
from nightlatch.store.table_states import EXEMPT, WEAK

MOST_NAMES = 50
WORKING: Duration = 15 * MINUTE
"""Seen within this time, a session counts as somebody at work."""

_here = table.c.workspace_id == bindparam("workspace_id")
_by_name = (table.c.search_key, table.c.id)
_MOST: ColumnElement[int] = literal_column(str(MOST_NAMES))
_of_state = (
    select(table.c.name, table.c.email)
    .where(_here, table.c.status == bindparam("status"), table.c.state == bindparam("state"))
    .order_by(*_by_name)
    .limit(_MOST)
)
_not_exempt = func.coalesce(table.c.exempt_until, 0) <= bindparam("now")
_NAMES = Query(_of_state)
_BOUND_NAMES = Query(_of_state.where(_not_exempt))
_active = and_(_here, table.c.status == "active")
_manager = and_(_active, table.c.role_order < 2)
_has_passkey = table.c.methods.like(literal_column("'%passkey%'"))
_groups = {
    "with_passkey": and_(_active, _has_passkey),
    "without_passkey": and_(
        _active, or_(table.c.state == "on", table.c.state == literal_column(f"'{WEAK}'")), not_(_has_passkey)
    ),
    "by_sso": and_(_active, table.c.state == "sso"),
    "exempt": and_(_active, table.c.state != "on", table.c.state != "sso", EXEMPT),
    "managers_not_set_up": and_(_manager, table.c.state != "on", table.c.state != "sso"),
    "managers_without_codes": and_(
        _manager, table.c.state == "on", func.coalesce(table.c.recovery_left, 0) == 0
    ),
}
_GROUP = {
    group: Query(select(table.c.name, table.c.email).where(which).order_by(*_by_name).limit(_MOST))
    for group, which in _groups.items()
}
_GROUP_COUNT = {
    group: Query(select(func.count().label("number")).select_from(table).where(which))
    for group, which in _groups.items()
}
_GOOD_HERE = (
    select(tokens.c.id, tokens.c.account_id, tokens.c.name)
    .join_from(token_workspaces, tokens, tokens.c.id == token_workspaces.c.token_id)
    .where(token_workspaces.c.workspace_id == bindparam("workspace_id"))
    .where(tokens.c.ended_at.is_(None), tokens.c.expires_at > bindparam("now"))
    .cte("good_here")
    .prefix_with("MATERIALIZED")  # there are fewer tokens than teammates: begin with them
)
_refused_tokens = (
    select(table.c.name, table.c.email, _GOOD_HERE.c.name.label("token"))
    .join_from(_GOOD_HERE, table, table.c.account_id == _GOOD_HERE.c.account_id)
    .where(_here, table.c.status == "active", table.c.state != "on", table.c.state != "sso", _not_exempt)
)
_ALL_REFUSED_TOKENS = Query(_refused_tokens.order_by(*_by_name, _GOOD_HERE.c.id))
_REFUSED_TOKENS = Query(_refused_tokens.order_by(*_by_name, _GOOD_HERE.c.id).limit(_MOST))
_REFUSED_TOKENS_COUNT = Query(select(func.count().label("number")).select_from(_refused_tokens.subquery()))
_SERVICES = Query(
    select(service_accounts.c.name)
    .where(service_accounts.c.workspace_id == bindparam("workspace_id"))
    .where(service_accounts.c.removed_at.is_(None), service_accounts.c.suspended_at.is_(None))
    .order_by(service_accounts.c.name, service_accounts.c.id)
)
_PRODUCTS = Query(
    select(apps.c.name)
    .where(apps.c.workspace_id == bindparam("workspace_id"), apps.c.removed_at.is_(None))
    .order_by(apps.c.name, apps.c.id)
)
_PRODUCT_OF = Query(
    select(apps.c.name)
    .join_from(workspaces, apps, apps.c.id == workspaces.c.app_id)
    .where(workspaces.c.id == bindparam("workspace_id"))
)
_SEEN = (
    select(sessions.c.account_id)
    .where(
        sessions.c.last_seen_at > bindparam("since"),
        sessions.c.expires_at > bindparam("now"),
        sessions.c.ended_at.is_(None),
        sessions.c.pending_until.is_(None),
    )
    .distinct()
    .cte("seen")
    .prefix_with("MATERIALIZED")
)
_WORKING = Query(
    select(func.count().label("number"))
    .select_from(_SEEN)
    .where(
        exists(
            select(table.c.id).where(
                table.c.account_id == _SEEN.c.account_id,
                table.c.workspace_id == bindparam("workspace_id"),
                table.c.state != literal_column("'on'"),
                table.c.state != literal_column("'sso'"),
                _not_exempt,
            )
        )
    )
)


@dataclass(frozen=True, slots=True)
class Group:
    """How many, and the first fifty of them by name; of invitations the addresses."""

    count: int
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Preview:
    """Whom a mandate meets, and how."""

    set_up: Group
    will_be_asked: Group
    with_passkey: Group
    without_passkey: Group
    """They have 2FA and no passkey: a passkey is another thing to set up."""
    invited: Group
    """They set up while joining."""
    exempt: Group
    """They have an exception now: they are asked when it ends."""
    by_sso: Group
    """They came last by single sign-on whose rule takes that for enough."""
    managers_not_set_up: Group
    """Owners and admins without 2FA: while they lack it they cannot help anybody. They are asked like everybody; who
    came by single sign-on that is enough is none of them."""
    managers_without_codes: Group
    """Owners and admins with 2FA and no recovery code left: a lost phone locks them out."""
    refused_tokens: Group
    """Personal API tokens of those who will be asked, as "person: token": refused until they are set up."""
    service_accounts: Group
    """Their tokens keep working."""
    products: Group
    """Protected by this workspace: they open for nobody without 2FA."""
    kept_by: str | None
    """The product that these people sign in at, where the workspace is a product's."""


def preview(tx: Transaction, workspace_id: int) -> Preview:
    """Everybody and everything in a workspace, by what a mandate would mean for them."""
    here = {"workspace_id": workspace_id, "now": tx.now}
    numbers = standing.counts(tx, workspace_id)
    exempt = _group(tx, workspace_id, "exempt")
    kept_by = tx.one(_PRODUCT_OF, workspace_id=workspace_id)

    def group(status: str, state: str) -> Group:
        names = tx.all(_NAMES, workspace_id=workspace_id, status=status, state=state)
        return Group(number(status, state), tuple(map(_name, names)))

    def number(status: str, *states: str) -> int:
        return sum(row.number for row in numbers if row.status == status and row.state in states)

    def asked(*states: str) -> Group:
        names: list[str] = []
        for state in states:
            names += map(_name, tx.all(_BOUND_NAMES, **here, status="active", state=state))
        count = max(0, number("active", *states) - exempt.count)
        return Group(count, tuple(sorted(names, key=search_key)[:MOST_NAMES]))

    return Preview(
        group("active", "on"),
        asked("off", "reset", WEAK),
        _group(tx, workspace_id, "with_passkey"),
        _group(tx, workspace_id, "without_passkey"),
        group("invited", "off"),
        exempt,
        _group(tx, workspace_id, "by_sso"),
        _group(tx, workspace_id, "managers_not_set_up"),
        _group(tx, workspace_id, "managers_without_codes"),
        _tokens(tx, workspace_id),
        _named(services(tx, workspace_id)),
        _named(products(tx, workspace_id)),
        kept_by.name if kept_by is not None else None,
    )


def _name(row: Row) -> str:
    return str(row.name or row.email)


def _named(names: list[str]) -> Group:
    return Group(len(names), tuple(names[:MOST_NAMES]))


def _group(tx: Transaction, workspace_id: int, group: str) -> Group:
    (count,) = tx.all(_GROUP_COUNT[group], workspace_id=workspace_id, now=tx.now)
    rows = tx.all(_GROUP[group], workspace_id=workspace_id, now=tx.now)
    return Group(int(count.number), tuple(map(_name, rows)))


def _tokens(tx: Transaction, workspace_id: int) -> Group:
    (count,) = tx.all(_REFUSED_TOKENS_COUNT, workspace_id=workspace_id, now=tx.now)
    rows = tx.all(_REFUSED_TOKENS, workspace_id=workspace_id, now=tx.now)
    return Group(int(count.number), tuple(map(_token, rows)))


def _token(row: Row) -> str:
    return f"{_name(row)}: {row.token}"


def every_refused_token(tx: Transaction, workspace_id: int) -> list[str]:
    """All personal API tokens of people who are not set up there."""
    return [_token(row) for row in tx.all(_ALL_REFUSED_TOKENS, workspace_id=workspace_id, now=tx.now)]


def services(tx: Transaction, workspace_id: int) -> list[str]:
    """The service accounts of a workspace that are not suspended."""
    return [row.name for row in tx.all(_SERVICES, workspace_id=workspace_id)]


def products(tx: Transaction, workspace_id: int) -> list[str]:
    """The products without users of their own that this workspace protects."""
    return [row.name for row in tx.all(_PRODUCTS, workspace_id=workspace_id)]


def working_now(tx: Transaction, workspace_id: int) -> int:
    """How many teammates without 2FA there are at work: their next click would lead to set-up."""
    row = tx.one(_WORKING, workspace_id=workspace_id, since=tx.now - WORKING, now=tx.now)
    return int(row.number) if row is not None else 0
