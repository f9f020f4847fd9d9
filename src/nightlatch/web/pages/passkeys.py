"""Passkeys on pages: our script puts the browser's answer into a form, and the form is sent like any other.

So what follows (the next step, the recovery codes, an error) is the same as without a script; only making and showing a
passkey takes one.
"""

from starlette.responses import JSONResponse, Response

from nightlatch.actions import kinds
from nightlatch.actions.passkey_asking import Purpose
from nightlatch.actions.passkey_enrolment import NotMade
from nightlatch.actions.proving import Proved, Wait, Wrong
from nightlatch.refusals import Code, Refused
from nightlatch.web import passkey_flows
from nightlatch.web.context import Context
from nightlatch.web.pages import set_up, set_up_asked
from nightlatch.web.pages.sign_in import onward, render_second_step, render_sign_in, ticked
from nightlatch.web.pages.step_up import render_step_up
from nightlatch.web.rendering import wait_value
from nightlatch.web.routes import Route, form

ENDPOINTS = "/.well-known/passkey-endpoints"
_WRONG = "That passkey is not accepted here. Use another one, or another way."
_AGAIN = "That took too long, or was used already. Try again."
_OVER = (Code.EXPIRED, Code.INVALID)
_NOT_MADE = {
    "known": "This passkey is set up already.",
    "algorithm": "This device makes passkeys of a kind that is not taken here. Use another one.",
}


async def sign_in_form(context: Context) -> Response:
    result = await _tried(context)
    if isinstance(result, Proved):
        return onward(context, result)
    if isinstance(result, Wait):
        return await render_sign_in(
            context,
            status=429,
            wait=wait_value(context.now, result.retry_at),
            errors={"form": "There were too many wrong tries."},
        )
    if isinstance(result, Wrong):
        return await render_sign_in(context, status=401, errors={"form": _WRONG})
    return await render_sign_in(context, status=result.status, errors={"form": _AGAIN})


async def _tried(context: Context) -> Proved | Wrong | Wait | Refused:
    try:
        return await passkey_flows.sign_in(context, passkey_flows.from_form(context))
    except Refused as refused:
        if refused.code not in _OVER:
            raise
        return refused


async def second_step_form(context: Context) -> Response:
    result = await _shown(context, Purpose.SECOND_STEP, remembers=ticked(context))
    if isinstance(result, Proved):
        return onward(context, result)
    return await render_second_step(context, status=result[0], errors={"form": result[1]})


async def step_up_form(context: Context) -> Response:
    result = await _shown(context, Purpose.STEP_UP)
    if isinstance(result, Proved):
        return onward(context, result)
    return await render_step_up(context, status=result[0], errors={"form": result[1]})


async def _shown(context: Context, purpose: Purpose, *, remembers: bool = False) -> Proved | tuple[int, str]:
    """The proof; or status and message."""
    try:
        credential = passkey_flows.from_form(context)
        result = await passkey_flows.show(context, credential, purpose, remembers=remembers)
    except Refused as refused:
        if refused.code not in _OVER:
            raise
        return refused.status, _AGAIN
    return result if isinstance(result, Proved) else (401, _WRONG)


async def set_up_form(context: Context) -> Response:
    asked = set_up_asked.read(context)
    try:
        result, codes = await passkey_flows.bind(context, passkey_flows.from_form(context))
    except Refused as refused:
        if refused.code not in _OVER:
            raise
        return await set_up.start(context, asked, status=refused.status, errors={"form": _AGAIN})
    if isinstance(result, NotMade):
        message = _NOT_MADE.get(result.why, "This passkey cannot be taken. Try again, or use another device.")
        return await set_up.start(context, asked, status=422, errors={"form": message})
    return await set_up.confirmed(context, asked.workspace_id, result, codes)


async def endpoints(context: Context) -> Response:
    """Where passkeys for this site are made and managed, for password managers (W3C passkey endpoints)."""
    base = context.front.config.base_url
    return JSONResponse(
        {"enroll": f"{base}/set-up?another=yes&next=/settings/user", "manage": f"{base}/settings/user"},
        headers={"cache-control": "public, max-age=86400"},
    )


ROUTES: list[Route] = [
    form("/sign-in/passkey", kinds.OPEN, sign_in_form, shown_at="/sign-in"),
    form(
        "/sign-in/second-step/passkey",
        kinds.PRESENT_SECOND,
        second_step_form,
        shown_at="/sign-in/second-step",
    ),
    form("/step-up/passkey", kinds.PRESENT_FIRST, step_up_form, shown_at="/step-up"),
    form("/set-up/passkey", kinds.REPLACE, set_up_form, shown_at="/set-up"),
    Route(
        "GET", ENDPOINTS, kinds.OPEN, endpoints, kind="plain", summary="Where passkeys are made and managed"
    ),
]
