"""People of Acme Notes at their browsers: what they do at the product, and at Nightlatch behind it."""

import re
from dataclasses import dataclass
from typing import Any

from playwright.sync_api import Page, expect

from tests.browser.people import Teammate, link_in
from tests.support.acme_notes import AcmeNotes
from tests.support.browser import Pages
from tests.support.clockfile import ClockFile
from tests.support.server import Server
from tests.support.smtp import MailServer

PASSWORD = "walnut harbour kettle"


@dataclass
class House:
    """Acme Notes, Nightlatch behind it, the mail of both."""

    acme: AcmeNotes
    nightlatch: Server
    mail: MailServer
    clock: ClockFile
    nightlatch_url: str = ""
    """Where browsers reach it."""

    def __post_init__(self) -> None:
        self.nightlatch_url = self.nightlatch_url or self.nightlatch.url


class Guest(Teammate):
    """Somebody at a product, with a browser, a mailbox and perhaps a phone; `nightlatch_url` is behind it."""

    nightlatch_url: str

    def at_nightlatch(self, path: str) -> None:
        """Wait until a page of Nightlatch is open."""
        self.page.wait_for_url(re.compile(re.escape(self.nightlatch_url + path) + r"(\?.*)?$"))

    def set_up(self) -> None:
        """From "set up 2FA" by the mailbox to the ten codes; it ends where they were going."""
        self.at_nightlatch("/set-up")
        self.press("Mail me the link")
        self.page.goto(link_in(self.newest_mail("one tap to go on")))
        self.press("Set up 2FA now")
        self.scan_and_confirm()
        self.keep_recovery_codes()

    def show_code(self) -> None:
        """The second step."""
        self.at_nightlatch("/sign-in/second-step")
        self.enter_code(self.code())


class Person(Guest):
    """Somebody of Acme Notes; `team` is the id of their team."""

    def __init__(self, house: House, page: Page, email: str, name: str) -> None:
        super().__init__(page, house.acme.url, email, name, house.mail, house.clock)
        self.house = house
        self.nightlatch_url = house.nightlatch_url
        self.team = ""
        self.password = PASSWORD

    def elsewhere(self, page: Page) -> "Person":
        """The same person with another browser: the same mailbox, phone and password."""
        other = Person(self.house, page, self.email, self.name)
        other.team, other.secret, other.password = self.team, self.secret, self.password
        return other

    # --- at the product ---

    def sign_up(self, *, team_name: str = "", code: str = "") -> None:
        """A new account, in a new team or in one that an invite code opens."""
        self.open("/sign-up")
        self.page.get_by_label("Your name").fill(self.name)
        self.page.get_by_label("E-mail address").fill(self.email)
        self.page.get_by_label("Password").fill(self.password)
        self.page.get_by_label("Invite code").fill(code)
        self.page.get_by_label("name of a new team").fill(team_name)
        self.press("Sign up")

    def sign_in(self) -> None:
        """E-mail address and password, at the product."""
        self.open("/sign-in")
        self.fill_in_sign_in()

    def fill_in_sign_in(self) -> None:
        """On the product's sign-in page."""
        self.page.get_by_label("E-mail address").fill(self.email)
        self.page.get_by_label("Password").fill(self.password)
        self.press("Sign in")

    def sign_out(self) -> None:
        """Out of the product."""
        self.open("/")
        self.press("Sign out")
        self.at("/")

    def in_team(self, rest: str) -> str:
        """A path of the team."""
        return f"/t/{self.team}/{rest}"

    def arrived(self) -> str:
        """In the notes of a new team; its id."""
        self.page.wait_for_url(re.compile(re.escape(self.url) + r"/t/[^/]+/notes$"))
        self.team = self.page.url.split("/")[4]
        return self.team

    def invite_code(self) -> str:
        """What to tell somebody who should join."""
        self.open(self.in_team("team"))
        return self.page.locator("#code").inner_text()

    def api_token(self) -> str:
        """A token for programs."""
        self.open(self.in_team("tokens"))
        self.page.get_by_label("What is it for?").fill("A script")
        self.press("Make a token")
        return self.page.locator("#token").inner_text()

    def write(self, title: str, text: str = "") -> None:
        """Fill in the form of a new note, and leave it there."""
        self.open(self.in_team("notes/new"))
        self.page.get_by_label("Title").fill(title)
        self.page.get_by_label("Text").fill(text)

    # --- at Nightlatch ---

    def set_up_by_choice(self) -> None:
        """Where nothing requires it: from the product's team page to the settings, and back."""
        self.open(self.in_team("team"))
        self.follow("Your two-factor authentication")
        self.at_nightlatch("/settings/user")
        self.follow("Set up 2FA")
        self.set_up()
        self.at_nightlatch("/settings/user")
        self.follow("Back to Acme Notes")
        self.at(self.in_team("team"))

    def require(self) -> None:
        """The owner turns the switch of their team, from the product's team page."""
        self.open(self.in_team("team"))
        self.follow("Two-factor authentication")
        self.follow("Require all teammates")
        self.page.get_by_label("Now", exact=True).check()
        self.press("Require it")
        if "/step-up" in self.page.url:
            self.enter_code(self.code())
            self.press("Require it")
        expect(self.page.get_by_text("2FA is now required").first).to_be_visible()


def of(house: House, open_page: Pages, email: str, name: str, **browser: Any) -> Person:
    """Somebody with a new browser."""
    return Person(house, open_page(house.acme.url, None, **browser), email, name)
