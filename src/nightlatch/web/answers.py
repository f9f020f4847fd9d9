"""What API handlers answer with, and problems (RFC 9457) for everything refused."""

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel
from starlette.responses import Response

from nightlatch.assurance import AAL2, PHISHING_RESISTANT_ACR
from nightlatch.decision import Challenge, Decision, Enrol
from nightlatch.instants import SECOND, Instant
from nightlatch.refusals import Code, Refused
from nightlatch.vocabulary import Reason

encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
"""JSON as answers are written."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A JSON answer. A fresh session token goes into its body by `Context.deliver`, or becomes a cookie."""

    body: BaseModel | Mapping[str, Any] | bytes | None = None
    """The hot paths give a mapping, and what is large its bytes, written where it was read: tests see that it is what
    the model says."""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    ends_session: bool = False


def problem(refused: Refused, now: Instant, url: Callable[[str], str]) -> Response:
    """The problem document of a refusal. `url` adds the path prefix."""
    body: dict[str, Any] = {
        "type": f"urn:nightlatch:problem:{refused.code}",
        "title": refused.code.replace("_", " ").capitalize(),
        "status": refused.status,
        "code": refused.code,
        "detail": refused.detail,
    }
    if refused.way_out is not None:
        body["way_out"] = {"text": refused.way_out.text, "path": url(refused.way_out.path)}
    if refused.errors:
        body["errors"] = [{"field": each.field, "message": each.message} for each in refused.errors]
    decision = refused.decision
    if isinstance(decision, Enrol):
        body["needs"] = decision.needs
    if isinstance(decision, Challenge) and decision.methods:
        body["methods"] = list(decision.methods)
    headers = {"WWW-Authenticate": www_authenticate(refused)} if refused.status == 401 else {}
    if refused.retry_at is not None:
        headers["Retry-After"] = str(max(1, math.ceil((refused.retry_at - now) / SECOND)))
    elif refused.status in (429, 503):
        headers["Retry-After"] = "5"
    return Response(
        json.dumps(body, ensure_ascii=False).encode("utf-8", "backslashreplace"),
        refused.status,
        headers,
        media_type="application/problem+json",
    )


def acr_wanted(decision: Decision | None) -> str:
    """What a challenge asks for (RFC 9470 section 3): `phr` where another second factor does not do."""
    strong = isinstance(decision, Challenge | Enrol) and decision.reason is Reason.STRENGTH
    return PHISHING_RESISTANT_ACR if strong else AAL2


def www_authenticate(refused: Refused) -> str:
    """The challenge of a 401 (RFC 6750 section 3; RFC 9470 section 3 where strength or freshness lacks)."""
    if refused.code in (Code.SECOND_FACTOR_REQUIRED, Code.STEP_UP_REQUIRED):
        decision = refused.decision
        age = decision.max_age if isinstance(decision, Challenge) else None
        max_age = f', max_age="{age // SECOND}"' if age is not None else ""
        return (
            f'Bearer error="insufficient_user_authentication", error_description="{refused.detail}", '
            f'acr_values="{acr_wanted(decision)}"{max_age}'
        )
    return 'Bearer realm="nightlatch"'
