"""Asking an identity provider over HTTP, carefully: its address was typed by somebody whom we need not trust.

Nothing but https (http on this very machine alone, for trying things out); no redirect is followed, no cookie kept, no
proxy of the environment used, nothing unpacked; an answer is small and comes soon. The name is resolved here, once, and
what is connected to is the address that was looked at: nothing inside our own network, unless the operator says so.
"""

import asyncio
import json
import socket
import ssl
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Any
from urllib.parse import urlencode, urlsplit

import httpcore2

from nightlatch.sso.identity import SsoError

SECONDS = 8.0
"""For one question, from resolving the name to the last octet."""
MOST_OCTETS = 256 * 1024
"""Of one answer."""
LONGEST_URL = 2_000

Network = IPv4Network | IPv6Network


@dataclass(frozen=True, slots=True)
class Reply:
    """What a provider answered: a status, and JSON that is an object."""

    status: int
    json: Mapping[str, Any]


class Fetcher:
    """Asks providers, within what the operator allows."""

    def __init__(self, *, local: bool = False, networks: Iterable[Network] = ()) -> None:
        """`local`: Nightlatch runs on localhost for trying out, so a provider may, too. `networks`: addresses inside
        the operator's own network that may be connected to."""
        self._local = local
        self._networks = tuple(networks)

    def check(self, url: str, what: str) -> str:
        """A URL that may be asked, or that a browser may be sent to. Raises SsoError."""
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError:
            raise _bad_url(what) from None
        if len(url) > LONGEST_URL or not url.isascii() or not url.isprintable() or " " in url:
            raise _bad_url(what)
        if not parts.hostname or parts.username is not None or parts.fragment or port == 0:
            raise _bad_url(what)
        if parts.scheme == "https" or (parts.scheme == "http" and self._local and _here(parts.hostname)):
            return url
        raise SsoError("not_https", f"{what} has to begin with https://")

    async def get(self, url: str, what: str, *, bearer: str | None = None) -> Reply:
        """Ask for a document."""
        headers = {"Authorization": f"Bearer {bearer}"} if bearer is not None else {}
        return await self._ask("GET", self.check(url, what), what, headers, b"")

    async def document(self, url: str, what: str) -> bytes:
        """Fetch a document as it stands there (SAML's metadata)."""
        headers = {"Accept": "application/samlmetadata+xml, application/xml;q=0.9, */*;q=0.1"}
        status, answer = await self._answer("GET", self.check(url, what), what, headers, b"")
        if status != 200:
            raise SsoError("no_document", f"{what} answered with status {status}.")
        return answer

    async def post(
        self, url: str, what: str, form: Mapping[str, str], *, authorization: str | None = None
    ) -> Reply:
        """Send a form."""
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        if authorization is not None:
            headers["Authorization"] = authorization
        return await self._ask("POST", self.check(url, what), what, headers, urlencode(form).encode())

    async def _ask(self, method: str, url: str, what: str, headers: Mapping[str, str], body: bytes) -> Reply:
        status, answer = await self._answer(method, url, what, headers, body)
        try:
            document = json.loads(answer)
        except (ValueError, RecursionError):
            document = None
        if not isinstance(document, dict):
            raise SsoError("not_json", f"{what} answered with status {status} and no JSON object.")
        return Reply(status, document)

    async def _answer(
        self, method: str, url: str, what: str, headers: Mapping[str, str], body: bytes
    ) -> tuple[int, bytes]:
        complete = {
            "Host": urlsplit(url).netloc,
            "Accept": "application/json",
            "Accept-Encoding": "identity",
            "User-Agent": "Nightlatch",
            "Content-Length": str(len(body)),
            **headers,
        }
        try:
            async with asyncio.timeout(SECONDS):
                status, answer = await self._talk(method, url, what, complete, body)
        except TimeoutError:
            raise SsoError("too_slow", f"{what} did not answer within {SECONDS:.0f} seconds.") from None
        except (httpcore2.TimeoutException, OSError, httpcore2.NetworkError, httpcore2.ProtocolError):
            raise SsoError("unreachable", f"{what} cannot be reached from here.") from None
        if 300 <= status < 400:
            raise SsoError("redirected", f"{what} sends elsewhere, which is not followed. Enter where it is.")
        return status, answer

    async def _talk(
        self, method: str, url: str, what: str, headers: Mapping[str, str], body: bytes
    ) -> tuple[int, bytes]:
        backend = _Guarded(self._local, self._networks, what)
        async with (
            httpcore2.AsyncConnectionPool(
                ssl_context=_trusted(), network_backend=backend, max_connections=1
            ) as pool,
            pool.stream(method, url, headers=list(headers.items()), content=body) as response,
        ):
            found = bytearray()
            async for part in response.aiter_stream():
                found += part
                if len(found) > MOST_OCTETS:
                    raise SsoError("too_large", f"{what} answered with far too much.")
            return response.status, bytes(found)


class _Guarded(httpcore2.AsyncNetworkBackend):
    """Resolves a name itself, looks at every address, and connects to one that it has looked at."""

    def __init__(self, local: bool, networks: tuple[Network, ...], what: str) -> None:
        self._real = httpcore2.AnyIOBackend()
        self._local, self._networks, self._what = local, networks, what

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - the library's own signature
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        loop = asyncio.get_running_loop()
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        addresses = list(dict.fromkeys(str(each[4][0]) for each in found))
        if not addresses or not all(map(self._may, addresses)):
            raise SsoError("inside", f"{self._what} has an address that Nightlatch may not connect to.")
        return await self._real.connect_tcp(addresses[0], port, timeout, local_address, socket_options)

    def _may(self, text: str) -> bool:
        address = ip_address(text.partition("%")[0])
        if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
            address = address.ipv4_mapped
        if any(address.version == each.version and address in each for each in self._networks):
            return True
        if address.is_loopback:
            return self._local
        return address.is_global and not address.is_multicast


@cache
def _trusted() -> ssl.SSLContext:
    """The certificates that the system trusts."""
    return ssl.create_default_context()


def _here(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _bad_url(what: str) -> SsoError:
    return SsoError("bad_address", f"{what} is no address that can be asked.")
