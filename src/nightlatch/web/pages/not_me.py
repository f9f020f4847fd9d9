"""The link "this was not me" of a mail: who, what, one button. Opening it changes nothing."""

from starlette.responses import Response

from nightlatch.actions import contesting, kinds
from nightlatch.vocabulary import Method
from nightlatch.web import links
from nightlatch.web.branding import of
from nightlatch.web.context import Context
from nightlatch.web.pages.dead_links import NOT_ME, look, spend
from nightlatch.web.rendering import page as render
from nightlatch.web.routes import Route, form, page


async def open_not_me(context: Context) -> Response:
    return links.exchange(context, NOT_ME.name, "/not-me")


async def not_me_page(context: Context) -> Response:
    found = await look(context, NOT_ME, contesting.look)
    return found if isinstance(found, Response) else await _page(context, found, done=False)


async def _page(context: Context, found: contesting.NotMe, *, done: bool) -> Response:
    return render(
        context,
        "not_me.html",
        brand=await of(context, found.app_id),
        email=found.email,
        name=found.name,
        codes=found.method is Method.RECOVERY_CODE,
        passkey=found.method is Method.PASSKEY,
        about_one=found.method is not None,
        contested=found.contested,
        asks_for_help=found.asks_for_help,
        at=found.created_at,
        expires=found.expires_at,
        done=done,
    )


async def not_me_form(context: Context) -> Response:
    found = await spend(
        context, NOT_ME, lambda tx, token_hash: contesting.contest(tx, by=context.by, token_hash=token_hash)
    )
    if isinstance(found, Response):
        return found
    return links.forget(context, await _page(context, found, done=True), NOT_ME.name)


ROUTES: list[Route] = [
    page("/not-me/{token}", kinds.OPEN, open_not_me, path_in_log="/not-me/-"),
    page("/not-me", kinds.OPEN, not_me_page),
    form("/not-me", kinds.OPEN, not_me_form),
]
