"""Acme Notes, the product in examples/, as a child process behind a running Nightlatch."""

import http.client
import json
import os
import sqlite3  # noqa: TID251 - its own file, which Nightlatch never opens
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from tests.support import programs
from tests.support.server import Server, clean_environment

ROOT = Path(__file__).parents[2]


def register(nightlatch: Server, name: str, *origins: str) -> str:
    """Register a product that keeps its own users, as the operator does; its secret."""
    arguments = [part for origin in origins for part in ("--origin", origin)]
    done = nightlatch.run("app", "add", name, *arguments, "--json")
    assert done.returncode == 0, done.stderr
    return str(json.loads(done.stdout)["secret"])


class AcmeNotes:
    """Acme Notes on a free port, with its demo people; `origin` if it is reached by another address."""

    def __init__(
        self,
        folder: Path,
        nightlatch: Server,
        *,
        nightlatch_url: str | None = None,
        origin: str | None = None,
        port: int | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.port = port or programs.free_port()
        self.url = origin or f"http://localhost:{self.port}"
        self.data = folder / "acme-notes"
        self.secret = folder / "secret"
        self.secret.touch(0o600)
        self.secret.write_text(register(nightlatch, "Acme Notes", self.url))
        self._log = folder / "acme-notes.output"
        self._process: subprocess.Popen[bytes] | None = None
        self._environment = {
            **{name: value for name, value in clean_environment().items() if not name.startswith("ACME_")},
            "PYTHONPATH": str(ROOT / "examples"),
            "PYTHONUNBUFFERED": "1",
            "NIGHTLATCH_URL": nightlatch_url or nightlatch.url,
            "NIGHTLATCH_SECRET_FILE": str(self.secret),
            "ACME_PORT": str(self.port),
            "ACME_ORIGIN": self.url,
            "ACME_DATA": str(self.data),
            "ACME_DEMO": "1",
            "ACME_LIVE_EVERY": "0.5",
            **(environment or {}),
        }

    def start(self, *, seconds: float = 120) -> None:
        """Start it and wait until it answers."""
        with self._log.open("ab") as output:
            self._process = programs.start(
                [sys.executable, "-m", "acme_notes"],
                output=output,
                environment=self._environment,
                folder=ROOT,
            )
        deadline = time.monotonic() + seconds
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"Acme Notes did not start:\n{self.output()}")
            time.sleep(0.05)

    def stop(self) -> None:
        """Stop it, workers and all."""
        if self._process is not None:
            self._process.terminate()
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(timeout=60)
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, 9)
            self._process.wait(timeout=60)
            self._process = None

    def output(self) -> str:
        """Everything that it has printed."""
        return self._log.read_text(errors="replace") if self._log.exists() else ""

    def ask(
        self, method: str, path: str, body: Any = None, **headers: str
    ) -> tuple[int, dict[str, str], bytes]:
        """One request of a program: status, headers (lower case), body. No redirect is followed."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        sent = {
            "host": f"localhost:{self.port}",
            **{name.replace("_", "-"): text for name, text in headers.items()},
        }
        if body is not None:
            sent["content-type"] = "application/json"
        try:
            connection.request(method, path, json.dumps(body) if body is not None else None, sent)
            answer = connection.getresponse()
            return answer.status, {name.lower(): text for name, text in answer.getheaders()}, answer.read()
        finally:
            connection.close()

    def rows(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        """What is in its database."""
        connection = sqlite3.connect(f"file:{self.data / 'acme-notes.db'}?mode=ro", uri=True)
        try:
            return connection.execute(sql, values).fetchall()
        finally:
            connection.close()

    def _answers(self) -> bool:
        try:
            return self.ask("GET", "/healthz")[0] == 200
        except (OSError, http.client.HTTPException):
            return False


@contextmanager
def running(acme: AcmeNotes) -> Iterator[AcmeNotes]:
    """Started, and stopped at the end."""
    acme.start()
    try:
        yield acme
    finally:
        acme.stop()
