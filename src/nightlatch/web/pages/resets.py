"""Disabling 2FA for a locked-out teammate: what will happen by rank, the number, what waits, approving, stopping."""

from typing import Any

from starlette.responses import Response

from nightlatch.actions import help as asking
from nightlatch.actions import kinds, reset_ending, reset_looking, resets
from nightlatch.actions.reasons import clean_reason
from nightlatch.actions.reset_looking import LookedReset, Waits
from nightlatch.actions.resets import ResetDone
from nightlatch.ids import to_text as id_text
from nightlatch.instants import HOUR, Instant
from nightlatch.refusals import Refused, invalid
from nightlatch.store.tickets import TICKET_LIFE
from nightlatch.vocabulary import Role
from nightlatch.web.context import Context
from nightlatch.web.due_resets import settle
from nightlatch.web.fields import form_errors
from nightlatch.web.pages.help_requests import shown
from nightlatch.web.pages.sign_in import go
from nightlatch.web.pages.team_member import about, attempt, explained
from nightlatch.web.rendering import page as render
from nightlatch.web.routes import Route, form, page
from nightlatch.web.team import in_workspace, myself, team_path

RECOGNISED_BY = ("in_person", "video", "phone", "chat", "other")
"""How the person was recognised, as the page offers it."""
_RANKS = {each.rank: each.value for each in Role}


# --- one teammate ---


async def disable_page(context: Context) -> Response:
    looked, id = await _look(context), context.id()
    call = await context.read(
        lambda tx: asking.call_of(tx, by=context.by, workspace_id=context.workspace_id, teammate_id=id)
    )
    return _disable(
        context, looked, looked.against, call=shown(call, context.now) if call is not None else None
    )


async def _look(context: Context) -> LookedReset:
    id = context.id()
    await settle(context)
    return await context.read(
        lambda tx: reset_looking.at_reset(
            tx, by=context.by, workspace_id=context.workspace_id, teammate_id=id
        )
    )


def _disable(
    context: Context,
    looked: LookedReset,
    refused: Refused | None,
    errors: dict[str, str] | None = None,
    call: dict[str, Any] | None = None,
) -> Response:
    return render(
        context,
        "disable_two_factor.html",
        status=refused.status if refused is not None and not context.route.safe else 200,
        errors=errors,
        **about(context, looked),
        required=looked.required,
        under_way=looked.under_way,
        may_waive=looked.may_waive,
        refused=explained(refused),
        call=call,
        plan=_plan(looked),
        waits=_shown_waits(looked.waits) if looked.waits is not None else None,
    )


def _plan(looked: LookedReset) -> dict[str, Any] | None:
    planned = looked.plan
    if planned is None:
        return None
    return {
        "waits": planned.waits,
        "held": planned.held,
        "rank": _RANKS[planned.rank],
        "hours": planned.delay // HOUR,
        "at": looked.at,
        "approvers": planned.approvers,
    }


async def disable_form(context: Context) -> Response:
    id = context.id()
    reason, recognised_by = context.form.get("reason", ""), context.form.get("recognised_by", "")
    with form_errors() as errors:
        reason = clean_reason(reason, needed=True)
    with form_errors() as more:
        if recognised_by not in RECOGNISED_BY:
            raise invalid("recognised_by", "Choose how you made sure that it is really them.")
    errors |= more
    if errors:
        return _disable(context, await _look(context), None, errors)
    await settle(context)
    done = await attempt(
        context,
        lambda tx: (
            resets.disable_two_factor(
                tx,
                by=context.by,
                workspace_id=context.workspace_id,
                teammate_id=id,
                reason=reason,
                recognised_by=recognised_by,
                waive_number=context.form.get("waive_number") == "yes",
            ),
            tx.now,
        ),
    )
    return await _shown(context, done, renewed=False)


async def renew_form(context: Context) -> Response:
    id = context.id()
    done = await attempt(
        context,
        lambda tx: (
            resets.renew(tx, by=context.by, workspace_id=context.workspace_id, teammate_id=id),
            tx.now,
        ),
    )
    return await _shown(context, done, renewed=True)


async def _shown(context: Context, done: tuple[ResetDone, Instant] | Refused, *, renewed: bool) -> Response:
    """The number, this once; or the page again with what stands against it."""
    if isinstance(done, Refused):
        return _disable(context, await _look(context), done)
    result, now = done
    number = result.number
    return render(
        context,
        "disable_two_factor_done.html",
        **in_workspace(context),
        teammate={"id": context.request.path_params["id"], "name": result.name, "email": result.email},
        number=number,
        number_groups=[number[:4], number[4:]] if number else [],
        expires=now + TICKET_LIFE,
        required=myself(context).mandate.in_force(now),
        renewed=renewed,
        waits=None if result.done else {"at": result.effective_at, "lapses": result.lapses_at},
    )


# --- all that wait ---


async def list_page(context: Context) -> Response:
    return await _list(context, None)


async def _list(context: Context, refused: Refused | None) -> Response:
    await settle(context)
    found = await context.read(
        lambda tx: reset_looking.waiting(tx, by=context.by, workspace_id=context.workspace_id)
    )
    return render(
        context,
        "resets.html",
        status=refused.status if refused is not None else 200,
        **in_workspace(context),
        resets=[_shown_waits(each) for each in found],
        refused=explained(refused),
    )


def _shown_waits(each: Waits) -> dict[str, Any]:
    return {
        "id": id_text(each.id),
        "teammate": {"id": id_text(each.teammate_id), "name": each.name, "email": each.email},
        "by": each.requester,
        "reason": each.reason,
        "recognised_by": each.recognised_by,
        "asked_at": each.asked_at,
        "until": each.until,
        "held": each.held,
        "about_me": each.about_me,
        "asked_by_me": each.asked_by_me,
        "may_stop": each.may_stop,
        "may_approve": each.against_approval is None,
        "against_approval": each.against_approval,
    }


async def approve_form(context: Context) -> Response:
    id = context.id()
    done = await attempt(
        context,
        lambda tx: resets.approve(tx, by=context.by, workspace_id=context.workspace_id, reset_id=id),
    )
    if isinstance(done, Refused):
        return await _list(context, done)
    return go(context, f"{team_path(context)}/resets?said=reset-approved")


async def stop_form(context: Context) -> Response:
    id = context.id()
    await settle(context)
    done = await attempt(
        context,
        lambda tx: reset_ending.cancel(tx, by=context.by, workspace_id=context.workspace_id, reset_id=id),
    )
    if isinstance(done, Refused):
        return await _list(context, done)
    return go(
        context, f"{team_path(context)}/resets?said=reset-{'withdrawn' if done == 'withdrawn' else 'stopped'}"
    )


# --- one's own ---


async def own_page(context: Context) -> Response:
    return await _own(context, None)


async def _own(context: Context, refused: Refused | None) -> Response:
    await settle(context)
    found = await context.read(
        lambda tx: reset_looking.own(tx, by=context.by, workspace_id=context.workspace_id)
    )
    return render(
        context,
        "reset_own.html",
        status=refused.status if refused is not None else 200,
        **in_workspace(context),
        reset=None
        if found is None
        else {
            "by": found.requester,
            "reason": found.reason,
            "asked_at": found.asked_at,
            "until": found.until,
            "held": found.held,
        },
        refused=explained(refused),
    )


async def own_form(context: Context) -> Response:
    await settle(context)
    done = await attempt(
        context, lambda tx: reset_ending.stop_own(tx, by=context.by, workspace_id=context.workspace_id)
    )
    if isinstance(done, Refused):
        return await _own(context, done)
    return go(context, f"/w/{context.request.path_params['slug']}/reset?said=reset-stopped")


_TEAM = "/w/{slug}/settings/team"
_DISABLE = f"{_TEAM}/{{id}}/disable-two-factor"
_LIST = f"{_TEAM}/resets"

ROUTES: list[Route] = [
    page(_DISABLE, kinds.LOOK_AT_RESET, disable_page),
    form(_DISABLE, kinds.DISABLE_TWO_FACTOR, disable_form),
    form(f"{_DISABLE}/renew", kinds.DISABLE_TWO_FACTOR, renew_form, shown_at=_DISABLE),
    page(_LIST, kinds.LOOK_AT_RESET, list_page),
    form(f"{_LIST}/{{id}}/approve", kinds.APPROVE_RESET, approve_form, shown_at=_LIST),
    form(f"{_LIST}/{{id}}/stop", kinds.STOP_RESET, stop_form, shown_at=_LIST),
    page("/w/{slug}/reset", kinds.SEE_OWN_RESET, own_page),
    form("/w/{slug}/reset", kinds.STOP_OWN_RESET, own_form),
]
