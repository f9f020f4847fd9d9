"""The links of a changed e-mail address: the new mailbox confirms, the old one takes it back."""

from starlette.responses import Response

from nightlatch.actions import emails, kinds
from nightlatch.web import links
from nightlatch.web.context import Context
from nightlatch.web.pages.dead_links import CONFIRM, UNDO, look, spend
from nightlatch.web.pages.passwords import ASKED
from nightlatch.web.pages.sign_in import go
from nightlatch.web.rendering import page as render
from nightlatch.web.routes import Route, form, page


async def open_confirm(context: Context) -> Response:
    return links.exchange(context, CONFIRM.name, "/email")


async def confirm_page(context: Context) -> Response:
    found = await look(context, CONFIRM, emails.look_confirm)
    if isinstance(found, Response):
        return found
    return render(
        context,
        "email_confirm.html",
        old_email=found.old_email,
        new_email=found.new_email,
        expires=found.expires_at,
    )


async def confirm_form(context: Context) -> Response:
    done = await spend(
        context, CONFIRM, lambda tx, token_hash: emails.confirm(tx, by=context.by, token_hash=token_hash)
    )
    if isinstance(done, Response):
        return done
    target = "/settings/user" if context.open else "/sign-in"
    return links.forget(context, go(context, f"{target}?said=email-changed"), CONFIRM.name)


async def open_undo(context: Context) -> Response:
    return links.exchange(context, UNDO.name, "/undo")


async def undo_page(context: Context) -> Response:
    found = await look(context, UNDO, emails.look_undo)
    if isinstance(found, Response):
        return found
    return render(
        context,
        "undo.html",
        old_email=found.old_email,
        new_email=found.new_email,
        at=found.changed_at,
        expires=found.expires_at,
    )


async def undo_form(context: Context) -> Response:
    """Two people reach for the account: it is signed out everywhere, and the next page sets a new password."""
    restored = await spend(
        context, UNDO, lambda tx, token_hash: emails.undo(tx, by=context.by, token_hash=token_hash)
    )
    if isinstance(restored, Response):
        return restored
    response = links.keep(context, go(context, "/password-reset?said=email-undone"), ASKED, restored)
    return links.forget(context, response, UNDO.name)


ROUTES: list[Route] = [
    page("/email/{token}", kinds.OPEN, open_confirm, path_in_log="/email/-"),
    page("/email", kinds.OPEN, confirm_page),
    form("/email", kinds.OPEN, confirm_form),
    page("/undo/{token}", kinds.OPEN, open_undo, path_in_log="/undo/-"),
    page("/undo", kinds.OPEN, undo_page),
    form("/undo", kinds.OPEN, undo_form),
]
