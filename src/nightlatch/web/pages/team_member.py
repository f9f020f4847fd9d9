"""One teammate: their role, removing them, disabling their 2FA when they are locked out."""

from typing import Any

from starlette.responses import Response

from nightlatch.actions import kinds, looking, resets, teammates
from nightlatch.actions.reasons import clean_reason
from nightlatch.actions.resets import ResetDone
from nightlatch.ids import to_text as id_text
from nightlatch.instants import Instant
from nightlatch.refusals import Code, Refused, invalid
from nightlatch.store.engine import Body, T
from nightlatch.store.tickets import TICKET_LIFE
from nightlatch.vocabulary import Role
from nightlatch.web.context import Context
from nightlatch.web.fields import form_errors
from nightlatch.web.pages.sign_in import go
from nightlatch.web.rendering import page as render
from nightlatch.web.routes import Route, form, page
from nightlatch.web.team import myself, team_path

RECOGNISED_BY = ("in_person", "video", "phone", "chat", "other")
"""How the person was recognised, as the page offers it."""


def explained(refused: Refused | None) -> dict[str, Any] | None:
    """Why something is not possible, and the way on, for a page."""
    if refused is None:
        return None
    way = refused.way_out
    return {"text": refused.detail, "way": {"text": way.text.rstrip("."), "path": way.path} if way else None}


async def _try(context: Context, body: Body[T]) -> T | Refused:
    """Do it, or say on the page what stands against it; what the gate says goes to the gate."""
    try:
        return await context.write(body)
    except Refused as refused:
        if refused.decision is not None or refused.code is Code.NOT_FOUND:
            raise
        return refused


def _everywhere(context: Context, looked: looking.Looked | looking.LookedReset) -> dict[str, Any]:
    return {
        "slug": context.request.path_params["slug"],
        "workspace_name": context.place.name if context.place is not None else "",
        "teammate": {
            "id": id_text(looked.id),
            "name": looked.name,
            "email": looked.email,
            "role": looked.role.value,
        },
    }


async def _look(context: Context) -> looking.Looked:
    id = context.id()
    return await context.read(
        lambda tx: looking.at_teammate(tx, by=context.by, workspace_id=context.workspace_id, teammate_id=id)
    )


# --- role ---


async def role_page(context: Context) -> Response:
    looked = await _look(context)
    return _role(context, looked, looked.against_role)


def _role(
    context: Context, looked: looking.Looked, refused: Refused | None, errors: dict[str, str] | None = None
) -> Response:
    return render(
        context,
        "role.html",
        status=refused.status if refused is not None and not context.route.safe else 200,
        errors=errors,
        **_everywhere(context, looked),
        roles=[each.value for each in looked.may_give],
        refused=explained(refused),
        is_me=looked.itself,
    )


async def role_form(context: Context) -> Response:
    id, wanted = context.id(), context.form.get("role", "")
    if wanted not in {each.value for each in Role}:
        return _role(context, await _look(context), None, {"role": "Choose a role."})
    done = await _try(
        context,
        lambda tx: teammates.change_role(
            tx, by=context.by, workspace_id=context.workspace_id, teammate_id=id, role=Role(wanted)
        ),
    )
    if isinstance(done, Refused):
        return _role(context, await _look(context), done)
    return go(context, f"{team_path(context)}?said=role-changed")


# --- removing ---


async def remove_page(context: Context) -> Response:
    looked = await _look(context)
    return _remove(context, looked, looked.against_removal)


def _remove(context: Context, looked: looking.Looked, refused: Refused | None) -> Response:
    return render(
        context,
        "remove_teammate.html",
        status=refused.status if refused is not None and not context.route.safe else 200,
        **_everywhere(context, looked),
        refused=explained(refused),
    )


async def remove_form(context: Context) -> Response:
    id = context.id()
    done = await _try(
        context,
        lambda tx: teammates.remove(tx, by=context.by, workspace_id=context.workspace_id, teammate_id=id),
    )
    if isinstance(done, Refused):
        return _remove(context, await _look(context), done)
    return go(context, f"{team_path(context)}?said=removed-teammate")


# --- disabling 2FA ---


async def disable_page(context: Context) -> Response:
    looked = await _look_reset(context)
    return _disable(context, looked, looked.against)


async def _look_reset(context: Context) -> looking.LookedReset:
    id = context.id()
    return await context.read(
        lambda tx: looking.at_reset(tx, by=context.by, workspace_id=context.workspace_id, teammate_id=id)
    )


def _disable(
    context: Context,
    looked: looking.LookedReset,
    refused: Refused | None,
    errors: dict[str, str] | None = None,
) -> Response:
    return render(
        context,
        "disable_two_factor.html",
        status=refused.status if refused is not None and not context.route.safe else 200,
        errors=errors,
        **_everywhere(context, looked),
        required=looked.required,
        under_way=looked.under_way,
        may_waive=looked.may_waive,
        refused=explained(refused),
    )


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
        return _disable(context, await _look_reset(context), None, errors)
    done = await _try(
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
    done = await _try(
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
        return _disable(context, await _look_reset(context), done)
    result, now = done
    number = result.number
    return render(
        context,
        "disable_two_factor_done.html",
        slug=context.request.path_params["slug"],
        workspace_name=context.place.name if context.place is not None else "",
        teammate={"id": context.request.path_params["id"], "name": result.name, "email": result.email},
        number=number,
        number_groups=[number[:4], number[4:]] if number else [],
        expires=now + TICKET_LIFE,
        required=myself(context).mandate.in_force(now),
        renewed=renewed,
    )


_ONE = "/w/{slug}/settings/team/{id}"
_DISABLE = f"{_ONE}/disable-two-factor"

ROUTES: list[Route] = [
    page(f"{_ONE}/role", kinds.LOOK_AT_TEAMMATE, role_page),
    form(f"{_ONE}/role", kinds.CHANGE_ROLE, role_form),
    page(f"{_ONE}/remove", kinds.LOOK_AT_TEAMMATE, remove_page),
    form(f"{_ONE}/remove", kinds.REMOVE_TEAMMATE, remove_form),
    page(_DISABLE, kinds.LOOK_AT_RESET, disable_page),
    form(_DISABLE, kinds.DISABLE_TWO_FACTOR, disable_form),
    form(f"{_DISABLE}/renew", kinds.DISABLE_TWO_FACTOR, renew_form, shown_at=_DISABLE),
]
