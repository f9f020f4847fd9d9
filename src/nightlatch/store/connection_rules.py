"""What a sign-in at a workspace's provider counts for: read with every decision, so that a new rule bites at once."""

import json
from dataclasses import dataclass

from sqlalchemy import bindparam, select

from nightlatch.facts import Proof, Reach, WorkspaceId, reach_of
from nightlatch.instants import Instant
from nightlatch.policy import Acceptance, SsoRule, Told, evidence_of
from nightlatch.store.engine import Transaction
from nightlatch.store.query import Query, Row
from nightlatch.store.schema_ways import connections
from nightlatch.vocabulary import Method

_RULE = Query(
    select(
        connections.c.workspace_id,
        connections.c.rule,
        connections.c.accepted,
        connections.c.max_age,
        connections.c.exempt_until,
    ).where(connections.c.id == bindparam("id"), connections.c.removed_at.is_(None))
)


@dataclass(frozen=True, slots=True)
class ConnectionRule:
    """Where a connection counts, and what its rule accepts."""

    workspace: WorkspaceId
    acceptance: Acceptance

    @property
    def reach(self) -> Reach:
        """What a connection proves counts in the workspace that owns it and nowhere else (design: reach)."""
        return reach_of(self.workspace)


def read_rule(tx: Transaction, connection_id: int) -> ConnectionRule | None:
    """The rule of a connection as it is now; None once it is removed."""
    row = tx.one(_RULE, id=connection_id)
    return ConnectionRule(row.workspace_id, acceptance_of(row)) if row is not None else None


def acceptance_of(row: Row) -> Acceptance:
    """The rule in a connection's row. `accepted` is JSON: `second` and `resistant`, lists of values."""
    listed = json.loads(row.accepted)
    return Acceptance(
        SsoRule(row.rule),
        frozenset(listed.get("second", ())),
        frozenset(listed.get("resistant", ())),
        row.max_age,
        row.exempt_until,
    )


def told_text(told: Told) -> str:
    """What a provider told, as a proof's row keeps it."""
    return json.dumps({"acr": told.acr, "amr": sorted(told.amr)})


def _told(text: str | None) -> Told:
    told = json.loads(text or "{}")
    return Told(told.get("acr"), frozenset(told.get("amr", ())))


def by_connection(row: Row, rule: ConnectionRule, now: Instant) -> Proof:
    """The proof in a session's row that was given at a provider."""
    return Proof(
        Method(row.method),
        row.sequence,
        row.at,
        source=rule.reach,
        connection=row.connection_id,
        evidence=evidence_of(rule.acceptance, _told(row.evidence), row.at, now),
    )
