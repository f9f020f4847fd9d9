"""Signing in and out, and the second step. The ways back without the phone are in recover.py."""

from collections.abc import Collection
from typing import Any

from starlette.responses import RedirectResponse, Response

from nightlatch.access import decide_account, decide_workspace
from nightlatch.actions import kinds, remembering, second_step, sign_in
from nightlatch.actions.proving import Proved, Wait, Wrong
from nightlatch.assurance import liftable, takes_passkeys_alone, usable_methods
from nightlatch.decision import Allow, Challenge
from nightlatch.refusals import Refused
from nightlatch.store import teammates
from nightlatch.store.engine import Transaction
from nightlatch.store.known import Place
from nightlatch.vocabulary import Method, Reason
from nightlatch.web import flows
from nightlatch.web.branding import Brand, keep_onward, remember, remembered
from nightlatch.web.context import Context, with_query
from nightlatch.web.fields import address_field, form_errors
from nightlatch.web.rendering import page as render
from nightlatch.web.rendering import wait_value
from nightlatch.web.routes import Route, form, page
from nightlatch.web.sign_up import is_open
from nightlatch.web.sso_offers import offers_to


def go(context: Context, path: str) -> Response:
    """On to a path of our own."""
    return RedirectResponse(context.url(path), 303)


# --- sign in, sign out ---


async def sign_in_page(context: Context) -> Response:
    if context.open and not context.query("again"):
        return go(context, context.next_path or "/")
    return await render_sign_in(context)


async def render_sign_in(context: Context, **more: Any) -> Response:
    """The sign-in page, as it is or with what was wrong."""
    brand = await remembered(context)
    values: dict[str, Any] = {
        "product_way": product_way(context, brand, context.next_path) if brand is not None else None,
        "next": context.next_path,
        "email": context.form.get("email", ""),
        "wait": None,
        "sign_up": is_open(context.front.config),
        "sso_url": context.url(with_query("/sign-in/sso", next=context.next_path)),
        "offers": await offers_to(context, context.form.get("email", "")),
        "blocked": False,
        "passkeys": context.front.config.passkey_host is not None,
    }
    response = render(context, "sign_in.html", **(values | more))
    return keep_onward(context, response, context.next_path) if brand is not None else response


def product_way(context: Context, brand: Brand, path: str) -> dict[str, Any]:
    """The way to one of our pages through a product's own sign-in, for a template."""
    return {
        "name": brand.name,
        "logo": context.url(brand.logo) if brand.logo is not None else None,
        "url": brand.opening_path(path),
        "home": brand.home,
    }


async def sign_in_form(context: Context) -> Response:
    password = context.form.get("password", "")
    with form_errors() as errors:
        address = address_field(context.form.get("email", ""))
    if not password:
        errors["password"] = "Enter your password."
    if errors:
        return await render_sign_in(context, errors=errors)
    result = await flows.password_sign_in(context, address, password)
    if isinstance(result, Wait):
        blocked = result.retry_at is None
        return await render_sign_in(
            context,
            status=429,
            wait=wait_value(context.now, result.retry_at),
            blocked=blocked,
        )
    if isinstance(result, Wrong):
        return await render_sign_in(
            context,
            status=401,
            errors={"form": "E-mail or password is wrong."},
            wait=wait_value(context.now, result.retry_at),
        )
    return onward(context, result)


def onward(context: Context, proved: Proved, target: str = "") -> Response:
    """After an accepted proof: the second step if it is still due, else where the person was going."""
    context.session_token = proved.token
    target = target or context.next_path or "/"
    if isinstance(decide_account(proved.known.facts), Challenge) and target not in ("/lift", "/ticket"):
        return go(context, with_query("/sign-in/second-step", next=target))
    return go(context, target)


_ON_AFTER_SIGN_OUT = ("/tickets", "/ticket", "/invitation", "/sign-up", "/authz/sign-in")
"""Pages of mailed links, and the way from a protected host: somebody signs out to go on there as somebody else."""


async def sign_out_form(context: Context) -> Response:
    await context.write(lambda tx: sign_in.sign_out(tx, by=context.by))
    context.ends_session = True
    target, person = context.next_path, context.known.person
    response = go(
        context,
        target if target.startswith(_ON_AFTER_SIGN_OUT) else "/sign-in?said=signed-out",
    )
    if person is not None and person.app_id is not None:
        return remember(context, response, person.app_id)
    return response


async def unblock_form(context: Context) -> Response:
    with form_errors() as errors:
        address = address_field(context.form.get("email", ""))
    if errors:
        return await render_sign_in(context, errors=errors, blocked=True)
    await context.write(lambda tx: sign_in.ask_unblock(tx, by=context.by, address=address))
    return render(
        context,
        "check_mail.html",
        purpose="unblock",
        email=address.display,
        lasts="1 hour",
        resend_path="/sign-in/unblock",
    )


# --- second step ---


async def second_step_page(context: Context) -> Response:
    place = asked_place(context)
    decision = (
        decide_workspace(context.facts, place.id) if place is not None else decide_account(context.facts)
    )
    if isinstance(decision, Allow):
        return go(context, context.next_path or "/")
    if isinstance(decision, Challenge) and decision.reason in (Reason.FIRST_FACTOR, Reason.IDLE):
        return go(
            context, with_query("/step-up", workspace=place.slug if place else "", next=context.next_path)
        )
    if (
        isinstance(decision, Challenge)
        and decision.methods == (Method.RECOVERY_CODE,)
        and not _suspended(context)
    ):
        return go(context, with_query("/recover", next=context.next_path))
    return await render_second_step(context)


async def render_second_step(context: Context, **more: Any) -> Response:
    """The second step, as it is or with what was wrong."""
    place, facts = asked_place(context), context.facts
    bound = [each for each in facts.authenticators if each.method is Method.TOTP]
    methods = open_methods(context)
    offered = await context.read(lambda tx: remembering.offer(tx, by=context.by, known=context.known))
    values: dict[str, Any] = {
        "email": context.known.person.email if context.known.person else "",
        "workspace_name": place.name if place is not None else None,
        "has_app": Method.TOTP in methods,
        "has_passkey": takes_passkeys(context, methods),
        "app_suspended": bool(bound) and _suspended(context),
        "has_recovery_codes": Method.RECOVERY_CODE in methods,
        "remember": {"days": offered.days, "workspaces": offered.workspaces} if offered is not None else None,
        "wait": None,
        "may_lift": _may_lift(context),
        "recover_url": context.url(with_query("/recover", next=context.next_path)),
        "again_url": context.url(_same(context, "/sign-in/second-step")),
        "workspace": place.slug if place is not None else "",
        "next": context.next_path,
    }
    return render(context, "second_step.html", **(values | more))


async def second_step_form(context: Context) -> Response:
    try:
        result = await flows.code_from_app(context, context.form.get("code", ""), remembers=ticked(context))
    except Refused as refused:
        if not refused.errors:
            raise
        return await render_second_step(context, errors={"code": refused.errors[0].message})
    if isinstance(result, Proved):
        return onward(context, result)
    return await render_second_step(context, **guess_errors(context, result, "code"))


def ticked(context: Context) -> bool:
    """Whether the box was: not again in this browser."""
    return context.form.get("remember") == "yes"


def guess_errors(context: Context, result: Wrong | Wait, field: str) -> dict[str, Any]:
    """Status, and the waiting time or else the message, for a code that was wrong or came too soon.

    Where it is to be waited, the page says that alone: it has no field then that a message could lead to.
    """
    status = 429 if isinstance(result, Wait) else 401
    wait = wait_value(context.now, result.retry_at)
    if wait is not None:
        return {"status": status, "wait": wait}
    if isinstance(result, Wait):
        errors = {"form": "There were too many wrong codes. Codes are not taken for now."}
        return {"status": status, "errors": errors}
    if result.replayed:
        message = "This code was already used. Wait for the next one."
    elif field == "recovery_code":
        message = "That recovery code did not match, or was used before."
    elif field == "password":
        message = "That password is wrong."
    else:
        message = flows.NOT_MATCHED
    return {"status": status, "errors": {field: message}}


def _same(context: Context, path: str) -> str:
    """The same page, asked for the same workspace and way on."""
    return with_query(path, workspace=asked_slug(context), next=context.next_path)


def asked_place(context: Context) -> Place | None:
    """The workspace that the page was asked for, if it is one of the person's."""
    slug = asked_slug(context)
    return context.known.place_by_slug(slug) if slug else None


def asked_slug(context: Context) -> str:
    """The workspace that the page was asked for: in its address, and in its form when that is sent."""
    return context.form.get("workspace") or context.query("workspace")


def open_methods(context: Context) -> set[Method]:
    """What some workspace of the person would take now."""
    facts = context.facts
    planes: list[int | None] = [each.workspace for each in facts.teammates] or [None]
    found = {method for plane in planes for method in usable_methods(facts, plane)}
    place = asked_place(context)
    if place is not None and takes_passkeys_alone(facts, place.id):
        found -= {Method.TOTP}
    return found


def takes_passkeys(context: Context, methods: Collection[Method]) -> bool:
    """Whether a passkey is among the methods, and this address can have them."""
    return Method.PASSKEY in methods and context.front.config.passkey_host is not None


def _suspended(context: Context) -> bool:
    return any(each.method is Method.TOTP and each.suspended for each in context.facts.authenticators)


def _may_lift(context: Context) -> bool:
    """Lost or contested is not lifted by a mailed link and a code."""
    return any(each.method is Method.TOTP and liftable(each) for each in context.facts.authenticators)


async def ask_lift_form(context: Context) -> Response:
    await context.write(lambda tx: second_step.ask_lift(tx, by=context.by))
    email = context.known.person.email if context.known.person else ""
    return render(
        context, "check_mail.html", purpose="lift", email=email, lasts="24 hours", resend_path="/sign-in/lift"
    )


# --- who can help ---


async def helpers(context: Context, workspace_id: int | None = None) -> list[dict[str, str]]:
    """Owners and admins of the person's workspaces who can help, by name."""
    places = [each for each in (context.known.places or {}).values() if workspace_id in (None, each.id)]
    but = context.facts.account or 0

    def body(tx: Transaction) -> list[dict[str, str]]:
        return [
            {"name": row.name, "workspace_name": place.name}
            for place in places
            for row in teammates.managers(tx, place.id, but)
        ]

    return await context.read(body)


ROUTES: list[Route] = [
    page("/sign-in", kinds.OPEN, sign_in_page),
    form("/sign-in", kinds.OPEN, sign_in_form),
    form("/sign-out", kinds.SEE_SESSION, sign_out_form, shown_at="/"),
    form("/sign-in/unblock", kinds.OPEN, unblock_form, shown_at="/sign-in"),
    page("/sign-in/second-step", kinds.SEE_SESSION, second_step_page),
    form("/sign-in/second-step", kinds.PRESENT_SECOND, second_step_form),
    form("/sign-in/lift", kinds.PRESENT_SECOND, ask_lift_form, shown_at="/sign-in/second-step"),
]
