"""Fixtures of the web tests."""

import pytest

from nightlatch.web.app import App
from tests.support.asgi import app_of
from tests.support.product import Product
from tests.support.world import World
from tests.web.product_people import with_a_face
from tests.web.team import Team


@pytest.fixture
def team(world: World) -> Team:
    """The application over a world, on each of the two databases."""
    return Team.of(world)


@pytest.fixture
def app(world: World) -> App:
    """The application over a world; files that need another one have their own."""
    return app_of(world)


@pytest.fixture
def acme(world: World, app: App) -> Product:
    """Acme Notes, a product with a face; files about other things called Acme have their own."""
    return with_a_face(world, app)
