"""Requests to the application in this process: the real App over a real database, without a network."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from nightlatch.config import Config
from nightlatch.web.app import App
from nightlatch.wiring import House
from tests.support.world import World

ORIGIN = "http://localhost:8000"


@dataclass(frozen=True)
class Got:
    """An answer."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes

    def header(self, name: str) -> str:
        """The first value of a header, or the empty text."""
        return next((value for key, value in self.headers if key == name), "")

    def all(self, name: str) -> list[str]:
        """Every value of a header."""
        return [value for key, value in self.headers if key == name]

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode()

    @property
    def code(self) -> str:
        """The stable code of a problem, or the empty text."""
        return str(self.json["code"]) if "problem+json" in self.header("content-type") else ""


def app_of(world: World, **settings: str) -> App:
    """The application over a world's database."""
    environment = {
        "NIGHTLATCH_DATA": str(world.folder / "data"),
        "NIGHTLATCH_DATABASE_URL": world.url,
        "NIGHTLATCH_ORIGIN": ORIGIN,
        **settings,
    }
    config = Config.from_environment(environment)
    return App(House(config, world.clock, world.keys, world.store))


@dataclass
class Client:
    """Asks one application. `cookies` are kept as a browser would keep them."""

    app: App
    cookies: dict[str, str] = field(default_factory=dict)
    bearer: str | None = None
    host: str = "localhost:8000"

    def ask(
        self,
        method: str,
        path: str,
        *,
        json_body: Any = None,
        form: Mapping[str, str] | None = None,
        raw: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Got:
        """One request."""
        sent = {"host": self.host, **(headers or {})}
        body = b""
        if json_body is not None:
            body = json.dumps(json_body).encode()
            sent.setdefault("content-type", "application/json")
        elif form is not None:
            body = urlencode(form).encode()
            sent.setdefault("content-type", "application/x-www-form-urlencoded")
        elif raw is not None:
            body = raw
        if self.cookies:
            sent["cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        if self.bearer is not None:
            sent["authorization"] = f"Bearer {self.bearer}"
        got = asyncio.run(_call(self.app, method, path, sent, body))
        self._keep(got)
        return got

    def get(self, path: str, **more: Any) -> Got:
        """GET."""
        return self.ask("GET", path, **more)

    def post(self, path: str, json_body: Any = None, **more: Any) -> Got:
        """POST with a JSON body."""
        return self.ask("POST", path, json_body=json_body, **more)

    def _keep(self, got: Got) -> None:
        for value in got.all("set-cookie"):
            pair, *attributes = value.split("; ")
            name, _, text = pair.partition("=")
            if "Max-Age=0" in attributes:
                self.cookies.pop(name, None)
            else:
                self.cookies[name] = text


async def _call(app: App, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Got:
    plain, _, query = path.partition("?")
    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},  # a stream is not listened to while it is sent
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": plain,
        "raw_path": plain.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "headers": [(name.lower().encode(), value.encode("latin-1")) for name, value in headers.items()],
        "client": ("127.0.0.1", 50000),
        "server": ("localhost", 8000),
    }
    messages: list[Any] = []
    waiting = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> Any:
        return waiting.pop() if waiting else {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        messages.append(message)

    await app(scope, receive, send)
    start = messages[0]
    pairs = [(name.decode().lower(), value.decode("latin-1")) for name, value in start["headers"]]
    return Got(start["status"], pairs, b"".join(each.get("body", b"") for each in messages[1:]))
