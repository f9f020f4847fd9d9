"""Sealed texts: what the browser keeps for us and can neither read nor change (AES-256-GCM)."""

import base64
import binascii
import secrets
from collections.abc import Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_NONCE = 12


class Box:
    """Seals with the first of the secrets and opens with any of them, so that secrets can be rotated.

    The keys are derived from the app's secret (HKDF-SHA-256, RFC 5869) for this use alone; `name` is bound to what
    is sealed, so that one cookie cannot stand in for another.
    """

    def __init__(self, app: str, shared: Sequence[str]) -> None:
        self._keys = [_key(app, each) for each in shared]

    def __repr__(self) -> str:
        return "<Box>"

    def seal(self, name: str, plain: bytes) -> str:
        """`plain`, sealed, as URL-safe text."""
        nonce = secrets.token_bytes(_NONCE)
        sealed = nonce + self._keys[0].encrypt(nonce, plain, name.encode())
        return base64.urlsafe_b64encode(sealed).rstrip(b"=").decode()

    def open(self, name: str, text: str) -> bytes | None:
        """What was sealed under that name; None for anything else, never an exception."""
        try:
            sealed = base64.b64decode(text.encode() + b"=" * (-len(text) % 4), altchars=b"-_", validate=True)
        except (binascii.Error, ValueError):
            return None
        if len(sealed) <= _NONCE:
            return None
        for key in self._keys:
            try:
                return key.decrypt(sealed[:_NONCE], sealed[_NONCE:], name.encode())
            except InvalidTag:
                continue
        return None


def _key(app: str, secret: str) -> AESGCM:
    derive = HKDF(SHA256(), 32, salt=None, info=f"nightlatch-client cookies 1 {app}".encode())
    return AESGCM(derive.derive(secret.encode()))
