"""Ways to a provider and back: each in the browser that began it, once, for ten minutes."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import bindparam, delete, select, update

from nightlatch.ids import new_id, to_text
from nightlatch.instants import HOUR, MINUTE, Duration, Instant
from nightlatch.store.engine import Transaction
from nightlatch.store.query import Query, Row, insert_into, set_columns
from nightlatch.store.schema_ways import sso_flows, sso_spent

FLOW_LIFE: Duration = 10 * MINUTE
REPORT_LIFE: Duration = HOUR
"""How long what a test brought can be looked at."""

_INSERT = Query(insert_into(sso_flows, without=("spent_at",)))
_BY_STATE = Query(select(sso_flows).where(sso_flows.c.state_hash == bindparam("state_hash")))
_SPEND = Query(
    update(sso_flows)
    .values(spent_at=bindparam("now"))
    .where(
        sso_flows.c.state_hash == bindparam("state_hash"),
        sso_flows.c.connection_id == bindparam("connection_id"),
        sso_flows.c.browser == bindparam("browser"),
        sso_flows.c.spent_at.is_(None),
        sso_flows.c.expires_at > bindparam("now"),
    )
    .returning(
        sso_flows.c.id,
        sso_flows.c.connection_id,
        sso_flows.c.purpose,
        sso_flows.c.session_id,
        sso_flows.c.sealed,
        sso_flows.c.created_at,
    )
)
_WAITING = Query(
    select(sso_flows).where(
        sso_flows.c.state_hash == bindparam("state_hash"),
        sso_flows.c.spent_at.is_(None),
        sso_flows.c.expires_at > bindparam("now"),
    )
)
_PUT_ASIDE = Query(
    set_columns(sso_flows, "sealed").where(sso_flows.c.id == bindparam("id"), sso_flows.c.spent_at.is_(None))
)
_REPORT = Query(set_columns(sso_flows, "sealed", "expires_at").where(sso_flows.c.id == bindparam("id")))
_READ_REPORT = Query(
    select(sso_flows.c.id, sso_flows.c.sealed).where(
        sso_flows.c.id == bindparam("id"),
        sso_flows.c.connection_id == bindparam("connection_id"),
        sso_flows.c.session_id == bindparam("session_id"),
        sso_flows.c.purpose == "test",
        sso_flows.c.spent_at.is_not(None),
        sso_flows.c.expires_at > bindparam("now"),
    )
)
_SPENT = Query(
    select(sso_spent.c.expires_at).where(
        sso_spent.c.connection_id == bindparam("connection_id"),
        sso_spent.c.assertion_hash == bindparam("assertion_hash"),
    )
)
_NOTE_SPENT = Query(insert_into(sso_spent))
_PRUNE = Query(delete(sso_flows).where(sso_flows.c.expires_at < bindparam("now")))
_PRUNE_SPENT = Query(delete(sso_spent).where(sso_spent.c.expires_at < bindparam("now")))


@dataclass(frozen=True, slots=True)
class Flow:
    """A way that was begun, and is spent now. `said`: what was put aside for the way back."""

    id: int
    connection_id: int
    purpose: str
    session_id: int | None
    said: Mapping[str, Any]
    created_at: Instant


def begin(
    tx: Transaction,
    *,
    state_hash: bytes,
    browser: bytes,
    connection_id: int,
    purpose: str,
    session_id: int | None,
    said: Mapping[str, Any],
) -> int:
    """Keep what the way back needs, sealed. `browser`: the hash of a cookie that this browser alone has."""
    id = new_id()
    tx.run(
        _INSERT,
        id=id,
        state_hash=state_hash,
        connection_id=connection_id,
        purpose=purpose,
        session_id=session_id,
        browser=browser,
        sealed=_sealed(tx, id, said),
        created_at=tx.now,
        expires_at=tx.now + FLOW_LIFE,
    )
    return id


def spend(tx: Transaction, *, state_hash: bytes, browser: bytes, connection_id: int) -> Flow | None:
    """Spend it by one guarded statement: by its own connection, in its own browser, in its time (law 4)."""
    row = tx.one(_SPEND, state_hash=state_hash, browser=browser, connection_id=connection_id, now=tx.now)
    return _opened(tx, row) if row is not None else None


def by_state(tx: Transaction, state_hash: bytes) -> Row | None:
    """A way by its state, whatever became of it: for saying why it cannot be gone on with."""
    return tx.one(_BY_STATE, state_hash=state_hash)


def waiting(tx: Transaction, state_hash: bytes) -> Flow | None:
    """A way that is begun and not spent, by whichever browser: for an answer that comes without our cookies (SAML)."""
    row = tx.one(_WAITING, state_hash=state_hash, now=tx.now)
    return _opened(tx, row) if row is not None else None


def put_aside(tx: Transaction, flow_id: int, said: Mapping[str, Any]) -> None:
    """Keep what came for a way until its own browser comes for it."""
    tx.run(_PUT_ASIDE, id=flow_id, new_sealed=_sealed(tx, flow_id, said))


def report(tx: Transaction, flow_id: int, told: Mapping[str, Any]) -> None:
    """Keep what a test brought in the place of what it was begun with."""
    tx.run(_REPORT, id=flow_id, new_sealed=_sealed(tx, flow_id, told), new_expires_at=tx.now + REPORT_LIFE)


def read_report(
    tx: Transaction, flow_id: int, *, connection_id: int, session_id: int
) -> Mapping[str, Any] | None:
    """What a test brought, for the session that ran it."""
    row = tx.one(_READ_REPORT, id=flow_id, connection_id=connection_id, session_id=session_id, now=tx.now)
    if row is None:
        return None
    told: dict[str, Any] = json.loads(tx.keys.open("sso_flows", to_text(row.id), row.sealed))
    return told


def spend_once(tx: Transaction, *, connection_id: int, assertion_hash: bytes, expires_at: Instant) -> bool:
    """Note that an assertion (SAML) was used; False where it was before. Call it under the lock of its workspace."""
    if tx.one(_SPENT, connection_id=connection_id, assertion_hash=assertion_hash) is not None:
        return False
    tx.run(_NOTE_SPENT, connection_id=connection_id, assertion_hash=assertion_hash, expires_at=expires_at)
    return True


def prune(tx: Transaction) -> None:
    """Delete the expired."""
    tx.run(_PRUNE, now=tx.now)
    tx.run(_PRUNE_SPENT, now=tx.now)


def _opened(tx: Transaction, row: Row) -> Flow:
    said = json.loads(tx.keys.open("sso_flows", to_text(row.id), row.sealed))
    return Flow(row.id, row.connection_id, row.purpose, row.session_id, said, row.created_at)


def _sealed(tx: Transaction, id: int, said: Mapping[str, Any]) -> bytes:
    return tx.keys.seal("sso_flows", to_text(id), json.dumps(said).encode())
