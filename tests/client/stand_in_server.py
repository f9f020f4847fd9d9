"""The plugin's stand-in over HTTP, on a real socket: what the client says on the wire is seen and answered there.

It is no Nightlatch. The journeys with the real server are in tests/browser.
"""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from nightlatch_client.replies import Raw
from nightlatch_client.settings import Settings, settings
from nightlatch_client.standin import StandIn

SECRET = "nla_a-secret-of-the-tests-0123456789"


@dataclass
class Wire:
    """What went over the wire."""

    connections: int = 0
    headers: list[dict[str, str]] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)


class Server(ThreadingHTTPServer):
    """Serves a stand-in. `says` replaces its answers; `answering` is cleared to let callers wait."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.stand_in = StandIn()
        self.wire = Wire()
        self.lock = threading.Lock()
        self.secrets = {SECRET}
        self.says: Raw | None = None
        self.answering = threading.Event()
        self.answering.set()
        self.drop_next = 0
        self.product = ""
        """The origin of the product to which a start link leads back at once, its person having proved."""

    @property
    def url(self) -> str:
        """Where it is reached."""
        return f"http://localhost:{self.server_address[1]}"

    def settings(self) -> Settings:
        """As the stand-in wants them: only its own address is of use to it."""
        return settings(
            self.url,
            "acme",
            "http://localhost:1",
            prefix="/nightlatch",
            name=None,
            sign_in=None,
            down_message=None,
            secret=SECRET,
            secret_file=None,
        )

    def say(self, status: int, body: Any, **headers: str) -> None:
        """Answer everything with this."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.says = Raw(status, headers, content)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is no error of ours."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Server

    def setup(self) -> None:
        super().setup()
        with self.server.lock:
            self.server.wire.connections += 1

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Quiet."""

    def _serve(self) -> None:
        server = self.server
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        with server.lock:
            server.wire.headers.append({name.lower(): value for name, value in self.headers.items()})
            server.wire.bodies.append(body)
            if server.drop_next:
                server.drop_next -= 1
                self.close_connection = True
                return
        server.answering.wait(30)
        self._send(self._answer(body))

    def _answer(self, body: bytes) -> Raw:
        server = self.server
        if server.says is not None:
            return server.says
        if self.path.startswith("/app/start/"):
            return Raw(303, {"location": server.product + server.stand_in.prove(self.path)}, b"")
        if self.headers.get("authorization", "").removeprefix("Bearer ") not in server.secrets:
            return Raw(401, {"content-type": "application/problem+json"}, b'{"code": "sign_in_required"}')
        with server.lock:
            path = self.path.removeprefix("/api/v1")
            return server.stand_in.answer(
                server.settings(), self.command, path, json.loads(body) if body else None
            )

    def _send(self, raw: Raw) -> None:
        self.send_response(raw.status)
        for name, value in raw.headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("content-length", str(len(raw.body)))
        self.end_headers()
        self.wfile.write(raw.body)

    do_GET = do_POST = do_PUT = do_DELETE = _serve  # noqa: N815


@contextmanager
def serving(port: int = 0) -> Iterator[Server]:
    """A running stand-in."""
    server = Server(port)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server
    finally:
        server.answering.set()
        server.shutdown()
        thread.join()
        server.server_close()
