"""Harbour, the Django product of the tests, as a child process behind a running Nightlatch."""

import os
import re
import sqlite3  # noqa: TID251 - its own file, which Nightlatch never opens
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx2

from tests.support import programs
from tests.support.acme_notes import ROOT, register
from tests.support.server import Server, clean_environment

SETTINGS = "tests.support.django_product.settings"


class Harbour:
    """Harbour on a free port: under granian as WSGI, or under uvicorn as ASGI."""

    def __init__(self, folder: Path, nightlatch: Server, *, asgi: bool = False) -> None:
        self.port = programs.free_port()
        self.url = f"http://localhost:{self.port}"
        self.data = folder / "harbour"
        self.data.mkdir(parents=True)
        secret = self.data / "secret"
        secret.touch(0o600)
        secret.write_text(register(nightlatch, "Harbour", self.url))
        self._asgi = asgi
        self._log = folder / "harbour.output"
        self._process: subprocess.Popen[bytes] | None = None
        self.environment = {
            **clean_environment(),
            "PYTHONPATH": str(ROOT),
            "PYTHONUNBUFFERED": "1",
            "DJANGO_SETTINGS_MODULE": SETTINGS,
            "HARBOUR_DATA": str(self.data),
            "HARBOUR_ORIGIN": self.url,
            "HARBOUR_NIGHTLATCH": nightlatch.url,
        }

    def start(self) -> None:
        """Make its tables, start it and wait until it answers."""
        self.run("django", "migrate", "--run-syncdb", "-v", "0")
        self.run("django", "check", "--fail-level", "WARNING")
        target = "tests.support.django_product.serving"
        if self._asgi:
            server = ["uvicorn", f"{target}:asgi", "--port", str(self.port), "--lifespan", "off"]
        else:
            server = ["granian", f"{target}:wsgi", "--interface", "wsgi", "--port", str(self.port)]
            server += ["--blocking-threads", "2"]
        with self._log.open("ab") as output:
            self._process = programs.start(
                [sys.executable, "-m", *server], output=output, environment=self.environment, folder=ROOT
            )
        deadline = time.monotonic() + 60
        while True:
            with suppress(httpx2.TransportError):
                assert httpx2.get(f"{self.url}/", trust_env=False).status_code == 200
                return
            assert self._process.poll() is None, self.output()
            assert time.monotonic() < deadline, self.output()
            time.sleep(0.1)

    def run(self, module: str, *arguments: str) -> str:
        """A command beside it, with its settings; what it printed."""
        done = subprocess.run(
            [sys.executable, "-m", module, *arguments],
            env=self.environment,
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def stop(self) -> None:
        """Stop it, workers and all."""
        if self._process is not None:
            self._process.terminate()
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(timeout=60)
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, 9)
            self._process.wait(timeout=60)

    def output(self) -> str:
        """Everything that it has printed."""
        return self._log.read_text(errors="replace") if self._log.exists() else ""

    def ask(self, method: str, path: str, **more: Any) -> httpx2.Response:
        """One request of a program. No redirect is followed."""
        return httpx2.request(method, self.url + path, trust_env=False, timeout=60, **more)

    def rows(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        """What is in its database."""
        connection = sqlite3.connect(f"file:{self.data / 'harbour.db'}?mode=ro", uri=True)
        try:
            return connection.execute(sql, values).fetchall()
        finally:
            connection.close()

    def reset_link(self, email: str) -> str:
        """The link in the newest mail that Harbour itself has sent to somebody."""
        mails = sorted((self.data / "mails").iterdir(), key=lambda path: path.stat().st_mtime_ns)
        text = next(mail for mail in map(Path.read_text, reversed(mails)) if f"To: {email}" in mail)
        found = re.search(r"^http\S+/reset/\S+$", text, re.MULTILINE)
        assert found is not None, text
        return found[0]


@contextmanager
def running(harbour: Harbour) -> Iterator[Harbour]:
    """Started, and stopped at the end."""
    harbour.start()
    try:
        yield harbour
    finally:
        harbour.stop()
