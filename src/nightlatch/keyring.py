"""The key ring: what protects secrets at rest (law 10).

A ring holds 32-byte keys by id. The first seals and signs; all of them open and check, so that keys rotate
without downtime: `added` everywhere, then `promoted` everywhere, then, when everything is sealed anew,
`without` the old one. No key is used itself: each purpose has its own, by HKDF-SHA256 (RFC 5869).

As text a ring is one `id:base64` a line or between commas, the first being current; `#` begins a comment. A
key without an id (`openssl rand -base64 32`) gets one that is computed from it.
"""

import hmac
import os
import re
import secrets
from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from types import MappingProxyType

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEY_BYTES = 32
_NONCE_BYTES = 12
_FORMAT = b"\x01"
_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,15}")
_CHECKED = b"nightlatch"


class KeyRingError(Exception):
    """A text or file that is no usable key ring. The message says what to do and holds no key."""


class SealError(Exception):
    """What was sealed cannot be opened. Nothing secret is in the message."""


class WrongKey(SealError):
    """It was sealed with a key that this ring does not have; the message names its id."""


class Tampered(SealError):
    """It is damaged, was changed, or was sealed for another purpose or row."""


class KeyRing:
    """Keys by id, immutable, shared by all threads of a process. Its repr shows ids only."""

    def __init__(self, keys: Mapping[str, bytes], current_id: str) -> None:
        """`keys` are 32 bytes each; ids are up to 16 lower-case letters, digits and hyphens. Raises
        KeyRingError.
        """
        for key_id, key in keys.items():
            if not _ID.fullmatch(key_id):
                raise KeyRingError("A key's id is 1 to 16 lower-case letters, digits and hyphens.")
            if len(key) != KEY_BYTES:
                raise KeyRingError(f"Key {key_id} has {len(key)} bytes; it needs {KEY_BYTES}.")
        if current_id not in keys:
            raise KeyRingError(f"The ring has no key {current_id}.")
        others = [key_id for key_id in keys if key_id != current_id]
        self._keys = {key_id: bytes(keys[key_id]) for key_id in (current_id, *others)}
        self.current_id = current_id
        # Building a cipher or deriving a key costs more than using it; purposes are a handful.
        self._cipher = lru_cache(256)(self._make_cipher)
        self._subkey = lru_cache(256)(self._make_subkey)

    def __repr__(self) -> str:
        return f"KeyRing({', '.join(self._keys)})"

    @property
    def ids(self) -> tuple[str, ...]:
        """The ids, the current one first."""
        return tuple(self._keys)

    # Making, reading and changing rings

    @classmethod
    def generate(cls, random: Callable[[int], bytes]) -> "KeyRing":
        """A ring with one fresh key from cryptographic `random`."""
        key = random(KEY_BYTES)
        return cls({_id_for(key): key}, _id_for(key))

    @classmethod
    def parse(cls, text: str) -> "KeyRing":
        """The ring of a text (see the module). Raises KeyRingError, whose message holds no key."""
        keys: dict[str, bytes] = {}
        for number, entry in enumerate(_entries(text), 1):
            key_id, colon, encoded = entry.rpartition(":")
            key = _decoded(encoded, number)
            key_id = key_id if colon else _id_for(key)
            if key_id in keys:
                raise KeyRingError(f"Key {number} of the ring has the same id as one before it.")
            keys[key_id] = key
        if not keys:
            raise KeyRingError("The key ring is empty.")
        return cls(keys, next(iter(keys)))

    def to_text(self) -> str:
        """The ring as `parse` reads it. This is the secret itself."""
        return "".join(f"{key_id}:{b64encode(key).decode('ascii')}\n" for key_id, key in self._keys.items())

    def added(self, random: Callable[[int], bytes]) -> "KeyRing":
        """This ring and one fresh key, which is not yet current: first every process must know it."""
        fresh = KeyRing.generate(random)
        return KeyRing({**self._keys, **fresh._keys}, self.current_id)

    def promoted(self, key_id: str) -> "KeyRing":
        """This ring with `key_id` as the current key. Raises KeyRingError."""
        return KeyRing(self._keys, key_id)

    def without(self, key_id: str) -> "KeyRing":
        """This ring without `key_id`, which is not current: what it sealed is lost. Raises KeyRingError."""
        return KeyRing({kept: key for kept, key in self._keys.items() if kept != key_id}, self.current_id)

    # Files

    @classmethod
    def load(cls, path: Path) -> "KeyRing":
        """The ring in a file that only its owner can read. Raises KeyRingError, FileNotFoundError and other
        OSErrors.
        """
        with path.open(encoding="utf-8") as file:
            if os.fstat(file.fileno()).st_mode & 0o077:
                raise KeyRingError(
                    f"Others can read the key file {path}. Make it yours alone: chmod 600 {path}"
                )
            try:
                return cls.parse(file.read(1 << 16))
            except UnicodeDecodeError:
                raise KeyRingError(f"The key file {path} is no text.") from None

    @classmethod
    def create(cls, path: Path, random: Callable[[int], bytes] = secrets.token_bytes) -> "KeyRing":
        """A fresh ring in a new file, 0600, whole or not at all. Raises FileExistsError: a key is never
        overwritten.
        """
        ring = cls.generate(random)
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        ring._write(path, os.link)
        return ring

    @classmethod
    def load_or_create(cls, path: Path, random: Callable[[int], bytes] = secrets.token_bytes) -> "KeyRing":
        """The ring in the file, made on the first start; of two processes that start at once one makes it."""
        try:
            return cls.load(path)
        except FileNotFoundError:
            pass
        try:
            return cls.create(path, random)
        except FileExistsError:
            return cls.load(path)

    def save(self, path: Path) -> None:
        """Replace the file by this ring, 0600, whole or not at all (`keys rotate`)."""
        self._write(path, os.replace)

    def _write(self, path: Path, put: Callable[[Path, Path], None]) -> None:
        draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
        with open(draft, "x", encoding="ascii", opener=_private) as file:
            try:
                file.write(self.to_text())
                file.flush()
                os.fsync(file.fileno())
                put(draft, path)
            finally:
                draft.unlink(missing_ok=True)
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    # Sealing: encryption bound to a row

    def seal(self, purpose: str, row: str, plaintext: bytes) -> bytes:
        """`plaintext` under AES-256-GCM with the current key, bound to `purpose` and `row`; the key's id
        travels along.

        `row` names the one place where this may stand, such as `authenticator/123`.
        """
        nonce = os.urandom(_NONCE_BYTES)
        cipher = self._cipher(self.current_id, purpose)
        return _header(self.current_id) + nonce + cipher.encrypt(nonce, plaintext, _bound(purpose, row))

    def open(self, purpose: str, row: str, sealed: bytes) -> bytes:
        """What was sealed for this purpose and row. Raises WrongKey or Tampered, both SealError."""
        key_id, rest = _divided(sealed)
        if key_id not in self._keys:
            raise WrongKey(f"sealed with key {key_id}, which is not in the ring")
        try:
            cipher = self._cipher(key_id, purpose)
            return cipher.decrypt(rest[:_NONCE_BYTES], rest[_NONCE_BYTES:], _bound(purpose, row))
        except (InvalidTag, ValueError):
            raise Tampered("it does not open with its key, purpose and row") from None

    # Tags and subkeys

    def tag(self, purpose: str, data: bytes) -> bytes:
        """A keyed HMAC-SHA-256 of `data` with the current key; the key's id travels along.

        It changes when keys rotate: compare with `tag_matches`, do not look rows up by it.
        """
        return _header(self.current_id) + hmac.digest(
            self._subkey(self.current_id, f"tag/{purpose}"), data, "sha256"
        )

    def tag_matches(self, purpose: str, data: bytes, tag: bytes) -> bool:
        """Whether `tag` was made of `data` for this purpose with any key of the ring. Constant-time; never
        raises.
        """
        try:
            key_id, mac = _divided(tag)
        except Tampered:
            return False
        if key_id not in self._keys:
            return False
        return hmac.compare_digest(hmac.digest(self._subkey(key_id, f"tag/{purpose}"), data, "sha256"), mac)

    def subkeys(self, purpose: str) -> Mapping[str, bytes]:
        """A 32-byte key for `purpose` from every key of the ring, by id: for a keyed step made elsewhere (the
        pepper).
        """
        return MappingProxyType({key_id: self._subkey(key_id, f"subkey/{purpose}") for key_id in self._keys})

    # Noticing a wrong ring

    def check_value(self) -> bytes:
        """What the database keeps so that a start with the wrong key is noticed. It tells nothing of it."""
        return self.tag("check", _CHECKED)

    def matches(self, check: bytes) -> bool:
        """Whether the ring has the very key that made `check`."""
        return self.tag_matches("check", _CHECKED, check)

    def _make_cipher(self, key_id: str, purpose: str) -> AESGCM:
        return AESGCM(self._subkey(key_id, f"seal/{purpose}"))

    def _make_subkey(self, key_id: str, info: str) -> bytes:
        # HKDF-SHA256 without salt (RFC 5869 section 2.2), one block of output.
        extracted = hmac.digest(bytes(32), self._keys[key_id], "sha256")
        return hmac.digest(extracted, f"nightlatch/1/{info}".encode() + b"\x01", "sha256")


def key_id_of(sealed: bytes) -> str:
    """The id of the key that something was sealed or tagged with. Raises Tampered for what never was."""
    return _divided(sealed)[0]


def _header(key_id: str) -> bytes:
    return _FORMAT + bytes([len(key_id)]) + key_id.encode("ascii")


def _divided(sealed: bytes) -> tuple[str, bytes]:
    """The key's id, and what follows the header."""
    end = 2 + (sealed[1] if len(sealed) > 1 else 0)
    key_id = sealed[2:end].decode("latin-1")
    if sealed[:1] != _FORMAT or not _ID.fullmatch(key_id) or len(key_id) != end - 2:
        raise Tampered("it is nothing that this program sealed")
    return key_id, sealed[end:]


def _bound(purpose: str, row: str) -> bytes:
    # The length keeps ("a", "bc") and ("ab", "c") apart.
    return len(purpose).to_bytes(4, "big") + f"{purpose}{row}".encode()


def _id_for(key: bytes) -> str:
    return "k" + sha256(b"nightlatch/1/id" + key).hexdigest()[:8]


def _entries(text: str) -> Iterator[str]:
    for line in text.splitlines():
        yield from line.partition("#")[0].replace(",", " ").split()


def _decoded(encoded: str, number: int) -> bytes:
    try:
        key = b64decode(
            encoded.replace("-", "+").replace("_", "/") + "=" * (-len(encoded) % 4), validate=True
        )
    except (Base64Error, ValueError):
        raise KeyRingError(f"Key {number} of the ring is not base64.") from None
    if len(key) != KEY_BYTES:
        raise KeyRingError(f"Key {number} of the ring has {len(key)} bytes; it needs {KEY_BYTES}.")
    return key


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
