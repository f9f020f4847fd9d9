"""A page of docs/ that is followed word by word: its files are written, its commands run."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx2

from tests.support import programs
from tests.support.server import Server

DOCS = Path(__file__).parents[2] / "docs"
_HEAD = re.compile(r"(?:# |\{# )([a-z_]+(?:/[a-z_]+)*\.(?:py|html))(, at the end)?(?: #\})?")


class Guide:
    """The page, with ports that are free here."""

    def __init__(self, page: str, nightlatch: int, product: int) -> None:
        text = (DOCS / page).read_text()
        self.text = text.replace("localhost:8000", f"localhost:{nightlatch}").replace("8001", str(product))

    def blocks(self, kinds: str) -> list[str]:
        """The blocks of code of some kinds, such as `python|html`."""
        return re.findall(rf"^```(?:{kinds})\n(.*?)^```", self.text, re.MULTILINE | re.DOTALL)

    def kinds(self) -> set[str]:
        """Of what kinds its blocks are."""
        return set(re.findall(r"^```(\w+)$", self.text, re.MULTILINE))

    def pieces(self) -> list[tuple[str, str, bool]]:
        """What the reader writes, in order: file, text, and whether it is added at the end."""
        found = []
        for block in self.blocks("python|html"):
            head, _, body = block.partition("\n")
            match = _HEAD.fullmatch(head)
            assert match is not None, f"a block begins with {head!r} instead of its file's name"
            found.append((match[1], body, match[2] is not None))
        return found

    def commands(self) -> list[str]:
        """What the reader runs, in order."""
        lines = [line for block in self.blocks("console") for line in block.splitlines()]
        return [line.removeprefix("$ ") for line in lines if line.startswith("$ ")]

    def write(self, folder: Path, pieces: list[tuple[str, str, bool]] | None = None) -> None:
        """Write the pieces (all of them, unless some are given)."""
        for name, body, at_the_end in self.pieces() if pieces is None else pieces:
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text((path.read_text() + "\n" if at_the_end else "") + body)


def run(command: str, folder: Path, nightlatch: Server, given: str = "") -> str:
    """Run one of the commands; what it printed."""
    done = subprocess.run(
        ["bash", "-c", command],
        cwd=folder,
        env=environment(nightlatch),
        input=given,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
    return done.stdout + done.stderr


@contextmanager
def started(command: str, folder: Path, nightlatch: Server, url: str) -> Iterator[None]:
    """The product, by the page's own command, until it answers at `url`."""
    log = folder / "output"
    with log.open("ab") as output:
        process = programs.start(
            ["bash", "-c", f"exec {command}"],
            output=output,
            environment=environment(nightlatch),
            folder=folder,
        )
    try:
        deadline = time.monotonic() + 60
        while True:
            try:
                httpx2.get(url, trust_env=False)
                break
            except httpx2.TransportError:
                assert process.poll() is None, log.read_text()
                assert time.monotonic() < deadline, log.read_text()
                time.sleep(0.1)
        yield
    finally:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(timeout=60)
        with suppress(ProcessLookupError):
            os.killpg(process.pid, 9)
        process.wait(timeout=60)
    assert "Traceback" not in log.read_text(), log.read_text()


def environment(nightlatch: Server) -> dict[str, str]:
    """The programs of this environment, and Nightlatch's settings as its operator has them."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return {**nightlatch.environment, "PATH": path}
