"""The lost-device page: another method, a recovery code, or asking the admins, in this order."""

from typing import Any

from starlette.responses import Response

from nightlatch.access import decide_workspace
from nightlatch.actions import help as asking
from nightlatch.actions import kinds
from nightlatch.actions.proving import Proved
from nightlatch.assurance import counts_somewhere
from nightlatch.decision import Enrol
from nightlatch.ids import to_text as id_text
from nightlatch.refusals import Refused
from nightlatch.store import authenticators
from nightlatch.store.engine import Transaction
from nightlatch.store.known import Known
from nightlatch.vocabulary import Method, Reason
from nightlatch.web import flows
from nightlatch.web.context import Context, with_query
from nightlatch.web.pages.sign_in import go, guess_errors, open_methods, takes_passkeys
from nightlatch.web.rendering import page as render
from nightlatch.web.routes import Route, form, page


async def recover_page(context: Context) -> Response:
    return await _recover(context)


async def _recover(context: Context, **more: Any) -> Response:
    methods = open_methods(context)
    helping, asked = await context.read(lambda tx: _help(tx, context))
    values: dict[str, Any] = {
        "email": context.known.person.email if context.known.person else "",
        "has_app": Method.TOTP in methods,
        "has_passkey": takes_passkeys(context, methods),
        "has_recovery_codes": Method.RECOVERY_CODE in methods and await _codes_left(context) > 0,
        "wait": None,
        "again_url": context.url(with_query("/recover", next=context.next_path)),
        "helpers": helping,
        "asked": asked,
        "may_ask": bool(helping) and len({each["workspace_name"] for each in helping}) > len(asked),
        "second_step_url": context.url(with_query("/sign-in/second-step", next=context.next_path)),
        "next": context.next_path,
    }
    return render(context, "recover.html", **(values | more))


def _help(tx: Transaction, context: Context) -> tuple[list[dict[str, str]], list[dict[str, Any]]]:
    """Who may turn this person's 2FA off, by name, and where they were asked within the last 24 hours."""
    if context.facts.account is None:
        return [], []
    helping = [
        {"name": row.name, "workspace_name": place.name}
        for place in asking.asking_for(context.known, None)
        for row in asking.helpers_of(tx, context.known, place)[:10]
    ]
    asked = [
        {"workspace_name": each.name, "at": each.asked_at, "open": not each.closed}
        for each in asking.asked_lately(tx, known=context.known)
    ]
    return helping, asked


async def _codes_left(context: Context) -> int:
    """How many recovery codes are unspent, in all sets together that count somewhere."""
    sets = [
        each.id
        for each in context.facts.authenticators
        if each.method is Method.RECOVERY_CODE and counts_somewhere(context.facts, each)
    ]
    return await context.read(lambda tx: sum(authenticators.codes_left(tx, each) for each in sets))


async def recover_form(context: Context) -> Response:
    try:
        result = await flows.recovery(context, context.form.get("recovery_code", ""))
    except Refused as refused:
        if not refused.errors:
            raise
        return await _recover(context, errors={"recovery_code": refused.errors[0].message})
    if not isinstance(result, Proved):
        return await _recover(context, **guess_errors(context, result, "recovery_code"))
    context.session_token = result.token
    return _recovered(context, result)


def _recovered(context: Context, result: Proved) -> Response:
    """How many codes are left, and the way to what takes the place of what is lost."""
    own = [each for each in result.known.facts.authenticators if each.method is not Method.RECOVERY_CODE]
    only = own[0] if len(own) == 1 else None
    target = context.next_path or "/"
    return render(
        context,
        "recovered.html",
        codes_left=result.recovery_codes_left or 0,
        continue_url=context.url(target),
        lost="several" if only is None else "passkey" if only.method is Method.PASSKEY else "app",
        replaces=id_text(only.id) if only is not None else "",
        asked_by=_asks_for_a_passkey(result.known),
        next=target,
    )


def _asks_for_a_passkey(known: Known) -> dict[str, str] | None:
    """A workspace that a passkey alone opens, to which the recovery code leads no further than to a new one."""
    for place in (known.places or {}).values():
        decision = decide_workspace(known.facts, place.id)
        if isinstance(decision, Enrol) and decision.reason is Reason.STRENGTH:
            return {"name": place.name, "slug": place.slug}
    return None


async def ask_form(context: Context) -> Response:
    try:
        await context.write(lambda tx: asking.ask(tx, by=context.by))
    except Refused as refused:
        if refused.decision is not None:
            raise
        return await _recover(context, status=refused.status, errors={"form": refused.detail})
    return go(context, with_query("/recover", next=context.next_path) + "#lost")


ROUTES: list[Route] = [
    page("/recover", kinds.SEE_SESSION, recover_page),
    form("/recover", kinds.PRESENT_SECOND, recover_form),
    form("/recover/ask", kinds.ASK_HELP, ask_form, shown_at="/recover"),
]
