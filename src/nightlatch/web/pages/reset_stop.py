"""The mailed page that stops a reset, signed in or not. Opening it changes nothing: its button does."""

from starlette.responses import Response

from nightlatch.actions import kinds, reset_ending
from nightlatch.actions.reset_ending import LookedStop
from nightlatch.actions.tokens import hash_token
from nightlatch.refusals import Code, Refused
from nightlatch.store.engine import Body
from nightlatch.web import links
from nightlatch.web.context import Context
from nightlatch.web.pages.dead_links import dead_link
from nightlatch.web.rendering import page as render
from nightlatch.web.routes import Route, form, page

NAME = "reset_stop"


async def open_stop(context: Context) -> Response:
    return links.exchange(context, NAME, "/reset-stop")


async def stop_page(context: Context) -> Response:
    token_hash = _hash(context)
    if token_hash is None:
        return dead_link(context, NAME, "unknown")
    try:
        looked = await context.read(lambda tx: reset_ending.look_stop(tx, token_hash=token_hash))
    except Refused as refused:
        return _unknown(context, refused)
    return _render(context, looked, looked.state)


async def stop_form(context: Context) -> Response:
    token_hash = _hash(context)
    if token_hash is None:
        return dead_link(context, NAME, "unknown")
    body: Body[LookedStop] = lambda tx: reset_ending.stop(tx, by=context.by, token_hash=token_hash)  # noqa: E731
    try:
        looked = await context.write(body)
    except Refused as refused:
        return _unknown(context, refused)
    return _render(context, looked, "stopped" if looked.state == "waits" else looked.state)


def _hash(context: Context) -> bytes | None:
    token = links.token_of(context, NAME)
    return hash_token(token) if token is not None else None


def _unknown(context: Context, refused: Refused) -> Response:
    if refused.code is not Code.NOT_FOUND:
        raise refused
    return dead_link(context, NAME, "unknown")


def _render(context: Context, looked: LookedStop, state: str) -> Response:
    return render(
        context,
        "reset_stop.html",
        status={"waits": 200, "stopped": 200, "once": 409}.get(state, 410),
        state=state,
        workspace_name=looked.workspace_name,
        slug=looked.slug,
        by=looked.by,
        reason=looked.reason,
        asked_at=looked.asked_at,
        until=looked.until,
        held=looked.held,
    )


ROUTES: list[Route] = [
    page("/reset-stop/{token}", kinds.OPEN, open_stop, path_in_log="/reset-stop/-"),
    page("/reset-stop", kinds.OPEN, stop_page),
    form("/reset-stop", kinds.OPEN, stop_form),
]
