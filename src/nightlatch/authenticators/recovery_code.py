"""Recovery codes: saved look-up secrets, ten to a set, each good once.

A code is five groups of four Crockford base32 characters: `k3v9-7xq2-m4tn-8c0e-zr5w`. The first group is the
selector, which finds the row; the other sixteen characters are 80 secret bits (NIST 800-63B-4 section 4.2.1.1
asks for 64). Below 112 bits they are kept under a salted password hash (3.1.2.2); a try costs one hash.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass, field

from argon2 import PasswordHasher, Type
from argon2.exceptions import VerifyMismatchError

from nightlatch.authenticators.spelling import MalformedCode as MalformedCode
from nightlatch.authenticators.spelling import compact

COUNT = 10
SELECTOR_LENGTH = 4
SECRET_LENGTH = 16
_LENGTH = SELECTOR_LENGTH + SECRET_LENGTH
_GROUP = 4

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_MEANT = str.maketrans("oil", "011")

# Lighter than for passwords: these secrets are 80 random bits, out of reach of guessing at any cost a hash
# adds.
_HASHER = PasswordHasher(
    time_cost=1, memory_cost=8 * 1024, parallelism=1, hash_len=32, salt_len=16, type=Type.ID
)
_DECOY = "$argon2id$v=19$m=8192,t=1,p=1$" + "A" * 22 + "$" + "A" * 43


@dataclass(frozen=True, slots=True)
class CodeParts:
    """An entered code in canonical form, divided. `secret` stays out of every repr."""

    selector: str
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class NewCode:
    """A fresh code: `text` is shown once, `selector` is stored, `secret` is hashed."""

    text: str = field(repr=False)
    selector: str
    secret: str = field(repr=False)


def generate(random: Callable[[int], bytes], taken: Collection[str] = ()) -> tuple[NewCode, ...]:
    """A set of COUNT codes from cryptographic `random`, their selectors unlike each other and unlike `taken`.

    `taken` are the selectors of the account's other sets, where it has any: then a selector finds one row.
    Raises RuntimeError where `random` repeats itself.
    """
    codes: dict[str, NewCode] = {}
    for _ in range(100 * COUNT):
        letters = "".join(_ALPHABET[byte & 31] for byte in random(_LENGTH))
        selector, secret = letters[:SELECTOR_LENGTH], letters[SELECTOR_LENGTH:]
        if selector not in taken:
            codes.setdefault(selector, NewCode(_grouped(letters), selector, secret))
        if len(codes) == COUNT:
            return tuple(codes.values())
    raise RuntimeError("the source of random bytes repeats itself")


def canonical(text: str) -> CodeParts:
    """The one form of an entered code.

    White space and hyphens are dropped, decimal digits of other scripts are mapped, capitals lowered, o read
    as 0, i and l as 1 (Crockford); anything else raises MalformedCode.
    """
    letters = compact(text)
    if not letters.isascii():
        raise MalformedCode(None)
    letters = letters.lower().translate(_MEANT)
    if not set(letters) <= set(_ALPHABET):
        raise MalformedCode(None)
    if len(letters) != _LENGTH:
        raise MalformedCode(len(letters))
    return CodeParts(letters[:SELECTOR_LENGTH], letters[SELECTOR_LENGTH:])


def is_exact(text: str) -> bool:
    """Whether `text` is a code exactly as `generate` writes it: nothing else is ever echoed into a file or page."""
    letters = text.replace("-", "")
    return set(letters) <= set(_ALPHABET) and len(letters) == _LENGTH and text == _grouped(letters)


def hash_secret(secret: str) -> str:
    """The salted argon2id hash of a code's secret part, as a PHC string: 5 ms, off the event loop."""
    return _HASHER.hash(secret)


def verify_secret(stored: str, secret: str) -> bool:
    """Whether `secret`, in canonical form, is the one behind `stored`. Raises InvalidHashError for what is no
    hash.
    """
    try:
        return _HASHER.verify(stored, secret)
    except VerifyMismatchError:
        return False


def decoy_hash() -> str:
    """A hash to verify against where no row was found, so that a wrong selector takes as long as a wrong
    secret.

    Its digest is all zeros: nobody has, or will find, a secret that gives it.
    """
    return _DECOY


def _grouped(letters: str) -> str:
    return "-".join(letters[start : start + _GROUP] for start in range(0, _LENGTH, _GROUP))
