"""Another process: one function of a module, with a pipe to talk to it by."""

import multiprocessing
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from typing import Any


class Other:
    """Its end of the pipe, and the process."""

    def __init__(self, end: Connection, process: Any) -> None:
        self._end = end
        self.pid: int = process.pid

    def tell(self, message: Any) -> None:
        """Send something picklable."""
        self._end.send(message)

    def hear(self) -> Any:
        """What it sent; EOFError where it ended without a word."""
        return self._end.recv()


@contextmanager
def another(run: Callable[..., None], *values: Any) -> Iterator[Other]:
    """`run(end, *values)` in a process of its own, which is waited for."""
    context = multiprocessing.get_context("spawn")
    mine, theirs = context.Pipe()
    process = context.Process(target=run, args=(theirs, *values), daemon=True)
    process.start()
    theirs.close()
    try:
        yield Other(mine, process)
    finally:
        mine.close()
        process.join()
