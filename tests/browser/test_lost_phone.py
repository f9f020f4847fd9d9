"""A phone is lost, in Chromium: asked for help, the admin is warned and calls, disables; back with the number."""

import re
from urllib.parse import parse_qs, urlsplit

from playwright.sync_api import Page, expect

from nightlatch.demo.people import ANA, OWNER
from tests.browser.test_every_page import code_of, look_at, sign_in
from tests.support import oath, qr
from tests.support.browser import Pages, enter, follow, press, reload_until
from tests.support.server import Serve, Server


def mail_to(page: Page, server: Server, address: str, subject: str) -> str:
    """Open the newest mail in the demo's inbox; the first link in it."""
    page.goto(f"{server.url}/demo/inbox?to={address}")
    reload_until(page, page.get_by_role("link", name=subject))  # the drain is on its way
    follow(page, subject)
    return page.locator(".ways a").first.get_attribute("href") or ""


def test_lost_asked_warned_disabled_and_back_with_the_number(serve: Serve, open_page: Pages) -> None:
    server = serve("demo")
    ana, dana = open_page(server.url, "/sign-in"), open_page(server.url, "/sign-in")
    inbox = open_page(server.url, "/demo/inbox")

    sign_in(ana, server, ANA.email)
    ana.wait_for_url("**/sign-in/second-step**")
    follow(ana, "I have lost my phone, or it is new")
    expect(ana.get_by_role("heading", name="Ask an admin")).to_be_visible()
    press(ana, "Ask them")
    expect(ana.get_by_text("They will contact you another way. Nobody from")).to_be_visible()
    look_at(ana, "the lost-device page, asked", ana.url)
    not_me = mail_to(inbox, server, ANA.email, "The admins were asked to help you sign in")
    inbox.goto(not_me)
    expect(inbox.get_by_role("button", name="This was not me")).to_be_visible()
    look_at(inbox, "not me")

    sign_in(dana, server, OWNER.email)
    dana.wait_for_url("**/sign-in/second-step**")
    dana.locator("[name=code]").press_sequentially(code_of(dana.context.new_page(), server, OWNER.email))
    enter(dana.locator("[name=code]"))
    dana.wait_for_url("**/w/acme**")
    dana.goto(mail_to(inbox, server, OWNER.email, "Somebody asks for help to sign in to"))
    expect(dana.get_by_text("Somebody with this teammate's password asks")).to_be_visible()
    expect(dana.get_by_text("Call them on a number you already had.")).to_be_visible()
    look_at(dana, "who asks for help", dana.url)
    follow(dana, "It is really them: disable 2FA")
    expect(dana.get_by_text("Somebody with this teammate's password asks")).to_be_visible()
    dana.locator("[name=reason]").fill("Lost phone and codes")
    dana.locator("[name=recognised_by]").select_option("phone")
    press(dana, "Disable 2FA")
    shown = dana.locator("main").inner_text()
    number = "".join(re.search(r"(\d{4})\s+(\d{4})", shown).groups())  # type: ignore[union-attr]
    dana.goto(server.url + "/w/acme/settings/team/help-requests")
    expect(dana.get_by_text("Nobody asks at the moment.")).to_be_visible()

    ana.context.clear_cookies()
    sign_in(ana, server, ANA.email)
    ana.wait_for_url("**/workspaces**")  # Acme asks for nothing now, the other workspace of hers still does
    ana.goto(mail_to(inbox, server, ANA.email, "2FA was turned off for your account in"))
    ana.locator("[name=number]").fill(number)
    press(ana, "Set up 2FA now")
    picture = ana.get_by_role("img", name=re.compile("QR code")).screenshot()
    secret = parse_qs(urlsplit(qr.read(picture)).query)["secret"][0]
    ana.locator("[name=code]").press_sequentially(oath.totp(secret))
    enter(ana.locator("[name=code]"))
    ana.get_by_label("I can get at these codes without my phone").check()
    press(ana, "Continue")
    ana.goto(server.url + "/w/acme")
    expect(ana).to_have_url(re.compile("/w/acme$"))
