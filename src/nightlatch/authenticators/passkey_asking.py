"""Passkeys: what a browser is asked, and how bytes travel in JSON (WebAuthn Level 3, sections 5.4 and 5.5). Pure."""

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as Base64Error
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

CHALLENGE_BYTES = 32
HANDLE_BYTES = 64
"""Of an account's user handle: random, and nothing about the person (section 14.6.1)."""
ED25519, ES256, RS256 = -8, -7, -257
ALGORITHMS = (ED25519, ES256, RS256)
"""What is offered, the most wanted first (COSE numbers; section 5.4)."""
TRANSPORTS = ("ble", "hybrid", "internal", "nfc", "smart-card", "usb")


class Malformed(Exception):
    """What came is no answer of a browser at all."""


@dataclass(frozen=True, slots=True)
class Site:
    """Whom passkeys are made for: the relying party."""

    rp_id: str
    """The host of the origin."""
    origin: str
    name: str


@dataclass(frozen=True, slots=True)
class Descriptor:
    """One that a browser is asked for, or asked not to make again."""

    credential_id: bytes
    transports: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """As browsers take it."""
        shown: dict[str, Any] = {"type": "public-key", "id": to_base64url(self.credential_id)}
        return shown | {"transports": list(self.transports)} if self.transports else shown


def creation_options(
    site: Site,
    challenge: bytes,
    *,
    user_handle: bytes,
    account: str,
    name: str,
    exclude: Collection[Descriptor],
    timeout_ms: int,
) -> dict[str, Any]:
    """PublicKeyCredentialCreationOptions as JSON (section 5.4)."""
    return {
        "rp": {"id": site.rp_id, "name": site.name},
        "user": {"id": to_base64url(user_handle), "name": account, "displayName": name},
        "challenge": to_base64url(challenge),
        "pubKeyCredParams": [{"type": "public-key", "alg": each} for each in ALGORITHMS],
        "timeout": timeout_ms,
        "excludeCredentials": [each.as_json() for each in exclude],
        "authenticatorSelection": {
            "residentKey": "preferred",
            "requireResidentKey": False,
            "userVerification": "preferred",
        },
        "attestation": "none",
    }


def request_options(
    site: Site, challenge: bytes, *, allow: Collection[Descriptor], need_verified: bool, timeout_ms: int
) -> dict[str, Any]:
    """PublicKeyCredentialRequestOptions as JSON (section 5.5). Nothing allowed: whichever the person has here."""
    return {
        "rpId": site.rp_id,
        "challenge": to_base64url(challenge),
        "timeout": timeout_ms,
        "allowCredentials": [each.as_json() for each in allow],
        "userVerification": "required" if need_verified else "preferred",
    }


_SHAPES = (
    (16, ("hybrid", "internal")),
    (16, ("hybrid", "internal")),
    (20, ("hybrid", "internal")),
    (32, ("hybrid", "internal")),
    (32, ("internal",)),
    (32, ("hybrid", "internal")),
    (48, ("nfc", "usb")),
    (64, ("usb",)),
)
"""Lengths and transports that passkeys of common makes have, as often as they are about."""


def decoys(secret: bytes, email_key: str) -> tuple[Descriptor, ...]:
    """What an e-mail address without passkeys is said to have: always the same for it, one or (rarely) two.

    So nobody learns from the options who has an account (section 14.6.2).
    """

    def stream(label: str, size: int) -> bytes:
        blocks = (
            hmac.digest(secret, f"{label} {block} {email_key}".encode("utf-8", "surrogatepass"), "sha256")
            for block in range(-(-size // 32))
        )
        return b"".join(blocks)[:size]

    dice = stream("dice", 3)
    shapes = [_SHAPES[each % len(_SHAPES)] for each in dice[1 : 2 + (dice[0] < 64)]]
    return tuple(Descriptor(stream(f"id{n}", size), kinds) for n, (size, kinds) in enumerate(shapes))


def from_base64url(text: str) -> bytes:
    """Without padding, and of one spelling alone. Raises Malformed."""
    try:
        found = urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))
    except (Base64Error, ValueError):
        raise Malformed from None
    if to_base64url(found) != text:
        raise Malformed
    return found


def to_base64url(raw: bytes) -> str:
    """Without padding."""
    return urlsafe_b64encode(raw).rstrip(b"=").decode("ascii")
