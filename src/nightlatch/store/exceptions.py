"""Exceptions: leave not to have 2FA for a while. Decisions read `teammates.exempt_until`; the rows say why.

Of a row's states only the endings are written: it waits until somebody approves it, stands until it ends, and is over
by the clock alone. `ended_why` is one of WHY.
"""

from sqlalchemy import bindparam, func, select, tuple_, update

from nightlatch.instants import Instant
from nightlatch.store.engine import Transaction
from nightlatch.store.query import Query, Row, insert_into, set_columns
from nightlatch.store.schema import accounts, standing, teammates
from nightlatch.store.schema_team import exceptions

WHY = ("refused", "withdrawn", "ended", "replaced", "set_up", "role", "gone", "mandate_off")
"""Why one ended before its day; `refused` and `withdrawn` ones never stood."""

_one = exceptions.c.id == bindparam("id")
_here = exceptions.c.workspace_id == bindparam("workspace_id")
_of_person = (_here, exceptions.c.account_id == bindparam("account_id"))
_open = (exceptions.c.ended_at.is_(None), exceptions.c.ends_at > bindparam("now"))
_with_person = select(
    exceptions,
    accounts.c.name,
    accounts.c.email,
    teammates.c.id.label("teammate_id"),
    teammates.c.removed_at,
).join_from(exceptions, accounts, accounts.c.id == exceptions.c.account_id)
_with_person = _with_person.join(
    teammates,
    (teammates.c.workspace_id == exceptions.c.workspace_id)
    & (teammates.c.account_id == exceptions.c.account_id),
)

_INSERT = Query(
    insert_into(
        exceptions, without=("approved_by", "approver", "approved_at", "ended_at", "ended_by", "ended_why")
    )
)
_BY_ID = Query(_with_person.where(_one, _here))
_OF_PERSON = Query(select(exceptions).where(*_of_person).order_by(exceptions.c.requested_at, exceptions.c.id))
_newest_first = (exceptions.c.requested_at.desc(), exceptions.c.id.desc())
_LIST = Query(_with_person.where(_here).order_by(*_newest_first).limit(bindparam("most")))
_LIST_AFTER = Query(
    _with_person.where(
        _here,
        tuple_(exceptions.c.requested_at, exceptions.c.id)
        < tuple_(
            bindparam("after_at", type_=exceptions.c.id.type),
            bindparam("after_id", type_=exceptions.c.id.type),
        ),
    )
    .order_by(*_newest_first)
    .limit(bindparam("most"))
)
_COUNT_OPEN = Query(
    select(func.count(exceptions.c.approved_at).label("standing"), func.count().label("open")).where(
        _here, *_open
    )
)
_APPROVE = Query(
    set_columns(exceptions, "approved_by", "approver", "approved_at")
    .where(_one, exceptions.c.approved_at.is_(None), *_open)
    .returning(exceptions.c.id)
)
_END = Query(
    set_columns(exceptions, "ended_at", "ended_by", "ended_why")
    .where(_one, *_open)
    .returning(exceptions.c.id)
)
_END_ALL = Query(set_columns(exceptions, "ended_at", "ended_by", "ended_why").where(_here, *_open))
_EXEMPT = Query(
    set_columns(teammates, "exempt_until").where(
        teammates.c.account_id == bindparam("account_id"),
        teammates.c.workspace_id == bindparam("workspace_id"),
    )
)
_LIFT_ALL = Query(
    set_columns(teammates, "exempt_until").where(
        teammates.c.workspace_id == bindparam("workspace_id"), teammates.c.exempt_until.is_not(None)
    )
)
_SHOW = Query(
    update(standing)
    .values(exempt_until=bindparam("until"))
    .where(
        standing.c.account_id == bindparam("account_id"), standing.c.workspace_id == bindparam("workspace_id")
    )
)
_SHOW_NONE = Query(
    update(standing)
    .values(exempt_until=None)
    .where(standing.c.workspace_id == bindparam("workspace_id"), standing.c.exempt_until.is_not(None))
)


def ask(
    tx: Transaction,
    *,
    id: int,
    workspace_id: int,
    account_id: int,
    reason: str,
    ends_at: Instant,
    requested_by: int | None,
    requester: str,
) -> None:
    """A new one, which waits for somebody to agree."""
    tx.run(
        _INSERT,
        id=id,
        workspace_id=workspace_id,
        account_id=account_id,
        reason=reason,
        requested_by=requested_by,
        requester=requester,
        requested_at=tx.now,
        ends_at=ends_at,
    )


def by_id(tx: Transaction, id: int, workspace_id: int) -> Row | None:
    """One exception of a workspace, with the person's name, e-mail, membership (`teammate_id`, `removed_at`)."""
    return tx.one(_BY_ID, id=id, workspace_id=workspace_id)


def of_person(tx: Transaction, workspace_id: int, account_id: int) -> list[Row]:
    """All that a person ever had, or was asked for, in a workspace; the oldest first."""
    return tx.all(_OF_PERSON, workspace_id=workspace_id, account_id=account_id)


def newest(
    tx: Transaction, workspace_id: int, most: int, after: tuple[Instant, int] | None = None
) -> list[Row]:
    """Those of a workspace, the newest first, with the persons' names, after the last one's `requested_at` and id."""
    if after is None:
        return tx.all(_LIST, workspace_id=workspace_id, most=most)
    return tx.all(_LIST_AFTER, workspace_id=workspace_id, most=most, after_at=after[0], after_id=after[1])


def numbers(tx: Transaction, workspace_id: int) -> tuple[int, int]:
    """How many of a workspace stand now, and how many wait for somebody to agree."""
    (row,) = tx.all(_COUNT_OPEN, workspace_id=workspace_id, now=tx.now)
    return int(row.standing), int(row.open - row.standing)


def approve(tx: Transaction, id: int, *, approved_by: int | None, approver: str) -> bool:
    """Somebody agrees to one that waits; False where it does not wait any more."""
    row = tx.one(
        _APPROVE,
        id=id,
        now=tx.now,
        new_approved_by=approved_by,
        new_approver=approver,
        new_approved_at=tx.now,
    )
    return row is not None


def end(tx: Transaction, id: int, by_name: str, why: str) -> bool:
    """End one that waits or stands; False where it does neither any more."""
    row = tx.one(_END, id=id, now=tx.now, new_ended_at=tx.now, new_ended_by=by_name, new_ended_why=why)
    return row is not None


def exempt(tx: Transaction, workspace_id: int, account_id: int, until: Instant | None) -> None:
    """What decisions, and the Teammates table, say from now on: excepted until an instant, or not at all."""
    tx.run(_EXEMPT, workspace_id=workspace_id, account_id=account_id, new_exempt_until=until)
    tx.run(_SHOW, workspace_id=workspace_id, account_id=account_id, until=until)


def end_all(tx: Transaction, workspace_id: int, by_name: str) -> int:
    """End every exception of a workspace, also those that nobody has agreed to yet; how many ended."""
    tx.run(_LIFT_ALL, workspace_id=workspace_id, new_exempt_until=None)
    tx.run(_SHOW_NONE, workspace_id=workspace_id)
    return tx.run(
        _END_ALL,
        workspace_id=workspace_id,
        now=tx.now,
        new_ended_at=tx.now,
        new_ended_by=by_name,
        new_ended_why="mandate_off",
    )
