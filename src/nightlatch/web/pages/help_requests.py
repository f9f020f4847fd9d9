"""Settings > Team: who asks for help because the phone is lost, with what an admin needs to tell a thief apart."""

from typing import Any

from starlette.responses import Response

from nightlatch.actions import help as asking
from nightlatch.actions import kinds
from nightlatch.actions.help import Call
from nightlatch.facts import Teammate
from nightlatch.ids import to_text as id_text
from nightlatch.instants import Instant, ago
from nightlatch.mail.agents import readable_agent
from nightlatch.policy import permitted
from nightlatch.refusals import Refused
from nightlatch.store import help_requests
from nightlatch.vocabulary import Permission
from nightlatch.web.context import Context
from nightlatch.web.pages.sign_in import go
from nightlatch.web.rendering import page as render
from nightlatch.web.routes import Route, form, page
from nightlatch.web.team import in_workspace

_HERE = "/w/{slug}/settings/team/help-requests"


async def help_requests_page(context: Context) -> Response:
    found = await context.read(lambda tx: asking.calls(tx, by=context.by, workspace_id=context.workspace_id))
    return render(
        context,
        "help_requests.html",
        **in_workspace(context),
        calls=[shown(each, context.now) for each in found],
    )


async def calls_for_help(context: Context, mine: Teammate) -> int:
    """How many ask, for those who may reset others; 0 for everybody else."""
    if not permitted(mine.role, Permission.RESET, mine.mandate):
        return 0
    return len(await context.read(lambda tx: help_requests.open_in(tx, context.workspace_id)))


def shown(call: Call, now: Instant) -> dict[str, Any]:
    """A call for help, for a template."""
    return {
        "id": id_text(call.id),
        "teammate": {"id": id_text(call.teammate_id), "name": call.name, "email": call.email},
        "at": call.asked_at,
        "ip": call.ip,
        "browser": readable_agent(call.user_agent) or "An unknown browser",
        "app_used": ago(now - call.app_used_at) if call.app_used_at is not None else None,
        "may_reset": call.may_reset,
    }


async def dismiss_form(context: Context) -> Response:
    id = context.id()
    here = f"/w/{context.request.path_params['slug']}/settings/team/help-requests"
    try:
        await context.write(
            lambda tx: asking.dismiss(tx, by=context.by, workspace_id=context.workspace_id, request_id=id)
        )
    except Refused as refused:
        if refused.decision is not None:
            raise
        return go(context, f"{here}?said=help-closed-already")
    return go(context, f"{here}?said=help-dismissed")


ROUTES: list[Route] = [
    page(_HERE, kinds.LOOK_AT_RESET, help_requests_page),
    form(f"{_HERE}/{{id}}/dismiss", kinds.SETTLE_HELP, dismiss_form, shown_at=_HERE),
]
