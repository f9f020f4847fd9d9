"""`nightlatch connection`."""

from nightlatch.store import connections
from tests.cli.conftest import Cli
from tests.support.signing_on import a_connection
from tests.support.world import World


def test_listing(cli: Cli, world: World) -> None:
    assert "None." in cli.ok("connection", "list").out
    acme = world.workspace("acme", owner=world.person("Dana"))
    okta = a_connection(world, acme, issuer="https://acme.okta.example")
    world.write(lambda tx: connections.set_secret(tx, okta, "hush"))
    shown = cli.ok("connection", "list").out
    assert "https://acme.okta.example" in shown
    assert "hush" not in shown
    (item,) = cli.ok("connection", "list", "--json").items
    assert (item["workspace"], item["name"], item["rule"], item["ready"], item["required"]) == (
        "acme",
        "Okta",
        "ask",
        True,
        False,
    )
