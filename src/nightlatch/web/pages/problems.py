"""Pages for what was refused, and for requests that went to the wrong address."""

import math
import re
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from nightlatch.decision import Deny
from nightlatch.refusals import Refused
from nightlatch.vocabulary import Reason
from nightlatch.web.context import Context
from nightlatch.web.house import Front
from nightlatch.web.rendering import bare_page, page, wait_value

_WHOM_TO_ASK = re.compile("Ask (an|the|whoever) ")
_BACK = {"/workspaces": "Go to your workspaces", "/help": "Get help", "/": "Go to the start page"}


def problem_page(front: Front, refused: Refused, request: Request, context: Context | None) -> Response:
    """What happened, why, and the way on (law 9)."""
    ways, text = [], refused.detail
    if refused.way_out is not None:
        label, path = refused.way_out.text.rstrip("."), refused.way_out.path
        if _WHOM_TO_ASK.match(label):  # no button does that
            text, label = f"{text} {refused.way_out.text}", _BACK.get(path, "Go back")
        ways.append({"text": label, "url": front.url(path)})
    values: dict[str, Any] = {
        "title": None,
        "code": str(refused.code),
        "text": text,
        "ways": ways,
        "wait": wait_value(front.house.clock.now(), refused.retry_at),
        "reference": None,
    }
    kept = _kept_by(refused, context)
    if kept is not None:
        values |= kept
    if context is not None:
        response: Response = page(context, "problem.html", status=refused.status, **values)
    else:
        response = bare_page(front, "problem.html", request.scope["path"], refused.status, **values)
    if refused.retry_at is not None:
        left = refused.retry_at - front.house.clock.now()
        response.headers["retry-after"] = str(max(1, math.ceil(left / 1_000_000)))
    elif refused.status in (429, 503):
        response.headers["retry-after"] = "5"
    return response


def _kept_by(refused: Refused, context: Context | None) -> dict[str, Any] | None:
    """What a product keeps: its name, and the way to it, in place of words that fit any product."""
    brand = context.brand if context is not None else None
    decision = refused.decision
    if context is None or brand is None or not isinstance(decision, Deny):
        return None
    if decision.reason is not Reason.KEPT_BY_APP:
        return None
    return {
        "title": f"{brand.name} keeps this",
        "text": f"Your account belongs to {brand.name}. What it keeps for you is changed there.",
        "ways": [
            {"text": f"Go to {brand.name}", "url": brand.home},
            {"text": "See what you can change here", "url": context.url("/settings/user")},
        ],
    }


def misdirected_page(front: Front, asked: str, path: str) -> Response:
    """Host or scheme differ from the configured origin: say both, and the setting, instead of a sign-in loop."""
    return bare_page(
        front,
        "misdirected.html",
        path,
        421,
        asked=asked,
        origin=front.config.origin,
        origin_url=front.config.origin + front.url(path),
        setting="NIGHTLATCH_ORIGIN",
    )
