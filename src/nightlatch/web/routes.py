"""What a route is. There is one table of them; pages, the JSON API and the fast path are built from it.

A route names its action: purpose, permission, how fresh. Its plane is the workspace in its path, if there is one. A
route without an action cannot be written, and the gate decides on it before a body is read.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

from pydantic import BaseModel

from nightlatch.config import Config
from nightlatch.decision import Action
from nightlatch.refusals import Code, Refused

if TYPE_CHECKING:
    from starlette.responses import Response

    from nightlatch.web.answers import Answer
    from nightlatch.web.context import Context

PageHandler: TypeAlias = "Callable[[Context], Awaitable[Response]]"
ApiHandler: TypeAlias = "Callable[..., Awaitable[Answer]]"

API = "/api/v1"
BODY_LIMIT = 64 * 1024
LARGE_BODY_LIMIT = 512 * 1024


@dataclass(frozen=True, slots=True, eq=False)
class Route:
    """One method and path, declared once."""

    method: str
    path: str
    action: Action
    handler: Callable[..., Any]
    kind: str = "page"
    """`page` (HTML, for browsers), `api` (JSON), `plain` (neither: health, static files, well-known), `check` (asked
    by a proxy, web/authz.py) or `host` (a page at a protected host, web/authz_host.py). The last two do not pass the
    gate: their handlers ask the same decision about the session behind the host's own cookie."""
    body: type[BaseModel] | None = None
    """api: the model of the body."""
    body_optional: bool = False
    """api: a request without a body says the same as `{}`."""
    answer: type[BaseModel] | None = None
    """api: the model of the answer; None where there is no body."""
    status: int = 200
    later: bool = False
    """api: it may also answer 202, with the same shape: what was asked for waits."""
    summary: str = ""
    query: Mapping[str, Any] = field(default_factory=dict)
    """api: the query parameters, as JSON Schema."""
    headers: Mapping[str, Any] = field(default_factory=dict)
    """api: request headers of its own, as JSON Schema."""
    codes: tuple[Code, ...] = ()
    """api: codes of its own, beside those that any route may answer with."""
    shown_at: str | None = None
    """page, POST: the path of the page that shows its form, where it is not the route's own."""
    body_limit: int = BODY_LIMIT
    closed: Callable[[Config], Refused | None] | None = None
    """Why the route does nothing under a configuration, if so: said after the decision, before a body is read."""
    rest: bool = False
    """Whether the last parameter takes what is left of the path: for ids of others' making, which may have slashes."""
    cross_site: bool = False
    """plain, POST: a page of another site may send it. It must open nothing by itself, and mind no cookie."""
    path_in_log: str | None = None
    """What the log says instead of a path that carries a token."""

    @property
    def safe(self) -> bool:
        """Whether the method changes nothing (RFC 9110 section 9.2.1)."""
        return self.method in ("GET", "HEAD")


def page(path: str, action: Action, handler: PageHandler, **more: Any) -> Route:
    """A page: GET."""
    return Route("GET", path, action, handler, **more)


def form(
    path: str, action: Action, handler: PageHandler, *, shown_at: str | None = None, **more: Any
) -> Route:
    """A form's target: POST, with the CSRF value checked before the handler runs."""
    return Route("POST", path, action, handler, shown_at=shown_at or path, **more)


def api(method: str, path: str, action: Action, handler: ApiHandler, **more: Any) -> Route:
    """A JSON route below /api/v1."""
    return Route(method, API + path, action, handler, kind="api", **more)
