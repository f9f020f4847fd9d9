"""Fixtures of the client's tests."""

from collections.abc import Callable, Iterator

import pytest

from nightlatch_client import Nightlatch
from tests.client import stand_in_server
from tests.client.products import Browser, Place
from tests.client.stand_in_server import SECRET, Server


@pytest.fixture
def server() -> Iterator[Server]:
    """The plugin's stand-in on a real socket."""
    with stand_in_server.serving() as server:
        yield server


@pytest.fixture
def place() -> Iterator[Place]:
    """Where a product is going to be served."""
    place = Place()
    try:
        yield place
    finally:
        place.close()


@pytest.fixture
def nl(server: Server, place: Place) -> Nightlatch:
    """The product's connection to the stand-in."""
    return Nightlatch(
        server.url,
        app="acme",
        secret=SECRET,
        origin=place.origin,
        name="Acme Notes",
        sign_in="/login",
        down_message="Acme's lock is being repaired.",
        websocket_every=0.05,
    )


@pytest.fixture
def new_browser(place: Place) -> Iterator[Callable[[], Browser]]:
    """Opens browsers at the product."""
    made: list[Browser] = []

    def new() -> Browser:
        made.append(Browser(place.origin))
        return made[-1]

    yield new
    for each in made:
        each.close()


@pytest.fixture
def browser_(new_browser: Callable[[], Browser]) -> Browser:
    """One browser."""
    return new_browser()
