"""Passkeys: signing in, the second step, stepping up, making one. Bodies and options are WebAuthn's own JSON."""

from typing import NoReturn

from nightlatch.actions import kinds, passkey_asking, remembering
from nightlatch.actions.passkey_asking import Purpose
from nightlatch.actions.passkey_enrolment import NotMade
from nightlatch.actions.proving import Proved, Wait, Wrong
from nightlatch.refusals import Code, Refused, WayOut, invalid
from nightlatch.web import passkey_flows
from nightlatch.web.answers import Answer
from nightlatch.web.api import models
from nightlatch.web.api.authenticators import confirmed, old_one, workspace_of
from nightlatch.web.api.passkey_models import (
    AskNew,
    AskSignIn,
    CreationOptions,
    PasskeyMade,
    PasskeyShown,
    PasskeySignIn,
    RequestOptions,
)
from nightlatch.web.api.sign_in import address, signed_in
from nightlatch.web.context import Context
from nightlatch.web.routes import Route, api


async def ask_sign_in(context: Context, body: AskSignIn) -> Answer:
    """Without saying for what: for the second step where there is a session, else for a whole sign-in."""
    purpose = body.purpose or ("second_step" if context.facts.account is not None else "sign_in")
    if purpose == "sign_in":
        asked = await passkey_flows.ask_sign_in(context, address(body.email) if body.email else None)
    else:
        asked = await passkey_flows.ask_in_session(context, Purpose.SECOND_STEP)
    return Answer(asked.options)


async def sign_in(context: Context, body: PasskeySignIn) -> Answer:
    """What it is for, its challenge says: the second step only where that was given to this very session."""
    if body.remember:
        remembering.refuse_program(context.by)
    credential = body.model_dump()
    if await passkey_flows.is_second_step(context, credential):
        result: Proved | Wrong | Wait = await passkey_flows.show(
            context, credential, Purpose.SECOND_STEP, remembers=body.remember
        )
    else:
        result = await passkey_flows.sign_in(context, credential)
    if not isinstance(result, Proved):
        refuse(result)
    return signed_in(context, result)


async def ask_step_up(context: Context) -> Answer:
    asked = await passkey_flows.ask_in_session(context, Purpose.STEP_UP)
    return Answer(asked.options)


async def step_up(context: Context, body: PasskeyShown) -> Answer:
    result = await passkey_flows.show(context, body.model_dump(), Purpose.STEP_UP)
    if not isinstance(result, Proved):
        refuse(result)
    return signed_in(context, result)


def refuse(result: Wrong | Wait) -> NoReturn:
    """The problem for a passkey that was wrong, or was not judged: the same whatever was wrong with it."""
    if isinstance(result, Wait):
        raise Refused(
            Code.TOO_MANY_ATTEMPTS,
            "There were too many wrong tries from your network.",
            WayOut("Use another way in.", "/recover"),
            retry_at=result.retry_at,
        )
    raise Refused(
        Code.WRONG_CREDENTIALS,
        "That passkey is not accepted here.",
        WayOut("Use another way in.", "/sign-in"),
    )


async def ask_new(context: Context, body: AskNew) -> Answer:
    replaces = old_one(body.replaces)
    workspace_id = workspace_of(context, body.workspace)
    by, site = context.by, passkey_flows.site_of(context)
    asked = await context.write(
        lambda tx: passkey_asking.ask_new(
            tx, by=by, site=site, name=body.name or "", replaces=replaces, workspace_id=workspace_id
        )
    )
    return Answer(asked.options)


async def bind(context: Context, body: PasskeyMade) -> Answer:
    result, codes = await passkey_flows.bind(context, body.model_dump())
    if isinstance(result, NotMade):
        if result.known:
            raise Refused(
                Code.ALREADY_USED,
                "This passkey is set up already.",
                WayOut("See your settings.", "/settings/user"),
            )
        raise invalid("response", "This passkey cannot be taken. Make another one.")
    return confirmed(context, result, codes, 201)


ROUTES: list[Route] = [
    api(
        "POST",
        "/sign-in/passkey/options",
        kinds.OPEN,
        ask_sign_in,
        body=AskSignIn,
        body_optional=True,
        answer=RequestOptions,
        summary="What to ask the browser for: a whole sign-in, or the second step of a session",
        codes=(Code.CONFLICT, Code.TOO_MANY_ATTEMPTS, Code.SIGN_IN_REQUIRED),
    ),
    api(
        "POST",
        "/sign-in/passkey",
        kinds.OPEN,
        sign_in,
        body=PasskeySignIn,
        answer=models.SignedIn,
        summary="Sign in with a passkey, or show it as the second step",
        codes=(
            Code.WRONG_CREDENTIALS,
            Code.EXPIRED,
            Code.CONFLICT,
            Code.TOO_MANY_ATTEMPTS,
            Code.NOT_PERMITTED,
        ),
    ),
    api(
        "POST",
        "/step-up/passkey/options",
        kinds.PRESENT_FIRST,
        ask_step_up,
        answer=RequestOptions,
        summary="What to ask the browser for, to step up",
        codes=(Code.CONFLICT,),
    ),
    api(
        "POST",
        "/step-up/passkey",
        kinds.PRESENT_FIRST,
        step_up,
        body=PasskeyShown,
        answer=models.SignedIn,
        summary="Step up with a passkey",
        codes=(Code.WRONG_CREDENTIALS, Code.EXPIRED, Code.CONFLICT),
    ),
    api(
        "POST",
        "/me/authenticators/passkey/options",
        kinds.REPLACE,
        ask_new,
        body=AskNew,
        body_optional=True,
        answer=CreationOptions,
        summary="What to ask the browser for, to make a passkey",
        codes=(Code.NOT_FOUND, Code.CONFLICT),
    ),
    api(
        "POST",
        "/me/authenticators/passkey",
        kinds.REPLACE,
        bind,
        body=PasskeyMade,
        answer=models.Confirmed,
        status=201,
        summary="Bind the passkey that was made",
        codes=(Code.EXPIRED, Code.ALREADY_USED, Code.CONFLICT),
    ),
]
