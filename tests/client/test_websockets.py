"""WebSockets of real products on a real uvicorn: refused, watched, closed."""

from collections.abc import Callable
from typing import Annotated, Any

import pytest
from fastapi import Depends, FastAPI, WebSocket
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from nightlatch_client import Nightlatch, Person, Proof
from tests.client.products import Place
from tests.client.stand_in_server import Server

HEADERS = {"x-user": "ada"}


class Sessions:
    """Who is signed in to the product."""

    def __init__(self) -> None:
        self.live = {"ada"}

    def person(self, request: Any) -> Person | None:
        name = request.headers.get("x-user")
        if name not in self.live:
            return None
        return Person(name, f"{name}@acme.dev", name, "7", "Acme", "member")


@pytest.fixture
def sessions() -> Sessions:
    return Sessions()


@pytest.fixture
def dial(nl: Nightlatch, place: Place, sessions: Sessions) -> Callable[..., ClientConnection]:
    app = FastAPI()

    @app.websocket("/echo")
    async def echo(socket: WebSocket) -> None:
        await socket.accept()
        while True:
            await socket.send_text(await socket.receive_text())

    @app.websocket("/clock")
    async def clock(socket: WebSocket) -> None:
        """Sends and never listens."""
        import asyncio

        await socket.accept()
        while True:
            await socket.send_text("tick")
            await asyncio.sleep(0.01)

    @app.websocket("/payouts")
    async def payouts(socket: WebSocket, proof: Annotated[Proof, Depends(nl.fresh(minutes=10))]) -> None:
        await socket.accept()
        await socket.send_text(str(proof.aal))
        await socket.close()

    @app.websocket("/later")
    async def later(socket: WebSocket) -> None:
        await socket.accept()
        await socket.receive_text()
        proof = await nl.fresh(minutes=10)(socket)
        await socket.send_text(str(proof.aal))

    nl.protect(app, sessions.person, open=["/open"])
    place.serve(app)

    def dial(path: str, headers: dict[str, str] = HEADERS) -> ClientConnection:
        url = place.origin.replace("http", "ws") + path
        return connect(url, additional_headers=headers, proxy=None, open_timeout=60)

    return dial


def closing(socket: ClientConnection) -> int | None:
    """Read until the end; the code that it was closed with."""
    try:
        while True:
            socket.recv(timeout=60)
    except ConnectionClosed as closed:
        return closed.rcvd.code if closed.rcvd is not None else None


def test_refused_before_it_opens(dial, server: Server):
    server.stand_in.requires("7")
    with pytest.raises(InvalidStatus) as refused:
        dial("/echo")
    assert refused.value.response.status_code == 401
    assert b"enrolment_required" in refused.value.response.body
    server.stand_in.denied("ada")
    with pytest.raises(InvalidStatus) as refused:
        dial("/echo")
    assert refused.value.response.status_code == 403
    server.stand_in.down()
    with pytest.raises(InvalidStatus) as refused:
        dial("/echo")
    assert refused.value.response.status_code == 503


def test_it_stays_open_while_access_lasts_and_is_asked_about(dial, server: Server):
    with dial("/echo") as socket:
        asked = len(server.stand_in.calls)
        while len(server.stand_in.calls) < asked + 4:
            socket.send("hello")
            assert socket.recv(timeout=60) == "hello"


@pytest.mark.parametrize("path", ["/echo", "/clock"])
def test_closed_when_the_mandate_is_turned_on(dial, server: Server, path):
    with dial(path) as socket:
        server.stand_in.requires("7")
        assert closing(socket) == 4401


def test_closed_when_the_person_is_removed_or_signs_out_or_nightlatch_is_gone(dial, server: Server, sessions):
    with dial("/echo") as socket:
        server.stand_in.denied("ada")
        assert closing(socket) == 4403
    server.stand_in.forget("ada")
    with dial("/echo") as socket:
        sessions.live.clear()
        assert closing(socket) == 4401
    sessions.live.add("ada")
    with dial("/echo") as socket:
        server.stand_in.down()
        assert closing(socket) == 1013


def test_who_is_signed_out_is_the_product_s_own_business(dial, server: Server):
    with dial("/echo", {}) as socket:
        socket.send("hello")
        assert socket.recv(timeout=60) == "hello"
    assert server.stand_in.calls == []


def test_fresh_proof(dial, server: Server):
    server.stand_in.proved("ada")
    with dial("/payouts") as socket:
        assert socket.recv(timeout=60) == "2"
    server.stand_in.proved("ada", minutes_ago=30)
    with pytest.raises(InvalidStatus) as refused:
        dial("/payouts")
    assert refused.value.response.status_code == 401
    assert b"step_up_required" in refused.value.response.body
    with dial("/later") as socket:
        socket.send("go")
        assert closing(socket) == 4401


async def test_a_server_without_denial_responses_gets_a_close_code(nl: Nightlatch, server: Server, sessions):
    server.stand_in.requires("7")
    sent: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        raise AssertionError("it was let in")

    async def receive() -> Any:
        return {"type": "websocket.connect"}

    async def send(message: Any) -> None:
        sent.append(message)

    gated: Any = nl.protect(app, sessions.person)
    scope = {"type": "websocket", "path": "/echo", "headers": [(b"x-user", b"ada")], "query_string": b""}
    await gated(scope, receive, send)
    await nl.calls.aclose()
    assert sent == [{"type": "websocket.close", "code": 4401, "reason": ""}]
