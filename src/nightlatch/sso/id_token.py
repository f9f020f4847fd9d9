"""Judging an ID token (OpenID Connect Core 1.0 section 3.1.3.7): who signed it, for whom, when, and for which request.

Pure but for the library that checks signatures: the keys, the moment and what was asked are given.
"""

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from joserfc import jws
from joserfc.errors import BadSignatureError, JoseError
from joserfc.jwk import ECKey, Key, OKPKey, RSAKey
from joserfc.jws import JWSRegistry

from nightlatch.instants import SECOND, Instant
from nightlatch.policy import Told
from nightlatch.sso.identity import LEEWAY, Identity, SsoError

ALGORITHMS = ("RS256", "PS256", "ES256", "EdDSA", "Ed25519")
"""By public keys alone, whatever a token says of itself: a client's secret is no provider's signature."""
LONGEST_TOKEN = 64 * 1024
LONGEST_SUBJECT = 255
MOST_METHODS = 20
LONGEST_VALUE = 200
_KEYS: Mapping[str, tuple[type[Key], str | None]] = {
    "RS256": (RSAKey, None),
    "PS256": (RSAKey, None),
    "ES256": (ECKey, "P-256"),
    "EdDSA": (OKPKey, "Ed25519"),
    "Ed25519": (OKPKey, "Ed25519"),
}


class _Algorithms(JWSRegistry):
    """These alone, with keys of one kind each. Providers still say EdDSA (RFC 9864 would have them say Ed25519)."""

    algorithms = {  # noqa: RUF012 - the library's own attribute
        **{name: JWSRegistry.algorithms[name] for name in ALGORITHMS},
        "EdDSA": JWSRegistry.algorithms["Ed25519"],
    }


_REGISTRY = _Algorithms(algorithms=ALGORITHMS, strict_check_header=False)
"""Headers that we do not know change nothing; those that must be understood are refused (`crit`)."""


class KeyMissing(SsoError):
    """None of the provider's keys fits the signature: it may have a new one."""


def claims_of(token: object, keys: Sequence[Key]) -> Mapping[str, Any]:
    """What a token says, its signature verified by one of the provider's keys. Raises SsoError, KeyMissing."""
    if not isinstance(token, str) or not token:
        raise SsoError(
            "no_id_token", "The provider sent no ID token. Is openid among the scopes that it allows?"
        )
    if len(token) > LONGEST_TOKEN:
        raise SsoError("bad_id_token", "The provider's ID token is far too long.")
    algorithm, kid = _header(token)
    kind, curve = _KEYS[algorithm]
    fitting = [
        key
        for key in keys
        if isinstance(key, kind)
        and (curve is None or key.get("crv") == curve)
        and key.get("alg", algorithm) == algorithm
        and (kid is None or key.get("kid") == kid)
    ]
    for key in fitting:
        try:
            return _object(jws.deserialize_compact(token, key, registry=_REGISTRY).payload)
        except BadSignatureError:
            continue
        except (JoseError, ValueError):
            break
    if fitting:
        raise SsoError("bad_signature", "The ID token is not signed by this provider.")
    raise KeyMissing("unknown_key", "The ID token is signed with a key that this provider does not publish.")


def _header(token: str) -> tuple[str, str | None]:
    try:
        header = jws.extract_compact(token.encode("ascii")).headers()
    except (JoseError, ValueError, RecursionError):
        raise SsoError("bad_id_token", "The provider's ID token cannot be read.") from None
    algorithm, kid = header.get("alg"), header.get("kid")
    if "crit" in header:
        raise SsoError(
            "bad_id_token", "The provider's ID token asks for an extension that is not known here."
        )
    if algorithm not in ALGORITHMS:
        raise SsoError(
            "bad_algorithm",
            f"The ID token is signed in a way that is not accepted. Accepted are {', '.join(ALGORITHMS)}.",
        )
    return algorithm, kid if isinstance(kid, str) else None


def _object(payload: bytes) -> Mapping[str, Any]:
    try:
        claims = json.loads(payload)
    except (ValueError, RecursionError):
        claims = None
    if not isinstance(claims, dict):
        raise SsoError("bad_id_token", "The provider's ID token cannot be read.")
    return claims


def identity_of(
    claims: Mapping[str, Any],
    *,
    issuer: str,
    client_id: str,
    nonce: str,
    now: Instant,
    access_token: str | None = None,
) -> Identity:
    """Who it is about, if it is about this very request. Raises SsoError."""
    if claims.get("iss") != issuer:
        raise SsoError("wrong_issuer", "The ID token comes from another issuer than this connection's.")
    _check_audience(claims, client_id)
    _check_times(claims, now)
    if not isinstance(claims.get("nonce"), str) or not hmac.compare_digest(
        claims["nonce"].encode("utf-8", "replace"), nonce.encode()
    ):
        raise SsoError("wrong_nonce", "The ID token was made for another request than this one.")
    if "at_hash" in claims:
        _check_access_token(claims["at_hash"], access_token)
    subject = claims.get("sub")
    if not isinstance(subject, str) or not subject or len(subject) > LONGEST_SUBJECT:
        raise SsoError("no_subject", "The ID token does not say who it is about (sub).")
    if not subject.isprintable():
        raise SsoError("no_subject", "The ID token does not say who it is about (sub).")
    return described(
        Identity(subject, claims=claims, told=_told(claims), auth_time=_auth_time(claims, now)), claims
    )


def described(identity: Identity, claims: Mapping[str, Any]) -> Identity:
    """With what these claims say of address and name."""
    return replace(
        identity,
        email=_text(claims.get("email")) or identity.email,
        email_verified=claims.get("email_verified") is True or identity.email_verified,
        name=_text(claims.get("name")) or identity.name,
    )


def _check_audience(claims: Mapping[str, Any], client_id: str) -> None:
    audience = claims.get("aud")
    named = [audience] if isinstance(audience, str) else audience
    if not isinstance(named, list) or client_id not in named:
        raise SsoError("wrong_audience", "The ID token is for another application, not for this client ID.")
    party = claims.get("azp")
    if (len(named) > 1 and party is None) or (party is not None and party != client_id):
        raise SsoError("wrong_audience", "The ID token was given to another application (azp).")


def _check_times(claims: Mapping[str, Any], now: Instant) -> None:
    expires, issued = _instant(claims.get("exp")), _instant(claims.get("iat"))
    if expires is None or issued is None:
        raise SsoError("no_times", "The ID token does not say how long it is good (exp, iat).")
    if expires + LEEWAY <= now:
        raise SsoError("expired", "The ID token has run out. Are the clocks of both servers right?")
    if issued - LEEWAY > now:
        raise SsoError(
            "from_the_future", "The ID token comes from the future. Are the clocks of both servers right?"
        )


def _check_access_token(at_hash: object, access_token: str | None) -> None:
    octets = (access_token or "").encode("utf-8", "replace")
    halves = (hashlib.sha256(octets).digest()[:16], hashlib.sha512(octets).digest()[:32])  # 512: with Ed25519
    expected = {base64.urlsafe_b64encode(half).rstrip(b"=").decode() for half in halves}
    if access_token is None or not isinstance(at_hash, str) or at_hash not in expected:
        raise SsoError("wrong_at_hash", "The ID token does not belong to the access token beside it.")


def _auth_time(claims: Mapping[str, Any], now: Instant) -> Instant | None:
    at = _instant(claims.get("auth_time"))
    if at is not None and at - LEEWAY > now:
        raise SsoError("from_the_future", "The provider says that the sign-in is yet to come (auth_time).")
    return at


def _instant(value: object) -> Instant | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1 << 40:
        return None
    return int(value * SECOND)


def _told(claims: Mapping[str, Any]) -> Told:
    amr = claims.get("amr")
    listed = amr if isinstance(amr, list) else []
    methods = frozenset(text for each in listed[:MOST_METHODS] if (text := _text(each)) is not None)
    return Told(_text(claims.get("acr")), methods)


def _text(value: object) -> str | None:
    if not isinstance(value, str) or not value or len(value) > LONGEST_VALUE or not value.isprintable():
        return None
    return value
