"""Whether a mail of a mandate is still true in the moment it is sent: else it is withdrawn, not sent."""

from collections.abc import Mapping
from typing import Any

from nightlatch.assurance import ready
from nightlatch.facts import Facts, Teammate
from nightlatch.policy import Mandate
from nightlatch.store import notices, teammates, withdrawing, workspaces
from nightlatch.store.engine import Transaction
from nightlatch.store.facts import read_account_facts
from nightlatch.store.query import Row
from nightlatch.vocabulary import Role

_ORDER = ("announce", "7_days", "3_days", "1_day", "start")
KINDS = frozenset(
    (*withdrawing.TO_ENROL, "mandate_ready", "mandate_off", "mandate_summary", "strength_ready")
)
"""Mails that are checked again."""


def why_untrue(tx: Transaction, mail: Row, values: Mapping[str, Any]) -> str | None:
    """What makes a queued mail untrue by now; None where it may go. `mail`: its row of the outbox. Reads only."""
    if mail.kind not in KINDS or mail.workspace_id is None or mail.account_id is None:
        return None
    workspace = workspaces.by_id(tx, mail.workspace_id)
    membership = teammates.by_account(tx, mail.account_id, mail.workspace_id)
    if workspace is None or membership is None or membership.removed_at is not None:
        return "no teammate any more"
    if mail.kind == "mandate_off":
        return None if workspace.required_from is None else "2FA is required again"
    facts = read_account_facts(tx, mail.account_id)
    here = facts.teammate(workspace.id)
    if here is None:
        return "no teammate any more"
    return _of_mandate(tx, mail, values, workspace, here) or _of_person(
        tx, mail, values, membership, facts, here
    )


# --- inside ---


def _of_mandate(
    tx: Transaction, mail: Row, values: Mapping[str, Any], workspace: Row, here: Teammate
) -> str | None:
    """The mandate that it speaks of is the one that there is, and as far as it says."""
    if workspace.required_from is None:
        return "2FA is not required any more"
    if workspace.announced_at is not None and mail.created_at < workspace.announced_at:
        return "another revision"
    if mail.kind == "mandate_link":
        return None
    if mail.kind in ("strength_notice", "strength_ready"):
        return _of_strength(tx, mail, values, workspace)
    if values.get("strength") and workspace.resistant_from is None:
        return "no passkey is required any more"
    since = here.mandate.required_from if mail.kind == "mandate_reminder" else workspace.required_from
    if mail.kind == "mandate_summary" and values.get("strength"):
        since = max(workspace.required_from, workspace.resistant_from)
    date, in_force = values.get("from_instant"), Mandate(since).in_force(tx.now)
    if date is not None and date != since:
        return "another date"
    begun = date is None or values.get("stage") == "start"
    if begun and not in_force:
        return "another revision"
    if not begun and in_force and mail.kind != "mandate_ready":
        return "it is in force by now"
    return None


def _of_strength(tx: Transaction, mail: Row, values: Mapping[str, Any], workspace: Row) -> str | None:
    at, date = workspace.resistant_from, values.get("from_instant")
    if at is None:
        return "no passkey is required any more"
    if values.get("stage") == "reminder":
        return None
    if date is not None and date != at:
        return "another date"
    if date is None:
        return None if at <= tx.now else "another revision"
    return "it is in force by now" if at <= tx.now and mail.kind == "strength_notice" else None


def _of_person(
    tx: Transaction,
    mail: Row,
    values: Mapping[str, Any],
    membership: Row,
    facts: Facts,
    here: Teammate,
) -> str | None:
    if mail.kind == "mandate_summary":
        return None if here.role is Role.OWNER else "no owner any more"
    if mail.kind not in withdrawing.TO_ENROL:
        return None
    if ready(facts, here.workspace):
        return "2FA is set up"
    if mail.kind in ("mandate_enrol", "mandate_notice", "strength_notice"):
        if (membership.exempt_until or 0) > tx.now:
            return "there is an exception"
        if membership.joined_at > mail.created_at:
            return "came back since"
        return _overtaken(tx, mail, values)
    return None


def _overtaken(tx: Transaction, mail: Row, values: Mapping[str, Any]) -> str | None:
    if mail.revision is None:
        return None
    own = values.get("stage") or ("start" if values.get("from_instant") is None else "announce")
    said = notices.told(
        tx, workspace_id=mail.workspace_id, revision=mail.revision, account_id=mail.account_id
    )
    newer = set(_ORDER[_ORDER.index(own) + 1 :]) if own in _ORDER else set()
    return "a newer notice says it" if newer & set(said) else None
