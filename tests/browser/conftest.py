"""Fixtures of the journeys in the browser."""

from collections.abc import Iterator

import pytest

from tests.browser.sso_people import Stage
from tests.support.browser import Pages
from tests.support.clockfile import ClockFile
from tests.support.names import name_server
from tests.support.server import Serve
from tests.support.smtp import MailServer


@pytest.fixture
def stage(serve: Serve, mail_server: MailServer, clock_file: ClockFile, open_page: Pages) -> Iterator[Stage]:
    """Nightlatch with name servers of its own, for single sign-on."""
    with name_server() as names:
        yield Stage.of(serve, mail_server, names, clock_file, open_page)
