"""People of Tidy Lists, the product of the pages for FastAPI and Django, and the walk that both describe."""

import re

from playwright.sync_api import expect

from tests.browser.acme_people import Guest
from tests.support.browser import Pages
from tests.support.clockfile import ClockFile
from tests.support.guide import Guide
from tests.support.server import Server
from tests.support.smtp import MailServer


class Reader(Guest):
    """Somebody of the page's product; `login` is what they type as their name there."""

    login: str

    def enter(self, login_label: str, password: str) -> None:
        """Sign in to it."""
        self.page.wait_for_url(re.compile(re.escape(self.url) + r"/sign-in/?(\?.*)?$"))
        self.page.get_by_label(login_label).fill(self.login)
        self.page.get_by_label("Password").fill(password)
        self.press("Sign in")
        self.at("/")


def walk(
    guide: Guide,
    nightlatch: Server,
    url: str,
    mail: MailServer,
    clock: ClockFile,
    open_page: Pages,
    *,
    login_label: str,
    logins: tuple[str, str],
) -> Reader:
    """The section "Try it", up to the payouts; Mia, who is there."""

    def reader(name: str, login: str) -> Reader:
        made = Reader(open_page(url, "/"), url, f"{name.split()[0].lower()}@tidy.example", name, mail, clock)
        made.nightlatch_url, made.login = nightlatch.url, login
        return made

    olga = reader("Olga Lind", logins[0])
    assert f"`{olga.login}`, `correct horse`" in guide.text
    olga.enter(login_label, "correct horse")
    olga.sees("Hello, Olga Lind")
    olga.follow("Your own")
    olga.at_nightlatch("/settings/user")
    olga.follow("Set up 2FA")
    olga.set_up()
    olga.follow("Back to Tidy Lists")
    olga.at("/")
    mia = reader("Mia Sand", logins[1])
    assert f"`{mia.login}`, `battery staple`" in guide.text
    mia.enter(login_label, "battery staple")
    mia.page.get_by_label("Item").fill("Water the plants")
    olga.follow("Two-factor authentication")
    olga.follow("Require all teammates")
    olga.sees("will be asked at their next click")
    olga.page.get_by_label("Now", exact=True).check()
    olga.press("Require it")
    olga.sees("2FA is now required")
    mia.press("Add")
    mia.set_up()
    mia.sees("nothing was sent yet")
    mia.press("Send it now")
    mia.at("/")
    expect(mia.page.get_by_role("listitem")).to_have_text("Water the plants")
    clock.advance(11 * 60)
    mia.follow("Payouts")
    mia.at_nightlatch("/step-up")
    mia.enter_code(mia.code())
    mia.at("/payouts")
    mia.sees("Proved by")
    return mia
