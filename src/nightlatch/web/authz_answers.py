"""What a proxy is answered: identity headers, the way to sign in, problems; and the pages on a protected host."""

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode

from starlette.responses import HTMLResponse, Response

from nightlatch.actions.host_checks import Checked, Passed
from nightlatch.decision import Challenge, Decision, Deny, Enrol
from nightlatch.ids import to_text
from nightlatch.instants import SECOND
from nightlatch.refusals import Code, Refused, refusal_of
from nightlatch.vocabulary import Reason
from nightlatch.web.answers import acr_wanted
from nightlatch.web.authz_headers import IDENTITY, Target, Unclear, host_of
from nightlatch.web.context import safe_next
from nightlatch.web.house import Front
from nightlatch.web.origin import Headers, header
from nightlatch.web.rendering import bare_page, static

PAGES = "/.nightlatch"
"""Where every protected host leads to us."""
START = f"{PAGES}/start"
DENIED = f"{PAGES}/denied"
_LONGEST_PATH = 900
"""Of the path to come back to: it travels, sealed, in addresses that proxies and browsers must carry whole."""
_ENCODED = [name.lower().encode() for name in IDENTITY]


# --- let through ---


def passed(who: Passed, assertion: str) -> Response:
    """200 with every identity header: one that were left out might be the client's own."""
    role = str(who.role)
    values = (
        to_text(who.account_id),
        line(who.email),
        line(who.name),
        role,
        who.workspace.slug,
        role,
        who.acr,
        ",".join(who.amr),
        str(who.proved_at // SECOND) if who.proved_at else "",
        assertion,
    )
    response = Response(None, 200)
    response.raw_headers.extend(
        (name, value.encode("latin-1")) for name, value in zip(_ENCODED, values, strict=True)
    )
    return response


def line(text: str) -> str:
    """A value of one line of ASCII; anything else as RFC 8187 section 3.2 writes it: `UTF-8''%C3%84nne`."""
    if text.isascii() and text.isprintable() and text == text.strip() and not text.startswith("UTF-8''"):
        return text
    return "UTF-8''" + quote(text.encode("utf-8", "replace"), safe="!#$&+-.^_`|~")


# --- held back ---


def start_url(target: Target, headers: Headers, max_age: int | None) -> str:
    """The page at the protected host that begins a sign-in, and comes back to where the browser was going."""
    asked = {"rd": way_back(target, headers)}
    if max_age is not None:
        asked["max_age"] = str(max_age // SECOND)
    return f"{target.origin}{START}?{urlencode(asked)}"


def way_back(target: Target, headers: Headers) -> str:
    """The path to come back to. A write is not repeated: back to the page that it was sent from."""
    path = target.uri
    if not target.safe:
        came_from = header(headers, b"referer")
        if came_from.startswith(f"{target.origin}/"):
            path = came_from[len(target.origin) :]
    return own_path(path)


def own_path(path: str) -> str:
    """A path of the protected host's own product that is safe to lead to; else its start page."""
    found = safe_next(path.partition("#")[0])
    if len(found) > _LONGEST_PATH:
        found = found.partition("?")[0]
    if not found or len(found) > _LONGEST_PATH or found.startswith(f"{PAGES}/"):
        return "/"
    return found


def redirect(url: str, *, status: int = 303) -> Response:
    """Elsewhere, without telling where from."""
    return Response(None, status, {"location": url, "referrer-policy": "no-referrer"})


def held_back(decision: Decision, start: str) -> Response:
    """401 for who is no browser: what is missing, and the page where it can be shown (RFC 9457, 9470)."""
    refused = refusal_of(decision)
    body = {
        **_problem(refused.code, 401, refused.detail),
        "way_out": {"text": "Open this in a browser, and sign in there.", "path": start},
    }
    if isinstance(decision, Enrol):
        body["needs"] = decision.needs
    if isinstance(decision, Challenge) and decision.methods:
        body["methods"] = list(decision.methods)
    return _json(body, 401, {"www-authenticate": challenge(refused, decision)})


def challenge(refused: Refused, decision: Decision) -> str:
    """WWW-Authenticate (RFC 6750 section 3; RFC 9470 section 3 where strength or freshness lacks)."""
    if refused.code is Code.SIGN_IN_REQUIRED:
        return 'Bearer realm="nightlatch"'
    age = decision.max_age if isinstance(decision, Challenge) else None
    max_age = f', max_age="{age // SECOND}"' if age is not None else ""
    return (
        f'Bearer error="insufficient_user_authentication", error_description="{refused.detail}", '
        f'acr_values="{acr_wanted(decision)}"{max_age}'
    )


def denied(decision: Decision, way_out: str) -> Response:
    """403 for who is no browser."""
    outsider = isinstance(decision, Deny) and decision.reason is Reason.NOT_A_TEAMMATE
    detail = (
        "This is for the teammates of a workspace that you are not in."
        if outsider
        else "Your role in the workspace does not open this."
    )
    body = {
        **_problem(Code.NOT_PERMITTED, 403, detail),
        "way_out": {"text": "Open this in a browser to see what can be done.", "path": way_out},
    }
    return _json(body, 403)


# --- not answered ---


def unclear(why: Unclear, status: int) -> Response:
    """The proxy's own configuration is at fault, or somebody pretends to be it: no way on, and a word for its log."""
    return _json(_problem(Code.MALFORMED, status, str(why)), status, {"nightlatch-error": why.code})


def stranger() -> Response:
    """Only the proxies that the operator named are answered."""
    body = _problem(
        Code.NOT_PERMITTED, 403, "Only a proxy that NIGHTLATCH_TRUSTED_PROXIES names is answered here."
    )
    return _json(body, 403, {"nightlatch-error": "untrusted_address"})


def closed() -> Response:
    """Something that a decision needs does not answer: nobody passes (law 11)."""
    body = _problem(
        Code.UNAVAILABLE, 503, "Nightlatch cannot answer at this moment, so nobody is let through."
    )
    return _json(body, 503, {"retry-after": "5", "nightlatch-error": "unavailable"})


def _problem(code: Code, status: int, detail: str) -> dict[str, Any]:
    return {
        "type": f"urn:nightlatch:problem:{code}",
        "title": code.replace("_", " ").capitalize(),
        "status": status,
        "code": str(code),
        "detail": detail,
    }


def _json(body: Mapping[str, Any], status: int, headers: Mapping[str, str] | None = None) -> Response:
    text = json.dumps(body, ensure_ascii=False).encode("utf-8", "backslashreplace")
    return Response(text, status, dict(headers or {}), media_type="application/problem+json")


# --- pages at a protected host ---


def host_page(front: Front, template: str, origin: str, status: int = 200, **values: Any) -> HTMLResponse:
    """A page of ours at a protected host: its links lead to the origin, its style comes through the host's proxy."""
    return bare_page(
        front,
        template,
        "",
        status,
        url=lambda path: front.config.base_url + path,
        static=lambda name: f"{PAGES}/static/{static().url_of[name]}",
        host=host_of(origin),
        **values,
    )


def denied_page(front: Front, checked: Checked) -> HTMLResponse:
    """403 for a browser: who it is signed in as, why that does not open this, and the ways on (law 9)."""
    known, app = checked.known, checked.app
    place = (known.places or {}).get(app.workspace_id)
    teammate = known.facts.teammate(app.workspace_id)
    return host_page(
        front,
        "authz_denied.html",
        checked.origin,
        403,
        product_name=app.name,
        email=known.person.email if known.person is not None else None,
        workspace_name=place.name if place is not None else None,
        role=str(teammate.role) if teammate is not None else None,
        again_url="/",
        another_url=f"{START}?{urlencode({'rd': '/', 'denied': '1'})}",
    )
