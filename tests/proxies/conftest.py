"""One stage for each proxy: Nightlatch, two products of two workspaces, and the proxy in front of all three."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pytest

from nightlatch.store import teammates
from nightlatch.store.engine import Transaction
from nightlatch.vocabulary import Role
from tests.support import databases, programs, proxies
from tests.support.proxies import BOARD, ID, WIKI, Answer, Behind, Browser, Product, Proxy
from tests.support.server import Serve, Server
from tests.support.visitor import resident
from tests.support.world import PASSWORD, Person, World
from tests.web.hosts import register

PROXIES = sorted(proxies.PROXIES)


@dataclass
class Stage:
    """Acme has the wiki, Beta the board; Olga owns both."""

    world: World
    proxy: Proxy
    server: Server
    products: dict[str, Product]
    behind: Behind
    acme: int
    beta: int
    olga: Person

    @property
    def home(self) -> str:
        """Where Nightlatch is."""
        return f"https://{ID}:{self.behind.port}"

    @property
    def wiki(self) -> str:
        """Acme's product."""
        return f"https://{WIKI}:{self.behind.port}"

    @property
    def board(self) -> str:
        """Beta's product."""
        return f"https://{BOARD}:{self.behind.port}"

    def browser(self) -> Browser:
        """Somebody's."""
        return Browser(self.behind.port, self.behind.certificates.authority)

    def teammate(self, name: str, workspace_id: int | None = None, role: Role = Role.MEMBER) -> Person:
        """One more person with a password, in Acme if nothing else is said."""
        person = resident(self.world, name)

        def body(tx: Transaction) -> None:
            teammates.join(tx, workspace_id=workspace_id or self.acme, account_id=person.id, role=role)

        self.world.write(body)
        return person

    def signed_in(self, person: Person, url: str, code: str | None = None) -> tuple[Browser, Answer]:
        """That person's browser, after the sign-in that opening `url` leads to; where it came out."""
        browser = self.browser()
        answer = browser.open(url)
        assert answer.url.startswith(f"{self.home}/sign-in"), answer.url
        answer = browser.submit("/sign-in", email=person.email, password=PASSWORD)
        if code is not None:
            answer = browser.submit("/sign-in/second-step", code=code)
        return browser, answer

    @cached_property
    def member(self) -> tuple[Person, Browser]:
        """Mia, a member of Acme and of nothing else, and her browser, signed in to the wiki."""
        mia = self.teammate("Mia")
        browser, answer = self.signed_in(mia, self.wiki)
        assert answer.status == 200
        return mia, browser

    def reached(self) -> int:
        """How many requests have reached a product."""
        return sum(len(each.got) for each in self.products.values())


@pytest.fixture(scope="module", params=PROXIES)
def stage(
    request: pytest.FixtureRequest,
    serve_module: Serve,
    sqlite_template: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Stage]:
    """Built once for each proxy; tests bring people of their own."""
    folder = tmp_path_factory.mktemp(request.param)
    world = World(databases.sqlite_copy(sqlite_template, folder), folder)
    olga, port = resident(world, "Olga"), programs.free_port()
    acme, beta = world.workspace("acme", owner=olga), world.workspace("beta", owner=olga)
    register(world, acme, f"https://{WIKI}:{port}")
    register(world, beta, f"https://{BOARD}:{port}", handle="board")
    server = serve_module(
        migrate=False,
        database_url=world.url,
        keys=" ".join(world.keys.to_text().split()),
        origin=f"https://{ID}:{port}",
        trusted_proxies="127.0.0.1",
        mail="smtp://127.0.0.1:9",
        mail_from="Nightlatch <nightlatch@acme.test>",
    )
    products = {name: Product(name) for name in ("wiki", "board")}
    for product in products.values():
        product.start()
    behind = Behind(
        port,
        server.port,
        products["wiki"].port,
        products["board"].port,
        proxies.certificates(folder / "tls", ID, WIKI, BOARD),
    )
    with proxies.running(request.param, folder / "proxy", behind) as proxy:
        yield Stage(world, proxy, server, products, behind, acme, beta, olga)
    for product in products.values():
        product.stop()
    world.close()
