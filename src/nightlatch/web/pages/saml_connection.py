"""Settings > Team > Authentication > Single sign-on, by SAML: what to enter at the provider, and what it gave."""

from collections.abc import Mapping
from typing import Any

from starlette.responses import Response

from nightlatch.actions import kinds
from nightlatch.actions.connections import Connection
from nightlatch.ids import to_text
from nightlatch.refusals import Refused
from nightlatch.web import saml, saml_connections
from nightlatch.web.apps import of_nightlatch
from nightlatch.web.context import Context
from nightlatch.web.fields import at_fields
from nightlatch.web.pages.connections import ALL, sso_path
from nightlatch.web.pages.sign_in import go
from nightlatch.web.rendering import page as render
from nightlatch.web.routes import LARGE_BODY_LIMIT, Route, form, page
from nightlatch.web.saml_connections import Typed
from nightlatch.web.team import in_workspace

_NEW = f"{ALL}/saml"
_ONE = f"{ALL}/{{id}}/saml"


def _typed(context: Context) -> Typed:
    text = context.form.get
    return Typed(
        text("metadata", ""),
        text("metadata_url", ""),
        text("subject_attribute", ""),
        text("email_attribute", ""),
    )


def _page(
    context: Context,
    connection: Connection | None,
    *,
    status: int = 200,
    errors: Mapping[str, str] | None = None,
) -> Response:
    service = saml.service_of(context.front.config, context.workspace_id)
    settings: Mapping[str, Any] = connection.settings if connection is not None else {}
    return render(
        context,
        "saml_connection.html",
        status=status,
        errors=errors,
        entity_id=service.entity_id,
        answers_to=service.answers_to,
        connection=_shown(connection) if connection is not None else None,
        subject_attribute=settings.get("subject_attribute", ""),
        email_attribute=settings.get("email_attribute", ""),
        **in_workspace(context),
    )


def _shown(connection: Connection) -> dict[str, Any]:
    return {
        "id": to_text(connection.id),
        "name": connection.name,
        "issuer": connection.issuer,
        "sign_in_url": connection.settings["sign_in_url"],
        "certificates": [
            {"fingerprint": each.fingerprint, "ends_at": each.ends_at}
            for each in saml_connections.certificates(connection.settings)
        ],
    }


async def new_page(context: Context) -> Response:
    of_nightlatch(context)
    return _page(context, None)


async def new_form(context: Context) -> Response:
    try:
        added = await saml_connections.add(
            context,
            name=context.form.get("name", ""),
            typed=_typed(context),
            joins=context.form.get("joins") == "yes",
        )
    except Refused as refused:
        return _page(context, None, status=refused.status, errors=at_fields(refused))
    return go(context, f"{sso_path(context)}/{to_text(added.id)}?said=connection-added")


async def one_page(context: Context) -> Response:
    of_nightlatch(context)
    return _page(context, await saml_connections.read(context, context.id()))


async def one_form(context: Context) -> Response:
    try:
        changed = await saml_connections.change(context, context.id(), _typed(context))
    except Refused as refused:
        if not refused.errors:
            raise
        found = await saml_connections.read(context, context.id())
        return _page(context, found, status=refused.status, errors=at_fields(refused))
    return go(context, f"{sso_path(context)}/{to_text(changed.id)}?said=connection-changed")


ROUTES: list[Route] = [
    page(_NEW, kinds.SEE_CONNECTIONS, new_page),
    form(_NEW, kinds.MANAGE_CONNECTIONS, new_form, body_limit=LARGE_BODY_LIMIT),
    page(_ONE, kinds.SEE_CONNECTIONS, one_page),
    form(_ONE, kinds.MANAGE_CONNECTIONS, one_form, body_limit=LARGE_BODY_LIMIT),
]
