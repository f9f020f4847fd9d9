"""`nightlatch app`."""

from pathlib import Path

from nightlatch.actions.tokens import hash_token
from nightlatch.store import apps, people, workspaces
from nightlatch.store.engine import Transaction
from nightlatch.vocabulary import Event
from tests.cli.conftest import Cli
from tests.support.asgi import app_of
from tests.support.events import events
from tests.support.letters import letter
from tests.support.pictures import picture
from tests.support.product import Product
from tests.support.world import Person, World

ORIGIN = "https://app.acme.example"
ADD = ("app", "add", "Acme Notes", "--origin", ORIGIN)
GLASS = ("--reason", "Nobody uses it", "--operator", "Sam")


def secret_in(out: str) -> str:
    (line,) = [line for line in out.splitlines() if line.startswith("secret: ")]
    return line.removeprefix("secret: ")


def id_of(tx: Transaction, slug: str) -> int:
    row = workspaces.by_slug(tx, slug)
    assert row is not None
    return int(row.id)


def knows(world: World, secret: str) -> bool:
    return world.read(lambda tx: apps.by_secret(tx, hash_token(secret))) is not None


def test_a_product_that_keeps_its_users(cli: Cli, world: World) -> None:
    done = cli.ok(*ADD, "--origin", "http://localhost:8100", "--role-map", "superuser=owner")
    assert knows(world, secret_in(done.out))
    assert "url: http://localhost:8000\n" in done.out
    assert f"return address: {ORIGIN}/nightlatch/callback\n" in done.out
    assert "once" in done.err
    [item] = cli.ok("app", "list", "--json").items
    assert (item["handle"], item["workspace"], item["keeps_people"]) == ("acme-notes", None, True)
    assert item["origins"] == ["http://localhost:8100", ORIGIN]
    assert item["role_map"] == {"superuser": "owner"}
    assert item == cli.ok("app", "show", "acme-notes", "--json").json
    shown = cli.ok("app", "show", "acme-notes").out
    for told in (ORIGIN, "superuser = owner", "keeps its own users"):
        assert told in shown
    assert "acme-notes" in cli.ok("app", "list").out
    assert "nla_" not in shown
    assert [each.event for each in events(world)] == [Event.APP_ADDED, Event.APP_SECRET_MADE]


def test_a_product_behind_a_proxy(cli: Cli, world: World) -> None:
    dana = world.person("Dana")
    world.workspace("acme", owner=dana)
    done = cli.ok(*ADD, "--workspace", "acme", "--roles", "owner,admin", "--handle", "notes", "--json")
    assert (done.json["handle"], done.json["workspace"], done.json["roles"]) == (
        "notes",
        "acme",
        ["owner", "admin"],
    )
    assert knows(world, done.json["secret"])
    assert "behind a proxy check, for acme: owner, admin" in cli.ok("app", "show", "notes").out
    changed = cli.ok("app", "change", "notes", "--roles", "owner,admin,member", "--json").json
    assert changed["roles"] is None
    cli.ok("app", "remove", "notes", *GLASS)
    assert letter(world, "break_glass", to=dana.email).values["operator"] == "Sam"
    assert cli.ok("app", "list", "--json").items == []


def test_owners_may_manage_one_with_its_own_users(cli: Cli, world: World) -> None:
    world.workspace("acme", owner=world.person("Dana"))
    done = cli.ok(*ADD, "--workspace", "acme", "--keeps-people", "--json").json
    assert (done["workspace"], done["keeps_people"]) == ("acme", True)
    assert "managed by acme" in cli.ok("app", "show", "acme-notes").out


def test_refusals(cli: Cli) -> None:
    assert cli("app", "add", "Acme").code == 2  # without an origin
    assert cli(*ADD, "--keeps-people").code == 2
    assert cli(*ADD, "--role-map", "superuser").code == 2
    assert cli(*ADD, "--workspace", "nowhere").code == 1
    own = cli("app", "add", "Acme", "--origin", "http://localhost:8000")
    assert (own.code, "NIGHTLATCH_PATH" in own.err) == (1, True)
    assert cli("app", "add", "Acme", "--origin", "http://localhost:8000", NIGHTLATCH_PATH="/2fa").code == 1
    cli.ok("app", "add", "Inside", "--origin", "http://localhost:8000", path="/2fa")
    cli.ok(*ADD)
    taken = cli("app", "add", "Other", "--origin", ORIGIN)
    assert (taken.code, ORIGIN in taken.err) == (1, True)
    for command in ("show", "change", "rotate", "end-secret"):
        gone = cli("app", command, "nobody")
        assert (gone.code, "nightlatch app list" in gone.err) == (1, True)
    assert cli("app", "remove", "acme-notes").code == 2  # break-glass: a reason


def test_changing(cli: Cli, world: World, tmp_path: Path) -> None:
    cli.ok(*ADD)
    logo = tmp_path / "logo.png"
    logo.write_bytes(picture("png", 64, 64))
    change = ("app", "change", "acme-notes")
    done = cli.ok(*change, "--name", "Notes", "--colour", "#FFCC00", "--logo", str(logo), "--json")
    assert (done.json["name"], done.json["colour"], done.json["logo"]) == ("Notes", "#ffcc00", "image/png")
    assert "hard to read" in done.err
    done = cli.ok(*change, "--origin", "https://new.example", "--colour", "", "--no-logo", "--json")
    assert (done.json["origins"], done.json["colour"], done.json["logo"]) == (
        ["https://new.example"],
        None,
        None,
    )
    assert cli(*change, "--no-logo", "--logo", str(logo)).code == 2
    logo.write_bytes(b"<svg/>")
    refused = cli(*change, "--name", "Nothing of this", "--logo", str(logo))
    assert (refused.code, "PNG" in refused.err) == (1, True)
    assert cli.ok("app", "show", "acme-notes", "--json").json["name"] == "Notes"


def test_rotating(cli: Cli, world: World) -> None:
    first = secret_in(cli.ok(*ADD).out)
    done = cli.ok("app", "rotate", "acme-notes")
    second = secret_in(done.out)
    assert "nightlatch app end-secret acme-notes" in done.err
    assert knows(world, first)
    assert knows(world, second)
    refused = cli("app", "rotate", "acme-notes")
    assert (refused.code, "--end-older" in refused.err) == (1, True)
    world.wait(1_000_000)
    third = cli.ok("app", "rotate", "acme-notes", "--end-older", "--json").json["secret"]
    assert [knows(world, each) for each in (first, second, third)] == [False, True, True]
    cli.ok("app", "end-secret", "acme-notes")
    assert [knows(world, each) for each in (second, third)] == [False, True]
    assert cli("app", "end-secret", "acme-notes").code == 1  # the last one
    [left] = cli.ok("app", "show", "acme-notes", "--json").json["secrets"]
    assert cli("app", "end-secret", "acme-notes", "--secret", left["id"]).code == 1
    assert cli("app", "end-secret", "acme-notes", "--secret", "nonsense").code == 1


def test_people_come_from_the_product(cli: Cli, world: World) -> None:
    """`teammate list` works for a product's workspace; who is in it is not changed here."""
    product = Product.of(world, app_of(world))
    product.check(product.person("ana", role="owner"))
    [workspace] = cli.ok("workspace", "list", "--json").items
    slug = workspace["slug"]
    [ana] = cli.ok("teammate", "list", "--workspace", slug, "--json").items
    assert (ana["name"], ana["role"]) == ("Ana", "owner")
    for command in (
        ("invite", "--workspace", slug, "new@people.example"),
        ("role", "--workspace", slug, "ana@people.example", "member", *GLASS),
        ("remove", "--workspace", slug, "acme:ana", *GLASS),
    ):
        refused = cli("teammate", *command)
        assert (refused.code, "come from Acme Notes" in refused.err) == (1, True), refused.err


def test_break_glass_for_a_products_person(cli: Cli, world: World) -> None:
    product = Product.of(world, app_of(world))
    for id in ("ana", "twin"):
        product.check(product.person(id, email="ana@people.example"))
    [workspace] = cli.ok("workspace", "list", "--json").items
    [bound] = world.read(lambda tx: people.of_workspace(tx, product.id, id_of(tx, workspace["slug"])))[:1]
    world.bind_totp(Person(bound.account_id, bound.email, bound.name))
    disable = ("teammate", "disable-two-factor", "--workspace", workspace["slug"])
    refused = cli(*disable, "ana@people.example", *GLASS)
    assert (refused.code, "HANDLE:" in refused.err) == (1, True)
    done = cli.ok(*disable, "acme:ana", *GLASS, "--json")
    assert done.json["reset"]["state"] == "done"
