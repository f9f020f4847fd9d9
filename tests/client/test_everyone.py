"""The lists of teammates: grouped, given at start and nightly, by the command line too."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from nightlatch_client import Misconfigured, Nightlatch, Person
from nightlatch_client.everyone import DAY, collect, grouped, keep_in_step, sync_everyone
from tests.client.products import Place
from tests.client.stand_in_server import SECRET, Server

ADA = Person("ada", "ada@acme.dev", "Ada", "7", "Acme", "owner")
BEN = Person("ben", "ben@acme.dev", "Ben", "7", "Acme", "member")
EVE = Person("eve", "eve@acme.dev", "Eve", "8", "Other", "owner")


def a_list() -> list[Person]:
    return [ADA, EVE, BEN]


def a_generator() -> Iterator[Person]:
    yield from a_list()


async def awaited() -> list[Person]:
    return a_list()


async def awaited_generator() -> AsyncIterator[Person]:
    for person in a_list():
        yield person


def later() -> Any:
    return awaited()


@pytest.mark.parametrize("function", [a_list, a_generator, awaited, awaited_generator, later])
async def test_everybody_is_grouped_by_workspace(
    server: Server, nl: Nightlatch, function: Callable[..., Any]
):
    assert nl.everyone(function) is function
    dry = await nl.sync_everyone(dry_run=True)
    assert [(each.workspace, each.name, each.people) for each in dry] == [("7", "Acme", 2), ("8", "Other", 1)]
    assert dry[0].synced is not None
    assert (dry[0].synced.added, dry[0].synced.dry_run) == (2, True)
    assert server.stand_in.teammates == {}
    await nl.sync_everyone()
    assert server.stand_in.teammates["7"] == [
        {"id": "ada", "email": "ada@acme.dev", "name": "Ada", "role": "owner"},
        {"id": "ben", "email": "ben@acme.dev", "name": "Ben", "role": "member"},
    ]
    await nl.aclose()


async def test_what_cannot_be_a_list_is_told(nl: Nightlatch):
    with pytest.raises(Misconfigured, match=r"@nl\.everyone"):
        await nl.sync_everyone()
    with pytest.raises(ValueError, match="ada comes twice in workspace 7"):
        grouped([ADA, EVE, ADA])
    with pytest.raises(TypeError, match="yields Person"):
        grouped(await collect(lambda: ["ada"]))  # type: ignore[list-item]


async def test_losing_many_needs_a_word_and_keeps_no_other_list_back(server: Server, nl: Nightlatch):
    nl.everyone(a_list)
    await nl.sync_everyone()
    nl.everyone(lambda: [ADA, EVE])
    outcomes = await sync_everyone(nl)
    assert outcomes[0].refused is not None
    assert outcomes[0].refused.code == "confirm_required"
    assert outcomes[1].synced is not None
    assert len(server.stand_in.teammates["7"]) == 2
    outcomes = await sync_everyone(nl, confirm=True)
    assert outcomes[0].synced is not None
    assert outcomes[0].synced.removed == 1
    await nl.aclose()


class Enough(Exception):
    """The test has seen enough nights."""


async def test_soon_after_the_start_and_nightly_and_again_after_a_failure(
    server: Server, nl: Nightlatch, caplog
):
    nl.everyone(a_list)
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)
        server.stand_in.down(down=len(slept) in (2, 3))
        if len(slept) == 5:
            raise Enough

    with pytest.raises(Enough):
        await keep_in_step(nl, sleep=sleep, chance=lambda: 0.5)
    await nl.aclose()
    assert slept == [15, DAY, 45, 90, DAY]
    assert "could not be given: Unavailable" in caplog.text


def test_a_product_gives_its_lists_when_it_starts(server: Server, nl: Nightlatch, place: Place, monkeypatch):
    given = asyncio.Event()

    async def at_once(nl: Nightlatch) -> None:
        await keep_in_step(nl, chance=lambda: 0.0)

    monkeypatch.setattr("nightlatch_client.asgi.keep_in_step", at_once)
    nl.everyone(a_list)

    async def app(scope: Any, receive: Any, send: Any) -> None:
        assert scope["type"] == "lifespan"
        await receive()
        await send({"type": "lifespan.startup.complete"})
        given.set()
        await receive()
        await send({"type": "lifespan.shutdown.complete"})

    gated: Any = nl.protect(app, lambda request: None)

    async def life() -> None:
        coming = [{"type": "lifespan.startup"}]

        async def receive() -> Any:
            if coming:
                return coming.pop()
            while len(server.stand_in.teammates) < 2:
                await asyncio.sleep(0.005)
            return {"type": "lifespan.shutdown"}

        async def send(message: Any) -> None:
            told.append(message["type"])

        await gated({"type": "lifespan"}, receive, send)

    told: list[str] = []
    asyncio.run(life())
    assert told == ["lifespan.startup.complete", "lifespan.shutdown.complete"]


def test_a_product_without_its_secret_does_not_start(tmp_path: Path):
    nl = Nightlatch(
        "http://localhost:1", app="acme", secret_file=tmp_path / "none", origin="http://localhost:2"
    )

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "lifespan.startup.complete"})

    gated: Any = nl.protect(app, lambda request: None)

    async def send(message: Any) -> None:
        raise AssertionError("it started")

    with pytest.raises(Misconfigured, match="cannot be read"):
        asyncio.run(gated({"type": "lifespan"}, None, send))


# --- the command ---

PRODUCT = """
from nightlatch_client import Nightlatch, Person
nl = Nightlatch({url!r}, app="acme", secret={secret!r}, origin="http://localhost:2")
@nl.everyone
def everyone():
    for number in range({people}):
        yield Person(f"p{{number}}", f"p{{number}}@acme.dev", "P", "7", "Acme", "member")
"""


def command(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    program = Path(sys.executable).with_name("nightlatch-client")
    return subprocess.run(
        [program, *arguments],
        cwd=folder,
        env={"PATH": "/usr/bin:/bin", **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_the_command_gives_the_lists(server: Server, tmp_path: Path):
    shop = tmp_path / "shop.py"
    shop.write_text(PRODUCT.format(url=server.url, secret=SECRET, people=10))
    dry = command(tmp_path, "sync", "--dry-run", "shop:nl")
    assert (dry.returncode, dry.stderr) == (0, "")
    assert dry.stdout == "Acme (7), 10 people: would be 10 added, 0 changed, 0 removed, 0 unchanged\n"
    assert server.stand_in.teammates == {}
    assert command(tmp_path, "sync", "shop").stdout == (
        "Acme (7), 10 people: 10 added, 0 changed, 0 removed, 0 unchanged\n"
    )
    shop.write_text(PRODUCT.format(url=server.url, secret=SECRET, people=5))
    refused = command(tmp_path, "sync", "shop:nl")
    assert refused.returncode == 1
    assert "5 of 10 would be removed" in refused.stdout
    assert "--confirm" in refused.stderr
    assert "5 removed" in command(tmp_path, "sync", "--confirm", "shop:nl").stdout
    server.stand_in.down()
    down = command(tmp_path, "sync", "shop:nl")
    assert (down.returncode, "503" in down.stderr) == (1, True)


def test_the_command_says_how_to_use_it(tmp_path: Path):
    (tmp_path / "shop.py").write_text("nl = 7\n")
    for arguments, told in (
        (("sync",), "DJANGO_SETTINGS_MODULE"),
        (("sync", "nowhere:nl"), "cannot be imported"),
        (("sync", "shop:other"), "cannot be imported"),
        (("sync", "shop:nl"), "is no Nightlatch, but int"),
        ((), "COMMAND"),
    ):
        wrong = command(tmp_path, *arguments)
        assert wrong.returncode == 2
        assert told in wrong.stderr


def test_the_command_finds_a_django_project(server: Server, tmp_path: Path):
    (tmp_path / "project.py").write_text(
        f"""
SECRET_KEY = "x"
INSTALLED_APPS = ["nightlatch_client.django"]
MIDDLEWARE = ["nightlatch_client.django.NightlatchMiddleware"]
NIGHTLATCH = {{
    "URL": {server.url!r}, "APP": "acme", "SECRET": {SECRET!r}, "ORIGIN": "http://localhost:2",
    "PERSON": "people.person", "EVERYONE": "people.everyone",
}}
"""
    )
    (tmp_path / "people.py").write_text(
        "from nightlatch_client import Person\n"
        "def person(request): return None\n"
        "def everyone(): yield Person('ada', 'ada@acme.dev', 'Ada', '7', 'Acme', 'owner')\n"
    )
    done = command(tmp_path, "sync", DJANGO_SETTINGS_MODULE="project")
    assert (done.returncode, done.stderr) == (0, "")
    assert list(server.stand_in.teammates) == ["7"]
    wrong = command(tmp_path, "sync", DJANGO_SETTINGS_MODULE="nowhere")
    assert (wrong.returncode, "nowhere" in wrong.stderr) == (2, True)
