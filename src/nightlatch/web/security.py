"""The headers of every answer, errors included."""

from nightlatch.config import Config

CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self'; "
    "manifest-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'"
)
# `same-origin`, not `no-referrer`: with the latter browsers say `Origin: null` of our own forms, which is foreign.
# Paths that carry a token say `no-referrer` themselves (links.py).
_ALWAYS = {
    "content-security-policy": CSP,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "permissions-policy": "publickey-credentials-get=(self), publickey-credentials-create=(self), "
    "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}
HSTS = "max-age=31536000"
_ADDED = frozenset(name.encode() for name in (*_ALWAYS, "strict-transport-security"))


def header_list(config: Config) -> list[tuple[bytes, bytes]]:
    """What is added to every answer, encoded once."""
    headers = dict(_ALWAYS)
    if config.secure:
        headers["strict-transport-security"] = HSTS
    return [(name.encode(), value.encode()) for name, value in headers.items()]


def complete(headers: list[tuple[bytes, bytes]], always: list[tuple[bytes, bytes]]) -> None:
    """Add ours to an answer's headers (their names are in small letters), and `no-store` where it says nothing about
    keeping it. What the answer says itself stands."""
    named = {name for name, _ in headers}
    headers += always if named.isdisjoint(_ADDED) else [pair for pair in always if pair[0] not in named]
    if b"cache-control" not in named:
        headers.append((b"cache-control", b"no-store"))
