"""The two cookies: the session, and the browser itself."""

from nightlatch.config import Config
from nightlatch.instants import SECOND
from nightlatch.store.session_facts import ABSOLUTE_LIMIT

SESSION_SECONDS = ABSOLUTE_LIMIT // SECOND
BROWSER_SECONDS = 400 * 24 * 3600
"""As long as browsers keep a cookie at all."""


def session_name(config: Config) -> str:
    """`__Host-nightlatch`; with a path prefix `__Secure-`, and without a prefix of its own on plain-http localhost."""
    return _prefix(config) + "nightlatch"


def browser_name(config: Config) -> str:
    """The cookie by which a browser that has signed in before is known, and that forms are bound to."""
    return _prefix(config) + "nightlatch-browser"


def host_name(origin: str) -> str:
    """The cookie of a protected host: its own, and good there alone.

    Localhost shares cookies between its ports, and browsers may refuse `__Host-` without TLS: there the name tells
    them apart.
    """
    scheme, _, host = origin.partition("://")
    if scheme == "https":
        return "__Host-nightlatch-app"
    return "nightlatch-app-" + "".join(each if each.isalnum() else "-" for each in host)


def host_browser_name(origin: str) -> str:
    """The short cookie that a browser carries from a protected host to the sign-in and back."""
    return f"{host_name(origin)}-browser"


def set_host_cookie(origin: str, name: str, value: str, seconds: int) -> str:
    """A Set-Cookie value for a protected host: HttpOnly, SameSite=Lax, that host alone, Secure on https."""
    secure = "; Secure" if origin.startswith("https:") else ""
    return f"{name}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}"


def _prefix(config: Config) -> str:
    if not config.secure:
        return ""
    return "__Secure-" if config.path else "__Host-"


def set_cookie(config: Config, name: str, value: str, seconds: int) -> str:
    """A Set-Cookie value: HttpOnly, SameSite=Lax, this host alone, Secure wherever the origin is https."""
    secure = "; Secure" if config.secure else ""
    return f"{name}={value}; Path={config.path or '/'}; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}"


def cookie(text: str, name: str) -> str | None:
    """The value of a cookie in a Cookie header. One that comes twice with different values is none at all."""
    wanted, found = f"{name}=", None
    for part in text.split(";"):
        part = part.strip()
        if part.startswith(wanted):
            value = part[len(wanted) :]
            if found is not None and value != found:
                return None
            found = value
    return found or None
