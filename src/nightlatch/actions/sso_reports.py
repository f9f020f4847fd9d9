"""What a test of a connection brought, put down for the admin who ran it: nobody was signed in by it."""

import json
from collections.abc import Mapping
from typing import Any

from nightlatch.actions import sso_people
from nightlatch.actions.sso_outcomes import Turned
from nightlatch.actions.sso_people import Joins
from nightlatch.facts import ConnectionId
from nightlatch.policy import evidence_of
from nightlatch.refusals import not_found
from nightlatch.sso.identity import Identity, kept
from nightlatch.store import sso_flows
from nightlatch.store.connection_rules import acceptance_of
from nightlatch.store.engine import Transaction
from nightlatch.store.query import Row

MOST_CLAIMS = 50
LONGEST_CLAIM = 300


def report(tx: Transaction, connection: Row, identity: Identity) -> dict[str, Any]:
    """Who came, what was said of them, what the rule takes it for, and what a sign-in would have done."""
    at = identity.auth_time or 0
    evidence = evidence_of(acceptance_of(connection), identity.told, at, tx.now)
    return {
        **kept(identity),
        "evidence": evidence.name.lower(),
        "claims": _claims(identity.claims),
        **_would(tx, connection, identity),
    }


def read(tx: Transaction, *, flow_id: int, connection_id: ConnectionId, session_id: int) -> Mapping[str, Any]:
    """A report, for the session that ran the test. Raises Refused (`not_found`), also an hour later."""
    found = sso_flows.read_report(tx, flow_id, connection_id=connection_id, session_id=session_id)
    if found is None:
        raise not_found()
    return found


def _would(tx: Transaction, connection: Row, identity: Identity) -> dict[str, Any]:
    judged = sso_people.judge(tx, connection, identity)
    if isinstance(judged, Turned):
        return {"would": "turn_away", "why": judged.why}
    if isinstance(judged, Joins):
        return {"would": "join"}
    return {"would": "sign_in", "who": judged.account.name}


def _claims(claims: Mapping[str, Any]) -> dict[str, str]:
    """As texts, cut to a size that a page can show: what is no text is written as the provider wrote it, in JSON."""

    def text(value: Any) -> str:
        return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)

    return {
        str(name)[:100]: text(value)[:LONGEST_CLAIM] for name, value in sorted(claims.items())[:MOST_CLAIMS]
    }
