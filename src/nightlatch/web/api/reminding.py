"""Reminding teammates to set up 2FA, where their workspace requires it or will."""

from collections.abc import Sequence

from pydantic import Field

from nightlatch.actions import kinds, reminders
from nightlatch.ids import from_text
from nightlatch.refusals import Code, not_found
from nightlatch.web.answers import Answer
from nightlatch.web.api.models import Id, Model
from nightlatch.web.context import Context
from nightlatch.web.routes import Route, api


class Whom(Model):
    """Whom to remind: these teammates, or (null) all who are left."""

    ids: list[Id] | None = Field(default=None, min_length=1, max_length=reminders.MOST)


class Reminded(Model):
    """`reminded`: how many will be; `left_out`: of those named, who have 2FA or were reminded within the last day."""

    reminded: int
    left_out: int


async def remind_one(context: Context) -> Answer:
    return await _remind(context, [context.id()])


async def remind_many(context: Context, body: Whom) -> Answer:
    if body.ids is None:
        return await _remind(context, None)
    ids = [from_text(each) for each in body.ids]
    if None in ids:
        raise not_found()
    return await _remind(context, [each for each in ids if each is not None])


async def _remind(context: Context, ids: Sequence[int] | None) -> Answer:
    done = await context.write(
        lambda tx: reminders.remind(tx, by=context.by, workspace_id=context.workspace_id, teammate_ids=ids)
    )
    return Answer(Reminded(reminded=done.number, left_out=done.left_out), status=202)


_CODES = (Code.CONFLICT, Code.TOO_MANY_ATTEMPTS)

ROUTES: list[Route] = [
    api(
        "POST",
        "/workspaces/{slug}/teammates/remind",
        kinds.REMIND,
        remind_many,
        body=Whom,
        body_optional=True,
        answer=Reminded,
        status=202,
        summary="Remind teammates without 2FA, each at most once a day: those named, or all who are left",
        codes=_CODES,
    ),
    api(
        "POST",
        "/workspaces/{slug}/teammates/{id}/remind",
        kinds.REMIND,
        remind_one,
        answer=Reminded,
        status=202,
        summary="Remind a teammate without 2FA, at most once a day",
        codes=_CODES,
    ),
]
