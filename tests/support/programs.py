"""Programs of the system that tests run against.

A missing one fails the test and says what to do; nothing is skipped.
"""

import itertools
import random
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO


class Missing(Exception):
    """A program that the tests need is not on this machine."""

    def __init__(self, program: str) -> None:
        super().__init__(f"{program} is not installed: run scripts/system-packages (as root, or with sudo)")


def find(program: str, *folders: Path) -> str:
    """The path of a program, looked for in `folders` first and then in PATH. Raises `Missing`."""
    for folder in folders:
        if (folder / program).exists():
            return str(folder / program)
    found = shutil.which(program)
    if found is None:
        raise Missing(program)
    return found


def start(
    command: Sequence[str],
    *,
    output: IO[bytes],
    environment: Mapping[str, str] | None = None,
    folder: Path | None = None,
    user: str | None = None,
    end_with: signal.Signals = signal.SIGTERM,
) -> subprocess.Popen[bytes]:
    """Start a child in a process group of its own; it gets `end_with` if the test run itself is killed."""
    return subprocess.Popen(
        [find("setpriv"), "--pdeathsig", end_with.name.removeprefix("SIG"), "--", *command],
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        env=environment,
        cwd=folder,
        user=user,
        group=user,
        extra_groups=[] if user else None,
        start_new_session=True,
    )


_PORTS = range(12_000, 32_000)
"""Below those that Linux gives to connections, so that a server finds its port free when it starts again."""
_start = random.SystemRandom().choice(_PORTS)  # not where another run on this machine begins
_candidates: Iterator[int] = itertools.cycle([*range(_start, _PORTS.stop), *range(_PORTS.start, _start)])


def free_port() -> int:
    """A TCP port that nobody listens on, and that this process was not given lately."""
    for port in itertools.islice(_candidates, len(_PORTS)):
        with socket.socket() as probe:
            try:
                probe.bind(("", port))
            except OSError:
                continue
            return port
    raise RuntimeError("every port is taken")
