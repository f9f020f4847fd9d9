"""A forgotten password: the link that is mailed, and the page that it leads to. Neither signs anybody in (F04)."""

from typing import Any

from starlette.responses import Response

from nightlatch.actions import kinds, passwords
from nightlatch.web import flows, links
from nightlatch.web.context import Context
from nightlatch.web.fields import address_field, form_errors
from nightlatch.web.pages.dead_links import RESET, look, spend
from nightlatch.web.pages.sign_in import go
from nightlatch.web.rendering import page as render
from nightlatch.web.routes import Route, form, page

ASKED = "address"
"""The address that was typed, kept in the browser for the pages about it."""


async def ask_page(context: Context) -> Response:
    return render(context, "password_reset.html", email=links.kept(context, ASKED))


async def ask_form(context: Context) -> Response:
    with form_errors() as errors:
        address = address_field(context.form.get("email", ""))
    if errors:
        return render(context, "password_reset.html", email="", errors=errors)
    await context.write(lambda tx: passwords.request_reset(tx, by=context.by, address=address))
    return links.keep(context, go(context, "/password-reset/sent"), ASKED, address.display)


async def sent_page(context: Context) -> Response:
    email = links.kept(context, ASKED)
    if not email:
        return go(context, "/password-reset")
    return render(
        context,
        "check_mail.html",
        purpose="password_reset",
        email=email,
        lasts="1 hour",
        resend_path="/password-reset",
    )


async def open_link(context: Context) -> Response:
    return links.exchange(context, RESET.name, "/password-reset/new")


async def new_page(context: Context) -> Response:
    return await _new(context)


async def _new(context: Context, **more: Any) -> Response:
    found = await look(context, RESET, passwords.look_reset)
    if isinstance(found, Response):
        return found
    return render(context, "password_reset_new.html", email=found.email, **more)


async def new_form(context: Context) -> Response:
    found = await look(context, RESET, passwords.look_reset)
    if isinstance(found, Response):
        return found
    password_hash = ""
    with form_errors() as errors:
        typed = context.form.get("password", "")
        password_hash = await flows.hashed_password(context, typed, list(found.words))
    if errors:
        return await _new(context, errors=errors)
    done = await spend(
        context,
        RESET,
        lambda tx, token_hash: passwords.finish_reset(
            tx, by=context.by, token_hash=token_hash, password_hash=password_hash
        ),
    )
    if isinstance(done, Response):
        return done
    context.ends_session = context.facts.account == found.account_id
    return links.forget(context, go(context, "/sign-in?said=password-reset"), RESET.name)


ROUTES: list[Route] = [
    page("/password-reset", kinds.OPEN, ask_page),
    form("/password-reset", kinds.OPEN, ask_form),
    page("/password-reset/sent", kinds.OPEN, sent_page),
    page("/password-reset/new", kinds.OPEN, new_page),
    form("/password-reset/new", kinds.OPEN, new_form),
    page("/password-reset/{token}", kinds.OPEN, open_link, path_in_log="/password-reset/-"),
]
