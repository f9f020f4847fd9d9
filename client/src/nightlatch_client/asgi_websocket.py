"""WebSockets: refused before they open, asked about while they are open, closed when access ends."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from nightlatch_client.answers import Answer
from nightlatch_client.errors import NightlatchError, Unavailable
from nightlatch_client.gate import Pass, Passage
from nightlatch_client.steps import Steps, arun, ask_person
from nightlatch_client.values import Check
from nightlatch_client.view import View

if TYPE_CHECKING:
    from nightlatch_client.asgi import AsgiEdge, Guard

log = logging.getLogger("nightlatch_client")
Message = MutableMapping[str, Any]
CODES = {401: 4401, 403: 4403, 404: 4404, 503: 1013}
ENDED = (4401, "access ended")
DENIED = (4403, "access ended")
DOWN = (1013, "try again later")


class Closed(OSError):
    """The gate closed this WebSocket; sending on it fails as on any that is closed."""


class WebSocketGate:
    """One WebSocket behind the gate."""

    def __init__(
        self,
        guard: "Guard",
        scope: MutableMapping[str, Any],
        receive: Callable[[], Awaitable[Message]],
        send: Callable[[Message], Awaitable[None]],
        view: View,
        edge: "AsgiEdge",
    ) -> None:
        self._guard, self._scope, self._view, self._edge = guard, scope, view, edge
        self._receive, self._send = receive, send
        self._ended: asyncio.Event = asyncio.Event()
        self._code = 1000
        self._accepted = False
        self._answered = False  # closed or refused, by the app or by us
        self._ours = False
        self._passage = Passage()
        self._coming: asyncio.Future[Any] | None = None
        self._ending: asyncio.Future[Any] | None = None

    async def serve(self) -> None:
        """From its opening to its end."""
        outcome = await arun(self._guard.gate.enter(self._view), self._edge)
        if not isinstance(outcome, Pass):
            await self._receive()  # websocket.connect
            await self._refuse(outcome)
            return
        self._passage = self._guard.enter(self._scope, self._view, self._edge, outcome)
        watch = asyncio.create_task(self._watch()) if self._passage.person is not None else None
        try:
            await self._guard.app(self._scope, self.receive, self.send)
        except Exception:
            if not self._ours and self._passage.demand is None:
                raise
            log.debug("the app ended after its WebSocket was closed", exc_info=True)
        finally:
            for task in (watch, self._coming, self._ending):
                if task is not None:
                    await _stop(task)
        await self._demanded()

    async def receive(self) -> Message:
        """The next message for the app; the end, once the gate has closed."""
        coming = self._coming = self._coming or asyncio.ensure_future(self._receive())
        ending = self._ending = self._ending or asyncio.ensure_future(self._ended.wait())
        # Where the app gives up waiting, what comes is kept for the next time.
        await asyncio.wait((coming, ending), return_when=asyncio.FIRST_COMPLETED)
        if self._ended.is_set():
            return {"type": "websocket.disconnect", "code": self._code, "reason": ""}
        self._coming = None
        message: Message = coming.result()
        return message

    async def send(self, message: Message) -> None:
        """A message of the app."""
        kind = message["type"]
        if not self._answered and self._passage.demand is not None:
            await self._demanded()
        if self._answered:
            if kind in ("websocket.send", "websocket.accept"):
                raise Closed("the gate has closed this WebSocket")
            return
        self._accepted = self._accepted or kind == "websocket.accept"
        await self._send(message)
        self._answered = kind == "websocket.close"

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(self._guard.nl.websocket_every)
            why = await self._why_end()
            if why is not None:
                await self._end(*why)
                return

    async def _why_end(self) -> tuple[int, str] | None:
        """Why it has to end, if it has to."""
        try:
            check = await arun(self._again(), self._edge)
        except Unavailable:
            return DOWN
        except NightlatchError:
            return ENDED
        except Exception:
            log.exception("an open WebSocket could not be asked about, so it is closed")
            return DOWN
        if check is None:
            return ENDED
        if check.decision == "allow":
            self._passage.check = check
            return None
        return DENIED if check.decision == "deny" else ENDED

    def _again(self) -> Steps[Check | None]:
        person = yield from ask_person()
        return (yield from self._guard.gate.again(person, self._passage))

    async def _demanded(self) -> None:
        """Fresh proof was asked for in vain: refused, or closed where it is open already."""
        if self._passage.demand is None or self._answered:
            return
        if self._accepted:
            await self._end(*ENDED)
            return
        await self._refuse(await arun(self._guard.gate.demanded(self._view, self._passage), self._edge))
        self._ended.set()

    async def _end(self, code: int, reason: str) -> None:
        if not self._answered:
            self._answered, self._ours, self._code = True, True, code
            self._ended.set()
            with suppress(OSError, RuntimeError):
                await self._send({"type": "websocket.close", "code": code, "reason": reason})

    async def _refuse(self, answer: Answer) -> None:
        self._answered, self._ours, self._code = True, True, CODES.get(answer.status, 4403)
        await refuse_websocket(self._scope, self._send, answer)


async def refuse_websocket(
    scope: MutableMapping[str, Any], send: Callable[[Message], Awaitable[None]], answer: Answer
) -> None:
    """Refuse a WebSocket that is not accepted yet: by an HTTP answer where the server can, else by a close code."""
    if "websocket.http.response" not in (scope.get("extensions") or {}):
        await send({"type": "websocket.close", "code": CODES.get(answer.status, 4403), "reason": ""})
        return
    headers = [(name.encode(), value.encode("latin-1", "replace")) for name, value in answer.headers]
    await send({"type": "websocket.http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "websocket.http.response.body", "body": answer.body})


async def _stop(task: asyncio.Future[Any]) -> None:
    """End a task that nobody needs any more."""
    task.cancel()
    with suppress(asyncio.CancelledError, Exception):
        await task
