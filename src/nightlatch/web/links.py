"""Paths that carry a mailed token: the path is exchanged at once for a short cookie and a clean address (law 10)."""

import base64
import binascii

from starlette.responses import RedirectResponse, Response

from nightlatch.web import cookies
from nightlatch.web.context import Context
from nightlatch.web.origin import header

LINK_SECONDS = 3600


def exchange(context: Context, kind: str, clean: str) -> Response:
    """Put the token of the path into a cookie of its kind and go to the clean address. Opening changes nothing."""
    token = str(context.request.path_params["token"])[:200]
    response = RedirectResponse(context.url(clean), 303, {"referrer-policy": "no-referrer"})
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


def keep(context: Context, response: Response, kind: str, text: str) -> Response:
    """Remember a short text in this browser, for an hour: for a page that the person comes to by way of a mail."""
    value = base64.urlsafe_b64encode(text.encode("utf-8", "replace")).decode()
    response.headers.append(
        "set-cookie", cookies.set_cookie(context.front.config, _name(context, kind), value, LINK_SECONDS)
    )
    return response


def kept(context: Context, kind: str) -> str:
    """What was remembered, or the empty text. The browser may have written anything there: judge it."""
    try:
        return base64.urlsafe_b64decode((token_of(context, kind) or "").encode("ascii")).decode()
    except (ValueError, binascii.Error):
        return ""


def _name(context: Context, kind: str) -> str:
    return f"{cookies.session_name(context.front.config)}-{kind}"
