"""Programs of the system that tests run against.

A missing one fails the test and says what to do; nothing is skipped.
"""

import shutil
import signal
import socket
import subprocess
from collections.abc import Mapping, Sequence
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


def free_port() -> int:
    """A TCP port on 127.0.0.1 that nobody listened on a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
