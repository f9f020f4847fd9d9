"""The ASGI application: headers on every answer, the origin check, the fast path, then the table of routes."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import suppress
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from nightlatch.actions.by import SYSTEM
from nightlatch.actions.chores import CHORES
from nightlatch.actions.clock_watch import note_jump
from nightlatch.instants import MINUTE, SECOND, Duration
from nightlatch.mail import background
from nightlatch.refusals import Code, Refused
from nightlatch.store import api_tokens, sessions
from nightlatch.web import domain_watch, fast, gate, origin, security
from nightlatch.web.answers import problem
from nightlatch.web.authz_door import Door
from nightlatch.web.authz_origin import JWKS
from nightlatch.web.house import Front
from nightlatch.web.lookup import Lookup
from nightlatch.web.pages.passkeys import ENDPOINTS
from nightlatch.web.pages.problems import misdirected_page, problem_page
from nightlatch.web.table import all_routes
from nightlatch.wiring import House

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

ANY_HOST = ("/healthz", "/readyz", JWKS, ENDPOINTS)
"""What load balancers ask by address, and products by whatever name they reach us under."""
log = logging.getLogger("nightlatch")


class App:
    """One process's application. Build it with a house; `demo` adds the demo's pages."""

    def __init__(self, house: House, *, demo: bool = False) -> None:
        self.front = Front(house, demo=demo)
        self._always = security.header_list(house.config)
        self._prefix = house.config.path
        self._static = f"{self._prefix}/static/"
        """At any host, so that the page which says that the host is wrong has its style."""
        self._table = Lookup(each for each in all_routes(demo=demo) if each.kind not in ("check", "host"))
        self._door = Door(self.front)
        self._fast = {f"{self._prefix}{path}": answer for path, answer in fast.PATHS.items()}
        self._tasks: list[asyncio.Task[None]] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
        elif scope["type"] == "http":
            await self._http(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})

    # --- requests ---

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        answer: Response | None = None
        try:
            answer = await self._answer(scope, receive)
            security.complete(answer.raw_headers, self._always)
            await answer(scope, receive, send)
        except Exception:
            log.exception("a request failed: %s", scope["method"])
            if answer is not None:
                raise  # it has begun: all that is left is to break off
            answer = self._failed(scope)
            security.complete(answer.raw_headers, self._always)
            await answer(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive) -> Response:
        front, path = self.front, scope["path"]
        if self._door.takes(path):
            return await self._door.answer(scope, receive)
        if path not in ANY_HOST and not path.startswith(self._static):
            asked = origin.asked_in(front.config, scope)
            if asked.origin != front.config.origin:
                return self._misdirected(asked, path)
        quick = self._fast.get(path) if scope["method"] == "GET" else None
        if quick is not None:
            return await quick(front, scope["headers"])
        if self._prefix:
            if not path.startswith(self._prefix + "/") and path not in ANY_HOST:
                return gate.unknown_path(front, Request(scope, receive), 404)
            if path not in ANY_HOST:
                scope["path"] = path = path[len(self._prefix) :]
        return await self._routed(scope, receive)

    async def _routed(self, scope: Scope, receive: Receive) -> Response:
        method = "GET" if scope["method"] == "HEAD" else scope["method"]
        route, params, known_path = self._table.find(method, scope["path"])
        request = Request(scope, receive)
        if route is None:
            return gate.unknown_path(self.front, request, 405 if known_path else 404)
        scope["path_params"] = params
        return await gate.enter(self.front, route, request)

    def _misdirected(self, asked: origin.Asked, path: str) -> Response:
        if path.startswith(f"{self._prefix}/api/"):
            refused = Refused(
                Code.MISDIRECTED,
                f"You asked for {asked.origin}; this is {self.front.config.origin}. Use it, or set NIGHTLATCH_ORIGIN.",
            )
            return problem(refused, self.front.house.clock.now(), self.front.url)
        return misdirected_page(self.front, asked.origin, path.removeprefix(self._prefix) or "/")

    def _failed(self, scope: Scope) -> Response:
        """Something nobody thought of. It says nothing about what went wrong, and never lets anybody in."""
        refused = Refused(Code.INTERNAL, "Something went wrong here. Nothing was let through.")
        if "/api/" in scope["path"]:
            return problem(refused, self.front.house.clock.now(), self.front.url)
        return problem_page(self.front, refused, Request(scope), None)

    # --- the process's own tasks ---

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        await receive()
        try:
            tasks = (self._each_minute, self._send_mail, self._watch_domains)
            self._tasks = [asyncio.create_task(each()) for each in tasks]
        except Exception as error:
            await send({"type": "lifespan.startup.failed", "message": str(error)})
            return
        await send({"type": "lifespan.startup.complete"})
        await receive()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self.front.pool.close()
        self.front.outside.close()
        self.front.house.close()
        await send({"type": "lifespan.shutdown.complete"})

    async def _send_mail(self) -> None:
        self.front.mail_wanted = asyncio.Event()
        await background.run(self.front.house.post(), wake=self.front.mail_wanted, chores=CHORES)

    async def _watch_domains(self) -> None:
        """Whether the records of proved domains are still there; what fails is tried again at the next look."""
        while True:
            await asyncio.sleep(domain_watch.PAUSE / SECOND)
            with suppress(Exception):
                await domain_watch.look_again(self.front)

    async def _each_minute(self) -> None:
        """When sessions and tokens were last seen (it may be lost: a failure waits a minute); a clock that was set."""
        told: Duration | None = None
        while True:
            await asyncio.sleep(sessions.SEEN_EVERY / SECOND)
            with suppress(Exception):
                told = await self._write_minute(told)

    async def _write_minute(self, told: Duration | None) -> Duration | None:
        """Write what the minute brought; the jump of the clock that is told by now."""
        store, jump = self.front.house.store, self.front.house.clock.jumped()
        seen = self.front.take_seen()
        if seen:
            await store.write(lambda tx: sessions.seen(tx, seen))
        used = self.front.take_used()
        if used:
            await store.write(lambda tx: api_tokens.used(tx, used))
        if jump is not None and (told is None or abs(jump - told) > MINUTE):
            log.error("the clock of this machine was set: it moved by %d seconds", jump // SECOND)
            await store.write(lambda tx: note_jump(tx, by=SYSTEM, jump=jump))
        return jump
