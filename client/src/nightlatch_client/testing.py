"""The pytest plugin (entry point pytest11): the fixture `nightlatch`, so that a product is tested without a server.

def test_payouts_need_the_second_step(nightlatch, client):
    nightlatch.requires("7")           # ids in the product's own words
    nightlatch.enrolled("ada")
    assert client.get("/payouts").status_code == 302
    nightlatch.proved("ada")
    assert client.get("/payouts").status_code == 200
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from nightlatch_client.standin import StandIn


@pytest.fixture
def nightlatch() -> "Iterator[StandIn]":
    """Every `Nightlatch` of this process is answered by a stand-in in memory while the test runs."""
    from nightlatch_client.standin import standing_in

    with standing_in() as stand_in:
        yield stand_in
