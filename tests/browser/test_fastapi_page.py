"""docs/fastapi.md, followed word by word: its files are written, its commands run, its walk is walked."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest
from playwright.sync_api import expect

from tests.browser.acme_people import Guest
from tests.support import programs
from tests.support.browser import Pages
from tests.support.clockfile import ClockFile
from tests.support.server import Serve, Server
from tests.support.smtp import MailServer

PAGE = Path(__file__).parents[2] / "docs" / "fastapi.md"
NOT_RUN = "pip install ./client "
"""The one command that the environment of the tests has behind it."""


class Guide:
    """The page, with ports that are free here."""

    def __init__(self, nightlatch: int, product: int) -> None:
        text = PAGE.read_text()
        self.text = text.replace("localhost:8000", f"localhost:{nightlatch}").replace("8001", str(product))

    def files(self) -> dict[str, str]:
        """What the reader has written by the end."""
        found: dict[str, str] = {}
        for block in re.findall(r"^```python\n(.*?)^```", self.text, re.MULTILINE | re.DOTALL):
            head, _, body = block.partition("\n")
            name, _, where = head.removeprefix("# ").partition(", ")
            assert re.fullmatch(r"[a-z_]+\.py", name), head
            assert where in ("", "at the end"), head
            found[name] = found[name] + "\n" + body if where else body
        return found

    def commands(self) -> list[str]:
        """What the reader runs, in order."""
        blocks = re.findall(r"^```console\n(.*?)^```", self.text, re.MULTILINE | re.DOTALL)
        return [
            line.removeprefix("$ ")
            for block in blocks
            for line in block.splitlines()
            if line.startswith("$ ")
        ]


def test_word_by_word(
    serve: Serve,
    mail_server: MailServer,
    clock_file: ClockFile,
    open_page: Pages,
    tmp_path: Path,
) -> None:
    open_page.watch.forgive("favicon")  # the page's product has none
    nightlatch = serve(environment={**clock_file.environment, "NIGHTLATCH_MAIL": mail_server.url})
    port = programs.free_port()
    guide = Guide(nightlatch.port, port)
    for name, text in guide.files().items():
        (tmp_path / name).write_text(text)
    add, install, pip, uvicorn, pytest_command = guide.commands()
    assert pip.startswith(NOT_RUN)
    said = _run(add, tmp_path, nightlatch)
    for line in ("Tidy Lists is registered as tidy-lists.", f"url: {nightlatch.url}"):
        assert line in said
        assert line in guide.text
    secret = re.search(r"^secret: (nla_\S+)$", said, re.MULTILINE)
    assert secret is not None
    _run(install, tmp_path, nightlatch, given=secret[1] + "\n")
    assert (tmp_path / "nightlatch.secret").stat().st_mode & 0o777 == 0o600
    assert " 2 passed" in _run(pytest_command, tmp_path, nightlatch)
    with _started(uvicorn, tmp_path, nightlatch, f"http://localhost:{port}"):
        _walk(guide, nightlatch, f"http://localhost:{port}", mail_server, clock_file, open_page)


def _walk(
    guide: Guide, nightlatch: Server, url: str, mail: MailServer, clock: ClockFile, open_page: Pages
) -> None:
    """The section "Try it"."""
    olga = _Reader(open_page(url, "/"), url, "olga@tidy.example", "Olga Lind", mail, clock)
    olga.nightlatch_url = nightlatch.url
    assert "`olga@tidy.example`, `correct horse`" in guide.text
    olga.enter("correct horse")
    olga.sees("Hello, Olga Lind")
    olga.follow("Your own")
    olga.at_nightlatch("/settings/user")
    olga.follow("Set up 2FA")
    olga.set_up()
    olga.follow("Back to Tidy Lists")
    olga.at("/")
    mia = _Reader(open_page(url, "/"), url, "mia@tidy.example", "Mia Sand", mail, clock)
    mia.nightlatch_url = nightlatch.url
    assert "`mia@tidy.example`, `battery staple`" in guide.text
    mia.enter("battery staple")
    mia.page.get_by_label("Item").fill("Water the plants")
    olga.follow("Two-factor authentication")
    olga.page.get_by_role("link", name=re.compile("Require all teammates", re.IGNORECASE)).click()
    olga.sees("will be asked at their next click")
    olga.press("Require it")
    olga.sees("2FA is now required")
    mia.press("Add")
    mia.set_up()
    mia.sees("nothing was sent yet")
    mia.sees("Water the plants")
    mia.press("Send it now")
    mia.at("/")
    expect(mia.page.get_by_role("listitem")).to_have_text("Water the plants")
    clock.advance(11 * 60)
    mia.follow("Payouts")
    mia.at_nightlatch("/step-up")
    mia.enter_code(mia.code())
    mia.at("/payouts")
    mia.sees("Proved by")
    mia.open("/sign-out")
    mia.open("/")
    mia.at("/sign-in")


class _Reader(Guest):
    """Somebody of the page's product."""

    def enter(self, password: str) -> None:
        """Sign in to it."""
        self.at("/sign-in")
        self.page.get_by_label("E-mail").fill(self.email)
        self.page.get_by_label("Password").fill(password)
        self.press("Sign in")
        self.at("/")


def _environment(nightlatch: Server) -> dict[str, str]:
    """The programs of this environment, and Nightlatch's settings as its operator has them."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return {**nightlatch.environment, "PATH": path}


def _run(command: str, folder: Path, nightlatch: Server, given: str = "") -> str:
    done = subprocess.run(
        ["bash", "-c", command],
        cwd=folder,
        env=_environment(nightlatch),
        input=given,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
    return done.stdout


@contextmanager
def _started(command: str, folder: Path, nightlatch: Server, url: str) -> Iterator[None]:
    log = folder / "output"
    with log.open("ab") as output:
        process = programs.start(
            ["bash", "-c", f"exec {command}"],
            output=output,
            environment=_environment(nightlatch),
            folder=folder,
        )
    try:
        deadline = time.monotonic() + 60
        while True:
            try:
                httpx2.get(f"{url}/sign-in", trust_env=False)
                break
            except httpx2.TransportError:
                assert process.poll() is None, log.read_text()
                assert time.monotonic() < deadline, log.read_text()
                time.sleep(0.1)
        yield
    finally:
        process.terminate()
        process.wait(timeout=20)
    assert "Traceback" not in log.read_text(), log.read_text()


def test_it_says_what_it_did_not_run() -> None:
    """Nothing on the page is left out silently."""
    guide = Guide(8000, 8001)
    assert sorted(guide.files()) == ["product.py", "test_product.py", "two_factor.py", "users.py"]
    kinds = re.findall(r"^```(\w*)$", guide.text, re.MULTILINE)
    assert set(kinds) <= {"", "python", "console"}
    with pytest.raises(AssertionError):
        Guide.files(type("Bad", (), {"text": "```python\nno name\n```\n"})())
