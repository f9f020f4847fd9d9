"""A teammate's page: letting this workspace rely on an authenticator app that it does not rely on so far."""

from starlette.responses import Response

from nightlatch.actions import accepting, kinds
from nightlatch.actions.reasons import clean_reason
from nightlatch.ids import from_text
from nightlatch.ids import to_text as id_text
from nightlatch.refusals import Refused
from nightlatch.web.context import Context
from nightlatch.web.fields import form_errors
from nightlatch.web.pages.sign_in import go
from nightlatch.web.pages.team_member import explained
from nightlatch.web.rendering import page as render
from nightlatch.web.rendering import spoken
from nightlatch.web.routes import Route, form, page
from nightlatch.web.team import in_workspace, team_path

_HERE = "/w/{slug}/settings/team/{id}/accept"


async def accept_page(context: Context) -> Response:
    looked = await _look(context)
    return _accept(context, looked, looked.against)


async def _look(context: Context) -> accepting.Looked:
    id = context.id()
    return await context.read(
        lambda tx: accepting.look(tx, by=context.by, workspace_id=context.workspace_id, teammate_id=id)
    )


def _accept(
    context: Context,
    looked: accepting.Looked,
    refused: Refused | None,
    errors: dict[str, str] | None = None,
) -> Response:
    return render(
        context,
        "accept.html",
        status=refused.status if refused is not None and not context.route.safe else 200,
        errors=errors,
        **in_workspace(context),
        teammate={"id": id_text(looked.id), "name": looked.name, "email": looked.email},
        options=_options(looked),
        refused=explained(refused),
    )


def _options(looked: accepting.Looked) -> list[tuple[str, str]]:
    if not looked.offered:
        return []
    apps = [
        (id_text(each.id), f"{each.name}, set up on {spoken(each.bound_at, 'date')}")
        for each in looked.offered
    ]
    return [("", "Choose one"), *apps]


async def accept_form(context: Context) -> Response:
    looked, chosen = await _look(context), from_text(context.form.get("authenticator", ""))
    reason = ""
    with form_errors() as errors:
        reason = clean_reason(context.form.get("reason", ""), needed=True)
    if chosen not in {each.id for each in looked.offered}:
        errors["authenticator"] = "Choose one."
    if errors and looked.against is None:
        return _accept(context, looked, None, errors)
    try:
        await context.write(
            lambda tx: accepting.accept(
                tx,
                by=context.by,
                workspace_id=context.workspace_id,
                authenticator_id=chosen or 0,
                reason=reason,
            )
        )
    except Refused as refused:
        if refused.decision is not None or looked.against is None:
            raise
        return _accept(context, looked, looked.against)
    return go(context, f"{team_path(context)}?said=accepted")


ROUTES: list[Route] = [
    page(_HERE, kinds.LOOK_AT_RESET, accept_page),
    form(_HERE, kinds.ACCEPT_AUTHENTICATOR, accept_form),
]
