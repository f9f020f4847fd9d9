"""What each setting may be: text in, value out. The messages say what to do and never hold the value of a
secret.
"""

import re
from dataclasses import dataclass, field
from email.utils import parseaddr
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from pathlib import Path
from typing import Literal, TypeAlias
from urllib.parse import SplitResult, unquote, urlsplit

from nightlatch.keyring import KeyRing, KeyRingError

Network: TypeAlias = IPv4Network | IPv6Network
SignUp: TypeAlias = Literal["closed", "open"]

_HOST_NAME = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)(\.(?!-)[a-z0-9-]{1,63}(?<!-))*")
_PATH = re.compile(r"(/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)+")
_ADDRESS = re.compile(r"[^@\s]+@[^@\s]+")
_UNPRINTABLE = re.compile(r"[\x00-\x20\x7f-\xa0]")
_DEFAULT_PORTS = {"http": 80, "https": 443, "smtp": 587, "smtps": 465}


class Invalid(Exception):
    """A setting cannot be used; the message says what to do."""


@dataclass(frozen=True, slots=True)
class MailTarget:
    """Where mail goes: `host` to `password` are for SMTP (`smtps` is TLS from the first byte), `folder` for a
    folder.
    """

    kind: Literal["smtp", "smtps", "folder", "console"]
    host: str = ""
    port: int = 0
    user: str = ""
    password: str = field(default="", repr=False)
    folder: Path | None = None

    def __str__(self) -> str:
        """The target without its secret."""
        if self.kind in ("smtp", "smtps"):
            return (
                f"{self.kind}://{f'{self.user}:***@' if self.user else ''}{bracketed(self.host)}:{self.port}"
            )
        return f"{self.kind}:{self.folder or ''}"


@dataclass(frozen=True, slots=True)
class NameServer:
    """A name server to ask, by address."""

    address: str
    port: int = 53

    def __str__(self) -> str:
        return bracketed(self.address) if self.port == 53 else f"{bracketed(self.address)}:{self.port}"


def is_address(host: str) -> bool:
    """Whether a host is a bare address."""
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def is_local(origin: str) -> bool:
    """Whether an origin is on this machine: localhost, a name below it, or a loopback address."""
    host = urlsplit(origin).hostname or ""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def origin(text: str) -> str:
    """Scheme, host and port as browsers write them: lower case, no default port, no slash at the end."""
    example = "Write it as https://2fa.example.com"
    parts, port = _split(text, f"This is no origin. {example}")
    if parts.scheme not in ("http", "https"):
        raise Invalid(f"An origin begins with https://. {example}")
    if parts.username is not None or parts.path not in ("", "/") or "?" in text or "#" in text:
        raise Invalid(
            f"An origin has only a scheme, a host and a port; a path goes to NIGHTLATCH_PATH. {example}"
        )
    normalised = f"{parts.scheme}://{bracketed(_host(parts, example))}"
    if port is not None and port != _DEFAULT_PORTS[parts.scheme]:
        normalised += f":{port}"
    if parts.scheme == "http" and not is_local(normalised):
        raise Invalid(
            "Only localhost may be plain http: everybody on the way could read the codes. Use https://"
        )
    return normalised


def path(text: str) -> str:
    """A prefix such as `/2fa`: no slash at the end, nothing that needs encoding."""
    if not _PATH.fullmatch(text):
        raise Invalid(
            "A prefix begins with / and has none at the end, such as /2fa; letters, digits and ._~- between."
        )
    return text


def name(text: str) -> str:
    """The product's name: up to 64 printable characters."""
    if len(text) > 64 or not text.isprintable():
        raise Invalid("A name is up to 64 printable characters on one line.")
    return text


def database_url(text: str) -> str:
    """`sqlite:///` with an absolute path, or `postgresql://` as libpq takes it."""
    scheme, _, rest = text.partition("://")
    if scheme == "sqlite":
        file = rest.removeprefix("/")
        if not rest.startswith("/") or not file or file.startswith(":memory:") or "?" in file or "\0" in file:
            raise Invalid("SQLite needs a file: sqlite:///relative/path or sqlite:////absolute/path")
        return f"sqlite:///{Path(file).expanduser().absolute()}"
    if scheme in ("postgres", "postgresql") and rest and not _UNPRINTABLE.search(rest):
        return f"postgresql://{rest}"
    raise Invalid(
        "Write it as sqlite:///path or postgresql://user:password@host/database (no +driver, no spaces)."
    )


def redacted_database_url(url: str) -> str:
    """The URL without user, password and whatever its query says. Errs on the side of hiding."""
    scheme, _, rest = url.partition("://")
    if scheme == "sqlite":
        return url
    # A password may hold unescaped slashes and question marks: what stands before the last @ is hidden whole.
    _, at, shown = rest.rpartition("@")
    return f"{scheme}://{'***@' if at else ''}{shown.partition('?')[0]}"


def keys(text: str) -> str:
    """A key ring's text, as `KeyRing.parse` takes it."""
    try:
        KeyRing.parse(text)
    except KeyRingError as error:
        raise Invalid(f"{error} Write it as id:base64, the current key first.") from None
    return text


def mail(text: str) -> MailTarget:
    """`smtp://user:password@host:port`, `smtps://...`, `folder:/path` (empty: the caller's default) or
    `console:`.
    """
    if text == "console:":
        return MailTarget("console")
    if text.startswith("folder:"):
        folder = text.removeprefix("folder:")
        return MailTarget("folder", folder=Path(folder).expanduser().absolute() if folder else None)
    example = "Write it as smtp://user:password@host:587 and percent-encode what is special in the password."
    parts, port = _split(text, example)
    if parts.scheme not in ("smtp", "smtps") or parts.path not in ("", "/") or "?" in text or "#" in text:
        raise Invalid(f"Mail goes to smtp://, smtps://, folder:/path or console:. {example}")
    return MailTarget(
        "smtp" if parts.scheme == "smtp" else "smtps",
        host=_host(parts, example),
        port=port or _DEFAULT_PORTS[parts.scheme],
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
    )


def mail_from(text: str) -> str:
    """The sender: `Acme <2fa@acme.example>` or the address alone."""
    if not text.isprintable() or not _ADDRESS.fullmatch(parseaddr(text)[1]):
        raise Invalid("Write the sender as 2fa@example.com or Acme <2fa@example.com>")
    return text


def sender(name: str, origin: str) -> str:
    """The sender where none is set: the product's name at the origin's host."""
    quoted = name.replace("\\", "\\\\").replace('"', '\\"')
    host = urlsplit(origin).hostname or ""
    named = not is_local(origin) and _HOST_NAME.fullmatch(host) and not host.replace(".", "").isdigit()
    return f'"{quoted}" <nightlatch@{host if named else "localhost"}>'


def networks(text: str) -> tuple[Network, ...]:
    """Addresses and networks, between commas or spaces."""
    return tuple(_network(item) for item in text.replace(",", " ").split())


def name_servers(text: str) -> tuple[NameServer, ...]:
    """Addresses of name servers, with a port where it is not 53, between commas or spaces."""
    return tuple(_name_server(item) for item in text.replace(",", " ").split())


def number(text: str, most: int) -> int:
    """A whole number from 1 to `most`."""
    value = int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0
    if not 1 <= value <= most:
        raise Invalid(f"Write a whole number from 1 to {most}.")
    return value


def sign_up(text: str) -> SignUp:
    """Who may have an account: only the invited (`closed`), or anybody with a proved address (`open`)."""
    if text == "open":
        return "open"
    if text == "closed":
        return "closed"
    raise Invalid("Write closed (only invited people have accounts) or open.")


def bracketed(host: str) -> str:
    """A host as URLs write it: an IPv6 address in brackets."""
    return f"[{host}]" if ":" in host else host


def _split(text: str, complaint: str) -> tuple[SplitResult, int | None]:
    if _UNPRINTABLE.search(text):
        raise Invalid(complaint)
    try:
        parts = urlsplit(text)
        return parts, parts.port
    except ValueError:
        raise Invalid(complaint) from None


def _host(parts: SplitResult, example: str) -> str:
    """The host in lower case; an IPv6 address without brackets, in its shortest form."""
    host = parts.hostname or ""
    if not host.isascii():
        # Browsers and Python's own codec do not agree on every letter (ß): this is not for us to translate.
        raise Invalid(f"Write the host in its ASCII form, which begins with xn--. {example}")
    try:
        if ":" in host or host.replace(".", "").isdigit():
            return str(ip_address(host))
    except ValueError:
        host = ""
    if len(host) > 253 or not _HOST_NAME.fullmatch(host):
        raise Invalid(f"The host is missing or no host's name. {example}")
    return host


def _name_server(item: str) -> NameServer:
    bare = item.count(":") > 1 and not item.startswith("[")
    try:
        parts = urlsplit(f"//[{item}]" if bare else f"//{item}")
        if parts.path or parts.username is not None:
            raise ValueError
        return NameServer(str(ip_address(parts.hostname or "")), parts.port or 53)
    except ValueError:
        raise Invalid("Write addresses of name servers, such as 10.0.0.2 or [fd00::2]:5353.") from None


def _network(item: str) -> Network:
    try:
        network = ip_network(item)
    except ValueError:
        raise Invalid(
            "Write addresses or networks, such as 10.0.0.5 or 10.0.0.0/8 (without bits beyond the network)."
        ) from None
    if network.prefixlen == 0:
        raise Invalid("A network of every address would believe everybody. Name your proxies.")
    return network
