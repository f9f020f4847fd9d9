"""Stepping up: fresh proof before a sensitive act, or the first factor after an idle time, and back to the act."""

from collections.abc import Collection
from typing import Any

from starlette.responses import Response

from nightlatch.access import decide_account, decide_workspace
from nightlatch.actions import kinds, sso_linking
from nightlatch.actions.proving import Proved
from nightlatch.assurance import first_method, relied_on, usable_methods
from nightlatch.decision import Challenge
from nightlatch.ids import to_text
from nightlatch.refusals import Refused, not_found
from nightlatch.vocabulary import Method, Reason
from nightlatch.web import flows
from nightlatch.web.branding import keep_onward, own_place
from nightlatch.web.context import Context, with_query
from nightlatch.web.pages.sign_in import (
    asked_place,
    asked_slug,
    guess_errors,
    onward,
    product_way,
    takes_passkeys,
)
from nightlatch.web.rendering import page as render
from nightlatch.web.routes import Route, form, page

_TEXTS = {
    "passkey": "Use your passkey",
    "password": "Use your password",
    "totp": "Use a code from your authenticator app",
    "recovery_code": "Use a recovery code",
}
_WHY = {
    "authenticators": "You are about to change how you sign in.",
    "account": "You are about to change your account.",
    "teammates": "You are about to change what others may do here.",
    "policy": "You are about to change who needs 2FA.",
    "tokens": "You are about to let a program read here.",
}
_WHY_ELSE = "What comes next is for you alone."


async def step_up_page(context: Context) -> Response:
    return await render_step_up(context)


async def render_step_up(context: Context, **more: Any) -> Response:
    """The page, as it is or with what was wrong."""
    using, others = _ways(context)
    target = context.next_path or "/"
    if using == Method.PROVIDER:
        person = context.known.person
        if person is not None and person.app_id is not None:
            return _step_up_at_product(context, target)
        return await _step_up_at_provider(context, target)
    values: dict[str, Any] = {
        "why": _WHY.get(_asked_act(context), _WHY_ELSE),
        "email": context.known.person.email if context.known.person else "",
        "using": using,
        "others": others,
        "wait": None,
        "again_url": context.url(_same_step_up(context, using)),
        "workspace": asked_slug(context),
        "act": _asked_act(context),
        "ways": asked_ways(context),
        "next": target,
        "cancel_url": context.url("/"),
    }
    return render(context, "step_up.html", **(values | more))


def _step_up_at_product(context: Context, target: str) -> Response:
    """Whom a product keeps has no password here: the product's own sign-in takes its place."""
    brand = context.brand
    if brand is None:
        raise not_found()
    place = asked_place(context) or own_place(context)
    response = render(
        context,
        "step_up_product.html",
        why=_WHY.get(_asked_act(context), _WHY_ELSE),
        product_way=product_way(context, brand, target),
        again=context.facts.idle or any(_lacks_first(context, each) for each in _planes_asked(context)),
        set_up=with_query("/set-up", workspace=place.slug if place is not None else "", next=target),
        cancel_url=context.url("/"),
    )
    return keep_onward(context, response, target)


def _ways(context: Context) -> tuple[str, list[dict[str, str]]]:
    """What the step-up page asks for, and the other ways: decided for the plane that asked, else for the account."""
    facts, planes = context.facts, _planes_asked(context)
    first_missing = any(_lacks_first(context, plane) for plane in planes)
    methods = {
        method for plane in planes if relied_on(facts, plane) for method in usable_methods(facts, plane)
    }
    wanted = context.form.get("using") or context.query("using")
    names = _names(context, methods)
    if wanted == Method.PASSWORD and facts.first is Method.PASSWORD:
        return wanted, []
    first_due = facts.idle or first_missing or not methods
    if facts.idle:
        # A passkey that verifies its user is a first factor.
        names = [each for each in names if each == Method.PASSKEY]
    if first_due and wanted not in names:
        first = _first(context, planes)
        names = [each for each in names if each == Method.PASSKEY and first is Method.PASSWORD]
        return first, _others(context, names)
    using = wanted if wanted in names else next(iter(names), facts.first.value)
    others = [each for each in names if each != using]
    if first_due and facts.first is Method.PASSWORD:
        others.append(Method.PASSWORD.value)
    return using, _others(context, others)


def _first(context: Context, planes: list[int | None]) -> Method:
    """What first factor is asked for: at the provider, where a plane takes nothing else and it is not idle alone."""
    facts = context.facts
    lacking = [plane for plane in planes if _lacks_first(context, plane)] or planes
    if facts.idle or any(first_method(facts, plane) is facts.first for plane in lacking):
        return facts.first
    return Method.PROVIDER


async def _step_up_at_provider(context: Context, target: str) -> Response:
    """The sign-in of the workspace's own provider; where the account is not connected with it, connecting first."""
    planes = [plane for plane in _planes_asked(context) if plane is not None]
    missing = context.facts.idle or any(_lacks_first(context, plane) for plane in planes)
    found = await context.read(lambda tx: sso_linking.own(tx, by=context.by))
    ways = [each for each in found if each.workspace_id in planes]
    connected = [each for each in ways if each.since is not None]
    return render(
        context,
        "step_up_sso.html",
        why=_WHY.get(_asked_act(context), _WHY_ELSE),
        again=missing,
        connected=bool(connected),
        ways=[{"id": to_text(each.id), "name": each.name} for each in connected or ways],
        workspace_name=ways[0].workspace_name if ways else None,
        fresh="" if missing else "yes",
        has_password=context.facts.first is Method.PASSWORD,
        set_up=with_query("/set-up", next=target),
        next=target,
        cancel_url=context.url("/"),
    )


def _names(context: Context, methods: Collection[Method]) -> list[str]:
    """What may be shown. What the gate asked for is in the address: an app is no help where only the passkey is as
    strong as it must be."""
    asked = asked_ways(context)
    names = [each for each in ("totp", "recovery_code") if Method(each) in methods]
    if takes_passkeys(context, methods):
        names.insert(0, "passkey")
    return [each for each in names if each in asked.split(",")] or names


def _others(context: Context, names: Collection[str]) -> list[dict[str, str]]:
    """Links to the same page for other ways."""
    return [{"text": _TEXTS[each], "url": context.url(_same_step_up(context, each))} for each in names]


def _planes_asked(context: Context) -> list[int | None]:
    """The workspace that asks; else all of the person's; without any, the account itself."""
    place = asked_place(context)
    if place is not None:
        return [place.id]
    return [each.workspace for each in context.facts.teammates] or [None]


def _asked_act(context: Context) -> str:
    """The kind of act that fresh proof is asked for."""
    return context.form.get("act") or context.query("act")


def asked_ways(context: Context) -> str:
    """The methods that the gate asked for, where it said so."""
    return context.form.get("ways") or context.query("ways")


def _lacks_first(context: Context, plane: int | None) -> bool:
    decision = decide_workspace(context.facts, plane) if plane is not None else decide_account(context.facts)
    return isinstance(decision, Challenge) and decision.reason in (Reason.FIRST_FACTOR, Reason.IDLE)


def _same_step_up(context: Context, using: str) -> str:
    return with_query(
        "/step-up",
        workspace=asked_slug(context),
        act=_asked_act(context),
        ways=asked_ways(context),
        using=using,
        next=context.next_path,
    )


async def step_up_form(context: Context) -> Response:
    using = context.form.get("using", "")
    try:
        if using == "password":
            field, result = "password", await flows.password_again(context, context.form.get("password", ""))
        elif using == "recovery_code":
            field, result = (
                "recovery_code",
                await flows.recovery(context, context.form.get("recovery_code", "")),
            )
        else:
            field, result = "code", await flows.code_from_app(context, context.form.get("code", ""))
    except Refused as refused:
        if not refused.errors:
            raise
        return await render_step_up(context, errors={refused.errors[0].field: refused.errors[0].message})
    if isinstance(result, Proved):
        return onward(context, result)
    return await render_step_up(context, **guess_errors(context, result, field))


ROUTES: list[Route] = [
    page("/step-up", kinds.SEE_SESSION, step_up_page),
    form("/step-up", kinds.PRESENT_FIRST, step_up_form),
]
