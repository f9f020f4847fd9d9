"""Evidence as a CSV file (RFC 4180) and as JSON. Pure."""

import csv
import io
from collections.abc import Iterator
from typing import Any

from nightlatch.audit.csv_text import safe
from nightlatch.audit.evidence import Evidence, Excepted, Gone, Policy, Reset, Restored, Teammate, Who
from nightlatch.ids import to_text as id_text
from nightlatch.instants import DAY, Instant, to_text
from nightlatch.policy import Mandate

NOT_KNOWN = "not known"
"""What a cell says where the events do not tell."""
COLUMNS = (
    "record",
    "account",
    "name",
    "email",
    "role",
    "joined_at",
    "two_factor",
    "methods",
    "since",
    "at",
    "by",
    "by_kind",
    "reason",
    "recognised_by",
    "number_waived",
    "completed_at",
    "replaced_at",
    "asked_by",
    "ends_at",
    "ended_at",
    "ended_by",
    "ended_why",
    "asked_at",
    "approved_by",
)
"""The header row. Later versions may add columns at its end, and kinds of records."""

_ROWS_A_CHUNK = 1000


# --- CSV ---


def csv_chunks(evidence: Evidence) -> Iterator[str]:
    """The file, in pieces of about a thousand rows: one record a row, of the kind that its first cell says."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, restval="", lineterminator="\r\n")
    writer.writeheader()
    for number, row in enumerate(_rows(evidence), 1):
        writer.writerow({name: safe(value) for name, value in row.items()})
        if number % _ROWS_A_CHUNK == 0:
            yield text.getvalue()
            text.seek(0)
            text.truncate()
    yield text.getvalue()


def _rows(evidence: Evidence) -> Iterator[dict[str, str]]:
    yield {
        "record": "workspace",
        "name": evidence.name or NOT_KNOWN,
        "since": _instant(evidence.created_at),
        "at": to_text(evidence.at),
    }
    yield from _policy_rows(evidence.policy, evidence.at)
    yield from map(_teammate_row, evidence.teammates)
    yield from map(_gone_row, evidence.gone)
    yield from map(_reset_row, evidence.resets)
    yield from map(_restored_row, evidence.restored)
    yield from map(_exception_row, evidence.exceptions)


def _policy_rows(policy: Policy, at: Instant) -> Iterator[dict[str, str]]:
    yield {
        "record": "policy",
        "two_factor": policy.state(at),
        "since": _happened(policy.required_from),
        "at": _instant(policy.at),
        **_by(policy.by),
        "reason": policy.reason or "",
    }
    if policy.resistant_from is not None:
        yield {
            "record": "passkeys_required",
            "since": _happened(policy.resistant_from),
            "at": _instant(policy.at),
            **_by(policy.by),
        }
    yield {
        "record": "managed_by",
        "role": policy.managed_by,
        "at": _instant(policy.managed_by_at),
        **_by(policy.managed_by_by),
    }


def _teammate_row(teammate: Teammate) -> dict[str, str]:
    methods = teammate.methods
    return {
        "record": "teammate",
        **_person(teammate),
        "two_factor": teammate.state or NOT_KNOWN,
        "methods": " ".join(methods) if methods is not None else NOT_KNOWN,
        "since": _instant(teammate.since),
        "ends_at": _happened(teammate.exempt_until),
    }


def _gone_row(gone: Gone) -> dict[str, str]:
    return {
        "record": "left" if gone.left else "removed",
        **_person(gone),
        "at": to_text(gone.at),
        **_by(gone.by),
        "reason": gone.reason or "",
    }


def _reset_row(reset: Reset) -> dict[str, str]:
    return {
        "record": "reset",
        "account": id_text(reset.account),
        "name": reset.name,
        "at": to_text(reset.at),
        **_by(reset.by),
        "reason": reset.reason or "",
        "recognised_by": reset.recognised_by or "",
        "number_waived": "yes" if reset.number_waived else "no",
        "completed_at": _happened(reset.completed_at),
        "replaced_at": _happened(reset.replaced_at),
        "asked_at": _happened(reset.asked_at),
        "approved_by": reset.approved_by.name if reset.approved_by is not None else "",
    }


def _exception_row(exception: Excepted) -> dict[str, str]:
    return {
        "record": "exception",
        "account": id_text(exception.account),
        "name": exception.name,
        "at": to_text(exception.at),
        **_by(exception.by),
        "reason": exception.reason or "",
        "asked_by": exception.asked_by or NOT_KNOWN,
        "ends_at": to_text(exception.ends_at),
        "ended_at": _happened(exception.ended_at),
        "ended_by": exception.ended_by.name if exception.ended_by is not None else "",
        "ended_why": exception.why or "",
    }


def _restored_row(restored: Restored) -> dict[str, str]:
    return {"record": "restored", "at": to_text(restored.at), **_by(restored.by)}


def _person(each: Teammate | Gone) -> dict[str, str]:
    return {
        "account": id_text(each.account),
        "name": each.name,
        "email": each.email or NOT_KNOWN,
        "role": each.role or NOT_KNOWN,
        "joined_at": _instant(each.joined_at),
    }


def _by(who: Who | None) -> dict[str, str]:
    return {"by": who.name, "by_kind": who.kind} if who is not None else {"by": NOT_KNOWN}


def _instant(instant: Instant | None) -> str:
    return to_text(instant) if instant is not None else NOT_KNOWN


def _happened(instant: Instant | None) -> str:
    """Of what may not have happened at all."""
    return to_text(instant) if instant is not None else ""


# --- JSON ---


def as_json(evidence: Evidence, slug: str) -> dict[str, Any]:
    """As the API tells it; null is "not known", and of what need not happen "has not happened"."""
    policy = evidence.policy
    return {
        "workspace": slug,
        "name": evidence.name,
        "created_at": _text(evidence.created_at),
        "on": day_of(evidence.at),
        "as_of": to_text(evidence.at),
        "policy": {
            "state": policy.state(evidence.at),
            "required_from": _text(policy.required_from),
            "strength": Mandate(policy.required_from, resistant_from=policy.resistant_from).strength,
            "strength_from": _text(policy.resistant_from),
            "decided_at": _text(policy.at),
            "decided_by": _actor(policy.by),
            "reason": policy.reason,
            "managed_by": policy.managed_by,
            "managed_by_decided_at": _text(policy.managed_by_at),
            "managed_by_decided_by": _actor(policy.managed_by_by),
        },
        "teammates": [
            {
                **_someone(each),
                "two_factor": each.state,
                "methods": list(each.methods) if each.methods is not None else None,
                "since": _text(each.since),
                "exempt_until": _text(each.exempt_until),
            }
            for each in evidence.teammates
        ],
        "removed": [
            {
                **_someone(each),
                "removed_at": to_text(each.at),
                "by": _actor(each.by),
                "left": each.left,
                "reason": each.reason,
            }
            for each in evidence.gone
        ],
        "resets": [_reset(each) for each in evidence.resets],
        "exceptions": [_exception(each, evidence.at) for each in evidence.exceptions],
        "restored": [{"at": to_text(each.at), "by": _actor(each.by)} for each in evidence.restored],
    }


def day_of(instant: Instant) -> str:
    """The day of an instant, in UTC."""
    return to_text(instant - instant % DAY)[:10]


def _someone(each: Teammate | Gone) -> dict[str, Any]:
    return {
        "account": id_text(each.account),
        "name": each.name,
        "email": each.email,
        "role": each.role,
        "joined_at": _text(each.joined_at),
    }


def _reset(reset: Reset) -> dict[str, Any]:
    return {
        "account": id_text(reset.account),
        "name": reset.name,
        "at": to_text(reset.at),
        "by": _actor(reset.by),
        "reason": reset.reason,
        "recognised_by": reset.recognised_by,
        "number_waived": reset.number_waived,
        "completed_at": _text(reset.completed_at),
        "replaced_at": _text(reset.replaced_at),
        "asked_at": _text(reset.asked_at),
        "approved_by": _actor(reset.approved_by),
    }


def _exception(exception: Excepted, now: Instant) -> dict[str, Any]:
    return {
        "id": exception.id,
        "account": id_text(exception.account),
        "name": exception.name,
        "stands": exception.stands(now),
        "granted_at": to_text(exception.at),
        "granted_by": _actor(exception.by),
        "asked_by": exception.asked_by,
        "reason": exception.reason,
        "ends_at": to_text(exception.ends_at),
        "ended_at": _text(exception.ended_at),
        "ended_by": _actor(exception.ended_by),
        "ended_why": exception.why,
    }


def _actor(who: Who | None) -> dict[str, str | None] | None:
    if who is None:
        return None
    return {"kind": who.kind, "id": id_text(who.id) if who.id is not None else None, "name": who.name}


def _text(instant: Instant | None) -> str | None:
    return to_text(instant) if instant is not None else None
