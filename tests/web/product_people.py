"""People of a product in their browsers, and the product that brings them: with a picture and a colour."""

from typing import Any

from nightlatch.facts import reach_of
from nightlatch.ids import to_text as id_text
from nightlatch.store import accounts, apps, people, workspaces
from nightlatch.store.engine import Transaction
from nightlatch.web.app import App
from tests.support.logo import png
from tests.support.product import Product
from tests.support.visitor import Page, Visitor
from tests.support.world import Person, World

COLOUR = "#0f766e"
TEAM = "/settings/team"


def with_a_face(world: World, app: App) -> Product:
    """A product with a picture and a colour."""
    product = Product.of(world, app)

    def body(tx: Transaction) -> None:
        row = apps.by_id(tx, product.id)
        assert row is not None
        apps.change(
            tx,
            product.id,
            name=row.name,
            return_url=row.return_url,
            roles=row.roles,
            role_map=row.role_map,
            colour=COLOUR,
        )
        apps.set_logo(tx, product.id, png(), "image/png")

    world.write(body)
    return product


def path(start: Any) -> str:
    """Where a check sends a browser, at our own host."""
    assert isinstance(start, str)
    return start.removeprefix("http://localhost:8000")


def arrive(product: Product, person: dict[str, Any], opens: str = "user", **more: Any) -> Visitor:
    """That person's browser, sent to one of our pages by the product."""
    visitor = product.browser()
    visitor.open(path(product.check(person, open=opens, **more)["start"]))
    return visitor


def with_code(world: World, visitor: Visitor, seed: bytes) -> Page:
    """The second step, where the page asks for it."""
    return visitor.submit("/sign-in/second-step", code=world.code(seed))


def account_of(world: World, product: Product, id: str) -> Person:
    """The account of one of the product's people."""
    row = world.read(lambda tx: accounts.by_person(tx, product.id, id))
    assert row is not None
    return Person(row.id, row.email, row.name)


def place_of(world: World, product: Product, key: str = "w1") -> tuple[int, str]:
    """One of the product's workspaces: id and slug."""
    row = world.read(lambda tx: workspaces.by_app(tx, product.id, key))
    assert row is not None
    return int(row.id), str(row.slug)


def bound(world: World, product: Product, id: str) -> bytes:
    """2FA for one of the product's people, without any journey."""
    _, seed = world.bind_totp(account_of(world, product, id), reach_of(place_of(world, product)[0]))
    return seed


def teammate(world: World, product: Product, id: str) -> str:
    """The id of somebody's membership, as addresses have it."""
    row = world.read(lambda tx: people.standing(tx, product.id, id, "w1"))
    assert row is not None
    return id_text(row.teammate_id)


def an_owner(world: World, acme: Product) -> Visitor:
    """Olga, an owner in the product, with 2FA and signed in; Ana and Ben are with her."""
    for id, role in (("olga", "owner"), ("ana", "member"), ("ben", "admin")):
        acme.check(acme.person(id, role=role))
    seed = bound(world, acme, "olga")
    visitor = arrive(acme, acme.person("olga", role="owner"), "team")
    page = with_code(world, visitor, seed)
    assert page.path == f"/w/{place_of(world, acme)[1]}{TEAM}"
    return visitor
