"""Passkeys in Chromium, with its virtual authenticator: set up, signed in with, in the middle of an act, removed."""

import re

from playwright.sync_api import Page, expect

from nightlatch.demo.people import ADMIN, BEN, OWNER
from tests.browser.test_every_page import code_of, look_at, sign_in
from tests.support.browser import Pages, follow, leaving, reload_until
from tests.support.clockfile import ClockFile
from tests.support.passkeys import ChromiumPasskeys
from tests.support.server import Serve, Server


def press(page: Page, name: str) -> None:
    """Press a button."""
    page.get_by_role("button", name=name, exact=True).first.click()


def with_code(page: Page, server: Server, email: str) -> None:
    """Sign in with the password and the code that the demo's phone shows."""
    sign_in(page, server, email)
    page.wait_for_url("**/sign-in/second-step**")
    phone = page.context.new_page()
    page.locator("[name=code]").press_sequentially(code_of(phone, server, email))
    page.locator("[name=code]").press("Enter")
    page.wait_for_url("**/w/acme**")
    phone.close()


def add_passkey(page: Page, server: Server) -> None:
    """By the settings, where 2FA is on already."""
    page.goto(f"{server.url}/settings/user")
    page.get_by_role("link", name="Add a passkey").click()
    press(page, "Set up a passkey")
    page.wait_for_url("**/settings/user**")
    expect(page.get_by_text("Passkey, Chrom").first).to_be_visible()


def sign_out(page: Page) -> None:
    """Out."""
    page.get_by_text("Priya Nair").first.click()  # the menu
    press(page, "Sign out")
    page.wait_for_url("**/sign-in**")


def test_enrolled_used_and_removed(serve: Serve, open_page: Pages, clock_file: ClockFile) -> None:
    server = serve("demo", environment=clock_file.environment)
    priya = open_page(server.url, "/sign-in")
    device = ChromiumPasskeys(priya)
    with_code(priya, server, ADMIN.email)
    add_passkey(priya, server)
    assert len(device.credentials()) == 1
    look_at(priya, "settings with a passkey")
    priya.set_viewport_size({"width": 1280, "height": 900})

    priya.get_by_text("Call it something else").last.click()
    priya.locator("[name=name]").nth(1).fill("Priya's laptop")
    priya.get_by_role("button", name=re.compile("^Save the name of")).last.click()
    expect(priya.get_by_text("It has its new name.")).to_be_visible()

    device.present(there=False)
    sign_out(priya)
    sign_in(priya, server, ADMIN.email)
    priya.wait_for_url("**/sign-in/second-step**")
    expect(priya.get_by_role("heading", name="Confirm with your passkey")).to_be_visible()
    look_at(priya, "the second step with a passkey", priya.url)
    priya.set_viewport_size({"width": 1280, "height": 900})
    device.present(there=True)
    press(priya, "Use my passkey")
    priya.wait_for_url("**/w/acme**")

    priya.goto(f"{server.url}/settings/user")
    priya.locator("li", has_text="Passkey ·").get_by_role("link", name="Remove").click()
    expect(priya.get_by_role("heading", name="Remove this passkey?")).to_be_visible()
    press(priya, "Remove it")
    priya.wait_for_url(
        "**/sign-in/second-step**"
    )  # what this session showed is gone: the other one is asked for
    clock_file.advance(60)
    phone = priya.context.new_page()
    priya.locator("[name=code]").press_sequentially(code_of(phone, server, ADMIN.email))
    priya.locator("[name=code]").press("Enter")
    expect(priya.get_by_text("It is removed.")).to_be_visible()
    for _ in range(40):  # the browser takes it off its own list, by the signal that the page sends
        if not device.credentials():
            break
        priya.wait_for_timeout(100)
    assert device.credentials() == []


def test_signed_in_with_a_passkey_from_the_e_mail_field(serve: Serve, open_page: Pages) -> None:
    server = serve("demo")
    priya = open_page(server.url, "/sign-in")
    device = ChromiumPasskeys(priya)
    with_code(priya, server, ADMIN.email)
    add_passkey(priya, server)
    device.present(there=False)
    sign_out(priya)
    expect(priya.locator("[name=email]")).to_have_attribute("autocomplete", "username webauthn")
    expect(priya.get_by_role("button", name="Sign in with a passkey")).to_be_visible()
    device.present(there=True)
    priya.reload(wait_until="commit")  # the passkey may be shown before the page has loaded
    priya.wait_for_url("**/w/acme**")  # neither e-mail, password nor code was typed


def test_a_step_up_in_the_middle_of_disabling_a_teammates_2fa(
    serve: Serve, open_page: Pages, clock_file: ClockFile
) -> None:
    server = serve("demo", environment=clock_file.environment)
    dana = open_page(server.url, "/sign-in")
    ChromiumPasskeys(dana)
    with_code(dana, server, OWNER.email)
    add_passkey(dana, server)
    clock_file.advance(31 * 60)
    dana.goto(f"{server.url}/w/acme/settings/team?q=ana")
    dana.locator("summary", has_text="Actions for Ana Silva").click()
    dana.get_by_role("link", name="Disable 2FA").first.click()
    dana.locator("[name=reason]").fill("Lost phone and codes")
    dana.locator("[name=recognised_by]").select_option("phone")
    dana.locator("form", has=dana.locator("[name=reason]")).get_by_role("button").last.click()
    dana.wait_for_url("**/step-up**")
    expect(dana.get_by_role("heading", name="Confirm that it is you")).to_be_visible()
    expect(dana.get_by_text("Use a code from your authenticator app")).to_have_count(0)
    look_at(dana, "stepping up with a passkey", dana.url)
    dana.set_viewport_size({"width": 1280, "height": 900})
    press(dana, "Use my passkey")
    dana.wait_for_url("**/disable**")
    expect(dana.locator("[name=reason]")).to_have_value("Lost phone and codes")
    dana.locator("form", has=dana.locator("[name=reason]")).get_by_role("button").last.click()
    expect(dana.get_by_text("Read this out to Ana Silva")).to_be_visible()


def test_a_newcomer_on_a_phone_satisfies_the_mandate_with_a_passkey_alone(
    serve: Serve, open_page: Pages
) -> None:
    server = serve("demo")
    dana = open_page(server.url, "/sign-in")
    with_code(dana, server, OWNER.email)
    dana.goto(f"{server.url}/w/acme/settings/team/authentication/on")
    dana.get_by_label("Now", exact=True).check()
    with leaving(dana):
        press(dana, "Require it")
    expect(dana.get_by_text("2FA is now required").first).to_be_visible()
    ben = open_page(
        server.url,
        "/sign-in",
        phone=True,
        user_agent="Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 Chrome/140.0 Mobile Safari/537.36",
    )
    device = ChromiumPasskeys(ben)
    sign_in(ben, server, BEN.email)
    ben.wait_for_url("**/set-up**")
    with leaving(ben):
        press(ben, "Mail me the link")
    inbox = open_page(server.url, f"/demo/inbox?to={BEN.email}")
    reload_until(inbox, inbox.get_by_role("link", name=re.compile("Set up 2FA")))
    follow(inbox, re.compile("Set up 2FA"))
    ben.goto(inbox.locator(".ways a").first.get_attribute("href") or "")
    ben.locator("main").get_by_role("button").first.click()
    ben.wait_for_url("**/set-up**")
    first = ben.locator("main h2").first
    expect(first).to_have_text("With a passkey, on this phone")
    press(ben, "Set up a passkey")
    expect(ben.get_by_text("2FA is on. Your passkey works.")).to_be_visible()
    ben.get_by_label("I can get at these codes without that device").check()
    press(ben, "Continue")
    ben.wait_for_url("**/w/acme**")
    assert len(device.credentials()) == 1


def test_nobody_there_says_so_and_without_scripts_the_page_does(serve: Serve, open_page: Pages) -> None:
    server = serve("demo")
    plain = open_page(server.url, "/sign-in", javascript=False)
    expect(
        plain.get_by_text("A passkey takes JavaScript, and a browser that knows passkeys.")
    ).to_be_visible()
    expect(plain.get_by_role("button", name="Sign in with a passkey")).to_have_count(0)
    stranger = open_page(server.url, None)
    ChromiumPasskeys(stranger)
    stranger.goto("/sign-in")
    press(stranger, "Sign in with a passkey")
    expect(stranger.get_by_text("No passkey was used. You can try again.")).to_be_visible()
    look_at(stranger, "the sign-in page", stranger.url)
