"""Settings > User, the part about 2FA: new recovery codes, taking an authenticator app away."""

from dataclasses import replace
from typing import Any

from starlette.responses import Response

from nightlatch.access import decide
from nightlatch.actions import authenticators, kinds
from nightlatch.actions.tokens import new_token
from nightlatch.assurance import touches
from nightlatch.decision import Allow
from nightlatch.ids import to_text
from nightlatch.refusals import Code, Refused, not_found, refusal_of
from nightlatch.store import authenticators as stored
from nightlatch.vocabulary import Method
from nightlatch.web import flows
from nightlatch.web.context import Context
from nightlatch.web.pages import set_up_codes
from nightlatch.web.pages.settings_view import who_can_help
from nightlatch.web.pages.sign_in import go
from nightlatch.web.rendering import page as render
from nightlatch.web.routes import Route, form, page

HERE = "/settings/user"


async def renew_codes_form(context: Context) -> Response:
    """Answers with the codes themselves: they are shown once and kept nowhere."""
    token = new_token()
    fresh, hashed = await flows.new_codes(context)
    context.session_token = await context.write(
        lambda tx: authenticators.renew_codes(tx, by=context.by, codes=hashed, token=token)
    )
    return set_up_codes.codes_page(context, [each.text for each in fresh], first=False, target=HERE)


async def remove_page(context: Context) -> Response:
    """Who asks for fresh proof does so before the question, so that it is asked once."""
    gone = context.facts.authenticator(context.id())
    if gone is None or gone.method is Method.RECOVERY_CODE:
        raise not_found()
    if not authenticators.mandated_by(context.facts, gone.id):
        decision = decide(context.facts, replace(kinds.CHANGE_AUTHENTICATOR, reach=touches(gone)))
        if not isinstance(decision, Allow):
            raise refusal_of(decision)
    return await _remove(context)


async def _remove(context: Context, **more: Any) -> Response:
    id, facts, account_id = context.id(), context.facts, context.facts.account or 0
    row = await context.read(lambda tx: stored.by_id(tx, id, account_id))
    if row is None:
        raise not_found()
    demanding = authenticators.mandated_by(facts, id)
    places = context.known.places or {}
    values = {
        "id": to_text(id),
        "name": row.name,
        "passkey": row.method == Method.PASSKEY,
        "last": not any(
            each.method is not Method.RECOVERY_CODE and each.id != id for each in facts.authenticators
        ),
        "mandated_by": [{"name": places[each].name} for each in demanding],
        "helpers": await who_can_help(context, demanding),
    }
    return render(context, "authenticator_remove.html", **(values | more))


async def remove_form(context: Context) -> Response:
    id = context.id()
    try:
        await context.write(lambda tx: authenticators.unbind(tx, by=context.by, authenticator_id=id))
    except Refused as refused:
        if refused.code is not Code.MANDATED:
            raise
        return await _remove(context, status=409)
    return go(context, f"{HERE}?said=removed")


async def name_form(context: Context) -> Response:
    id, name = context.id(), context.form.get("name", "")
    await context.write(lambda tx: authenticators.rename(tx, by=context.by, authenticator_id=id, name=name))
    return go(context, f"{HERE}?said=renamed")


ROUTES: list[Route] = [
    form(f"{HERE}/authenticators/{{id}}/name", kinds.READ_ACCOUNT, name_form, shown_at=HERE),
    form(f"{HERE}/recovery-codes", kinds.ENROL, renew_codes_form, shown_at=HERE),
    page(f"{HERE}/authenticators/{{id}}/remove", kinds.READ_ACCOUNT, remove_page),
    form(f"{HERE}/authenticators/{{id}}/remove", kinds.READ_ACCOUNT, remove_form),
]
