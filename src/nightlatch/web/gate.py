"""The gate: every route, method and credential passes here, before a body is read (law 1)."""

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from nightlatch.access import decide
from nightlatch.actions.by import By
from nightlatch.actions.people import app_of
from nightlatch.actions.tokens import API_TOKEN, hash_presented, hash_token, new_token
from nightlatch.config import Config
from nightlatch.decision import Allow, Challenge, Decision, Deny, Enrol, Purpose
from nightlatch.facts import Facts
from nightlatch.refusals import Code, Refused, WayOut, not_found, refusal_of
from nightlatch.store import apps, forms
from nightlatch.store.engine import Unavailable
from nightlatch.store.known import Known
from nightlatch.store.session_facts import read_known
from nightlatch.vocabulary import Credential, Method, Reason
from nightlatch.web import branding, cookies, denials, dues, origin
from nightlatch.web.answers import problem
from nightlatch.web.context import Context, parse_form, safe_next, with_query
from nightlatch.web.house import Front
from nightlatch.web.json_body import call_api, read_body
from nightlatch.web.multipart import parse_multipart
from nightlatch.web.routes import Route

_ITS_PATH = ""
"""Beside the fields of a form that is kept: where it goes to. No field has an empty name."""
NEVER_REFILLED = (
    "csrf",
    "password",
    "new_password",
    "code",
    "recovery_code",
    "number",
    "codes",
    "token",
    "credential",
)


async def enter(front: Front, route: Route, request: Request) -> Response:
    """Serve one request of one route."""
    context: Context | None = None
    try:
        headers = request.scope["headers"]
        for_apps = route.action.purpose is Purpose.APP
        if for_apps:
            token, credential = app_secret_of(headers), Credential.APP
        else:
            token, credential = credential_of(front.config, headers, cookies_only=route.kind == "page")
            if credential is Credential.TOKEN and route.action.purpose is Purpose.OPEN:
                token, credential = (
                    None,
                    Credential.NONE,
                )  # who needs nobody is nobody: a token signs nobody in
        takes_others = route.safe or for_apps or route.cross_site
        if not takes_others and origin.foreign(front.config, headers):
            raise Refused(
                Code.FOREIGN_ORIGIN,
                "This request came from another site, so nothing was done.",
                WayOut("Open the page here and try again.", "/"),
            )
        token_hash = hash_presented(token, credential) if token is not None else None
        if for_apps:
            context = await _app_context(front, route, request, token_hash)
        else:
            known = await front.house.store.read(lambda tx: read_known(tx, token_hash, credential))
            context = _context(front, route, request, known, token_hash, credential)
        decision = _decide(context)
        if not isinstance(decision, Allow):
            return await _refuse(context, decision)
        session, used = context.known.session, context.known.token
        if session is not None:
            front.saw(session.id, session.last_seen_at, context.now)
        elif used is not None:
            front.saw_token(used.id, used.last_used_at, context.now)
        closed = route.closed(front.config) if route.closed is not None else None
        if closed is not None:
            raise closed
        return await _serve(context)
    except Refused as refused:
        return await refusal_answer(front, route, request, refused, context)
    except Unavailable:
        return await refusal_answer(front, route, request, unavailable(), None)


def unavailable() -> Refused:
    """The database does not answer: closed, and says so (law 11)."""
    return Refused(Code.UNAVAILABLE, "Nightlatch cannot answer at this moment. Nothing was changed.")


def credential_of(
    config: Config, headers: origin.Headers, *, cookies_only: bool
) -> tuple[str | None, Credential]:
    """What was presented and its kind: a cookie or a bearer token, never both, and pages take cookies alone.

    The bearer token of a session and an API token are different kinds, told by their first letters.
    """
    cookie = cookies.cookie(origin.header(headers, b"cookie"), cookies.session_name(config))
    authorization = "" if cookies_only else origin.header(headers, b"authorization")
    if not authorization:
        return cookie, Credential.COOKIE if cookie else Credential.NONE
    if cookie is not None:
        raise Refused(Code.MALFORMED, "Send a cookie or a bearer token, not both.")
    scheme, _, token = authorization.partition(" ")
    if scheme.lower() != "bearer" or not token.strip() or len(token) > 200:
        return None, Credential.NONE
    token = token.strip()
    return token, Credential.TOKEN if token.startswith(API_TOKEN) else Credential.BEARER


def app_secret_of(headers: origin.Headers) -> str | None:
    """A product's secret. Products are servers: whatever a browser sends (an Origin, a cookie) is refused."""
    if any(name == b"origin" for name, _ in headers):
        raise Refused(Code.FOREIGN_ORIGIN, "This is for a product's server. Browsers have no business here.")
    if any(name == b"cookie" for name, _ in headers):
        raise Refused(Code.MALFORMED, "This takes a product's secret, and no cookies.")
    scheme, _, secret = origin.header(headers, b"authorization").partition(" ")
    secret = secret.strip()
    return secret if scheme.lower() == "bearer" and 0 < len(secret) <= 200 else None


async def _app_context(front: Front, route: Route, request: Request, secret_hash: bytes | None) -> Context:
    """Who asks is a product, by its secret; it stands for nobody."""
    row, now = await front.house.store.read(
        lambda tx: (apps.by_secret(tx, secret_hash) if secret_hash is not None else None, tx.now)
    )
    app = app_of(row) if row is not None else None
    facts = Facts(now=now, app=app.id if app is not None else None)
    by = app.by if app is not None else By("visitor", None, "")
    return Context(front, request, route, Known(facts), by, route.action, app=app)


def _context(
    front: Front,
    route: Route,
    request: Request,
    known: Known,
    token_hash: bytes | None,
    credential: Credential,
) -> Context:
    headers = request.scope["headers"]
    browser = cookies.cookie(origin.header(headers, b"cookie"), cookies.browser_name(front.config))
    fresh = browser is None and route.kind == "page"
    if fresh:
        browser = new_token().text
    asked = origin.asked_in(front.config, request.scope)
    kind, id, name = _who(known)
    by = By(
        kind,
        id,
        name,
        asked.ip,
        origin.header(headers, b"user-agent"),
        token_hash,
        credential,
        hash_token(browser) if browser is not None else None,
    )
    slug = request.path_params.get("slug")
    place = known.place_by_slug(slug) if slug is not None else None
    action = route.action.at(place.id if place is not None else None)
    return Context(front, request, route, known, by, action, place, browser=browser, new_browser=fresh)


def _who(known: Known) -> tuple[str, int | None, str]:
    """Who acts, for the audit log: an account, the service account of an API token, or a visitor."""
    if known.person is not None:
        return "account", known.person.id, known.person.name
    if known.token is not None and known.token.service is not None:
        return "service", known.token.service, known.token.holder
    return "visitor", None, ""


def _decide(context: Context) -> Decision:
    """The decision; a workspace in the path that is none of the account's is not there for it."""
    if "slug" in context.request.path_params and context.place is None:
        decision = decide(context.facts, context.route.action.at(None))
        if isinstance(decision, Challenge) and decision.reason is Reason.NO_SESSION:
            return decision
        return Deny(Reason.NOT_A_TEAMMATE)
    return decide(context.facts, context.action)


async def _serve(context: Context) -> Response:
    """The handler, and what every answer carries."""
    route = context.route
    if route.kind == "page":
        if not route.safe:
            context.form = await checked_form(context)
            context.form_read = True
        elif context.known.session is not None and context.query("refill"):
            kept = await _take_form(context)
            context.caught = kept.pop(_ITS_PATH, "")
            context.refill = kept
        context.brand = await branding.look(context)
        context.dues = await dues.look(context)
        response: Response = await route.handler(context)
    elif route.kind == "api":
        response = await call_api(context)
    else:
        response = await route.handler(context)
    if context.refused_inside is not None:
        denials.note(context, context.refused_inside)
    return finish(context, response)


def finish(context: Context, response: Response) -> Response:
    """Set the cookies that the answer hands over."""
    config = context.front.config
    if context.session_token is not None:
        name, value = cookies.session_name(config), context.session_token.text
        response.headers.append(
            "set-cookie", cookies.set_cookie(config, name, value, cookies.SESSION_SECONDS)
        )
    elif context.ends_session:
        response.headers.append("set-cookie", cookies.set_cookie(config, cookies.session_name(config), "", 0))
    if context.new_browser and context.browser is not None:
        name = cookies.browser_name(config)
        response.headers.append(
            "set-cookie", cookies.set_cookie(config, name, context.browser, cookies.BROWSER_SECONDS)
        )
    return response


async def checked_form(context: Context) -> dict[str, str]:
    """The form of a page, its CSRF value checked and taken out."""
    request = context.request
    kind = request.headers.get("content-type", "")
    if kind.split(";")[0].strip() not in ("application/x-www-form-urlencoded", "multipart/form-data"):
        raise Refused(Code.UNSUPPORTED_MEDIA_TYPE, "Forms are sent as application/x-www-form-urlencoded.")
    body = await read_body(request, context.route.body_limit)
    form = parse_multipart(kind, body) if kind.startswith("multipart/") else parse_form(body)
    if not context.csrf_matches(form.pop("csrf", "")):
        raise Refused(
            Code.STALE_FORM,
            "This form was open for too long, or in another sign-in, so nothing was done.",
            WayOut("Open the page again.", _back(context)),
        )
    return form


# --- refusing ---


async def _refuse(context: Context, decision: Decision) -> Response:
    if context.route.kind != "page":
        raise refusal_of(decision)
    target = where_to(context, decision)
    if target is None:
        raise refusal_of(decision)
    if not context.route.safe:
        await _catch_form(context)
    return finish(context, RedirectResponse(context.url(target), 303))


def where_to(context: Context, decision: Decision) -> str | None:
    """The page that leads on from a refusal, and back here afterwards; None where a page has to explain it."""
    back = _back(context)
    if isinstance(decision, Enrol):
        return _set_up(_slug(context, decision.workspace), back)
    if isinstance(decision, Deny):
        if decision.reason is Reason.MAIL_PROOF:
            return _set_up(_slug(context, context.action.workspace), back)
        return None
    if not isinstance(decision, Challenge):
        return None
    if decision.reason is Reason.NO_SESSION:
        return with_query("/sign-in", next=back if context.route.safe or back != "/" else "")
    if decision.reason is Reason.SUSPENDED or (decision.reason is Reason.FRESHNESS and not decision.methods):
        return with_query("/recover", next=back)
    if decision.reason in (Reason.SECOND_FACTOR, Reason.STRENGTH):
        return with_query("/sign-in/second-step", workspace=_slug(context, decision.workspace), next=back)
    return with_query(
        "/step-up",
        workspace=_slug(context, decision.workspace),
        act=context.action.fresh or "",
        ways=_ways(context, decision),
        next=back,
    )


def _ways(context: Context, decision: Challenge) -> str:
    """What would do, said only to whoever has a passkey: only theirs can be stronger than what else they have."""
    bound = any(each.method is Method.PASSKEY for each in context.facts.authenticators)
    return ",".join(decision.methods) if bound and decision.reason is Reason.FRESHNESS else ""


def _set_up(slug: str, back: str) -> str:
    """Set-up, and afterwards back; from a form of set-up itself it is set-up that shows it again."""
    if back.startswith("/set-up?"):
        return with_query("/set-up", workspace=slug, refill="1")
    return with_query("/set-up", workspace=slug, next=back)


def _slug(context: Context, workspace_id: int | None) -> str:
    place = (context.known.places or {}).get(workspace_id or 0)
    return place.slug if place is not None else ""


def _back(context: Context) -> str:
    """The page to come back to: this one, or the one that shows this form, filled in again."""
    route, request = context.route, context.request
    if route.safe:
        query = request.url.query
        path = request.scope["path"] + (f"?{query}" if query else "")
        return safe_next(path) or "/"
    shown = (route.shown_at or "/").format(**request.path_params)
    return with_query(shown, refill="1")


async def _catch_form(context: Context) -> None:
    """Keep what was typed (no secrets) until the person comes back to the page."""
    session, person = context.known.session, context.known.person
    if session is None or person is None:
        return
    try:
        form = context.form if context.form_read else await checked_form(context)
    except Refused:
        return  # not a form of ours: nothing of it is kept
    kept = {name: value for name, value in form.items() if name not in NEVER_REFILLED}
    kept[_ITS_PATH] = context.request.scope["path"]
    path = (context.route.shown_at or "/").format(**context.request.path_params)
    await context.write(lambda tx: forms.keep(tx, session.id, person.id, path, kept))


async def _take_form(context: Context) -> dict[str, str]:
    session, person, path = context.known.session, context.known.person, context.request.scope["path"]
    if session is None or person is None:
        return {}
    return await context.front.house.store.write(lambda tx: forms.take(tx, session.id, person.id, path))


async def refusal_answer(
    front: Front, route: Route, request: Request, refused: Refused, context: Context | None
) -> Response:
    """A refusal as its kind of route says it: a problem document, or a page."""
    if context is not None:
        denials.note(context, refused)
    if route.kind != "page":
        return problem(refused, front.house.clock.now(), front.url)
    if context is not None and refused.decision is not None:
        target = where_to(context, refused.decision)
        if target is not None:
            if not route.safe:
                await _catch_form(context)
            return finish(context, RedirectResponse(front.url(target), 303))
    from nightlatch.web.pages.problems import problem_page

    if context is not None and context.brand is None:
        context.brand = await branding.look(context)
    response = problem_page(front, refused, request, context)
    return finish(context, response) if context is not None else response


def unknown_path(front: Front, request: Request, status: int) -> Response:
    """The answer for a path or method that no route has."""
    refused = (
        not_found()
        if status == 404
        else Refused(Code.METHOD_NOT_ALLOWED, "This path does not take that method.")
    )
    if request.scope["path"].startswith("/api/"):
        return problem(refused, front.house.clock.now(), front.url)
    from nightlatch.web.pages.problems import problem_page

    return problem_page(front, refused, request, None)
