"""The projection behind the Teammates table, recomputed in the transaction of whatever changes what it shows."""

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import and_, bindparam, case, delete, func, literal_column, select, update

from nightlatch.addresses import Address
from nightlatch.assurance import enrolled, ready, relied
from nightlatch.facts import Authenticator, Facts, Teammate, WorkspaceId
from nightlatch.instants import Instant
from nightlatch.names import search_key
from nightlatch.store import accounts, authenticators, teammates
from nightlatch.store.engine import Transaction
from nightlatch.store.facts import read_account_facts
from nightlatch.store.query import Query, Row, insert_into, set_columns
from nightlatch.store.schema import resets, standing
from nightlatch.store.schema import teammates as memberships
from nightlatch.store.table_states import EXEMPT, LATE, LOW, WEAK, Rule
from nightlatch.vocabulary import Method, Role

BETWEEN = "\x1f"
"""Stands between name and e-mail in the key to search and sort by, before every other character."""

_DELETE = Query(delete(standing).where(standing.c.id == bindparam("id")))
_INSERT = Query(insert_into(standing))
_BY_ID = Query(select(standing).where(standing.c.id == bindparam("id")))
_SIGNED_IN = Query(
    update(standing)
    .values(last_sign_in_at=bindparam("now"), sign_in_key=bindparam("now"))
    .where(
        standing.c.account_id == bindparam("account_id"), standing.c.workspace_id == bindparam("workspace_id")
    )
)
_SSO_OVER = Query(
    set_columns(standing, "state", "methods", "since").where(
        standing.c.workspace_id == bindparam("workspace_id"),
        standing.c.state == "sso",
        standing.c.id.in_(
            select(memberships.c.id).where(memberships.c.sso_connection_id == bindparam("connection_id"))
        ),
    )
)
_COUNTS = Query(
    select(standing.c.status, standing.c.state, standing.c.role_order, func.count().label("number"))
    .where(standing.c.workspace_id == bindparam("workspace_id"))
    .group_by(standing.c.status, standing.c.state, standing.c.role_order)
)

_here = standing.c.workspace_id == bindparam("workspace_id")
_NUMBERS = Query(
    select(
        standing.c.status,
        standing.c.state,
        standing.c.role_order,
        func.count().label("number"),
        func.count(case((LOW, literal_column("1")))).label("low"),
    )
    .where(_here)
    .group_by(standing.c.status, standing.c.state, standing.c.role_order)
)
_EXEMPT = Query(
    select(standing.c.state, standing.c.role_order, func.count().label("number"))
    .where(_here, EXEMPT)
    .group_by(standing.c.state, standing.c.role_order)
)
_LATE = Query(
    select(standing.c.state, standing.c.role_order, func.count().label("number"))
    .where(_here, *LATE)
    .group_by(standing.c.state, standing.c.role_order)
)
_FAILED = Query(
    select(func.count().label("number"))
    .select_from(standing)
    .where(_here, standing.c.mail_failed_at.is_not(None))
)
_WAITING = Query(
    select(resets.c.account_id)
    .where(
        resets.c.workspace_id == bindparam("workspace_id"),
        resets.c.done_at.is_(None),
        resets.c.ended_at.is_(None),
    )
    .order_by(resets.c.account_id)
)
_of_team = and_(_here, standing.c.status == literal_column("'active'"))
_STRENGTHENED = Query(
    update(standing)
    .values(state=literal_column(f"'{WEAK}'"), since=bindparam("now"))
    .where(
        _of_team,
        standing.c.state == literal_column("'on'"),
        standing.c.methods.not_like(literal_column("'%passkey%'")),
    )
)
_WEAKENED = Query(
    update(standing)
    .values(state=literal_column("'on'"), since=bindparam("now"))
    .where(_of_team, standing.c.state == literal_column(f"'{WEAK}'"))
)
_MAIL = Query(set_columns(standing, "mail_failed_at").where(standing.c.account_id == bindparam("account_id")))
_MAIL_OF_INVITED = Query(
    set_columns(standing, "mail_failed_at").where(
        standing.c.workspace_id == bindparam("workspace_id"),
        standing.c.email_key == bindparam("email_key"),
        standing.c.status == "invited",
    )
)


def refresh(tx: Transaction, account_id: int, only: Iterable[WorkspaceId] | None = None) -> None:
    """Recompute the rows of an account, in all of its workspaces or in `only` these."""
    account = accounts.by_id(tx, account_id)
    if account is None:
        return
    facts = read_account_facts(tx, account_id)
    wanted = None if only is None else set(only)
    for membership in teammates.of_account(tx, account_id):
        teammate = facts.teammate(membership.workspace_id)
        if teammate is not None and (wanted is None or membership.workspace_id in wanted):
            _write(tx, account, membership, facts, teammate)


def drop(tx: Transaction, id: int) -> None:
    """The teammate or invitation is gone."""
    tx.run(_DELETE, id=id)


def invited(
    tx: Transaction, *, id: int, workspace_id: int, address: Address, role: Role, at: Instant
) -> None:
    """The row of a pending invitation: it shows the typed address only."""
    tx.run(_DELETE, id=id)
    tx.run(
        _INSERT,
        id=id,
        workspace_id=workspace_id,
        account_id=None,
        status="invited",
        name="",
        email=address.display,
        role=role,
        state="off",
        methods="",
        recovery_left=None,
        since=None,
        last_sign_in_at=None,
        joined_at=at,
        email_key=address.key,
        search_key=search_key(address.display),
        role_order=role_order(role),
        sign_in_key=0,
        exempt_until=None,
        mail_failed_at=None,
    )


def signed_in(tx: Transaction, account_id: int, workspace_id: int) -> None:
    """The workspace was opened by a sign-in now."""
    tx.run(_SIGNED_IN, account_id=account_id, workspace_id=workspace_id, now=tx.now)


def sso_over(tx: Transaction, workspace_id: int, connection_id: int) -> None:
    """Whoever came by a connection last has nothing that counts any more, in one statement however many they are."""
    tx.run(
        _SSO_OVER,
        workspace_id=workspace_id,
        connection_id=connection_id,
        new_state="off",
        new_methods="",
        new_since=tx.now,
    )


def counts(tx: Transaction, workspace_id: int) -> list[Row]:
    """Numbers of rows by status, state and role (`role_order`: 0 owners, 1 admins, 2 members)."""
    return tx.all(_COUNTS, workspace_id=workspace_id)


@dataclass(frozen=True, slots=True)
class Number:
    """How many rows there are of one status, stored state and role."""

    status: str
    state: str
    role_order: int
    number: int
    low: int
    """With few recovery codes."""
    exempt: int
    """Excepted now."""
    late: int
    """Who joined after the announcement, the excepted left out; counted while the mandate is announced."""


def table_counts(tx: Transaction, workspace_id: int, rule: Rule) -> tuple[list[Number], int]:
    """Numbers of rows, and how many have a newest mail that failed."""
    here = {"workspace_id": workspace_id, **rule.values}
    announced = rule.required_from is not None and not rule.in_force and rule.announced_at is not None
    exempt = _by_kind(tx.all(_EXEMPT, **here)) if rule.required_from is not None else {}
    late = _by_kind(tx.all(_LATE, **here)) if announced else {}

    def of(row: Row) -> Number:
        kind = (row.state, row.role_order) if row.status == "active" else ("", 0)
        return Number(
            row.status,
            row.state,
            row.role_order,
            row.number,
            row.low if row.status == "active" else 0,
            exempt.get(kind, 0),
            late.get(kind, 0),
        )

    (failed,) = tx.all(_FAILED, workspace_id=workspace_id)
    return [of(row) for row in tx.all(_NUMBERS, workspace_id=workspace_id)], int(failed.number)


def _by_kind(rows: list[Row]) -> dict[tuple[str, int], int]:
    return {(row.state, row.role_order): int(row.number) for row in rows}


def waiting(tx: Transaction, workspace_id: int) -> frozenset[int]:
    """The accounts whose reset in a workspace is announced and not done."""
    return frozenset(row.account_id for row in tx.all(_WAITING, workspace_id=workspace_id))


def mail_failed(tx: Transaction, mail: Row, failed_at: Instant | None) -> None:
    """The newest mail to somebody could not be delivered, or was (None). `mail`: its row of the outbox."""
    if mail.account_id is not None:
        tx.run(_MAIL, account_id=mail.account_id, new_mail_failed_at=failed_at)
    elif mail.workspace_id is not None:
        tx.run(
            _MAIL_OF_INVITED,
            workspace_id=mail.workspace_id,
            email_key=mail.address_key,
            new_mail_failed_at=failed_at,
        )


def _write(tx: Transaction, account: Row, membership: Row, facts: Facts, teammate: Teammate) -> None:
    here = [each for each in facts.authenticators if relied(each, membership.workspace_id)]
    by_sso = membership.sso_connection_id is not None
    state = _state(facts, here, teammate, by_sso=by_sso)
    before = tx.one(_BY_ID, id=membership.id)
    tx.run(_DELETE, id=membership.id)
    tx.run(
        _INSERT,
        id=membership.id,
        workspace_id=membership.workspace_id,
        account_id=account.id,
        status="active",
        name=account.name,
        email=account.email,
        role=membership.role,
        state=state,
        methods=" ".join(sorted({each.method for each in here if each.method is not Method.RECOVERY_CODE}))
        or ("sso" if state == "sso" else ""),
        recovery_left=_codes_left(tx, here),
        since=before.since if before is not None and before.state == state else tx.now,
        last_sign_in_at=before.last_sign_in_at if before is not None else None,
        joined_at=membership.joined_at,
        email_key=account.email_key,
        search_key=f"{search_key(account.name)}{BETWEEN}{search_key(account.email)}",
        role_order=role_order(Role(membership.role)),
        sign_in_key=before.sign_in_key if before is not None else 0,
        exempt_until=membership.exempt_until,
        mail_failed_at=before.mail_failed_at if before is not None else None,
    )


def strength_changed(tx: Transaction, workspace_id: int, *, passkeys: bool) -> None:
    """A workspace begins or ceases to require passkeys, now or from a date: who has 2FA and none is told apart."""
    tx.run(_STRENGTHENED if passkeys else _WEAKENED, workspace_id=workspace_id, now=tx.now)


def _state(facts: Facts, here: list[Authenticator], teammate: Teammate, *, by_sso: bool) -> str:
    if enrolled(here, teammate.workspace):
        return "on" if ready(facts, teammate.workspace) else WEAK
    if teammate.reset is not None:
        return "reset"
    return "sso" if by_sso else "off"


def role_order(role: Role) -> int:
    """Owners first: 0, 1, 2."""
    return Role.OWNER.rank - role.rank


def _codes_left(tx: Transaction, here: list[Authenticator]) -> int | None:
    sets = [each.id for each in here if each.method is Method.RECOVERY_CODE]
    return sum(authenticators.codes_left(tx, id) for id in sets) if sets else None
