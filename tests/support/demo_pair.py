"""scripts/demo as a child process: the demo world and Acme Notes behind it, on free ports."""

import http.client
import signal
import subprocess
import sys
import time
from pathlib import Path

from tests.support import programs
from tests.support.server import clean_environment

SCRIPT = Path(__file__).parents[2] / "scripts" / "demo"


class DemoPair:
    """What `make run` starts."""

    def __init__(self, folder: Path) -> None:
        self.data = folder / "data"
        self.ports = programs.free_port(), programs.free_port()
        self._log = folder / "output"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def nightlatch(self) -> str:
        """Where the demo world is."""
        return f"http://localhost:{self.ports[0]}"

    @property
    def acme(self) -> str:
        """Where Acme Notes is."""
        return f"http://localhost:{self.ports[1]}"

    def start(self, *, seconds: float = 120) -> None:
        """Start both, and wait until it says who can sign in."""
        before = len(self.output())
        environment = {
            name: value for name, value in clean_environment().items() if not name.startswith("ACME_")
        }
        environment |= {
            "NIGHTLATCH_DATA": str(self.data),
            "NIGHTLATCH_PORT": str(self.ports[0]),
            "ACME_PORT": str(self.ports[1]),
        }
        with self._log.open("ab") as output:
            self._process = programs.start(
                [sys.executable, str(SCRIPT)], output=output, environment=environment
            )
        deadline = time.monotonic() + seconds
        while "Who can sign in there" not in self.output()[before:]:
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"scripts/demo did not start:\n{self.output()}")
            time.sleep(0.05)

    def stop(self, how: signal.Signals = signal.SIGTERM) -> int:
        """End it; its exit code."""
        process = self._process
        assert process is not None
        process.send_signal(how)
        code = process.wait(timeout=60)
        self._process = None
        return code

    def close(self) -> None:
        """End it if it runs."""
        if self._process is not None and self._process.poll() is None:
            self.stop()

    def output(self) -> str:
        """Everything that it has printed, over all its starts."""
        return self._log.read_text(errors="replace") if self._log.exists() else ""

    def answers(self, port: int) -> bool:
        """Whether anybody listens there."""
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        try:
            connection.request("GET", "/healthz", headers={"host": f"localhost:{port}"})
            return connection.getresponse().status == 200
        except OSError:
            return False
        finally:
            connection.close()
