"""Denied authorisation leaves a line in the log (ASVS 16.3.2): who, by which kind of credential, from where, what, why.

It is a line and no audit event: what was refused changed nothing, and nobody should be able to fill the database by
asking for what they may not do. No secret is in it: of a path only its route is written, never what stood in it.
"""

import logging
import re

from nightlatch import logs
from nightlatch.decision import Deny
from nightlatch.ids import from_text, to_text
from nightlatch.refusals import Code, Refused
from nightlatch.vocabulary import Permission, Reason
from nightlatch.web.context import Context

log = logging.getLogger("nightlatch.web")

_SLUG = re.compile(r"[a-z0-9][a-z0-9-]{0,39}", re.ASCII)


def note(context: Context, refused: Refused) -> None:
    """Write the line for a refusal that denies somebody known; once a request."""
    if context.denial_noted or context.by.id is None or not _denies(context, refused):
        return
    context.denial_noted = True
    log.warning("denied: %s", logs.fields(_told(context, refused)))


def _denies(context: Context, refused: Refused) -> bool:
    """Permission lacking; or a workspace of others, unless somebody merely followed an old link."""
    if isinstance(refused.decision, Deny) and refused.decision.reason is Reason.NOT_A_TEAMMATE:
        return not context.route.safe
    return refused.code is Code.NOT_PERMITTED


def _told(context: Context, refused: Refused) -> dict[str, str]:
    by, route, decision = context.by, context.route, refused.decision
    session, token, needs = context.known.session, context.known.token, route.action.permission
    slug = context.request.path_params.get("slug", "")
    target = from_text(str(context.request.path_params.get("id", "")))
    return {
        "by": by.kind,
        "id": to_text(by.id or 0),
        "session": to_text(session.id) if session is not None else "",
        "token": to_text(token.id) if token is not None else "",
        "credential": by.credential.value,
        "ip": by.ip,
        "method": context.request.method,
        "route": route.path,
        "workspace": slug if _SLUG.fullmatch(slug) else "",
        "target": to_text(target) if target is not None else "",
        "needs": needs.value if needs is not Permission.USE else "",
        "code": refused.code.value,
        "reason": decision.reason.value if isinstance(decision, Deny) else "",
    }
