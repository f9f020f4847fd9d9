"""Passwords: one reading, what is refused and why, and the hash that is kept.

Counted in code points after NFC, 15 to 1,024 of them; no rules about kinds of characters, no hints, no
periodic change (NIST 800-63B-4 section 3.1.1.2). What is kept is argon2id over a keyed step: the database
alone lets nobody guess.

`problem`, `hash_password` and `verify_password` cost milliseconds of CPU: never on the event loop, never in a
transaction.
"""

import hmac
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from itertools import pairwise
from unicodedata import normalize

from argon2 import PasswordHasher, Type
from argon2.exceptions import VerifyMismatchError
from zxcvbn_rs_py import zxcvbn

SHORTEST = 15
LONGEST = 1024

# Composed characters come apart into four at most, so nothing longer can come out at LONGEST; and normalising
# is quadratic.
_LONGEST_RAW = 4 * LONGEST

_HASHER = PasswordHasher(
    time_cost=2, memory_cost=19 * 1024, parallelism=1, hash_len=32, salt_len=16, type=Type.ID
)

DECOY_HASH = "$argon2id$v=19$m=19456,t=2,p=1$" + "A" * 22 + "$" + "A" * 43
"""What to verify against where an e-mail address is unknown, so that it takes as long as a known one (F41).

It names no key of the pepper, and its digest is all zeros: nobody has, or will find, a password that gives
it.
"""

_GUESSES_WANTED = 9.0
"""Decimal logarithm of the guesses that zxcvbn must expect. Three pieces from the top of its lists stay below
it.
"""

_ESTIMATED = 100
"""Characters of a long password that zxcvbn is shown at once: its time grows faster than the length (F49)."""

_OWN_NEEDED = 8
"""Letters and digits that a password must have beside the words which anybody knows about the person."""


class Kind(Enum):
    """Why a password is refused."""

    TOO_SHORT = "too_short"
    TOO_LONG = "too_long"
    UNREADABLE = "unreadable"
    REPEATED = "repeated"
    SEQUENCE = "sequence"
    PERSONAL = "personal"
    GUESSABLE = "guessable"


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a password is refused, and the sentences that say so to the person. The password is not in them."""

    kind: Kind
    message: str


class MalformedPassword(Exception):
    """A text that cannot be anybody's password: nothing was hashed or charged. `problem` says why."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.kind.value)
        self.problem = problem


class PepperMissing(Exception):
    """A hash was made with a key that is not in the ring: nobody can judge it (law 11: 503, never a pass)."""


@dataclass(frozen=True, slots=True)
class Pepper:
    """The keys of the keyed step, by the ids of the ring's keys; `current` is the one for new hashes."""

    current: str
    keys: Mapping[str, bytes] = field(repr=False)


_TOO_LONG = Problem(Kind.TOO_LONG, "A password has at most 1,024 characters.")
_UNREADABLE = Problem(
    Kind.UNREADABLE, "This password has characters that cannot be kept. Choose one without them."
)


def normalise(text: str) -> str:
    """The one reading of a typed password: NFC. Idempotent.

    Raises MalformedPassword for NUL, lone surrogates, and more than LONGEST code points.
    """
    if len(text) > _LONGEST_RAW:
        raise MalformedPassword(_TOO_LONG)
    password = normalize("NFC", text)
    if len(password) > LONGEST:
        raise MalformedPassword(_TOO_LONG)
    if "\0" in password or any("\ud800" <= character <= "\udfff" for character in password):
        raise MalformedPassword(_UNREADABLE)
    return password


def problem(password: str, words: Sequence[str] = ()) -> Problem | None:
    """Why `password` may not be chosen, or None.

    `words` is what anybody may know: the person's e-mail address and name, the workspace's and the product's
    names.
    """
    try:
        password = normalise(password)
    except MalformedPassword as malformed:
        return malformed.problem
    if len(password) < SHORTEST:
        return Problem(
            Kind.TOO_SHORT,
            f"A password has at least {SHORTEST} characters; this one has {len(password)}. "
            "A few words that do not belong together are easy to remember.",
        )
    return _monotonous(password) or _personal(password, words) or _guessable(password, words)


def hash_password(password: str, pepper: Pepper) -> str:
    """The hash to keep: the pepper's key id, then the argon2id PHC string, as in `k1$argon2id$v=19$...`.

    Raises MalformedPassword as `normalise` does. About 26 ms.
    """
    return pepper.current + _HASHER.hash(_keyed(password, pepper.keys[pepper.current]))


def verify_password(stored: str, password: str, pepper: Pepper) -> bool:
    """Whether `password` is the one behind `stored`; always False for DECOY_HASH, in the same time.

    Raises MalformedPassword as `normalise` does, PepperMissing, and argon2's InvalidHashError for what is no
    hash.
    """
    key_id, encoded = _divided(stored)
    key = pepper.keys.get(key_id or pepper.current)
    if key is None:
        raise PepperMissing(key_id)
    try:
        return _HASHER.verify(encoded, _keyed(password, key))
    except VerifyMismatchError:
        return False


def needs_rehash(stored: str, pepper: Pepper) -> bool:
    """Whether a hash should be made anew at the next successful sign-in: other parameters, or not the current
    key.
    """
    key_id, encoded = _divided(stored)
    return key_id != pepper.current or _HASHER.check_needs_rehash(encoded)


def _keyed(password: str, key: bytes) -> bytes:
    return hmac.digest(key, normalise(password).encode(), "sha256")


def _divided(stored: str) -> tuple[str, str]:
    key_id, dollar, rest = stored.partition("$")
    return key_id, dollar + rest


def _monotonous(password: str) -> Problem | None:
    if len(set(password)) <= 3:
        return Problem(Kind.REPEATED, "This password repeats a few characters, and those are guessed first.")
    steps = {ord(after) - ord(before) for before, after in pairwise(password)}
    if len(steps) == 1:
        return Problem(Kind.SEQUENCE, "This password is a sequence, and those are guessed first.")
    return None


def _personal(password: str, words: Sequence[str]) -> Problem | None:
    own = password.casefold()
    known = set(_parts(words))
    for part in sorted(known, key=len, reverse=True):
        own = own.replace(part, " ")
    if own == password.casefold() or sum(character.isalnum() for character in own) >= _OWN_NEEDED:
        return None
    return Problem(
        Kind.PERSONAL,
        "This password is mostly your name, your address or the name of your workspace. "
        "Those are tried first.",
    )


def _guessable(password: str, words: Sequence[str]) -> Problem | None:
    inputs = [*(word[:_ESTIMATED] for word in words), *_parts(words)]
    # The whole is at least as hard to guess as a part of it: beginning and end are enough of a long one.
    shown = {password[:_ESTIMATED], password[-_ESTIMATED:]}
    estimate = max((zxcvbn(part, inputs) for part in shown), key=lambda part: part.guesses_log10)
    if estimate.guesses_log10 >= _GUESSES_WANTED:
        return None
    warning = estimate.feedback.warning if estimate.feedback else None
    reason = str(warning) if warning else "It is made of common words and patterns."
    return Problem(Kind.GUESSABLE, f"This password is easy to guess. {reason}")


def _parts(words: Sequence[str]) -> Iterator[str]:
    """The single words of `words`, from three letters, without case."""
    for word in words:
        parts = "".join(
            character if character.isalnum() else " " for character in word[:_ESTIMATED].casefold()
        )
        yield from (part for part in parts.split() if len(part) >= 3)
