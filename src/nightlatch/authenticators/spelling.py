"""The one reading of a code that a person typed or pasted (law 4: a code has one canonical form).

White space and hyphens say nothing and are dropped; decimal digits of other scripts are the digits they stand
for. What is left is for the caller to accept or refuse: this module never guesses.
"""

from unicodedata import category, decimal

LONGEST = 64
"""Nobody types more than this for a code, however many spaces come with it. Longer input is refused unread
(F49).
"""

# The characters with the Unicode property White_Space. `str.isspace` also takes the control characters 1C to
# 1F.
_WHITE_SPACE = frozenset(
    "\t\n\v\f\r \x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000" + "".join(map(chr, range(0x2000, 0x200B)))
)

# Hyphens and dashes outside the category Pd: soft hyphen, hyphen bullet, minus sign.
_OTHER_HYPHENS = frozenset("\u00ad\u2043\u2212")


class MalformedCode(Exception):
    """What was entered is no code at all: nothing was looked up, nothing is charged.

    `digits` is how many digits (for a recovery code: letters and digits) were entered, for the message; None
    where anything else was among them or the input was far too long. The input itself is never kept.
    """

    def __init__(self, digits: int | None) -> None:
        super().__init__("not a code")
        self.digits = digits


def compact(text: str) -> str:
    """`text` without white space and hyphens, its decimal digits (Unicode category Nd) as ASCII digits.

    Raises MalformedCode where it is longer than LONGEST characters.
    """
    if len(text) > LONGEST:
        raise MalformedCode(None)
    return "".join(_plain(character) for character in text)


def _plain(character: str) -> str:
    if character in _WHITE_SPACE or character in _OTHER_HYPHENS or category(character) == "Pd":
        return ""
    digit = decimal(character, None)
    return character if digit is None else str(digit)
