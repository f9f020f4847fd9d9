"""Disabling 2FA for a teammate who is locked out; what waits for its instant or an approval; approving, cancelling."""

from nightlatch.actions import kinds, reset_ending, reset_looking, resets
from nightlatch.actions.reset_looking import Waits
from nightlatch.actions.resets import ResetDone
from nightlatch.ids import to_text as id_text
from nightlatch.instants import to_text
from nightlatch.refusals import Code
from nightlatch.web.answers import Answer
from nightlatch.web.api import reset_models as models
from nightlatch.web.api.workspaces import text_or_none
from nightlatch.web.context import Context
from nightlatch.web.due_resets import settle
from nightlatch.web.routes import Route, api


async def disable_two_factor(context: Context, body: models.DisableTwoFactor) -> Answer:
    id = context.id()
    await settle(context)
    done = await context.write(
        lambda tx: resets.disable_two_factor(
            tx,
            by=context.by,
            workspace_id=context.workspace_id,
            teammate_id=id,
            reason=body.reason,
            recognised_by=body.recognised_by,
            waive_number=body.waive_number,
        )
    )
    return _reset(done)


async def renew(context: Context) -> Answer:
    id = context.id()
    return _reset(
        await context.write(
            lambda tx: resets.renew(tx, by=context.by, workspace_id=context.workspace_id, teammate_id=id)
        )
    )


def _reset(done: ResetDone) -> Answer:
    answer = models.ResetAnswer(
        reset=models.Reset(
            id=id_text(done.reset_id),
            state="done" if done.done else "waiting",
            effective_at=text_or_none(done.effective_at),
            lapses_at=text_or_none(done.lapses_at),
            number=done.number,
        )
    )
    return Answer(answer, status=200 if done.done else 202)


async def items(context: Context) -> Answer:
    await settle(context)
    found = await context.read(
        lambda tx: reset_looking.waiting(tx, by=context.by, workspace_id=context.workspace_id)
    )
    return Answer(models.WaitingResets(items=[_waits(each) for each in found], next_cursor=None))


def _waits(each: Waits) -> models.WaitingReset:
    until = to_text(each.until)
    return models.WaitingReset(
        id=id_text(each.id),
        teammate=models.ResetPerson(id=id_text(each.teammate_id), name=each.name, email=each.email),
        requested_by=each.requester,
        reason=each.reason,
        recognised_by=each.recognised_by,
        requested_at=to_text(each.asked_at),
        effective_at=None if each.held else until,
        lapses_at=until if each.held else None,
        needs_approval=each.held,
        may_approve=each.against_approval is None,
        may_cancel=each.may_stop,
    )


async def approve(context: Context) -> Answer:
    id = context.id()
    return _reset(
        await context.write(
            lambda tx: resets.approve(tx, by=context.by, workspace_id=context.workspace_id, reset_id=id)
        )
    )


async def cancel(context: Context) -> Answer:
    id = context.id()
    await settle(context)
    await context.write(
        lambda tx: reset_ending.cancel(tx, by=context.by, workspace_id=context.workspace_id, reset_id=id)
    )
    return Answer(status=204)


_ONE = "/workspaces/{slug}/teammates/{id}/disable-two-factor"
_RESETS = "/workspaces/{slug}/resets"

ROUTES: list[Route] = [
    api(
        "POST",
        _ONE,
        kinds.DISABLE_TWO_FACTOR,
        disable_two_factor,
        body=models.DisableTwoFactor,
        answer=models.ResetAnswer,
        later=True,
        summary="Disable 2FA for a locked-out teammate: 200 of a member, done; 202 of an admin or owner, it waits",
        codes=(Code.NOT_ENROLLED, Code.CONFLICT, Code.LAST_OWNER, Code.TOO_MANY_ATTEMPTS),
    ),
    api(
        "POST",
        f"{_ONE}/renew",
        kinds.DISABLE_TWO_FACTOR,
        renew,
        answer=models.ResetAnswer,
        summary="A new link and a new number; the older ones are dead",
        codes=(Code.CONFLICT, Code.TOO_MANY_ATTEMPTS),
    ),
    api(
        "GET",
        _RESETS,
        kinds.LOOK_AT_RESET,
        items,
        answer=models.WaitingResets,
        summary="What was asked for and waits: for its instant, or for a second owner's approval",
    ),
    api(
        "POST",
        f"{_RESETS}/{{id}}/approve",
        kinds.APPROVE_RESET,
        approve,
        answer=models.ResetAnswer,
        summary="Approve one as a second owner: it is done at once",
        codes=(Code.CONFLICT, Code.LAST_OWNER),
    ),
    api(
        "POST",
        f"{_RESETS}/{{id}}/cancel",
        kinds.STOP_RESET,
        cancel,
        status=204,
        summary="Withdraw what one asked for, or stop it as an owner",
        codes=(Code.CONFLICT,),
    ),
]
