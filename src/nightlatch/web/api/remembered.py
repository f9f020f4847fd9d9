"""A person's remembered browsers: where the second step is not asked for again, and forgetting it."""

from nightlatch.actions import kinds, remembering
from nightlatch.actions.remembering import Remembered
from nightlatch.ids import to_text as id_text
from nightlatch.instants import to_text
from nightlatch.web.answers import Answer
from nightlatch.web.api import models
from nightlatch.web.api.workspaces import text_or_none
from nightlatch.web.context import Context
from nightlatch.web.routes import Route, api


async def own(context: Context) -> Answer:
    items = await context.read(lambda tx: remembering.own(tx, by=context.by))
    return Answer(models.RememberedBrowsers(items=[_shown(each) for each in items]))


def _shown(each: Remembered) -> models.RememberedBrowser:
    return models.RememberedBrowser(
        id=id_text(each.id),
        workspace=each.slug,
        workspace_name=each.workspace_name,
        ip=each.ip,
        user_agent=each.user_agent,
        created_at=to_text(each.created_at),
        last_used_at=text_or_none(each.last_used_at),
        expires_at=to_text(each.expires_at),
        current=each.current,
    )


async def forget(context: Context) -> Answer:
    remembered_id = context.id()
    await context.write(lambda tx: remembering.forget_one(tx, by=context.by, remembered_id=remembered_id))
    return Answer(status=204)


async def forget_all(context: Context) -> Answer:
    await context.write(lambda tx: remembering.forget_all(tx, by=context.by))
    return Answer(status=204)


ROUTES: list[Route] = [
    api(
        "GET",
        "/me/remembered-browsers",
        kinds.READ_ACCOUNT,
        own,
        answer=models.RememberedBrowsers,
        summary="Browsers in which a workspace does not ask for the second step again",
    ),
    api(
        "DELETE",
        "/me/remembered-browsers/{id}",
        kinds.END_SESSIONS,
        forget,
        status=204,
        summary="Forget one remembered browser",
    ),
    api(
        "DELETE",
        "/me/remembered-browsers",
        kinds.END_SESSIONS,
        forget_all,
        status=204,
        summary="Forget every remembered browser",
    ),
]
