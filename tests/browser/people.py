"""People at their browsers, in the words of the pages. Codes come from oathtool, QR codes are read by zbar."""

import re
from urllib.parse import parse_qs, urlsplit

from playwright.sync_api import Page, expect

from tests.support import browser, oath, qr
from tests.support.clockfile import ClockFile
from tests.support.smtp import MailServer, Received

PASSWORD = "seven grey herons wade"


def link_in(mail: Received) -> str:
    """The one link of a mail's text part."""
    links = re.findall(r"https?://\S+", mail.text)
    assert len(links) >= 1, mail.text
    return str(links[0])


class Teammate:
    """Somebody with a browser, a mailbox and perhaps a phone."""

    def __init__(
        self, page: Page, url: str, email: str, name: str, mail: MailServer, clock: ClockFile
    ) -> None:
        self.page = page
        self.url = url
        self.email = email
        self.name = name
        self.mail = mail
        self.clock = clock
        self.secret = ""
        self.recovery_codes: list[str] = []

    # --- doing ---

    def open(self, path: str) -> None:
        """Open a page."""
        self.page.goto(self.url + path)

    def press(self, name: str) -> None:
        """Press a button, and wait for the page that answers."""
        browser.press(self.page, name)

    def follow(self, name: str) -> None:
        """Follow a link, and wait for its page."""
        browser.follow(self.page, name)

    def at(self, path: str) -> None:
        """Wait until a path is open."""
        self.page.wait_for_url(re.compile(re.escape(self.url + path) + r"(\?.*)?$"))

    def sees(self, text: str) -> None:
        """A text is on the page."""
        expect(self.page.get_by_text(text).first).to_be_visible()

    # --- the stories' pieces ---

    def accept_invitation(self, link: str, button: str) -> None:
        """Open the link of an invitation and create a password."""
        self.page.goto(link)
        self.page.get_by_label("Your name").fill(self.name)
        self.page.get_by_label("Choose a password").fill(PASSWORD)
        self.press(button)

    def sign_in(self) -> None:
        """E-mail and password."""
        self.open("/sign-in")
        self.page.get_by_label("E-mail address").fill(self.email)
        self.page.locator("[name=password]").fill(PASSWORD)
        self.press("Continue")

    def scan_and_confirm(self) -> None:
        """Scan the QR code from the screen, as a phone would, and enter the code that it shows."""
        picture = self.page.get_by_role("img", name=re.compile("QR code")).screenshot()
        uri = qr.read(picture)
        self.secret = parse_qs(urlsplit(uri).query)["secret"][0]
        self.enter_code(self.code())

    def code(self) -> str:
        """What oathtool says now; the clock moves on first, so that no code is ever the same twice."""
        self.clock.advance(30)
        return oath.totp(self.secret, at=self.clock.now())

    def enter_code(self, code: str) -> None:
        """Type a code and go on."""
        self.page.locator("[name=code]").press_sequentially(code)
        browser.enter(self.page.locator("[name=code]"))

    def keep_recovery_codes(self) -> None:
        """Write the ten codes down and go on."""
        self.page.get_by_label("I can get at these codes without my phone").wait_for()
        shown = self.page.locator("main").inner_text()
        self.recovery_codes = re.findall(r"(?:[0-9a-z]{4}-){4}[0-9a-z]{4}", shown)
        assert len(self.recovery_codes) == 10, shown
        self.page.get_by_label("I can get at these codes without my phone").check()
        self.press("Continue")

    def newest_mail(self, subject: str) -> Received:
        """The mail with this in its subject, once it has come."""
        return self.mail.wait_for(self.email, subject)
