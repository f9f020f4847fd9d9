"""Browsers that are remembered: where a workspace that requires nothing does not ask again for the second step."""

from sqlalchemy import ColumnElement, bindparam, delete, select

from nightlatch.ids import new_id
from nightlatch.instants import Instant
from nightlatch.store.engine import Transaction
from nightlatch.store.query import Query, Row, insert_into, set_columns
from nightlatch.store.schema import proofs, sessions, teammates, workspaces
from nightlatch.store.schema_ways import remembered_browsers
from nightlatch.vocabulary import Method

_account = remembered_browsers.c.account_id == bindparam("account_id")
_here = remembered_browsers.c.workspace_id == bindparam("workspace_id")
_browser = remembered_browsers.c.browser == bindparam("browser")
_ALLOWED = (workspaces.c.remember_for.is_not(None), workspaces.c.required_from.is_(None))
"""A setting counts only where nothing is required, now or from a date."""
_IN_TIME = (
    remembered_browsers.c.expires_at > bindparam("now"),
    remembered_browsers.c.created_at + workspaces.c.remember_for > bindparam("now"),
)
"""Until it was promised to, and no longer than the setting says now."""
_STILL_THERE = (
    teammates.c.removed_at.is_(None),
    teammates.c.joined_at <= remembered_browsers.c.created_at,
)
"""Somebody who returns begins with no browser remembered."""

_ALLOWING = Query(
    select(workspaces.c.id, workspaces.c.name, workspaces.c.remember_for)
    .join(teammates, teammates.c.workspace_id == workspaces.c.id)
    .where(
        teammates.c.account_id == bindparam("account_id"),
        teammates.c.removed_at.is_(None),
        *_ALLOWED,
    )
    .order_by(workspaces.c.slug)
)
_LIVE = (
    select(
        remembered_browsers,
        workspaces.c.slug,
        workspaces.c.name,
        workspaces.c.remember_for,
    )
    .join(workspaces, workspaces.c.id == remembered_browsers.c.workspace_id)
    .join(
        teammates,
        (teammates.c.workspace_id == workspaces.c.id)
        & (teammates.c.account_id == remembered_browsers.c.account_id),
    )
    .where(_account, *_ALLOWED, *_IN_TIME, *_STILL_THERE)
    .order_by(remembered_browsers.c.created_at.desc(), remembered_browsers.c.id)
)
_OF_ACCOUNT = Query(_LIVE)
_OF_BROWSER = Query(_LIVE.where(_browser))
_INSERT = Query(insert_into(remembered_browsers))
_USED = Query(
    set_columns(remembered_browsers, "last_used_at").where(remembered_browsers.c.id == bindparam("id"))
)
_END_EVERY = Query(delete(remembered_browsers))
_PRUNE = Query(delete(remembered_browsers).where(remembered_browsers.c.expires_at <= bindparam("now")))


def _rows(*which: ColumnElement[bool]) -> Query:
    return Query(delete(remembered_browsers).where(*which).returning(remembered_browsers.c.id))


def _proofs(*which: ColumnElement[bool]) -> Query:
    """What sessions hold of it; `which` sessions, and of which workspace."""
    return Query(delete(proofs).where(proofs.c.method == Method.REMEMBERED.value, *which))


def _held(*whose: ColumnElement[bool]) -> ColumnElement[bool]:
    return proofs.c.session_id.in_(select(sessions.c.id).where(*whose))


_own = sessions.c.account_id == bindparam("account_id")
_there = proofs.c.workspace_id == bindparam("workspace_id")
_END_ONE = Query(
    delete(remembered_browsers)
    .where(_account, remembered_browsers.c.id == bindparam("id"))
    .returning(remembered_browsers)
)
_END, _PROOFS = _rows(_account), _proofs(_held(_own))
_END_AT, _PROOFS_AT = _rows(_account, _here), _proofs(_there, _held(_own))
_END_IN, _PROOFS_IN = _rows(_here), _proofs(_there)
_END_BROWSER = _rows(_account, _here, _browser)
_PROOFS_BROWSER = _proofs(_there, _held(_own, sessions.c.browser == bindparam("browser")))


def allowing(tx: Transaction, account_id: int) -> list[Row]:
    """The workspaces of an account where browsers may be remembered: id, name, remember_for."""
    return tx.all(_ALLOWING, account_id=account_id)


def keep(
    tx: Transaction,
    *,
    account_id: int,
    workspace_id: int,
    browser: bytes,
    ip: str,
    user_agent: str,
    expires_at: Instant,
) -> int:
    """Remember a browser from now on; what was remembered of it there makes way."""
    tx.all(_END_BROWSER, account_id=account_id, workspace_id=workspace_id, browser=browser)
    id = new_id()
    tx.run(
        _INSERT,
        id=id,
        account_id=account_id,
        workspace_id=workspace_id,
        browser=browser,
        ip=ip,
        user_agent=user_agent,
        created_at=tx.now,
        last_used_at=None,
        expires_at=expires_at,
    )
    return id


def of_account(tx: Transaction, account_id: int) -> list[Row]:
    """What is remembered for an account and counts now, the newest first."""
    return tx.all(_OF_ACCOUNT, account_id=account_id, now=tx.now)


def of_browser(tx: Transaction, account_id: int, browser: bytes) -> list[Row]:
    """The same of one browser."""
    return tx.all(_OF_BROWSER, account_id=account_id, browser=browser, now=tx.now)


def used(tx: Transaction, id: int) -> None:
    """It spared somebody the second step."""
    tx.run(_USED, id=id, new_last_used_at=tx.now)


def end_one(tx: Transaction, account_id: int, id: int) -> bool:
    """Forget one, and what live sessions hold of it. False where there is none."""
    row = tx.one(_END_ONE, account_id=account_id, id=id)
    if row is None:
        return False
    tx.run(_PROOFS_BROWSER, account_id=account_id, workspace_id=row.workspace_id, browser=row.browser)
    return True


def end(tx: Transaction, account_id: int, workspace_id: int | None = None) -> int:
    """Forget all of an account, in one workspace or in every one; how many. Sessions that came in by one are asked for
    the second step with their very next request. Call it under the account's lock."""
    if workspace_id is None:
        tx.run(_PROOFS, account_id=account_id)
        return len(tx.all(_END, account_id=account_id))
    tx.run(_PROOFS_AT, account_id=account_id, workspace_id=workspace_id)
    return len(tx.all(_END_AT, account_id=account_id, workspace_id=workspace_id))


def end_in(tx: Transaction, workspace_id: int) -> int:
    """Forget everybody's of a workspace; how many."""
    tx.run(_PROOFS_IN, workspace_id=workspace_id)
    return len(tx.all(_END_IN, workspace_id=workspace_id))


def end_every(tx: Transaction) -> None:
    """Forget everybody's everywhere: every session ends with it."""
    tx.run(_END_EVERY)


def prune(tx: Transaction) -> int:
    """Delete what has run out."""
    return tx.run(_PRUNE, now=tx.now)
