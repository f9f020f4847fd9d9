"""The whole story, as people live it: Chromium, a real mail server, oathtool for the codes, zbar for the QR code."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.people import PASSWORD, Teammate, link_in
from tests.support.browser import Pages
from tests.support.clockfile import ClockFile
from tests.support.server import Serve
from tests.support.smtp import MailServer


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_workspace_turns_mandatory_2fa_on(
    workers: str,
    serve: Serve,
    mail_server: MailServer,
    clock_file: ClockFile,
    open_page: Pages,
    request: pytest.FixtureRequest,
) -> None:
    """Issue 1, items 2 to 10: on one process with SQLite, and on two workers with PostgreSQL."""
    environment = {
        **clock_file.environment,
        "NIGHTLATCH_MAIL": mail_server.url,
        "NIGHTLATCH_WORKERS": workers,
    }
    if workers == "2":
        environment["NIGHTLATCH_DATABASE_URL"] = request.getfixturevalue("postgres_url")
    server = serve(environment=environment)

    def person(name: str, full: str, **browser: bool) -> Teammate:
        page = open_page(server.url, "/help", **browser)
        return Teammate(page, server.url, f"{name}@acme.example", full, mail_server, clock_file)

    dana, ben = person("dana", "Dana Ruiz"), person("ben", "Ben Okafor", javascript=False)
    ana = person("ana", "Ana Silva", dark=True)  # the QR code is read from a dark page too

    # The operator makes the workspace; its owner comes in by the mailed invitation and sets up 2FA at once.
    made = server.run("workspace", "create", "Acme", "--slug", "acme", "--owner", dana.email)
    assert made.returncode == 0, made.stderr
    dana.accept_invitation(link_in(dana.newest_mail("invited")), "Join Acme")
    dana.at("/w/acme")
    dana.open("/settings/user")
    dana.follow("Set up 2FA")
    if dana.page.get_by_role("button", name="Begin").count():
        dana.press("Begin")
    dana.scan_and_confirm()
    dana.keep_recovery_codes()
    dana.at("/settings/user")

    # She invites two people by pasting; they create passwords and are in.
    dana.open("/w/acme/settings/team/invite")
    dana.page.locator("[name=emails]").fill(f"{ben.email}, Ana Silva <{ana.email}>\nnot-an-address")
    dana.press("Send the invitations")
    dana.sees("not-an-address")
    dana.open("/w/acme/settings/team")
    expect(dana.page.get_by_text("Invited").first).to_be_visible()
    ben.accept_invitation(link_in(ben.newest_mail("invited")), "Join Acme")
    ben.at("/w/acme")

    # Ben is typing while Dana turns the switch: his next click leads to set-up, and nothing he typed is lost.
    ben.open("/settings/user")
    ben.page.get_by_label("Name", exact=True).fill("Benjamin Okafor")
    dana.open("/w/acme/settings/team/authentication")
    dana.follow("Require all teammates")
    dana.sees("will be asked at their next click")
    dana.page.get_by_label("Now", exact=True).check()
    dana.press("Require it")
    dana.at("/w/acme/settings/team/authentication")
    dana.sees("required")
    dana.newest_mail("you are ready")
    ben.press("Save the name")
    ben.at("/set-up")
    ben.page.goto(link_in(ben.newest_mail("set yours up")))
    ben.press("Set up 2FA now")
    ben.scan_and_confirm()
    ben.keep_recovery_codes()
    ben.at("/settings/user")
    expect(ben.page.get_by_label("Name", exact=True)).to_have_value("Benjamin Okafor")
    ben.press("Save the name")
    ben.sees("Your name is changed")

    # Ana joins under the mandate: password, set-up, in, one flow.
    ana.accept_invitation(link_in(ana.newest_mail("invited")), "Continue")
    ana.at("/set-up")
    ana.scan_and_confirm()
    ana.keep_recovery_codes()
    ana.at("/w/acme")
    ana.newest_mail("2FA was set up")

    # Signing in asks for the code; one that was used is told so.
    ana.open("/settings/user")
    ana.page.get_by_role("group").filter(has_text="Ana Silva").first.click()
    ana.press("Sign out")
    ana.sign_in()
    ana.at("/sign-in/second-step")
    ana.enter_code("000000" if ana.code() != "000000" else "000001")
    ana.sees("did not match")
    ana.enter_code(ana.code())
    ana.at("/w/acme")

    # Nobody takes their last second factor away while it is required.
    ana.open("/settings/user")
    ana.sees("Acme requires")

    # Ben has lost his phone and his codes: Dana disables his 2FA here and reads the number out.
    ben.page.context.clear_cookies()
    dana.open("/w/acme/settings/team?q=ben")
    dana.page.locator("summary", has_text="Actions for").first.click()
    dana.follow("Disable 2FA")
    dana.page.locator("[name=reason]").fill("Lost phone and codes")
    dana.page.locator("[name=recognised_by]").select_option(index=1)
    dana.press("Disable 2FA")
    if "/step-up" in dana.page.url:
        dana.enter_code(dana.code())
        assert dana.page.locator("[name=reason]").input_value() == "Lost phone and codes", (
            "it came back filled in"
        )
        dana.press("Disable 2FA")
    shown = dana.page.locator("main").inner_text()
    number = "".join(re.search(r"(\d{4})\s+(\d{4})", shown).groups())  # type: ignore[union-attr]
    mail = ben.newest_mail("2FA was turned off")
    assert number not in mail.text.replace(" ", "")
    ben.sign_in()
    ben.at("/set-up")
    ben.page.goto(link_in(mail))
    ben.page.locator("[name=number]").fill("00000000")
    ben.press("Set up 2FA now")
    ben.sees("That is not the number for this link")
    ben.page.locator("[name=number]").fill(number)
    ben.press("Set up 2FA now")
    ben.scan_and_confirm()
    ben.keep_recovery_codes()
    ben.open("/w/acme")
    ben.at("/w/acme")

    # A recovery code works once, says how many remain, and leads to the new phone.
    ana.page.context.clear_cookies()
    ana.sign_in()
    ana.at("/sign-in/second-step")
    ana.open("/recover")
    ana.page.locator("[name=recovery_code]").fill(ana.recovery_codes[0].upper().replace("-", " "))
    ana.press("Continue")
    ana.sees("9")
    ana.press("Set up your new phone")
    ana.scan_and_confirm()
    ana.open("/w/acme")
    ana.at("/w/acme")

    # The audit log has all of it; then Dana turns it off, and everybody keeps what they have.
    dana.open("/w/acme/settings/team/audit")
    log = dana.page.locator("main").inner_text()
    for event in (
        "mandate.turned_on",
        "teammate.reset",
        "reset.completed",
        "teammate.joined",
        "invitation.sent",
    ):
        assert event in log, f"{event} is not in the audit log"
    dana.open("/w/acme/settings/team/authentication/off")
    dana.page.locator("[name=reason]").fill("The story is told")
    dana.press("Stop requiring it")
    if "/step-up" in dana.page.url:
        dana.enter_code(dana.code())
        dana.press("Stop requiring it")
    dana.newest_mail("no longer asks")
    ana.open("/settings/user")
    ana.sees("Switch off")
    assert PASSWORD not in server.output()
    assert ana.secret not in server.output()
