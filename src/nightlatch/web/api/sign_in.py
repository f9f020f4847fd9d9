"""Signing in, the second step, stepping up, the session itself."""

from typing import NoReturn

from nightlatch import addresses
from nightlatch.actions import kinds, remembering, sign_in
from nightlatch.actions.proving import Proved, Wait, Wrong
from nightlatch.refusals import Code, Refused, WayOut, invalid
from nightlatch.vocabulary import Method
from nightlatch.web import flows
from nightlatch.web.answers import Answer
from nightlatch.web.api import models
from nightlatch.web.context import Context
from nightlatch.web.routes import Route, api
from nightlatch.web.session_view import view


def address(text: str, field: str = "email") -> addresses.Address:
    """An address from a body. Raises Refused (422)."""
    try:
        return addresses.parse(text)
    except addresses.BadAddress as bad:
        raise invalid(field, str(bad)) from None


def signed_in(context: Context, proved: Proved, status: int = 200) -> Answer:
    """The answer to an accepted proof."""
    body = {
        "session": view(proved.known),
        "token": context.deliver(proved.token),
        "recovery_codes_left": proved.recovery_codes_left,
    }
    return Answer(body, status)


def refuse(result: Wrong | Wait, method: Method) -> NoReturn:
    """The problem for a guess that was wrong, or was not judged."""
    password = method is Method.PASSWORD
    if isinstance(result, Wait):
        if result.retry_at is None and password:
            way = WayOut(
                "Have a link mailed to you that lets this browser try again.", "/api/v1/sign-in/unblock"
            )
        else:
            way = WayOut("Use another way in.", "/recover")
        raise Refused(
            Code.TOO_MANY_ATTEMPTS, "There were too many wrong tries.", way, retry_at=result.retry_at
        )
    if password:
        raise Refused(
            Code.WRONG_CREDENTIALS,
            "E-mail or password is wrong.",
            WayOut("Reset the password.", "/password-reset"),
            retry_at=result.retry_at,
        )
    detail = (
        "That code was already used. Wait for the next one."
        if result.replayed
        else "That code did not match."
    )
    raise Refused(
        Code.WRONG_CODE, detail, WayOut("Use another way in.", "/recover"), retry_at=result.retry_at
    )


async def password(context: Context, body: models.EmailPassword) -> Answer:
    result = await flows.password_sign_in(context, address(body.email), body.password)
    if not isinstance(result, Proved):
        refuse(result, Method.PASSWORD)
    return signed_in(context, result, 201)


async def totp(context: Context, body: models.SecondStepBody) -> Answer:
    if body.remember:
        remembering.refuse_program(context.by)
    return await _totp(context, body.code, remembers=body.remember)


async def step_up_totp(context: Context, body: models.CodeBody) -> Answer:
    return await _totp(context, body.code)


async def _totp(context: Context, code: str, *, remembers: bool = False) -> Answer:
    result = await flows.code_from_app(context, code, remembers=remembers)
    if not isinstance(result, Proved):
        refuse(result, Method.TOTP)
    return signed_in(context, result)


async def recovery_code(context: Context, body: models.CodeBody) -> Answer:
    result = await flows.recovery(context, body.code)
    if not isinstance(result, Proved):
        refuse(result, Method.RECOVERY_CODE)
    return signed_in(context, result)


async def step_up_password(context: Context, body: models.Password) -> Answer:
    result = await flows.password_again(context, body.password)
    if not isinstance(result, Proved):
        refuse(result, Method.PASSWORD)
    return signed_in(context, result)


async def session(context: Context) -> Answer:
    return Answer(models.Session.model_validate(view(context.known)))


async def sign_out(context: Context) -> Answer:
    await context.write(lambda tx: sign_in.sign_out(tx, by=context.by))
    return Answer(status=204, ends_session=True)


async def ask_unblock(context: Context, body: models.EmailBody) -> Answer:
    asked = address(body.email)
    await context.write(lambda tx: sign_in.ask_unblock(tx, by=context.by, address=asked))
    return Answer(status=202)


_WRONG = (Code.WRONG_CODE, Code.TOO_MANY_ATTEMPTS)

ROUTES: list[Route] = [
    api(
        "POST",
        "/sign-in/password",
        kinds.OPEN,
        password,
        body=models.EmailPassword,
        answer=models.SignedIn,
        status=201,
        summary="Sign in with e-mail and password",
        codes=(Code.WRONG_CREDENTIALS, Code.TOO_MANY_ATTEMPTS),
    ),
    api(
        "POST",
        "/sign-in/totp",
        kinds.PRESENT_SECOND,
        totp,
        body=models.SecondStepBody,
        answer=models.SignedIn,
        summary="Show a code from the authenticator app",
        codes=_WRONG,
    ),
    api(
        "POST",
        "/sign-in/recovery-code",
        kinds.PRESENT_SECOND,
        recovery_code,
        body=models.CodeBody,
        answer=models.SignedIn,
        summary="Use a recovery code",
        codes=_WRONG,
    ),
    api(
        "POST",
        "/sign-in/unblock",
        kinds.OPEN,
        ask_unblock,
        body=models.EmailBody,
        status=202,
        summary="Have a link mailed that lets a browser try a password again",
    ),
    api(
        "POST",
        "/step-up/password",
        kinds.PRESENT_FIRST,
        step_up_password,
        body=models.Password,
        answer=models.SignedIn,
        summary="Show the password again",
        codes=(Code.WRONG_CREDENTIALS, Code.TOO_MANY_ATTEMPTS),
    ),
    api(
        "POST",
        "/step-up/totp",
        kinds.PRESENT_SECOND,
        step_up_totp,
        body=models.CodeBody,
        answer=models.SignedIn,
        summary="Show a fresh code from the authenticator app",
        codes=_WRONG,
    ),
    api(
        "POST",
        "/step-up/recovery-code",
        kinds.PRESENT_SECOND,
        recovery_code,
        body=models.CodeBody,
        answer=models.SignedIn,
        summary="Step up with a recovery code",
        codes=_WRONG,
    ),
    api("GET", "/session", kinds.SEE_SESSION, session, answer=models.Session, summary="This session"),
    api("POST", "/sign-out", kinds.SEE_SESSION, sign_out, status=204, summary="End this session"),
]
