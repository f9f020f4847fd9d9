"""The browser's steps between a product and us: arriving by a start link, and going back with a one-time code."""

from urllib.parse import urlencode, urlsplit

from starlette.responses import RedirectResponse, Response

from nightlatch.access import decide_workspace
from nightlatch.actions import app_flows, kinds
from nightlatch.actions.app_flows import Back
from nightlatch.actions.tokens import new_token
from nightlatch.decision import Allow
from nightlatch.refusals import not_found
from nightlatch.store import grants
from nightlatch.web import branding
from nightlatch.web.context import Context
from nightlatch.web.rendering import page as render
from nightlatch.web.routes import Route, page


async def start(context: Context) -> Response:
    """A start link: exchanged at once for a session and a clean address (law 10)."""
    link, token = str(context.request.path_params["token"]), new_token()
    started = await context.write(lambda tx: app_flows.start(tx, by=context.by, link=link, token=token))
    context.session_token = started.token
    response = RedirectResponse(context.url(started.path), 303, {"referrer-policy": "no-referrer"})
    response.headers["location"] = context.url(branding.landing(context, response, started.path))
    return branding.remember(context, response, started.app_id)


async def go_back(context: Context) -> Response:
    """The way back that a start link gave. The gate has led through the second step and set-up by now."""
    return await _back(context, context.id("id"))


async def go_back_from_here(context: Context) -> Response:
    """Back to the product, to where the person came from last."""
    return await _back(context, None)


async def go_back_from_account(context: Context) -> Response:
    """The same from a page that is in no workspace: to the one that the person came from last, if it is open."""
    session = context.known.session
    row = (
        await context.read(lambda tx: grants.newest_handoff(tx, session.id)) if session is not None else None
    )
    place = (context.known.places or {}).get(row.workspace_id) if row is not None else None
    if place is not None and isinstance(decide_workspace(context.facts, place.id), Allow):
        return RedirectResponse(context.url(f"/w/{place.slug}/back"), 303)
    if context.brand is None:
        raise not_found()
    return _leave(context, context.brand.home)


async def _back(context: Context, handoff_id: int | None) -> Response:
    workspace_id = context.workspace_id
    back = await context.write(
        lambda tx: app_flows.go_back(tx, by=context.by, workspace_id=workspace_id, handoff_id=handoff_id)
    )
    if back is None and (handoff_id is not None or context.brand is None):
        raise not_found()
    return _leave(context, _target(context, back))


def _leave(context: Context, target: str) -> Response:
    """On to the product."""
    if context.request.headers.get("sec-fetch-site") != "same-origin" or _ours(context, target):
        return RedirectResponse(target, 303, {"referrer-policy": "no-referrer"})
    # Chrome holds `form-action` against every redirect that follows a form: a page in between begins anew.
    name = context.brand.name if context.brand is not None else urlsplit(target).netloc
    return render(context, "go_back.html", target=target, app_name=name)


def _target(context: Context, back: Back | None) -> str:
    """To where the person was, with a code; to the product's start page where nothing knows of that any more."""
    if back is None or not back.code:
        if context.brand is None:
            raise not_found()
        return context.brand.home
    query = urlencode({"code": back.code, "state": back.state})
    return f"{back.return_to}{'&' if '?' in back.return_to else '?'}{query}"


def _ours(context: Context, target: str) -> bool:
    parts = urlsplit(target)
    return f"{parts.scheme}://{parts.netloc}" == context.front.config.origin


ROUTES: list[Route] = [
    page("/app/start/{token}", kinds.OPEN, start, path_in_log="/app/start/-"),
    page("/w/{slug}/app/{id}", kinds.USE, go_back),
    page("/w/{slug}/back", kinds.USE, go_back_from_here),
    page("/app/back", kinds.SEE_SESSION, go_back_from_account),
]
