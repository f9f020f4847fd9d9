"""What a product may say of itself when it is registered: handle, origins, return address, roles, colour, logo. Pure.

Whatever cannot be accepted raises Refused (`invalid`, at the field's name) with a sentence that says what to do.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address
from urllib.parse import SplitResult, urlsplit

from nightlatch import colours
from nightlatch.names import search_key
from nightlatch.refusals import invalid
from nightlatch.vocabulary import Role

MOST_ORIGINS = 20
LONGEST_RETURN_URL = 500
MOST_ROLE_WORDS = 50
CALLBACK = "/nightlatch/callback"
"""Where the client library of a product that keeps its own users takes its people back."""
PROXY_CALLBACK = "/.nightlatch/callback"
"""The same for a product behind a proxy check."""

_HANDLE = re.compile(r"[a-z][a-z0-9-]{1,30}")
_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
_PATH = re.compile(r"/[A-Za-z0-9._~!$&'()*+,;=:@%/-]*")
_DOTS = re.compile(
    r"/(\.|%2e){1,2}(/|$)"
)  # browsers take these segments away: the address would be another one
_UNSEEN = re.compile(r"[\x00-\x20\x7f-\xa0\u2000-\u200f\u2028-\u202f\u2060-\u206f\u3000\ufeff\ud800-\udfff]")
# IDNA 2003 (which Python speaks) maps these to other letters, browsers keep them: two hosts for one text.
_DEVIATIONS = frozenset("ßẞς")
_DEFAULT_PORTS = {"http": 80, "https": 443}
_EXAMPLE = "Write it as https://app.example.com"


@dataclass(frozen=True, slots=True)
class Home:
    """Where Nightlatch itself is reached, and whether anybody may sign up there."""

    origin: str
    path: str
    sign_up_open: bool = False

    def has(self, url: str) -> bool:
        """Whether an address is one of Nightlatch's own pages."""
        return f"{url}/".startswith(f"{self.origin}{self.path}/")


# --- handle, colour ---


def clean_handle(text: str) -> str:
    """A handle: 2 to 31 of a-z, 0-9 and hyphens, a letter first."""
    text = text.strip()
    if _HANDLE.fullmatch(text) is None:
        raise invalid(
            "handle", "A handle has 2 to 31 small letters, digits and hyphens, and begins with a letter."
        )
    return text


def handle_from(name: str) -> str:
    """A handle of a name: "Acme Notes" is `acme-notes`; one without any Latin letter is `app`."""
    words = re.sub(r"[^a-z0-9]+", "-", search_key(name)).strip("-")[:22].strip("-")
    if _HANDLE.fullmatch(words):
        return words
    return f"app-{words}" if words else "app"


def clean_colour(text: str) -> str | None:
    """A colour as `#rrggbb`; None for no text."""
    text = text.strip().lower()
    if text and colours.FORM.fullmatch(text) is None:
        raise invalid("colour", "Write the colour as #rrggbb, such as #2f6f4f.")
    return text or None


def colour_note(colour: str | None) -> str | None:
    """What to say of a colour in which text is hard to read on white."""
    if colour is None:
        return None
    found = colours.contrast(colours.rgb(colour), colours.WHITE)
    if found >= colours.READABLE:
        return None
    return (
        f"Text in {colour} is hard to read on white ({found:.1f} to 1; it takes {colours.READABLE} to 1): "
        "pages show a darker shade of it."
    )


# --- origins and the return address ---


def clean_origins(texts: Iterable[str], home: Home) -> tuple[str, ...]:
    """Origins as browsers write them, each once, in their order. Nightlatch's own is taken, unless it has a prefix."""
    found = tuple(dict.fromkeys(clean_origin(each) for each in texts if each.strip()))
    if not found:
        raise invalid("origins", f"Say where the product is reached. {_EXAMPLE}")
    if len(found) > MOST_ORIGINS:
        raise invalid("origins", f"A product has at most {MOST_ORIGINS} origins.")
    if home.origin in found and not home.path:
        raise invalid(
            "origins",
            "This is where Nightlatch itself is reached. A product shares its host only where Nightlatch "
            "has a prefix (NIGHTLATCH_PATH).",
        )
    return found


def clean_origin(text: str) -> str:
    """Scheme, host and port as browsers write them (RFC 6454 section 6.2): small letters, no default port, no slash."""
    text = text.strip()
    parts, port = _split(text)
    if parts.scheme not in ("http", "https"):
        raise invalid("origins", f"An origin begins with https://. {_EXAMPLE}")
    if "@" in parts.netloc or parts.path not in ("", "/") or "?" in text or "#" in text:
        raise invalid("origins", f"An origin has only a scheme, a host and a port. {_EXAMPLE}")
    if "*" in parts.netloc:
        raise invalid("origins", f"Name each origin; there are no wildcards. {_EXAMPLE}")
    host = _host(parts.hostname or "")
    if parts.scheme == "http" and not _is_local(host):
        raise invalid("origins", f"Only localhost may be plain http. {_EXAMPLE}")
    written = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{written}" + (
        f":{port}" if port not in (None, _DEFAULT_PORTS[parts.scheme]) else ""
    )


def _split(text: str) -> tuple[SplitResult, int | None]:
    try:
        if len(text) > 400 or _UNSEEN.search(text) or "\\" in text or "%" in text:
            raise ValueError
        parts = urlsplit(text)
        if parts.netloc.endswith(":"):
            raise ValueError
        port = parts.port
        if port == 0:
            raise ValueError
        return parts, port
    except ValueError:
        raise invalid("origins", f"This is no origin. {_EXAMPLE}") from None


def _host(host: str) -> str:
    """The host in ASCII, or the shortest form of an address."""
    try:
        if ":" in host:
            return str(IPv6Address(host))
        if _NUMBER.fullmatch(host.rpartition(".")[2]):
            return str(
                ip_address(host)
            )  # browsers read 127.1 and 0x7f.1 as addresses: only the plain form is taken
    except ValueError:
        raise invalid("origins", f"This is no address of a host. {_EXAMPLE}") from None
    try:
        found = "" if _DEVIATIONS & set(host) else host.encode("idna").decode("ascii").lower()
    except UnicodeError:
        found = ""
    if len(found) <= 253 and all(_LABEL.fullmatch(label) for label in found.split(".")):
        return found
    if host.isascii():
        raise invalid("origins", f"The host is missing or no host's name. {_EXAMPLE}")
    raise invalid("origins", "Write this host in its ASCII form, which begins with xn--.")


def _is_local(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def clean_return_url(text: str, origins: Sequence[str], home: Home) -> str:
    """Where people come back to: at one of the origins; by default the first one's `/nightlatch/callback`."""
    text = text.strip()
    if not text:
        return origins[0] + CALLBACK
    origin = origin_of(text)
    path = text[len(origin) :] if origin is not None else ""
    if origin not in origins:
        raise invalid(
            "return_url", "This is an address at one of the product's origins, written as they are."
        )
    if len(text) > LONGEST_RETURN_URL or _PATH.fullmatch(path) is None or _DOTS.search(path.lower()):
        raise invalid("return_url", f"This is an address such as {origins[0]}{CALLBACK}, without ? and #.")
    if home.path and home.has(text):
        raise invalid("return_url", "This is one of Nightlatch's own addresses.")
    return text


def origin_of(url: str) -> str | None:
    """The origin that an address begins with, as it is written there."""
    match = re.match(r"https?://[^/?#\\]+", url)
    return match[0] if match is not None else None


# --- roles ---


def clean_roles(words: Iterable[str] | None) -> tuple[Role, ...] | None:
    """The roles that a product behind a proxy is open to; None: every one."""
    if words is None:
        return None
    found = {_role("roles", each) for each in words}
    if not found:
        raise invalid("roles", "Name owner, admin or member, or leave this out for all of them.")
    return tuple(each for each in Role if each in found)


def clean_role_map(words: Mapping[str, str]) -> dict[str, Role]:
    """A product's own words for our roles: `{"superuser": "owner"}`. Our own words stand for themselves."""
    if len(words) > MOST_ROLE_WORDS:
        raise invalid("role_map", f"At most {MOST_ROLE_WORDS} words.")
    found: dict[str, Role] = {}
    for word, role in words.items():
        if not 1 <= len(word) <= 100 or not word.isprintable() or word != word.strip():
            raise invalid("role_map", "A role's word has 1 to 100 characters that can be seen.")
        found[word] = _role("role_map", role)
        if word in set(Role) and found[word] != word:
            raise invalid("role_map", f"{word} is a word of Nightlatch's own and stands for itself.")
    return found


def _role(field: str, text: str) -> Role:
    try:
        return Role(text.strip())
    except ValueError:
        raise invalid(field, "A role is owner, admin or member.") from None
