"""What a product's face is made of: its picture, and the style sheet of its colour. Both from our own origin."""

from starlette.responses import Response

from nightlatch import colours
from nightlatch.actions import kinds
from nightlatch.refusals import not_found
from nightlatch.store import apps
from nightlatch.web import themes
from nightlatch.web.branding import LOGO_TYPES, logo_version
from nightlatch.web.context import Context
from nightlatch.web.routes import Route

_FOR_GOOD = "public, max-age=31536000, immutable"
_ASK_AGAIN = "public, no-cache"
_NOTHING = "default-src 'none'; sandbox"
"""Opened by itself a picture is a document: it may do nothing."""


async def logo(context: Context) -> Response:
    """A product's picture. Only the types that are stored by their bytes are ever answered (`pictures`)."""
    app_id = context.id()
    row = await context.read(lambda tx: apps.by_id(tx, app_id))
    if row is None or row.logo is None or row.logo_type not in LOGO_TYPES:
        raise not_found()
    headers = {
        "cache-control": _kept(context, logo_version(row.logo)),
        "content-security-policy": _NOTHING,
        "content-disposition": "inline",
    }
    return Response(row.logo, media_type=row.logo_type, headers=headers)


async def theme(context: Context) -> Response:
    """The style sheet of a colour, a pure function of it: `/themes/2f6f4f`."""
    colour = "#" + str(context.request.path_params["colour"])
    if not colours.FORM.fullmatch(colour):
        raise not_found()
    headers = {"cache-control": _kept(context, themes.version(colour))}
    return Response(themes.stylesheet(colour), media_type="text/css", headers=headers)


def _kept(context: Context, version: str) -> str:
    """Kept for good under the address that names this version; otherwise asked for again each time."""
    return _FOR_GOOD if context.query("v") == version else _ASK_AGAIN


ROUTES: list[Route] = [
    Route("GET", "/apps/{id}/logo", kinds.OPEN, logo, kind="plain"),
    Route("GET", "/themes/{colour}", kinds.OPEN, theme, kind="plain"),
]
