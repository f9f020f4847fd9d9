"""The gate before an ASGI app: Starlette, FastAPI, Litestar, or any other."""

import asyncio
import inspect
import sys
from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar

from nightlatch_client import calls
from nightlatch_client.answers import Answer
from nightlatch_client.asgi_body import Body
from nightlatch_client.asgi_view import request_of, view_of
from nightlatch_client.asgi_websocket import WebSocketGate
from nightlatch_client.errors import ProofNeeded
from nightlatch_client.everyone import keep_in_step
from nightlatch_client.forms import read_form
from nightlatch_client.gate import Gate, Pass, Passage
from nightlatch_client.steps import Ask, AskPerson, AskServer, arun
from nightlatch_client.values import Person, Proof
from nightlatch_client.view import View

if TYPE_CHECKING:
    from nightlatch_client.nl import Nightlatch

A = TypeVar("A")
Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]
PersonFunction = Callable[[Any], Person | Awaitable[Person | None] | None]
KEY = "nightlatch"
"""Where a request's scope holds what the gate knows about it."""


class AsgiEdge:
    """Answers what the gate asks about one connection."""

    def __init__(
        self, nl: "Nightlatch", person: PersonFunction, scope: Scope, request: Any, body: Body
    ) -> None:
        self._nl = nl
        self._person = person
        self._scope = scope
        self._request = request
        self._body = body

    async def answer(self, ask: Ask) -> Any:
        """The answer."""
        if isinstance(ask, AskServer):
            return await self._nl.calls.asend(ask.call)
        if isinstance(ask, AskPerson):
            person = self._person(self._request(self._scope))
            return await person if inspect.isawaitable(person) else person
        read = await self._body.complete()
        return None if read is None else read_form(self._body.content_type, read)


class Guarded:
    """What a view can ask for; kept in the scope of its request."""

    def __init__(self, nl: "Nightlatch", gate: Gate, view: View, passage: Passage, edge: AsgiEdge) -> None:
        self.nl = nl
        self.gate = gate
        self.view = view
        self.passage = passage
        self.edge = edge


class Guard:
    """The middleware. Use `nl.protect(app, person)`, or `nl.middleware(person)`."""

    def __init__(
        self,
        app: App,
        nl: "Nightlatch",
        person: PersonFunction,
        open: Sequence[str] = (),  # noqa: A002
        request: Callable[[Scope], Any] = request_of,
    ) -> None:
        self.app = app
        self.nl = nl
        self.gate = Gate(nl.desk, open=open)
        self._person = person
        self._request = request

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One connection."""
        kind = scope["type"]
        if kind == "lifespan":
            await self._lifespan(scope, receive, send)
        elif kind in ("http", "websocket"):
            view = view_of(scope)
            body = Body(receive, view)
            edge = AsgiEdge(self.nl, self._person, scope, self._request, body)
            if kind == "http":
                await self._http(scope, body, send, view, edge)
            else:
                await WebSocketGate(self, scope, receive, send, view, edge).serve()
        else:
            raise RuntimeError(
                f"the gate does not know connections of the type {kind!r}, so they stay closed"
            )

    def enter(self, scope: Scope, view: View, edge: AsgiEdge, outcome: Pass) -> Passage:
        """Note what is known about a connection that goes on."""
        scope[KEY] = Guarded(self.nl, self.gate, view, outcome.passage, edge)
        return outcome.passage

    async def _http(self, scope: Scope, body: Body, send: Send, view: View, edge: AsgiEdge) -> None:
        outcome = await arun(self.gate.enter(view), edge)
        if isinstance(outcome, Answer):
            await send_answer(send, outcome, view)
            return
        passage = self.enter(scope, view, edge, outcome)
        cookies = [(name.encode(), value.encode()) for name, value in outcome.cookies]
        started = replaced = False

        async def guarded(message: Message) -> None:
            nonlocal started, replaced
            if message["type"] == "http.response.start" and not started:
                replaced = passage.demand is not None
                started = True
                message["headers"] = [*message.get("headers", ()), *cookies]
            if not replaced:
                await send(message)

        try:
            await self.app(scope, body.receive, guarded)
        except Exception:
            # Whatever the framework made of ProofNeeded: the view did not get its proof, and the answer is ours.
            if passage.demand is None or (started and not replaced):
                raise
        if passage.demand is not None and (replaced or not started):
            await send_answer(send, await arun(self.gate.demanded(view, passage), edge), view)

    async def _lifespan(self, scope: Scope, receive: Receive, send: Send) -> None:
        task: asyncio.Task[None] | None = None

        async def guarded(message: Message) -> None:
            nonlocal task
            if message["type"] == "lifespan.startup.complete":
                if calls.stand_in is None:
                    self.nl.secret.current()  # a missing secret is told at the start, not to the first person
                if self.nl.people is not None:
                    task = asyncio.create_task(keep_in_step(self.nl))
            await send(message)

        try:
            await self.app(scope, receive, guarded)
        finally:
            if task is not None:
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task
            await self.nl.calls.aclose()


async def send_answer(send: Send, answer: Answer, view: View) -> None:
    """Send an answer of the gate's own."""
    headers = [(name.encode(), value.encode("latin-1", "replace")) for name, value in answer.headers]
    headers.append((b"content-length", str(len(answer.body)).encode()))
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if view.method == "HEAD" else answer.body})


# --- what `Nightlatch` offers ---


def wrap(nl: "Nightlatch", app: App, person: PersonFunction, open: Sequence[str]) -> Guard:  # noqa: A002
    """The app behind its gate."""
    return Guard(app, nl, person, open)


def protect(nl: "Nightlatch", app: A, person: PersonFunction, open: Sequence[str]) -> A:  # noqa: A002
    """See `Nightlatch.protect`."""
    starlette = sys.modules.get("starlette.applications")
    if starlette is None or not isinstance(app, starlette.Starlette):
        guarded: Any = Guard(app, nl, person, open)  # type: ignore[arg-type]
        return guarded  # type: ignore[no-any-return]
    from starlette.middleware import Middleware

    from nightlatch_client.asgi_starlette import connection

    if app.middleware_stack is not None:
        raise RuntimeError("nl.protect comes before the app's first request")
    app.user_middleware.append(Middleware(Guard, nl, person, open, connection))
    return app


def guarded_of(nl: "Nightlatch | None", request: Any) -> Guarded:
    """What the gate knows about a request, or RuntimeError: a view that asks has to stand behind the gate."""
    found = request.scope.get(KEY)
    if not isinstance(found, Guarded) or (nl is not None and found.nl is not nl):
        raise RuntimeError("this request did not come through nl.protect(app, person)")
    return found


def proof(request: Any) -> Proof | None:
    """See `Nightlatch.proof`."""
    return guarded_of(None, request).passage.proof


def fresh(nl: "Nightlatch", minutes: int) -> Callable[[Any], Awaitable[Proof]]:
    """See `Nightlatch.fresh`."""
    if not 1 <= minutes <= 1440:
        raise ValueError("minutes is between 1 and 1440")

    async def fresh_proof(request: Any) -> Proof:
        guarded = guarded_of(nl, request)
        found = await arun(guarded.gate.fresh(guarded.view, guarded.passage, minutes * 60), guarded.edge)
        if found is None:
            raise ProofNeeded("fresh proof is needed; the gate answers this request")
        return found

    starlette = sys.modules.get("starlette.requests")
    if starlette is not None:  # how FastAPI learns what to give to a dependency
        name, kind = "request", inspect.Parameter.POSITIONAL_OR_KEYWORD
        parameter = inspect.Parameter(name, kind, annotation=starlette.HTTPConnection)
        fresh_proof.__signature__ = inspect.Signature([parameter])  # type: ignore[attr-defined]
    return fresh_proof


async def open_page(nl: "Nightlatch", request: Any, name: str) -> Any:
    """See `Nightlatch.open_page`."""
    guarded = guarded_of(nl, request)
    answer = await arun(guarded.gate.open_page(guarded.view, guarded.passage, name), guarded.edge)
    if "starlette.responses" in sys.modules:
        from nightlatch_client.asgi_starlette import response

        return response(answer)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send_answer(send, answer, guarded.view)

    return app
