"""What the tests of the documentation read: pages as tables and sections."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"


def text_of(name: str) -> str:
    """A page of docs/."""
    return (DOCS / name).read_text()


def rows(text: str) -> list[list[str]]:
    """The rows of every table in a text, as cells; heads and rules left out."""
    found: list[list[str]] = []
    lines = text.splitlines()
    for number, line in enumerate(lines):
        if not line.startswith("|") or re.fullmatch(r"[|\s:-]+", line):
            continue
        if number + 1 < len(lines) and re.fullmatch(r"\|[|\s:-]*-[|\s:-]*", lines[number + 1]):
            continue
        found.append([cell.strip() for cell in re.split(r"(?<!\\)\|", line.strip().strip("|"))])
    return found


def section(text: str, heading: str) -> str:
    """What stands below a heading, up to the next of the same or a higher level."""
    match = re.search(rf"^(#+) {re.escape(heading)}$", text, re.MULTILINE)
    assert match is not None, f"there is no heading {heading!r}"
    rest = text[match.end() :]
    end = re.search(rf"^#{{1,{len(match[1])}}} ", rest, re.MULTILINE)
    return rest[: end.start()] if end is not None else rest


def headings(text: str) -> list[str]:
    """Every heading, without its marks."""
    return re.findall(r"^#+ (.+)$", text, re.MULTILINE)


def code(text: str) -> list[str]:
    """What a cell or a text says in backticks; blocks of code left out."""
    return re.findall(r"`([^`]+)`", re.sub(r"```.*?```", "", text, flags=re.DOTALL))


def first_codes(text: str) -> list[str]:
    """The first words in backticks of every row whose first cell begins with one."""
    return [code(cells[0])[0] for cells in rows(text) if cells[0].startswith("`")]
