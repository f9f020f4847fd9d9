"""Single sign-on with a certified OpenID provider, in Chromium: a newcomer into a mandated workspace; a second step
that is trusted, and one that is not; and never into another workspace."""

import re
from collections.abc import Iterator

import pytest

from tests.browser.people import Teammate, link_in
from tests.support import certified, programs
from tests.support.browser import Pages, axe
from tests.support.clockfile import ClockFile
from tests.support.names import NameServer, name_server
from tests.support.server import Serve, Server
from tests.support.smtp import MailServer

PEOPLE = {
    "nia": {
        "sub": "n-1",
        "email": "nia@acme.example",
        "email_verified": True,
        "name": "Nia Obi",
        "amr": ["pwd"],
    },
    "max": {
        "sub": "m-1",
        "email": "max@acme.example",
        "email_verified": True,
        "name": "Max Iyer",
        "amr": ["pwd", "mfa"],
    },
    "dana": {
        "sub": "d-1",
        "email": "dana@acme.example",
        "email_verified": True,
        "name": "Dana",
        "amr": ["pwd"],
    },
}
SETTINGS = "/w/acme/settings/team/authentication"


@pytest.fixture
def names() -> Iterator[NameServer]:
    with name_server() as found:
        yield found


def look(who: Teammate, what: str) -> None:
    """Nothing serious by axe, nothing sideways, in both widths and both schemes."""
    page = who.page
    for width, scheme in ((320, "dark"), (1280, "light")):
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        wide = page.evaluate("document.documentElement.scrollWidth")
        assert wide <= width, f"{what} is {wide} px wide at {width}"
        axe(page)


def at_provider(who: Teammate, login: str) -> None:
    """The certified provider's own pages."""
    who.page.wait_for_url("**/interaction/**")
    who.page.get_by_label("Login").fill(login)
    who.press("Sign in")
    who.page.get_by_role("button", name="Consent").click()


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


def by_sso(who: Teammate) -> None:
    """From the sign-in page to the provider."""
    who.open("/sign-in")
    who.follow("Sign in with single sign-on")
    who.page.get_by_label("E-mail address at work").fill(who.email)
    look(who, "find")
    who.press("Continue")
    look(who, "offers")
    who.page.get_by_role("button", name=re.compile("Continue with Corp")).click()


def test_single_sign_on(
    serve: Serve, mail_server: MailServer, clock_file: ClockFile, open_page: Pages, names: NameServer
) -> None:
    server = serve(
        environment={
            **clock_file.environment,
            "NIGHTLATCH_MAIL": mail_server.url,
            "NIGHTLATCH_NAME_SERVERS": names.setting,
        }
    )
    open_page.watch.forgive(r"status of 4\d\d|answer 4\d\d")

    def person(email: str, full: str) -> Teammate:
        return Teammate(open_page(server.url, "/help"), server.url, email, full, mail_server, clock_file)

    dana, rosa = person("dana@acme.example", "Dana Ruiz"), person("rosa@birch.example", "Rosa Lind")
    an_owner(dana, server, "acme")
    an_owner(rosa, server, "birch")
    require_two_factor(dana)
    prove_domain(dana, names)

    # The connection is added, then registered at the provider with the address that its page shows.
    port = programs.free_port()
    with certified.running(port, PEOPLE, [f"{server.url}/nowhere"]) as provider:
        dana.open(f"{SETTINGS}/sso")
        look(dana, "connections-none")
        dana.page.get_by_label("Name").fill("Corp")
        dana.page.get_by_label("Issuer").fill(f"{provider.issuer}/")
        dana.press("Add")
        dana.sees("letter for letter")  # the slash
        dana.page.get_by_label("Issuer").fill(provider.issuer)
        dana.press("Add")
        dana.page.wait_for_url("**/sso/*said=connection-added")
        callback = dana.page.locator("#callback").inner_text()
    with certified.running(port, PEOPLE, [callback]):
        dana.page.get_by_label("Client ID").fill("nightlatch")
        dana.page.get_by_label("Client secret").fill("wrong")
        dana.page.get_by_label("People from our proved domains").check()
        dana.press("Save")
        dana.sees("The connection is changed")
        look(dana, "connection")
        dana.press("Test this connection")
        at_provider(dana, "max")
        dana.sees("the client secret, or the client ID, is wrong")
        look(dana, "report-bad")
        dana.follow("Corp")
        dana.page.get_by_label("Client secret").fill(certified.SECRET)
        dana.press("Save")
        dana.press("Test this connection")
        dana.page.wait_for_url("**/test/*")  # still signed in there
        dana.sees("It works")
        dana.sees("They would have become a member of Acme")
        dana.sees("mfa")
        look(dana, "report")

        # A newcomer: a member at once, and 2FA is set up in one go, with the provider in the mailbox's place.
        nia = person("nia@acme.example", "Nia Obi")
        by_sso(nia)
        at_provider(nia, "nia")
        nia.page.wait_for_url("**/set-up?**")
        look(nia, "set-up")
        if nia.page.get_by_role("button", name="Begin").count():
            nia.press("Begin")
        nia.scan_and_confirm()
        nia.keep_recovery_codes()
        nia.open("/w/acme")
        nia.at("/w/acme")
        nia.open("/w/birch")
        nia.sees("There is nothing here")

        # Max shows a second step there: that counts once the rule says so, and for the listed value alone.
        max_ = person("max@acme.example", "Max Iyer")
        by_sso(max_)
        at_provider(max_, "max")
        max_.page.wait_for_url("**/set-up?**")
        dana.follow("Corp")
        dana.page.get_by_label("are let in where the provider says").check()
        dana.page.get_by_label("Values of acr or amr").fill("mfa")
        dana.press("Save the rule")
        confirm(dana)
        if dana.page.get_by_role("button", name="Save the rule").count() and "said=" not in dana.page.url:
            dana.press("Save the rule")
        dana.sees("It counts from the next request")
        max_.open("/w/acme")
        max_.at("/w/acme")

        # Dana's own account is not opened by an address; she connects it, with all that opens it.
        visitor = person("dana@acme.example", "Dana Ruiz")
        by_sso(visitor)
        at_provider(visitor, "dana")
        visitor.sees("You already have an account here")
        look(visitor, "turned")
        dana.open("/settings/user")
        look(dana, "settings")
        dana.page.get_by_role("link", name=re.compile("^Connect")).click()
        confirm(dana)
        dana.page.get_by_role("button", name="Continue to Corp").click()
        at_provider(dana, "dana")
        dana.page.wait_for_url("**/settings/user**")
        dana.sees("Your account is connected")
        look(dana, "connected")
        assert "connected with the single sign-on of Acme" in dana.newest_mail("is connected with").text
