"""Single sign-on by SAML in Chromium, the provider on another site: set up, a newcomer under a mandate, a step-up."""

import re
from pathlib import Path

from tests.browser.people import Teammate
from tests.browser.sso_people import (
    SETTINGS,
    Stage,
    accept,
    by_sso,
    look,
    of_acme_alone,
    prove_domain,
    require_two_factor,
    set_up,
)
from tests.support.saml_idp import MFA, Idp, Somebody, serving

PEOPLE = (
    Somebody("nia-1", "nia@acme.example", "Nia Obi"),
    Somebody("max-1", "max@acme.example", "Max Iyer", MFA),
)


def at_provider(who: Teammate, name: str) -> None:
    """The provider's own page, which posts the answer."""
    who.page.wait_for_url("http://127.0.0.1:*/sso**")
    who.page.get_by_role("button", name=f"Sign in as {name}").click()


def test_single_sign_on_by_saml(stage: Stage, tmp_path: Path) -> None:
    dana, _ = stage.owners()
    require_two_factor(dana)
    prove_domain(dana, stage.names)
    with serving(Idp(tmp_path / "idp"), PEOPLE, stage.clock.now) as provider:
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
        nia = stage.person("nia@acme.example", "Nia Obi")
        by_sso(nia, "Campus")
        at_provider(nia, "Nia Obi")
        set_up(nia)
        of_acme_alone(nia)

        # What the provider says of a second step counts once the rule says so.
        dana.follow("Campus")
        accept(dana, MFA)
        max_ = stage.person("max@acme.example", "Max Iyer")
        by_sso(max_, "Campus")
        at_provider(max_, "Max Iyer")
        max_.at("/w/acme")

        # Nothing of Max's own is bound, so a step-up goes back there, and asks for a sign-in that is made now.
        stage.clock.advance(3600)
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
