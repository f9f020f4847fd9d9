"""Signing up, where NIGHTLATCH_SIGN_UP is open."""

from nightlatch.actions import kinds, sign_up
from nightlatch.actions.tokens import hash_token, new_token
from nightlatch.refusals import Code, Refused, WayOut
from nightlatch.store.session_facts import read_known
from nightlatch.web import flows
from nightlatch.web.answers import Answer
from nightlatch.web.api import models
from nightlatch.web.api.sign_in import address
from nightlatch.web.context import Context
from nightlatch.web.routes import Route, api
from nightlatch.web.session_view import view
from nightlatch.web.sign_up import no_sign_up


async def ask(context: Context, body: models.EmailBody) -> Answer:
    asked = address(body.email)
    await context.write(lambda tx: sign_up.request(tx, by=context.by, address=asked))
    return Answer(status=202)


async def finish(context: Context, body: models.SignUpFinish) -> Answer:
    if context.known.person is not None:
        raise Refused(
            Code.CONFLICT,
            "You are signed in with another account. Sign out first.",
            WayOut("Sign out.", "/api/v1/sign-out"),
        )
    token_hash = hash_token(body.token)
    found = await context.read(lambda tx: sign_up.look(tx, token_hash))
    hashed = await flows.hashed_password(context, body.password, [found.email, body.name])
    token, kind = new_token(), context.session_kind
    done = await context.write(
        lambda tx: sign_up.finish(
            tx,
            by=context.by,
            token_hash=token_hash,
            name=body.name,
            password_hash=hashed,
            session_token=token,
            kind=kind,
        )
    )
    known = await context.read(lambda tx: read_known(tx, done.token.hash, kind))
    session = models.Session.model_validate(view(known))
    return Answer(models.SignedIn(session=session, token=context.deliver(done.token)), 201)


ROUTES: list[Route] = [
    api(
        "POST",
        "/sign-up",
        kinds.OPEN,
        ask,
        body=models.EmailBody,
        status=202,
        summary="Have the way to an account mailed; the answer is always the same",
        codes=(Code.NOT_PERMITTED, Code.TOO_MANY_ATTEMPTS),
        closed=no_sign_up,
    ),
    api(
        "POST",
        "/sign-up/finish",
        kinds.OPEN,
        finish,
        body=models.SignUpFinish,
        answer=models.SignedIn,
        status=201,
        summary="Make the account of a mailed link, and sign it in",
        codes=(Code.NOT_PERMITTED, Code.EXPIRED, Code.ALREADY_USED, Code.CONFLICT),
        closed=no_sign_up,
    ),
]
