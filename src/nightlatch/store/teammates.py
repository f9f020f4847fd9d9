"""Memberships: who is in which workspace, in which role, since when."""

from sqlalchemy import ColumnElement, and_, bindparam, exists, func, or_, select

from nightlatch.ids import new_id
from nightlatch.instants import DAY, Instant
from nightlatch.store.engine import Transaction
from nightlatch.store.query import Query, Row, insert_into, set_columns
from nightlatch.store.schema import (
    accounts,
    authenticator_workspaces,
    authenticators,
    former_roles,
    teammates,
    workspaces,
)
from nightlatch.vocabulary import Method, Role

RANK_MEMORY = 7 * DAY
"""Rank is the highest role held within this time (design section 6)."""

REMIND_EVERY = DAY
"""A person is reminded of a workspace's mandate at most once in so long."""

_active = teammates.c.removed_at.is_(None)
_person = (accounts.c.name, accounts.c.email, accounts.c.email_key)
_BY_ID = Query(
    select(teammates, *_person)
    .join(accounts, accounts.c.id == teammates.c.account_id)
    .where(teammates.c.id == bindparam("id"), teammates.c.workspace_id == bindparam("workspace_id"), _active)
)
_BY_ACCOUNT = Query(
    select(teammates, *_person)
    .join(accounts, accounts.c.id == teammates.c.account_id)
    .where(
        teammates.c.account_id == bindparam("account_id"),
        teammates.c.workspace_id == bindparam("workspace_id"),
    )
)
_OF_ACCOUNT = Query(
    select(teammates)
    .where(teammates.c.account_id == bindparam("account_id"), _active)
    .order_by(teammates.c.workspace_id)
)
_AFTER = Query(
    select(
        teammates.c.id,
        teammates.c.account_id,
        teammates.c.joined_at,
        teammates.c.exempt_until,
        teammates.c.reminded_at,
        *_person,
    )
    .join(accounts, accounts.c.id == teammates.c.account_id)
    .where(
        teammates.c.workspace_id == bindparam("workspace_id"), teammates.c.id > bindparam("after"), _active
    )
    .order_by(teammates.c.id)
    .limit(bindparam("most"))
)
_INSERT = Query(
    insert_into(
        teammates,
        without=(
            "exempt_until",
            "snoozed_until",
            "reminded_at",
            "waiting_reset_id",
            "role_given_by",
            "sso_connection_id",
        ),
    )
)
_RETURN = Query(
    set_columns(
        teammates,
        "role",
        "joined_at",
        "removed_at",
        "valid_after",
        "given_role",
        "brought_in_by",
        "role_given_by",
    ).where(teammates.c.id == bindparam("id"))
)
_REMOVE = Query(
    set_columns(teammates, "removed_at", "valid_after", "sso_connection_id")
    .where(teammates.c.id == bindparam("id"), _active)
    .returning(teammates.c.id)
)
_SET_ROLE = Query(
    set_columns(teammates, "role", "role_given_by").where(teammates.c.id == bindparam("id"), _active)
)
_SET_GIVEN_ROLE = Query(
    set_columns(teammates, "given_role").where(teammates.c.id == bindparam("id"), _active)
)
_BY_SSO = Query(
    set_columns(teammates, "sso_connection_id").where(
        teammates.c.account_id == bindparam("account_id"),
        teammates.c.workspace_id == bindparam("workspace_id"),
        _active,
    )
)
_NOT_BY_SSO = Query(
    set_columns(teammates, "sso_connection_id").where(
        teammates.c.workspace_id == bindparam("workspace_id"),
        teammates.c.sso_connection_id == bindparam("connection_id"),
    )
)
_REMINDED = Query(
    set_columns(teammates, "reminded_at")
    .where(
        teammates.c.id == bindparam("id"),
        _active,
        or_(teammates.c.reminded_at.is_(None), teammates.c.reminded_at <= bindparam("before")),
    )
    .returning(teammates.c.id)
)
_ADD_FORMER = Query(insert_into(former_roles))
_FORMER = Query(
    select(former_roles.c.role).where(
        former_roles.c.teammate_id == bindparam("teammate_id"), former_roles.c.until > bindparam("since")
    )
)
_LATEST_FORMER = Query(
    select(func.max(former_roles.c.until).label("until")).where(
        former_roles.c.teammate_id == bindparam("teammate_id")
    )
)
_RESET = Query(set_columns(teammates, "reset_id", "valid_after").where(teammates.c.id == bindparam("id")))
_WAITING = Query(set_columns(teammates, "waiting_reset_id").where(teammates.c.id == bindparam("id")))
_NOT_WAITING = Query(
    set_columns(teammates, "waiting_reset_id").where(
        teammates.c.account_id == bindparam("account_id"),
        teammates.c.workspace_id == bindparam("workspace_id"),
        teammates.c.waiting_reset_id == bindparam("reset_id"),
    )
)
_RESET_DONE = Query(
    set_columns(teammates, "reset_id").where(
        teammates.c.account_id == bindparam("account_id"),
        teammates.c.workspace_id == bindparam("workspace_id"),
    )
)
_link = authenticator_workspaces
PASSKEY = Method.PASSKEY.value


def _relied_by_owner(kind: ColumnElement[bool]) -> ColumnElement[bool]:
    return exists(
        select(authenticators.c.id)
        .join_from(
            authenticators,
            _link,
            and_(
                _link.c.authenticator_id == authenticators.c.id,
                _link.c.workspace_id == teammates.c.workspace_id,
            ),
            isouter=True,
        )
        .where(
            authenticators.c.account_id == teammates.c.account_id,
            authenticators.c.method != Method.RECOVERY_CODE.value,
            kind,
            _link.c.void_at.is_(None),
            or_(
                authenticators.c.everywhere_at.is_not(None),
                _link.c.reached_at.is_not(None),
                _link.c.accepted_at.is_not(None),
            ),
        )
    )


_OWNERS = Query(
    select(teammates.c.id, teammates.c.account_id, *_person)
    .join(accounts, accounts.c.id == teammates.c.account_id)
    .where(
        teammates.c.workspace_id == bindparam("workspace_id"), teammates.c.role == Role.OWNER.value, _active
    )
    .order_by(teammates.c.id)
)


def _owners_with(held: ColumnElement[bool]) -> Query:
    return Query(
        select(teammates.c.account_id)
        .join(workspaces, workspaces.c.id == teammates.c.workspace_id)
        .where(
            teammates.c.workspace_id == bindparam("workspace_id"),
            teammates.c.role == Role.OWNER.value,
            _active,
            held,
        )
        .order_by(teammates.c.account_id)
    )


_ENROLLED_OWNERS = _owners_with(
    _relied_by_owner(or_(workspaces.c.resistant_from.is_(None), authenticators.c.method == PASSKEY))
)
_OWNERS_WITH_PASSKEY = _owners_with(_relied_by_owner(authenticators.c.method == PASSKEY))
_ENROLLED_WITH_PASSWORD = _owners_with(
    and_(
        _relied_by_owner(or_(workspaces.c.resistant_from.is_(None), authenticators.c.method == PASSKEY)),
        exists(
            select(accounts.c.id).where(
                accounts.c.id == teammates.c.account_id, accounts.c.password_hash.is_not(None)
            )
        ),
    )
)
_MANAGERS = Query(
    select(teammates.c.account_id, accounts.c.name, accounts.c.email, teammates.c.role)
    .join(accounts, accounts.c.id == teammates.c.account_id)
    .where(
        teammates.c.workspace_id == bindparam("workspace_id"),
        or_(teammates.c.role == Role.OWNER.value, teammates.c.role == Role.ADMIN.value),
        teammates.c.account_id != bindparam("but"),
        _active,
    )
    .order_by(teammates.c.role.desc(), teammates.c.id)
    .limit(10)
)
_WAS_REMOVED = Query(
    select(teammates.c.id)
    .join(accounts, accounts.c.id == teammates.c.account_id)
    .where(
        teammates.c.workspace_id == bindparam("workspace_id"),
        teammates.c.removed_at.is_not(None),
        accounts.c.email_key == bindparam("email_key"),
    )
    .limit(1)
)
_COUNT = Query(
    select(func.count().label("count"))
    .select_from(teammates)
    .where(teammates.c.workspace_id == bindparam("workspace_id"), _active)
)


def by_id(tx: Transaction, teammate_id: int, workspace_id: int) -> Row | None:
    """One teammate of a workspace, with name and e-mail; None for anybody of another workspace."""
    return tx.one(_BY_ID, id=teammate_id, workspace_id=workspace_id)


def by_account(tx: Transaction, account_id: int, workspace_id: int) -> Row | None:
    """An account's membership, removed ones included (see `removed_at`)."""
    return tx.one(_BY_ACCOUNT, account_id=account_id, workspace_id=workspace_id)


def of_account(tx: Transaction, account_id: int) -> list[Row]:
    """All memberships of an account."""
    return tx.all(_OF_ACCOUNT, account_id=account_id)


def after(tx: Transaction, workspace_id: int, after_id: int, most: int) -> list[Row]:
    """The next teammates of a workspace in order of id: for work in batches."""
    return tx.all(_AFTER, workspace_id=workspace_id, after=after_id, most=most)


def join(
    tx: Transaction,
    *,
    workspace_id: int,
    account_id: int,
    role: Role,
    given_role: str | None = None,
    brought_in_by: int | None = None,
) -> int:
    """Make an account a teammate, or bring a removed one back. Proofs from before a return do not count.

    `given_role`: what the product that keeps the person calls the role. `brought_in_by`: the account that invited them.
    """
    row = by_account(tx, account_id, workspace_id)
    if row is not None:
        tx.run(
            _RETURN,
            id=row.id,
            new_role=role,
            new_joined_at=tx.now,
            new_removed_at=None,
            new_valid_after=tx.next_sequence(),
            new_given_role=given_role,
            new_brought_in_by=brought_in_by,
            new_role_given_by=None,
        )
        return int(row.id)
    teammate_id = new_id()
    tx.run(
        _INSERT,
        id=teammate_id,
        workspace_id=workspace_id,
        account_id=account_id,
        role=role,
        joined_at=tx.now,
        removed_at=None,
        valid_after=0,
        reset_id=None,
        given_role=given_role,
        brought_in_by=brought_in_by,
    )
    return teammate_id


def remove(tx: Transaction, teammate_id: int) -> bool:
    """End a membership; every proof given so far stops counting there."""
    row = tx.one(
        _REMOVE,
        id=teammate_id,
        new_removed_at=tx.now,
        new_valid_after=tx.next_sequence(),
        new_sso_connection_id=None,
    )
    return row is not None


def came_by(tx: Transaction, account_id: int, workspace_id: int, connection_id: int | None) -> None:
    """By which connection they came last, where that is enough there without 2FA of their own; None: it was not."""
    tx.run(_BY_SSO, account_id=account_id, workspace_id=workspace_id, new_sso_connection_id=connection_id)


def came_by_no_more(tx: Transaction, workspace_id: int, connection_id: int) -> None:
    """What a connection vouched for is to be shown anew. `standing.sso_over` first."""
    tx.run(_NOT_BY_SSO, workspace_id=workspace_id, connection_id=connection_id, new_sso_connection_id=None)


def reminded(tx: Transaction, teammate_id: int) -> bool:
    """Somebody reminds a teammate now: whether that may be, once in REMIND_EVERY (law 4)."""
    row = tx.one(_REMINDED, id=teammate_id, new_reminded_at=tx.now, before=tx.now - REMIND_EVERY)
    return row is not None


def set_role(tx: Transaction, teammate_id: int, old: Role, new: Role, *, by: int | None = None) -> None:
    """Another role, given by an account (None: the operator or a product); the old one is remembered for rank."""
    tx.run(_SET_ROLE, id=teammate_id, new_role=new, new_role_given_by=by)
    latest = tx.all(_LATEST_FORMER, teammate_id=teammate_id)[0].until or 0
    # The clock may stand still between two changes (law 12); each keeps its row.
    tx.run(_ADD_FORMER, teammate_id=teammate_id, until=max(tx.now, latest + 1), role=old)


def set_given_role(tx: Transaction, teammate_id: int, given: Role) -> None:
    """What the product that keeps the person calls their role now; the one that counts follows from it."""
    tx.run(_SET_GIVEN_ROLE, id=teammate_id, new_given_role=given)


def rank(tx: Transaction, teammate_id: int, role: Role) -> int:
    """The highest rank held in the last 7 days."""
    former = tx.all(_FORMER, teammate_id=teammate_id, since=tx.now - RANK_MEMORY)
    return max([role.rank, *(Role(row.role).rank for row in former)])


def role_since(tx: Transaction, teammate: Row) -> Instant:
    """Since when somebody holds the role they have now."""
    latest = tx.all(_LATEST_FORMER, teammate_id=teammate.id)[0].until or 0
    return max(int(teammate.joined_at), int(latest))


def reset_waits(tx: Transaction, teammate_id: int, reset_id: int) -> None:
    """A reset of theirs was asked for and is not done yet."""
    tx.run(_WAITING, id=teammate_id, new_waiting_reset_id=reset_id)


def reset_waits_no_more(tx: Transaction, account_id: int, workspace_id: int, reset_id: int) -> None:
    """It is done, or it ended."""
    tx.run(
        _NOT_WAITING,
        account_id=account_id,
        workspace_id=workspace_id,
        reset_id=reset_id,
        new_waiting_reset_id=None,
    )


def begin_reset(tx: Transaction, teammate_id: int, reset_id: int) -> None:
    """From now on only this reset's ticket binds here, and earlier proofs do not count."""
    tx.run(_RESET, id=teammate_id, new_reset_id=reset_id, new_valid_after=tx.next_sequence())


def finish_reset(tx: Transaction, account_id: int, workspace_id: int) -> None:
    """Something was bound here again."""
    tx.run(_RESET_DONE, account_id=account_id, workspace_id=workspace_id, new_reset_id=None)


def owners(tx: Transaction, workspace_id: int) -> list[Row]:
    """The owners of a workspace."""
    return tx.all(_OWNERS, workspace_id=workspace_id)


def enrolled_owners(tx: Transaction, workspace_id: int) -> list[int]:
    """The accounts of the owners that have what is required there, or will be: 2FA, or a passkey. Somebody can always
    open (law 8). Lock the workspace first."""
    return [row.account_id for row in tx.all(_ENROLLED_OWNERS, workspace_id=workspace_id)]


def owners_with_passkey(tx: Transaction, workspace_id: int) -> list[int]:
    """The accounts of the owners that have a passkey there. Lock the workspace first."""
    return [row.account_id for row in tx.all(_OWNERS_WITH_PASSKEY, workspace_id=workspace_id)]


def enrolled_owners_with_password(tx: Transaction, workspace_id: int) -> list[int]:
    """Those of them who can come in when no provider vouches for anybody. Lock the workspace first."""
    return [row.account_id for row in tx.all(_ENROLLED_WITH_PASSWORD, workspace_id=workspace_id)]


def managers(tx: Transaction, workspace_id: int, but: int = 0) -> list[Row]:
    """Up to ten owners and admins other than one account: who can help."""
    return tx.all(_MANAGERS, workspace_id=workspace_id, but=but)


def was_removed(tx: Transaction, workspace_id: int, email_key: str) -> bool:
    """Whether somebody with this address was a teammate once and is none any more."""
    return tx.one(_WAS_REMOVED, workspace_id=workspace_id, email_key=email_key) is not None


def count(tx: Transaction, workspace_id: int) -> int:
    """How many teammates a workspace has."""
    row = tx.one(_COUNT, workspace_id=workspace_id)
    return int(row.count) if row is not None else 0
