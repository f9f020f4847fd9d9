"""docs/django.md, followed word by word: its files are written, its commands run, its walk is walked."""

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
    guide = Guide("django.md", nightlatch.port, port)
    commands = guide.commands()
    start_project, start_app, *make_people = commands[:5]
    add, install, pip, check, runserver, dry_run, sync, test = commands[5:]

    def do(command: str, given: str = "") -> str:
        return run(command, tmp_path, nightlatch, given)

    do(start_project)
    do(start_app)
    pieces = guide.pieces()
    # "What you have" works before anything of ours is there.
    before = next(number for number, piece in enumerate(pieces) if piece[0] == "lists/two_factor.py")
    guide.write(tmp_path, pieces[:before])
    for command in make_people:
        do(command)
    assert pip.startswith(NOT_RUN)
    said = do(add)
    for line in ("Tidy Lists is registered as tidy-lists.", f"url: {nightlatch.url}"):
        assert line in said
        assert line in guide.text
    secret = re.search(r"^secret: (nla_\S+)$", said, re.MULTILINE)
    assert secret is not None
    do(install, secret[1] + "\n")
    assert (tmp_path / "nightlatch.secret").stat().st_mode & 0o777 == 0o600
    guide.write(tmp_path, pieces[before:])
    assert "no issues" in do(check)
    told = do(dry_run)
    assert "would be 2 added" in told
    assert told + do(sync) in "".join(guide.blocks("console")).replace(f"$ {sync}\n", "")
    (cron,) = guide.blocks("cron")
    nightly = re.fullmatch(r"\d+ \d+ \* \* \*  (cd /srv/tidy && .+)\n", cron)
    assert nightly is not None
    assert "2 unchanged" in do(nightly[1].replace("/srv/tidy", str(tmp_path)))
    assert "Ran 2 tests" in do(test)
    # Without its reloader, which starts it again when somebody works on the client meanwhile.
    with started(f"{runserver} --noreload", tmp_path, nightlatch, f"{url}/sign-in/"):
        mia = walk(
            guide,
            nightlatch,
            url,
            mail_server,
            clock_file,
            open_page,
            login_label="Username",
            logins=("olga", "mia"),
        )
        mia.open("/")
        mia.press("Sign out")
        mia.at("/sign-in/")
