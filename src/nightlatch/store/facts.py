"""What a decision needs to know, from its rows: proofs, authenticators, memberships.

Who asks is read in `session_facts` and `token_facts`.
"""

from dataclasses import replace

from sqlalchemy import bindparam, select

from nightlatch.facts import (
    EVERYWHERE,
    NOWHERE,
    AppId,
    Authenticator,
    Facts,
    Proof,
    Reach,
    Sequence,
    Teammate,
    WorkspaceId,
    reach_of,
)
from nightlatch.instants import Instant
from nightlatch.policy import ManagedBy, Mandate, binding_from
from nightlatch.store.connection_rules import by_connection, read_rule
from nightlatch.store.engine import Transaction
from nightlatch.store.query import Query, Row
from nightlatch.store.schema import (
    authenticator_workspaces,
    authenticators,
    proofs,
    teammates,
    workspaces,
)
from nightlatch.vocabulary import Method, Role

_PROOFS = Query(
    select(
        proofs.c.method,
        proofs.c.sequence,
        proofs.c.at,
        proofs.c.authenticator_id,
        proofs.c.workspace_id,
        proofs.c.reset_id,
        proofs.c.connection_id,
        proofs.c.evidence,
        proofs.c.unverified_at,
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
        authenticators.c.contested_at,
        authenticator_workspaces.c.workspace_id,
        authenticator_workspaces.c.reached_at,
        authenticator_workspaces.c.void_at,
        authenticator_workspaces.c.accepted_at,
        authenticator_workspaces.c.suspended_at.label("suspended_here_at"),
        authenticator_workspaces.c.valid_after,
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
        teammates.c.joined_at,
        teammates.c.exempt_until,
        teammates.c.waiting_reset_id,
        workspaces.c.slug,
        workspaces.c.name,
        workspaces.c.required_from,
        workspaces.c.managed_by,
        workspaces.c.announced_at,
        workspaces.c.app_id,
        workspaces.c.resistant_from,
        workspaces.c.resistant_announced_at,
        workspaces.c.sso_required_at,
        workspaces.c.remember_for,
    )
    .join(workspaces, workspaces.c.id == teammates.c.workspace_id)
    .where(teammates.c.account_id == bindparam("account_id"), teammates.c.removed_at.is_(None))
    .order_by(workspaces.c.slug)
)


def read_members(tx: Transaction, account_id: int) -> list[Row]:
    """The memberships of an account, each with its workspace's name and policy."""
    return tx.all(_TEAMMATES, account_id=account_id)


def app_reach(members: list[Row], app_id: AppId | None) -> Reach:
    """Where the sign-in of the product that keeps a person counts: in that product's own workspaces (design: reach)."""
    if app_id is None:
        return NOWHERE
    return Reach(workspaces=frozenset(each.workspace_id for each in members if each.app_id == app_id))


def first_of(app_id: AppId | None) -> Method:
    """How an account shows a first factor."""
    return Method.PASSWORD if app_id is None else Method.PROVIDER


def read_account_facts(tx: Transaction, account_id: int) -> Facts:
    """The facts of an account without any session: for lists, evidence and the command line, never to let in."""
    members = read_members(tx, account_id)
    return Facts(
        now=tx.now,
        account=account_id,
        authenticators=read_authenticators(tx, account_id),
        teammates=tuple(map(teammate_of, members)),
        first=first_of(members[0].app_id if members else None),
    )


def read_person_facts(tx: Transaction, account_id: int, app_id: AppId, signed_in_at: Instant | None) -> Facts:
    """The facts of a product's person whose sign-in the product vouches for now, without any session of ours.

    `signed_in_at`: when that sign-in was, where the product says; else it counts as a first factor, but never as fresh.
    """
    members = read_members(tx, account_id)
    return Facts(
        now=tx.now,
        account=account_id,
        proofs=(vouched(app_reach(members, app_id), signed_in_at),),
        authenticators=read_authenticators(tx, account_id),
        teammates=tuple(map(teammate_of, members)),
        first=Method.PROVIDER,
    )


def vouched(reach: Reach, signed_in_at: Instant | None) -> Proof:
    """A product's word, given with this very request, that its person has passed its own sign-in."""
    return Proof(Method.PROVIDER, NEWEST, signed_in_at or 0, source=reach)


_METHODS = {each.value: each for each in Method}
_ROLES = {each.value: each for each in Role}
_MANAGED_BY = {each.value: each for each in ManagedBy}
"""What `Method(text)` says, without asking the class each time."""


NEWEST: Sequence = 2**63 - 1
"""Later than everything so far: what a request itself proves."""


def read_proofs(tx: Transaction, session_id: int, own: Reach) -> tuple[Proof, ...]:
    """What a session has shown. A sign-in at a provider is judged by its connection's rule as it is now (law 2), and
    is nothing once the connection is removed."""
    found = []
    for row in tx.all(_PROOFS, session_id=session_id):
        if row.connection_id is None:
            found.append(_proof(row, own))
        else:
            rule = read_rule(tx, row.connection_id)
            if rule is not None:
                found.append(by_connection(row, rule, tx.now))
    return tuple(found)


def _proof(row: Row, own: Reach) -> Proof:
    if row.workspace_id is not None:
        source = reach_of(row.workspace_id)
    else:
        source = own if row.method == Method.PROVIDER else EVERYWHERE
    return Proof(
        _METHODS[row.method],
        row.sequence,
        row.at,
        row.authenticator_id,
        source,
        row.reset_id,
        verified=row.unverified_at is None,
    )


def teammate_of(row: Row) -> Teammate:
    """A membership with its policy, in the row of `read_members`."""
    required, late = row.required_from, row.joined_at
    binds = binding_from(required, row.announced_at, late, row.exempt_until)
    resistant = binding_from(row.resistant_from, row.resistant_announced_at, late, row.exempt_until)
    return Teammate(
        row.workspace_id,
        _ROLES[row.role],
        row.valid_after,
        Mandate(binds, _MANAGED_BY[row.managed_by], resistant),
        row.reset_id,
        sso_required=row.sso_required_at is not None,
        remembers=row.remember_for is not None,
    )


def read_authenticators(tx: Transaction, account_id: int) -> tuple[Authenticator, ...]:
    """What is bound to an account."""
    grouped: dict[int, list[Row]] = {}
    for row in tx.all(_AUTHENTICATORS, account_id=account_id):
        grouped.setdefault(row.id, []).append(row)
    return tuple(_authenticator(rows) for rows in grouped.values())


def _authenticator(rows: list[Row]) -> Authenticator:
    first = rows[0]
    found = Authenticator(
        id=first.id,
        method=_METHODS[first.method],
        reach=EVERYWHERE if first.everywhere_at is not None else NOWHERE,
        suspended=EVERYWHERE if first.suspended_at is not None else NOWHERE,
        limited_until=first.limited_until or 0,
        lost=EVERYWHERE if first.contested_at is not None else NOWHERE,
    )
    return found if first.workspace_id is None else _marked(found, rows)


def _marked(found: Authenticator, rows: list[Row]) -> Authenticator:
    """The same with what single workspaces hold of it."""
    return replace(
        found,
        reach=found.reach or Reach(workspaces=_where(rows, "reached_at")),
        void=_where(rows, "void_at"),
        accepted=_where(rows, "accepted_at"),
        suspended=found.suspended or Reach(workspaces=_where(rows, "suspended_here_at")),
        lost=found.lost or _lost(rows),
        valid_after=tuple((row.workspace_id, row.valid_after) for row in rows if row.valid_after is not None),
    )


def _lost(rows: list[Row]) -> Reach:
    """Where it was marked as lost: suspended, with proofs that died there. Mostly there is nothing of the kind."""
    where = frozenset(
        row.workspace_id for row in rows if row.valid_after is not None and row.suspended_here_at is not None
    )
    return Reach(workspaces=where) if where else NOWHERE


def _where(rows: list[Row], column: str) -> frozenset[WorkspaceId]:
    return frozenset(row.workspace_id for row in rows if getattr(row, column) is not None)
