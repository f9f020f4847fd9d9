"""A product that stands behind a proxy check: it believes the signed assertion and no other header."""

from collections.abc import Sequence
from typing import Any

from nightlatch_client.answers import Answer, problem
from nightlatch_client.asgi import App, Receive, Scope, Send, send_answer
from nightlatch_client.asgi_view import view_of
from nightlatch_client.asgi_websocket import refuse_websocket
from nightlatch_client.assertions import Assertions, Teammate
from nightlatch_client.errors import AssertionRefused, Unavailable
from nightlatch_client.paths import OpenPaths

KEY = "nightlatch.teammate"
HEADER = b"nightlatch-assertion"
_LOOK_ALIKES = bytes.maketrans(b"_.", b"--")


class BehindProxy:
    """An ASGI app whose requests are let in by their assertion; `scope["nightlatch.teammate"]` is the Teammate.

    Every `Remote-*` header, however it is spelled, is gone before the app sees the request. `open` are the paths that
    need no assertion (`/healthz`, for whoever asks past the proxy).
    """

    def __init__(self, app: App, assertions: Assertions, open: Sequence[str] = ()) -> None:  # noqa: A002
        self.app = app
        self._assertions = assertions
        self._open = OpenPaths(open)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One connection."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        if scope["type"] not in ("http", "websocket"):
            raise RuntimeError(f"connections of the type {scope['type']!r} stay closed")
        given = [value for name, value in scope["headers"] if name.lower() == HEADER]
        scope["headers"] = [pair for pair in scope["headers"] if not _is_identity(pair[0])]
        scope[KEY] = None
        if view_of(scope).path not in self._open:
            outcome = await self._let_in(given)
            if isinstance(outcome, Answer):
                await self._refuse(scope, receive, send, outcome)
                return
            scope[KEY] = outcome
        await self.app(scope, receive, send)

    async def _let_in(self, given: list[bytes]) -> Teammate | Answer:
        if len(given) != 1:
            text = (
                "This is reached through its proxy alone."
                if not given
                else "There is more than one assertion."
            )
            return problem(401, "sign_in_required", text)
        try:
            return await self._assertions.averify(given[0].decode("latin-1"))
        except AssertionRefused as refused:
            return problem(401, "sign_in_required", f"The assertion does not count here: {refused}.")
        except Unavailable as down:
            text = "The assertion cannot be verified at this moment."
            return problem(503, "unavailable", text, retry_after=down.retry_after)

    async def _refuse(self, scope: Any, receive: Receive, send: Send, answer: Answer) -> None:
        if scope["type"] == "http":
            await send_answer(send, answer, view_of(scope))
            return
        await receive()  # websocket.connect
        await refuse_websocket(scope, send, answer)


def teammate(request: Any) -> Teammate:
    """The teammate behind a request (anything with a scope). Raises RuntimeError on an open path."""
    found = request.scope.get(KEY)
    if not isinstance(found, Teammate):
        raise RuntimeError("nobody stands behind this request: is the path open, or BehindProxy missing?")
    return found


def _is_identity(name: bytes) -> bool:
    plain = name.lower().translate(_LOOK_ALIKES)
    return plain.startswith(b"remote-") or plain == HEADER
