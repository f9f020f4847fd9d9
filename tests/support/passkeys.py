"""A passkey in software: it signs for real, says of its user what it is told to, and tells any lie on demand."""

import json
import secrets
import struct
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

import cbor2
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa

from nightlatch.authenticators.passkey_asking import (
    ED25519,
    ES256,
    RS256,
    Site,
    from_base64url,
    to_base64url,
)

SITE = Site("localhost", "http://localhost:8000", "Nightlatch")
UP, UV, BE, BS, AT, ED = 0x01, 0x04, 0x08, 0x10, 0x40, 0x80

PrivateKey = ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey | rsa.RSAPrivateKey


def new_key(algorithm: int) -> PrivateKey:
    """A private key for a COSE algorithm."""
    if algorithm == ED25519:
        return ed25519.Ed25519PrivateKey.generate()
    if algorithm == RS256:
        return rsa.generate_private_key(65537, 2048)
    return ec.generate_private_key(ec.SECP256R1())


def cose(key: PrivateKey, algorithm: int) -> dict[int, Any]:
    """Its public key, as an authenticator gives it away (RFC 9053)."""
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return {1: 1, 3: algorithm, -1: 6, -2: key.public_key().public_bytes_raw()}
    if isinstance(key, rsa.RSAPrivateKey):
        numbers = key.public_key().public_numbers()
        return {1: 3, 3: algorithm, -1: numbers.n.to_bytes(256, "big"), -2: numbers.e.to_bytes(3, "big")}
    point = key.public_key().public_numbers()
    return {1: 2, 3: algorithm, -1: 1, -2: point.x.to_bytes(32, "big"), -3: point.y.to_bytes(32, "big")}


def sign(key: PrivateKey, data: bytes) -> bytes:
    """A signature as the key's algorithm makes it."""
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return key.sign(data)
    if isinstance(key, rsa.RSAPrivateKey):
        return key.sign(data, padding.PKCS1v15(), hashes.SHA256())
    return key.sign(data, ec.ECDSA(hashes.SHA256()))


@dataclass
class SoftPasskey:
    """One passkey. Each field is what it does by habit; each argument of `make` and `show` is a lie for once."""

    site: Site = SITE
    algorithm: int = ES256
    verifies: bool = True
    """It checks its user (UV)."""
    synced: bool = False
    """It can be, and is, backed up (BE, BS)."""
    counts: bool = False
    credential_id: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    user_handle: bytes | None = None
    count: int = 0

    def __post_init__(self) -> None:
        self.key = new_key(self.algorithm)

    def make(self, options: dict[str, Any], **lies: Any) -> dict[str, Any]:
        """The answer to creation options. Lies: those of `_client`, `_data`, `cose`, `fmt`, `statement`, `id`."""
        self.user_handle = from_base64url(options["user"]["id"])
        client = self._client("webauthn.create", options["challenge"], lies)
        public = lies.get("cose", cose(self.key, self.algorithm))
        id = lies.get("attested_id", self.credential_id)
        attested = bytes(16) + struct.pack(">H", len(id)) + id + cbor2.dumps(public)
        data = self._data(lies, AT, attested)
        attestation = {
            "fmt": lies.get("fmt", "none"),
            "attStmt": lies.get("statement", {}),
            "authData": data,
        }
        return self._answer(
            lies,
            {
                "clientDataJSON": to_base64url(client),
                "attestationObject": to_base64url(cbor2.dumps(attestation)),
                "transports": ["internal", "hybrid", "pigeon"],
            },
        )

    def show(self, options: dict[str, Any], **lies: Any) -> dict[str, Any]:
        """The answer to request options. Lies: those of `_client`, `_data`, `id`, `signature`, `user_handle`."""
        if self.counts:
            self.count += 1
        client = self._client("webauthn.get", options["challenge"], lies)
        data = self._data(lies, 0, b"")
        signature = lies.get("signature", sign(self.key, data + sha256(client).digest()))
        handle = lies.get("user_handle", self.user_handle)
        return self._answer(
            lies,
            {
                "clientDataJSON": to_base64url(client),
                "authenticatorData": to_base64url(data),
                "signature": to_base64url(signature),
                "userHandle": to_base64url(handle) if handle is not None else None,
            },
        )

    def _client(self, kind: str, challenge: str, lies: dict[str, Any]) -> bytes:
        """Lies: `type`, `challenge`, `origin`, and `client` (whatever else, such as crossOrigin)."""
        said = {
            "type": lies.get("type", kind),
            "challenge": lies.get("challenge", challenge),
            "origin": lies.get("origin", self.site.origin),
            "crossOrigin": False,
        }
        return json.dumps(said | lies.get("client", {})).encode()

    def _data(self, lies: dict[str, Any], flags: int, rest: bytes) -> bytes:
        """Lies: `rp_id`, `up`, `uv`, `be`, `bs`, `count`."""
        said = {UP: True, UV: self.verifies, BE: self.synced, BS: self.synced}
        for name, flag in (("up", UP), ("uv", UV), ("be", BE), ("bs", BS)):
            if lies.get(name, said[flag]):
                flags |= flag
        rp_id = sha256(lies.get("rp_id", self.site.rp_id).encode()).digest()
        return rp_id + struct.pack(">BI", flags, lies.get("count", self.count)) + rest

    def _answer(self, lies: dict[str, Any], response: dict[str, Any]) -> dict[str, Any]:
        id = to_base64url(lies.get("id", self.credential_id))
        return {
            "id": id,
            "rawId": id,
            "type": "public-key",
            "response": response,
            "clientExtensionResults": {},
            "authenticatorAttachment": "platform",
        }


class ChromiumPasskeys:
    """Chromium's virtual authenticator in one page (DevTools protocol, domain WebAuthn)."""

    def __init__(self, page: Any, *, verifies: bool = True, present: bool = True) -> None:
        """`present`: it answers at once whenever it is asked; otherwise nobody is there."""
        self._session = page.context.new_cdp_session(page)
        self._session.send("WebAuthn.enable", {"enableUI": False})
        options = {
            "protocol": "ctap2",
            "ctap2Version": "ctap2_1",
            "transport": "internal",
            "hasResidentKey": True,
            "hasUserVerification": True,
            "isUserVerified": verifies,
            "automaticPresenceSimulation": present,
        }
        made = self._session.send("WebAuthn.addVirtualAuthenticator", {"options": options})
        self._id = made["authenticatorId"]

    def present(self, *, there: bool) -> None:
        """Somebody is there, and agrees; or nobody is."""
        self._session.send(
            "WebAuthn.setAutomaticPresenceSimulation", {"authenticatorId": self._id, "enabled": there}
        )

    def credentials(self) -> list[dict[str, Any]]:
        """What it holds."""
        found = self._session.send("WebAuthn.getCredentials", {"authenticatorId": self._id})
        return list(found["credentials"])

    def forget(self) -> None:
        """It holds nothing any more."""
        self._session.send("WebAuthn.clearCredentials", {"authenticatorId": self._id})
