"""What an OpenID provider says of itself, and the keys that it signs with (OpenID Connect Discovery 1.0)."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, JWKRegistry, Key, OKPKey, RSAKey

from nightlatch.instants import MINUTE, SECOND, Duration, Instant
from nightlatch.sso.fetching import Fetcher, Reply
from nightlatch.sso.identity import SsoError

WELL_KNOWN = "/.well-known/openid-configuration"
KEPT_FOR: Duration = 10 * MINUTE
"""Document and keys are not asked for again within this time."""
ASKED_AGAIN_AFTER: Duration = 10 * SECOND
"""A key that is missing is looked for again, but not more often than this."""
MOST_KEPT = 500
MOST_KEYS = 50
SMALLEST_RSA = 2048


@dataclass(frozen=True, slots=True)
class Provider:
    """A provider's own description, as far as it is used."""

    issuer: str
    authorization: str
    token: str
    jwks: str
    userinfo: str | None
    says_issuer: bool
    """It names itself in its answers (RFC 9207): an answer that does not is refused."""
    posts_secret: bool
    """The client's secret goes into the form: it does not take it the usual way."""


@dataclass(frozen=True, slots=True)
class _Kept:
    provider: Provider
    keys: tuple[Key, ...]
    at: Instant


class Discoveries:
    """What is known of providers, kept for ten minutes; one question at a time for each."""

    def __init__(self, fetcher: Fetcher) -> None:
        self.fetcher = fetcher
        self._kept: dict[str, _Kept] = {}
        self._asking: dict[str, asyncio.Lock] = {}

    async def provider(self, issuer: str, now: Instant, *, anew: bool = False) -> Provider:
        """Raises SsoError. `anew`: as it is now, whatever was kept."""
        return (await self._known(issuer, now, KEPT_FOR if not anew else 0)).provider

    async def keys(self, issuer: str, now: Instant, *, missed: bool = False) -> tuple[Key, ...]:
        """The keys that it signs with. `missed`: none of those that were kept fits. Raises SsoError."""
        return (await self._known(issuer, now, ASKED_AGAIN_AFTER if missed else KEPT_FOR)).keys

    async def _known(self, issuer: str, now: Instant, life: Duration) -> _Kept:
        async with self._asking.setdefault(issuer, asyncio.Lock()):
            kept = self._kept.get(issuer)
            if kept is not None and now - kept.at < life:
                return kept
            found = await self._ask(issuer, now)
            if len(self._kept) >= MOST_KEPT:
                self._kept.clear()
                self._asking = {issuer: self._asking[issuer]}
            self._kept[issuer] = found
            return found

    async def _ask(self, issuer: str, now: Instant) -> _Kept:
        reply = await self.fetcher.get(
            issuer.removesuffix("/") + WELL_KNOWN, "The provider's discovery document"
        )
        provider = _provider(self.fetcher, issuer, reply)
        keys = await self.fetcher.get(provider.jwks, "The provider's list of keys")
        return _Kept(provider, _keys(keys), now)


def _provider(fetcher: Fetcher, issuer: str, reply: Reply) -> Provider:
    if reply.status != 200:
        raise SsoError(
            "no_discovery",
            f"There is no discovery document at this issuer: it answered with status {reply.status}.",
        )
    said = reply.json
    if said.get("issuer") != issuer:
        raise SsoError(
            "other_issuer",
            "The provider names itself otherwise than the issuer that was entered. It has to be the same, letter for "
            "letter, a slash at the end included.",
        )
    userinfo = said.get("userinfo_endpoint")
    methods = said.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
    return Provider(
        issuer,
        _endpoint(fetcher, said, "authorization_endpoint"),
        _endpoint(fetcher, said, "token_endpoint"),
        _endpoint(fetcher, said, "jwks_uri"),
        fetcher.check(userinfo, "userinfo_endpoint") if isinstance(userinfo, str) else None,
        said.get("authorization_response_iss_parameter_supported") is True,
        isinstance(methods, list)
        and "client_secret_basic" not in methods
        and "client_secret_post" in methods,
    )


def _endpoint(fetcher: Fetcher, said: Mapping[str, Any], name: str) -> str:
    url = said.get(name)
    if not isinstance(url, str):
        raise SsoError("no_endpoint", f"The provider's discovery document names no {name}.")
    return fetcher.check(url, name)


def _keys(reply: Reply) -> tuple[Key, ...]:
    """Those that verify signatures by public keys; what cannot be read or is too short is left out."""
    listed = reply.json.get("keys") if reply.status == 200 else None
    if not isinstance(listed, list):
        raise SsoError("no_keys", "The provider's list of keys is no list of keys.")
    found = [key for each in listed[:MOST_KEYS] if (key := _key(each)) is not None]
    if not found:
        raise SsoError("no_keys", "The provider's list of keys has none that can be used.")
    return tuple(found)


def _key(data: object) -> Key | None:
    if not isinstance(data, dict) or data.get("use", "sig") != "sig":
        return None
    public = {name: value for name, value in data.items() if name not in ("d", "p", "q", "dp", "dq", "qi")}
    try:
        key = JWKRegistry.import_key(public)
    except (JoseError, ValueError, TypeError, KeyError):
        return None
    if isinstance(key, RSAKey):
        return key if key.public_key.key_size >= SMALLEST_RSA else None
    return key if isinstance(key, ECKey | OKPKey) else None
