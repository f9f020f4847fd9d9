"""Random tokens and what is kept of them: 256 bits from the system's generator, SHA-256 at rest (law 10)."""

import secrets
from dataclasses import dataclass
from hashlib import sha256

from nightlatch.ids import from_text, to_text
from nightlatch.vocabulary import Credential

API_TOKEN = "nlt_"
"""What every API token begins with: so that a secret scanner finds one that leaked, and so that the gate knows its kind
before it reads anything."""
_ID = len(to_text(1))
_SECRET = 43
"""32 random bytes in base64url."""
_DIGEST = 32


@dataclass(frozen=True, slots=True)
class Token:
    """A fresh token: its text, for its holder alone, and its hash, for the database."""

    text: str
    hash: bytes

    def of_session(self, session_id: int) -> "Token":
        """The same secret as the token of a session, whose id stands in front of it."""
        return Token(to_text(session_id) + self.text[-_SECRET:], _named(session_id) + self.hash[-_DIGEST:])

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


def hash_session_token(text: str) -> bytes:
    """The same of the secret in a session's token, behind the session's id (store/session_facts.py reads it): a session
    is found by its own key, and its token changes without any index. What names no session has the id 0, as none has.
    """
    return _named(from_text(text[:_ID]) or 0) + hash_token(text[_ID:])


def _named(session_id: int) -> bytes:
    return session_id.to_bytes(8, "big")


def hash_presented(text: str, credential: Credential) -> bytes:
    """What is kept of what a client presents as a credential of this kind."""
    session = credential in (Credential.COOKIE, Credential.BEARER)
    return hash_session_token(text) if session else hash_token(text)
