"""Cursors: where a page of a list ended, as text that its reader gives back. It holds no secret, nobody trusts it."""

import base64
import json
from collections.abc import Sequence

from nightlatch.refusals import Refused, invalid

Value = str | int
_LONGEST = 4_000


def encode(order: str, position: Sequence[Value]) -> str:
    """The cursor of a position in an order: base64url of both."""
    text = json.dumps([order, *position], separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def decode(order: str, cursor: str, types: Sequence[type[Value]]) -> list[Value]:
    """The position of a cursor. Raises Refused (`invalid`) unless it is one of this order and these types."""
    try:
        if len(cursor) > _LONGEST:
            raise _unknown()
        padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
        position = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
    except (ValueError, RecursionError):
        raise _unknown() from None
    if not isinstance(position, list) or len(position) != len(types) + 1 or position.pop(0) != order:
        raise _unknown()
    if not all(_fits(value, wanted) for value, wanted in zip(position, types, strict=True)):
        raise _unknown()
    return position


def storable(text: str) -> bool:
    """Whether every database takes a text: no NUL, no lone surrogate."""
    return not any(letter == "\0" or "\ud800" <= letter <= "\udfff" for letter in text)


def _fits(value: object, wanted: type[Value]) -> bool:
    if type(value) is not wanted:
        return False
    return storable(value) if isinstance(value, str) else 0 <= value < 1 << 63


def _unknown() -> Refused:
    return invalid("cursor", "This place in the list is not known. Begin at the first page.")
