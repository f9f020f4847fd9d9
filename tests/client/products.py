"""Products for the tests: served by a real uvicorn on a real socket, visited by something like a browser."""

import re
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from html import unescape
from typing import Any
from urllib.parse import urlsplit

import httpx2
import uvicorn

NAVIGATION = {
    "accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
    "sec-fetch-mode": "navigate",
    "sec-fetch-dest": "document",
}


class Place:
    """A port that is taken already, so that the product knows its origin before it is made."""

    def __init__(self) -> None:
        self.socket = socket.socket()
        self.socket.bind(("127.0.0.1", 0))
        self.socket.listen(128)  # who comes early waits
        self.port: int = self.socket.getsockname()[1]
        self.origin = f"http://localhost:{self.port}"
        self._server: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None

    def serve(self, app: Any, **more: Any) -> None:
        """Start the product here."""
        config = uvicorn.Config(
            app, log_config=None, ws="websockets-sansio", timeout_graceful_shutdown=5, **more
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, kwargs={"sockets": [self.socket]})
        self._thread.start()

    def close(self) -> None:
        """Stop it."""
        if self._server is not None and self._thread is not None:
            self._server.should_exit = True
            self._thread.join(60)
            assert not self._thread.is_alive(), "the product does not stop"
        self.socket.close()


class Browser:
    """Keeps cookies and follows nothing by itself."""

    def __init__(self, origin: str) -> None:
        self.origin = origin
        self._client = httpx2.Client(base_url=origin, timeout=60, trust_env=False)

    @property
    def cookies(self) -> dict[str, str]:
        """What it keeps."""
        return {cookie.name: cookie.value or "" for cookie in self._client.cookies.jar}

    def plant(self, name: str, value: str) -> None:
        """Put a cookie into it."""
        self._client.cookies.set(name, value, domain="localhost.local", path="/")

    def visit(self, path: str, **headers: str) -> httpx2.Response:
        """Open a page."""
        return self._client.get(path, headers={**NAVIGATION, **_named(headers)})

    def submit(self, path: str, fields: dict[str, str], files: Any = None, **headers: str) -> httpx2.Response:
        """Send a form from a page of the product itself."""
        sent = {**NAVIGATION, "origin": self.origin, "referer": f"{self.origin}/notes", **_named(headers)}
        return self._client.post(path, data=fields, files=files, headers=sent)

    def call(self, method: str, path: str, **more: Any) -> httpx2.Response:
        """A script's request."""
        return self._client.request(method, path, **more)

    def come_back(self, path: str) -> str:
        """Return to the product by a path with code and state; where it leads, as a path."""
        response = self.visit(path, sec_fetch_site="cross-site")
        assert response.status_code == 303, response.text
        return path_of(response.headers["location"], self.origin)

    def close(self) -> None:
        """Close it."""
        self._client.close()


def path_of(location: str, origin: str) -> str:
    """A location of the product as a path."""
    parts = urlsplit(location)
    assert f"{parts.scheme}://{parts.netloc}" == origin, location
    return parts.path + (f"?{parts.query}" if parts.query else "")


def way_on(response: httpx2.Response) -> str:
    """Where an answer leads: by a redirect, or by the page that stands for one."""
    found = re.search(r'<meta http-equiv="refresh" content="0;url=([^"]+)">', response.text)
    return unescape(found[1]) if found is not None else str(response.headers["location"])


@contextmanager
def browser(origin: str) -> Iterator[Browser]:
    """A browser that is closed afterwards."""
    made = Browser(origin)
    try:
        yield made
    finally:
        made.close()


def _named(headers: dict[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in headers.items()}
