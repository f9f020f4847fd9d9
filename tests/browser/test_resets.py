"""An owner who is locked out, or said to be: the reset waits, and a code, the mailed page or a second owner decides."""

import re
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from nightlatch.instants import DAY, SECOND
from tests.browser.people import link_in
from tests.support import browser
from tests.support.browser import Pages, axe
from tests.support.server import Serve
from tests.support.smtp import MailServer
from tests.support.visitor import resident
from tests.support.world import PASSWORD, Person, World

TEAM = "/w/acme/settings/team"


@dataclass
class Somebody:
    """At their browser, with their phone."""

    world: World
    person: Person
    seed: bytes
    page: Page
    url: str

    def open(self, path: str) -> None:
        self.page.goto(self.url + path)

    def press(self, name: str) -> None:
        browser.press(self.page, re.compile(name))

    def sees(self, text: str) -> None:
        expect(self.page.get_by_text(text).first).to_be_visible()

    def password(self) -> None:
        self.open("/sign-in?again=1")
        self.page.get_by_label("E-mail address").fill(self.person.email)
        self.page.locator("[name=password]").fill(PASSWORD)
        self.press("Continue")
        self.page.locator("[name=code]").wait_for()

    def code(self) -> None:
        self.world.wait(31 * SECOND)
        self.page.locator("[name=code]").press_sequentially(self.world.code(self.seed))
        browser.enter(self.page.locator("[name=code]"))

    def sign_in(self) -> None:
        self.password()
        self.code()
        self.page.wait_for_url(re.compile(r"/(w/acme|workspaces)?(\?.*)?$"))


class Acme:
    """Two owners and an admin of long standing, all with 2FA, which is required."""

    def __init__(self, world: World, serve: Serve, mail: MailServer, pages: Pages) -> None:
        self.world, self.mail = world, mail
        people = {name: resident(world, name) for name in ("Olga", "Otto", "Ada")}
        seeds = {name: world.bind_totp(each)[1] for name, each in people.items()}
        acme = world.workspace("acme", owner=[people["Olga"], people["Otto"]], admin=people["Ada"])
        world.require(acme)
        world.wait(8 * DAY)
        server = serve(
            environment={
                "NIGHTLATCH_DATABASE_URL": world.url,
                "NIGHTLATCH_KEYS": world.keys.to_text(),
                "NIGHTLATCH_TEST_CLOCK": str(world.clock_file),
                "NIGHTLATCH_MAIL": mail.url,
            }
        )
        self.olga, self.otto, self.ada = (
            Somebody(world, people[name], seeds[name], pages(server.url, "/help"), server.url)
            for name in ("Olga", "Otto", "Ada")
        )

    def ada_asks(self) -> str:
        """For Olga; the number that she is shown."""
        ada = self.ada
        ada.sign_in()
        ada.open(f"{TEAM}?q=olga")
        ada.page.get_by_text("Actions for Olga").locator("..").click()
        browser.follow(ada.page, "Disable 2FA")
        ada.sees("It will not happen at once")
        axe(ada.page)
        ada.page.get_by_label("Reason").fill("Lost phone")
        ada.page.get_by_label("How did you make sure").select_option("phone")
        ada.press("Ask to disable 2FA")
        ada.sees("Turning off the 2FA of Olga waits")
        axe(ada.page)
        return re.sub(r"\D", "", ada.page.locator(".digits").inner_text())

    def newest(self, who: Somebody, subject: str) -> str:
        return link_in(self.mail.wait_for(who.person.email, subject))


@pytest.fixture
def acme(sqlite_url: str, tmp_path: Path, serve: Serve, mail_server: MailServer, open_page: Pages) -> Acme:
    return Acme(World(sqlite_url, tmp_path), serve, mail_server, open_page)


def test_the_owner_signs_in_and_that_cancels_it_and_the_next_needs_a_second_owner(acme: Acme) -> None:
    acme.ada_asks()
    olga, otto = acme.olga, acme.otto
    olga.password()
    olga.sees("Somebody asked to turn off your 2FA in Acme")
    olga.code()
    olga.page.wait_for_url(re.compile(r"/(w/acme|workspaces)?(\?.*)?$"))
    olga.open("/w/acme/reset")
    olga.sees("is as it was")
    acme.mail.wait_for(acme.ada.person.email, "2FA stays on")

    # Asked for again: her code no longer stops it, she is warned, and Otto, whom she knows, approves or stops it.
    acme.world.wait(DAY)
    acme.ada.sign_in()
    acme.ada.open(f"{TEAM}?q=olga")
    acme.ada.page.get_by_text("Actions for Olga").locator("..").click()
    browser.follow(acme.ada.page, "Disable 2FA")
    acme.ada.sees("only when a second owner approves it")
    acme.ada.page.get_by_label("Reason").fill("Lost phone, this time really")
    acme.ada.page.get_by_label("How did you make sure").select_option("phone")
    acme.ada.press("Ask to disable 2FA")
    acme.ada.sees("It is done when a second owner approves it")
    number = re.sub(r"\D", "", acme.ada.page.locator(".digits").inner_text())
    olga.sign_in()
    olga.open("/w/acme")
    olga.sees("Somebody asked to turn off your 2FA in Acme")
    browser.follow(olga.page, "look at it and stop it")
    olga.sees("this one is up to the owners")
    axe(olga.page)

    # With approval: done at once, and Olga comes back by her mail and the number.
    otto.sign_in()
    otto.page.goto(acme.newest(otto, "2FA is to be turned off"))
    otto.sees("Lost phone, this time really")
    axe(otto.page)
    otto.press("Approve")
    otto.sees("Approved")
    link = acme.newest(olga, "2FA was turned off for your account")
    olga.page.context.clear_cookies()
    olga.page.goto(link)
    browser.follow(olga.page, "Sign in")
    olga.page.get_by_label("E-mail address").fill(olga.person.email)
    olga.page.locator("[name=password]").fill(PASSWORD)
    olga.press("Continue")
    olga.page.locator("[name=number]").fill(number)
    browser.enter(olga.page.locator("[name=number]"))
    olga.page.wait_for_url(re.compile(r"/set-up"))


def test_the_mailed_page_stops_it_signed_out_and_only_its_button_does(acme: Acme) -> None:
    acme.ada_asks()
    olga = acme.olga
    link = acme.newest(olga, "Somebody asked to turn off your 2FA")
    for _ in range(3):
        olga.page.goto(link)
        olga.sees("Keep your 2FA on?")
    axe(olga.page)
    olga.press("Stop it: my 2FA stays on")
    olga.sees("Stopped: your 2FA stays on")
    axe(olga.page)
    acme.mail.wait_for(acme.otto.person.email, "2FA stays on")
    olga.page.goto(link)
    olga.sees("There is nothing to do")


def test_an_owner_stops_it_and_after_72_hours_of_silence_it_is_done(acme: Acme) -> None:
    acme.ada_asks()
    otto = acme.otto
    otto.sign_in()
    otto.open(f"{TEAM}/resets")
    otto.press("Stop it")
    otto.sees("Stopped: 2FA stays on")
    acme.ada_asks()
    acme.world.wait(3 * DAY + 60 * SECOND)
    acme.newest(acme.olga, "2FA was turned off for your account")
    acme.ada.sign_in()
    acme.ada.open(f"{TEAM}?q=olga")
    acme.ada.sees("Setting up again")
