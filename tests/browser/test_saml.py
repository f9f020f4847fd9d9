"""Single sign-on by SAML in Chromium, the provider on another site: set up, a newcomer under a mandate, a step-up."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.browser.people import Teammate
from tests.browser.test_sso import SETTINGS, an_owner, confirm, look, prove_domain, require_two_factor
from tests.support.browser import Pages
from tests.support.clockfile import ClockFile
from tests.support.names import NameServer, name_server
from tests.support.saml_idp import MFA, Idp, Somebody, serving
from tests.support.server import Serve
from tests.support.smtp import MailServer

PEOPLE = (
    Somebody("nia-1", "nia@acme.example", "Nia Obi"),
    Somebody("max-1", "max@acme.example", "Max Iyer", MFA),
)


@pytest.fixture
def names() -> Iterator[NameServer]:
    with name_server() as found:
        yield found


def by_sso(who: Teammate, name: str) -> None:
    """From the sign-in page to the provider, and back by its page."""
    who.open("/sign-in")
    who.follow("Sign in with single sign-on")
    who.page.get_by_label("E-mail address at work").fill(who.email)
    who.press("Continue")
    who.page.get_by_role("button", name=re.compile("Continue with Campus")).click()
    at_provider(who, name)


def at_provider(who: Teammate, name: str) -> None:
    """The provider's own page, which posts the answer."""
    who.page.wait_for_url("http://127.0.0.1:*/sso**")
    who.page.get_by_role("button", name=f"Sign in as {name}").click()


def test_single_sign_on_by_saml(
    serve: Serve,
    mail_server: MailServer,
    clock_file: ClockFile,
    open_page: Pages,
    names: NameServer,
    tmp_path: Path,
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
    with serving(Idp(tmp_path / "idp"), PEOPLE, clock_file.now) as provider:
        dana.open(f"{SETTINGS}/sso")
        dana.follow("Your provider speaks only SAML? Add it here.")
        look(dana, "saml-new")
        dana.page.get_by_label("Name", exact=True).fill("Campus")
        dana.page.get_by_label("Or where it is").fill(f"{provider}/sso")
        dana.page.get_by_label("People from our proved domains").check()
        dana.press("Add")
        dana.sees("There is a problem")
        dana.page.get_by_label("Or where it is").fill(f"{provider}/metadata")
        dana.press("Add")
        dana.page.wait_for_url("**/sso/*said=connection-added")
        look(dana, "saml-connection")
        dana.press("Test this connection")
        at_provider(dana, "Max Iyer")
        dana.page.wait_for_url("**/test/*")
        dana.sees("They would have become a member of Acme")
        dana.sees(MFA)

        # A newcomer under a mandate: a member at once, and 2FA is set up in one go.
        nia = person("nia@acme.example", "Nia Obi")
        by_sso(nia, "Nia Obi")
        nia.page.wait_for_url("**/set-up?**")
        if nia.page.get_by_role("button", name="Begin").count():
            nia.press("Begin")
        nia.scan_and_confirm()
        nia.keep_recovery_codes()
        nia.open("/w/acme")
        nia.at("/w/acme")
        nia.open("/w/birch")
        nia.sees("There is nothing here")

        # What the provider says of a second step counts once the rule says so.
        dana.follow("Campus")
        dana.page.get_by_label("are let in where the provider says").check()
        dana.page.get_by_label("Values of acr or amr").fill(MFA)
        dana.press("Save the rule")
        confirm(dana)
        max_ = person("max@acme.example", "Max Iyer")
        by_sso(max_, "Max Iyer")
        max_.at("/w/acme")

        # Nothing of Max's own is bound, so a step-up goes back there, and asks for a sign-in that is made now.
        clock_file.advance(3600)
        max_.open("/step-up?act=authenticators&workspace=acme&next=/w/acme")
        look(max_, "saml-step-up")
        max_.page.get_by_role("button", name=re.compile("Continue with Campus")).click()
        max_.page.wait_for_url("http://127.0.0.1:*/sso**")
        max_.page.get_by_role("heading", name="You are asked to sign in again").wait_for()
        at_provider(max_, "Nia Obi")
        max_.sees("That was somebody else")
        max_.open("/step-up?act=authenticators&workspace=acme&next=/w/acme")
        max_.page.get_by_role("button", name=re.compile("Continue with Campus")).click()
        at_provider(max_, "Max Iyer")
        max_.at("/w/acme")
