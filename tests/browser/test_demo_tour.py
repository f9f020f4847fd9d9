"""The tour of the README in the product beside the demo world: `make run`, then what a newcomer does by hand."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from nightlatch.demo.people import BEN, OWNER, PASSWORD
from tests.support.browser import Pages, enter, follow, press, reload_until
from tests.support.demo_pair import DemoPair


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[DemoPair]:
    """Running."""
    made = DemoPair(tmp_path)
    made.start()
    yield made
    made.close()


def _sign_in(page: Page, email: str) -> None:
    page.get_by_label("E-mail address").fill(email)
    page.get_by_label("Password").fill(PASSWORD)
    press(page, "Sign in")


def _code(phone: Page, email: str) -> str:
    """What the phone shows under Acme Notes."""
    phone.reload()
    entry = phone.locator(".accounts > li", has_text="Acme Notes").filter(has_text=email)
    return re.sub(r"\D", "", entry.locator("[data-secret]").inner_text())


def test_the_switch_bites_on_a_real_page(pair: DemoPair, open_page: Pages) -> None:
    phone = open_page(pair.nightlatch, "/demo/phone")
    dana = open_page(pair.acme, "/sign-in")
    _sign_in(dana, OWNER.email)
    dana.get_by_label("code").press_sequentially(_code(phone, OWNER.email))
    press(dana, "Continue")
    dana.wait_for_url(re.compile("/t/lighthouse/notes$"))
    ben = open_page(pair.acme, "/sign-in")
    _sign_in(ben, BEN.email)
    ben.wait_for_url(re.compile("/t/lighthouse/notes$"))
    follow(ben, "New note")
    ben.get_by_label("Title").fill("What Ben typed")

    follow(dana, re.compile("^Team$"))
    follow(dana, "Two-factor authentication")
    follow(dana, "Require all teammates")
    dana.get_by_label("Now", exact=True).check()
    press(dana, "Require it")
    expect(dana.get_by_text("2FA is now required").first).to_be_visible()

    press(ben, "Save the note")
    press(ben, "Mail me the link")
    inbox = open_page(pair.nightlatch, f"/demo/inbox?to={BEN.email}")
    reload_until(inbox, inbox.get_by_role("link", name="one tap to go on"))
    follow(inbox, "one tap to go on")
    ben.goto(str(inbox.locator(".ways a").first.get_attribute("href")))
    press(ben, "Set up 2FA now")
    ben.locator("#key").wait_for(state="attached")
    phone.reload()
    expect(phone.locator("li", has_text="Acme Notes").filter(has_text=BEN.email).first).to_be_visible()
    press(phone, re.compile("^Scan"))
    ben.locator("[name=code]").press_sequentially(_code(phone, BEN.email))
    enter(ben.locator("[name=code]"))
    ben.get_by_label("I can get at these codes without my phone").check()
    press(ben, "Continue")
    expect(ben.get_by_label("Title")).to_have_value("What Ben typed")
    press(ben, "Send it now")
    ben.wait_for_url(re.compile("/t/lighthouse/notes$"))
    expect(ben.get_by_role("link", name="What Ben typed")).to_be_visible()
