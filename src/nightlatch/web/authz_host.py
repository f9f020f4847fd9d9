"""The pages at a protected host, below `/.nightlatch/`: its proxy leads them to us, and says which host it is.

They begin a sign-in at the origin, take its one-time code and make it the host's own cookie, end that cookie, and
explain a denial. They are answered to the proxies that the operator named, for hosts that are registered, and to
nobody else.
"""

from collections.abc import Awaitable, Callable
from typing import TypeAlias

from starlette.requests import Request
from starlette.responses import Response

from nightlatch.actions import host_checks, host_ways, kinds
from nightlatch.actions.app_flows import Replayed
from nightlatch.actions.host_ways import Way
from nightlatch.actions.tokens import hash_token, new_token
from nightlatch.decision import Allow, Deny
from nightlatch.instants import DAY, SECOND
from nightlatch.refusals import Refused
from nightlatch.web import authz_answers as answers
from nightlatch.web import cookies
from nightlatch.web.authz_at import At
from nightlatch.web.authz_headers import Unclear, cookies_of, forwarded_origin, is_page, narrowing
from nightlatch.web.context import parse_form, with_query
from nightlatch.web.house import Front
from nightlatch.web.json_body import read_body
from nightlatch.web.lookup import Lookup
from nightlatch.web.origin import header
from nightlatch.web.rendering import static
from nightlatch.web.routes import Route

_FORM_LIMIT = 4096
_BROWSER_SECONDS = 30 * DAY // SECOND
"""It outlives the ways that are tied to it, so that tabs which a browser opens again together share it."""


Handler: TypeAlias = Callable[[At], Awaitable[Response]]


async def answer(front: Front, lookup: Lookup, request: Request) -> Response:
    """One request below `/.nightlatch/`, from a proxy that is trusted."""
    try:
        origin = forwarded_origin(request.scope["headers"])
    except Unclear as why:
        return answers.unclear(why, 400)
    app = await front.house.store.read(lambda tx: host_checks.app_at(tx, origin))
    if app is None:
        unknown = Unclear("unknown_host", f"No product behind a proxy is registered at {origin}.")
        return answers.unclear(unknown, 403)
    method = "GET" if request.method == "HEAD" else request.method
    route, params, known_path = lookup.find(method, request.scope["path"])
    if route is None:
        return _page(At(front, request, origin, app, {}), "missing", 405 if known_path else 404)
    response: Response = await route.handler(At(front, request, origin, app, params))
    return response


# --- in ---


async def start(at: At) -> Response:
    """Begin: a cookie that ties the way to this browser, and on to the origin, where people sign in."""
    front, now = at.front, at.front.house.clock.now()
    name = cookies.host_browser_name(at.origin)
    browser = cookies.cookie(cookies_of(at.headers), name) or new_token().text
    way = Way(
        app_id=at.app.id,
        origin=at.origin,
        path=answers.own_path(at.query("rd")),
        browser=hash_token(browser),
        max_age=_max_age(at.query("max_age")),
        expires_at=now + host_ways.WAY_LIFE,
        denied=at.query("denied") == "1",
    )
    sealed = host_ways.sealed(front.house.keys, way)
    response = answers.redirect(front.config.base_url + with_query("/authz/sign-in", way=sealed))
    _set(response, at.origin, name, browser, _BROWSER_SECONDS)
    return response


def _max_age(text: str) -> int | None:
    try:
        return narrowing(f"max_age={text}".encode("ascii")).max_age
    except (Unclear, UnicodeEncodeError):
        return None


async def callback(at: At) -> Response:
    """Back from the origin: the code becomes this host's cookie, in the browser that the way began in alone."""
    front, state, code, token = at.front, at.query("state"), at.query("code"), new_token()
    store, origin, by, browser, before = front.house.store, at.origin, at.by, at.browser, at.token_hash
    way: Way | None = None
    try:
        way = host_ways.opened(front.house.keys, state, front.house.clock.now())
        if way.origin != origin or way.browser != browser:
            return await _not_this_browser(at, way)
        came = await store.write(
            lambda tx: host_ways.come_back(
                tx,
                by=by,
                origin=origin,
                code=code,
                way=way,
                state=state,
                browser=browser,
                before=before,
                token=token,
            )
        )
    except Refused as refused:
        return _page(at, "code_dead", refused.status, again=way.path if way is not None else "/")
    if isinstance(came, Replayed):
        return _page(at, "code_dead", 409, again=way.path)
    response = answers.redirect(came.path)
    _set(response, origin, cookies.host_name(origin), came.token.text, came.seconds)
    return response


async def _not_this_browser(at: At, way: Way) -> Response:
    """The code is left alone. A browser that is signed in here already (another tab was quicker) just goes on."""
    path = way.path if way.origin == at.origin else "/"
    if await _signed_in(at):
        return answers.redirect(path)
    return _page(at, "other_browser", 400, again=path)


# --- out ---


async def sign_out_page(at: At) -> Response:
    """One button; after it, what is still open."""
    signed_in = await _signed_in(at)
    return _page(at, "sign_out" if signed_in else "signed_out", 200)


async def sign_out(at: At) -> Response:
    """End this host's cookie. A product may post here from a button of its own; another site may not."""
    named = header(at.headers, b"origin")
    if named.lower() != at.origin and (named or not await _form_is_ours(at)):
        return _page(at, "foreign", 403)
    token_hash, origin = at.token_hash, at.origin
    if token_hash is not None:
        await at.front.house.store.write(lambda tx: host_ways.end(tx, origin=origin, token_hash=token_hash))
    response = answers.redirect(f"{answers.PAGES}/sign-out")
    _set(response, origin, cookies.host_name(origin), "", 0)
    return response


async def _form_is_ours(at: At) -> bool:
    try:
        form = parse_form(await read_body(at.request, _FORM_LIMIT))
    except Refused:
        return False
    return at.csrf_matches(form.get("csrf", ""))


async def denied(at: At) -> Response:
    """Why a request was denied here: nginx shows it in the place of its own 403 page."""
    origin, token_hash = at.origin, at.token_hash
    checked = await at.front.house.store.read(
        lambda tx: host_checks.check(tx, origin=origin, token_hash=token_hash)
    )
    if checked is None or not isinstance(checked.decision, Allow | Deny):
        # What they may be told is not clear before they have signed in.
        return answers.redirect(f"{answers.START}?rd=/")
    if not is_page(at.headers):
        return answers.denied(checked.decision, answers.DENIED)
    return answers.denied_page(at.front, checked)


async def static_file(at: At) -> Response:
    """The style of these pages: the origin's own would be another site's."""
    return static().answer(at.params["name"]) or _page(at, "missing", 404)


# --- inside ---


async def _signed_in(at: At) -> bool:
    app, origin, token_hash = at.app, at.origin, at.token_hash
    known = await at.front.house.store.read(lambda tx: host_checks.holder(tx, app, origin, token_hash))
    return known.session is not None


def _page(at: At, state: str, status: int, *, again: str = "/") -> Response:
    return answers.host_page(
        at.front,
        "authz_host.html",
        at.origin,
        status,
        state=state,
        product_name=at.app.name,
        csrf=at.csrf,
        again_url=with_query(answers.START, rd=again),
    )


def _set(response: Response, origin: str, name: str, value: str, seconds: int) -> None:
    response.headers.append("set-cookie", cookies.set_host_cookie(origin, name, value, seconds))


def _route(method: str, path: str, handler: Handler, summary: str) -> Route:
    return Route(method, answers.PAGES + path, kinds.OPEN, handler, kind="host", summary=summary)


ROUTES: list[Route] = [
    _route("GET", "/start", start, "Begins a sign-in for this host"),
    _route("GET", "/callback", callback, "Comes back with a one-time code"),
    _route("GET", "/sign-out", sign_out_page, "Asks whether to sign out of this host"),
    _route("POST", "/sign-out", sign_out, "Ends this host's cookie"),
    _route("GET", "/denied", denied, "Says why a request was denied"),
    _route("GET", "/static/{name}", static_file, "The style of these pages"),
]
