"""CSV (RFC 4180) that a spreadsheet takes for text and nothing else. Pure."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def safe(value: str) -> str:
    """A spreadsheet takes a cell that begins so for a formula: an apostrophe before it makes it text (OWASP)."""
    return f"'{value}" if value.startswith(_FORMULA) else value


def lines(columns: Sequence[str], rows: Iterable[Mapping[str, str]], *, header: bool = False) -> str:
    """A piece of a file: these rows, cells that are missing empty; with the header row before them."""
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, restval="", lineterminator="\r\n")
    if header:
        writer.writeheader()
    for row in rows:
        writer.writerow({name: safe(value) for name, value in row.items()})
    return text.getvalue()
