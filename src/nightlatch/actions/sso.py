"""The way to a workspace's identity provider and back, whatever the protocol.

`begin` puts aside what the way back needs, for this browser alone; `spend` takes it, once, before anything is asked of
the provider; the protocol then says who came (`sso.identity.Identity`), and `sso_arriving.finish` lets them in, steps
up, connects or reports.
"""

from collections.abc import Mapping
from typing import Any

from nightlatch.actions import kinds
from nightlatch.actions.by import By
from nightlatch.actions.guard import allowed, session_of
from nightlatch.actions.source_delay import charge_way, way_wait
from nightlatch.actions.sso_linking import may_connect
from nightlatch.actions.sso_outcomes import Begun, Reported, Turned, Way, Why
from nightlatch.audit.events import record
from nightlatch.facts import ConnectionId
from nightlatch.refusals import Code, Refused, WayOut, not_found
from nightlatch.store import connections, sso_flows
from nightlatch.store.engine import Transaction
from nightlatch.store.query import Row
from nightlatch.store.sso_flows import Flow
from nightlatch.vocabulary import Event

# --- there ---


def look(tx: Transaction, connection_id: ConnectionId) -> Begun:
    """What the request to the provider is made of. Raises Refused: `not_found`, or `conflict`: it is not ready."""
    return _begun(_ready(tx, connection_id))


def _begun(row: Row) -> Begun:
    return Begun(
        row.id,
        row.name,
        row.issuer,
        row.client_id,
        connections.settings_of(row),
        row.kind,
        row.workspace_id,
        row.max_age,
    )


def begin(
    tx: Transaction,
    *,
    by: By,
    connection_id: ConnectionId,
    way: Way,
    state_hash: bytes,
    cookie_hash: bytes,
    said: Mapping[str, Any],
    onward: str = "",
    fresh: bool = False,
) -> None:
    """Begin a way to the provider. `said`: the protocol's own secrets for the way back. `fresh`: only a sign-in there
    that is made now will do.

    Raises Refused: as `look`; `too_many_attempts`; for a step-up, a connecting or a test what the gate raises.
    """
    row = _ready(tx, connection_id)
    sso_flows.begin(
        tx,
        state_hash=state_hash,
        browser=cookie_hash,
        connection_id=connection_id,
        purpose=way,
        session_id=_entered(tx, by, row, way),
        said={**said, "next": onward, "fresh": fresh},
    )


def _ready(tx: Transaction, connection_id: ConnectionId) -> Row:
    row = connections.by_id(tx, connection_id)
    if row is None or row.app_id is not None:
        raise not_found()
    if not connections.is_ready(row):
        raise Refused(
            Code.CONFLICT,
            "This way to sign in is not set up yet.",
            WayOut("Sign in another way.", "/sign-in"),
        )
    return row


def _entered(tx: Transaction, by: By, connection: Row, way: Way) -> int | None:
    """The session that a way is for, where it is for one; the way allowed."""
    if way is Way.SIGN_IN:
        _may_go(tx, by)
        return None
    if way is Way.LINK:
        return session_of(may_connect(tx, by, connection)).id
    action = kinds.PRESENT_FIRST if way is Way.STEP_UP else kinds.TEST_CONNECTION
    return session_of(allowed(tx, by, action.at(connection.workspace_id))).id


def _may_go(tx: Transaction, by: By) -> None:
    """Anybody may begin ways, each of which is kept for its time: a network that only begins them has to wait."""
    wait = way_wait(tx, by)
    if wait is not None:
        raise Refused(
            Code.TOO_MANY_ATTEMPTS,
            "Too many sign-ins were begun from your network and not completed. Wait a moment.",
            WayOut("Sign in another way.", "/sign-in"),
            retry_at=wait.retry_at,
        )
    charge_way(tx, by)


# --- back ---


def spend(
    tx: Transaction, *, by: By, connection_id: ConnectionId, state_hash: bytes, cookie_hash: bytes | None
) -> Flow | Turned:
    """Take a way back, once, in the browser that began it (law 4). Nothing was asked of the provider yet."""
    flow = None
    if cookie_hash is not None:
        flow = sso_flows.spend(tx, state_hash=state_hash, browser=cookie_hash, connection_id=connection_id)
    if flow is not None:
        return flow
    row, connection = sso_flows.by_state(tx, state_hash), connections.by_id(tx, connection_id)
    if row is None or connection is None or row.connection_id != connection_id:
        return Turned(Why.NOT_KNOWN, connection.id if connection is not None else None)
    if row.browser != cookie_hash:
        return refused(tx, by, connection, Turned(Why.OTHER_BROWSER, connection.id))
    if row.spent_at is not None:
        return refused(tx, by, connection, Turned(Why.USED, connection.id))
    return Turned(Why.EXPIRED, connection.id)


def look_with_secret(tx: Transaction, connection_id: ConnectionId) -> tuple[Begun, str | None]:
    """What a provider's answer is judged by, and the client's secret for asking it. Raises Refused as `look`."""
    row = _ready(tx, connection_id)
    return _begun(row), connections.secret_of(tx, row)


def failed(tx: Transaction, *, by: By, flow: Flow, code: str, detail: str) -> Reported | Turned:
    """The provider vouched for nobody; `code` says what happened, `detail` says it to an admin, in a test's report."""
    connection = connections.by_id(tx, flow.connection_id)
    if connection is None:
        return Turned(Why.GONE)
    if flow.purpose == Way.TEST:
        sso_flows.report(tx, flow.id, {"code": code, "detail": detail})
        return tested(connection, flow)
    why = Why.CANCELLED if code == "access_denied" else Why.PROVIDER
    return refused(tx, by, connection, Turned(why, connection.id, code, detail))


# --- what both ends do ---


def refused(tx: Transaction, by: By, connection: Row, turned: Turned) -> Turned:
    """The workspace can see that somebody was turned away at its connection, and why."""
    record(
        tx,
        Event.SSO_REFUSED,
        by=by,
        subject=("connection", connection.id, connection.name),
        workspace_id=connection.workspace_id,
        why=turned.why,
        code=turned.code,
    )
    return turned


def tested(connection: Row, flow: Flow) -> Reported:
    """A test came back, whatever it brought."""
    return Reported(connection.workspace_id, connection.slug, connection.id, flow.id)
