"""Row ids: random 63-bit integers inside, 13 letters and digits outside.

An id is no secret and proves nothing; it is random so that it tells nothing (how many, how old), and an integer so that
both databases cluster by it. Outside it is Crockford base32 in lower case, without i, l, o, u.
"""

import secrets

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_AS_PYTHON = str.maketrans(_ALPHABET, "0123456789abcdefghijklmnopqrstuv")
"""What `int(text, 32)` calls the same digits."""
_LENGTH = 13
_PAIRS = [first + second for first in _ALPHABET for second in _ALPHABET]


def new_id() -> int:
    """A fresh id. 63 bits from the system's generator: never zero, never negative."""
    return secrets.randbits(63) or 1


def to_text(value: int) -> str:
    """The text of an id, always 13 characters."""
    return (
        f"{_ALPHABET[value >> 60]}{_PAIRS[value >> 50 & 1023]}{_PAIRS[value >> 40 & 1023]}"
        f"{_PAIRS[value >> 30 & 1023]}{_PAIRS[value >> 20 & 1023]}{_PAIRS[value >> 10 & 1023]}{_PAIRS[value & 1023]}"
    )


def from_text(text: str) -> int | None:
    """The id that a text names, or None where it is not the one canonical spelling of an id."""
    if len(text) != _LENGTH or text.strip(_ALPHABET):  # what is left has other letters
        return None
    value = int(text.translate(_AS_PYTHON), 32)
    return value if 0 < value < 1 << 63 else None
