"""The page of a mandate's link whose day is over: one button mails a fresh one, so that late readers go on."""

from typing import Any

from starlette.responses import Response

from nightlatch.actions import kinds, ticket_renewal
from nightlatch.actions.ticket_renewal import Renewal
from nightlatch.actions.tokens import hash_token
from nightlatch.refusals import Code, Refused
from nightlatch.web import links
from nightlatch.web.branding import of
from nightlatch.web.context import Context, with_query
from nightlatch.web.pages.dead_links import dead_link
from nightlatch.web.pages.sign_in import go, product_way
from nightlatch.web.rendering import page as render
from nightlatch.web.routes import Route, form

COOKIE = "ticket"


async def late_page(context: Context, token: str) -> Response | None:
    """The page of a dead link of a mandate; None where it was none."""
    token_hash = hash_token(token)
    found = await context.read(lambda tx: ticket_renewal.look(tx, token_hash=token_hash))
    return await _page(context, found) if found is not None else None


async def renew_form(context: Context) -> Response:
    token = links.token_of(context, COOKIE)
    if token is None:
        return dead_link(context, "ticket", "unknown")
    token_hash = hash_token(token)
    try:
        done = await context.write(lambda tx: ticket_renewal.renew(tx, by=context.by, token_hash=token_hash))
    except Refused as refused:
        if refused.code is Code.NOT_FOUND:
            return dead_link(context, "ticket", "unknown")
        found = await context.read(lambda tx: ticket_renewal.look(tx, token_hash=token_hash))
        if refused.code is not Code.TOO_MANY_ATTEMPTS or found is None:
            raise
        return await _page(context, found, status=429, errors={"form": refused.detail})
    return go(context, "/ticket?sent=1") if done.state == "renew" else go(context, "/ticket")


async def _page(context: Context, found: Renewal, **more: Any) -> Response:
    brand = await of(context, found.app_id)
    sent = found.state == "renew" and bool(context.query("sent")) and "errors" not in more
    set_up = with_query("/set-up", workspace=found.slug)
    return render(
        context,
        "ticket_renew.html",
        state="sent" if sent else found.state,
        email=found.email,
        workspace_name=found.workspace_name,
        set_up=set_up,
        home=f"/w/{found.slug}",
        brand=brand,
        product_way=product_way(context, brand, set_up) if brand is not None else None,
        **more,
    )


ROUTES: list[Route] = [form("/ticket/renew", kinds.OPEN, renew_form, shown_at="/ticket")]
