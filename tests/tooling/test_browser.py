"""The browser's watch: it sees what goes wrong on a page, and nothing where all is well."""

import http.server
import threading
from collections.abc import Iterator

import pytest

from tests.support.browser import Pages, axe

PAGES = {
    "/good": (200, '<!doctype html><html lang="en"><title>Good</title><main><h1>Good</h1></main></html>', {}),
    "/refused": (422, '<!doctype html><html lang="en"><title>No</title><main><h1>No</h1></main></html>', {}),
    "/broken": (500, '<!doctype html><html lang="en"><title>Oh</title><h1>Oh</h1></html>', {}),
    "/inline": (
        200,
        "<!doctype html><title>Inline</title><script>document.title = 'ran'</script>",
        {"Content-Security-Policy": "default-src 'self'"},
    ),
    "/strict": (
        200,
        '<!doctype html><html lang="en"><title>Strict</title><main><h1>Strict</h1></main></html>',
        {"Content-Security-Policy": "default-src 'none'; require-trusted-types-for 'script'; trusted-types"},
    ),
    "/throws": (200, "<!doctype html><title>Throws</title><script>throw new Error('ouch')</script>", {}),
    "/missing-part": (200, "<!doctype html><title>Part</title><img src=/nowhere.png>", {}),
    "/elsewhere": (200, "<!doctype html><title>Else</title><img src=http://203.0.113.1/x.png>", {}),
    "/pale": (
        200,
        '<!doctype html><html lang="en"><title>Pale</title><main><h1 style="color:#ddd">Pale</h1></main>',
        {},
    ),
}


class _Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        status, body, headers = PAGES.get(self.path, (404, "", {}))
        self.send_response(status)
        for name, value in {"Content-Type": "text/html", "Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *args: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Handler) as server:
        PAGES["/favicon.ico"] = (200, "", {})
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://localhost:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("javascript", [True, False])
def test_nothing_is_wrong_with_a_good_page_or_one_that_refuses(open_page: Pages, site: str, javascript: bool):
    page = open_page(site, "/good", javascript=javascript)
    assert page.title() == "Good"
    page.goto("/refused")
    open_page.watch.check()


@pytest.mark.parametrize(
    "path, finding",
    [
        ("/broken", "answer 500"),
        ("/inline", "Content Security Policy"),
        ("/throws", "ouch"),
        ("/missing-part", "404"),
        ("/elsewhere", "request to another host"),
    ],
)
def test_the_watch_sees(open_page: Pages, site: str, path: str, finding: str):
    open_page(site, path)
    with pytest.raises(AssertionError, match=finding):
        open_page.watch.check()
    open_page.watch.forgive(".")
    open_page.watch.check()


def test_axe_finds_what_people_cannot_read(open_page: Pages, site: str):
    axe(open_page(site, "/good", dark=True, phone=True))
    axe(open_page(site, "/strict"))
    with pytest.raises(AssertionError, match="color-contrast"):
        axe(open_page(site, "/pale"))


def test_axe_needs_scripts(open_page: Pages, site: str):
    with pytest.raises(ValueError, match="javascript=False"):
        axe(open_page(site, "/good", javascript=False))
