"""Reading the query of a list: how many, from where on, between which instants. Whatever is malformed is 422."""

import re
from typing import Any

from nightlatch import ids, instants
from nightlatch.instants import Instant
from nightlatch.refusals import invalid
from nightlatch.web.context import Context

DEFAULT_LIMIT = 50
MOST = 200
PAGING: dict[str, Any] = {
    "limit": {"type": "integer", "minimum": 1, "maximum": MOST, "default": DEFAULT_LIMIT},
    "cursor": {"type": "string", "description": "next_cursor of the page before"},
}
"""The query parameters of every list, as JSON Schema."""

_LIMIT = re.compile(r"[1-9][0-9]{0,2}", re.ASCII)


def limit(context: Context) -> int:
    """`?limit=`, 1 to 200. Raises Refused."""
    text = context.query("limit")
    if not text:
        return DEFAULT_LIMIT
    if _LIMIT.fullmatch(text) is None or int(text) > MOST:
        raise invalid("limit", f"This is a number from 1 to {MOST}.")
    return int(text)


def instant(context: Context, name: str) -> Instant | None:
    """An instant in the query. Raises Refused."""
    text = context.query(name)
    return parsed_instant(text, name) if text else None


def parsed_instant(text: str, field: str) -> Instant:
    """An RFC 3339 instant. Raises Refused."""
    try:
        return instants.from_text(text)
    except ValueError:
        raise invalid(field, "This is an instant such as 2026-11-24T09:14:00Z.") from None


def id_in_query(context: Context, name: str) -> int | None:
    """An id in the query. Raises Refused."""
    text = context.query(name)
    if not text:
        return None
    value = ids.from_text(text)
    if value is None:
        raise invalid(name, "This is no id.")
    return value


def one_of(context: Context, name: str, known: tuple[str, ...]) -> str:
    """One of the known words, or "". Raises Refused."""
    text = context.query(name)
    if text and text not in known:
        raise invalid(name, f"This is one of: {', '.join(known)}.")
    return text
