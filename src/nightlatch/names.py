"""Names that people type: of themselves, of workspaces, and the slug in a workspace's address. Pure.

A name reaches strangers' mailboxes and other people's tables, so it is one line of characters that can be
seen. What may not stand in it is refused with a sentence rather than dropped: nobody is called something they
did not type.
"""

import re
import unicodedata

from nightlatch.refusals import Refused, invalid

MAX_NAME = 100
MIN_SLUG = 2
MAX_SLUG = 40
MAX_KEY = 200

_JOINERS = frozenset("\u200c\u200d")  # Persian and emoji need them
_UNSEEN = ("Cc", "Cf", "Co", "Cs", "Zl", "Zp")
_SLUG = re.compile(r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?")
_COMBINING = re.compile("[\u0300-\u036f]+")

_RESERVED = """
account accounts admin administrator api app apps assets auth authz demo email healthz help invitations
lift login logout mail me new nightlatch none null password-reset public readyz recover register reset
root security sessions set-up settings sign-in sign-out sign-up signin signup ssl static status step-up
support system team teams tickets unblock undefined undo user users workspace workspaces www
"""
RESERVED_SLUGS = frozenset(_RESERVED.split())
"""Words that are paths of ours, or that would let a workspace pass for the house itself."""


def clean_name(text: str, field: str = "name") -> str:
    """The name in `text`: trimmed, in NFC, inner white space as single spaces, 1 to 100 characters.

    Raises Refused (`invalid`, at `field`) for anything else, control, reordering and invisible characters included.
    """
    text = text.strip()
    if len(text) > 4 * MAX_NAME:
        raise _too_long(field)
    if any(unicodedata.category(letter) in _UNSEEN and letter not in _JOINERS for letter in text):
        raise invalid(field, "This holds a character that cannot be seen. Type it again.")
    text = " ".join(unicodedata.normalize("NFC", text).split())
    if len(text) > MAX_NAME:
        raise _too_long(field)
    if not any(unicodedata.category(letter)[0] in "LNPS" for letter in text):
        raise invalid(field, "Enter a name.")
    return text


def clean_slug(text: str, field: str = "slug") -> str:
    """The slug in `text`: 2 to 40 of a-z, 0-9 and hyphens, beginning and ending with a letter or digit, not reserved.

    Raises Refused (`invalid`, at `field`).
    """
    text = text.strip()
    if not MIN_SLUG <= len(text) <= MAX_SLUG:
        raise invalid(field, f"An address has {MIN_SLUG} to {MAX_SLUG} characters.")
    if _SLUG.fullmatch(text) is None:
        raise invalid(field, "Use small letters, digits and hyphens, with a letter or digit first and last.")
    if text in RESERVED_SLUGS:
        raise invalid(field, "This word is reserved. Choose another one.")
    return text


def search_key(text: str) -> str:
    """What names and addresses are searched and sorted by: case, compatibility forms and accents folded.

    Made here and compared by code point, so that every database agrees. "Élodie" is found by "elodie" and stands
    among the E. At most 200 characters: an index takes no longer ones (compatibility forms can grow eighteenfold).
    """
    if text.isascii():
        return text.lower()[:MAX_KEY]
    folded = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    return unicodedata.normalize("NFC", _COMBINING.sub("", folded))[:MAX_KEY]


def _too_long(field: str) -> Refused:
    return invalid(field, f"This is too long. At most {MAX_NAME} characters.")
