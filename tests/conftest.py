"""The fixtures that every test may use. What they are made of is in `tests/support`.

A fixture imports what it needs when it is first asked for, so that tests of the pure modules load neither
a browser nor a database.
"""

import os
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

from tests.support import scratch, server
from tests.support.clockfile import ClockFile

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from tests.support.browser import Pages
    from tests.support.postgres import Cluster
    from tests.support.smtp import MailServer
    from tests.support.world import World

# The same examples in every run, and no deadline on a busy machine. To look for new ones:
# pytest --hypothesis-profile explore
settings.register_profile("steady", derandomize=True, deadline=None, database=None)
settings.register_profile("explore", deadline=None, max_examples=2000)
settings.load_profile("steady")

for _name in [name for name in os.environ if name.startswith("NIGHTLATCH_")]:
    del os.environ[_name]  # a developer's own settings are no part of a test

scratch.use_memory()

RESULTS = Path(__file__).parents[1] / "test-results"
_servers: list[server.Server] = []


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what needs a browser or PostgreSQL; run the browser's files last (see `support/browser.py`)."""
    for item in items:
        needed = getattr(item, "fixturenames", ())
        if "browser" in needed:
            item.add_marker("browser")
        if "cluster" in needed or "[postgresql" in item.name:
            item.add_marker("postgres")
    with_browser = {item.path for item in items if item.get_closest_marker("browser") is not None}
    items.sort(key=lambda item: item.path in with_browser)  # whole files: each goes to one process


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Add to a failed test's report what its servers printed, and pictures of its pages."""
    report = yield
    if report.failed and call.when == "call":
        for running in _servers:
            report.sections.append((f"nightlatch {running.command} on {running.url}", running.output()))
        pages = getattr(item, "funcargs", {}).get("open_page")
        if pages is not None:
            made = "\n".join(str(path) for path in pages.screenshots(RESULTS, item.nodeid))
            report.sections.append(("pictures of the pages", made))
    return report


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """Async tests run on asyncio."""
    return "asyncio"


@pytest.fixture
def clock_file(tmp_path: Path) -> ClockFile:
    """A clock for a running program, at the real time: `serve(environment=clock_file.environment)`."""
    return ClockFile(tmp_path / "clock")


# Databases


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file to copy."""
    from tests.support import databases

    return databases.sqlite_template(tmp_path_factory.mktemp("sqlite"))


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    """A migrated, empty SQLite file."""
    from tests.support import databases

    return databases.sqlite_copy(sqlite_template, tmp_path)


@pytest.fixture(scope="session")
def cluster() -> Iterator["Cluster"]:
    """The run's private PostgreSQL cluster."""
    from tests.support import postgres

    with postgres.cluster() as made:
        yield made


@pytest.fixture(scope="session")
def postgres_template(cluster: "Cluster") -> str:
    """The name of a migrated PostgreSQL database to copy."""
    from tests.support import databases

    return databases.postgres_template(cluster)


@pytest.fixture
def postgres_url(cluster: "Cluster", postgres_template: str) -> Iterator[str]:
    """A migrated, empty PostgreSQL database."""
    from tests.support import databases

    with databases.postgres_copy(cluster, postgres_template) as url:
        yield url


@pytest.fixture
def blank_postgres_url(cluster: "Cluster") -> Iterator[str]:
    """A PostgreSQL database without any table, for the migrations' own tests."""
    from tests.support import databases

    with databases.postgres_copy(cluster) as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """A migrated, empty database: each test that asks for it runs on SQLite and on PostgreSQL."""
    url: str = request.getfixturevalue({"sqlite": "sqlite_url", "postgresql": "postgres_url"}[request.param])
    return url


# Mail, servers, browsers


@pytest.fixture
def mail_server() -> Iterator["MailServer"]:
    """A running SMTP server: `serve(mail=mail_server.url)`."""
    from tests.support.smtp import MailServer

    started = MailServer()
    started.start()
    yield started
    started.stop()


@pytest.fixture
def serve(tmp_path_factory: pytest.TempPathFactory) -> Iterator[server.Serve]:
    """Starts the real program, ended with the test: `serve("demo")`, `serve(database_url=url)`."""
    with server.factory(lambda: tmp_path_factory.mktemp("server"), _servers) as factory:
        yield factory


@pytest.fixture(scope="module")
def serve_module(tmp_path_factory: pytest.TempPathFactory) -> Iterator[server.Serve]:
    """The same for a module's tests together; a module makes its own fixture with it."""
    with server.factory(lambda: tmp_path_factory.mktemp("server"), _servers) as factory:
        yield factory


@pytest.fixture(scope="session")
def browser() -> Iterator["Browser"]:
    """Chromium, one for the run."""
    from tests.support.browser import chromium

    with chromium() as started:
        yield started


@pytest.fixture
def open_page(browser: "Browser") -> Iterator["Pages"]:
    """Opens pages: `page = open_page(server.url, "/sign-in")`. What goes wrong there fails the test."""
    from tests.support.browser import Pages

    pages = Pages(browser)
    yield pages
    pages.close()
    pages.watch.check()


# Worlds to act in


@pytest.fixture
def world(database_url: str, tmp_path: Path) -> Iterator["World"]:
    """A world on each of the two databases."""
    from tests.support.world import World

    made = World(database_url, tmp_path)
    yield made
    made.close()
