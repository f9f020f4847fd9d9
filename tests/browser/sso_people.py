"""People of a workspace with single sign-on at their browsers, whatever the protocol."""

import re
from dataclasses import dataclass

from tests.browser.people import Teammate, link_in
from tests.support.browser import Pages, axe
from tests.support.clockfile import ClockFile
from tests.support.names import NameServer
from tests.support.server import Serve, Server
from tests.support.smtp import MailServer

SETTINGS = "/w/acme/settings/team/authentication"


@dataclass
class Stage:
    """Nightlatch, its mail, the DNS that it asks, and its clock."""

    server: Server
    mail: MailServer
    names: NameServer
    clock: ClockFile
    pages: Pages

    @classmethod
    def of(cls, serve: Serve, mail: MailServer, names: NameServer, clock: ClockFile, pages: Pages) -> "Stage":
        """It runs."""
        pages.watch.forgive(r"status of 4\d\d|answer 4\d\d")
        environment = {"NIGHTLATCH_MAIL": mail.url, "NIGHTLATCH_NAME_SERVERS": names.setting}
        return cls(serve(environment={**clock.environment, **environment}), mail, names, clock, pages)

    def person(self, email: str, name: str) -> Teammate:
        """Somebody with a browser of their own."""
        page = self.pages(self.server.url, "/help")
        return Teammate(page, self.server.url, email, name, self.mail, self.clock)

    def owners(self) -> tuple[Teammate, Teammate]:
        """Dana, who owns Acme, and Rosa, who owns Birch; both have 2FA."""
        dana, rosa = (
            self.person("dana@acme.example", "Dana Ruiz"),
            self.person("rosa@birch.example", "Rosa Lind"),
        )
        an_owner(dana, self.server, "acme")
        an_owner(rosa, self.server, "birch")
        return dana, rosa


def look(who: Teammate, what: str) -> None:
    """Nothing serious by axe, nothing sideways, in both widths and both schemes."""
    page = who.page
    for width, scheme in ((320, "dark"), (1280, "light")):
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        wide = page.evaluate("document.documentElement.scrollWidth")
        assert wide <= width, f"{what} is {wide} px wide at {width}"
        axe(page)


def confirm(who: Teammate) -> None:
    """Where fresh proof is asked for."""
    who.page.wait_for_load_state()
    if "/step-up" in who.page.url:
        who.enter_code(who.code())
        who.page.wait_for_url(lambda url: "/step-up" not in url)


def an_owner(who: Teammate, server: Server, slug: str) -> None:
    """Makes a workspace, and has 2FA."""
    made = server.run("workspace", "create", slug.title(), "--slug", slug, "--owner", who.email)
    assert made.returncode == 0, made.stderr
    who.accept_invitation(link_in(who.newest_mail("invited")), f"Join {slug.title()}")
    who.at(f"/w/{slug}")
    who.open("/set-up")
    if who.page.get_by_role("button", name="Begin").count():
        who.press("Begin")
    who.scan_and_confirm()
    who.keep_recovery_codes()


def set_up(who: Teammate) -> None:
    """In one go, where the provider stands in the mailbox's place."""
    who.page.wait_for_url("**/set-up?**")
    if who.page.get_by_role("button", name="Begin").count():
        who.press("Begin")
    who.scan_and_confirm()
    who.keep_recovery_codes()


def of_acme_alone(who: Teammate) -> None:
    """Acme is open, and Birch is not there."""
    who.open("/w/acme")
    who.at("/w/acme")
    who.open("/w/birch")
    who.sees("There is nothing here")


def require_two_factor(who: Teammate) -> None:
    """Turn the switch."""
    who.open(f"{SETTINGS}/on")
    who.page.get_by_label("Now", exact=True).check()
    who.press("Require it")
    confirm(who)
    if who.page.get_by_role("button", name="Require it").count():
        who.page.get_by_label("Now", exact=True).check()
        who.press("Require it")
    who.at(SETTINGS)


def prove_domain(who: Teammate, names: NameServer) -> None:
    """acme.example is Acme's."""
    who.open(f"{SETTINGS}/domains")
    who.page.locator("[name=domain]").fill("acme.example")
    who.press("Add")
    who.page.wait_for_url("**/domains/*")
    names.texts["_nightlatch-challenge.acme.example"] = [who.page.locator("#record-value").inner_text()]
    who.press("Look for it now")
    who.at(f"{SETTINGS}/domains")
    who.sees("Proved")


def by_sso(who: Teammate, name: str, *, seen: bool = False) -> None:
    """From the sign-in page off to the provider of this name, found by the address."""
    who.open("/sign-in")
    who.follow("Sign in with single sign-on")
    who.page.get_by_label("E-mail address at work").fill(who.email)
    if seen:
        look(who, "find")
    who.press("Continue")
    if seen:
        look(who, "offers")
    who.page.get_by_role("button", name=re.compile(f"Continue with {name}")).click()


def at_provider(who: Teammate, login: str) -> None:
    """The certified provider's own pages."""
    who.page.wait_for_url("**/interaction/**")
    who.page.get_by_label("Login").fill(login)
    who.press("Sign in")
    who.page.get_by_role("button", name="Consent").click()


def accept(who: Teammate, value: str) -> None:
    """From now on the provider is believed of a second step where it says this."""
    who.page.get_by_label("are let in where the provider says").check()
    who.page.get_by_label("Values of acr or amr").fill(value)
    who.press("Save the rule")
    confirm(who)
    if who.page.get_by_role("button", name="Save the rule").count() and "said=" not in who.page.url:
        who.press("Save the rule")
    who.sees("It counts from the next request")
