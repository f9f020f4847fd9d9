"""Registering products, from a workspace's side: owners alone, with fresh proof."""

import base64
import binascii
from typing import Any

from nightlatch.actions import apps, kinds
from nightlatch.actions.apps import Changes, Made, Registration
from nightlatch.ids import to_text as id_text
from nightlatch.instants import to_text
from nightlatch.products import colour_note
from nightlatch.refusals import Code, invalid
from nightlatch.store.engine import Transaction
from nightlatch.vocabulary import Role
from nightlatch.web.answers import Answer
from nightlatch.web.api import app_registration_models as models
from nightlatch.web.apps import home_of, of_nightlatch
from nightlatch.web.context import Context
from nightlatch.web.routes import LARGE_BODY_LIMIT, Route, api


def _fields(found: Registration) -> dict[str, Any]:
    return {
        "id": id_text(found.id),
        "handle": found.handle,
        "name": found.name,
        "keeps_people": found.keeps_people,
        "origins": list(found.origins),
        "return_url": found.return_url,
        "roles": list(found.roles) if found.roles is not None else None,
        "role_map": dict(found.role_map),
        "colour": found.colour,
        "logo": found.logo_type,
        "created_at": to_text(found.created_at),
        "secrets": [
            models.AppSecret.model_construct(id=id_text(each.id), created_at=to_text(each.created_at))
            for each in found.secrets
        ],
        "note": colour_note(found.colour),
    }


def _shown(found: Registration) -> models.RegisteredApp:
    return models.RegisteredApp.model_construct(**_fields(found))


def _with_secret(context: Context, made: Made) -> Answer:
    path = f"/api/v1/workspaces/{context.request.path_params['slug']}/apps/{id_text(made.app.id)}"
    body = models.AppWithSecret.model_construct(**_fields(made.app), secret=made.secret.text)
    return Answer(body, 201, {"Location": context.url(path)})


async def listed(context: Context) -> Answer:
    of_nightlatch(context)
    found = await context.query_store(lambda tx: apps.managed(tx, context.workspace_id))
    return Answer(
        models.RegisteredApps.model_construct(items=[_shown(each) for each in found], next_cursor=None)
    )


async def add(context: Context, body: models.NewApp) -> Answer:
    made = await context.write(
        lambda tx: apps.add(
            tx,
            by=context.by,
            home=home_of(context),
            name=body.name,
            origins=body.origins,
            handle=body.handle,
            workspace_id=context.workspace_id,
            keeps_people=body.keeps_people,
            roles=body.roles,
            role_map=body.role_map,
            return_url=body.return_url or "",
            colour=body.colour or "",
        )
    )
    return _with_secret(context, made)


async def show(context: Context) -> Answer:
    of_nightlatch(context)
    app_id = context.id()
    found = await context.read(lambda tx: apps.read(tx, app_id, managed_by=context.workspace_id))
    return Answer(_shown(found))


async def change(context: Context, body: models.AppChange) -> Answer:
    app_id, given = context.id(), body.model_fields_set
    logo = _logo(body.logo) if "logo" in given else None
    roles: list[str] | None = list(body.roles) if body.roles is not None else None
    if "roles" in given and roles is None:
        roles = [each.value for each in Role]
    changes = Changes(
        name=body.name,
        origins=body.origins,
        return_url=body.return_url,
        roles=roles,
        role_map=body.role_map,
        colour="" if "colour" in given and body.colour is None else body.colour,
    )

    def work(tx: Transaction) -> Registration:
        by, workspace_id = context.by, context.workspace_id
        changed = apps.change(
            tx, by=by, home=home_of(context), app_id=app_id, changes=changes, workspace_id=workspace_id
        )
        if "logo" not in given:
            return changed
        return apps.set_logo(tx, by=by, app_id=app_id, logo=logo, workspace_id=workspace_id)

    return Answer(_shown(await context.write(work)))


def _logo(text: str | None) -> bytes | None:
    if not text:
        return None
    try:
        return base64.b64decode(text, validate=True)
    except (ValueError, binascii.Error):
        raise invalid("logo", "This is no base64 (RFC 4648 section 4).") from None


async def remove(context: Context) -> Answer:
    app_id = context.id()
    await context.write(
        lambda tx: apps.remove(tx, by=context.by, app_id=app_id, workspace_id=context.workspace_id)
    )
    return Answer(status=204)


async def rotate(context: Context) -> Answer:
    app_id = context.id()
    made = await context.write(
        lambda tx: apps.rotate(tx, by=context.by, app_id=app_id, workspace_id=context.workspace_id)
    )
    return _with_secret(context, made)


async def end_secret(context: Context) -> Answer:
    app_id, secret_id = context.id(), context.id("secret_id")
    await context.write(
        lambda tx: apps.end_secret(
            tx, by=context.by, app_id=app_id, secret_id=secret_id, workspace_id=context.workspace_id
        )
    )
    return Answer(status=204)


_ALL = "/workspaces/{slug}/apps"
_ONE = f"{_ALL}/{{id}}"

ROUTES: list[Route] = [
    api(
        "GET",
        _ALL,
        kinds.SEE_APPS,
        listed,
        answer=models.RegisteredApps,
        summary="The products of a workspace",
    ),
    api(
        "POST",
        _ALL,
        kinds.MANAGE_APPS,
        add,
        body=models.NewApp,
        answer=models.AppWithSecret,
        status=201,
        summary="Register a product; the answer tells its secret, once",
        codes=(Code.CONFLICT,),
    ),
    api("GET", _ONE, kinds.SEE_APPS, show, answer=models.RegisteredApp, summary="A product"),
    api(
        "PATCH",
        _ONE,
        kinds.MANAGE_APPS,
        change,
        body=models.AppChange,
        body_limit=LARGE_BODY_LIMIT,
        answer=models.RegisteredApp,
        summary="Change a product",
        codes=(Code.CONFLICT,),
    ),
    api(
        "DELETE",
        _ONE,
        kinds.MANAGE_APPS,
        remove,
        status=204,
        summary="Take a product out: its secrets, origins and people's sessions end",
    ),
    api(
        "POST",
        f"{_ONE}/secrets",
        kinds.MANAGE_APPS,
        rotate,
        answer=models.AppWithSecret,
        status=201,
        summary="A new secret beside the old one; two are valid at a time",
        codes=(Code.CONFLICT,),
    ),
    api(
        "DELETE",
        f"{_ONE}/secrets/{{secret_id}}",
        kinds.MANAGE_APPS,
        end_secret,
        status=204,
        summary="End a secret; the last one ends with the product",
        codes=(Code.CONFLICT,),
    ),
]
