"""A product's people see its face: picture, colour and name, on every page that is theirs."""

import re

import pytest

from nightlatch.ids import to_text as id_text
from nightlatch.store import apps
from nightlatch.store.engine import Transaction
from nightlatch.web.app import App
from tests.support.asgi import Client, app_of
from tests.support.logo import png
from tests.support.product import ORIGIN, Product
from tests.support.visitor import Visitor, resident, signed_in
from tests.support.world import World
from tests.web.product_people import arrive, with_a_face


@pytest.fixture
def app(world: World) -> App:
    return app_of(world)


@pytest.fixture
def acme(world: World, app: App) -> Product:
    return with_a_face(world, app)


def test_pages_wear_the_face_of_the_product(acme: Product) -> None:
    page = arrive(acme, acme.person()).open("/settings/user")
    assert page.read.title.endswith("| Acme Notes")
    assert "Acme Notes uses Nightlatch for 2FA" in page.text
    assert re.search(
        rf'<img class="mark mark-picture" src="/apps/{id_text(acme.id)}/logo\?v=[0-9a-f]{{12}}"',
        page.got.text,
    )
    assert re.search(r'<link rel="stylesheet" href="/themes/0f766e\?v=[0-9a-f]{12}">', page.got.text)
    assert page.read.links["Back to Acme Notes"].endswith("/back")


def test_a_refusal_wears_it_too(acme: Product) -> None:
    page = arrive(acme, acme.person()).open("/w/nowhere")
    assert page.status == 404
    assert page.read.title.endswith("| Acme Notes")


def test_our_own_people_see_our_own_face(world: World, app: App, acme: Product) -> None:
    dana = resident(world, "Dana")
    world.workspace("beta", owner=dana)
    page = signed_in(app, dana).open("/settings/user")
    assert page.read.title.endswith("| Nightlatch")
    assert "/themes/" not in page.got.text
    assert "Acme Notes" not in page.got.text


def test_a_product_without_picture_and_colour_has_its_initial(world: World, app: App) -> None:
    plain = Product.of(world, app, "plain", name="Plain Notes", origin="https://plain.example")
    page = arrive(plain, plain.person()).open("/settings/user")
    assert '<span class="mark mark-letter" aria-hidden="true">P</span>' in page.got.text
    assert "/themes/" not in page.got.text


def test_the_picture_does_nothing_and_is_kept_by_its_version(acme: Product, app: App) -> None:
    page = arrive(acme, acme.person()).open("/settings/user")
    address = re.search(r'src="(/apps/[^"]+)"', page.got.text)
    assert address is not None
    got = Visitor(app).client.get(address[1])
    assert (got.status, got.header("content-type"), got.body) == (200, "image/png", png())
    assert got.header("content-security-policy") == "default-src 'none'; sandbox"
    assert got.header("x-content-type-options") == "nosniff"
    assert "immutable" in got.header("cache-control")
    assert not got.all("set-cookie")
    again = Visitor(app).client.get(address[1].partition("?")[0])
    assert again.header("cache-control") == "public, no-cache"


@pytest.mark.parametrize("kind", ["text/html", "image/svg+xml", None])
def test_nothing_but_known_pictures_is_answered(
    world: World, acme: Product, app: App, kind: str | None
) -> None:
    world.write(lambda tx: apps.set_logo(tx, acme.id, b"<svg onload='alert(1)'/>", kind))
    assert Visitor(app).client.get(f"/apps/{id_text(acme.id)}/logo").status == 404
    assert "mark-letter" in arrive(acme, acme.person()).open("/settings/user").got.text


def test_a_theme_is_a_colour_and_nothing_else(app: App) -> None:
    got = Visitor(app).client.get("/themes/0f766e")
    assert got.status == 200
    assert got.header("content-type").startswith("text/css")
    assert "background: #0f766e" in got.text
    for wrong in ("0f766", "0F766E", "zzzzzz", "0f766e.css", "%7D"):
        assert Visitor(app).client.get(f"/themes/{wrong}").status == 404


def test_a_stranger_colour_in_the_database_is_no_style_sheet(world: World, acme: Product) -> None:
    def body(tx: Transaction) -> None:
        row = apps.by_id(tx, acme.id)
        assert row is not None
        apps.change(
            tx, acme.id, name=row.name, return_url=row.return_url, roles=None, role_map="{}", colour="red;}"
        )

    world.write(body)
    assert "/themes/" not in arrive(acme, acme.person()).open("/settings/user").got.text


def test_below_a_path_of_the_products_own_host_all_of_it_is_there(world: World) -> None:
    """NIGHTLATCH_PATH: every address of ours has the prefix, the product's have none."""
    app = app_of(world, NIGHTLATCH_PATH="/2fa")
    product = Product.of(world, app)
    world.write(lambda tx: apps.set_logo(tx, product.id, png(), "image/png"))
    client = Client(app)
    got = Client(app, bearer=product.secret).post(
        "/2fa/api/v1/app/check", {"person": product.person(), "open": "user"}
    )
    start = got.json["start"].removeprefix("http://localhost:8000")
    assert start.startswith("/2fa/app/start/")
    got = client.get(start)
    assert got.header("location") == "/2fa/settings/user"
    text = client.get("/2fa/settings/user").text
    for attribute, found in re.findall(r'\s(href|src|action)="([^"#]+)"', text):
        assert found.startswith(("/2fa/", f"{ORIGIN}/")), (attribute, found)
    logo = re.search(r'src="(/2fa/apps/[^"]+)"', text)
    assert logo is not None
    assert client.get(logo[1]).body == png()
