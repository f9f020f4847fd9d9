"""A private PostgreSQL cluster for one test run, from the system's own binaries."""

import itertools
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from tests.support import programs

OWNER = "nightlatch"


def folders() -> list[Path]:
    """Where Debian keeps PostgreSQL's programs, newest version first."""
    return sorted(
        Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: float(path.parent.name), reverse=True
    )


class Cluster:
    """A running cluster. It listens on 127.0.0.1 alone and trusts whoever reaches it."""

    def __init__(self, folder: Path, *, fsync: bool) -> None:
        self.folder = folder
        self.port = programs.free_port()
        self.fsync = fsync
        self._numbers = itertools.count(1)
        # PostgreSQL refuses to run as root, so root hands it to the user that Debian's package made.
        self._user = "postgres" if os.geteuid() == 0 else None
        self._process: subprocess.Popen[bytes] | None = None
        self._admin: psycopg.Connection | None = None

    def url(self, database: str) -> str:
        """The address of a database, as NIGHTLATCH_DATABASE_URL takes it."""
        return f"postgresql://{OWNER}@127.0.0.1:{self.port}/{database}"

    @property
    def pid(self) -> int | None:
        """The server's process, while it runs."""
        return self._process.pid if self._process is not None else None

    def create(self, *, template: str = "template1", name: str = "") -> str:
        """Make a database (a copy of `template`, which nobody may be connected to); its name."""
        name = name or f"test_{next(self._numbers)}"
        self._run(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        return name

    def drop(self, name: str) -> None:
        """Drop a database, connections or not."""
        self._run(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    def output(self) -> str:
        """What the server has logged."""
        return (self.folder / "log").read_text(errors="replace")

    def make(self) -> None:
        """Create the cluster's files."""
        if self._user:
            shutil.chown(self.folder, self._user, self._user)
        command = [programs.find("initdb", *folders()), "--pgdata", str(self.folder / "data")]
        command += ["--username", OWNER, "--auth", "trust", "--encoding", "UTF8", "--no-sync"]
        # A linguistic default order: a statement that forgets to name its collation is found out here.
        command += ["--locale", "C.UTF-8", "--locale-provider", "icu", "--icu-locale", "en-US"]
        answer = subprocess.run(
            command,
            cwd=self.folder,
            user=self._user,
            group=self._user,
            capture_output=True,
            text=True,
            check=False,
        )
        if answer.returncode != 0:
            raise RuntimeError(f"initdb failed: {answer.stderr}")

    def start(self) -> None:
        """Start the server and wait until it answers."""
        settings = {
            "listen_addresses": "127.0.0.1",
            "port": str(self.port),
            "unix_socket_directories": str(self.folder),
            "max_connections": "200",
            "fsync": "on" if self.fsync else "off",
            "full_page_writes": "on" if self.fsync else "off",
            "log_min_messages": "warning",
        }
        options = [f"-c{name}={value}" for name, value in settings.items()]
        with (self.folder / "log").open("ab") as output:
            self._process = programs.start(
                [programs.find("postgres", *folders()), "-D", str(self.folder / "data"), *options],
                output=output,
                folder=self.folder,
                user=self._user,
                end_with=signal.SIGINT,
            )
        self._wait()

    def stop(self) -> None:
        """Stop the server, ending its connections; a server that will not end is killed."""
        if self._process is None:
            return
        if self._admin is not None:
            self._admin.close()
            self._admin = None
        self._process.send_signal(signal.SIGINT)  # PostgreSQL's "fast" shutdown
        try:
            self._process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            self._process.send_signal(signal.SIGQUIT)  # "immediate": the server takes its children with it
            self._process.wait(timeout=30)
        self._process = None

    def _wait(self, seconds: float = 60) -> None:
        deadline = time.monotonic() + seconds
        while True:
            assert self._process is not None
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"PostgreSQL did not start:\n{self.output()}")
            try:
                psycopg.connect(self.url("postgres"), connect_timeout=5).close()
            except psycopg.OperationalError:
                time.sleep(0.05)
            else:
                return

    def _run(self, statement: str) -> None:
        # Names are ours, and CREATE DATABASE takes no parameters: refuse anything that is not a plain name.
        if not re.fullmatch(r'[A-Z ]+"\w+"( TEMPLATE "\w+"| WITH \(FORCE\))?', statement):
            raise ValueError(f"not a plain name: {statement}")
        if self._admin is None or self._admin.closed:
            self._admin = psycopg.connect(self.url("postgres"), autocommit=True)
        self._admin.execute(statement.encode())


@contextmanager
def cluster(*, fsync: bool = False) -> Iterator[Cluster]:
    """A cluster of its own, gone afterwards.

    Without `fsync` an answered commit outlives the death of any process, PostgreSQL's own included, but not a
    power cut; benchmarks ask for it.
    """
    folder = Path(tempfile.mkdtemp(prefix="nightlatch-postgres-"))
    made = Cluster(folder, fsync=fsync)
    try:
        made.make()
        made.start()
        yield made
    finally:
        made.stop()
        shutil.rmtree(folder, ignore_errors=True)
