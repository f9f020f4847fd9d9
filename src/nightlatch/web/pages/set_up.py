"""Setting up 2FA: the mailbox where it has to be shown first, then scan, confirm, and on to where one was going.

Opening the page changes nothing: a set-up is begun by a POST (a ticket's button, a new account, "Set up your new
phone"), belongs to the session that began it, and is drawn again by every reload.
"""

from typing import Any

from starlette.responses import Response

from nightlatch.access import decide
from nightlatch.actions import enrolment, kinds
from nightlatch.actions.enrolment import Confirmed, NotConfirmed, Pending
from nightlatch.authenticators import totp
from nightlatch.authenticators.qr import qr_svg
from nightlatch.decision import Allow, Deny, Enrol
from nightlatch.ids import to_text
from nightlatch.refusals import Code, Refused
from nightlatch.store import authenticators
from nightlatch.store.known import Place
from nightlatch.vocabulary import Reason
from nightlatch.web import branding, flows
from nightlatch.web.context import Context
from nightlatch.web.pages import set_up_asked, set_up_codes, set_up_mail
from nightlatch.web.pages.set_up_asked import Asked
from nightlatch.web.pages.sign_in import go
from nightlatch.web.rendering import page as render
from nightlatch.web.routes import Route, form, page

_OVER = (Code.EXPIRED, Code.NOT_FOUND)


async def set_up_page(context: Context) -> Response:
    asked = set_up_asked.read(context)
    pending = await context.read(lambda tx: enrolment.current(tx, by=context.by))
    if pending is not None and asked.meant(context, pending) and _app_will_do(context, pending):
        return await _scan(context, pending, asked.next)
    decision = decide(context.facts, asked.action)
    if isinstance(decision, Enrol) or (isinstance(decision, Deny) and decision.reason is Reason.MAIL_PROOF):
        return await set_up_mail.mail_page(context, asked)
    if not isinstance(decision, Allow):
        raise set_up_asked.refusal(context, decision)
    if not asked.replaces and not asked.another and set_up_asked.has_two_factor(context, asked.place):
        return go(context, asked.next or set_up_asked.landing(context.known))
    return await start(context, asked)


def _app_will_do(context: Context, pending: Pending) -> bool:
    """What was begun is an app; it is put away where a passkey alone satisfies."""
    place = set_up_asked.place_of(context, pending.workspace_id)
    return not set_up_asked.passkey_alone(context, place, pending.replaces)


async def begin_form(context: Context) -> Response:
    asked = set_up_asked.read(context)
    await context.write(
        lambda tx: enrolment.begin(
            tx, by=context.by, name="", replaces=asked.replaces, workspace_id=asked.workspace_id
        )
    )
    return go(context, asked.path)


async def confirm_form(context: Context) -> Response:
    pending = await context.read(lambda tx: enrolment.current(tx, by=context.by))
    if pending is None:
        return await _over(context)
    try:
        result, codes = await flows.confirm_enrolment(context, pending.id, context.form.get("code", ""))
    except Refused as refused:
        if refused.code in _OVER:
            return await _over(context)
        if not refused.errors:
            raise
        return await _scan(context, pending, context.next_path, errors={"code": refused.errors[0].message})
    if isinstance(result, NotConfirmed):
        return await _not_confirmed(context, pending, result)
    return await confirmed(context, pending.workspace_id, result, codes)


async def confirmed(
    context: Context, workspace_id: int | None, result: Confirmed, codes: list[str]
) -> Response:
    """After a binding: the recovery codes that came with it, or on to where the person was going."""
    context.session_token = result.token
    place = set_up_asked.place_of(context, workspace_id)
    target = context.next_path or set_up_asked.landing(result.known, place)
    said = "phone-replaced" if result.replaced is not None else "two-factor-on"
    if not codes:
        return go(context, set_up_codes.after(result.known.facts, target, said))
    return set_up_codes.codes_page(
        context,
        codes,
        first=True,
        target=target,
        newcomer=result.first and set_up_asked.by_invitation(context),
        replaced={"name": result.replaced} if result.replaced is not None else None,
        method=result.method,
        workspace_name=place.name if place is not None else None,
    )


async def _not_confirmed(context: Context, pending: Pending, result: NotConfirmed) -> Response:
    if result.drift is None:
        return await _scan(context, pending, context.next_path, errors={"code": flows.NOT_MATCHED})
    return await _scan(context, pending, context.next_path, drift=flows.drift_words(result.drift), status=422)


async def _scan(context: Context, pending: Pending, target: str, **more: Any) -> Response:
    issuer = await branding.issuer(context)
    uri = totp.otpauth_uri(pending.seed, issuer, pending.account)
    values = await set_up_asked.about(context, set_up_asked.place_of(context, pending.workspace_id), target)
    values |= {
        "qr_svg": await context.pool(lambda: qr_svg(uri)),
        "secret": totp.key_text(pending.seed),
        "secret_groups": totp.grouped_key(pending.seed).split(),
        "otpauth_uri": uri,
        "issuer": issuer,
        "account": pending.account,
        "expires": pending.expires_at,
        "drift": None,
        **passkey_values(context, set_up_asked.place_of(context, pending.workspace_id), pending.replaces),
        "replaces_id": to_text(pending.replaces) if pending.replaces is not None else "",
        "replaces": await _replaced(context, pending.replaces),
        "email": pending.account,
    }
    return render(context, "set_up_scan.html", **(values | more))


def passkey_values(context: Context, place: Place | None, replaces: int | None) -> dict[str, Any]:
    """What the pages need to offer a passkey: before anything else on a phone, and where it is what is asked for."""
    asked = {
        "workspace": place.slug if place is not None else "",
        "replaces": to_text(replaces) if replaces else "",
    }
    return {
        "passkeys": context.front.config.passkey_host is not None,
        "passkey_first": on_phone(context.by.user_agent)
        or set_up_asked.passkey_wanted(context, place)
        or set_up_asked.is_passkey(context.facts, replaces),
        "on_phone": on_phone(context.by.user_agent),
        "passkey_ask": {name: value for name, value in asked.items() if value},
        "workspace": asked["workspace"],
    }


async def _replaced(context: Context, replaces: int | None) -> dict[str, str] | None:
    if replaces is None:
        return None
    account_id = context.facts.account or 0
    row = await context.read(lambda tx: authenticators.by_id(tx, replaces, account_id))
    return {"name": row.name} if row is not None else None


async def start(context: Context, asked: Asked, **more: Any) -> Response:
    """It may begin: one button, because opening a page begins nothing."""
    values = await set_up_asked.about(context, asked.place, asked.next)
    values |= {
        "state": "start",
        **passkey_values(context, asked.place, asked.replaces),
        "replaces_passkey": set_up_asked.is_passkey(context.facts, asked.replaces),
        "passkey_alone": set_up_asked.passkey_alone(context, asked.place, asked.replaces),
        "replaces": to_text(asked.replaces) if asked.replaces is not None else "",
        "replaces_name": ((await _replaced(context, asked.replaces)) or {}).get("name"),
        "another": asked.another,
        "continue_url": None,
    }
    response = render(context, "set_up_start.html", **(values | more))
    return set_up_mail.keep_next(context, response, asked)


async def _over(context: Context) -> Response:
    """A code for a set-up that has run out, was begun anew elsewhere, or is confirmed already (a form sent twice)."""
    asked = set_up_asked.read(context)
    done = set_up_asked.has_two_factor(context, asked.place)
    target = asked.next or set_up_asked.landing(context.known, asked.place)
    return await start(
        context,
        asked,
        status=200 if done else 410,
        state="done" if done else "over",
        continue_url=context.url(target),
    )


_PHONES = ("iPhone", "iPod", "Mobile", "Windows Phone")


def on_phone(user_agent: str) -> bool:
    """Whether the browser says that it runs on a phone (tablets show a QR code well, and are scanned from)."""
    return "iPad" not in user_agent and any(mark in user_agent for mark in _PHONES)


ROUTES: list[Route] = [
    page("/set-up", kinds.SEE_SESSION, set_up_page),
    form("/set-up", kinds.REPLACE, confirm_form),
    form("/set-up/begin", kinds.REPLACE, begin_form, shown_at="/set-up"),
    *set_up_mail.ROUTES,
    *set_up_codes.ROUTES,
]
