"""The settings of one app, checked when they are given."""

import re
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from nightlatch_client.errors import Misconfigured

LOOPBACK = ("localhost", "127.0.0.1", "::1")
_HANDLE = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_PREFIX = re.compile(r"(?:/[A-Za-z0-9._~-]+)+")


@dataclass(frozen=True, slots=True)
class Settings:
    """What `Nightlatch(...)` was given."""

    url: str
    app: str
    origin: str
    prefix: str
    name: str
    sign_in: str
    down_message: str
    secret: str | None = field(repr=False)
    secret_file: Path | None

    @property
    def secure(self) -> bool:
        """Whether the product is served over https."""
        return self.origin.startswith("https:")

    @property
    def server_origin(self) -> str:
        """Scheme and host of Nightlatch."""
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc}"

    def secrets(self) -> tuple[str, ...]:
        """The app's secret, then older ones that only open what they sealed.

        Read from the file at each call: a file may hold the older ones in its further lines while a secret is rotated.
        """
        if self.secret is not None:
            return (self.secret,)
        if self.secret_file is None:
            raise Misconfigured("Give Nightlatch the app's secret: secret_file=... (or secret=...).")
        try:
            lines = self.secret_file.read_text(encoding="utf-8").split()
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is no text"
            raise Misconfigured(f"The secret's file {self.secret_file} cannot be read: {reason}.") from None
        if not lines:
            raise Misconfigured(f"The secret's file {self.secret_file} is empty.")
        return tuple(lines)


def settings(
    url: str,
    app: str,
    origin: str,
    *,
    prefix: str,
    name: str | None,
    sign_in: str | None,
    down_message: str | None,
    secret: str | None,
    secret_file: str | Path | None,
) -> Settings:
    """Settings, or Misconfigured with the name of what is wrong."""
    if not _HANDLE.fullmatch(app):
        raise Misconfigured(f"app={app!r} is not the handle of an app: nightlatch app list shows them.")
    if secret is not None and secret_file is not None:
        raise Misconfigured("Give secret or secret_file, not both.")
    if secret is not None and (not secret or secret.split() != [secret]):
        raise Misconfigured("The secret is empty or has white space in it.")
    if not _PREFIX.fullmatch(prefix):
        raise Misconfigured(f"prefix={prefix!r} is no path such as /nightlatch.")
    if sign_in is not None and safe_path(sign_in) is None:
        raise Misconfigured(f"sign_in={sign_in!r} is no path of the product such as /login.")
    shown = name or app.replace("-", " ").title()
    return Settings(
        url=address("url", url, path=True),
        app=app,
        origin=address("origin", origin, path=False),
        prefix=prefix,
        name=shown,
        sign_in=sign_in or "/",
        down_message=down_message
        or f"{shown} cannot check your second step at this moment, so it stays closed. Please try again in a minute.",
        secret=secret,
        secret_file=Path(secret_file) if secret_file is not None else None,
    )


def safe_path(path: str) -> str | None:
    """A path of this same origin, as it came; None for whatever a browser could take for another place."""
    if not path.startswith("/") or path.startswith("//") or "\\" in path:
        return None
    if any(not "!" <= char <= "~" for char in path):
        return None
    return path


def address(name: str, given: str, *, path: bool) -> str:
    """An http(s) address without its last slash. Plain http is for this machine alone: the secret travels in it."""
    try:
        parts = urlsplit(given)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise Misconfigured(f"{name}={given!r} is no address.") from None
    if (
        parts.scheme not in ("https", "http")
        or not host
        or "@" in parts.netloc
        or parts.query
        or parts.fragment
    ):
        raise Misconfigured(f"{name}={given!r} is no address such as https://app.example.com.")
    if parts.scheme == "http" and host not in LOOPBACK and not host.endswith(".localhost"):
        raise Misconfigured(f"{name}={given!r}: plain http is for localhost only.")
    if safe_path(f"/{given}") is None:
        raise Misconfigured(f"{name}={given!r} has characters that no address has.")
    below = parts.path.rstrip("/")
    if below and not path:
        raise Misconfigured(f"{name}={given!r} is scheme and host only, without a path.")
    shown = f"[{host}]" if ":" in host else host
    usual = 443 if parts.scheme == "https" else 80
    return f"{parts.scheme}://{shown}{f':{port}' if port not in (None, usual) else ''}{below}"
