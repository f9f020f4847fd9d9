"""Passkeys: reading what a browser answers (WebAuthn Level 3, section 5.1). Nothing is believed yet. Pure."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from nightlatch.authenticators.passkey_asking import TRANSPORTS, Malformed, from_base64url

MOST_ID_BYTES = 1023
MOST_BYTES = 16 * 1024
"""Of any one part of an answer."""


@dataclass(frozen=True, slots=True)
class Made:
    """What a browser answered to a request to make one."""

    credential_id: bytes
    client_data: bytes
    attestation: bytes = field(repr=False)
    transports: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Shown:
    """What a browser answered to a request to show one."""

    credential_id: bytes
    client_data: bytes
    authenticator_data: bytes
    signature: bytes = field(repr=False)
    user_handle: bytes | None = field(default=None, repr=False)


def read_made(credential: Mapping[str, Any]) -> Made:
    """A RegistrationResponseJSON. Raises Malformed."""
    response, id = _parts(credential)
    transports = response.get("transports") or []
    if not isinstance(transports, list):
        raise Malformed
    return Made(
        id,
        _bytes(response, "clientDataJSON"),
        _bytes(response, "attestationObject"),
        tuple(sorted({each for each in transports if each in TRANSPORTS})),
    )


def read_shown(credential: Mapping[str, Any]) -> Shown:
    """An AuthenticationResponseJSON. Raises Malformed."""
    response, id = _parts(credential)
    return Shown(
        id,
        _bytes(response, "clientDataJSON"),
        _bytes(response, "authenticatorData"),
        _bytes(response, "signature"),
        _bytes(response, "userHandle") if response.get("userHandle") else None,
    )


def challenge_of(answer: Made | Shown) -> bytes:
    """The challenge that an answer says it is for. Raises Malformed."""
    value = client_data_of(answer.client_data).get("challenge")
    if not isinstance(value, str):
        raise Malformed
    return from_base64url(value)


def _parts(credential: Mapping[str, Any]) -> tuple[Mapping[str, Any], bytes]:
    response, id = credential.get("response"), credential.get("id")
    if not isinstance(response, Mapping) or not isinstance(id, str) or credential.get("rawId") != id:
        raise Malformed
    if credential.get("type") != "public-key":
        raise Malformed
    found = from_base64url(id)
    if not 0 < len(found) <= MOST_ID_BYTES:
        raise Malformed
    return response, found


def _bytes(response: Mapping[str, Any], name: str) -> bytes:
    value = response.get(name)
    if not isinstance(value, str) or len(value) > MOST_BYTES * 4 // 3:
        raise Malformed
    return from_base64url(value)


def client_data_of(raw: bytes) -> dict[str, Any]:
    """The JSON of the client data. Raises Malformed."""
    try:
        found = json.loads(raw.decode("utf-8"))
    except (ValueError, RecursionError):
        raise Malformed from None
    if not isinstance(found, dict):
        raise Malformed
    return found
