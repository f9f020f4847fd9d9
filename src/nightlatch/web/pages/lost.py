"""Settings > User: marking one's own authenticator app as lost, and using it again."""

from starlette.responses import Response

from nightlatch.actions import kinds, losing
from nightlatch.ids import to_text
from nightlatch.refusals import Refused, not_found
from nightlatch.store import authenticators as stored
from nightlatch.vocabulary import Method
from nightlatch.web.context import Context
from nightlatch.web.pages.sign_in import go
from nightlatch.web.pages.team_member import explained
from nightlatch.web.rendering import page as render
from nightlatch.web.routes import Route, form, page

_HERE = "/settings/user"
_ONE = f"{_HERE}/authenticators/{{id}}"


async def lost_page(context: Context) -> Response:
    """Who asks for fresh proof does so before the question, so that it is asked once."""
    refused = None
    try:
        losing.may_mark_lost(context.facts, context.id())
    except Refused as why:
        if why.decision is not None:
            raise
        refused = why
    return await _lost(context, refused)


async def _lost(context: Context, refused: Refused | None) -> Response:
    id, account_id = context.id(), context.facts.account or 0
    row = await context.read(lambda tx: stored.by_id(tx, id, account_id))
    if row is None:
        raise not_found()
    status = refused.status if refused is not None and not context.route.safe else 200
    return render(
        context,
        "authenticator_lost.html",
        status=status,
        id=to_text(id),
        name=row.name,
        passkey=row.method == Method.PASSKEY,
        refused=explained(refused),
    )


async def lost_form(context: Context) -> Response:
    id = context.id()
    try:
        await context.write(lambda tx: losing.mark_lost(tx, by=context.by, authenticator_id=id))
    except Refused as refused:
        if refused.decision is not None:
            raise
        return await _lost(context, refused)
    return go(context, f"{_HERE}?said=marked-lost")


async def use_again_form(context: Context) -> Response:
    id = context.id()
    await context.write(lambda tx: losing.found(tx, by=context.by, authenticator_id=id))
    return go(context, f"{_HERE}?said=used-again")


ROUTES: list[Route] = [
    page(f"{_ONE}/lost", kinds.READ_ACCOUNT, lost_page),
    form(f"{_ONE}/lost", kinds.READ_ACCOUNT, lost_form),
    form(f"{_ONE}/use-again", kinds.READ_ACCOUNT, use_again_form, shown_at=_HERE),
]
