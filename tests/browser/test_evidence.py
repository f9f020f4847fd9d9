"""Evidence in Chromium: from the audit log to a past day, the file, and paper."""

import csv

import pytest

from nightlatch.demo.people import OWNER
from tests.browser.test_every_page import owner
from tests.support.browser import Pages, axe, follow, press
from tests.support.server import Serve, Server


@pytest.fixture(scope="module")
def demo(serve_module: Serve) -> Server:
    """The demo world, running: its workspace is 45 days old."""
    return serve_module("demo")


def test_evidence_is_looked_at_downloaded_and_printed(demo: Server, open_page: Pages) -> None:
    page = owner(open_page, demo)
    page.goto(demo.url + "/w/acme/settings/team/audit")
    follow(page, "Download evidence")
    today = page.locator("[name=on]").input_value()
    table = page.locator("table").first
    assert OWNER.email in table.inner_text()
    with page.expect_download() as download:
        page.get_by_role("link", name="Download as CSV").click()
    assert download.value.suggested_filename == f"evidence-acme-{today}.csv"
    with open(download.value.path(), newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file, strict=True))
    teammates = [row for row in rows if row["record"] == "teammate"]
    assert len(teammates) == table.locator("tbody tr").count()
    assert [row["reason"] for row in rows if row["record"] == "reset"]

    page.locator("[name=on]").fill("2999-01-01")
    press(page, "Show this day")
    assert "still to come" in page.inner_text("main")
    axe(page)
    page.locator("[name=on]").fill(next(row["since"] for row in rows if row["record"] == "workspace")[:10])
    press(page, "Show this day")
    assert "at the end of" in page.inner_text("h2 >> nth=0")
    assert page.locator("table").first.locator("tbody tr").count() < len(teammates)

    page.emulate_media(media="print")
    for hidden in ("nav[aria-label=Settings]", "[name=on]", "text=Download as CSV"):
        assert not page.locator(hidden).first.is_visible()
    assert page.get_by_role("heading", name="Teammates", exact=True).is_visible()
