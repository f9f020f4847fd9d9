"""Settings > Team > Products: what owners registered here, and adding one. The secret is shown once, in the answer."""

from typing import Any

from starlette.responses import Response

from nightlatch.actions import apps, kinds
from nightlatch.actions.apps import Changes, Made, Registration
from nightlatch.ids import to_text as id_text
from nightlatch.products import colour_note
from nightlatch.refusals import Refused
from nightlatch.vocabulary import Role
from nightlatch.web.apps import home_of, of_nightlatch
from nightlatch.web.context import Context
from nightlatch.web.fields import at_fields
from nightlatch.web.pages.sign_in import go
from nightlatch.web.rendering import page as render
from nightlatch.web.routes import Route, form, page
from nightlatch.web.sign_up import is_open
from nightlatch.web.team import in_workspace, team_path

KINDS = ("behind", "keeps")
"""Without users of its own, behind a proxy check; or with its own users."""
ROLES = {"everybody": None, "managers": ("owner", "admin"), "owners": ("owner",)}
"""Whom a product behind a proxy is open to, as the page offers it."""


def apps_path(context: Context) -> str:
    """The list of products of the workspace in the path."""
    return f"{team_path(context)}/apps"


def _shown(found: Registration) -> dict[str, Any]:
    return {
        "id": id_text(found.id),
        "name": found.name,
        "handle": found.handle,
        "keeps_people": found.keeps_people,
        "origins": list(found.origins),
        "return_url": found.return_url,
        "roles": [each.value for each in found.roles] if found.roles is not None else None,
        "role_map": {word: role.value for word, role in found.role_map.items()},
        "colour": found.colour,
        "colour_note": colour_note(found.colour),
        "has_logo": found.logo_type is not None,
        "created_at": found.created_at,
        "secrets": [{"id": id_text(each.id), "created_at": each.created_at} for each in found.secrets],
    }


# --- the list, and a new one ---


async def list_page(context: Context) -> Response:
    of_nightlatch(context)
    return await _list(context)


async def _list(context: Context, *, status: int = 200, errors: dict[str, str] | None = None) -> Response:
    found = await context.query_store(lambda tx: apps.managed(tx, context.workspace_id))
    return render(
        context,
        "apps.html",
        status=status,
        errors=errors,
        **in_workspace(context),
        apps=[_shown(each) for each in found],
        by_operator=is_open(context.front.config),
    )


async def add_form(context: Context) -> Response:
    of_nightlatch(context)
    text, errors = context.form.get, dict[str, str]()
    kind = text("kind", "")
    if kind not in KINDS:
        errors["kind"] = "Choose whose users it has."
    role_map = _role_map(text("role_map", ""), errors)
    if errors:
        return await _list(context, errors=errors)
    keeps = kind == "keeps"
    try:
        made = await context.write(
            lambda tx: apps.add(
                tx,
                by=context.by,
                home=home_of(context),
                name=text("name", ""),
                origins=text("origins", "").split(),
                handle=text("handle", "").strip() or None,
                workspace_id=context.workspace_id,
                keeps_people=keeps,
                roles=None if keeps else ROLES.get(text("roles", "")),
                role_map=role_map if keeps else None,
                return_url=text("return_url", "") if keeps else "",
                colour=text("colour", ""),
            )
        )
    except Refused as refused:
        return await _list(context, status=refused.status, errors=at_fields(refused))
    return _secret(context, made, fresh=True)


def _secret(context: Context, made: Made, *, fresh: bool) -> Response:
    """The secret, this once. Nothing keeps it: every page is no-store."""
    return render(
        context,
        "app_secret.html",
        **in_workspace(context),
        app=_shown(made.app),
        secret=made.secret.text,
        base_url=context.front.config.base_url,
        fresh=fresh,
    )


def _role_map(text: str, errors: dict[str, str]) -> dict[str, str]:
    """A line for each word: `superuser = owner`."""
    found = {}
    for line in filter(str.strip, text.splitlines()):
        word, equals, role = line.rpartition("=")
        if not equals:
            errors["role_map"] = "Write one word a line, such as: superuser = owner"
        found[word.strip()] = role.strip()
    return found


# --- one ---


async def one_page(context: Context) -> Response:
    of_nightlatch(context)
    return await _one(context)


async def _read(context: Context) -> Registration:
    app_id = context.id()
    return await context.read(lambda tx: apps.read(tx, app_id, managed_by=context.workspace_id))


async def _one(context: Context, *, status: int = 200, errors: dict[str, str] | None = None) -> Response:
    found = await _read(context)
    return render(
        context,
        "app.html",
        status=status,
        errors=errors,
        **in_workspace(context),
        app=_shown(found),
        roles=_offered(found),
    )


def _offered(found: Registration) -> str:
    """The choice that a product's roles are; "" for what the page does not offer."""
    named = tuple(found.roles) if found.roles is not None else None
    for name, roles in ROLES.items():
        if named == (tuple(map(Role, roles)) if roles is not None else None):
            return name
    return ""


async def change_form(context: Context) -> Response:
    text, errors = context.form.get, dict[str, str]()
    found = await _read(context)
    role_map = _role_map(text("role_map", ""), errors)
    if errors:
        return await _one(context, errors=errors)
    roles, return_url = None, text("return_url", "").strip()
    if not found.keeps_people and text("roles", "") in ROLES:
        roles = ROLES[text("roles", "")] or tuple(each.value for each in Role)
    changes = Changes(
        name=text("name", ""),
        origins=text("origins", "").split(),
        # As it was shown: then the default one follows the first origin.
        return_url=return_url if found.keeps_people and return_url != found.return_url else None,
        roles=roles,
        role_map=role_map if found.keeps_people else None,
        colour=text("colour", ""),
    )
    try:
        await context.write(
            lambda tx: apps.change(
                tx,
                by=context.by,
                home=home_of(context),
                app_id=found.id,
                changes=changes,
                workspace_id=context.workspace_id,
            )
        )
    except Refused as refused:
        return await _one(context, status=refused.status, errors=at_fields(refused))
    return go(context, f"{apps_path(context)}/{id_text(found.id)}?said=app-changed")


async def rotate_form(context: Context) -> Response:
    app_id = context.id()
    try:
        made = await context.write(
            lambda tx: apps.rotate(tx, by=context.by, app_id=app_id, workspace_id=context.workspace_id)
        )
    except Refused as refused:
        return await _one(context, status=refused.status, errors=at_fields(refused))
    return _secret(context, made, fresh=False)


async def end_secret_form(context: Context) -> Response:
    app_id, secret_id = context.id(), context.id("secret_id")
    try:
        await context.write(
            lambda tx: apps.end_secret(
                tx, by=context.by, app_id=app_id, secret_id=secret_id, workspace_id=context.workspace_id
            )
        )
    except Refused as refused:
        return await _one(context, status=refused.status, errors=at_fields(refused))
    return go(context, f"{apps_path(context)}/{id_text(app_id)}?said=app-secret-ended")


# --- removing ---


async def remove_page(context: Context) -> Response:
    of_nightlatch(context)
    return render(context, "app_remove.html", **in_workspace(context), app=_shown(await _read(context)))


async def remove_form(context: Context) -> Response:
    app_id = context.id()
    await context.write(
        lambda tx: apps.remove(tx, by=context.by, app_id=app_id, workspace_id=context.workspace_id)
    )
    return go(context, f"{apps_path(context)}?said=app-removed")


_ALL = "/w/{slug}/settings/team/apps"
_ONE = f"{_ALL}/{{id}}"

ROUTES: list[Route] = [
    page(_ALL, kinds.SEE_APPS, list_page),
    form(_ALL, kinds.MANAGE_APPS, add_form),
    page(_ONE, kinds.SEE_APPS, one_page),
    form(_ONE, kinds.MANAGE_APPS, change_form),
    form(f"{_ONE}/secrets", kinds.MANAGE_APPS, rotate_form, shown_at=_ONE),
    form(f"{_ONE}/secrets/{{secret_id}}/end", kinds.MANAGE_APPS, end_secret_form, shown_at=_ONE),
    page(f"{_ONE}/remove", kinds.SEE_APPS, remove_page),
    form(f"{_ONE}/remove", kinds.MANAGE_APPS, remove_form),
]
