"""The banner's "Remind me tomorrow"."""

from starlette.responses import Response

from nightlatch.actions import kinds
from nightlatch.actions.snoozing import remind_tomorrow
from nightlatch.web.context import Context, with_query
from nightlatch.web.pages.sign_in import go
from nightlatch.web.routes import Route, form

PATH = "/w/{slug}/remind-me-tomorrow"


async def snooze_form(context: Context) -> Response:
    workspace_id = context.workspace_id
    snoozed = await context.write(lambda tx: remind_tomorrow(tx, by=context.by, workspace_id=workspace_id))
    back = context.next_path or f"/w/{context.request.path_params['slug']}"
    return go(context, with_query(back, said="snoozed" if snoozed else "not-snoozed"))


ROUTES: list[Route] = [form(PATH, kinds.USE, snooze_form, shown_at="/w/{slug}")]
