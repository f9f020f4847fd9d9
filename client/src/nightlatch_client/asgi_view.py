"""A request of ASGI as the gate sees it."""

from collections.abc import Mapping, MutableMapping
from typing import Any, Literal
from urllib.parse import parse_qsl, quote

from nightlatch_client.cookies import read_cookies
from nightlatch_client.view import View

Scope = MutableMapping[str, Any]


class Connection:
    """What `person` is given where the framework has no request of its own to offer: a look at the scope."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self.headers: Mapping[str, str] = headers_of(scope)
        self.cookies: Mapping[str, str] = read_cookies(self.headers.get("cookie", ""))
        self.method: str = scope.get("method", "GET")
        self.path: str = scope["path"]


def request_of(scope: Scope) -> Any:
    """What `person` is given: the framework's own connection where it is known by now, else a `Connection`."""
    if "litestar_app" in scope:
        from litestar.connection import ASGIConnection

        return ASGIConnection(scope)  # type: ignore[arg-type]
    return Connection(scope)


def view_of(scope: Scope) -> View:
    """The view of an HTTP request or of a WebSocket's opening."""
    root = scope.get("root_path", "").rstrip("/")
    whole = scope["path"]
    below = whole[len(root) :] if root and (whole + "/").startswith(root + "/") else whole
    headers = headers_of(scope)
    kind: Literal["http", "websocket"] = "http" if scope["type"] == "http" else "websocket"
    query = scope.get("query_string", b"").decode("latin-1")
    pairs = parse_qsl(query, keep_blank_values=True, errors="replace")
    return View(
        kind,
        scope.get("method", "GET"),
        below or "/",
        _raw_path(scope, root, below) + (f"?{query}" if query else ""),
        root,
        dict(pairs),
        headers,
        read_cookies(headers.get("cookie", "")),
    )


def headers_of(scope: Scope) -> dict[str, str]:
    """The headers with lower-case names; of a name that comes twice the first counts, but cookies are joined."""
    found: dict[str, str] = {}
    for raw_name, raw_value in scope["headers"]:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
        if name == "cookie" and name in found:
            found[name] += f"; {value}"  # HTTP/2 may split them (RFC 9113 section 8.2.3)
        else:
            found.setdefault(name, value)
    return found


def _raw_path(scope: Scope, root: str, below: str) -> str:
    """The path as the browser wrote it."""
    raw = (scope.get("raw_path") or b"").decode("latin-1").partition("?")[0]
    quoted_root = quote(root)
    if raw and (not root or (raw + "/").startswith(quoted_root + "/")):
        return raw
    return quoted_root + (raw or quote(below or "/", safe="/!$&'()*+,;=:@~-._"))
