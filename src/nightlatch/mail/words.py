"""Values of other people's making, turned into words that are safe in a mail.

Names of people and workspaces reach strangers' mailboxes, so they are one line, short, without invisible or
reordering characters, and never become a link by themselves: mail programs turn `example.com` or `http://…`
into links wherever they see it. Everything here returns plain text; escaping for HTML happens once, in the
layout.
"""

import re
import unicodedata
from ipaddress import ip_address

from nightlatch.instants import Instant, to_datetime

_JOINERS = "\u200c\u200d"  # Persian and emoji need them
_MOST_MARKS = 4  # on one letter; more would draw over the lines around it
_DOTS = re.compile(r"(?<=[^\s.])[.\u2024](?=[^\s.])|(?<=\S)[\u3002\uff0e\uff61](?=[0-9A-Za-z])")
_COLON = re.compile(r":(?=\S)(?!(?<=\d:)\d)")
_PLAIN_ADDRESS = re.compile(r"(?!www\.)[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+", re.IGNORECASE)
_MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
_ROLES = {"owner": "an owner", "admin": "an admin", "member": "a member"}


def one_line(text: str, most: int) -> str:
    """`text` on one line of at most `most` characters, without control, reordering, private or unpaired
    characters."""
    kept: list[str] = []
    marks = 0
    for letter in unicodedata.normalize("NFC", text[: 8 * most]):
        category = unicodedata.category(letter)
        if category in ("Cc", "Zl", "Zp", "Zs"):
            letter = " "
        elif category in ("Cs", "Co") or (category == "Cf" and letter not in _JOINERS):
            continue
        marks = marks + 1 if category in ("Mn", "Me") else 0
        if marks <= _MOST_MARKS:
            kept.append(letter)
    line = " ".join("".join(kept).split())
    return line if len(line) <= most else line[: most - 1].rstrip() + "…"


def unlinked(text: str) -> str:
    """`text` changed as little as possible so that no mail program makes a link of any part of it.

    Dots inside words become middle dots; `://`, `//`, `mailto:` and UNC paths are pulled apart. Initials
    (`J.R.`) stay.
    """
    text = _DOTS.sub(lambda dot: "." if _between_initials(text, dot.start()) else "·", text)
    text = _COLON.sub(": ", text)
    return text.replace("//", "/ /").replace("//", "/ /").replace("\\\\", "\\ \\").replace("\\\\", "\\ \\")


def name(text: str, otherwise: str, most: int = 60) -> str:
    """A name somebody typed, fit for a sentence or a subject; `otherwise` where nothing of it is left.

    A right-to-left name is isolated, so that it cannot reorder the sentence around it.
    """
    cleaned = unlinked(one_line(text, most))
    if not cleaned.strip(_JOINERS):
        return otherwise
    if any(unicodedata.bidirectional(letter) in ("R", "AL", "AN") for letter in cleaned):
        return f"\u2068{cleaned}\u2069"
    return cleaned


def quoted(text: str) -> str:
    """A reason somebody typed, in quotation marks."""
    return f"“{name(text, 'no reason', most=300)}”"


def address(text: str) -> str:
    """An e-mail address of the reader's own, exact where it is an ordinary one."""
    line = one_line(text, 254)
    return line if _PLAIN_ADDRESS.fullmatch(line) else unlinked(line)


def source(text: str) -> str:
    """A network address, or "" where it is none."""
    try:
        return str(ip_address(text.strip()))
    except ValueError:
        return ""


def moment(instant: Instant) -> str:
    """`24 November 2026 at 09:14 UTC`."""
    return f"{day(instant)} at {to_datetime(instant):%H:%M} UTC"


def day(instant: Instant) -> str:
    """`24 November 2026`, the day in UTC."""
    date = to_datetime(instant)
    return f"{date.day} {_MONTHS[date.month - 1]} {date.year}"


def role(text: str) -> str:
    """`an owner`, `an admin`, `a member`."""
    return _ROLES.get(text, "a teammate")


def _between_initials(text: str, dot: int) -> bool:
    """Whether the dot stands between two single letters, as in `J.R. Ewing`: no domain ends in one letter."""
    before, after = text[:dot], text[dot + 1 :]
    return bool(re.search(r"(?:^|[\s.(])[^\W\d]$", before)) and bool(re.match(r"[^\W\d](?:$|[\s.,)])", after))
