"""The client's own pages in Chromium: a form on its way and back, every page by axe and at 320 px, without scripts."""

from typing import Any

import pytest
from playwright.sync_api import Page, expect
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from nightlatch_client import Nightlatch, Person
from tests.client.products import Place
from tests.client.stand_in_server import Server
from tests.support.browser import Pages, axe, follow, press

NOTES = """<!doctype html><html lang="en"><title>Notes</title>
<form method="post" action="/notes?board=1"{kind}><input name="csrf" type="hidden" value="c1">
<label>Title <input name="title"></label><label>Text <textarea name="text"></textarea></label>
<label>Password <input type="password" name="password"></label><label>File <input type="file" name="file"></label>
<button>Save</button></form>"""


def person(request: Any) -> Person:
    return Person("ada", "ada@acme.dev", "Ada", "7", "Acme", "owner")


@pytest.fixture
def product(nl: Nightlatch, place: Place, server: Server) -> Place:
    async def notes(request: Request) -> Response:
        if request.method == "GET":
            kind = ' enctype="multipart/form-data"' if request.query_params.get("files") else ""
            return HTMLResponse(NOTES.format(kind=kind))
        async with request.form() as form:
            return JSONResponse(
                {name: getattr(value, "filename", value) for name, value in form.multi_items()}
            )

    async def icon(request: Request) -> Response:
        return Response(status_code=204)

    routes = [Route("/notes", notes, methods=["GET", "POST"]), Route("/favicon.ico", icon)]
    app = Starlette(routes=routes)
    nl.protect(app, person, open=["/favicon.ico"])
    place.serve(app)
    server.product = place.origin
    return place


def write(page: Page) -> None:
    page.locator("[name=title]").fill('A <title> "quoted" ü')
    page.locator("[name=text]").fill("first line\nsecond line")
    page.locator("[name=password]").fill("hunter2")


@pytest.mark.parametrize("javascript", [True, False], ids=["with scripts", "without"])
@pytest.mark.parametrize("files", ["", "?files=1"], ids=["urlencoded", "multipart"])
def test_a_form_on_its_way_comes_back_and_is_sent_by_its_button(
    product: Place, server: Server, open_page: Pages, files: str, javascript: bool
) -> None:
    page = open_page(product.origin, f"/notes{files}", javascript=javascript)
    write(page)
    if files:
        page.locator("[name=file]").set_input_files(
            {"name": "a.txt", "mimeType": "text/plain", "buffer": b"old"}
        )
    server.stand_in.requires("7")
    press(page, "Save")
    page.get_by_role("heading", name="Send what you had filled in?").wait_for()
    assert page.url == f"{product.origin}/nightlatch/form"
    assert "hunter2" not in page.content()
    expect(page.get_by_label("Text")).to_have_value("first line\nsecond line")
    expect(page.get_by_label("Csrf")).to_have_count(0)
    page.get_by_label("Text").press("Control+End")
    page.get_by_label("Text").press_sequentially(", changed")
    page.get_by_label("Password").fill("again")
    if files:
        page.get_by_label("File").set_input_files(
            {"name": "b.txt", "mimeType": "text/plain", "buffer": b"new"}
        )
    press(page, "Send it now")
    page.wait_for_url("**/notes?board=1")
    sent = page.locator("body").inner_text()
    assert '"title":"A <title> \\"quoted\\" ü"' in sent
    assert '"text":"first line\\r\\nsecond line, changed"' in sent
    assert '"password":"again"' in sent
    assert ('"file":"b.txt"' in sent) == bool(files)
    page.goto(f"{product.origin}/nightlatch/form")
    assert "fill in the form again" in page.locator("h1").inner_text()


def look(page: Page) -> None:
    """Axe and no sideways scrolling, wide and light, narrow and dark."""
    for width, scheme in ((1280, "light"), (320, "dark")):
        page.set_viewport_size({"width": width, "height": 800})
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        wide = page.evaluate("document.documentElement.scrollWidth")
        assert wide <= width, f"{page.url} is {wide} px wide at {width}"
        axe(page)


def test_every_page_by_axe_and_at_320_px(product: Place, server: Server, open_page: Pages) -> None:
    open_page.watch.forgive(r"status of [45]\d\d|answer [45]\d\d")
    page = open_page(product.origin, "/notes?files=1")
    write(page)
    page.locator("[name=file]").set_input_files({"name": "a.txt", "mimeType": "text/plain", "buffer": b"x"})
    server.stand_in.requires("7")
    press(page, "Save")
    page.get_by_role("button", name="Send it now").wait_for()
    look(page)
    for path in (
        "/nightlatch/form?back=/notes",
        "/nightlatch/callback?code=x&state=y",
        "/nightlatch/nothing",
    ):
        page.context.clear_cookies()
        page.goto(product.origin + path)
        look(page)
    server.stand_in.denied("ada")
    page.goto(product.origin + "/notes")
    look(page)
    server.stand_in.down()
    page.goto(product.origin + "/notes")
    assert page.locator("header").inner_text() == "Acme Notes"
    look(page)
    server.stand_in.down(down=False)
    server.stand_in.forget("ada")
    follow(page, "Try again")
    page.get_by_role("button", name="Save").wait_for()
