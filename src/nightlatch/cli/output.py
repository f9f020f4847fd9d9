"""What commands print: columns for people, JSON for programs."""

import json
from collections.abc import Iterable, Sequence
from typing import Any

import click

from nightlatch.instants import SECOND, Instant, to_datetime
from nightlatch.logs import one_line


def as_json(value: Any) -> None:
    """Print a value as JSON, indented."""
    click.echo(json.dumps(value, indent=2, ensure_ascii=False))


def items_as_json(items: Iterable[Any]) -> None:
    """Print a list as the API's lists are: `{"items": [...]}`."""
    as_json({"items": list(items)})


def table(headings: Sequence[str], rows: Iterable[Sequence[str]], empty: str) -> None:
    """Print rows in columns; `empty` where there are none. Nothing in them can speak to the terminal."""
    cells = [[one_line(cell) for cell in row] for row in rows]
    if not cells:
        click.echo(empty)
        return
    widths = [max(map(len, column)) for column in zip(headings, *cells, strict=True)]
    for row in (headings, *cells):
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def said(text: str) -> str:
    """A text of somebody's, fit for a terminal."""
    return one_line(text)


def when(instant: Instant | None) -> str:
    """An instant for people, in UTC to the second; a dash for none."""
    if instant is None:
        return "-"
    return to_datetime(instant // SECOND * SECOND).strftime("%Y-%m-%d %H:%M:%SZ")
