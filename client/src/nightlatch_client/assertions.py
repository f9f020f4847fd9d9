"""`Nightlatch-Assertion`: who stands behind a request that came through a proxy, verified by the product itself.

A JWT (RFC 7515, 7519) that Nightlatch signs for one product and one minute. ES256 alone is taken.
"""

import json
import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import httpx2
from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey

from nightlatch_client import clock
from nightlatch_client.errors import AssertionRefused, Unavailable
from nightlatch_client.settings import address

log = logging.getLogger("nightlatch_client")
Jwks = Mapping[str, Any]
LONGEST = 8192
LEEWAY = 5
"""Seconds that two clocks may differ."""
LONGEST_LIFE = 300
KEPT_FOR = 300
"""Seconds after which the keys are asked for anew."""
KEPT_AT_MOST = 3600
"""Seconds for which they serve while Nightlatch does not answer."""
ASKED_EVERY = 30


@dataclass(frozen=True, slots=True)
class Teammate:
    """Whom an assertion is about. `proved_at` is when the strongest proof was given."""

    id: str
    email: str
    name: str
    workspace: str
    workspace_slug: str
    role: str
    acr: str
    amr: tuple[str, ...]
    proved_at: datetime


class Assertions:
    """Verifies the assertions for one product.

    `issuer` is the NIGHTLATCH_ORIGIN (with its path), `audience` the product's own origin, `workspace` the id of the
    only workspace that is welcome, if there is only one. `transport` replaces httpx2's own.
    """

    def __init__(
        self,
        issuer: str,
        audience: str,
        workspace: str | None = None,
        *,
        timeout: float = 3.0,
        transport: Any = None,
        now: Callable[[], float] = clock.now,
    ) -> None:
        self._issuer = address("issuer", issuer, path=True)
        self._audience = address("audience", audience, path=False)
        self._workspace = workspace
        self._client = {"transport": transport, "trust_env": False, "timeout": timeout}
        self._now = now
        self._lock = threading.Lock()
        self._keys: dict[str, ECKey] = {}
        self._got_at = self._asked_at = float("-inf")

    def verify(self, header: str) -> Teammate:
        """Whom the header is about. Raises AssertionRefused, or Unavailable where no keys can be had."""
        kid = _kid(header)
        if self._has_to_ask(kid):
            with httpx2.Client(**self._client) as client:
                try:
                    self._take(client.get(self._address()))
                except httpx2.HTTPError as error:
                    self._failed(type(error).__name__)
        return self._verify(header, kid)

    async def averify(self, header: str) -> Teammate:
        """`verify`, awaited."""
        kid = _kid(header)
        if self._has_to_ask(kid):
            async with httpx2.AsyncClient(**self._client) as client:
                try:
                    self._take(await client.get(self._address()))
                except httpx2.HTTPError as error:
                    self._failed(type(error).__name__)
        return self._verify(header, kid)

    # --- the keys ---

    def _address(self) -> str:
        return f"{self._issuer}/.well-known/jwks.json"

    def _has_to_ask(self, kid: str) -> bool:
        """Whether the keys are old or lack this one, and it is not asked for too often."""
        now = self._now()
        with self._lock:
            if kid in self._keys and now - self._got_at < KEPT_FOR:
                return False
            if now - self._asked_at < ASKED_EVERY:
                return False
            self._asked_at = now
            return True

    def _take(self, response: httpx2.Response) -> None:
        try:
            if response.status_code != 200:
                raise ValueError(f"status {response.status_code}")
            keys = dict(_usable(json.loads(response.content)))
            if not keys:
                raise ValueError("no key for ES256")
        except (ValueError, KeyError, TypeError, AttributeError, JoseError) as error:
            self._failed(str(error))
            return
        with self._lock:
            self._keys, self._got_at = keys, self._now()

    def _failed(self, why: str) -> None:
        log.warning("the keys of Nightlatch could not be read: %s", why)
        with self._lock:
            if self._now() - self._got_at > KEPT_AT_MOST:
                self._keys = {}

    # --- the assertion ---

    def _verify(self, header: str, kid: str) -> Teammate:
        with self._lock:
            key, some = self._keys.get(kid), bool(self._keys)
        if key is None:
            if not some:
                raise Unavailable("the keys of Nightlatch cannot be had")
            raise AssertionRefused("it is signed by a key that Nightlatch does not show")
        try:
            claims = jwt.decode(header, key, algorithms=["ES256"]).claims
        except (JoseError, ValueError):
            raise AssertionRefused("its signature is wrong") from None
        return self._teammate(claims)

    def _teammate(self, claims: Mapping[str, Any]) -> Teammate:
        now = self._now()
        if claims.get("iss") != self._issuer:
            raise AssertionRefused("another issuer made it")
        if claims.get("aud") != self._audience:
            raise AssertionRefused("it is for another product")
        made, ends, proved = (_seconds(claims, name) for name in ("iat", "exp", "auth_time"))
        if made > now + LEEWAY or ends - made > LONGEST_LIFE:
            raise AssertionRefused("its times cannot be")
        if ends <= now - LEEWAY:
            raise AssertionRefused("it is over")
        workspace = _text(claims, "workspace")
        if self._workspace is not None and workspace != self._workspace:
            raise AssertionRefused("it is for another workspace")
        amr = claims.get("amr")
        if not isinstance(amr, list) or not all(isinstance(each, str) for each in amr):
            raise AssertionRefused("its amr is no list of texts")
        names = ("email", "name", "workspace_slug", "role", "acr")
        email, name, slug, role, acr = (_text(claims, each) for each in names)
        proved_at = datetime.fromtimestamp(proved, UTC)
        return Teammate(_text(claims, "sub"), email, name, workspace, slug, role, acr, tuple(amr), proved_at)


def _kid(header: str) -> str:
    """The id of the key that a token names. Nothing of it is believed by that."""
    if not header or len(header) > LONGEST or header.count(".") != 2:
        raise AssertionRefused("it is no assertion")
    try:
        said = jws.extract_compact(header.encode()).headers()
    except (JoseError, ValueError):
        raise AssertionRefused("it is no assertion") from None
    kid = said.get("kid")
    if said.get("alg") != "ES256" or not isinstance(kid, str) or "crit" in said:
        raise AssertionRefused("it is signed in another way")
    return kid


def _usable(found: Jwks) -> list[tuple[str, ECKey]]:
    """The keys of a JWK Set (RFC 7517) that ES256 is verified with."""
    return [
        (each["kid"], ECKey.import_key({name: each[name] for name in ("kty", "crv", "x", "y")}))
        for each in found["keys"]
        if (each.get("kty"), each.get("crv"), each.get("use", "sig"), each.get("alg", "ES256"))
        == ("EC", "P-256", "sig", "ES256")
    ]


def _seconds(claims: Mapping[str, Any], name: str) -> float:
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1e11:
        raise AssertionRefused(f"its {name} is no instant")
    return value


def _text(claims: Mapping[str, Any], name: str) -> str:
    value = claims.get(name)
    if not isinstance(value, str) or (not value and name in ("sub", "workspace", "role")):
        raise AssertionRefused(f"its {name} is missing")
    return value
