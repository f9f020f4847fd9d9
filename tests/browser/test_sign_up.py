"""Signing up in Chromium, from the sign-in page to a workspace: axe on each page, wide and 320 px, light and dark."""

import re

from tests.browser.test_every_page import look
from tests.support.browser import Pages, follow, press
from tests.support.server import Serve
from tests.support.smtp import MailServer

LINK = re.compile(r"http://\S+/sign-up/\S+")


def test_somebody_signs_up_and_makes_a_workspace(
    serve: Serve, mail_server: MailServer, open_page: Pages
) -> None:
    server = serve(mail=mail_server.url, mail_from="Acme <2fa@acme.example>", sign_up="open")
    open_page.watch.forgive(r"status of 4\d\d|answer 4\d\d")
    page = open_page(server.url, "/sign-in")
    look(page, server, "/sign-in")
    follow(page, "Create an account")
    look(page, server, "/sign-up")
    page.get_by_label("E-mail address").fill("no address")
    press(page, "Mail me a link")
    assert "There is a problem" in page.inner_text("main")
    page.get_by_label("E-mail address").fill("eve@example.com")
    press(page, "Mail me a link")
    page.wait_for_url("**/sign-up/sent")
    look(page, server, "/sign-up/sent")

    link = LINK.search(mail_server.wait(to="eve@example.com")[-1].text)
    assert link is not None
    page.goto(link[0])
    page.wait_for_url("**/sign-up/new")
    look(page, server, "/sign-up/new")
    page.get_by_label("Your name").fill("Eve")
    page.locator("[name=password]").fill("a long and honest password")
    press(page, "Create my account")
    page.wait_for_url("**/workspaces/new**")
    assert "Your account is ready" in page.inner_text("body")
    look(page, server, "/workspaces")
    look(page, server, "/workspaces/new")
    page.get_by_label("Name").fill("Acme")
    page.get_by_label("Address").fill("acme")
    press(page, "Create it")
    page.wait_for_url("**/w/acme")

    other = open_page(server.url, link[0].removeprefix(server.url))
    assert "This link does not work any more" in other.inner_text("main")
    look(other, server, "/sign-up/new")
    page.goto(server.url + "/sign-up")
    page.get_by_label("E-mail address").fill("max@example.com")
    press(page, "Mail me a link")
    link = LINK.search(mail_server.wait(to="max@example.com")[-1].text)
    assert link is not None
    page.goto(link[0])
    assert "You are signed in with another account" in page.inner_text("main")
    look(page, server, "/sign-up/new")
