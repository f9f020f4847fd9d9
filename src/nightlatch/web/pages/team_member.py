"""One teammate: their role, and removing them."""

from typing import Any

from starlette.responses import Response

from nightlatch.actions import kinds, looking, reset_looking, teammates
from nightlatch.ids import to_text as id_text
from nightlatch.refusals import Code, Refused
from nightlatch.store.engine import Body, T
from nightlatch.vocabulary import Role
from nightlatch.web.context import Context
from nightlatch.web.pages.sign_in import go
from nightlatch.web.rendering import page as render
from nightlatch.web.routes import Route, form, page
from nightlatch.web.team import in_workspace, team_path


def explained(refused: Refused | None) -> dict[str, Any] | None:
    """Why something is not possible, and the way on, for a page."""
    if refused is None:
        return None
    way = refused.way_out
    return {"text": refused.detail, "way": {"text": way.text.rstrip("."), "path": way.path} if way else None}


async def attempt(context: Context, body: Body[T]) -> T | Refused:
    """Do it, or say on the page what stands against it; what the gate says goes to the gate."""
    try:
        return await context.write(body)
    except Refused as refused:
        if refused.decision is not None or refused.code is Code.NOT_FOUND:
            raise
        return refused


def about(context: Context, looked: looking.Looked | reset_looking.LookedReset) -> dict[str, Any]:
    """Where one is, and whom a page is about."""
    return {
        **in_workspace(context),
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
        **about(context, looked),
        roles=[each.value for each in looked.may_give],
        refused=explained(refused),
        is_me=looked.itself,
    )


async def role_form(context: Context) -> Response:
    id, wanted = context.id(), context.form.get("role", "")
    if wanted not in {each.value for each in Role}:
        return _role(context, await _look(context), None, {"role": "Choose a role."})
    done = await attempt(
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
        **about(context, looked),
        refused=explained(refused),
    )


async def remove_form(context: Context) -> Response:
    id = context.id()
    done = await attempt(
        context,
        lambda tx: teammates.remove(tx, by=context.by, workspace_id=context.workspace_id, teammate_id=id),
    )
    if isinstance(done, Refused):
        return _remove(context, await _look(context), done)
    return go(context, f"{team_path(context)}?said=removed-teammate")


_ONE = "/w/{slug}/settings/team/{id}"

ROUTES: list[Route] = [
    page(f"{_ONE}/role", kinds.LOOK_AT_TEAMMATE, role_page),
    form(f"{_ONE}/role", kinds.CHANGE_ROLE, role_form),
    page(f"{_ONE}/remove", kinds.LOOK_AT_TEAMMATE, remove_page),
    form(f"{_ONE}/remove", kinds.REMOVE_TEAMMATE, remove_form),
]
