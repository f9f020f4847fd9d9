"""A form that the gate caught stands where it was, in Chromium: the page opens at it and says that it is not done."""

from playwright.sync_api import expect

from nightlatch.demo.people import BEN, PASSWORD
from tests.browser.test_every_page import look_at, sign_in
from tests.support.browser import Pages, press
from tests.support.clockfile import ClockFile
from tests.support.server import Serve


def test_the_page_opens_at_the_form(serve: Serve, open_page: Pages, clock_file: ClockFile) -> None:
    server = serve("demo", environment=clock_file.environment)
    ben = open_page(server.url, "/sign-in", width=390, height=700)
    sign_in(ben, server, BEN.email)
    ben.wait_for_url("**/w/acme**")
    ben.goto(server.url + "/settings/user")
    clock_file.advance(11 * 60)
    ben.get_by_label("New e-mail address").fill("ben@elsewhere.example")
    press(ben, "Change the address")
    expect(ben.get_by_role("heading", name="Confirm that it is you")).to_be_visible()
    ben.get_by_label("Password", exact=True).fill(PASSWORD)
    press(ben, "Confirm")
    expect(ben.get_by_label("New e-mail address")).to_have_value("ben@elsewhere.example")
    said = ben.get_by_text("This is not done yet: press the button once more.")
    expect(said).to_be_in_viewport()
    expect(ben.get_by_label("New e-mail address")).to_be_in_viewport()
    assert ben.evaluate("document.activeElement.id") == "caught"
    look_at(ben, "a form that was caught")
    press(ben, "Change the address")
    expect(ben.get_by_text("Check your new mailbox")).to_be_visible()
