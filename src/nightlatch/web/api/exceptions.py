"""Exceptions: more time to set up 2FA, asked for by one and agreed to by another."""

from typing import Annotated, Literal

from pydantic import Field

from nightlatch.actions import exceptions, kinds
from nightlatch.actions.exceptions_ending import is_open
from nightlatch.ids import from_text as id_from_text
from nightlatch.ids import to_text as id_text
from nightlatch.instants import Instant, to_text
from nightlatch.refusals import Code, invalid
from nightlatch.store import cursors
from nightlatch.store import exceptions as stored
from nightlatch.store.query import Row
from nightlatch.web.answers import Answer
from nightlatch.web.api import models, reading
from nightlatch.web.api.models import Id, Model
from nightlatch.web.api.team_models import Reason
from nightlatch.web.api.workspaces import text_or_none
from nightlatch.web.context import Context
from nightlatch.web.routes import Route, api

_ORDER = "exceptions"
State = Literal["waiting", "stands", "over", "refused"]


class ExceptionBody(Model):
    """For a member without 2FA; at most 30 days from now."""

    teammate: Id
    reason: Reason
    ends_at: models.Instant


class Exemption(Model):
    """`approved_*` are null while it waits, and where nobody agreed."""

    id: Id
    teammate: Id
    name: str
    email: str
    state: State
    reason: str
    requested_by: str
    requested_at: models.Instant
    ends_at: models.Instant
    approved_by: str | None
    approved_at: models.Instant | None
    ended_at: Annotated[models.Instant | None, Field(description="when it ended before `ends_at`, if it did")]
    ended_by: str | None
    ended_why: str | None


class Exemptions(Model):
    """The newest first."""

    items: list[Exemption]
    next_cursor: str | None


class Approvers(Model):
    """`approvers`: who can agree. Empty: only the operator (`nightlatch teammate approve-exception`)."""

    exception: Exemption
    approvers: list[str]


def state_of(row: Row, now: Instant) -> State:
    """What has become of an exception by now."""
    if is_open(row, now):
        return "stands" if row.approved_at is not None else "waiting"
    return "over" if row.approved_at is not None else "refused"


def _shown(row: Row, now: Instant) -> Exemption:
    return Exemption.model_construct(
        id=id_text(row.id),
        teammate=id_text(row.teammate_id),
        name=row.name,
        email=row.email,
        state=state_of(row, now),
        reason=row.reason,
        requested_by=row.requester,
        requested_at=to_text(row.requested_at),
        ends_at=to_text(row.ends_at),
        approved_by=row.approver,
        approved_at=text_or_none(row.approved_at),
        ended_at=text_or_none(row.ended_at),
        ended_by=row.ended_by,
        ended_why=row.ended_why,
    )


async def items(context: Context) -> Answer:
    limit, after = reading.limit(context), None
    if context.query("cursor"):
        at, id = cursors.decode(_ORDER, context.query("cursor"), [int, int])
        after = (int(at), int(id))
    workspace_id = context.workspace_id
    rows = await context.query_store(lambda tx: stored.newest(tx, workspace_id, limit + 1, after))
    shown = rows[:limit]
    more = len(rows) > limit
    return Answer(
        Exemptions.model_construct(
            items=[_shown(each, context.now) for each in shown],
            next_cursor=cursors.encode(_ORDER, [shown[-1].requested_at, shown[-1].id]) if more else None,
        )
    )


async def ask(context: Context, body: ExceptionBody) -> Answer:
    teammate_id = id_from_text(body.teammate)
    if teammate_id is None:
        raise invalid("teammate", "This is no id.")
    ends_at = reading.parsed_instant(body.ends_at, "ends_at")
    asked = await context.write(
        lambda tx: exceptions.ask(
            tx,
            by=context.by,
            workspace_id=context.workspace_id,
            teammate_id=teammate_id,
            reason=body.reason,
            ends_at=ends_at,
        )
    )
    return Answer(
        Approvers.model_construct(
            exception=await _one(context, asked.id), approvers=[each.name for each in asked.approvers]
        ),
        201,
    )


async def approve(context: Context) -> Answer:
    id = context.id()
    await context.write(
        lambda tx: exceptions.approve(tx, by=context.by, workspace_id=context.workspace_id, exception_id=id)
    )
    return Answer(await _one(context, id))


async def end(context: Context) -> Answer:
    id = context.id()
    await context.write(
        lambda tx: exceptions.end(tx, by=context.by, workspace_id=context.workspace_id, exception_id=id)
    )
    return Answer(status=204)


async def _one(context: Context, id: int) -> Exemption:
    workspace_id = context.workspace_id
    row, now = await context.read(lambda tx: (stored.by_id(tx, id, workspace_id), tx.now))
    return _shown(row, now)


_ALL = "/workspaces/{slug}/exceptions"

ROUTES: list[Route] = [
    api(
        "GET",
        _ALL,
        kinds.SEE_EXCEPTIONS,
        items,
        answer=Exemptions,
        query=reading.PAGING,
        summary="Who was given more time to set up 2FA, or was asked for",
    ),
    api(
        "POST",
        _ALL,
        kinds.ASK_EXCEPTION,
        ask,
        body=ExceptionBody,
        answer=Approvers,
        status=201,
        summary="Ask for more time for a member; nothing changes before another owner or admin agrees",
        codes=(Code.CONFLICT,),
    ),
    api(
        "POST",
        f"{_ALL}/{{id}}/approve",
        kinds.APPROVE_EXCEPTION,
        approve,
        answer=Exemption,
        summary="Agree to what somebody else has asked for",
        codes=(Code.CONFLICT,),
    ),
    api(
        "DELETE",
        f"{_ALL}/{{id}}",
        kinds.END_EXCEPTION,
        end,
        status=204,
        summary="Refuse or take back what waits, or end what stands before its day",
        codes=(Code.CONFLICT,),
    ),
]
