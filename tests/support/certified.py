"""The certified OpenID provider that the tests run: installed once by its lock file, then a program of its own."""

import json
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.clockfile import ClockFile

FOLDER = Path(__file__).parent / "oidc_provider"
SECRET = "a secret of the certified provider"


@dataclass(frozen=True)
class Certified:
    """It runs."""

    issuer: str


def install() -> None:
    """Put its packages where it looks for them, exactly as the lock file says, unless that was done before."""
    done = FOLDER / "node_modules" / ".package-lock.json"
    if done.exists() and done.stat().st_mtime >= (FOLDER / "package-lock.json").stat().st_mtime:
        return
    npm = shutil.which("npm")
    assert npm is not None, "npm is missing: scripts/system-packages installs it"
    subprocess.run(
        [npm, "ci", "--no-audit", "--no-fund", "--ignore-scripts", "--silent"], cwd=FOLDER, check=True
    )
    done.touch()


@contextmanager
def running(
    port: int,
    people: Mapping[str, Mapping[str, Any]],
    redirect_uris: Sequence[str],
    clock: ClockFile | None = None,
) -> Iterator[Certified]:
    """It, with these people (by what they type to sign in) and one client whose redirect addresses are these.

    `clock`: it goes by this one, as Nightlatch does.
    """
    install()
    node = shutil.which("node")
    assert node is not None, "node is missing: scripts/system-packages installs it"
    settings = {"port": port, "people": people, "secret": SECRET, "redirect_uris": list(redirect_uris)}
    settings |= {"clock": str(clock.path)} if clock is not None else {}
    process = subprocess.Popen(
        [node, "provider.mjs", json.dumps(settings)],
        cwd=FOLDER,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout is not None
    try:
        said = []
        while (line := process.stdout.readline()).strip() != "ready":
            said.append(line)
            assert line, f"the provider did not start: {''.join(said)}"
        yield Certified(f"http://localhost:{port}")
    finally:
        process.terminate()
        process.wait()
        process.stdout.close()
