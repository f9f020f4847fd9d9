"""The table of a run."""

import os
import platform
from dataclasses import dataclass
from pathlib import Path

BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"


@dataclass(frozen=True)
class Row:
    """One figure, what it should be, and what else was seen."""

    what: str
    figure: str
    aim: str
    more: str = ""


def table(rows: list[Row]) -> str:
    """Markdown."""
    lines = ["| what | measured | aim | beside it |", "|---|---|---|---|"]
    return "\n".join([*lines, *(f"| {row.what} | {row.figure} | {row.aim} | {row.more} |" for row in rows)])


def write(page: Path, rows: list[Row]) -> None:
    """Put the table between its marks."""
    text = page.read_text()
    before, rest = text.split(BEGIN)
    after = rest.split(END)[1]
    machine = f"{os.cpu_count()} processors, Python {platform.python_version()}, {platform.system()}"
    page.write_text(
        f"{before}{BEGIN}\n{machine}; the server on one processor, the load on another.\n\n{table(rows)}\n{END}{after}"
    )
