"""Passkeys alone, rolled out in Chromium: who has an app is led to a passkey, and who lost it to a new one."""

import re
from urllib.parse import urlsplit

from playwright.sync_api import Page, expect

from nightlatch.demo.people import ADMIN, CHEN, OWNER
from tests.browser.test_every_page import code_of, look_at, sign_in
from tests.support.browser import Pages, enter, follow, press, reload_until
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


def with_codes_kept(page: Page) -> None:
    """Past the recovery codes."""
    page.get_by_label("I can get at these codes without that device").check()
    press(page, "Continue")


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


def newest_mail(page: Page, server: Server, address: str, subject: str) -> str:
    """The first link of the newest mail about something."""
    page.goto(f"{server.url}/demo/inbox?to={address}")
    reload_until(page, page.get_by_role("link", name=subject))
    follow(page, subject)
    return page.locator(".ways a").first.get_attribute("href") or ""


def test_a_lost_passkey_is_made_up_for_by_a_recovery_code(serve: Serve, open_page: Pages) -> None:
    """Chen has never set up anything: a passkey alone, by the mailed link; lost, a recovery code leads to the next."""
    server = serve("demo")
    dana, chen = open_page(server.url, "/sign-in"), open_page(server.url, "/sign-in")
    ChromiumPasskeys(dana)
    lost = ChromiumPasskeys(chen)
    by_app(dana, server, OWNER.email)
    dana.wait_for_url("**/w/acme**")
    add_passkey(dana, server)
    passkeys_only_now(dana, server)

    sign_in(chen, server, CHEN.email)
    expect(chen.get_by_role("heading", name="Set up a passkey to continue")).to_be_visible()
    press(chen, "Mail me the link")
    chen.goto(newest_mail(open_page(server.url, "/demo/inbox"), server, CHEN.email, "Set up a passkey"))
    chen.locator("main").get_by_role("button").first.click()
    chen.wait_for_url("**/set-up**")
    expect(chen.get_by_text("With an authenticator app")).to_have_count(0)
    press(chen, "Set up a passkey")
    code = chen.locator("#codes li").first.inner_text()
    with_codes_kept(chen)
    chen.wait_for_url("**/w/acme**")

    lost.present(there=False)
    chen.context.clear_cookies()
    sign_in(chen, server, CHEN.email)
    chen.wait_for_url("**/sign-in/second-step**")
    follow(chen, re.compile("lost|another way", re.IGNORECASE))
    chen.locator("[name=recovery_code]").fill(code)
    press(chen, "Continue")
    expect(chen.get_by_role("heading", name="You are signed in")).to_be_visible()
    chen.goto(f"{server.url}/w/acme")
    expect(chen.get_by_role("heading", name="Set up a passkey to continue")).to_be_visible()
    lost.forget()
    lost.present(there=True)
    press(chen, "Set up a passkey")
    chen.goto(f"{server.url}/w/acme")
    assert urlsplit(chen.url).path == "/w/acme"
    assert len(lost.credentials()) == 1
