"""Passkeys alone, rolled out in Chromium: who has an app is led to a passkey, and who lost it to a new one."""

import re
from urllib.parse import urlsplit

from playwright.sync_api import Page, expect

from nightlatch.demo.people import ADMIN, OWNER
from tests.browser.test_every_page import code_of, look_at, sign_in
from tests.support.browser import Pages, enter, follow, press
from tests.support.clockfile import ClockFile
from tests.support.passkeys import ChromiumPasskeys
from tests.support.server import Serve, Server

SWITCH = "/w/acme/settings/team/authentication"


def by_app(page: Page, server: Server, email: str) -> None:
    """The password, and the code that the demo's phone shows."""
    sign_in(page, server, email)
    page.wait_for_url("**/sign-in/second-step**")
    phone = page.context.new_page()
    page.locator("[name=code]").press_sequentially(code_of(phone, server, email))
    enter(page.locator("[name=code]"))
    phone.close()


def add_passkey(page: Page, server: Server) -> None:
    """By the settings."""
    page.goto(f"{server.url}/settings/user")
    follow(page, "Add a passkey")
    press(page, "Set up a passkey")
    page.wait_for_url("**/settings/user**")


def passkeys_only_now(page: Page, server: Server) -> None:
    """The owner turns 2FA on, taking passkeys alone, from this moment."""
    page.goto(f"{server.url}{SWITCH}/on")
    page.locator("[name=when][value=now]").check()
    page.locator("[name=strength][value=phishing_resistant]").check()
    press(page, "Require it")
    expect(page.get_by_text("Passkeys only").first).to_be_visible()


def test_passkeys_alone_rolled_out(serve: Serve, open_page: Pages, clock_file: ClockFile) -> None:
    server = serve("demo", environment=clock_file.environment)
    dana, priya = open_page(server.url, "/sign-in"), open_page(server.url, "/sign-in")
    ChromiumPasskeys(dana)
    device = ChromiumPasskeys(priya)
    by_app(dana, server, OWNER.email)
    dana.wait_for_url("**/w/acme**")
    add_passkey(dana, server)
    by_app(priya, server, ADMIN.email)
    priya.wait_for_url("**/w/acme**")
    priya.goto(f"{server.url}/w/acme/settings/team/invite")
    priya.locator("[name=emails]").fill("nia@acme.example")

    passkeys_only_now(dana, server)

    press(priya, re.compile("^Send|^Invite"))
    expect(priya.get_by_role("heading", name="Set up a passkey to continue")).to_be_visible()
    expect(priya.get_by_text("With an authenticator app")).to_have_count(0)
    look_at(priya, "set-up where a passkey alone satisfies", priya.url)
    press(priya, "Set up a passkey")
    expect(priya.locator("[name=emails]")).to_have_value("nia@acme.example")
    assert len(device.credentials()) == 1

    device.present(there=False)
    clock_file.advance(60)
    priya.context.clear_cookies()
    by_app(priya, server, ADMIN.email)
    priya.goto(f"{server.url}/w/acme")
    assert urlsplit(priya.url).path == "/sign-in/second-step"
    expect(priya.get_by_role("heading", name="Confirm with your passkey")).to_be_visible()
    expect(priya.locator("[name=code]")).to_have_count(0)
    device.present(there=True)
    press(priya, "Use my passkey")
    priya.wait_for_url("**/w/acme**")
