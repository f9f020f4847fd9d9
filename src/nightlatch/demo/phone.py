"""The demo's authenticator app: the accounts that it knows, kept in a file beside the demo database."""

import binascii
import fcntl
import json
import os
import secrets
from base64 import b32decode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

from nightlatch.authenticators.totp import SEED_BYTES, key_text

MOST = 200
_SHORTEST, _LONGEST = 10, 64


class BadKey(Exception):
    """Not a key that an authenticator app could take. The message is for the person."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One account on the phone."""

    id: str
    issuer: str
    account: str
    secret: str
    """Base32. It is the demo's: nothing real is behind it."""

    @property
    def seed(self) -> bytes:
        """The seed, for computing codes."""
        return _decoded(self.secret)


class Phone:
    """The app. Several processes may use one file."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "phone.json"

    def entries(self) -> list[Entry]:
        """The accounts, the newest first."""
        try:
            stored = json.loads(self._path.read_text("utf-8"))
        except FileNotFoundError:
            return []
        return [Entry(**each) for each in stored]

    def add(self, issuer: str, account: str, seed: bytes) -> Entry:
        """Add an account, as if its QR code had been scanned; one with the same seed is replaced."""
        entry = Entry(secrets.token_hex(8), issuer[:100], account[:320], key_text(seed))
        with self._changing() as entries:
            entries[:] = [entry, *(each for each in entries if each.secret != entry.secret)][:MOST]
        return entry

    def add_key(self, text: str) -> Entry:
        """Add an account by its typed key, or by a whole otpauth:// address. Raises BadKey."""
        text = text.strip()
        if text.lower().startswith("otpauth:"):
            return self.add(*_uri(text))
        return self.add("Typed key", "", _decoded(text))

    def remove(self, entry_id: str) -> None:
        """Forget an account."""
        with self._changing() as entries:
            entries[:] = [each for each in entries if each.id != entry_id]

    @contextmanager
    def _changing(self) -> Iterator[list[Entry]]:
        with open(f"{self._path}.lock", "a", opener=_private) as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            entries = self.entries()
            yield entries
            draft = self._path.with_name(".phone.json")
            with open(draft, "w", encoding="utf-8", opener=_private) as file:
                json.dump([asdict(each) for each in entries], file)
            os.replace(draft, self._path)


def _uri(text: str) -> tuple[str, str, bytes]:
    """Issuer, account and seed of a Key URI."""
    try:
        parts = urlsplit(text)
        values = parse_qs(parts.query)
    except ValueError:
        raise BadKey("This is no otpauth:// address.") from None
    if parts.netloc.lower() != "totp":
        raise BadKey("This is no otpauth://totp/ address.")
    for name, only in (("algorithm", "SHA1"), ("digits", "6"), ("period", "30")):
        if values.get(name, [only])[-1].upper() != only:
            raise BadKey(f"This app knows only {name} {only}.")
    label = unquote(parts.path.lstrip("/"))
    issuer, colon, account = label.partition(":")
    if not colon:
        issuer, account = "", label
    return values.get("issuer", [issuer])[-1], account.strip(), _decoded(values.get("secret", [""])[-1])


def _decoded(text: str) -> bytes:
    letters = "".join(text.split()).replace("-", "").rstrip("=").upper()
    try:
        seed = b32decode(letters + "=" * (-len(letters) % 8))
    except (binascii.Error, ValueError):
        raise BadKey("A key has only the letters A to Z and the digits 2 to 7.") from None
    if not _SHORTEST <= len(seed) <= _LONGEST:
        raise BadKey(f"A key of Nightlatch has {SEED_BYTES * 8 // 5} letters and digits. Copy it whole.")
    return seed


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
