"""What a proxy tells about a request to a protected host, read strictly.

Headers are written by whoever sends them. So each one that counts must be there exactly once, in exactly its own
spelling: a look-alike (`X_Forwarded_Host`, `Remote.User`) that a product behind the proxy may take for the real one
is refused, whoever put it there (CVE-2026-39858 and its kin).
"""

import re
from dataclasses import dataclass
from urllib.parse import parse_qsl, quote, urlsplit

from nightlatch.actions.host_checks import LONGEST_AGE, SHORTEST_AGE, Narrowing
from nightlatch.config_checks import is_local
from nightlatch.instants import SECOND
from nightlatch.vocabulary import Role
from nightlatch.web.origin import Headers

IDENTITY = (
    "Remote-User",
    "Remote-Email",
    "Remote-Name",
    "Remote-Groups",
    "Remote-Workspace",
    "Remote-Role",
    "Remote-Acr",
    "Remote-Amr",
    "Remote-Auth-Time",
    "Nightlatch-Assertion",
)
"""What products behind a proxy are told, all of it with every answer that lets a request through."""

METHOD, PROTO, HOST, URI = (f"x-forwarded-{each}".encode() for each in ("method", "proto", "host", "uri"))
ORIGINAL_METHOD, ORIGINAL_URL = b"x-original-method", b"x-original-url"
_FORWARDED_FOR = b"x-forwarded-for"
_GUARDED = {
    *(METHOD, PROTO, HOST, URI, ORIGINAL_METHOD, ORIGINAL_URL, _FORWARDED_FOR),
    *(name.lower().encode() for name in IDENTITY),
}
_LOOK_ALIKES = bytes.maketrans(b"_.", b"--")
_SCHEMES = {"https": "https", "http": "http", "wss": "https", "ws": "http"}
_HOST_FORM = re.compile(
    r"(?:[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?|\[[0-9a-f:.]{2,45}\])(?::[1-9][0-9]{0,4})?"
)
_METHOD_FORM = re.compile(r"[A-Z][A-Z-]{0,19}")
_URI_FORM = re.compile(r"/[^\x00-\x20\x7f]{0,16383}")
_PLAIN_URI = re.compile(r"[A-Za-z0-9/?&=%:@!$'()*+,;~_.#\[\]-]*")


class Unclear(Exception):
    """The headers do not say what is asked for. `code` is a word for the proxy's log, the text says what to do."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code


@dataclass(frozen=True, slots=True)
class Target:
    """The request that the proxy holds back meanwhile."""

    method: str
    origin: str
    """As browsers write origins."""
    uri: str
    """Path and query, percent-encoded where they were not."""

    @property
    def safe(self) -> bool:
        """Whether its method changes nothing."""
        return self.method in ("GET", "HEAD")


def refuse_look_alikes(headers: Headers) -> None:
    """Raises Unclear where a header looks like one that counts."""
    for name, _ in headers:
        if (b"_" in name or b"." in name) and name.translate(_LOOK_ALIKES) in _GUARDED:
            raise Unclear(
                "look_alike", "A header with _ or . in its name looks like one that the proxy alone may set."
            )


def forwarded_target(headers: Headers) -> Target:
    """What Caddy, Traefik or HAProxy asks about. Raises Unclear."""
    refuse_look_alikes(headers)
    return _target(_once(headers, METHOD), _once(headers, PROTO), _once(headers, HOST), _once(headers, URI))


def original_target(headers: Headers) -> Target:
    """What nginx asks about. Raises Unclear."""
    refuse_look_alikes(headers)
    method, url = _once(headers, ORIGINAL_METHOD), _once(headers, ORIGINAL_URL)
    scheme, there, rest = url.partition("://")
    slash = rest.find("/")
    if not there or slash < 1:
        raise Unclear("bad_header", "X-Original-URL is the scheme, the host and the request's own path.")
    return _target(method, scheme, rest[:slash], rest[slash:])


def forwarded_origin(headers: Headers) -> str:
    """The protected host that one of our own pages is asked for at. Raises Unclear."""
    refuse_look_alikes(headers)
    return _origin(_once(headers, PROTO), _once(headers, HOST))


def cookies_of(headers: Headers) -> str:
    """All cookies: HTTP/2 may bring them in several headers (RFC 9113 section 8.2.3)."""
    return "; ".join(value.decode("latin-1") for name, value in headers if name == b"cookie")


def narrowing(query: bytes) -> Narrowing:
    """What the proxy's configuration asks beyond the registration. Raises Unclear for anything else in the query."""
    if not query:
        return Narrowing()
    try:
        pairs = parse_qsl(
            query.decode("ascii"), keep_blank_values=True, strict_parsing=True, max_num_fields=2
        )
        said = dict(pairs)
        if len(said) != len(pairs) or said.keys() - {"roles", "max_age"}:
            raise ValueError
        roles = frozenset(map(Role, said["roles"].split(","))) if "roles" in said else None
        return Narrowing(roles, _max_age(said["max_age"]) if "max_age" in said else None)
    except ValueError:
        raise Unclear(
            "bad_query",
            "A check takes roles= (of owner, admin, member) and max_age= (60 to 86400 seconds) alone.",
        ) from None


def is_page(headers: Headers) -> bool:
    """Whether a browser wants a page, so that it can be sent elsewhere; scripts, sockets and other clients cannot."""
    accepts, mode, other = False, b"", False
    for name, value in headers:
        if name == b"accept":
            accepts = accepts or b"text/html" in value.lower()
        elif name == b"sec-fetch-mode":
            mode = value
        elif name in (b"x-requested-with", b"sec-websocket-key"):
            other = True
    return accepts and not other and mode in (b"", b"navigate")


def _once(headers: Headers, name: bytes) -> str:
    found = [value for key, value in headers if key == name]
    if len(found) != 1 or not found[0]:
        said = name.decode().title()
        raise Unclear(
            "bad_header",
            f"The proxy must set {said}, once." if not found else f"{said} is there more than once.",
        )
    return found[0].decode("latin-1")


def _target(method: str, scheme: str, host: str, uri: str) -> Target:
    if _METHOD_FORM.fullmatch(method) is None:
        raise Unclear("bad_header", "The method of the request is none.")
    if _URI_FORM.fullmatch(uri) is None:
        raise Unclear("bad_header", "The path of the request is none.")
    if _PLAIN_URI.fullmatch(uri) is None:
        uri = quote(uri.encode("latin-1"), safe="/?&=%:@!$'()*+,;~-._#[]")
    return Target(method, _origin(scheme, host), uri)


def _origin(scheme: str, host: str) -> str:
    plain, host = _SCHEMES.get(scheme.lower(), ""), host.lower()
    if not plain:
        raise Unclear("bad_header", "The scheme of the request is neither https nor http.")
    if _HOST_FORM.fullmatch(host) is None:
        raise Unclear("bad_header", "The host of the request is none.")
    origin = f"{plain}://{host.removesuffix(':443' if plain == 'https' else ':80')}"
    if plain == "http" and not is_local(origin):
        raise Unclear("not_https", f"{origin} is not https: only localhost may do without.")
    return origin


def _max_age(text: str) -> int:
    if not re.fullmatch(r"[0-9]{2,5}", text, re.ASCII):
        raise ValueError(text)
    age = int(text) * SECOND
    if not SHORTEST_AGE <= age <= LONGEST_AGE:
        raise ValueError(text)
    return age


def host_of(origin: str) -> str:
    """Host and port of an origin."""
    return urlsplit(origin).netloc
