"""Child processes on a processor of their own, and what they used: CPU from /proc, memory as PSS."""

import os
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")


def family(pid: int) -> list[int]:
    """A process and its descendants."""
    found, parents = [pid], [pid]
    while parents:
        children = Path(f"/proc/{parents[0]}/task/{parents[0]}/children")
        parents.pop(0)
        for child in children.read_text().split() if children.exists() else []:
            found.append(int(child))
            parents.append(int(child))
    return found


def cpu_seconds(pid: int) -> float:
    """User and system time of a process and its descendants so far."""
    total = 0
    for each in family(pid):
        fields = Path(f"/proc/{each}/stat").read_text().rpartition(")")[2].split()
        total += int(fields[11]) + int(fields[12])
    return total / TICKS


def pss_megabytes(pid: int) -> float:
    """Proportional set size of a process and its descendants."""
    total = 0
    for each in family(pid):
        for line in Path(f"/proc/{each}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                total += int(line.split()[1])
    return total / 1024


class Running:
    """A server process, pinned to the first processor; the load has the second."""

    def __init__(
        self, command: list[str], environment: dict[str, str], port: int, ready: str = "/healthz"
    ) -> None:
        self.port = port
        began = time.perf_counter()
        self.process = subprocess.Popen(
            ["taskset", "-c", "0", *command],
            env={**os.environ, **environment},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self._wait(ready)
        self.start_seconds = time.perf_counter() - began

    def _wait(self, ready: str) -> None:
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            try:
                urllib.request.urlopen(f"http://localhost:{self.port}{ready}", timeout=2).read()
                return
            except OSError:
                time.sleep(0.01)
        raise RuntimeError("the server did not start")

    def stop(self) -> None:
        """End it by its process id."""
        self.process.terminate()
        self.process.wait(30)


def play(port: int, connections: int, file: Path) -> str:
    """Run the load on the second processor; its one line of output."""
    return subprocess.run(
        ["taskset", "-c", "1", sys.executable, "-m", "bench.load", str(port), str(connections), str(file)],
        check=True,
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[1],
    ).stdout
