"""One person in two workspaces: what one of them does with 2FA changes nothing in the other (law 7), on real pages."""

import re

from tests.browser.people import Teammate, link_in
from tests.support.browser import Pages
from tests.support.clockfile import ClockFile
from tests.support.server import Serve
from tests.support.smtp import MailServer


def test_reset_in_one_and_at_work_in_the_other(
    serve: Serve, mail_server: MailServer, clock_file: ClockFile, open_page: Pages
) -> None:
    server = serve(environment={**clock_file.environment, "NIGHTLATCH_MAIL": mail_server.url})

    def person(email: str, full: str) -> Teammate:
        return Teammate(open_page(server.url, "/help"), server.url, email, full, mail_server, clock_file)

    dana, rosa = person("dana@acme.example", "Dana Ruiz"), person("rosa@birch.example", "Rosa Lind")
    mei = person("mei@freelance.example", "Mei Tan")

    # Two workspaces with an owner each; both owners have 2FA.
    for owner, slug in ((dana, "acme"), (rosa, "birch")):
        made = server.run("workspace", "create", slug.title(), "--slug", slug, "--owner", owner.email)
        assert made.returncode == 0, made.stderr
        owner.accept_invitation(link_in(owner.newest_mail("invited")), f"Join {slug.title()}")
        owner.at(f"/w/{slug}")
        owner.open("/set-up")
        if owner.page.get_by_role("button", name="Begin").count():
            owner.press("Begin")
        owner.scan_and_confirm()
        owner.keep_recovery_codes()

    # Mei is in both, and sets up 2FA once, for both.
    invited = server.run("teammate", "invite", "--workspace", "acme", "--role", "member", mei.email)
    assert invited.returncode == 0, invited.stderr
    mei.accept_invitation(link_in(mei.newest_mail("invited")), "Join Acme")
    mei.at("/w/acme")
    mei.open("/set-up")
    if mei.page.get_by_role("button", name="Begin").count():
        mei.press("Begin")
    mei.scan_and_confirm()
    mei.keep_recovery_codes()
    before = len(mail_server.to(mei.email))
    server.run("teammate", "invite", "--workspace", "birch", "--role", "member", mei.email)
    mei.page.goto(link_in(mail_server.wait(before + 1, to=mei.email)[-1]))
    mei.press("Join Birch")
    mei.at("/w/birch")

    # Acme requires 2FA, and Dana disables Mei's there.
    dana.open("/w/acme/settings/team/authentication/on")
    dana.page.get_by_label("Now", exact=True).check()
    dana.press("Require it")
    if "/step-up" in dana.page.url:
        dana.enter_code(dana.code())
        dana.page.get_by_label("Now", exact=True).check()
        dana.press("Require it")
    dana.at("/w/acme/settings/team/authentication")
    dana.open("/w/acme/settings/team?q=mei")
    dana.page.locator("summary", has_text="Actions for").first.click()
    dana.follow("Disable 2FA")
    dana.page.locator("[name=reason]").fill("Says the phone is gone")
    dana.page.locator("[name=recognised_by]").select_option(index=1)
    dana.press("Disable 2FA")
    if "/step-up" in dana.page.url:
        dana.enter_code(dana.code())
        dana.press("Disable 2FA")
    shown = dana.page.locator("main").inner_text()
    found = re.search(r"(\d{4})\s+(\d{4})", shown)
    assert found is not None, shown

    # In Birch nothing has changed: the same session goes on, and the old phone still signs in.
    mei.open("/w/birch")
    mei.at("/w/birch")
    mei.page.context.clear_cookies()
    mei.sign_in()
    mei.at("/workspaces")
    mei.sees("Set up 2FA first")
    mei.sees("Asks for 2FA")
    mei.open("/w/birch")
    mei.at("/sign-in/second-step")
    mei.enter_code(mei.code())
    mei.at("/w/birch")

    # Acme leads to set-up, which takes the mailed link and the number that Dana reads out.
    mei.open("/w/acme")
    mei.page.wait_for_url(re.compile("/set-up"))
    mei.page.goto(link_in(mei.newest_mail("2FA was turned off")))
    mei.page.locator("[name=number]").fill("".join(found.groups()))
    mei.press("Set up 2FA now")
    old_secret = mei.secret
    mei.scan_and_confirm()
    assert mei.secret != old_secret
    mei.keep_recovery_codes()
    mei.open("/w/acme")
    mei.at("/w/acme")
    mei.open("/w/birch")
    mei.at("/w/birch")

    # Each owner reads of their own workspace alone.
    rosa.open("/w/birch/settings/team/audit")
    of_birch = rosa.page.locator("main").inner_text()
    assert "teammate.joined" in of_birch
    assert "reset" not in of_birch
    assert "Acme" not in of_birch
    dana.open("/w/acme/settings/team/audit")
    of_acme = dana.page.locator("main").inner_text()
    assert "teammate.reset" in of_acme
    assert "reset.completed" in of_acme
    assert "Birch" not in of_acme
