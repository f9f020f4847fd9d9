"""Chromium driven by Playwright: one browser for each process of the run, a fresh profile for each person.

Whatever goes wrong in it fails the test. Journeys are plain functions: Playwright's sync API holds the main
thread's event loop while a browser is open, so `conftest.py` lets tests with a browser run after all others.

A click returns before the page that it leads to is there. Whoever then loads a page cuts the first one off, and
whoever reads may read the old one; so tests press buttons and follow links by the functions below, which wait.
"""

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from weakref import WeakSet

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Locator,
    Page,
    Request,
    Response,
    sync_playwright,
)

from tests.support import programs

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
OURS = {"localhost", "127.0.0.1", "::1"}
PATIENCE = 30_000
"""Milliseconds: long, for a busy machine; a passing test never waits for them."""


_without_scripts: WeakSet[BrowserContext] = WeakSet()


class Watch:
    """What went wrong in the browsers of one test.

    That is: errors on the console (broken CSP among them), exceptions in scripts, answers 5xx, and requests
    that failed or left for another host.
    """

    def __init__(self) -> None:
        self._found: list[tuple[str, str]] = []
        self._forgiven: list[re.Pattern[str]] = []
        self._refused_pages: set[str] = set()

    def forgive(self, pattern: str) -> None:
        """Expect findings that match `pattern` (searched in their whole line)."""
        self._forgiven.append(re.compile(pattern))

    def attach(self, context: BrowserContext) -> None:
        """Watch everything that opens in `context`."""
        context.on("console", self._console)
        context.on("weberror", lambda error: self._add("", f"exception in a script: {error.error}"))
        context.on("request", self._request)
        context.on("response", self._response)
        context.on("requestfailed", self._failed)

    def findings(self) -> list[str]:
        """All that was found and not forgiven."""
        return [
            line
            for url, line in self._found
            # Chromium reports a page that answers 4xx as an error on the console; to refuse is daily work.
            if not (url in self._refused_pages and line.startswith("console error: Failed to load resource"))
            and not any(pattern.search(line) for pattern in self._forgiven)
        ]

    def check(self) -> None:
        """Raise AssertionError with the findings, if there are any."""
        findings = self.findings()
        if findings:
            raise AssertionError("the browser found:\n  " + "\n  ".join(findings))

    def _add(self, url: str, line: str) -> None:
        self._found.append((url, line))

    def _console(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            url = str(message.location.get("url", ""))
            self._add(url, f"console error: {message.text} ({url})")

    def _request(self, request: Request) -> None:
        address = urlsplit(request.url)
        if address.scheme in ("http", "https", "ws", "wss") and address.hostname not in OURS:
            self._add(request.url, f"request to another host: {request.method} {request.url}")

    def _response(self, response: Response) -> None:
        if response.status >= 500:
            self._add(response.url, f"answer {response.status}: {response.request.method} {response.url}")
        elif response.status >= 400 and response.request.is_navigation_request():
            self._refused_pages.add(response.url)

    def _failed(self, request: Request) -> None:
        # A download, or a page left while it loads, aborts its request: nothing is wrong with that.
        if request.failure != "net::ERR_ABORTED":
            self._add(request.url, f"request failed ({request.failure}): {request.method} {request.url}")


class Pages:
    """The pages of one test. Each call is another person's browser, with cookies of its own."""

    def __init__(self, browser: Browser) -> None:
        self.watch = Watch()
        self._browser = browser
        self._contexts: list[BrowserContext] = []

    def __call__(
        self,
        base_url: str,
        path: str | None = "/",
        *,
        dark: bool = False,
        width: int = 1280,
        height: int = 900,
        javascript: bool = True,
        phone: bool = False,
        clipboard: bool = False,
        **context: Any,
    ) -> Page:
        """A page at `base_url` + `path` (None: stay blank).

        `phone`: a small touch screen; `clipboard`: may use it; `context`: for Playwright's `new_context`.
        """
        options: dict[str, Any] = {
            "base_url": base_url,
            "color_scheme": "dark" if dark else "light",
            "java_script_enabled": javascript,
            "locale": "en-GB",
            "reduced_motion": "reduce",
            "viewport": {"width": width, "height": height},
        }
        if phone:
            options |= {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True}
            options |= {"device_scale_factor": 2}
        if clipboard:
            options |= {"permissions": ["clipboard-read", "clipboard-write"]}
        opened = self._browser.new_context(**(options | context))
        self._contexts.append(opened)
        if not javascript:
            _without_scripts.add(opened)
        opened.set_default_timeout(PATIENCE)
        self.watch.attach(opened)
        page = opened.new_page()
        if path is not None:
            page.goto(path)
        return page

    def live(self) -> list[Page]:
        """The pages that are open now."""
        return [page for context in self._contexts for page in context.pages]

    def screenshots(self, folder: Path, name: str) -> list[Path]:
        """A picture of every open page, for the report of a failed test."""
        folder.mkdir(parents=True, exist_ok=True)
        made = []
        for number, page in enumerate(self.live(), start=1):
            path = folder / f"{re.sub(r'[^A-Za-z0-9]+', '-', name).strip('-')}-{number}.png"
            page.screenshot(path=path, full_page=True)
            made.append(path)
        return made

    def close(self) -> None:
        """Close every page."""
        for context in self._contexts:
            context.close()
        self._contexts.clear()


@contextmanager
def chromium() -> Iterator[Browser]:
    """The system's Chromium, headless."""
    path = programs.find("chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS, headless=True)
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def leaving(page: Page) -> Iterator[None]:
    """What is done inside leads to another page: it goes on when that one has come."""
    with page.expect_navigation():
        yield


def press(page: Page, name: str | re.Pattern[str]) -> None:
    """Press a button that leads to another page, and wait for that."""
    with leaving(page):
        page.get_by_role("button", name=name, exact=True).first.click()


def follow(page: Page, name: str | re.Pattern[str]) -> None:
    """Follow a link (a part of its name will do), and wait for its page."""
    with leaving(page):
        page.get_by_role("link", name=name).first.click()


def enter(field: Locator) -> None:
    """Send a form by Enter in one of its fields, and wait for the page that answers."""
    with leaving(field.page):
        field.press("Enter")


def reload_until(page: Page, wanted: Locator, *, seconds: float = 60) -> None:
    """Load a page again until something that is on its way has come (a mail, say)."""
    deadline = time.monotonic() + seconds
    while not wanted.count():
        assert time.monotonic() < deadline, f"{wanted} has not come to {page.url}"
        page.wait_for_timeout(100)
        page.reload()


def axe(page: Page, *, except_rules: tuple[str, ...] = ()) -> None:
    """Fail where axe finds something serious or critical on the page as it is now."""
    if page.context in _without_scripts:
        raise ValueError("axe is a script: it would wait for ever on a page opened with javascript=False")
    results = Axe().run(page).response
    lines = [
        f"{found['impact']} {found['id']}: {found['help']}\n    " + "\n    ".join(_places(found))
        for found in results["violations"]
        if found["impact"] in ("serious", "critical") and found["id"] not in except_rules
    ]
    if lines:
        raise AssertionError(f"axe on {page.url}:\n  " + "\n  ".join(lines))


def _places(found: dict[str, Any]) -> list[str]:
    return [f"{' '.join(map(str, node['target']))}: {node['failureSummary']}" for node in found["nodes"]]
