"""`nightlatch domain`."""

from nightlatch.actions import domains
from tests.cli.conftest import Cli
from tests.support.letters import letter
from tests.support.world import World

GLASS = ("--reason", "Sold", "--operator", "Sam")


def test_listing_and_taking_away(cli: Cli, world: World) -> None:
    dana = world.person("Dana")
    acme, by = world.workspace("acme", owner=dana), world.signed_in(dana, world.bind_totp(dana)[0])
    assert "None." in cli.ok("domain", "list").out

    def claim(tx):
        claimed = domains.claim(tx, by=by, workspace_id=acme, domain="acme.example")
        domains.prove(tx, by=by, workspace_id=acme, domain_id=claimed.id, found=[claimed.proof])
        domains.claim(tx, by=by, workspace_id=acme, domain="b.example")

    world.write(claim)
    items = cli.ok("domain", "list", "--json").items
    assert [(each["domain"], each["workspace"], each["proved_at"] is None) for each in items] == [
        ("acme.example", "acme", False),
        ("b.example", "acme", True),
    ]
    assert cli("domain", "remove", "acme.example", "--workspace", "acme").code == 2
    assert "does not claim" in cli("domain", "remove", "c.example", "--workspace", "acme", *GLASS).err
    assert cli("domain", "remove", "nonsense", "--workspace", "acme", *GLASS).code == 2
    cli.ok("domain", "remove", "acme.example", "--workspace", "acme", *GLASS)
    assert [each["domain"] for each in cli.ok("domain", "list", "--json").items] == ["b.example"]
    assert letter(world, "break_glass", to=dana.email).values["operator"] == "Sam"
