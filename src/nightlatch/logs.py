"""The log: one line a record, on standard error, without secrets.

An exception's text may quote what it was given (a token, an address, a password), so of exceptions that are not our own
only the type and the place are written.
"""

import json
import logging
import re
import sys
import traceback
from collections.abc import Mapping
from types import TracebackType

_SPEAKS_PLAINLY = ("nightlatch.", "pysqlite3.")
"""Packages whose exceptions never quote a value: ours by rule (contributing.md), SQLite's by how it writes them."""
_WORD = re.compile(r"[A-Za-z0-9_.:/{}-]+")


class LineFormatter(logging.Formatter):
    """`2026-11-24T09:14:00+0000 ERROR nightlatch.web: message`, line breaks escaped; a traceback follows indented."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s", "%Y-%m-%dT%H:%M:%S%z")

    def format(self, record: logging.LogRecord) -> str:
        record.message = one_line(record.getMessage())
        record.asctime = self.formatTime(record, self.datefmt)
        text = self.formatMessage(record)
        if record.exc_info and record.exc_info[1] is not None:
            text += "".join(f"\n    {line}" for line in safe_traceback(record.exc_info[1]))
        return text


def one_line(text: str) -> str:
    """Without what would begin another line, or what a terminal would obey."""
    return "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in text)


def fields(values: Mapping[str, str]) -> str:
    """`name=value` pairs for programs to read, empty ones left out; a value that is no plain word is a JSON string."""
    return " ".join(f"{name}={_word(value)}" for name, value in values.items() if value)


def safe_traceback(error: BaseException) -> list[str]:
    """Where an exception came from, the innermost cause first: places and types; text only where it cannot quote."""
    lines: list[str] = []
    for each in _chain(error):
        lines += _places(each.__traceback__)
        lines.append(one_line(f"{type(each).__module__}.{type(each).__qualname__}{_said(each)}"))
    return lines


def configure(level: int = logging.INFO) -> None:
    """Log to standard error. Call it once, at the start of a process."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(LineFormatter())
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    logging.getLogger("nightlatch").setLevel(level)


def _word(value: str) -> str:
    return value if _WORD.fullmatch(value) else json.dumps(value)


def _chain(error: BaseException) -> list[BaseException]:
    chain: list[BaseException] = []
    current: BaseException | None = error
    while current is not None and current not in chain and len(chain) < 10:
        chain.append(current)
        current = current.__cause__ or (None if current.__suppress_context__ else current.__context__)
    return chain[::-1]


def _places(trace: TracebackType | None) -> list[str]:
    frames = traceback.StackSummary.extract(traceback.walk_tb(trace), limit=-30, lookup_lines=False)
    return [f"{frame.filename}:{frame.lineno} in {frame.name}" for frame in frames]


def _said(error: BaseException) -> str:
    if isinstance(error, OSError):
        return f": {error.strerror or 'unknown error'}"
    module = type(error).__module__
    if module == "nightlatch" or module.startswith(_SPEAKS_PLAINLY):
        return f": {error}"
    state = getattr(error, "sqlstate", None)  # PostgreSQL's texts quote values; its codes do not
    return f": {state}" if isinstance(state, str) else ""
