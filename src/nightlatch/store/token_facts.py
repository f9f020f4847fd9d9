"""The one read behind a decision where an API token asks, in place of a session's. Keyed look-ups on one snapshot."""

from dataclasses import replace

from sqlalchemy import and_, bindparam, select

from nightlatch.facts import ApiToken, Facts, Teammate, WorkspaceId
from nightlatch.policy import ManagedBy, Mandate
from nightlatch.store.connection_rules import read_rule
from nightlatch.store.engine import Transaction
from nightlatch.store.facts import read_account_facts
from nightlatch.store.known import Known, Person, Place, TokenUse
from nightlatch.store.query import Query, Row
from nightlatch.store.schema import accounts, teammates, workspaces
from nightlatch.store.schema_team import service_accounts, token_workspaces, tokens
from nightlatch.vocabulary import Role

_TOKEN = Query(
    select(
        tokens.c.id,
        tokens.c.account_id,
        tokens.c.service_id,
        tokens.c.name,
        tokens.c.scopes,
        tokens.c.sequence,
        tokens.c.created_at,
        tokens.c.expires_at,
        tokens.c.last_used_at,
        accounts.c.name.label("person"),
        accounts.c.email,
        accounts.c.locale,
        accounts.c.app_id,
    )
    .join_from(tokens, accounts, accounts.c.id == tokens.c.account_id, isouter=True)
    .where(tokens.c.token_hash == bindparam("token_hash"), tokens.c.ended_at.is_(None))
)
_PLACES = Query(
    select(
        workspaces.c.id,
        workspaces.c.slug,
        workspaces.c.name,
        workspaces.c.app_id,
        teammates.c.id.label("teammate_id"),
    )
    .join_from(token_workspaces, workspaces, workspaces.c.id == token_workspaces.c.workspace_id)
    .join(
        teammates,
        and_(
            teammates.c.workspace_id == workspaces.c.id,
            teammates.c.account_id == bindparam("account_id"),
            teammates.c.removed_at.is_(None),
        ),
    )
    .where(token_workspaces.c.token_id == bindparam("token_id"))
    .order_by(workspaces.c.slug)
)
_WAYS = Query(
    select(teammates.c.workspace_id, teammates.c.sso_connection_id).where(
        teammates.c.account_id == bindparam("account_id"),
        teammates.c.removed_at.is_(None),
        teammates.c.sso_connection_id.is_not(None),
    )
)
_SERVICE = Query(
    select(
        service_accounts.c.name,
        service_accounts.c.suspended_at,
        teammates.c.removed_at.label("sponsor_removed_at"),
        workspaces.c.id.label("workspace_id"),
        workspaces.c.slug,
        workspaces.c.name.label("workspace_name"),
        workspaces.c.required_from,
        workspaces.c.managed_by,
        workspaces.c.app_id,
    )
    .join_from(service_accounts, workspaces, workspaces.c.id == service_accounts.c.workspace_id)
    .join(teammates, teammates.c.id == service_accounts.c.sponsor_id, isouter=True)
    .where(service_accounts.c.id == bindparam("id"), service_accounts.c.removed_at.is_(None))
)


def read_known_token(tx: Transaction, token_hash: bytes) -> Known:
    """What is known of the holder of an API token. One that has ended or run out is nobody's."""
    row = tx.one(_TOKEN, token_hash=token_hash)
    if row is None or row.expires_at <= tx.now:
        return Known(Facts(now=tx.now))
    return _of_person(tx, row) if row.account_id is not None else _of_service(tx, row)


def _of_person(tx: Transaction, row: Row) -> Known:
    if row.person is None:
        return Known(Facts(now=tx.now))
    places = {
        each.id: Place(each.id, each.slug, each.name, each.teammate_id, each.app_id)
        for each in tx.all(_PLACES, account_id=row.account_id, token_id=row.id)
    }
    facts = read_account_facts(tx, row.account_id)
    by_sso = _by_sso(tx, row.account_id)
    facts = replace(
        facts,
        teammates=tuple(
            replace(each, by_sso=each.workspace in by_sso)
            for each in facts.teammates
            if each.workspace in places
        ),
        token=ApiToken(_scopes(row), row.sequence),
    )
    person = Person(row.account_id, row.person, row.email, row.locale, row.app_id)
    return Known(facts, person=person, places=places, token=_use(row, row.person))


def _by_sso(tx: Transaction, account_id: int) -> frozenset[WorkspaceId]:
    """Where the person came last by a connection whose rule, as it is now, takes that for enough."""
    return frozenset(
        each.workspace_id
        for each in tx.all(_WAYS, account_id=account_id)
        if (rule := read_rule(tx, each.sso_connection_id)) is not None and rule.acceptance.stands(tx.now)
    )


def _of_service(tx: Transaction, row: Row) -> Known:
    service = tx.one(_SERVICE, id=row.service_id)
    if service is None:
        return Known(Facts(now=tx.now))
    sponsored = service.suspended_at is None and service.sponsor_removed_at is None
    mandate = Mandate(service.required_from, ManagedBy(service.managed_by))
    facts = Facts(
        now=tx.now,
        teammates=(Teammate(service.workspace_id, Role.MEMBER, mandate=mandate),),
        token=ApiToken(_scopes(row), row.sequence, row.service_id, sponsored),
    )
    place = Place(service.workspace_id, service.slug, service.workspace_name, 0, service.app_id)
    return Known(facts, places={place.id: place}, token=_use(row, service.name))


def _scopes(row: Row) -> frozenset[str]:
    return frozenset(row.scopes.split())


def _use(row: Row, holder: str) -> TokenUse:
    return TokenUse(
        row.id, row.name, holder, row.service_id, row.created_at, row.expires_at, row.last_used_at
    )
