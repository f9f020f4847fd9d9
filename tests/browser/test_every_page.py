"""Every page in Chromium: nothing serious by axe, nothing sideways at 320 px, light and dark; and without scripts."""

import re

import pytest
from playwright.sync_api import Page

from nightlatch.demo.people import BEN, INVITED, OWNER, PASSWORD
from nightlatch.web.table import ROUTES
from tests.support.browser import Pages, axe, enter, follow, press
from tests.support.server import Serve, Server

LINKS = re.compile(r"\{token\}")
SIGNED_OUT = (
    "/sign-in",
    "/sign-up",
    "/password-reset",
    "/password-reset/sent",
    "/help",
    "/invitation",
    "/nothing-here",
)
DEMO = ("/demo/inbox", "/demo/phone")


@pytest.fixture(scope="module")
def demo(serve_module: Serve) -> Server:
    """The demo world, running."""
    return serve_module("demo")


def code_of(page: Page, server: Server, email: str) -> str:
    """The code that the demo's phone shows for an account."""
    page.goto(server.url + "/demo/phone")
    found = re.search(re.escape(email) + r"[\s\S]{0,60}?(\d{3}\s?\d{3})", page.inner_text("body"))
    assert found is not None, "the phone has no such account"
    return found[1]


def sign_in(page: Page, server: Server, email: str) -> None:
    """E-mail and password."""
    page.goto(server.url + "/sign-in")
    page.locator("[name=email]").fill(email)
    page.locator("[name=password]").fill(PASSWORD)
    press(page, "Continue")


def owner(open_page: Pages, server: Server) -> Page:
    """Dana, signed in with both steps."""
    page = open_page(server.url, "/sign-in")
    sign_in(page, server, OWNER.email)
    page.wait_for_url("**/sign-in/second-step**")
    page.locator("[name=code]").press_sequentially(code_of(page.context.new_page(), server, OWNER.email))
    enter(page.locator("[name=code]"))
    page.wait_for_url("**/w/acme**")
    return page


def product(page: Page, server: Server) -> str:
    """The id of a product that is registered at its page; the page that shows the secret is looked at, too."""
    page.goto(server.url + "/w/acme/settings/team/apps")
    page.locator("[name=name]").fill("Acme Wiki")
    page.locator("[name=origins]").fill("https://wiki.acme.example")
    press(page, re.compile("Register"))
    page.wait_for_selector("#secret")
    look_at(page, "the secret of a product")
    follow(page, "I have put it away")
    found = re.search(r"/apps/([0-9a-z]{13})$", page.url)
    assert found is not None
    return found[1]


def service(page: Page, server: Server) -> str:
    """The id of a service account that is added at its page; the pages that show a token, once, are looked at, too."""
    page.goto(server.url + "/w/acme/settings/team/service-accounts")
    page.locator("[name=name]").fill("Compliance export")
    press(page, "Add")
    page.wait_for_url("**/service-accounts/*")
    found = re.search(r"/service-accounts/([0-9a-z]{13})", page.url)
    assert found is not None
    for path in (f"/w/acme/settings/team/service-accounts/{found[1]}", "/settings/user/tokens"):
        page.goto(server.url + path)
        page.locator("[name=name]").fill("Nightly report")
        page.locator("[name=scope-evidence]").check()
        press(page, "Make the token")
        page.wait_for_selector("#token")
        look_at(page, f"a token made at {path}")
    return found[1]


def domain(page: Page, server: Server) -> str:
    """The id of a domain that is claimed at its page."""
    page.goto(server.url + "/w/acme/settings/team/authentication/domains")
    page.locator("[name=domain]").fill("a-rather-long-name-of-a-company.acme.example")
    press(page, "Add")
    page.wait_for_url("**/domains/*")
    return page.url.rpartition("/")[2]


def paths(page: Page, server: Server) -> list[str]:
    """Every page of the table that a person can open, with a teammate, authenticator or product where it names one."""
    app, machine, claimed = product(page, server), service(page, server), domain(page, server)
    page.goto(server.url + "/w/acme/settings/team?q=ana")
    teammate = re.search(r"/settings/team/([0-9a-z]{13})/role", page.content())
    page.goto(server.url + "/settings/user")
    authenticator = re.search(r"/settings/user/authenticators/([0-9a-z]{13})/remove", page.content())
    assert teammate is not None
    assert authenticator is not None
    found = []
    for route in ROUTES:
        if route.kind != "page" or route.method != "GET" or LINKS.search(route.path):
            continue
        if route.path.endswith(".csv"):
            continue  # a browser keeps it as a file: test_evidence.py
        ids = {
            "authenticators": authenticator[1],
            "apps": app,
            "service-accounts": machine,
            "domains": claimed,
        }
        id = next((id for part, id in ids.items() if f"/{part}/" in route.path), teammate[1])
        found.append(route.path.replace("{slug}", "acme").replace("{id}", id))
    return found


def look(page: Page, server: Server, path: str) -> None:
    """Open one page in both widths and both schemes; axe in each, and no sideways scrolling."""
    look_at(page, path, server.url + path)


def look_at(page: Page, what: str, url: str | None = None) -> None:
    """The same for a page that is open, or is opened anew each time."""
    for width, scheme in ((1280, "light"), (320, "dark")):
        page.set_viewport_size({"width": width, "height": 800})
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        if url is not None:
            page.goto(url)
        wide = page.evaluate("document.documentElement.scrollWidth")
        assert wide <= width, f"{what} is {wide} px wide at {width}"
        axe(page)


def test_every_page_for_an_owner(demo: Server, open_page: Pages) -> None:
    page = owner(open_page, demo)
    open_page.watch.forgive(r"status of 4\d\d|answer 4\d\d")
    for path in (*paths(page, demo), *DEMO):
        look(page, demo, path)


def test_the_pages_of_a_visitor(demo: Server, open_page: Pages) -> None:
    page = open_page(demo.url, "/sign-in")
    open_page.watch.forgive(r"status of 4\d\d|answer 4\d\d")
    for path in SIGNED_OUT:
        look(page, demo, path)


def test_a_mail_of_the_demo_is_shown_as_a_mail_program_shows_it(demo: Server, open_page: Pages) -> None:
    page = open_page(demo.url, f"/demo/inbox?to={INVITED[1]}")
    page.locator("main a[href*='/demo/inbox/']").first.click()
    page.wait_for_load_state("networkidle")
    mail = page.frame_locator("iframe.mail-frame")
    button = mail.get_by_role("link", name="See the invitation")
    colour = button.evaluate("each => getComputedStyle(each).backgroundColor")
    assert colour == "rgb(31, 44, 102)", "the mail has lost its style sheet"
    open_page.watch.forgive("Blocked script execution in .*/html'")  # axe's, in the frame of the mail
    look_at(page, "a mail")
    button.click()
    page.wait_for_url("**/invitation")


def test_signing_in_and_asking_for_the_link_without_scripts(demo: Server, open_page: Pages) -> None:
    page = open_page(demo.url, "/sign-in", javascript=False)
    sign_in(page, demo, BEN.email)
    page.wait_for_url("**/w/acme**")
    page.goto(demo.url + "/set-up?workspace=acme")
    press(page, "Mail me the link")
    assert "Check your mail" in page.inner_text("main")


def mailed(page: Page, server: Server, to: str, part: str) -> str:
    """The newest link with `part` in it that was mailed to somebody, once it has come."""
    for _ in range(300):
        page.goto(f"{server.url}/demo/inbox?to={to}")
        mail = page.locator("main a[href*='/demo/inbox/']").first
        if mail.count():
            page.goto(server.url + str(mail.get_attribute("href")).removeprefix(server.url))
            found = re.search(rf"{re.escape(server.url)}{part}[A-Za-z0-9_-]+", page.content())
            if found is not None:
                return found[0]
        page.wait_for_timeout(200)
    raise AssertionError(f"no mail to {to} with {part}")


def test_the_pages_of_addresses_for_notices_and_never_again(demo: Server, open_page: Pages) -> None:
    page = owner(open_page, demo)
    page.goto(demo.url + "/settings/user/notifications")
    page.locator("[name=notify]").fill("safe@elsewhere.example")
    press(page, "Add the address")
    page.wait_for_url("**/settings/user/notifications?said=notify-added")
    look_at(page, "an address for notices that waits")
    stranger = open_page(demo.url, mailed(page, demo, "safe@elsewhere.example", "/notify/")[len(demo.url) :])
    look_at(stranger, "confirming an address for notices")
    press(stranger, "Yes, this mailbox is mine")
    look_at(stranger, "a confirmed address for notices")
    page.goto(demo.url + "/w/acme/settings/team/invite")
    page.locator("[name=emails]").fill("newcomer@elsewhere.example")
    press(page, re.compile("Invite|Send"))
    never = mailed(page, demo, "newcomer@elsewhere.example", "/never-again/")
    stranger = open_page(demo.url, never[len(demo.url) :])
    look_at(stranger, "never again")
    press(stranger, "Never again")
    stranger.get_by_role("heading", name="No more invitations").wait_for()
    look_at(stranger, "no more invitations")
    press(stranger, "Take invitations again")
    stranger.get_by_role("heading", name="Stop invitations?").wait_for()
