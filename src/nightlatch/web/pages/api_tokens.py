"""Settings > User > API tokens: what there is, when it was last used; making one, which is shown once; ending one."""

from collections.abc import Mapping

from starlette.responses import Response

from nightlatch.actions import api_tokens, kinds
from nightlatch.assurance import enrolled
from nightlatch.refusals import Refused
from nightlatch.vocabulary import Method
from nightlatch.web import token_forms
from nightlatch.web.context import Context
from nightlatch.web.fields import at_fields
from nightlatch.web.pages.sign_in import go
from nightlatch.web.rendering import page as render
from nightlatch.web.routes import Route, form, page

HERE = "/settings/user/tokens"


async def list_page(context: Context) -> Response:
    return await _list(context)


async def _list(context: Context, *, status: int = 200, errors: Mapping[str, str] | None = None) -> Response:
    found = await context.read(lambda tx: api_tokens.own(tx, by=context.by))
    facts = context.facts
    return render(
        context,
        "api_tokens.html",
        status=status,
        errors=errors,
        tokens=[token_forms.shown(each) for each in found],
        may_make=any(enrolled(facts.authenticators, each.workspace) for each in facts.teammates),
        kept=facts.first is Method.PROVIDER,
        places=[(each.slug, each.name) for each in (context.known.places or {}).values()],
        scopes=token_forms.offered(),
        lives=token_forms.lives(),
    )


async def make_form(context: Context) -> Response:
    form, slug = context.form, context.form.get("workspace", "")
    place = context.known.place_by_slug(slug) if slug else None
    if slug and place is None:
        return await _list(context, errors={"workspace": "Choose one of your workspaces."})
    try:
        ends = token_forms.runs_out(context)
        made = await context.write(
            lambda tx: api_tokens.make(
                tx,
                by=context.by,
                name=form.get("name", ""),
                scopes=token_forms.chosen(form),
                expires_at=ends,
                workspace_id=place.id if place is not None else None,
            )
        )
    except Refused as refused:
        errors = at_fields(refused)
        return await _list(context, status=refused.status, errors=errors)
    return render(context, "api_token_made.html", token=token_forms.new(made), path=HERE, service=None)


async def end_form(context: Context) -> Response:
    token_id = context.id()
    await context.write(lambda tx: api_tokens.end(tx, by=context.by, token_id=token_id))
    return go(context, f"{HERE}?said=token-ended")


ROUTES: list[Route] = [
    page(HERE, kinds.READ_ACCOUNT, list_page),
    form(HERE, kinds.READ_ACCOUNT, make_form),
    form(f"{HERE}/{{id}}/end", kinds.END_TOKEN, end_form, shown_at=HERE),
]
