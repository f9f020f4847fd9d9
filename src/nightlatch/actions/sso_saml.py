"""What is SAML's own about the way back: the answer comes by POST from the provider's page, without our cookies.

So it is put aside with the request that it answers, and opens nothing: the browser comes for it by a redirect, with its
cookie, and `sso.spend` and `sso_arriving.finish` do as for every other protocol (docs/decisions/0032-saml.md).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from nightlatch.facts import ConnectionId, WorkspaceId
from nightlatch.instants import Instant
from nightlatch.sso.identity import Identity, SsoError, kept, taken_up
from nightlatch.store import connections, sso_flows
from nightlatch.store.engine import Transaction
from nightlatch.store.locks import lock
from nightlatch.store.sso_flows import Flow


@dataclass(frozen=True, slots=True)
class Waiting:
    """A request that waits for its answer, and the connection that it was made by."""

    state_hash: bytes
    request_id: str
    connection_id: ConnectionId
    workspace_id: WorkspaceId
    issuer: str
    settings: Mapping[str, Any]


def waiting(tx: Transaction, *, workspace_id: WorkspaceId, state_hash: bytes) -> Waiting | None:
    """The request that an answer to this workspace belongs to; None where there is none, or not by SAML, or no more."""
    flow = sso_flows.waiting(tx, state_hash)
    row = connections.by_id(tx, flow.connection_id) if flow is not None else None
    if flow is None or row is None or row.kind != connections.SAML or row.workspace_id != workspace_id:
        return None
    request_id = str(flow.said["request_id"])
    return Waiting(state_hash, request_id, row.id, row.workspace_id, row.issuer, connections.settings_of(row))


def bring(
    tx: Transaction, *, waits: Waiting, identity: Identity, assertion_hash: bytes, expires_at: Instant
) -> None:
    """Put aside who came; an assertion that was used before, for whichever request, brings nobody (law 4)."""
    flow = _open(tx, waits)
    if flow is None:
        return
    fresh = sso_flows.spend_once(
        tx, connection_id=waits.connection_id, assertion_hash=assertion_hash, expires_at=expires_at
    )
    if fresh:
        sso_flows.put_aside(tx, flow.id, {**flow.said, "came": kept(identity)})
    else:
        _nobody(tx, flow, SsoError("replayed", "This answer was used before."))


def bring_nobody(tx: Transaction, *, waits: Waiting, error: SsoError) -> None:
    """Put aside why nobody came."""
    flow = _open(tx, waits)
    if flow is not None:
        _nobody(tx, flow, error)


def _open(tx: Transaction, waits: Waiting) -> Flow | None:
    """The request, locked; None where it is spent by now, or somebody came already: the first answer stands."""
    lock(tx, workspaces=[waits.workspace_id])
    flow = sso_flows.waiting(tx, waits.state_hash)
    return flow if flow is not None and "came" not in flow.said else None


def _nobody(tx: Transaction, flow: Flow, error: SsoError) -> None:
    sso_flows.put_aside(tx, flow.id, {**flow.said, "failed": {"code": error.code, "detail": error.detail}})


def brought(flow: Flow) -> Identity:
    """Who was put aside for a way that is spent now. Raises SsoError: why nobody was."""
    if "came" in flow.said:
        return taken_up(flow.said["came"])
    failed = flow.said.get("failed")
    if failed is None:
        raise SsoError("no_answer", "The browser came back, and the provider's answer had not.")
    raise SsoError(failed["code"], failed["detail"])
