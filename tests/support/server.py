"""The real program as a child process: started, watched, stopped and killed by its process id."""

import http.client
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from tests.support import programs


def program() -> str:
    """The installed `nightlatch` of the environment that runs the tests."""
    return programs.find("nightlatch", Path(sys.executable).parent)


def clean_environment() -> dict[str, str]:
    """This process's environment without any setting of Nightlatch."""
    return {name: value for name, value in os.environ.items() if not name.startswith("NIGHTLATCH_")}


class Server:
    """`nightlatch serve` or `demo` on a free port of 127.0.0.1, reached as http://localhost:port."""

    def __init__(
        self, folder: Path, command: str = "serve", environment: Mapping[str, str] | None = None
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.command = command
        self.port = programs.free_port()
        self.url = f"http://localhost:{self.port}"
        self.environment = {
            **clean_environment(),
            "NIGHTLATCH_DATA": str(folder / "data"),
            "NIGHTLATCH_HOST": "127.0.0.1",
            "NIGHTLATCH_PORT": str(self.port),
            "NIGHTLATCH_ORIGIN": self.url,
            "PYTHONUNBUFFERED": "1",
            **(environment or {}),
        }
        self._log = folder / "output"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """The process id of the program (with several workers: of the one that watches them)."""
        return self._running().pid

    def start(self, *, seconds: float = 120) -> None:
        """Start (again) and wait until /healthz answers 200; RuntimeError, with the output, if not."""
        with self._log.open("ab") as output:
            self._process = programs.start(
                [program(), self.command], output=output, environment=self.environment, folder=self.folder
            )
        deadline = time.monotonic() + seconds
        while not self.is_healthy():
            code = self._process.poll()
            if code is not None:
                self._process = None
                raise RuntimeError(f"nightlatch {self.command} ended with {code}:\n{self.output()}")
            if time.monotonic() > deadline:
                self.kill9()
                raise RuntimeError(f"nightlatch {self.command} not healthy in {seconds} s:\n{self.output()}")
            time.sleep(0.02)

    def is_healthy(self) -> bool:
        """Whether /healthz answers 200 right now."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request("GET", "/healthz", headers={"Host": f"localhost:{self.port}"})
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def stop(self, *, seconds: float = 60) -> int:
        """Ask it to end (SIGTERM), kill it if it will not; its exit code (0: it ended in good order)."""
        process = self._running()
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            self.kill9()
            return -signal.SIGKILL
        self._kill_group()
        self._process = None
        return process.returncode

    def ended(self, *, seconds: float = 60) -> int:
        """Wait until it has ended by itself, or by a signal that was sent; its exit code."""
        code = self._running().wait(timeout=seconds)
        self._kill_group()
        self._process = None
        return code

    def kill9(self) -> None:
        """SIGKILL to the program and all its workers at once, in the middle of whatever they do."""
        process = self._running()
        self._kill_group()
        process.wait(timeout=60)
        self._process = None

    def restart(self) -> None:
        """Stop in good order and start again on the same port, files and settings."""
        self.stop()
        self.start()

    def is_running(self) -> bool:
        """Whether the process was started and has not ended."""
        return self._process is not None and self._process.poll() is None

    def output(self) -> str:
        """Everything that it has printed, over all its starts."""
        return self._log.read_text(errors="replace") if self._log.exists() else ""

    def run(
        self, *arguments: str, seconds: float = 120, **environment: str
    ) -> subprocess.CompletedProcess[str]:
        """Run another command of the program with the same settings, beside the running server."""
        return subprocess.run(
            [program(), *arguments],
            env={**self.environment, **environment},
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            raise RuntimeError("the server is not running")
        return self._process

    def _kill_group(self) -> None:
        try:
            os.killpg(self._running().pid, signal.SIGKILL)
        except ProcessLookupError:
            return  # nobody of the group is left: as it should be


class Serve(Protocol):
    """Starts the real program; see `factory`."""

    def __call__(
        self,
        command: str = "serve",
        *,
        migrate: bool = True,
        start: bool = True,
        environment: Mapping[str, str] | None = None,
        **settings: str,
    ) -> Server: ...


@contextmanager
def factory(new_folder: Callable[[], Path], running: list[Server]) -> Iterator[Serve]:
    """A function that starts servers; what it started ends with the context.

    Its `settings` are named in lower case, without prefix: `serve(database_url=url, mail=mail_server.url)`.
    `serve` is migrated first, unless `migrate` is false; `demo` makes its own world.
    """
    mine: list[Server] = []

    def serve(
        command: str = "serve",
        *,
        migrate: bool = True,
        start: bool = True,
        environment: Mapping[str, str] | None = None,
        **settings: str,
    ) -> Server:
        named = {f"NIGHTLATCH_{name.upper()}": value for name, value in settings.items()}
        server = Server(new_folder(), command, {**named, **(environment or {})})
        mine.append(server)
        running.append(server)
        if migrate and command == "serve":
            done = server.run("migrate")
            if done.returncode != 0:
                raise RuntimeError(f"nightlatch migrate failed:\n{done.stdout}{done.stderr}")
        if start:
            server.start()
        return server

    try:
        yield serve
    finally:
        for server in mine:
            running.remove(server)
            if server.is_running():
                server.stop()
