"""A person's own authenticators: tickets, enrolling, replacing, taking away, recovery codes."""

from nightlatch.actions import authenticators, enrolment, kinds, tickets
from nightlatch.actions.enrolment import Confirmed, NotConfirmed
from nightlatch.actions.tickets import WrongNumber
from nightlatch.actions.tokens import hash_token, new_token
from nightlatch.addresses import masked
from nightlatch.authenticators import totp
from nightlatch.authenticators.qr import qr_svg
from nightlatch.ids import from_text
from nightlatch.ids import to_text as id_text
from nightlatch.instants import to_text
from nightlatch.refusals import Code, Refused, WayOut, not_found
from nightlatch.web import flows
from nightlatch.web.answers import Answer
from nightlatch.web.api import models
from nightlatch.web.branding import issuer
from nightlatch.web.context import Context
from nightlatch.web.routes import Route, api
from nightlatch.web.session_view import view


def workspace_of(context: Context, slug: str | None) -> int | None:
    """The id of one of the account's workspaces. Raises Refused (404) for any other."""
    if slug is None:
        return None
    place = context.known.place_by_slug(slug)
    if place is None:
        raise not_found()
    return place.id


async def own(context: Context) -> Answer:
    items = await context.read(lambda tx: authenticators.own(tx, by=context.by))
    return Answer(models.Authenticators(items=[_shown(each) for each in items]))


def _shown(each: authenticators.Listed) -> models.Authenticator:
    return models.Authenticator.model_construct(
        id=id_text(each.id),
        method=each.method.value,
        name=each.name,
        bound_at=to_text(each.bound_at),
        last_used_at=to_text(each.last_used_at) if each.last_used_at is not None else None,
        suspended=each.suspended,
        recovery_codes_left=each.codes_left,
    )


async def send_ticket(context: Context, body: models.TicketBody) -> Answer:
    workspace_id = workspace_of(context, body.workspace)
    if body.workspace is None:
        workspace_id = tickets.default_workspace(context.known)
    sent = await context.write(lambda tx: tickets.send(tx, by=context.by, workspace_id=workspace_id))
    return Answer(
        models.TicketSent.model_validate({"email": masked(sent.email), "purpose": sent.purpose.value}), 202
    )


async def redeem(context: Context, body: models.RedeemBody) -> Answer:
    token_hash = hash_token(body.token)
    result = await context.write(
        lambda tx: tickets.redeem(tx, by=context.by, token_hash=token_hash, number=body.number)
    )
    if isinstance(result, WrongNumber):
        detail = (
            f"That number is not right. Tries left: {result.tries_left}."
            if result.tries_left
            else "There were too many wrong numbers. An admin of your workspace can start it again."
        )
        raise Refused(Code.WRONG_CODE, detail, WayOut("Ask the admin who turned your 2FA off.", "/recover"))
    return Answer(models.Redeemed(workspace=result.slug))


def old_one(text: str | None) -> int | None:
    """The id of what something new is to replace. Raises Refused (404) for what is none."""
    replaces = from_text(text) if text is not None else None
    if text is not None and replaces is None:
        raise not_found()
    return replaces


async def begin(context: Context, body: models.BeginTotp) -> Answer:
    replaces = old_one(body.replaces)
    workspace_id = workspace_of(context, body.workspace)
    pending = await context.write(
        lambda tx: enrolment.begin(
            tx, by=context.by, name=body.name or "", replaces=replaces, workspace_id=workspace_id
        )
    )
    uri = totp.otpauth_uri(pending.seed, await issuer(context), pending.account)
    svg = await context.pool(lambda: qr_svg(uri))
    return Answer(
        models.PendingTotp(
            id=id_text(pending.id),
            secret=totp.key_text(pending.seed),
            otpauth_uri=uri,
            qr_svg=svg,
            expires_at=to_text(pending.expires_at),
        ),
        201,
    )


async def confirm(context: Context, body: models.CodeBody) -> Answer:
    result, codes = await flows.confirm_enrolment(context, context.id(), body.code)
    if isinstance(result, NotConfirmed):
        raise Refused(Code.WRONG_CODE, drift_text(result.drift), WayOut("Scan the code again.", "/set-up"))
    return confirmed(context, result, codes)


def drift_text(drift: int | None) -> str:
    """Why a code was not right while enrolling: the phone's clock, with its size, or the code itself."""
    if drift is None:
        return flows.NOT_MATCHED
    off = " ".join(flows.drift_words(drift).values())
    return (
        f"This code is right for another moment: your phone's clock seems about {off}. Turn on automatic date and "
        "time, then try the new code."
    )


def confirmed(context: Context, result: Confirmed, codes: list[str], status: int = 200) -> Answer:
    """The answer to a binding."""
    now = to_text(result.known.facts.now)
    shown = models.Authenticator.model_construct(
        id=id_text(result.authenticator_id),
        method=result.method.value,
        name=result.name,
        bound_at=now,
        last_used_at=now,
        suspended=False,
        recovery_codes_left=None,
    )
    return Answer(
        models.Confirmed.model_construct(
            authenticator=shown,
            recovery_codes=codes or None,
            session=models.Session.model_validate(view(result.known)),
            token=context.deliver(result.token),
        ),
        status,
    )


async def rename(context: Context, body: models.NameBody) -> Answer:
    id = context.id()
    await context.write(
        lambda tx: authenticators.rename(tx, by=context.by, authenticator_id=id, name=body.name)
    )
    items = await context.read(lambda tx: authenticators.own(tx, by=context.by))
    return Answer(next(_shown(each) for each in items if each.id == id))


async def unbind(context: Context) -> Answer:
    id = context.id()
    await context.write(lambda tx: authenticators.unbind(tx, by=context.by, authenticator_id=id))
    return Answer(status=204)


async def renew_codes(context: Context) -> Answer:
    fresh, hashed = await flows.new_codes(context)
    token = new_token()
    renewed = await context.write(
        lambda tx: authenticators.renew_codes(tx, by=context.by, codes=hashed, token=token)
    )
    return Answer(
        models.RecoveryCodes(recovery_codes=[each.text for each in fresh], token=context.deliver(renewed))
    )


ROUTES: list[Route] = [
    api(
        "GET",
        "/me/authenticators",
        kinds.READ_ACCOUNT,
        own,
        answer=models.Authenticators,
        summary="What is bound",
    ),
    api(
        "POST",
        "/me/tickets",
        kinds.SEE_SESSION,
        send_ticket,
        body=models.TicketBody,
        answer=models.TicketSent,
        status=202,
        summary="Have the link mailed that a binding takes",
        codes=(
            Code.CONFLICT,
            Code.TOO_MANY_ATTEMPTS,
            Code.NOT_FOUND,
            Code.STEP_UP_REQUIRED,
            Code.SECOND_FACTOR_REQUIRED,
            Code.EXPIRED,
        ),
    ),
    api(
        "POST",
        "/tickets/redeem",
        kinds.SEE_SESSION,
        redeem,
        body=models.RedeemBody,
        answer=models.Redeemed,
        summary="Use the mailed link: this session may then bind",
        codes=(
            Code.WRONG_CODE,
            Code.ALREADY_USED,
            Code.EXPIRED,
            Code.NOT_FOUND,
            Code.STEP_UP_REQUIRED,
            Code.SECOND_FACTOR_REQUIRED,
        ),
    ),
    api(
        "POST",
        "/me/authenticators/totp",
        kinds.REPLACE,
        begin,
        body=models.BeginTotp,
        answer=models.PendingTotp,
        status=201,
        summary="Begin enrolling an authenticator app",
        codes=(Code.NOT_FOUND, Code.CONFLICT, Code.MANDATED, Code.LAST_OWNER),
    ),
    api(
        "POST",
        "/me/authenticators/totp/{id}/confirm",
        kinds.REPLACE,
        confirm,
        body=models.CodeBody,
        answer=models.Confirmed,
        summary="Confirm it with its first code",
        codes=(Code.WRONG_CODE, Code.EXPIRED, Code.MANDATED, Code.LAST_OWNER),
    ),
    api(
        "PATCH",
        "/me/authenticators/{id}",
        kinds.READ_ACCOUNT,
        rename,
        body=models.NameBody,
        answer=models.Authenticator,
        summary="Call it by another name",
    ),
    api(
        "DELETE",
        "/me/authenticators/{id}",
        kinds.READ_ACCOUNT,
        unbind,
        status=204,
        summary="Take an authenticator away",
        codes=(Code.MANDATED, Code.LAST_OWNER),
    ),
    api(
        "POST",
        "/me/recovery-codes",
        kinds.ENROL,
        renew_codes,
        answer=models.RecoveryCodes,
        summary="Ten new recovery codes; the old set of the same reach is dead",
        codes=(Code.CONFLICT,),
    ),
]
