"""SAML, as the web sees it: ourselves as a provider knows us, the request, and an answer that is judged and put aside.

What needs the extra is imported when it is used: an installation without it starts, and says what to install.
"""

import secrets
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from nightlatch.actions import sso_saml
from nightlatch.actions.sso_saml import Waiting
from nightlatch.config import Config
from nightlatch.facts import WorkspaceId
from nightlatch.ids import to_text
from nightlatch.instants import Instant
from nightlatch.refusals import Code, Refused, WayOut
from nightlatch.sso import extra
from nightlatch.sso.identity import Leaving, SsoError
from nightlatch.web.context import Context

if TYPE_CHECKING:
    from nightlatch.sso.saml_assertion import Attributes, Came
    from nightlatch.sso.saml_metadata import Provider, Service


def needs_extra() -> None:
    """Raises Refused (503), which says what to install, where SAML cannot be spoken here."""
    if not extra.installed():
        raise Refused(
            Code.UNAVAILABLE,
            f"Signing in by SAML needs a part that is not installed here. Whoever runs this runs: {extra.HOW}",
            WayOut("Sign in another way.", "/sign-in"),
        )


def service_of(config: Config, workspace_id: WorkspaceId) -> "Service":
    """Ourselves, as the providers of a workspace know us. Raises Refused without the extra."""
    needs_extra()
    from nightlatch.sso.saml_metadata import Service

    path = f"{config.base_url}/saml/{to_text(workspace_id)}"
    return Service(path, f"{path}/acs")


def leave(
    config: Config,
    *,
    workspace_id: WorkspaceId,
    issuer: str,
    settings: Mapping[str, Any],
    state: str,
    now: Instant,
    fresh: bool,
) -> Leaving:
    """The request, to which nothing but its own answer will do. Raises Refused without the extra."""
    service = service_of(config, workspace_id)
    from nightlatch.sso.saml import request_url

    request_id = f"_{secrets.token_hex(20)}"
    provider, attributes = _provider(issuer, settings), _attributes(settings)
    url = request_url(
        provider,
        service,
        request_id=request_id,
        relay_state=state,
        now=now,
        fresh=fresh,
        persistent=not attributes.subject,
    )
    return Leaving(url, {"request_id": request_id})


async def take(context: Context, waits: Waiting, response: str) -> None:
    """Judge an answer, and put aside who came, or why nobody did. Raises Refused without the extra."""
    try:
        came = await _judged(context, waits, response)
    except SsoError as error:
        failure = error
        await context.write(lambda tx: sso_saml.bring_nobody(tx, waits=waits, error=failure))
        return
    await context.write(
        lambda tx: sso_saml.bring(
            tx,
            waits=waits,
            identity=came.identity,
            assertion_hash=came.assertion_hash,
            expires_at=came.expires_at,
        )
    )


async def _judged(context: Context, waits: Waiting, response: str) -> "Came":
    service, now = service_of(context.front.config, waits.workspace_id), context.now
    from nightlatch.sso.saml import read_response

    provider, attributes = _provider(waits.issuer, waits.settings), _attributes(waits.settings)
    return await context.pool(
        lambda: read_response(
            response,
            provider=provider,
            service=service,
            request_id=waits.request_id,
            now=now,
            attributes=attributes,
        )
    )


def _provider(issuer: str, settings: Mapping[str, Any]) -> "Provider":
    from nightlatch.sso.saml_metadata import provider_of

    return provider_of(issuer, settings)


def _attributes(settings: Mapping[str, Any]) -> "Attributes":
    from nightlatch.sso.saml_assertion import Attributes

    return Attributes(settings.get("subject_attribute", ""), settings.get("email_attribute", ""))
