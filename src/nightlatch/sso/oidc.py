"""OpenID Connect, the relying party's side: authorization code with PKCE, state and nonce."""

import base64
import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from urllib.parse import quote, urlencode

from nightlatch.instants import SECOND, Duration, Instant
from nightlatch.sso.discovery import Discoveries, Provider
from nightlatch.sso.fetching import Reply
from nightlatch.sso.id_token import KeyMissing, claims_of, described, identity_of
from nightlatch.sso.identity import LEEWAY, Identity, Leaving, SsoError

SCOPE = "openid email profile"
_ERRORS = {
    "invalid_client": "The provider answered invalid_client: the client secret, or the client ID, is wrong.",
    "unauthorized_client": "The provider answered unauthorized_client: it does not allow this client to sign "
    "people in with a code.",
    "invalid_grant": "The provider answered invalid_grant: it does not take the code. It was used before, ran out, or "
    "the redirect address that it has for this client is another one.",
    "invalid_request": "The provider answered invalid_request: it does not understand what was asked.",
    "invalid_scope": "The provider answered invalid_scope: it does not allow openid, email and profile.",
    "access_denied": "The provider answered access_denied: the person cancelled, or is not assigned to this "
    "application there.",
    "unsupported_response_type": "The provider answered unsupported_response_type: allow the authorization code "
    "flow for this client.",
    "login_required": "The provider answered login_required.",
    "interaction_required": "The provider answered interaction_required.",
    "consent_required": "The provider answered consent_required: somebody has to consent there first.",
    "server_error": "The provider answered server_error: something went wrong there.",
    "temporarily_unavailable": "The provider answered temporarily_unavailable: try again later.",
}


@dataclass(frozen=True, slots=True)
class Client:
    """Nightlatch, as a provider knows it."""

    issuer: str
    client_id: str
    redirect_uri: str


async def leave(
    discoveries: Discoveries,
    client: Client,
    *,
    state: str,
    now: Instant,
    fresh: bool,
    max_age: Duration,
) -> Leaving:
    """The authorization request. `fresh`: the provider asks the person again now. `max_age`: how long ago they may
    have signed in there at most; asking for it also makes the provider say when that was. Raises SsoError."""
    provider = await discoveries.provider(client.issuer, now)
    nonce, verifier = secrets.token_urlsafe(32), secrets.token_urlsafe(48)
    asked = {
        "response_type": "code",
        "client_id": client.client_id,
        "redirect_uri": client.redirect_uri,
        "scope": SCOPE,
        "state": state,
        "nonce": nonce,
        "code_challenge": _challenge(verifier),
        "code_challenge_method": "S256",
        "max_age": "0" if fresh else str(max_age // SECOND),
    }
    if fresh:
        asked["prompt"] = "login"
    sign = "&" if "?" in provider.authorization else "?"
    return Leaving(
        f"{provider.authorization}{sign}{urlencode(asked)}",
        {"nonce": nonce, "verifier": verifier, "since": str(now - max_age)},
    )


async def arrive(
    discoveries: Discoveries,
    client: Client,
    *,
    answer: Mapping[str, str],
    said: Mapping[str, str],
    secret: str | None,
    now: Instant,
) -> Identity:
    """Who came, by the answer that the browser brought (its query). Raises SsoError."""
    provider = await discoveries.provider(client.issuer, now)
    _check_sender(provider, answer)
    if "error" in answer:
        raise _error(answer["error"])
    code = answer.get("code")
    if not code:
        raise SsoError("no_code", "The provider sent the browser back without a code.")
    tokens = await _tokens(discoveries, provider, client, code, said["verifier"], secret)
    access_token = tokens.get("access_token")
    access_token = access_token if isinstance(access_token, str) else None
    try:
        claims = claims_of(tokens.get("id_token"), await discoveries.keys(client.issuer, now))
    except KeyMissing:
        claims = claims_of(tokens.get("id_token"), await discoveries.keys(client.issuer, now, missed=True))
    identity = identity_of(
        claims,
        issuer=client.issuer,
        client_id=client.client_id,
        nonce=said["nonce"],
        now=now,
        access_token=access_token,
    )
    if identity.auth_time is not None and identity.auth_time < int(said["since"]) - LEEWAY:
        raise SsoError(
            "too_old", "The provider let somebody in on an older sign-in than was asked for (max_age)."
        )
    if identity.email is None and provider.userinfo is not None and access_token is not None:
        return await _with_userinfo(discoveries, provider.userinfo, access_token, identity)
    return identity


def _check_sender(provider: Provider, answer: Mapping[str, str]) -> None:
    """Against an answer that another provider was made to give (RFC 9207): checked wherever it is said."""
    sender = answer.get("iss")
    if (sender is None and provider.says_issuer) or (sender is not None and sender != provider.issuer):
        raise SsoError("mixed_up", "The answer comes from another provider than the one that was asked.")


async def _tokens(
    discoveries: Discoveries,
    provider: Provider,
    client: Client,
    code: str,
    verifier: str,
    secret: str | None,
) -> Mapping[str, object]:
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": client.redirect_uri,
        "code_verifier": verifier,
    }
    authorization = None
    if secret is None:
        form["client_id"] = client.client_id
    elif provider.posts_secret:
        form |= {"client_id": client.client_id, "client_secret": secret}
    else:
        pair = f"{quote(client.client_id, safe='')}:{quote(secret, safe='')}"
        authorization = f"Basic {base64.b64encode(pair.encode()).decode()}"
    reply = await discoveries.fetcher.post(
        provider.token, "The provider's token endpoint", form, authorization=authorization
    )
    return _granted(reply)


def _granted(reply: Reply) -> Mapping[str, object]:
    if reply.status == 200 and "error" not in reply.json:
        return reply.json
    error = reply.json.get("error")
    if isinstance(error, str):
        raise _error(error)
    raise SsoError("no_tokens", f"The provider's token endpoint answered with status {reply.status}.")


def _error(code: str) -> SsoError:
    """An error code of the protocol in words; what is none of them is not repeated."""
    if code in _ERRORS:
        return SsoError(code, _ERRORS[code])
    return SsoError("other_error", "The provider answered with an error that is none of the protocol's.")


async def _with_userinfo(
    discoveries: Discoveries, url: str, access_token: str, identity: Identity
) -> Identity:
    """What the ID token leaves out of address and name, asked for; never of anybody else (Core section 5.3.2)."""
    reply = await discoveries.fetcher.get(url, "The provider's userinfo endpoint", bearer=access_token)
    if reply.status != 200:
        return identity
    if reply.json.get("sub") != identity.subject:
        raise SsoError("wrong_userinfo", "The provider's userinfo is about somebody else.")
    return replace(described(identity, reply.json), claims={**reply.json, **identity.claims})


def _challenge(verifier: str) -> str:
    digest = hashlib.sha256(verifier.encode("ascii")).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
