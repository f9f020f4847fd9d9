"""Settings > Team > Authentication > Single sign-on: the connections, and whether they are required."""

from collections.abc import Mapping
from typing import Any

from starlette.responses import Response

from nightlatch.actions import connections, kinds, sso_required
from nightlatch.actions.connections import Connection
from nightlatch.ids import to_text
from nightlatch.refusals import Refused
from nightlatch.store import teammates, workspaces
from nightlatch.store.connections import OIDC
from nightlatch.store.engine import Transaction
from nightlatch.web.apps import of_nightlatch
from nightlatch.web.connections import checked_issuer
from nightlatch.web.context import Context
from nightlatch.web.fields import at_fields
from nightlatch.web.pages.sign_in import go
from nightlatch.web.rendering import page as render
from nightlatch.web.routes import Route, form, page
from nightlatch.web.sso_ways import callback_of
from nightlatch.web.team import in_workspace, myself, team_path

ALL = "/w/{slug}/settings/team/authentication/sso"


def sso_path(context: Context) -> str:
    """The page of all connections."""
    return f"{team_path(context)}/authentication/sso"


def shown(context: Context, each: Connection) -> dict[str, Any]:
    """A connection, for templates."""
    return {
        "id": to_text(each.id),
        "kind": each.kind,
        "name": each.name,
        "issuer": each.issuer,
        "client_id": each.client_id,
        "has_secret": each.has_secret,
        "ready": each.ready,
        "joins": each.joins,
        "rule": each.acceptance.rule.value,
        "exempt_until": each.acceptance.exempt_until,
        "exempt_over": (each.acceptance.exempt_until or 0) <= context.now,
        "exempt_by": each.exempt_by,
        "callback": callback_of(context, each.id),
        "door": f"{context.front.config.base_url}/sso/{to_text(each.id)}",
        "settings": dict(each.settings),
    }


async def list_page(context: Context) -> Response:
    of_nightlatch(context)
    return await _list(context)


async def _list(context: Context, *, status: int = 200, errors: Mapping[str, str] | None = None) -> Response:
    def body(tx: Transaction) -> tuple[list[Connection], bool, bool]:
        row = workspaces.by_id(tx, context.workspace_id)
        return (
            connections.every(tx, context.workspace_id),
            row is not None and row.sso_required_at is not None,
            bool(teammates.enrolled_owners_with_password(tx, context.workspace_id)),
        )

    found, required, somebody = await context.query_store(body)
    return render(
        context,
        "connections.html",
        status=status,
        errors=errors,
        connections=[shown(context, each) for each in found],
        required=required,
        may_require=any(each.ready for each in found) and somebody,
        emergency_door=somebody,
        owner=myself(context).role.value == "owner",
        **in_workspace(context),
    )


async def add_form(context: Context) -> Response:
    text = context.form.get
    try:
        issuer = await checked_issuer(context, text("issuer", ""))
        added = await context.write(
            lambda tx: connections.add(
                tx,
                by=context.by,
                workspace_id=context.workspace_id,
                kind=OIDC,
                name=text("name", ""),
                issuer=issuer,
            )
        )
    except Refused as refused:
        return await _list(context, status=refused.status, errors=at_fields(refused))
    return go(context, f"{sso_path(context)}/{to_text(added.id)}?said=connection-added")


async def required_form(context: Context) -> Response:
    required = context.form.get("required") == "yes"
    try:
        await context.write(
            lambda tx: sso_required.require(
                tx, by=context.by, workspace_id=context.workspace_id, required=required
            )
        )
    except Refused as refused:
        return await _list(context, status=refused.status, errors=at_fields(refused))
    return go(context, f"{sso_path(context)}?said={'sso-required' if required else 'sso-optional'}")


ROUTES: list[Route] = [
    page(ALL, kinds.SEE_CONNECTIONS, list_page),
    form(ALL, kinds.MANAGE_CONNECTIONS, add_form),
    form(f"{ALL}/required", kinds.MANAGE_CONNECTIONS, required_form, shown_at=ALL),
]
