"""Signing up, where NIGHTLATCH_SIGN_UP is open: the address, the link in its mailbox, then name and password."""

from typing import Any

from starlette.responses import Response

from nightlatch import addresses
from nightlatch.actions import kinds, sign_up
from nightlatch.actions.sign_up import SignUpLink
from nightlatch.actions.tokens import new_token
from nightlatch.names import clean_name
from nightlatch.refusals import Code, Refused
from nightlatch.store import invitations
from nightlatch.web import flows, links
from nightlatch.web.context import Context
from nightlatch.web.fields import address_field, form_errors
from nightlatch.web.pages.dead_links import SIGN_UP, dead_link, look, spend
from nightlatch.web.pages.passwords import ASKED
from nightlatch.web.pages.sign_in import go
from nightlatch.web.rendering import page as render
from nightlatch.web.routes import Route, form, page
from nightlatch.web.sign_up import is_open, no_sign_up

# --- the address ---


async def ask_page(context: Context) -> Response:
    return _ask(context)


def _ask(context: Context, **more: Any) -> Response:
    if not is_open(context.front.config):
        return render(context, "sign_up.html", status=403, open=False, email="")
    return render(context, "sign_up.html", open=True, email=links.kept(context, ASKED), **more)


async def ask_form(context: Context) -> Response:
    with form_errors() as errors:
        address = address_field(context.form.get("email", ""))
    if errors:
        return _ask(context, errors=errors)
    await context.write(lambda tx: sign_up.request(tx, by=context.by, address=address))
    return links.keep(context, go(context, "/sign-up/sent"), ASKED, address.display)


async def sent_page(context: Context) -> Response:
    email = links.kept(context, ASKED)
    if not email:
        return go(context, "/sign-up")
    return render(
        context,
        "check_mail.html",
        purpose="sign_up",
        email=email,
        lasts="24 hours",
        resend_path="/sign-up",
    )


# --- the link ---


async def open_link(context: Context) -> Response:
    return links.exchange(context, SIGN_UP.name, "/sign-up/new")


async def new_page(context: Context) -> Response:
    return await _new(context)


async def _new(context: Context, **more: Any) -> Response:
    found = await look(context, SIGN_UP, sign_up.look)
    if isinstance(found, Response):
        return found
    return _form(context, found, **more)


def _form(context: Context, found: SignUpLink, **more: Any) -> Response:
    state = "other" if context.known.person is not None else "new"
    return render(
        context, "sign_up_new.html", state=state, email=found.email, expires=found.expires_at, **more
    )


async def new_form(context: Context) -> Response:
    found = await look(context, SIGN_UP, sign_up.look)
    if isinstance(found, Response):
        return found
    if context.known.person is not None:
        return _form(context, found, status=409)
    name, password_hash = "", ""
    with form_errors() as errors:
        name = clean_name(context.form.get("name", ""))
    with form_errors() as about_password:
        words = [found.email, context.form.get("name", "")]
        password_hash = await flows.hashed_password(context, context.form.get("password", ""), words)
    errors |= about_password
    if errors:
        return _form(context, found, errors=errors)
    session_token, kind = new_token(), context.session_kind
    try:
        done = await spend(
            context,
            SIGN_UP,
            lambda tx, token_hash: sign_up.finish(
                tx,
                by=context.by,
                token_hash=token_hash,
                name=name,
                password_hash=password_hash,
                session_token=session_token,
                kind=kind,
            ),
        )
    except Refused as refused:
        if refused.code is not Code.CONFLICT:
            raise
        return dead_link(context, SIGN_UP.name, "taken")
    if isinstance(done, Response):
        return done
    context.session_token = done.token
    key = addresses.parse(found.email).key
    invited = await context.read(lambda tx: invitations.of_address(tx, key))
    target = "/workspaces?said=signed-up" if invited else "/workspaces/new?said=signed-up"
    return links.forget(context, go(context, target), SIGN_UP.name)


ROUTES: list[Route] = [
    page("/sign-up", kinds.OPEN, ask_page),
    form("/sign-up", kinds.OPEN, ask_form, closed=no_sign_up),
    page("/sign-up/sent", kinds.OPEN, sent_page, closed=no_sign_up),
    page("/sign-up/new", kinds.OPEN, new_page, closed=no_sign_up),
    form("/sign-up/new", kinds.OPEN, new_form, closed=no_sign_up),
    page("/sign-up/{token}", kinds.OPEN, open_link, path_in_log="/sign-up/-"),
]
