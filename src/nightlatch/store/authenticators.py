"""Bound authenticators, where they reach, and recovery codes."""

from collections.abc import Iterable, Mapping

from sqlalchemy import bindparam, delete, func, or_, select, update

from nightlatch.facts import Reach, WorkspaceId
from nightlatch.ids import new_id
from nightlatch.instants import Instant
from nightlatch.store.engine import Transaction
from nightlatch.store.query import Query, Row, insert_into, set_columns
from nightlatch.store.schema import authenticator_workspaces, authenticators, recovery_codes, teammates
from nightlatch.store.schema_ways import passkeys
from nightlatch.vocabulary import Method

_links = authenticator_workspaces
_OF_ACCOUNT = Query(
    select(authenticators)
    .where(authenticators.c.account_id == bindparam("account_id"))
    .order_by(authenticators.c.bound_at, authenticators.c.method.desc(), authenticators.c.id)
)
_BY_ID = Query(
    select(authenticators).where(
        authenticators.c.id == bindparam("id"), authenticators.c.account_id == bindparam("account_id")
    )
)
_SEED = Query(
    select(authenticators.c.sealed, authenticators.c.highest_step).where(
        authenticators.c.id == bindparam("id"), authenticators.c.account_id == bindparam("account_id")
    )
)
_HOLDER = Query(
    select(authenticators.c.account_id, teammates.c.id.label("teammate_id"))
    .join(teammates, teammates.c.account_id == authenticators.c.account_id)
    .where(
        authenticators.c.id == bindparam("id"),
        teammates.c.workspace_id == bindparam("workspace_id"),
        teammates.c.removed_at.is_(None),
    )
)
_INSERT = Query(insert_into(authenticators, without=("contested_at",)))
_INSERT_LINK = Query(insert_into(_links))
_DELETE = Query(
    delete(authenticators)
    .where(authenticators.c.id == bindparam("id"), authenticators.c.account_id == bindparam("account_id"))
    .returning(authenticators.c.id)
)
_DELETE_LINKS = Query(delete(_links).where(_links.c.authenticator_id == bindparam("id")))
_DELETE_CODES = Query(delete(recovery_codes).where(recovery_codes.c.authenticator_id == bindparam("id")))
_DELETE_PASSKEY = Query(delete(passkeys).where(passkeys.c.authenticator_id == bindparam("id")))
_SPEND_STEP = Query(
    update(authenticators)
    .values(highest_step=bindparam("step"), last_used_at=bindparam("now"))
    .where(
        authenticators.c.id == bindparam("id"),
        or_(authenticators.c.highest_step.is_(None), authenticators.c.highest_step < bindparam("step")),
    )
    .returning(authenticators.c.id)
)
_USED = Query(
    update(authenticators).values(last_used_at=bindparam("now")).where(authenticators.c.id == bindparam("id"))
)
_RENAME = Query(
    set_columns(authenticators, "name")
    .where(authenticators.c.id == bindparam("id"), authenticators.c.account_id == bindparam("account_id"))
    .returning(authenticators.c.id)
)
_SUSPEND_EVERYWHERE = Query(
    set_columns(authenticators, "suspended_at").where(authenticators.c.id == bindparam("id"))
)
_MARK = {
    column: Query(
        set_columns(_links, column).where(
            _links.c.authenticator_id == bindparam("authenticator_id"),
            _links.c.workspace_id == bindparam("workspace_id"),
        )
    )
    for column in ("reached_at", "void_at", "accepted_at", "suspended_at", "valid_after")
}
_LIFT = Query(
    update(authenticators)
    .values(suspended_at=None)
    .where(authenticators.c.id == bindparam("id"), authenticators.c.contested_at.is_(None))
)
_LIFT_HERE = Query(
    update(_links)
    .values(suspended_at=None)
    .where(_links.c.authenticator_id == bindparam("authenticator_id"), _links.c.valid_after.is_(None))
)
_CONTEST = Query(
    set_columns(authenticators, "suspended_at", "contested_at").where(authenticators.c.id == bindparam("id"))
)
_LIFT_ALL_HERE = Query(
    update(_links).values(suspended_at=None).where(_links.c.authenticator_id == bindparam("authenticator_id"))
)
_LIMIT = Query(
    set_columns(authenticators, "limited_until").where(
        authenticators.c.id == bindparam("id"),
        or_(
            authenticators.c.limited_until.is_(None),
            authenticators.c.limited_until < bindparam("new_limited_until"),
        ),
    )
)
_BOUND_WITH = Query(
    select(authenticators.c.id).where(
        authenticators.c.account_id == bindparam("account_id"),
        authenticators.c.method == Method.RECOVERY_CODE.value,
        authenticators.c.bound_at == bindparam("bound_at"),
    )
)
_ADD_CODE = Query(insert_into(recovery_codes))
_CODE = Query(
    select(recovery_codes.c.authenticator_id, recovery_codes.c.hash, recovery_codes.c.used_at)
    .join(authenticators, authenticators.c.id == recovery_codes.c.authenticator_id)
    .where(
        authenticators.c.account_id == bindparam("account_id"),
        recovery_codes.c.selector == bindparam("selector"),
    )
    .order_by(recovery_codes.c.used_at.is_(None).desc(), recovery_codes.c.authenticator_id.desc())
)
_SPEND_CODE = Query(
    update(recovery_codes)
    .values(used_at=bindparam("now"))
    .where(
        recovery_codes.c.authenticator_id == bindparam("authenticator_id"),
        recovery_codes.c.selector == bindparam("selector"),
        recovery_codes.c.hash == bindparam("hash"),
        recovery_codes.c.used_at.is_(None),
    )
    .returning(recovery_codes.c.authenticator_id)
)
_CODES_LEFT = Query(
    select(func.count().label("left"))
    .select_from(recovery_codes)
    .where(
        recovery_codes.c.authenticator_id == bindparam("authenticator_id"), recovery_codes.c.used_at.is_(None)
    )
)


def of_account(tx: Transaction, account_id: int) -> list[Row]:
    """Everything bound to an account, the oldest first."""
    return tx.all(_OF_ACCOUNT, account_id=account_id)


def by_id(tx: Transaction, authenticator_id: int, account_id: int) -> Row | None:
    """One authenticator, if it is bound to this account."""
    return tx.one(_BY_ID, id=authenticator_id, account_id=account_id)


def seed(tx: Transaction, authenticator_id: int, account_id: int) -> Row | None:
    """The sealed seed of an app that is bound to this account, and the highest step that was taken of it."""
    return tx.one(_SEED, id=authenticator_id, account_id=account_id)


def holder(tx: Transaction, authenticator_id: int, workspace_id: WorkspaceId) -> Row | None:
    """The teammate of a workspace whom an authenticator is bound to: account and membership; else None."""
    return tx.one(_HOLDER, id=authenticator_id, workspace_id=workspace_id)


def bind(
    tx: Transaction,
    *,
    id: int | None = None,
    account_id: int,
    method: Method,
    name: str,
    reach: Reach,
    sealed: bytes | None = None,
    highest_step: int | None = None,
    limited_until: Instant | None = None,
    used: bool = False,
) -> int:
    """A new authenticator that reaches `reach`. `sealed` is bound to its id, so the id may be chosen before. `used`: it
    was shown as it was bound."""
    authenticator_id = id or new_id()
    tx.run(
        _INSERT,
        id=authenticator_id,
        account_id=account_id,
        method=method,
        name=name,
        sealed=sealed,
        bound_at=tx.now,
        last_used_at=tx.now if used or highest_step is not None else None,
        highest_step=highest_step,
        everywhere_at=tx.now if reach.everywhere else None,
        suspended_at=None,
        limited_until=limited_until,
    )
    if not reach.everywhere:
        for workspace_id in sorted(reach.workspaces):
            mark(tx, authenticator_id, workspace_id, "reached_at", tx.now)
    return authenticator_id


def unbind(tx: Transaction, authenticator_id: int, account_id: int) -> bool:
    """Take an authenticator away, with its codes and marks. The row that the guarded statement returns is the proof."""
    if tx.one(_DELETE, id=authenticator_id, account_id=account_id) is None:
        return False
    tx.run(_DELETE_LINKS, id=authenticator_id)
    tx.run(_DELETE_CODES, id=authenticator_id)
    tx.run(_DELETE_PASSKEY, id=authenticator_id)
    return True


def spend_step(tx: Transaction, authenticator_id: int, step: int) -> bool:
    """Accept a TOTP step: only a higher one than ever before, once (law 4; RFC 6238 section 5.2)."""
    return tx.one(_SPEND_STEP, id=authenticator_id, step=step, now=tx.now) is not None


def used(tx: Transaction, authenticator_id: int) -> None:
    """An authenticator was used now."""
    tx.run(_USED, id=authenticator_id, now=tx.now)


def rename(tx: Transaction, authenticator_id: int, account_id: int, name: str) -> bool:
    """Another name for one's own. False where there is none such."""
    return tx.one(_RENAME, id=authenticator_id, account_id=account_id, new_name=name) is not None


def mark(
    tx: Transaction, authenticator_id: int, workspace_id: WorkspaceId, column: str, at: Instant | None
) -> None:
    """Set what a workspace holds of an authenticator: reached_at, void_at, accepted_at, suspended_at or valid_after."""
    touched = tx.run(
        _MARK[column], authenticator_id=authenticator_id, workspace_id=workspace_id, **{f"new_{column}": at}
    )
    if touched or at is None:
        return
    marks: Mapping[str, Instant | None] = dict.fromkeys(_MARK)
    tx.run(
        _INSERT_LINK, authenticator_id=authenticator_id, workspace_id=workspace_id, **{**marks, column: at}
    )


def suspend(tx: Transaction, authenticator_id: int, where: Reach) -> None:
    """It stays bound and relied on, but may not be used there."""
    if where.everywhere:
        tx.run(_SUSPEND_EVERYWHERE, id=authenticator_id, new_suspended_at=tx.now)
    for workspace_id in where.workspaces:
        mark(tx, authenticator_id, workspace_id, "suspended_at", tx.now)


def lift(tx: Transaction, authenticator_id: int) -> None:
    """End a suspension by failures, wherever it holds. What was marked as lost or contested stays so."""
    tx.run(_LIFT, id=authenticator_id)
    tx.run(_LIFT_HERE, authenticator_id=authenticator_id)


def contest(tx: Transaction, authenticator_id: int) -> None:
    """Suspended wherever it is, and where its owner comes later: lost everywhere, or somebody else's."""
    tx.run(_CONTEST, id=authenticator_id, new_suspended_at=tx.now, new_contested_at=tx.now)


def lose(tx: Transaction, authenticator_id: int, workspace_id: WorkspaceId) -> None:
    """Suspended in one workspace, where proofs given with it so far count no more, even should it be found."""
    mark(tx, authenticator_id, workspace_id, "suspended_at", tx.now)
    mark(tx, authenticator_id, workspace_id, "valid_after", tx.next_sequence())


def find(tx: Transaction, authenticator_id: int) -> None:
    """It may be used again, wherever it was suspended, for whatever reason."""
    tx.run(_CONTEST, id=authenticator_id, new_suspended_at=None, new_contested_at=None)
    tx.run(_LIFT_ALL_HERE, authenticator_id=authenticator_id)


def find_in(tx: Transaction, authenticator_id: int, workspace_id: WorkspaceId) -> None:
    """It may be used again in one workspace, where it was marked as lost."""
    mark(tx, authenticator_id, workspace_id, "suspended_at", None)


def limit(tx: Transaction, authenticator_id: int, until: Instant) -> None:
    """It changes nothing weighty until then (design section 7)."""
    tx.run(_LIMIT, id=authenticator_id, new_limited_until=until)


def codes_bound_with(tx: Transaction, account_id: int, bound_at: Instant) -> list[int]:
    """The sets of recovery codes that came in the very transaction that bound something else."""
    return [row.id for row in tx.all(_BOUND_WITH, account_id=account_id, bound_at=bound_at)]


def add_codes(tx: Transaction, authenticator_id: int, codes: Iterable[tuple[str, str]]) -> None:
    """Recovery codes of a set, each a selector and the hash of its secret."""
    tx.run_each(
        _ADD_CODE,
        (
            {"authenticator_id": authenticator_id, "selector": selector, "hash": hash, "used_at": None}
            for selector, hash in codes
        ),
    )


def code(tx: Transaction, account_id: int, selector: str) -> Row | None:
    """The recovery code with this selector, an unspent one first: one hash a try, whatever was typed."""
    return tx.one(_CODE, account_id=account_id, selector=selector)


def spend_code(tx: Transaction, authenticator_id: int, selector: str, hash: str) -> bool:
    """Spend a recovery code: once, and only the very code that was judged (law 4)."""
    return (
        tx.one(_SPEND_CODE, authenticator_id=authenticator_id, selector=selector, hash=hash, now=tx.now)
        is not None
    )


def codes_left(tx: Transaction, authenticator_id: int) -> int:
    """How many codes of a set are unspent."""
    row = tx.one(_CODES_LEFT, authenticator_id=authenticator_id)
    return int(row.left) if row is not None else 0
