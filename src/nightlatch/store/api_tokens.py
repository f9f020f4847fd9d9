"""API tokens: of a person, in all of their workspaces or in one, and of service accounts. Only hashes are kept."""

from collections.abc import Iterable, Sequence

from sqlalchemy import and_, bindparam, delete, func, select, update

from nightlatch.facts import WorkspaceId
from nightlatch.ids import new_id
from nightlatch.instants import Instant
from nightlatch.store.engine import Transaction
from nightlatch.store.query import Query, Row, insert_into, set_columns
from nightlatch.store.schema import teammates, workspaces
from nightlatch.store.schema_team import token_workspaces, tokens

_unended = tokens.c.ended_at.is_(None)
_live = (_unended, tokens.c.expires_at > bindparam("now"))
_INSERT = Query(insert_into(tokens, without=("last_used_at", "ended_at")))
_ADD_WORKSPACE = Query(insert_into(token_workspaces))
_OF_ACCOUNT = Query(
    select(tokens, workspaces.c.slug, workspaces.c.name.label("workspace_name"))
    .join(workspaces, workspaces.c.id == tokens.c.workspace_id, isouter=True)
    .where(tokens.c.account_id == bindparam("account_id"), _unended)
    .order_by(tokens.c.created_at.desc(), tokens.c.id)
)
_OF_SERVICE = Query(
    select(tokens)
    .where(tokens.c.service_id == bindparam("service_id"), _unended)
    .order_by(tokens.c.created_at.desc(), tokens.c.id)
)
_WHERE = Query(
    select(token_workspaces.c.workspace_id)
    .join_from(token_workspaces, tokens, tokens.c.id == token_workspaces.c.token_id)
    .join(
        teammates,
        and_(
            teammates.c.workspace_id == token_workspaces.c.workspace_id,
            teammates.c.account_id == tokens.c.account_id,
            teammates.c.removed_at.is_(None),
        ),
    )
    .where(token_workspaces.c.token_id == bindparam("token_id"))
    .order_by(token_workspaces.c.workspace_id)
)
_COUNT = {
    column.name: Query(
        select(func.count().label("count")).select_from(tokens).where(column == bindparam("holder"), *_live)
    )
    for column in (tokens.c.account_id, tokens.c.service_id)
}
_end = update(tokens).values(ended_at=bindparam("now"))
_returned = (tokens.c.id, tokens.c.name)
_END_OWN = Query(
    _end.where(
        tokens.c.id == bindparam("id"), tokens.c.account_id == bindparam("account_id"), _unended
    ).returning(*_returned)
)
_END_OF_SERVICE = Query(
    _end.where(
        tokens.c.id == bindparam("id"), tokens.c.service_id == bindparam("service_id"), _unended
    ).returning(*_returned)
)
_END_ALL_OF_ACCOUNT = Query(
    _end.where(
        tokens.c.account_id == bindparam("account_id"), tokens.c.created_at >= bindparam("since"), *_live
    ).returning(*_returned)
)
_END_ALL_OF_SERVICE = Query(
    _end.where(tokens.c.service_id == bindparam("service_id"), *_live).returning(*_returned)
)
_END_ALL = Query(_end.where(*_live))
_USED = Query(
    set_columns(tokens, "last_used_at").where(
        tokens.c.id == bindparam("id"),
        func.coalesce(tokens.c.last_used_at, 0) < bindparam("new_last_used_at"),
    )
)
_gone = (tokens.c.expires_at < bindparam("before")) | (tokens.c.ended_at < bindparam("before"))
_PRUNE_WORKSPACES = Query(
    delete(token_workspaces).where(token_workspaces.c.token_id.in_(select(tokens.c.id).where(_gone)))
)
_PRUNE = Query(delete(tokens).where(_gone))


def create(
    tx: Transaction,
    *,
    token_hash: bytes,
    name: str,
    scopes: Iterable[str],
    expires_at: Instant,
    account_id: int | None = None,
    service_id: int | None = None,
    workspace_id: WorkspaceId | None = None,
    good_in: Iterable[WorkspaceId] = (),
) -> int:
    """A new token. `workspace_id`: the one that it was limited to. `good_in`: where a person's is good at all."""
    id = new_id()
    tx.run(
        _INSERT,
        id=id,
        token_hash=token_hash,
        account_id=account_id,
        service_id=service_id,
        workspace_id=workspace_id,
        name=name,
        scopes=" ".join(scopes),
        sequence=tx.next_sequence(),
        created_at=tx.now,
        expires_at=expires_at,
    )
    tx.run_each(_ADD_WORKSPACE, ({"token_id": id, "workspace_id": each} for each in sorted(set(good_in))))
    return id


def of_account(tx: Transaction, account_id: int) -> list[Row]:
    """A person's tokens that were not ended, expired ones included, the newest first."""
    return tx.all(_OF_ACCOUNT, account_id=account_id)


def of_service(tx: Transaction, service_id: int) -> list[Row]:
    """A service account's, likewise."""
    return tx.all(_OF_SERVICE, service_id=service_id)


def good_in(tx: Transaction, token_id: int) -> list[WorkspaceId]:
    """The workspaces that a person's token was made for, as far as the person is in them."""
    return [row.workspace_id for row in tx.all(_WHERE, token_id=token_id)]


def count(tx: Transaction, *, account_id: int | None = None, service_id: int | None = None) -> int:
    """How many tokens of a person, or of a service account, are good now."""
    name = "account_id" if account_id is not None else "service_id"
    row = tx.one(_COUNT[name], holder=account_id if account_id is not None else service_id, now=tx.now)
    return int(row.count) if row is not None else 0


def end_own(tx: Transaction, token_id: int, account_id: int) -> Row | None:
    """End one of a person's tokens; None where there is none."""
    return tx.one(_END_OWN, id=token_id, account_id=account_id, now=tx.now)


def end_of_service(tx: Transaction, token_id: int, service_id: int) -> Row | None:
    """End one of a service account's tokens; None where there is none."""
    return tx.one(_END_OF_SERVICE, id=token_id, service_id=service_id, now=tx.now)


def end_all_of_account(tx: Transaction, account_id: int, since: Instant = 0) -> Sequence[Row]:
    """End every live token of a person that was made at `since` or later; which."""
    return tx.all(_END_ALL_OF_ACCOUNT, account_id=account_id, since=since, now=tx.now)


def end_all_of_service(tx: Transaction, service_id: int) -> Sequence[Row]:
    """End every live token of a service account; which."""
    return tx.all(_END_ALL_OF_SERVICE, service_id=service_id, now=tx.now)


def end_all(tx: Transaction) -> int:
    """End every live token of everybody; how many."""
    return tx.run(_END_ALL, now=tx.now)


def used(tx: Transaction, last_used: Iterable[tuple[int, Instant]]) -> None:
    """Write when tokens were last used: batched, at most once a minute, and it may be lost."""
    tx.run_each(_USED, ({"id": id, "new_last_used_at": at} for id, at in last_used))


def prune(tx: Transaction, before: Instant) -> int:
    """Delete tokens that expired or were ended before an instant."""
    tx.run(_PRUNE_WORKSPACES, before=before)
    return tx.run(_PRUNE, before=before)
