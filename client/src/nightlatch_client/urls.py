"""Addresses of the product itself."""

from urllib.parse import quote, urlsplit


def with_query(path: str, **values: str) -> str:
    """The path with more values in its query."""
    pairs = "&".join(f"{name}={quote(value, safe='/')}" for name, value in values.items())
    if not pairs:
        return path
    return f"{path}{'&' if urlsplit(path).query else '?'}{pairs}"
