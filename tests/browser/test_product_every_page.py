"""Every page that a product's people see, in Chromium: by axe, at 320 px, light and dark, in colours easy and hard."""

import json
import re
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

from nightlatch.web.table import ROUTES
from tests.support.browser import Pages, axe, press
from tests.support.logo import png
from tests.support.server import Serve, Server

COLOURS = {"teal": "#0f766e", "yellow": "#ffe066", "black": "#000000", "white": "#ffffff"}
RETURN = re.compile(r"^https?://notes")
ELSEWHERE = ("/app/", "/w/{slug}/back", "/set-up/done", "{token}", ".csv", ".zip")
"""What leads on to the product, takes a token out of its address, or is a file."""


@dataclass
class Product:
    """A product's server, as far as it takes to send people to our pages."""

    server: Server
    handle: str
    secret: str

    def start(self, person: str, role: str = "member", *, opens: str = "user") -> str:
        """The start link of somebody."""
        body = {
            "person": {
                "id": person,
                "email": f"{person}@{self.handle}.example",
                "name": person.title(),
                "workspace": "w1",
                "workspace_name": f"Lighthouse {self.handle}",
                "role": role,
            },
            "open": opens,
        }
        request = urllib.request.Request(  # noqa: S310
            f"{self.server.url}/api/v1/app/check",
            json.dumps(body).encode(),
            {"content-type": "application/json", "authorization": f"Bearer {self.secret}"},
        )
        with urllib.request.urlopen(request) as answer:  # noqa: S310
            said: dict[str, Any] = json.load(answer)
        return str(said["start"])


@pytest.fixture(scope="module")
def server(serve_module: Serve) -> Server:
    """A Nightlatch of its own."""
    return serve_module()


def registered(server: Server, folder: Path, handle: str, colour: str, *, logo: bool) -> Product:
    """A product with this colour."""
    picture = folder / "logo.png"
    picture.write_bytes(png())
    said = server.run(
        *("app", "add", f"Notes in {handle}", "--origin", f"https://notes-{handle}.example"),
        *("--handle", handle, "--colour", colour, "--operator", "test", "--json"),
        *(("--logo", str(picture)) if logo else ()),
    )
    return Product(server, handle, json.loads(said.stdout)["secret"])


def look(page: Page, url: str) -> None:
    """Open one page in both widths and both schemes; axe in each, and no sideways scrolling."""
    for width in (1280, 320):
        page.set_viewport_size({"width": width, "height": 800})
        page.goto(url)
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            wide = page.evaluate("document.documentElement.scrollWidth")
            assert wide <= width, f"{url} is {wide} px wide at {width}"
            axe(page)


def paths(page: Page, server: Server, slug: str) -> list[str]:
    """Every page of the table that a person can open here, with a teammate where it names one."""
    page.goto(f"{server.url}/w/{slug}/settings/team")
    teammate = re.search(r"/settings/team/([0-9a-z]{13})/", page.content())
    id = teammate[1] if teammate is not None else "0000000000001"
    return [
        route.path.replace("{slug}", slug).replace("{id}", id)
        for route in ROUTES
        if route.kind == "page"
        and route.method == "GET"
        and not any(each in route.path for each in ELSEWHERE)
    ]


@pytest.mark.parametrize("handle", COLOURS)
def test_the_pages_of_an_owner_in_every_colour(
    server: Server, open_page: Pages, tmp_path: Path, handle: str
) -> None:
    product = registered(server, tmp_path, handle, COLOURS[handle], logo=handle == "teal")
    product.start("ana")
    open_page.watch.forgive(r"status of 4\d\d|answer 4\d\d")
    page = open_page(server.url, product.start("olga", "owner", opens="team").removeprefix(server.url))
    page.wait_for_url("**/settings/team")
    slug = re.search(r"/w/([a-z0-9-]+)/", page.url)
    assert slug is not None
    wanted = paths(page, server, slug[1])
    some = ("/settings/user", "/sign-in", "/step-up", "/set-up", f"/w/{slug[1]}/settings/team")
    for path in wanted if handle == "teal" else [each for each in wanted if each in some]:
        look(page, server.url + path)
    look(page, f"{server.url}/step-up?act=teammates&workspace={slug[1]}&next=/w/{slug[1]}/settings/team")


def test_the_pages_of_a_visitor_who_came_by_a_product(
    server: Server, open_page: Pages, tmp_path: Path
) -> None:
    product = registered(server, tmp_path, "visited", "#ff5a1f", logo=False)
    open_page.watch.forgive(r"status of 4\d\d|answer 4\d\d")
    page = open_page(server.url, product.start("ana").removeprefix(server.url))
    page.goto(f"{server.url}/settings/user")
    page.locator("summary", has_text="Ana").click()
    press(page, "Sign out")
    assert "Continue at Notes in visited" in page.inner_text("main")
    for path in ("/sign-in", "/sign-in?next=/settings/user", "/help", "/ticket", "/lift"):
        look(page, server.url + path)
