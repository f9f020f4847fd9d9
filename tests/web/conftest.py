"""Fixtures of the web tests."""

import pytest

from tests.support.world import World
from tests.web.team import Team


@pytest.fixture
def team(world: World) -> Team:
    """The application over a world, on each of the two databases."""
    return Team.of(world)
