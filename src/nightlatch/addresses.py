"""E-mail addresses: one canonical key for each mailbox, however it was typed.

The key decides uniqueness and carries budgets, so every spelling of one mailbox must give the same key:
case, white space, Unicode compatibility forms and internationalised domains all fold together. It is made
here, never by a database, whose `lower` and collations differ. Plus-tags and dots stay: they may be
different mailboxes.

Mail always goes to the address that is stored, never to the one somebody typed: two different mailboxes may
share a key (`groß@` and `gross@`), and only the first of them may have an account.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

MAX_LENGTH = 254
"""Octets of a whole address (RFC 5321 section 4.5.3.1.3, less the angle brackets)."""

_MAX_LOCAL = 64
_MAX_DOMAIN = 253
_ATEXT = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!#$%&'*+-/=?^_`{|}~")
# IDNA 2003 (which Python speaks) maps these to other letters, IDNA 2008 keeps them: the same text would
# name two domains.
_DEVIATIONS = frozenset("ßẞς\u200c\u200d")
# One item of a pasted list and what ends it. Every character has a place to go, so this never goes back.
_ITEM = re.compile(r'((?:"[^"]*"|[^,;])*)([,;]|$)')
_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")


class BadAddress(ValueError):
    """The text is no address that mail can go to. `reason` is a sentence for the page; it repeats nothing
    that was typed."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Address:
    """One mailbox: `display` as its owner writes it (in NFKC, trimmed), `key` as everything of ours
    compares it."""

    display: str
    key: str

    @property
    def wire(self) -> str:
        """What a mail server is told: the local part as written, the domain in ASCII."""
        return self.display.rpartition("@")[0] + "@" + self.key.rpartition("@")[2]


@dataclass(frozen=True, slots=True)
class Unread:
    """A piece of a pasted list that is no address: the start of it, fit to be shown, and why."""

    text: str
    reason: str


@dataclass(frozen=True, slots=True)
class Pasted:
    """What a pasted list holds: distinct addresses in their order, what could not be read, how many were
    there twice."""

    addresses: tuple[Address, ...]
    unread: tuple[Unread, ...]
    duplicates: int


def parse(text: str) -> Address:
    """The one address in `text`.

    Raises BadAddress for lists, "Name <address>", quoted local parts, address literals, control characters,
    NUL, lone surrogates and whatever is longer than 254 octets.
    """
    local, _, domain = _normal(text).rpartition("@")
    domain = domain.replace("。", ".").removesuffix(".")
    if not local or not domain:
        raise BadAddress("An e-mail address looks like name@example.com.")
    _check_local(local)
    ascii_domain = _ascii_domain(domain)
    address = Address(f"{local}@{domain}", f"{_fold(local)}@{ascii_domain}")
    for spelling in (address.display, address.key, address.wire):
        if len(spelling.encode()) > MAX_LENGTH:
            raise BadAddress(f"An e-mail address has at most {MAX_LENGTH} characters.")
    return address


def parse_many(text: str, limit: int = 500) -> Pasted:
    """The addresses in a pasted list: separated by commas, semicolons, new lines or tabs, each plain or
    "Name <address>".

    Duplicates (by key) collapse into the first. Raises BadAddress where more than `limit` distinct
    addresses are there.
    """
    found: dict[str, Address] = {}
    unread: list[Unread] = []
    duplicates = 0
    for piece in _pieces(text):
        try:
            address = parse(_inside_angles(piece))
        except BadAddress as bad:
            unread.append(Unread(_presentable(piece), bad.reason))
            continue
        if address.key in found:
            duplicates += 1
        elif len(found) == limit:
            raise BadAddress(f"At most {limit} addresses at a time. Send these first, then the rest.")
        else:
            found[address.key] = address
    return Pasted(tuple(found.values()), tuple(unread), duplicates)


def masked(text: str) -> str:
    """An address that its owner recognises and nobody else learns: `a…a@example.com`. Anything else becomes
    `…`."""
    try:
        local, _, domain = parse(text).display.rpartition("@")
    except BadAddress:
        return "…"
    return f"{local[0]}…{local[-1] if len(local) > 2 else ''}@{domain}"


def _normal(text: str) -> str:
    text = text.strip()
    if len(text) > MAX_LENGTH:
        raise BadAddress(f"An e-mail address has at most {MAX_LENGTH} characters.")
    # Before and after NFKC: a compatibility form may hide white space or a bracket.
    _refuse_controls(text)
    text = unicodedata.normalize("NFKC", text).strip()
    _refuse_controls(text)
    if any(letter in text for letter in "<>"):
        raise BadAddress("Enter the address alone, without a name or angle brackets.")
    if any(letter in text for letter in ",;") or text.count("@") > 1:
        raise BadAddress("Enter one address only.")
    if any(letter.isspace() for letter in text):
        raise BadAddress("An e-mail address holds no spaces.")
    return text


def _refuse_controls(text: str) -> None:
    if any(unicodedata.category(letter) in ("Cc", "Cs", "Cf", "Zl", "Zp") for letter in text):
        raise BadAddress("The address holds a character that cannot be seen. Type it again.")


def _check_local(local: str) -> None:
    if len(local.encode()) > _MAX_LOCAL:
        raise BadAddress(f"The part before the @ has at most {_MAX_LOCAL} characters.")
    if local.startswith(".") or local.endswith(".") or ".." in local:
        raise BadAddress("The part before the @ has a dot too many.")
    for letter in local:
        allowed = letter in _ATEXT if letter.isascii() else unicodedata.category(letter)[0] in "LMN"
        if not allowed and letter != ".":
            raise BadAddress("The part before the @ holds a character that addresses do not have.")


def _ascii_domain(domain: str) -> str:
    try:
        encoded = "" if _DEVIATIONS & set(domain) else domain.encode("idna").decode("ascii").lower()
    except UnicodeError:
        encoded = ""
    labels = encoded.split(".")
    if (
        all(_LABEL.fullmatch(label) for label in labels)
        and not labels[-1].isdigit()
        and len(encoded) <= _MAX_DOMAIN
    ):
        return encoded
    if domain.isascii():
        raise BadAddress("The part after the @ is not a domain such as example.com.")
    raise BadAddress("This domain cannot be read here. Write it in its ASCII form, which begins with xn--.")


def _fold(local: str) -> str:
    # Folding can undo NFKC and the other way round; a second round settles it (Unicode 3.13, D146).
    for _ in range(2):
        local = unicodedata.normalize("NFKC", local.casefold())
    return local


def _pieces(text: str) -> Iterator[str]:
    """The items of a pasted list, trimmed. `Ruiz, Dana <dana@example.com>` is one item, as mail programs
    write it."""
    for line in text.splitlines():
        surname = ""
        for match in _ITEM.finditer(line):
            item = match[1].strip()
            if surname and "<" not in item:
                yield surname
            surname = ""
            if match[2] == "," and item and "@" not in item:
                surname = item
            elif item:
                yield from _columns(item)
        if surname:
            yield surname


def _columns(item: str) -> list[str]:
    """Addresses separated by white space only, as a spreadsheet's row pastes."""
    words = item.split()
    return words if "<" not in item and all("@" in word for word in words) else [item]


def _inside_angles(item: str) -> str:
    return item.rpartition("<")[2][:-1] if "<" in item and item.endswith(">") else item


def _presentable(item: str) -> str:
    shown = "".join(letter for letter in item if letter.isprintable())
    return shown if len(shown) <= 80 else shown[:79] + "…"
