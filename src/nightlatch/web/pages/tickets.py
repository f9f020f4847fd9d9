"""The mailed link that lets its holder set up 2FA: one tap in the mail, one on the page, then the flow."""

from typing import Any

from starlette.responses import Response

from nightlatch.actions import enrolment, kinds, tickets
from nightlatch.actions.tickets import Look, Redeemed, WrongNumber
from nightlatch.actions.tokens import hash_token
from nightlatch.authenticators.spelling import MalformedCode, compact
from nightlatch.refusals import Code, Refused, invalid
from nightlatch.store.engine import Transaction
from nightlatch.vocabulary import Method, TicketPurpose
from nightlatch.web import links
from nightlatch.web.branding import of
from nightlatch.web.context import Context, safe_next, with_query
from nightlatch.web.fields import form_errors
from nightlatch.web.pages import ticket_renew
from nightlatch.web.pages.dead_links import dead_link
from nightlatch.web.pages.set_up_mail import NEXT
from nightlatch.web.pages.sign_in import go, product_way
from nightlatch.web.rendering import page as render
from nightlatch.web.routes import Route, form, page

COOKIE = "ticket"
NUMBER_DIGITS = 8
_WORDS = {
    TicketPurpose.SELF_SERVICE: "self",
    TicketPurpose.MANDATE: "mandate",
    TicketPurpose.RESET: "reset",
}


async def open_link(context: Context) -> Response:
    return links.exchange(context, COOKIE, "/ticket")


async def ticket_page(context: Context) -> Response:
    token = links.token_of(context, COOKIE)
    if token is None:
        return dead_link(context, "ticket", "unknown")
    return await _ticket(context, token)


async def _look(context: Context, token: str) -> Look:
    return await context.read(lambda tx: tickets.look(tx, by=context.by, token_hash=hash_token(token)))


async def _ticket(context: Context, token: str, **more: Any) -> Response:
    found = await _look(context, token)
    if found.state not in ("ready", "sign_in", "other"):
        return await _dead(context, found, token)
    brand = await of(context, found.app_id)
    values = {
        "brand": brand,
        "product_way": product_way(context, brand, "/ticket") if brand is not None else None,
        "state": found.state,
        "purpose": _WORDS[found.purpose],
        "email": found.email,
        "workspace_name": found.workspace_name,
        "by": found.by,
        "at": found.at,
        "passkey": found.passkey,
        "needs_number": found.needs_number,
        "tries_left": found.tries_left,
        "expires": found.expires_at,
        "sign_in_url": context.url("/sign-in?next=/ticket"),
    }
    return render(context, "ticket.html", **(values | more))


async def _dead(context: Context, found: Look, token: str) -> Response:
    """Why it is dead; used by this very session, it leads on instead, and a mandate's is renewed."""
    redeemed = any(proof.method is Method.TICKET for proof in context.facts.proofs)
    if found.state == "used" and redeemed:
        return go(context, with_query("/set-up", workspace=_own_slug(context, found.slug)))
    if found.purpose is TicketPurpose.MANDATE:
        late = await ticket_renew.late_page(context, token)
        if late is not None:
            return late
    kind = "reset_ticket" if found.purpose is TicketPurpose.RESET else "ticket"
    return dead_link(context, kind, found.state, found.by, brand=await of(context, found.app_id))


def _own_slug(context: Context, slug: str | None) -> str:
    return slug if slug is not None and context.known.place_by_slug(slug) is not None else ""


async def ticket_form(context: Context) -> Response:
    token = links.token_of(context, COOKIE)
    if token is None:
        return dead_link(context, "ticket", "unknown")
    found = await _look(context, token)
    if found.state != "ready":
        return await _ticket(context, token)
    number = ""
    with form_errors() as errors:
        number = _number(context.form.get("number", "")) if found.needs_number else ""
    if errors:
        return await _ticket(context, token, errors=errors)
    try:
        result = await context.write(lambda tx: _redeem(tx, context, hash_token(token), number))
    except Refused as refused:
        if refused.code not in (Code.EXPIRED, Code.ALREADY_USED):
            raise
        return await _dead(context, await _look(context, token), token)
    if isinstance(result, WrongNumber):
        return await _wrong_number(context, token, result)
    target = safe_next(links.kept(context, NEXT))
    response = go(context, with_query("/set-up", workspace=result.slug or "", next=target))
    return links.forget(context, links.forget(context, response, COOKIE), NEXT)


def _redeem(tx: Transaction, context: Context, token_hash: bytes, number: str) -> Redeemed | WrongNumber:
    """Spend the ticket and begin what it is for, in one go."""
    result = tickets.redeem(tx, by=context.by, token_hash=token_hash, number=number)
    if isinstance(result, Redeemed):
        enrolment.begin(tx, by=context.by, name="", replaces=None, workspace_id=result.workspace_id)
    return result


async def _wrong_number(context: Context, token: str, result: WrongNumber) -> Response:
    if result.tries_left == 0:
        found = await _look(context, token)
        return dead_link(context, "reset_ticket", "numbers", found.by, brand=await of(context, found.app_id))
    message = "That is not the number for this link. Ask to have it read out to you again."
    return await _ticket(context, token, errors={"number": message})


def _number(text: str) -> str:
    """Eight digits. Raises Refused (422) for anything else: it was not charged."""
    try:
        digits = compact(text)
    except MalformedCode:
        digits = "?"
    if not digits:
        raise invalid("number", "Enter the number that was read out to you.")
    if not (digits.isascii() and digits.isdigit()):
        raise invalid("number", f"The number has {NUMBER_DIGITS} digits and nothing else.")
    if len(digits) != NUMBER_DIGITS:
        raise invalid("number", f"The number has {NUMBER_DIGITS} digits. You entered {len(digits)}.")
    return digits


ROUTES: list[Route] = [
    page("/tickets/{token}", kinds.OPEN, open_link, path_in_log="/tickets/-"),
    page("/ticket", kinds.OPEN, ticket_page),
    form("/ticket", kinds.SEE_SESSION, ticket_form),
    *ticket_renew.ROUTES,
]
