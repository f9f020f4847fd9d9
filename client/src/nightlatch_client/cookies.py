"""Cookies of the product's own origin: how they are named, read and set."""

from nightlatch_client.settings import Settings

WAY_SECONDS = 15 * 60
FORM_SECONDS = 60 * 60
"""Longer than a way: setting up 2FA may take its time, and then leads back by a new way."""
ROOM = 3800
"""Characters of one cookie's value at most; browsers keep 4096 bytes of name, value and attributes."""


class Names:
    """The cookies of one app. On https their prefix keeps other hosts and paths from setting them."""

    def __init__(self, settings: Settings) -> None:
        prefix = "__Host-" if settings.secure else ""
        self.grants = f"{prefix}nightlatch-{settings.app}"
        self.way = f"{self.grants}-way"
        self.form = (f"{self.grants}-form-0", f"{self.grants}-form-1")


class Jar:
    """The cookies that an answer sets. The last word about a name counts."""

    def __init__(self, *, secure: bool) -> None:
        self._secure = secure
        self._set: dict[str, str] = {}

    def set(self, name: str, value: str, seconds: int | None = None) -> None:
        """Set a cookie; without seconds the browser forgets it when it is closed."""
        self._put(name, value, f"; Max-Age={seconds}" if seconds is not None else "")

    def drop(self, name: str) -> None:
        """Delete a cookie."""
        self._put(name, "", "; Max-Age=0")

    def headers(self) -> list[tuple[str, str]]:
        """The Set-Cookie headers."""
        return [("set-cookie", line) for line in self._set.values()]

    def _put(self, name: str, value: str, age: str) -> None:
        secure = "; Secure" if self._secure else ""
        self._set[name] = f"{name}={value}; Path=/{age}; HttpOnly; SameSite=Lax{secure}"


def read_cookies(header: str) -> dict[str, str]:
    """The cookies of a Cookie header (RFC 6265 section 4.2). Of a name that comes twice the first counts."""
    found: dict[str, str] = {}
    for part in header.split(";"):
        name, equals, value = part.strip().partition("=")
        if equals:
            found.setdefault(name, value.strip('"'))
    return found
