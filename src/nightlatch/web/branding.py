"""A product's face on the pages of its people, and the ways through the product's own sign-in.

A person whom a product keeps has no password here: wherever others are asked for theirs, they are sent to the product,
by a link and never by a form's redirect (browsers hold `form-action` against those), and come back by a start link.
"""

from dataclasses import dataclass
from hashlib import sha256
from urllib.parse import urlsplit

from starlette.responses import Response

from nightlatch import colours
from nightlatch.access import decide_workspace
from nightlatch.decision import Allow
from nightlatch.facts import AppId
from nightlatch.ids import from_text, to_text
from nightlatch.instants import DAY, MINUTE, SECOND, Duration
from nightlatch.store import apps
from nightlatch.store.engine import Unavailable
from nightlatch.store.known import Place
from nightlatch.store.query import Row
from nightlatch.web import cookies, links, themes
from nightlatch.web.context import Context, safe_next, with_query
from nightlatch.web.origin import header

LOGO_TYPES = ("image/png", "image/jpeg", "image/webp")
REMEMBERED_SECONDS = 90 * DAY // SECOND
ONWARD_LIFE: Duration = 10 * MINUTE
"""Long enough to sign in somewhere; later somebody has begun something else."""
_ONWARD = "onward"


@dataclass(frozen=True, slots=True)
class Brand:
    """What pages show of a product, and where it is."""

    id: AppId
    name: str
    return_url: str
    colour: str | None
    logo: str | None
    """The path of its picture, without prefix."""
    theme: str | None
    """The path of its style sheet, without prefix."""

    @property
    def home(self) -> str:
        """The product's start page."""
        parts = urlsplit(self.return_url)
        return f"{parts.scheme}://{parts.netloc}/"

    def opening(self, name: str) -> str:
        """The product's address that has its person signed in and then opens a page of ours (`app_flows.OPENS`)."""
        return with_query(self.return_url, open=name)

    def opening_path(self, path: str) -> str:
        """The same for one of our paths: the page that is nearest to it."""
        return self.opening(page_name(path)) if path else self.home


def brand_of(row: Row) -> Brand:
    """The face of a registered product."""
    colour = row.colour if row.colour is not None and colours.FORM.fullmatch(row.colour) else None
    return Brand(
        row.id,
        row.name,
        row.return_url,
        colour,
        _logo_path(row),
        with_query(f"/themes/{colour[1:]}", v=themes.version(colour)) if colour is not None else None,
    )


def logo_version(logo: bytes) -> str:
    """A short hash of a picture, for its address."""
    return sha256(logo).hexdigest()[:12]


def _logo_path(row: Row) -> str | None:
    if row.logo is None or row.logo_type not in LOGO_TYPES:
        return None
    return with_query(f"/apps/{to_text(row.id)}/logo", v=logo_version(row.logo))


async def look(context: Context) -> Brand | None:
    """The product whose face a page wears: the one that keeps the person, else the one of the workspace in the path.

    Where the database cannot answer, the page has none: it may well be the page that says so.
    """
    person, place = context.known.person, context.place
    app_id = person.app_id if person is not None else None
    if app_id is None and place is not None:
        app_id = place.app_id
    return await of(context, app_id)


async def of(context: Context, app_id: AppId | None) -> Brand | None:
    """The face of a product that keeps its people; None for others, and where the database cannot answer."""
    if app_id is None:
        return None
    try:
        row = await context.read(lambda tx: apps.by_id(tx, app_id))
    except Unavailable:
        return None
    return brand_of(row) if row is not None and row.workspace_id is None else None


async def issuer(context: Context) -> str:
    """What an authenticator app calls the entry of the session's person: after the product that keeps them, if any."""
    person = context.known.person
    brand = context.brand or await of(context, person.app_id if person is not None else None)
    return brand.name if brand is not None else context.front.config.name


# --- ways to the product ---


def page_name(path: str) -> str:
    """The name by which a product opens the page that is nearest to one of our paths."""
    plain = path.partition("?")[0]
    for start, name in (
        ("/ticket", "ticket"),
        ("/lift", "lift"),
        ("/set-up", "set-up"),
        ("/settings/user", "user"),
    ):
        if plain == start or plain.startswith(start + "/"):
            return name
    _, team, page = plain.partition("/settings/team")
    if team and plain.startswith("/w/"):
        name = page.split("/")[1] if "/" in page else ""
        return f"team/{name}" if name in ("authentication", "audit") else "team"
    return "home"


def back_path(context: Context) -> str | None:
    """Our page that leads back to where the person was in the product; None where nothing leads there yet."""
    place, person = own_place(context), context.known.person
    if place is None and context.place is None and person is not None and person.app_id is not None:
        return "/app/back"  # of several workspaces, to the one that the person came from
    if place is None or not isinstance(decide_workspace(context.facts, place.id), Allow):
        return None
    return f"/w/{place.slug}/back"


def own_place(context: Context) -> Place | None:
    """The workspace that a page is in; else the person's only one. Only a product's."""
    place = context.place
    places = list((context.known.places or {}).values())
    if place is None and len(places) == 1:
        place = places[0]
    return place if place is not None and place.app_id is not None else None


# --- what the browser keeps ---


def remember(context: Context, response: Response, app_id: AppId) -> Response:
    """Let this browser offer the product's own sign-in first, should its session here be over."""
    config = context.front.config
    value = cookies.set_cookie(config, _from(context), to_text(app_id), REMEMBERED_SECONDS)
    response.headers.append("set-cookie", value)
    return response


async def remembered(context: Context) -> Brand | None:
    """The product that this page was asked for in the name of (`?at=`), else the one that the browser remembers."""
    kept = cookies.cookie(header(context.request.scope["headers"], b"cookie"), _from(context))
    for text in (context.query("at"), kept or ""):
        brand = await of(context, from_text(text) if text else None)
        if brand is not None:
            return brand
    return None


def _from(context: Context) -> str:
    return f"{cookies.session_name(context.front.config)}-from"


def keep_onward(context: Context, response: Response, path: str) -> Response:
    """Remember where the person was going, while they are at the product's own sign-in."""
    return links.keep(context, response, _ONWARD, f"{context.now} {path}") if path else response


def landing(context: Context, response: Response, opened: str) -> str:
    """Where a start link leads: what opens a page of ours, to what was kept lately, if it is such a page."""
    at, _, path = links.kept(context, _ONWARD).partition(" ")
    kept = safe_next(path)
    if not kept:
        return opened
    links.forget(context, response, _ONWARD)
    lately = at.isascii() and at.isdigit() and len(at) < 20 and context.now - int(at) < ONWARD_LIFE
    on_the_way_back = opened.split("/")[3:4] == ["app"]
    return kept if lately and not on_the_way_back and page_name(kept) == page_name(opened) else opened
