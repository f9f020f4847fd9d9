"""People of Harbour, a product on Django, at their browsers."""

import re
from dataclasses import dataclass

from playwright.sync_api import Page, expect

from tests.browser.acme_people import PASSWORD, Guest
from tests.support.browser import Pages
from tests.support.clockfile import ClockFile
from tests.support.harbour import Harbour
from tests.support.server import Server
from tests.support.smtp import MailServer


@dataclass
class Quay:
    """Harbour, Nightlatch behind it, and Nightlatch's mail."""

    harbour: Harbour
    nightlatch: Server
    mail: MailServer
    clock: ClockFile


class Person(Guest):
    """Somebody of Harbour; `team` is the id of their team."""

    def __init__(self, quay: Quay, page: Page, email: str, name: str) -> None:
        super().__init__(page, quay.harbour.url, email, name, quay.mail, quay.clock)
        self.nightlatch_url = quay.nightlatch.url
        self.password = PASSWORD
        self.team = ""

    def in_team(self, rest: str) -> str:
        """A path of the team."""
        return f"/t/{self.team}/{rest}"

    def sign_up(self, *, team_name: str = "", code: str = "") -> None:
        """A new account, in a new team or in one that an invite code opens."""
        self.open("/sign-up")
        self.page.get_by_label("Your name").fill(self.name)
        self.page.get_by_label("E-mail address").fill(self.email)
        self.page.get_by_label("Password").fill(self.password)
        self.page.get_by_label("Invite code").fill(code)
        self.page.get_by_label("Name of a new team").fill(team_name)
        self.press("Sign up")

    def arrived(self) -> str:
        """In the notes of a team; its id."""
        self.page.wait_for_url(re.compile(re.escape(self.url) + r"/t/\d+/notes$"))
        self.team = self.page.url.split("/")[4]
        return self.team

    def sign_in(self) -> None:
        """E-mail address and password, at the product."""
        self.open("/sign-in")
        self.page.get_by_label("Username").fill(self.email)
        self.page.get_by_label("Password").fill(self.password)
        self.press("Go on")

    def sign_out(self) -> None:
        """Out of the product."""
        self.open("/")
        self.press("Sign out")
        self.at("/")
        self.sees("Sign up")

    def join(self, code: str) -> None:
        """Into one more team."""
        self.open("/")
        self.page.get_by_label("Invite code").fill(code)
        self.press("Join")

    def shown(self, what: str) -> str:
        """The invite code, or the API key, of the team's page."""
        self.open(self.in_team("team"))
        return self.page.locator(f"#{what}").inner_text()

    def write(self, title: str, text: str) -> None:
        """Fill in the form of a new note, and leave it there."""
        self.open(self.in_team("notes/new"))
        self.page.get_by_label("Title").fill(title)
        self.page.get_by_label("Text").fill(text)
        self.page.get_by_label("Pinned").check()

    def set_up_by_choice(self) -> None:
        """Where nothing requires it: from the team's page to the settings, and back."""
        self.open(self.in_team("team"))
        self.follow("Your second step")
        self.at_nightlatch("/settings/user")
        self.follow("Set up 2FA")
        self.set_up()
        self.follow("Back to Harbour")
        self.at(self.in_team("team"))

    def require(self) -> None:
        """The owner turns the switch of their team."""
        self.open(self.in_team("team"))
        self.follow("Two-factor authentication")
        self.follow("Require all teammates")
        self.page.get_by_label("Now", exact=True).check()
        self.press("Require it")
        expect(self.page.get_by_text("2FA is now required").first).to_be_visible()


class Cast:
    """Makes the people of one journey; their addresses are its own."""

    def __init__(self, quay: Quay, open_page: Pages, journey: str) -> None:
        self.quay, self.open_page, self.journey = quay, open_page, journey

    def person(self, name: str) -> Person:
        """Somebody new, with a new browser."""
        email = f"{name.lower()}.{self.journey}@harbour.example"
        page = self.open_page(self.quay.harbour.url, None)
        return Person(self.quay, page, email, f"{name} Example")

    def owner(self, name: str = "Olga") -> Person:
        """Somebody with a team of their own."""
        owner = self.person(name)
        owner.sign_up(team_name=f"Team {self.journey}")
        owner.arrived()
        return owner

    def owner_who_requires(self) -> Person:
        """The same, with 2FA, and it is required of everybody."""
        owner = self.owner()
        owner.set_up_by_choice()
        owner.require()
        return owner

    def member(self, owner: Person, name: str = "Mia") -> Person:
        """Somebody who joined the owner's team while nothing was required."""
        member = self.person(name)
        member.sign_up(code=owner.shown("code"))
        member.arrived()
        return member
