"""Paths that carry a mailed token: the path is exchanged at once for a short cookie and a clean address (law 10)."""

from starlette.responses import RedirectResponse, Response

from nightlatch.web import cookies
from nightlatch.web.context import Context
from nightlatch.web.origin import header

LINK_SECONDS = 3600


def exchange(context: Context, kind: str, clean: str) -> Response:
    """Put the token of the path into a cookie of its kind and go to the clean address. Opening changes nothing."""
    token = str(context.request.path_params["token"])[:200]
    response = RedirectResponse(context.url(clean), 303)
    if all(letter.isascii() and (letter.isalnum() or letter in "-_") for letter in token):
        response.headers.append(
            "set-cookie",
            cookies.set_cookie(context.front.config, _name(context, kind), token, LINK_SECONDS),
        )
    return response


def token_of(context: Context, kind: str) -> str | None:
    """The token that was exchanged before."""
    return cookies.cookie(header(context.request.scope["headers"], b"cookie"), _name(context, kind))


def forget(context: Context, response: Response, kind: str) -> Response:
    """The link was used: its cookie goes."""
    response.headers.append(
        "set-cookie", cookies.set_cookie(context.front.config, _name(context, kind), "", 0)
    )
    return response


def _name(context: Context, kind: str) -> str:
    return f"{cookies.session_name(context.front.config)}-{kind}"
