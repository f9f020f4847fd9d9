"""A scheduled mandate, as people live it: the banner, a day's rest from it, and its instant passing while signed in."""

import re
from datetime import UTC, datetime

from playwright.sync_api import Page, expect

from nightlatch.demo.people import BEN
from tests.browser.test_every_page import look_at, owner, sign_in
from tests.support.browser import Pages, press
from tests.support.clockfile import ClockFile
from tests.support.server import Serve, Server

SWITCH = "/w/acme/settings/team/authentication"
DAY = 24 * 60 * 60


def schedule(dana: Page, server: Server, at: float) -> None:
    """Dana requires 2FA from an instant."""
    dana.goto(server.url + f"{SWITCH}/on")
    expect(dana.get_by_label("From a date")).to_be_checked()
    dana.locator("[name=from_at]").fill(f"{datetime.fromtimestamp(at, UTC):%Y-%m-%dT%H:%M}")
    press(dana, "Require it")
    dana.wait_for_url("**/authentication?said=mandate-scheduled")


def banner(page: Page) -> str:
    """What the banner says."""
    return page.get_by_text(re.compile("Acme.* asks you for 2FA")).first.inner_text()


def test_the_banner_its_snooze_and_the_instant_passing_while_signed_in(
    serve: Serve, clock_file: ClockFile, open_page: Pages
) -> None:
    server = serve("demo", environment=clock_file.environment)
    dana = owner(open_page, server)
    at = (clock_file.now() // 60) * 60 + 3 * DAY + 2 * 60 * 60
    schedule(dana, server, at)

    # Ben works as before, and sees how long he has; without scripts, too. A day's rest holds everywhere, and ends.
    ben = open_page(server.url, "/sign-in", javascript=False)
    sign_in(ben, server, BEN.email)
    ben.wait_for_url("**/w/acme**")
    assert "in 3 days and 1 hour, on" in banner(ben)
    ben.goto(server.url + "/settings/user")
    assert "in 3 days and 1 hour, on" in banner(ben)
    press(ben, "Remind me tomorrow")
    ben.wait_for_url("**/settings/user?said=snoozed")
    expect(ben.get_by_text("We remind you again tomorrow.")).to_be_visible()
    ben.goto(server.url + "/w/acme")
    expect(ben.get_by_text("asks you for 2FA")).to_have_count(0)

    # A day later it is back. The page that people look at, in both widths and schemes.
    clock_file.advance(DAY + 60)
    seen = open_page(server.url, "/sign-in")
    sign_in(seen, server, BEN.email)
    seen.wait_for_url("**/w/acme**")
    assert "in 2 days" in banner(seen)
    look_at(seen, "the banner", server.url + "/w/acme")
    dana = owner(open_page, server)
    dana.goto(server.url + f"{SWITCH}/progress")
    expect(dana.get_by_role("img", name=re.compile("set up; the table below"))).to_be_visible()
    look_at(dana, "progress", server.url + f"{SWITCH}/progress")
    look_at(dana, "the preview of another date", server.url + f"{SWITCH}/on")

    # On the last day it stays. The instant passes while he types: his next click leads to set-up, and back to it.
    clock_file.advance(at - clock_file.now() - 10 * 60)
    ben = open_page(server.url, "/sign-in")
    sign_in(ben, server, BEN.email)
    ben.wait_for_url("**/w/acme**")
    ben.goto(server.url + "/settings/user")
    assert re.search("in [5-9] minutes, on", banner(ben))
    expect(ben.get_by_role("button", name="Remind me tomorrow")).to_have_count(0)
    ben.get_by_label("Name", exact=True).fill("Benjamin Okafor")
    clock_file.advance(10 * 60)
    press(ben, "Save the name")
    ben.wait_for_url(re.compile(r"/set-up\?workspace=acme"))
    ben.goto(server.url + "/w/acme")
    ben.wait_for_url(re.compile(r"/set-up\?workspace=acme"))
