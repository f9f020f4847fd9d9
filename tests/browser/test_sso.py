"""Single sign-on with a certified OpenID provider, in Chromium: a newcomer into a mandated workspace; a second step
that is trusted, and one that is not; never into another workspace; and where it is required of everybody."""

import re

from tests.browser.sso_people import (
    SETTINGS,
    Stage,
    accept,
    at_provider,
    by_sso,
    confirm,
    look,
    of_acme_alone,
    prove_domain,
    require_two_factor,
    set_up,
)
from tests.support import certified, programs

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


def test_single_sign_on(stage: Stage) -> None:
    dana, _ = stage.owners()
    require_two_factor(dana)
    prove_domain(dana, stage.names)

    # The connection is added, then registered at the provider with the address that its page shows.
    port = programs.free_port()
    with certified.running(port, PEOPLE, [f"{stage.server.url}/nowhere"]) as provider:
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
        nia = stage.person("nia@acme.example", "Nia Obi")
        by_sso(nia, "Corp", seen=True)
        at_provider(nia, "nia")
        nia.page.wait_for_url("**/set-up?**")
        look(nia, "set-up")
        set_up(nia)
        of_acme_alone(nia)

        # Max shows a second step there: that counts once the rule says so, and for the listed value alone.
        max_ = stage.person("max@acme.example", "Max Iyer")
        by_sso(max_, "Corp")
        at_provider(max_, "max")
        max_.page.wait_for_url("**/set-up?**")
        dana.follow("Corp")
        accept(dana, "mfa")
        max_.open("/w/acme")
        max_.at("/w/acme")

        # Dana's own account is not opened by an address; she connects it, with all that opens it.
        visitor = stage.person("dana@acme.example", "Dana Ruiz")
        by_sso(visitor, "Corp")
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
