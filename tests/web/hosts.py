"""Protected hosts without a real proxy: a browser, the proxy's question, and what it makes of the answer."""

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

from nightlatch.facts import AppId
from nightlatch.store import apps
from nightlatch.store.engine import Transaction
from nightlatch.vocabulary import Role
from nightlatch.web.app import App
from tests.support.asgi import ORIGIN, Client, Got, app_of
from tests.support.visitor import Page, Visitor, _Reader
from tests.support.world import PASSWORD, Person, World

WIKI = "https://wiki.acme.example"
BOARD = "https://board.acme.example"
PAGE = {"accept": "text/html,application/xhtml+xml", "sec-fetch-mode": "navigate"}
SCRIPT = {"accept": "*/*"}


def trusting(world: World, **settings: str) -> App:
    """The application, with this test as its trusted proxy."""
    return app_of(world, NIGHTLATCH_TRUSTED_PROXIES="127.0.0.1", **settings)


def register(
    world: World, workspace_id: int, *origins: str, handle: str = "wiki", roles: tuple[Role, ...] = ()
) -> AppId:
    """A product without users of its own, straight in the database."""

    def body(tx: Transaction) -> AppId:
        app_id = apps.create(
            tx,
            handle=handle,
            name=handle.title(),
            workspace_id=workspace_id,
            managed_by=workspace_id,
            return_url=f"{origins[0]}/.nightlatch/callback",
            roles=" ".join(roles) or None,
            role_map="{}",
            colour=None,
        )
        apps.set_origins(tx, app_id, origins)
        return app_id

    return world.write(body)


def forwarded(url: str, method: str = "GET", **more: str) -> dict[str, str]:
    """What Caddy says about a request."""
    parts = urlsplit(url)
    path = parts.path + (f"?{parts.query}" if parts.query else "")
    return {
        "x-forwarded-method": method,
        "x-forwarded-proto": parts.scheme,
        "x-forwarded-host": parts.netloc,
        "x-forwarded-uri": path or "/",
        **{name.replace("_", "-"): value for name, value in more.items()},
    }


def original(url: str, method: str = "GET") -> dict[str, str]:
    """What nginx says about a request."""
    return {"x-original-method": method, "x-original-url": url}


@dataclass
class Surfer:
    """One browser that goes to and fro between protected hosts and the origin."""

    app: App
    home: Visitor = field(init=False)
    """At the origin."""
    jars: dict[str, dict[str, str]] = field(default_factory=dict)
    """The cookies of each protected host."""
    trail: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.home = Visitor(self.app)
        self.home.may_leave = True

    def client(self, origin: str) -> Client:
        """What sends to us on behalf of a protected host: its proxy."""
        return Client(self.app, cookies=self.jars.setdefault(origin, {}), host="nightlatch.internal:8000")

    def check(
        self,
        url: str,
        *,
        method: str = "GET",
        style: str = "forward",
        query: str = "",
        headers: dict[str, str] | None = None,
    ) -> Got:
        """The proxy's question about one request of this browser."""
        parts = urlsplit(url)
        said = forwarded(url, method) if style == "forward" else original(url, method)
        sent = {**said, **(PAGE if headers is None else headers)}
        path = f"/authz/{style}" + (f"?{query}" if query else "")
        return self.client(f"{parts.scheme}://{parts.netloc}").get(path, headers=sent)

    def at_host(self, url: str, method: str = "GET", **more: Any) -> Got:
        """One of our own pages at a protected host, by its proxy."""
        parts = urlsplit(url)
        headers = {**forwarded(url, method), **PAGE, **more.pop("headers", {})}
        path = parts.path + (f"?{parts.query}" if parts.query else "")
        return self.client(f"{parts.scheme}://{parts.netloc}").ask(method, path, headers=headers, **more)

    def open(self, url: str) -> Got | Page:
        """Open an address and follow where it leads, over all hosts, to an answer or a page of ours at the origin."""
        self.trail = []
        for _ in range(12):
            self.trail.append(url)
            if url.startswith(ORIGIN):
                self.home.elsewhere = ""
                page = self.home.open(url)
                if not self.home.elsewhere:
                    return page
                url = self.home.elsewhere
                continue
            parts = urlsplit(url)
            got = self.at_host(url) if parts.path.startswith("/.nightlatch/") else self.check(url)
            if got.status not in (302, 303):
                return got
            target = got.header("location")
            url = target if "://" in target else f"{parts.scheme}://{parts.netloc}{target}"
        raise AssertionError(f"an endless way: {self.trail}")

    def on(self) -> Got | Page:
        """Where the last form at the origin led: on, if it leads to another host."""
        return self.open(self.home.elsewhere) if self.home.elsewhere else self.page

    @property
    def page(self) -> Page:
        """The page at the origin."""
        assert self.home.page is not None
        return self.home.page

    def sign_in(self, person: Person, code: str | None = None) -> Got | Page:
        """Fill in the sign-in form of the page, and the code where one is asked for; on to where it leads."""
        self.home.elsewhere = ""
        page = self.home.submit("/sign-in", email=person.email, password=PASSWORD)
        if code is not None:
            assert page.path.startswith("/sign-in/second-step"), page.path
            self.home.submit("/sign-in/second-step", code=code)
        return self.on()


def query_of(url: str) -> dict[str, str]:
    """The query of an address."""
    return {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}


def read(got: Got) -> _Reader:
    """The words of a page at a protected host."""
    return _Reader(got.text)
