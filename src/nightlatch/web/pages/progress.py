"""Settings > Team > Authentication > Progress: how many are set up, over time, and who is left."""

from starlette.responses import RedirectResponse, Response

from nightlatch.actions import kinds
from nightlatch.actions.progress import read_progress
from nightlatch.web.chart import HEIGHT, WIDTH, chart
from nightlatch.web.context import Context
from nightlatch.web.rendering import page as render
from nightlatch.web.rollout import chat_text
from nightlatch.web.routes import Route, page
from nightlatch.web.switch import PATH, switch_path
from nightlatch.web.team import in_workspace, team_path

_ROWS = 31


async def progress_page(context: Context) -> Response:
    workspace_id = context.workspace_id
    seen = await context.query_store(lambda tx: read_progress(tx, by=context.by, workspace_id=workspace_id))
    policy = seen.policy
    if policy.required_from is None:
        return RedirectResponse(context.url(switch_path(context)), 303)  # without a mandate there is none
    waiting = "overdue" if policy.in_force else "due"
    return render(
        context,
        "progress.html",
        **in_workspace(context),
        set_up=seen.set_up,
        teammates=seen.teammates,
        left=seen.left,
        exempt=seen.exempt,
        required_from=policy.required_from,
        passkeys_from=policy.resistant_from,
        passkeys_now=policy.resistant,
        in_force=policy.in_force,
        chart=chart(seen.days, policy.required_from),
        chart_width=WIDTH,
        chart_height=HEIGHT,
        days=[
            {"day": each.day, "set_up": each.set_up, "teammates": each.teammates}
            for each in reversed(seen.days[-_ROWS:])
        ],
        left_path=f"{team_path(context)}?two_factor={waiting}",
        chat=chat_text(context, policy, policy.required_from),
    )


ROUTES: list[Route] = [page(f"{PATH}/progress", kinds.PREVIEW_POLICY, progress_page)]
