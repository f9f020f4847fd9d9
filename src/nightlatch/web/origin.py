"""Who is asking, through what: host, scheme, client address, cookies, and whether a page of ours is behind it."""

from collections.abc import MutableMapping
from functools import lru_cache
from ipaddress import ip_address
from typing import Any

from nightlatch.config import Config
from nightlatch.values import frozen

Headers = list[tuple[bytes, bytes]]
_ASKED = "nightlatch.asked"
_address = lru_cache(1024)(ip_address)
"""Requests come from few proxies, and their addresses are read with each."""


@frozen
class Asked:
    """A request's address as the client meant it; forwarded headers are believed from trusted proxies alone."""

    scheme: str
    host: str
    ip: str

    @property
    def origin(self) -> str:
        """Scheme and host as one text."""
        return f"{self.scheme}://{self.host}"


def header(headers: Headers, name: bytes) -> str:
    """The one value of a header; empty where it is missing, the first where it comes twice."""
    for key, value in headers:
        if key == name:
            return value.decode("latin-1")
    return ""


def asked(config: Config, headers: Headers, scheme: str, client: str) -> Asked:
    """How the client asked (scheme, host, address)."""
    host = header(headers, b"host").lower()
    if not trusted(config, client):
        return Asked(scheme, _plain(scheme, host), client)
    scheme = header(headers, b"x-forwarded-proto").lower() or scheme
    host = header(headers, b"x-forwarded-host").lower() or host
    return Asked(scheme, _plain(scheme, host), _client(config, headers, client))


def asked_in(config: Config, scope: MutableMapping[str, Any]) -> Asked:
    """The same of an ASGI scope, read once a request."""
    found: Asked | None = scope.get(_ASKED)
    if found is None:
        client = scope.get("client")
        found = asked(config, scope["headers"], scope["scheme"], client[0] if client else "")
        scope[_ASKED] = found
    return found


def _plain(scheme: str, host: str) -> str:
    """The host without its scheme's own port, as browsers write origins."""
    return host.removesuffix(":443" if scheme == "https" else ":80")


def trusted(config: Config, client: str) -> bool:
    """Whether an address is one of the proxies that the operator named."""
    if not config.trusted_proxies:
        return False
    try:
        address = _address(client)
    except ValueError:
        return False
    return any(address in network for network in config.trusted_proxies)


def _client(config: Config, headers: Headers, client: str) -> str:
    """The nearest address that is no trusted proxy, read from right to left: what is left of it may be invented."""
    chain = [
        part.strip()
        for key, value in headers
        if key == b"x-forwarded-for"
        for part in value.decode("latin-1").split(",")
    ]
    for hop in reversed(chain):
        if not trusted(config, hop):
            try:
                return str(ip_address(hop))
            except ValueError:
                return client
    return client


def foreign(config: Config, headers: Headers) -> bool:
    """Whether a request names an origin that is not ours (`null` included), or a browser says it is cross-site."""
    origin = header(headers, b"origin")
    if origin:
        return origin.lower() != config.origin
    return header(headers, b"sec-fetch-site") in ("cross-site", "same-site")


def from_page(headers: Headers) -> bool:
    """Whether a request comes from a page: then its token may only be a cookie."""
    return any(key == b"origin" or key.startswith(b"sec-fetch-") for key, _ in headers)
