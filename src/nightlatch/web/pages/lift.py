"""The links after too many wrong tries: a browser may try the password again; a suspended app works again."""

from starlette.responses import Response

from nightlatch.actions import kinds, second_step, sign_in
from nightlatch.actions.proving import Proved, Wrong
from nightlatch.actions.tokens import new_token
from nightlatch.assurance import has_first
from nightlatch.refusals import Code, Refused, WayOut
from nightlatch.store.engine import Transaction
from nightlatch.store.query import Row
from nightlatch.web import flows, links
from nightlatch.web.branding import of
from nightlatch.web.context import Context
from nightlatch.web.fields import form_errors
from nightlatch.web.pages.dead_links import LIFT, UNBLOCK, look, spend
from nightlatch.web.pages.sign_in import go, onward, product_way
from nightlatch.web.rendering import page as render
from nightlatch.web.routes import Route, form, page


async def open_unblock(context: Context) -> Response:
    return links.exchange(context, UNBLOCK.name, "/unblock")


async def unblock_page(context: Context) -> Response:
    email = await look(
        context, UNBLOCK, lambda tx, token_hash: sign_in.look_unblock(tx, token_hash=token_hash)
    )
    return email if isinstance(email, Response) else render(context, "unblock.html", email=email)


async def unblock_form(context: Context) -> Response:
    done = await spend(
        context, UNBLOCK, lambda tx, token_hash: sign_in.unblock(tx, by=context.by, token_hash=token_hash)
    )
    if isinstance(done, Response):
        return done
    return links.forget(context, go(context, "/sign-in?said=unblocked"), UNBLOCK.name)


async def open_lift(context: Context) -> Response:
    return links.exchange(context, LIFT.name, "/lift")


async def lift_page(context: Context) -> Response:
    account = await look(context, LIFT, _account_of)
    return account if isinstance(account, Response) else await _lift(context, account)


def _account_of(tx: Transaction, token_hash: bytes) -> Row:
    """The account that the link is for. Raises Refused for a dead link."""
    account = second_step.look_lift(tx, token_hash=token_hash)
    if account is None:
        raise Refused(Code.EXPIRED, "This link no longer works.", WayOut("Sign in.", "/sign-in"))
    return account


async def _lift(
    context: Context,
    account: Row,
    *,
    status: int = 200,
    errors: dict[str, str] | None = None,
    spent: bool = False,
) -> Response:
    signed_in = context.facts.account == account.id and has_first(context.facts.proofs)
    brand = await of(context, account.app_id)
    return render(
        context,
        "lift.html",
        status=status,
        errors=errors,
        brand=brand,
        product_way=product_way(context, brand, "/lift") if brand is not None else None,
        email=account.email,
        signed_in=signed_in,
        spent=spent,
        sign_in_url=context.url("/sign-in?again=1&next=/lift"),
    )


async def lift_form(context: Context) -> Response:
    """The link is spent by the try, right or wrong: so there are never more tries than mails."""
    account = await look(context, LIFT, _account_of)
    if isinstance(account, Response):
        return account
    code = ""
    with form_errors() as errors:
        code = flows.canonical_code(context.form.get("code", ""))
    if errors:
        return await _lift(context, account, errors=errors)
    token = new_token()
    result = await spend(
        context,
        LIFT,
        lambda tx, token_hash: second_step.lift(
            tx, by=context.by, token_hash=token_hash, code=code, token=token
        ),
    )
    if isinstance(result, Proved):
        return links.forget(context, onward(context, result), LIFT.name)
    if isinstance(result, Wrong):
        message = "That code was already used." if result.replayed else "That code did not match."
        response = await _lift(context, account, status=401, errors={"form": message}, spent=True)
        return links.forget(context, response, LIFT.name)
    return result


ROUTES: list[Route] = [
    page("/unblock/{token}", kinds.OPEN, open_unblock, path_in_log="/unblock/-"),
    page("/unblock", kinds.OPEN, unblock_page),
    form("/unblock", kinds.OPEN, unblock_form),
    page("/lift/{token}", kinds.OPEN, open_lift, path_in_log="/lift/-"),
    page("/lift", kinds.OPEN, lift_page),
    form("/lift", kinds.PRESENT_SECOND, lift_form),
]
