"""Passwords and tokens: made, hashed, compared."""

import hashlib
import hmac
import secrets
from base64 import b64decode, b64encode

SHORTEST = 12
_COST = {"n": 2**14, "r": 8, "p": 5}


def hash_password(password: str) -> str:
    """By scrypt, with a salt."""
    salt = secrets.token_bytes(16)
    return f"{b64encode(salt).decode()}${b64encode(_scrypt(password, salt)).decode()}"


def is_password(password: str, stored: str | None) -> bool:
    """Whether it is the one. Nobody's password takes as long as somebody's."""
    salt, _, expected = (stored or _NOBODYS).partition("$")
    right = hmac.compare_digest(_scrypt(password, b64decode(salt)), b64decode(expected))
    return right and stored is not None


def new_token() -> str:
    """Too long to be guessed."""
    return secrets.token_urlsafe(32)


def hash_token(token: str) -> str:
    """How a token is kept."""
    return hashlib.sha256(token.encode()).hexdigest()


def _scrypt(password: str, salt: bytes) -> bytes:
    return hashlib.scrypt(password.encode(), salt=salt, dklen=32, maxmem=64 * 2**20, **_COST)


_NOBODYS = hash_password("")
