"""Never again: the second link of an invitation. Opening it changes nothing; its page does, and takes it back.

Mail programs offer the same as one button (RFC 8058): they POST to the link itself, without a page, a cookie or our
form's value. That one path takes such a POST, and does this one thing with it: whoever knows the token of the path may.
"""

from starlette.responses import PlainTextResponse, Response

from nightlatch.actions import declining, kinds
from nightlatch.actions.tokens import hash_token
from nightlatch.refusals import Code, Refused
from nightlatch.store.engine import Transaction
from nightlatch.web import links
from nightlatch.web.context import Context
from nightlatch.web.json_body import read_body
from nightlatch.web.pages.dead_links import NEVER_AGAIN, look, spend
from nightlatch.web.pages.sign_in import go
from nightlatch.web.rendering import page as render
from nightlatch.web.routes import Route, form, page

ONE_CLICK = (b"List-Unsubscribe", b"One-Click")
"""What the body of such a POST says, urlencoded or as multipart/form-data (RFC 8058 section 3.2)."""
_LARGEST = 2048


async def open_link(context: Context) -> Response:
    return links.exchange(context, NEVER_AGAIN.name, "/never-again")


async def one_click(context: Context) -> Response:
    body = await read_body(context.request, _LARGEST)
    if not all(part in body for part in ONE_CLICK):
        raise Refused(Code.MALFORMED, "Send List-Unsubscribe=One-Click, or open the link as a page.")
    token_hash = hash_token(str(context.request.path_params["token"])[:200])
    await context.write(lambda tx: declining.decline(tx, by=context.by, token_hash=token_hash))
    return PlainTextResponse("No more invitations will be sent to this address.\n")


async def never_again_page(context: Context) -> Response:
    found = await look(context, NEVER_AGAIN, declining.look)
    if isinstance(found, Response):
        return found
    return render(context, "never_again.html", email=found.email, declined=found.declined)


async def never_again_form(context: Context) -> Response:
    """Either way: the page says afterwards how it stands."""
    again = context.form.get("take") == "yes"

    def body(tx: Transaction, token_hash: bytes) -> None:
        act = declining.accept_again if again else declining.decline
        act(tx, by=context.by, token_hash=token_hash)

    done = await spend(context, NEVER_AGAIN, body)
    if isinstance(done, Response):
        return done
    return go(context, "/never-again?said=invitations-welcome" if again else "/never-again")


ROUTES: list[Route] = [
    page("/never-again/{token}", kinds.OPEN, open_link, path_in_log="/never-again/-"),
    Route(
        "POST",
        "/never-again/{token}",
        kinds.OPEN,
        one_click,
        kind="plain",
        summary="One click in a mail program: no more invitations (RFC 8058)",
        path_in_log="/never-again/-",
    ),
    page("/never-again", kinds.OPEN, never_again_page),
    form("/never-again", kinds.OPEN, never_again_form),
]
