"""Settings > Team as a work list, in Chromium without JavaScript: reminding those ticked, inviting by a CSV file."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page

from nightlatch.demo.people import OWNER
from tests.browser.test_every_page import code_of, sign_in
from tests.support.browser import Pages, press
from tests.support.server import Serve, Server

TEAM = "/w/acme/settings/team"


@pytest.fixture(scope="module")
def demo(serve_module: Serve) -> Server:
    """The demo world, running."""
    return serve_module("demo")


def dana(open_page: Pages, server: Server) -> Page:
    """The owner, signed in with both steps, in a browser that runs no scripts."""
    page = open_page(server.url, "/sign-in", javascript=False)
    sign_in(page, server, OWNER.email)
    page.wait_for_url("**/sign-in/second-step**")
    page.locator("[name=code]").fill(code_of(page.context.new_page(), server, OWNER.email))
    press(page, "Continue")
    page.wait_for_url("**/w/acme**")
    return page


def require(page: Page, server: Server) -> None:
    """From a date, as the page suggests it."""
    page.goto(f"{server.url}{TEAM}/authentication/on")
    page.get_by_label("From a date").check()
    press(page, "Require it")
    page.wait_for_url("**said=mandate-scheduled**")


def badges_break_once_at_most_in_a_wide_font(page: Page, server: Server) -> None:
    """In windows in which the table just fits, with the longest words in every badge; and nothing goes sideways."""
    page.goto(f"{server.url}{TEAM}?sort=-state")
    page.evaluate(_WIDE)
    for width in (1172, 1180, 1200, 1220, 1240, 1258, 1280):
        page.set_viewport_size({"width": width, "height": 900})
        lines, wide = page.evaluate(_MEASURED)
        assert lines < 2.5, f"a badge has {lines} lines at {width} px"
        assert wide <= width, f"the table makes the page {wide} px wide at {width} px"


def test_reminding_those_ticked_and_inviting_by_a_file(
    demo: Server, open_page: Pages, tmp_path: Path
) -> None:
    page = dana(open_page, demo)
    require(page, demo)
    page.goto(f"{demo.url}{TEAM}?two_factor=due&sort=due")
    boxes = page.locator(".pick input")
    assert boxes.count() > 2
    boxes.nth(0).check()
    boxes.nth(1).check()
    press(page, "Remind by mail")
    page.wait_for_url("**said=remind**")
    assert "by mail" in page.inner_text("main") or "within the last day" in page.inner_text("main")
    page.goto(f"{demo.url}{TEAM}?two_factor=due")
    page.get_by_label(re.compile("^Of all .* that match")).check()
    press(page, "Remind by mail")
    page.wait_for_url("**said=re**")

    badges_break_once_at_most_in_a_wide_font(page, demo)

    page.goto(f"{demo.url}{TEAM}/invite/csv")
    file = tmp_path / "people.csv"
    file.write_bytes(
        "\ufeffEmail;Role\r\nnew.one@example.com;member\r\nnobody\r\nben@acme.example;member\r\n".encode()
    )
    page.locator("[name=file]").set_input_files(file)
    press(page, "Send the invitations")
    report = page.inner_text("main")
    assert "1 invitation sent" in report
    assert "Cannot be read" in report
    assert "Here already" in report


_WIDE = """() => {
  document.querySelector(".team").style.letterSpacing = ".07em";
  document.querySelectorAll(".team td[data-label='2FA'] .badge > span").forEach((each) => {
    each.textContent = "No passkey yet";
    each.parentElement.after(" App, Recovery codes");
  });
}"""
_MEASURED = """() => {
  const lines = (each) => each.getBoundingClientRect().height / parseFloat(getComputedStyle(each).lineHeight);
  return [
    Math.max(...Array.from(document.querySelectorAll(".team .badge"), lines)),
    document.documentElement.scrollWidth,
  ];
}"""
