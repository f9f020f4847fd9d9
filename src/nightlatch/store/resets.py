"""Resets: asked for, waiting, done, completed, ended. Each step is one guarded statement, so that it happens once."""

from sqlalchemy import bindparam, select, update

from nightlatch.instants import Instant
from nightlatch.store.engine import Transaction
from nightlatch.store.query import ONE, Query, Row, insert_into, set_columns
from nightlatch.store.schema import accounts, resets, teammates

_INSERT = Query(
    insert_into(
        resets, without=("approved_by", "approver", "approved_at", "completed_at", "ended_at", "ended_by")
    )
)
_BY_ID = Query(select(resets).where(resets.c.id == bindparam("id")))
_LOCKED = Query(select(resets).where(resets.c.id == bindparam("id")).with_for_update())
_FAILED = Query(
    update(resets)
    .values(number_failures=resets.c.number_failures + 1)
    .where(resets.c.id == bindparam("id"))
    .returning(resets.c.number_failures)
)
_RENEW = Query(set_columns(resets, "number_tag", "number_failures").where(resets.c.id == bindparam("id")))
_of_person = (
    resets.c.account_id == bindparam("account_id"),
    resets.c.workspace_id == bindparam("workspace_id"),
)
_COMPLETE = Query(
    update(resets)
    .values(completed_at=bindparam("now"))
    .where(
        *_of_person,
        resets.c.done_at.is_not(None),
        resets.c.completed_at.is_(None),
        resets.c.ended_at.is_(None),
    )
    .returning(resets.c.id)
)
_REPLACE = Query(
    update(resets)
    .values(ended_at=bindparam("now"), ended_by="replaced")
    .where(
        *_of_person,
        resets.c.id != bindparam("but"),
        resets.c.completed_at.is_(None),
        resets.c.ended_at.is_(None),
    )
)
_RECENT = Query(
    select(resets.c.id).where(
        resets.c.workspace_id == bindparam("workspace_id"),
        resets.c.requested_by == bindparam("requested_by"),
        resets.c.created_at > bindparam("since"),
    )
)
_waits = (resets.c.done_at.is_(None), resets.c.ended_at.is_(None))
_DO = Query(
    update(resets)
    .values(done_at=bindparam("now"))
    .where(resets.c.id == bindparam("id"), *_waits)
    .returning(resets.c.id)
)
_APPROVE = Query(
    set_columns(resets, "approved_by", "approver", "approved_at").where(
        resets.c.id == bindparam("id"), *_waits
    )
)
_END = Query(
    update(resets)
    .values(ended_at=bindparam("now"), ended_by=bindparam("why"))
    .where(resets.c.id == bindparam("id"), *_waits)
    .returning(resets.c.id)
)
_DUE = Query(
    select(resets)
    .where(resets.c.effective_at <= bindparam("now"), *_waits)
    .order_by(resets.c.effective_at, resets.c.id)
    .limit(ONE)
)
_WAITING_OF = Query(select(resets).where(*_of_person, *_waits).order_by(resets.c.id).limit(ONE))
_waiting = (
    select(
        resets,
        accounts.c.name,
        accounts.c.email,
        teammates.c.id.label("teammate_id"),
    )
    .join(accounts, accounts.c.id == resets.c.account_id)
    .join(
        teammates,
        (teammates.c.account_id == resets.c.account_id) & (teammates.c.workspace_id == resets.c.workspace_id),
    )
)
_WAITING = Query(
    _waiting.where(resets.c.workspace_id == bindparam("workspace_id"), *_waits).order_by(
        resets.c.created_at, resets.c.id
    )
)
_WAITING_ONE = Query(
    _waiting.where(
        resets.c.id == bindparam("id"), resets.c.workspace_id == bindparam("workspace_id"), *_waits
    )
)
_BY_REQUESTER = Query(
    select(resets)
    .where(
        resets.c.workspace_id == bindparam("workspace_id"),
        resets.c.requested_by == bindparam("requested_by"),
        *_waits,
    )
    .order_by(resets.c.id)
)
_ENDED_SO = Query(
    select(resets.c.id)
    .where(*_of_person, resets.c.ended_by == bindparam("why"), resets.c.ended_at > bindparam("since"))
    .limit(ONE)
)


def create(
    tx: Transaction,
    *,
    id: int,
    workspace_id: int,
    account_id: int,
    requested_by: int | None,
    requester: str,
    reason: str,
    recognised_by: str,
    number_tag: bytes,
    rank: int,
    effective_at: Instant,
    held_at: Instant | None,
) -> None:
    """A reset that waits. `effective_at`: when it is done by itself; where it is held, when it lapses."""
    tx.run(
        _INSERT,
        id=id,
        workspace_id=workspace_id,
        account_id=account_id,
        requested_by=requested_by,
        requester=requester,
        reason=reason,
        recognised_by=recognised_by,
        number_tag=number_tag,
        number_failures=0,
        created_at=tx.now,
        effective_at=effective_at,
        rank=rank,
        done_at=None,
        held_at=held_at,
    )


def by_id(tx: Transaction, reset_id: int) -> Row | None:
    """One reset, as it stands."""
    return tx.one(_BY_ID, id=reset_id)


def take(tx: Transaction, reset_id: int) -> Row | None:
    """One reset, locked until the commit: wrong numbers are charged to it one after the other."""
    return tx.one(_LOCKED, id=reset_id)


def number_failed(tx: Transaction, reset_id: int) -> int:
    """One more wrong number; how many there have been."""
    row = tx.one(_FAILED, id=reset_id)
    return int(row.number_failures) if row is not None else 0


def renew(tx: Transaction, reset_id: int, number_tag: bytes) -> None:
    """A new number, with its five tries."""
    tx.run(_RENEW, id=reset_id, new_number_tag=number_tag, new_number_failures=0)


def do(tx: Transaction, reset_id: int, account_id: int, workspace_id: int) -> bool:
    """It is done: once (law 4). An older one of the same person there, completed or not, is over."""
    if tx.one(_DO, id=reset_id, now=tx.now) is None:
        return False
    tx.run(_REPLACE, account_id=account_id, workspace_id=workspace_id, but=reset_id, now=tx.now)
    return True


def approve(tx: Transaction, reset_id: int, by: int, name: str) -> None:
    """A second owner agrees."""
    tx.run(_APPROVE, id=reset_id, new_approved_by=by, new_approver=name, new_approved_at=tx.now)


def end(tx: Transaction, reset_id: int, why: str) -> bool:
    """It ends before it is done: once. `why` is a word of the schema's list."""
    return tx.one(_END, id=reset_id, now=tx.now, why=why) is not None


def complete(tx: Transaction, account_id: int, workspace_id: int) -> bool:
    """The person has set up again: the reset is over. True if there was one."""
    return tx.one(_COMPLETE, account_id=account_id, workspace_id=workspace_id, now=tx.now) is not None


def recent(tx: Transaction, workspace_id: int, requested_by: int, since: Instant) -> int:
    """How many resets somebody asked for in a workspace since an instant."""
    return len(tx.all(_RECENT, workspace_id=workspace_id, requested_by=requested_by, since=since))


# --- those that wait ---


def due(tx: Transaction) -> Row | None:
    """The next one whose instant has come, in whatever workspace."""
    return tx.one(_DUE, now=tx.now)


def is_due(tx: Transaction) -> bool:
    """Whether there is one."""
    return due(tx) is not None


def waiting_of(tx: Transaction, account_id: int, workspace_id: int) -> Row | None:
    """The one that waits for a person there."""
    return tx.one(_WAITING_OF, account_id=account_id, workspace_id=workspace_id)


def waiting(tx: Transaction, workspace_id: int) -> list[Row]:
    """Those of a workspace, the oldest first, with the person's name, e-mail and `teammate_id`."""
    return tx.all(_WAITING, workspace_id=workspace_id)


def waiting_one(tx: Transaction, reset_id: int, workspace_id: int) -> Row | None:
    """One of them."""
    return tx.one(_WAITING_ONE, id=reset_id, workspace_id=workspace_id)


def waiting_by(tx: Transaction, workspace_id: int, requested_by: int) -> list[Row]:
    """Those that somebody asked for."""
    return tx.all(_BY_REQUESTER, workspace_id=workspace_id, requested_by=requested_by)


def ended_so(tx: Transaction, account_id: int, workspace_id: int, why: str, since: Instant) -> bool:
    """Whether one of a person's there ended for a reason since an instant."""
    return (
        tx.one(_ENDED_SO, account_id=account_id, workspace_id=workspace_id, why=why, since=since) is not None
    )
