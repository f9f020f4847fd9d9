"""docs/fastapi.md, followed word by word: its files are written, its commands run, its walk is walked."""

import re
from pathlib import Path

from tests.browser.tidy_people import walk
from tests.support import programs
from tests.support.browser import Pages
from tests.support.clockfile import ClockFile
from tests.support.guide import Guide, run, started
from tests.support.server import Serve
from tests.support.smtp import MailServer

NOT_RUN = "pip install ./client "
"""The one command that the environment of the tests has behind it."""


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
    url = f"http://localhost:{port}"
    guide = Guide("fastapi.md", nightlatch.port, port)
    guide.write(tmp_path)
    add, install, pip, uvicorn, pytest_command = guide.commands()
    assert pip.startswith(NOT_RUN)
    said = run(add, tmp_path, nightlatch)
    for line in ("Tidy Lists is registered as tidy-lists.", f"url: {nightlatch.url}"):
        assert line in said
        assert line in guide.text
    secret = re.search(r"^secret: (nla_\S+)$", said, re.MULTILINE)
    assert secret is not None
    run(install, tmp_path, nightlatch, given=secret[1] + "\n")
    assert (tmp_path / "nightlatch.secret").stat().st_mode & 0o777 == 0o600
    assert " 2 passed" in run(pytest_command, tmp_path, nightlatch)
    logins = ("olga@tidy.example", "mia@tidy.example")
    with started(uvicorn, tmp_path, nightlatch, f"{url}/sign-in"):
        mia = walk(
            guide,
            nightlatch,
            url,
            mail_server,
            clock_file,
            open_page,
            login_label="E-mail",
            logins=logins,
        )
        mia.open("/sign-out")
        mia.open("/")
        mia.at("/sign-in")
