"""The network: calls sent by httpx2 over connections that are kept open, one round trip each."""

import asyncio
import json
import logging
import os
import threading
from typing import Any, Protocol, TypeVar
from weakref import WeakKeyDictionary

import httpx2

from nightlatch_client.errors import Refused, Unavailable
from nightlatch_client.replies import Raw
from nightlatch_client.secret import Secret
from nightlatch_client.settings import Settings
from nightlatch_client.wire import Call

T = TypeVar("T")
log = logging.getLogger("nightlatch_client")
Transport = httpx2.BaseTransport | httpx2.AsyncBaseTransport
_LIMITS = httpx2.Limits(max_connections=100, max_keepalive_connections=50, keepalive_expiry=30)
# A kept connection may be closed by the other side in the moment in which it is used again.
_BROKEN = (httpx2.ReadError, httpx2.WriteError, httpx2.CloseError, httpx2.RemoteProtocolError)


class StandIn(Protocol):
    """Answers in place of the network, for a product's own tests (see `nightlatch_client.testing`)."""

    def answer(self, settings: Settings, method: str, path: str, body: Any) -> Raw:
        """The answer to one call."""
        ...


stand_in: StandIn | None = None
"""Set by the pytest plugin while a test uses its fixture, and by nothing else."""


class Calls:
    """Sends the calls of one app. Safe to share between threads, event loops and forked workers."""

    def __init__(
        self, settings: Settings, secret: Secret, *, timeout: float, transport: Transport | None
    ) -> None:
        self._settings = settings
        self._secret = secret
        self._timeout = timeout
        self._transport = transport
        self._lock = threading.Lock()
        self._client: tuple[int, httpx2.Client] | None = None
        self._clients: WeakKeyDictionary[asyncio.AbstractEventLoop, httpx2.AsyncClient] = WeakKeyDictionary()

    def send(self, call: Call[T]) -> T:
        """Send and read the answer."""
        if stand_in is not None:
            return self._read(call, _pretend(stand_in, self._settings, call))
        raw = self._send(call)
        if raw.status == 401 and self._secret.renew():
            raw = self._send(call)
        return self._read(call, raw)

    async def asend(self, call: Call[T]) -> T:
        """The same, awaited."""
        if stand_in is not None:
            return self._read(call, _pretend(stand_in, self._settings, call))
        raw = await self._asend(call)
        if raw.status == 401 and self._secret.renew():
            raw = await self._asend(call)
        return self._read(call, raw)

    def _send(self, call: Call[Any]) -> Raw:
        client = self._sync_client()
        try:
            try:
                return _raw(client.send(self._request(client, call)))
            except _BROKEN:
                if not call.again:
                    raise
                return _raw(client.send(self._request(client, call)))
        except httpx2.HTTPError as error:
            raise _no_answer(call, error) from None

    async def _asend(self, call: Call[Any]) -> Raw:
        client = self._async_client()
        try:
            try:
                return _raw(await client.send(self._request(client, call)))
            except _BROKEN:
                if not call.again:
                    raise
                return _raw(await client.send(self._request(client, call)))
        except httpx2.HTTPError as error:
            raise _no_answer(call, error) from None

    async def aclose(self) -> None:
        """Close the connections of this event loop."""
        client = self._clients.pop(asyncio.get_running_loop(), None)
        if client is not None:
            await client.aclose()

    def close(self) -> None:
        """Close the connections of the synchronous calls."""
        with self._lock:
            kept, self._client = self._client, None
        if kept is not None:
            kept[1].close()

    def _read(self, call: Call[T], raw: Raw) -> T:
        try:
            return call.read(raw)
        except Unavailable as error:
            log.warning("%s: %s", call.name, error)
            raise
        except Refused as error:
            log.info("%s: %s", call.name, error)
            raise

    def _request(self, client: httpx2.Client | httpx2.AsyncClient, call: Call[Any]) -> httpx2.Request:
        headers = {"authorization": f"Bearer {self._secret.current()}", "accept": "application/json"}
        content = None
        if call.body is not None:
            headers["content-type"] = "application/json"
            content = json.dumps(call.body, ensure_ascii=False).encode("utf-8", "backslashreplace")
        seconds = call.seconds or self._timeout
        timeout = httpx2.Timeout(seconds, connect=min(seconds, self._timeout))
        url = f"{self._settings.url}/api/v1{call.path}"
        return client.build_request(call.method, url, headers=headers, content=content, timeout=timeout)

    def _sync_client(self) -> httpx2.Client:
        with self._lock:
            # Connections are not shared with the process that forked this one.
            if self._client is None or self._client[0] != os.getpid():
                transport = self._transport
                if transport is not None and not isinstance(transport, httpx2.BaseTransport):
                    raise TypeError("transport= is for asynchronous calls only, and this call is not one")
                client = httpx2.Client(transport=transport, trust_env=False, limits=_LIMITS)
                self._client = (os.getpid(), client)
            return self._client[1]

    def _async_client(self) -> httpx2.AsyncClient:
        loop = asyncio.get_running_loop()
        with self._lock:
            client = self._clients.get(loop)
            if client is None:
                transport = self._transport
                if transport is not None and not isinstance(transport, httpx2.AsyncBaseTransport):
                    raise TypeError("transport= is for synchronous calls only, and this call is not one")
                client = httpx2.AsyncClient(transport=transport, trust_env=False, limits=_LIMITS)
                self._clients[loop] = client
            return client


def _raw(response: httpx2.Response) -> Raw:
    return Raw(response.status_code, dict(response.headers), response.content)


def _pretend(there: StandIn, settings: Settings, call: Call[Any]) -> Raw:
    body = json.loads(json.dumps(call.body)) if call.body is not None else None
    return there.answer(settings, call.method, call.path, body)


def _no_answer(call: Call[Any], error: httpx2.HTTPError) -> Unavailable:
    log.warning("%s: no answer from Nightlatch: %s", call.name, type(error).__name__)
    return Unavailable(f"no answer from Nightlatch: {type(error).__name__}")
