"""The one read behind a decision: session, proofs, authenticators, memberships. Four keyed look-ups on one snapshot."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import bindparam, select

from nightlatch.facts import (
    EVERYWHERE,
    Authenticator,
    Facts,
    Proof,
    Reach,
    RecentAct,
    Teammate,
    WorkspaceId,
    reach_of,
)
from nightlatch.instants import HOUR, MINUTE, Duration, Instant
from nightlatch.policy import ManagedBy, Mandate
from nightlatch.store.engine import Transaction
from nightlatch.store.query import Query, Row
from nightlatch.store.schema import (
    accounts,
    authenticator_workspaces,
    authenticators,
    proofs,
    sessions,
    teammates,
    workspaces,
)
from nightlatch.vocabulary import Credential, Method, Role

ABSOLUTE_LIMIT: Duration = 24 * HOUR
IDLE_LIMIT: Duration = 12 * HOUR
PENDING_LIMIT: Duration = 10 * MINUTE

_SESSION = Query(
    select(
        sessions.c.id,
        sessions.c.kind,
        sessions.c.account_id,
        sessions.c.created_at,
        sessions.c.authenticated_at,
        sessions.c.last_seen_at,
        sessions.c.expires_at,
        sessions.c.pending_until,
        sessions.c.ended_at,
        sessions.c.recent_kind,
        sessions.c.recent_at,
        accounts.c.name,
        accounts.c.email,
        accounts.c.locale,
    )
    .join(accounts, accounts.c.id == sessions.c.account_id)
    .where(sessions.c.token_hash == bindparam("token_hash"))
)
_PROOFS = Query(
    select(
        proofs.c.method,
        proofs.c.sequence,
        proofs.c.at,
        proofs.c.authenticator_id,
        proofs.c.workspace_id,
        proofs.c.reset_id,
    )
    .where(proofs.c.session_id == bindparam("session_id"))
    .order_by(proofs.c.sequence)
)
_AUTHENTICATORS = Query(
    select(
        authenticators.c.id,
        authenticators.c.method,
        authenticators.c.everywhere_at,
        authenticators.c.suspended_at,
        authenticators.c.limited_until,
        authenticator_workspaces.c.workspace_id,
        authenticator_workspaces.c.reached_at,
        authenticator_workspaces.c.void_at,
        authenticator_workspaces.c.accepted_at,
        authenticator_workspaces.c.suspended_at.label("suspended_here_at"),
    )
    .join_from(
        authenticators,
        authenticator_workspaces,
        authenticator_workspaces.c.authenticator_id == authenticators.c.id,
        isouter=True,
    )
    .where(authenticators.c.account_id == bindparam("account_id"))
    .order_by(authenticators.c.id, authenticator_workspaces.c.workspace_id)
)
_TEAMMATES = Query(
    select(
        teammates.c.workspace_id,
        teammates.c.id,
        teammates.c.role,
        teammates.c.valid_after,
        teammates.c.reset_id,
        workspaces.c.slug,
        workspaces.c.name,
        workspaces.c.required_from,
        workspaces.c.managed_by,
    )
    .join(workspaces, workspaces.c.id == teammates.c.workspace_id)
    .where(teammates.c.account_id == bindparam("account_id"), teammates.c.removed_at.is_(None))
    .order_by(workspaces.c.slug)
)


@dataclass(frozen=True, slots=True)
class Session:
    """A live session, as its holder may know it."""

    id: int
    kind: Credential
    created_at: Instant
    authenticated_at: Instant
    last_seen_at: Instant
    expires_at: Instant


@dataclass(frozen=True, slots=True)
class Person:
    """Whose session it is."""

    id: int
    name: str
    email: str
    locale: str | None


@dataclass(frozen=True, slots=True)
class Place:
    """A workspace of the account, and the account's membership id there."""

    id: WorkspaceId
    slug: str
    name: str
    teammate_id: int


@dataclass(frozen=True, slots=True)
class Known:
    """What a request is known by: the facts to decide on, and the names to speak with."""

    facts: Facts
    session: Session | None = None
    person: Person | None = None
    places: Mapping[WorkspaceId, Place] | None = None

    def place_by_slug(self, slug: str) -> Place | None:
        """The workspace of the account that has this slug."""
        for place in (self.places or {}).values():
            if place.slug == slug:
                return place
        return None


def read_known(tx: Transaction, token_hash: bytes | None, kind: Credential) -> Known:
    """What is known of the holder of a session token. A dead session, or one of the other kind, is nobody's."""
    row = tx.one(_SESSION, token_hash=token_hash) if token_hash is not None else None
    if row is None or row.kind != kind or not alive(row, tx.now):
        return Known(Facts(now=tx.now))
    members = tx.all(_TEAMMATES, account_id=row.account_id)
    facts = Facts(
        now=tx.now,
        account=row.account_id,
        idle=tx.now - row.last_seen_at >= IDLE_LIMIT,
        proofs=tuple(map(_proof, tx.all(_PROOFS, session_id=row.id))),
        authenticators=_authenticators(tx, row.account_id),
        teammates=tuple(map(_teammate, members)),
        recent=RecentAct(row.recent_kind, row.recent_at) if row.recent_kind else None,
    )
    session = Session(row.id, kind, row.created_at, row.authenticated_at, row.last_seen_at, row.expires_at)
    person = Person(row.account_id, row.name, row.email, row.locale)
    places = {each.workspace_id: Place(each.workspace_id, each.slug, each.name, each.id) for each in members}
    return Known(facts, session, person, places)


def alive(row: Row, now: Instant) -> bool:
    """Whether a session's row stands for a live session (idle ones are alive: the first factor resumes them)."""
    return (
        row.ended_at is None
        and now < row.expires_at
        and (row.pending_until is None or now < row.pending_until)
    )


def read_account_facts(tx: Transaction, account_id: int) -> Facts:
    """The facts of an account without any session: for lists, evidence and the command line, never to let in."""
    return Facts(
        now=tx.now,
        account=account_id,
        authenticators=_authenticators(tx, account_id),
        teammates=tuple(map(_teammate, tx.all(_TEAMMATES, account_id=account_id))),
    )


def _proof(row: Row) -> Proof:
    source = EVERYWHERE if row.workspace_id is None else reach_of(row.workspace_id)
    return Proof(Method(row.method), row.sequence, row.at, row.authenticator_id, source, row.reset_id)


def _teammate(row: Row) -> Teammate:
    mandate = Mandate(row.required_from, ManagedBy(row.managed_by))
    return Teammate(row.workspace_id, Role(row.role), row.valid_after, mandate, row.reset_id)


def _authenticators(tx: Transaction, account_id: int) -> tuple[Authenticator, ...]:
    grouped: dict[int, list[Row]] = {}
    for row in tx.all(_AUTHENTICATORS, account_id=account_id):
        grouped.setdefault(row.id, []).append(row)
    return tuple(_authenticator(rows) for rows in grouped.values())


def _authenticator(rows: list[Row]) -> Authenticator:
    first = rows[0]
    return Authenticator(
        id=first.id,
        method=Method(first.method),
        reach=EVERYWHERE if first.everywhere_at is not None else Reach(workspaces=_where(rows, "reached_at")),
        void=_where(rows, "void_at"),
        accepted=_where(rows, "accepted_at"),
        suspended=EVERYWHERE
        if first.suspended_at is not None
        else Reach(workspaces=_where(rows, "suspended_here_at")),
        limited_until=first.limited_until or 0,
    )


def _where(rows: list[Row], column: str) -> frozenset[WorkspaceId]:
    return frozenset(row.workspace_id for row in rows if getattr(row, column) is not None)
