"""`Nightlatch`: one app's connection to its server, and the gate before the product."""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from nightlatch_client import asgi, calls, clock, everyone
from nightlatch_client.asgi import PersonFunction
from nightlatch_client.calls import Calls, Transport
from nightlatch_client.desk import Desk
from nightlatch_client.everyone import Everyone, Outcome
from nightlatch_client.returns import Returns
from nightlatch_client.sealed import Box
from nightlatch_client.secret import Secret
from nightlatch_client.settings import settings
from nightlatch_client.values import Check, Grant, Person, Proof, Standing, Synced
from nightlatch_client.wire import Wire

A = TypeVar("A")
E = TypeVar("E", bound=Everyone)


class Nightlatch:
    """One product, as it was registered with `nightlatch app add`.

    `url` is where Nightlatch is reached (its NIGHTLATCH_ORIGIN, with its path); `app` the product's handle; `secret` or
    `secret_file` its secret; `origin` the product's own address, whatever a request's Host says; `prefix` the client's
    own paths there; `name` the product's name on the client's pages; `sign_in` the path of the product's own sign-in
    page, which takes `?next=`; `down_message` what people read while Nightlatch does not answer; `timeout` the seconds
    that a call may take; `websocket_every` the seconds between two checks of an open WebSocket; `transport` replaces
    httpx2's own (proxies, private certificates).

    Raises Misconfigured for a wrong setting. The secret's file is read when it is first needed.
    """

    def __init__(
        self,
        url: str,
        *,
        app: str,
        secret: str | None = None,
        secret_file: str | Path | None = None,
        origin: str,
        prefix: str = "/nightlatch",
        name: str | None = None,
        sign_in: str | None = None,
        down_message: str | None = None,
        timeout: float = 3.0,
        websocket_every: float = 10.0,
        transport: Transport | None = None,
    ) -> None:
        self.settings = settings(
            url,
            app,
            origin,
            prefix=prefix,
            name=name,
            sign_in=sign_in,
            down_message=down_message,
            secret=secret,
            secret_file=secret_file,
        )
        self.websocket_every = websocket_every
        self.people: Everyone | None = None
        self.secret = Secret(self.settings)
        self.wire = Wire(self.settings)
        self.calls = Calls(self.settings, self.secret, timeout=timeout, transport=transport)
        self.desk = Desk(self.settings, self._box, clock.now)

    def __repr__(self) -> str:
        return (
            f"Nightlatch({self.settings.url!r}, app={self.settings.app!r}, origin={self.settings.origin!r})"
        )

    # --- the gate ---

    def protect(
        self,
        app: A,
        person: PersonFunction,
        open: Sequence[str] = (),  # noqa: A002
    ) -> A:
        """Put the gate before an ASGI app, WebSockets included. Serve what this returns.

        A Starlette or FastAPI app gets it as its innermost middleware, so that `person(request)` can use what the
        other middlewares provide (`request.session`, `request.user`); any other app is wrapped. `person` says who is
        signed in to the product (None: nobody); a plain function runs on the event loop, so let it wait for nothing.
        `open` are paths that everybody may open, with `*` for anything.
        """
        return asgi.protect(self, app, person, open)

    def middleware(self, person: PersonFunction, open: Sequence[str] = ()) -> Callable[..., Any]:  # noqa: A002
        """The gate as a middleware for frameworks that take a function of an app, such as Litestar.

        A framework that looks for the route first has to know `paths`, whatever they do there: the gate answers.
        """

        def factory(app: Any) -> Any:
            return asgi.wrap(self, app, person, open)

        return factory

    @property
    def paths(self) -> list[str]:
        """The client's own paths in the product."""
        return list(Returns(self.desk).paths)

    def fresh(self, *, minutes: int = 10) -> Callable[[Any], Awaitable[Proof]]:
        """Proof not older than that: `Depends(nl.fresh(minutes=10))`, or `await nl.fresh(minutes=10)(request)`.

        Without it the view ends by ProofNeeded, and the gate leads the browser there and back (API clients: 401).
        """
        return asgi.fresh(self, minutes)

    def proof(self, request: Any) -> Proof | None:
        """What this request's browser has proved; None on open paths and where nobody is signed in."""
        return asgi.proof(request)

    async def open_page(self, request: Any, name: str) -> Any:
        """An answer that leads to a page of Nightlatch: "team", "team/authentication", "team/audit", "user".

        A Starlette response where Starlette is installed, an ASGI app otherwise.
        """
        return await asgi.open_page(self, request, name)

    # --- calls ---

    def check(
        self,
        person: Person,
        grant: str | None = None,
        max_age: int | None = None,
        open: str | None = None,  # noqa: A002
        state: str | None = None,
    ) -> Check:
        """May this person be in that workspace now? Raises Unavailable where nobody can say."""
        return self.calls.send(self.wire.check(person, grant=grant, max_age=max_age, open=open, state=state))

    async def acheck(
        self,
        person: Person,
        grant: str | None = None,
        max_age: int | None = None,
        open: str | None = None,  # noqa: A002
        state: str | None = None,
    ) -> Check:
        """`check`, awaited."""
        return await self.calls.asend(
            self.wire.check(person, grant=grant, max_age=max_age, open=open, state=state)
        )

    def redeem(self, code: str, state: str) -> Grant:
        """Exchange a code for its grant, once. Raises Refused: not_found, already_used, expired."""
        return self.calls.send(self.wire.redeem(code, state))

    async def aredeem(self, code: str, state: str) -> Grant:
        """`redeem`, awaited."""
        return await self.calls.asend(self.wire.redeem(code, state))

    def end(self, grant: str) -> None:
        """The person signed out of the product."""
        self.calls.send(self.wire.end(grant))

    async def aend(self, grant: str) -> None:
        """`end`, awaited."""
        await self.calls.asend(self.wire.end(grant))

    def standing(self, person_id: str, workspace: str) -> Standing:
        """May this person's own API tokens work there?"""
        return self.calls.send(self.wire.standing(person_id, workspace))

    async def astanding(self, person_id: str, workspace: str) -> Standing:
        """`standing`, awaited."""
        return await self.calls.asend(self.wire.standing(person_id, workspace))

    def gone(self, person_id: str) -> None:
        """The person has left the product: everything of theirs ends."""
        self.calls.send(self.wire.gone(person_id))

    async def agone(self, person_id: str) -> None:
        """`gone`, awaited."""
        await self.calls.asend(self.wire.gone(person_id))

    # --- people ---

    def everyone(self, function: E) -> E:
        """Decorator of the function that yields every Person of every workspace."""
        self.people = function
        return function

    def replace_team(
        self,
        workspace: str,
        workspace_name: str,
        people: Iterable[Person],
        *,
        dry_run: bool = False,
        confirm: bool = False,
    ) -> Synced:
        """Give the full list of one workspace. Raises Refused `confirm_required` where it would lose over a fifth."""
        call = self.wire.teammates(workspace, workspace_name, people, dry_run=dry_run, confirm=confirm)
        return self.calls.send(call)

    async def areplace_team(
        self,
        workspace: str,
        workspace_name: str,
        people: Iterable[Person],
        *,
        dry_run: bool = False,
        confirm: bool = False,
    ) -> Synced:
        """`replace_team`, awaited."""
        call = self.wire.teammates(workspace, workspace_name, people, dry_run=dry_run, confirm=confirm)
        return await self.calls.asend(call)

    async def sync_everyone(self, *, dry_run: bool = False, confirm: bool = False) -> list[Outcome]:
        """Give the lists of all workspaces, from `@nl.everyone`."""
        return await everyone.sync_everyone(self, dry_run=dry_run, confirm=confirm)

    # --- the end ---

    def close(self) -> None:
        """Close the connections of the calls that are not awaited."""
        self.calls.close()

    async def aclose(self) -> None:
        """Close the connections of this event loop. An app behind `protect` does so when its lifespan ends."""
        await self.calls.aclose()

    def _box(self) -> Box:
        return self.secret.box("testing" if calls.stand_in is not None else None)
