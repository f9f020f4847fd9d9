"""What was called, and how often: what a piece of work does, where a clock would only tell how busy the machine was."""

import sys
from collections import Counter
from collections.abc import Callable
from types import FrameType
from typing import Any


def called(work: Callable[[], object]) -> Counter[str]:
    """The names of every function, of Python and of C, that a piece of work called."""
    names: Counter[str] = Counter()

    def note(frame: FrameType, event: str, arg: Any) -> None:
        if event == "call":
            names[frame.f_code.co_qualname] += 1
        elif event == "c_call":
            names[arg.__qualname__] += 1

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        work()
    finally:
        sys.setprofile(before)
    return names


class Unread(str):
    """A text that is only ever weighed: whoever reads it letter by letter fails."""

    def __iter__(self) -> Any:
        raise AssertionError("it was read")

    isdigit = isdecimal = isalnum = casefold = lower = upper = __iter__
