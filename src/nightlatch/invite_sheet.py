"""People to invite from a CSV file: who, as what, and what is wrong with which line. Pure.

The first line names the columns: `email`, and `role` if people are to have different ones. Commas, semicolons or tabs
separate them, whatever the header has; a byte order mark is passed over; other columns are ignored.
"""

import csv
import io
from dataclasses import dataclass

from nightlatch import addresses
from nightlatch.addresses import Address
from nightlatch.refusals import invalid
from nightlatch.vocabulary import Role

MOST_ROWS = 500
_EMAIL = ("email", "e-mail", "mail", "email address", "e-mail address")
_SHOWN = 80


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the file. `address` or `role` is None where `why` says what is wrong with it."""

    number: int
    """As an editor counts them; the header is 1."""
    text: str
    """What stood where the address should be, cut short."""
    address: Address | None
    role: Role | None
    why: str | None = None


def read_sheet(text: str, field: str = "sheet") -> list[Line]:
    """The lines of a file, empty ones left out. Raises Refused (`invalid`, at `field`) for what is no such file."""
    text = text.removeprefix("\ufeff")
    if "\ufffd" in text or "\0" in text:
        raise invalid(field, "This is not text in UTF-8. In a spreadsheet, save it as “CSV UTF-8”.")
    head, _, _ = text.partition("\n")
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=_separator(head))
    try:
        names = [name.strip().casefold() for name in next(rows, [])]
        email = next((number for number, name in enumerate(names) if name in _EMAIL), None)
        if email is None:
            raise invalid(field, "The first line has to name the columns: email, and role if you like.")
        role = names.index("role") if "role" in names else None
        lines: list[Line] = []
        seen: set[str] = set()
        for row in rows:
            if not any(cell.strip() for cell in row):
                continue
            if len(lines) == MOST_ROWS:
                raise invalid(field, f"At most {MOST_ROWS} lines at a time. Split the file.")
            lines.append(_line(rows.line_num, _cell(row, email), _cell(row, role), seen))
    except csv.Error:
        raise invalid(field, f"This cannot be read as CSV after line {rows.line_num}.") from None
    if not lines:
        raise invalid(field, "There is nobody in it: after the first line there is one line for each person.")
    return lines


def _separator(head: str) -> str:
    return max((",", ";", "\t"), key=head.count)


def _cell(row: list[str], number: int | None) -> str:
    return row[number].strip() if number is not None and number < len(row) else ""


def _line(number: int, email: str, role: str, seen: set[str]) -> Line:
    text = "".join(each if each.isprintable() else " " for each in email)[:_SHOWN]
    try:
        address = addresses.parse(email)
    except addresses.BadAddress as bad:
        return Line(number, text, None, None, bad.reason)
    if address.key in seen:
        return Line(number, text, None, None, "This address stands in an earlier line, too.")
    seen.add(address.key)
    wanted = role.casefold() or Role.MEMBER.value
    if wanted not in {each.value for each in Role}:
        return Line(number, text, address, None, "The role is owner, admin or member.")
    return Line(number, text, address, Role(wanted))
