"""Random tokens and what is kept of them: 256 bits from the system's generator, SHA-256 at rest (law 10)."""

import secrets
from dataclasses import dataclass
from hashlib import sha256

API_TOKEN = "nlt_"
"""What every API token begins with: so that a secret scanner finds one that leaked, and so that the gate knows its kind
before it reads anything."""


@dataclass(frozen=True, slots=True)
class Token:
    """A fresh token: its text, for its holder alone, and its hash, for the database."""

    text: str
    hash: bytes

    def __repr__(self) -> str:
        return "Token(...)"


def new_token() -> Token:
    """43 characters of base64url, 256 random bits."""
    text = secrets.token_urlsafe(32)
    return Token(text, hash_token(text))


def new_api_token() -> Token:
    """The same behind the mark of API tokens."""
    text = API_TOKEN + secrets.token_urlsafe(32)
    return Token(text, hash_token(text))


def hash_token(text: str) -> bytes:
    """What is kept of a token. It has far more than 112 random bits, so a plain hash is enough (ASVS 6.5.2)."""
    return sha256(text.encode("utf-8", "surrogatepass")).digest()
