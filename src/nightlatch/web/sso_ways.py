"""To a provider and back, as pages do it: what differs by protocol is chosen here, the rest is `actions.sso` and
`actions.sso_arriving`.

The network is asked outside of every transaction. A way is bound to this browser by a cookie of its own, and to one
connection by its own callback address, so that no other provider's answer fits (RFC 9700 section 4.4).
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from starlette.responses import RedirectResponse, Response

from nightlatch.actions import sso, sso_arriving, sso_saml
from nightlatch.actions.proving import Proved
from nightlatch.actions.sso_outcomes import Begun, Linked, Reported, Turned, Way, Why
from nightlatch.actions.tokens import Token, hash_token, new_token
from nightlatch.facts import ConnectionId
from nightlatch.ids import to_text
from nightlatch.instants import SECOND, Duration
from nightlatch.refusals import Refused
from nightlatch.sso import oidc
from nightlatch.sso.identity import Identity, Leaving, SsoError
from nightlatch.store.connections import SAML
from nightlatch.store.session_facts import ABSOLUTE_LIMIT
from nightlatch.store.sso_flows import FLOW_LIFE, Flow
from nightlatch.web import cookies, saml, sso_words
from nightlatch.web.context import Context, safe_next
from nightlatch.web.origin import header
from nightlatch.web.pages.sign_in import go, onward
from nightlatch.web.rendering import page as render

COOKIE_SECONDS = FLOW_LIFE // SECOND


async def off(
    context: Context, connection_id: ConnectionId, way: Way, *, target: str = "", fresh: bool = False
) -> Response:
    """Off to the provider: a page that leads on by itself, since browsers hold forms to our own origin.

    Raises Refused: as `sso.begin`.
    """
    begun = await context.read(lambda tx: sso.look(tx, connection_id))
    state, cookie = new_token(), _cookie(context) or new_token()
    try:
        leaving = await _leave(context, begun, state, fresh)
    except SsoError as error:
        return turned(
            context, Turned(Why.PROVIDER, begun.connection_id, error.code, error.detail), begun.name
        )
    await context.write(
        lambda tx: sso.begin(
            tx,
            by=context.by,
            connection_id=connection_id,
            way=way,
            state_hash=state.hash,
            cookie_hash=cookie.hash,
            said=leaving.said,
            onward=safe_next(target),
            fresh=fresh,
        )
    )
    response = render(context, "sso_leave.html", name=begun.name, leave_url=leaving.url, way=way.value)
    response.headers.append(
        "set-cookie",
        cookies.set_cookie(context.front.config, _cookie_name(context), cookie.text, COOKIE_SECONDS),
    )
    return response


async def back(context: Context, connection_id: ConnectionId, answer: Mapping[str, str]) -> Response:
    """Back from the provider, with what the browser brought."""
    cookie = _cookie(context)
    flow = await context.write(
        lambda tx: sso.spend(
            tx,
            by=context.by,
            connection_id=connection_id,
            state_hash=hash_token(answer.get("state", "")),
            cookie_hash=cookie.hash if cookie is not None else None,
        )
    )
    if isinstance(flow, Turned):
        return await _turned(context, flow)
    outcome = await _outcome(context, flow, answer)
    return await _after(context, flow, outcome)


def callback_of(context: Context, connection_id: ConnectionId) -> str:
    """Where a provider sends the browser back to: each connection has an address of its own."""
    return f"{context.front.config.base_url}/sso/{to_text(connection_id)}/callback"


# --- by protocol ---


async def _leave(context: Context, begun: Begun, state: Token, fresh: bool) -> Leaving:
    if begun.kind == SAML:
        return saml.leave(
            context.front.config,
            workspace_id=begun.workspace_id,
            issuer=begun.issuer,
            settings=begun.settings,
            state=state.text,
            now=context.now,
            fresh=fresh,
        )
    return await oidc.leave(
        context.front.discoveries,
        _client(context, begun),
        state=state.text,
        now=context.now,
        fresh=fresh,
        max_age=_max_age(begun),
    )


async def _arrive(context: Context, flow: Flow, answer: Mapping[str, str]) -> Identity:
    begun, secret = await context.read(lambda tx: sso.look_with_secret(tx, flow.connection_id))
    if begun.kind == SAML:
        return sso_saml.brought(flow)  # its answer came by POST, and was put aside (web/pages/saml.py)
    return await oidc.arrive(
        context.front.discoveries,
        _client(context, begun),
        answer=answer,
        said=flow.said,
        secret=secret,
        now=context.front.house.clock.now(),
    )


def _client(context: Context, begun: Begun) -> oidc.Client:
    return oidc.Client(begun.issuer, begun.client_id, callback_of(context, begun.connection_id))


def _max_age(begun: Begun) -> Duration:
    """A sign-in there that is older than a session here may be begins none; nor one that the rule finds too old."""
    return min(ABSOLUTE_LIMIT, begun.max_age) if begun.max_age is not None else ABSOLUTE_LIMIT


# --- what comes of it ---


async def _outcome(
    context: Context, flow: Flow, answer: Mapping[str, str]
) -> Proved | Linked | Reported | Turned:
    try:
        identity = await _arrive(context, flow, answer)
    except SsoError as error:
        code, detail = error.code, error.detail
        return await context.write(
            lambda tx: sso.failed(tx, by=context.by, flow=flow, code=code, detail=detail)
        )
    token = new_token()
    try:
        outcome = await context.write(
            lambda tx: sso_arriving.finish(tx, by=context.by, flow=flow, identity=identity, token=token)
        )
    except Refused as refused:
        refused.decision = None  # the way back is spent: nobody is sent here again
        raise
    if isinstance(outcome, Linked):
        context.session_token = outcome.token
    return outcome


async def _after(context: Context, flow: Flow, outcome: Proved | Linked | Reported | Turned) -> Response:
    target = safe_next(str(flow.said.get("next", "")))
    if isinstance(outcome, Proved):
        return onward(context, outcome, target)
    if isinstance(outcome, Linked):
        return go(context, target or "/settings/user?said=sso-connected")
    if isinstance(outcome, Reported):
        path = f"/w/{outcome.slug}/settings/team/authentication/sso/{to_text(outcome.connection_id)}"
        return RedirectResponse(context.url(f"{path}/test/{to_text(outcome.flow_id)}"), 303)
    return await _turned(context, outcome, target)


async def _turned(context: Context, outcome: Turned, target: str = "") -> Response:
    name = ""
    if outcome.connection_id is not None:
        connection_id = outcome.connection_id
        try:
            name = (await context.read(lambda tx: sso.look(tx, connection_id))).name
        except Refused:
            outcome = replace(outcome, why=Why.GONE)
    return turned(context, outcome, name, target)


def turned(context: Context, outcome: Turned, name: str, target: str = "") -> Response:
    """The page that says why nobody came in, and the way on (law 9)."""
    told: dict[str, Any] = sso_words.told(
        outcome, name, signed_in=context.facts.account is not None, target=target
    )
    return render(context, "sso_turned.html", status=sso_words.STATUS.get(outcome.why, 403), **told)


def _cookie(context: Context) -> Token | None:
    """What this browser was given when it went off."""
    text = cookies.cookie(header(context.request.scope["headers"], b"cookie"), _cookie_name(context))
    return Token(text, hash_token(text)) if text is not None and 40 <= len(text) <= 50 else None


def _cookie_name(context: Context) -> str:
    return f"{cookies.session_name(context.front.config)}-sso"
