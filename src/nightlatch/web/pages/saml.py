"""What a SAML provider talks to: our metadata, and the address that answers are posted to."""

from starlette.responses import RedirectResponse, Response

from nightlatch.actions import kinds, sso_saml
from nightlatch.actions.sso_outcomes import Turned, Why
from nightlatch.actions.tokens import hash_token
from nightlatch.ids import to_text
from nightlatch.refusals import Code, Refused, not_found
from nightlatch.store import workspaces
from nightlatch.web import saml, sso_ways
from nightlatch.web.context import Context, parse_form, with_query
from nightlatch.web.json_body import read_body
from nightlatch.web.routes import Route

METADATA_TYPE = "application/samlmetadata+xml"
LARGEST_ANSWER = 512 * 1024
"""Octets: an assertion in base64, percent-encoded."""


async def metadata(context: Context) -> Response:
    workspace_id = context.id()
    workspace = await context.read(lambda tx: workspaces.by_id(tx, workspace_id))
    if workspace is None or workspace.app_id is not None:
        raise not_found()
    service = saml.service_of(context.front.config, workspace_id)
    return Response(service.metadata(), media_type=METADATA_TYPE)


async def answer(context: Context) -> Response:
    """Posted by a page of the provider's, without our cookies: nobody is let in, and the browser is sent on to where
    it shows the one that it began with (docs/decisions/0032-saml.md)."""
    workspace_id = context.id()
    saml.needs_extra()
    kind = context.request.headers.get("content-type", "").split(";")[0].strip()
    if kind != "application/x-www-form-urlencoded":
        raise Refused(Code.UNSUPPORTED_MEDIA_TYPE, "Answers come as application/x-www-form-urlencoded.")
    form = parse_form(await read_body(context.request, context.route.body_limit))
    state = form.get("RelayState", "")
    waits = await context.read(
        lambda tx: sso_saml.waiting(tx, workspace_id=workspace_id, state_hash=hash_token(state))
    )
    if waits is None:
        return sso_ways.turned(context, Turned(Why.NOT_KNOWN), "")
    await saml.take(context, waits, form.get("SAMLResponse", ""))
    path = with_query(f"/sso/{to_text(waits.connection_id)}/callback", state=state)
    return RedirectResponse(context.url(path), 303)


ROUTES: list[Route] = [
    Route("GET", "/saml/{id}", kinds.OPEN, metadata, kind="plain"),
    Route(
        "POST",
        "/saml/{id}/acs",
        kinds.OPEN,
        answer,
        kind="plain",
        cross_site=True,
        body_limit=LARGEST_ANSWER,
    ),
]
