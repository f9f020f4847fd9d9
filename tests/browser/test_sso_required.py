"""Single sign-on required, in Chromium with a certified OpenID provider: whoever is not connected yet is led there and
connects; an owner's emergency door, which every owner is told of; an act that asks for a fresh sign-in, and back to it.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import expect

from tests.browser.people import Teammate, link_in
from tests.browser.sso_people import SETTINGS, Stage, an_owner, at_provider, confirm, look
from tests.support import certified, programs

PEOPLE = {
    "nia": {"sub": "n-1", "email": "nia@corp.example", "email_verified": True, "name": "N", "amr": ["pwd"]},
    "max": {"sub": "m-1", "email": "max@corp.example", "email_verified": True, "name": "M", "amr": ["pwd"]},
}


@contextmanager
def connected_to_corp(stage: Stage, dana: Teammate) -> Iterator[None]:
    """A connection is added, registered at the provider, and ready; the provider runs meanwhile."""
    port = programs.free_port()
    with certified.running(port, PEOPLE, [f"{stage.server.url}/nowhere"], stage.clock) as provider:
        dana.open(f"{SETTINGS}/sso")
        dana.page.get_by_label("Name").fill("Corp")
        dana.page.get_by_label("Issuer").fill(provider.issuer)
        dana.press("Add")
        dana.page.wait_for_url("**/sso/*said=connection-added")
        callback = dana.page.locator("#callback").inner_text()
    with certified.running(port, PEOPLE, [callback], stage.clock):
        dana.page.get_by_label("Client ID").fill("nightlatch")
        dana.page.get_by_label("Client secret").fill(certified.SECRET)
        dana.press("Save")
        dana.sees("The connection is changed")
        yield


def an_admin(stage: Stage, email: str, name: str) -> Teammate:
    """With a password, and nothing else."""
    who = stage.person(email, name)
    made = stage.server.run("teammate", "invite", "--workspace", "acme", "--role", "admin", email)
    assert made.returncode == 0, made.stderr
    who.accept_invitation(link_in(who.newest_mail("invite")), "Join Acme")
    who.at("/w/acme")
    return who


def require(who: Teammate) -> None:
    """Single sign-on is required."""
    who.open(f"{SETTINGS}/sso")
    who.press("Require single sign-on")
    confirm(who)
    if who.page.get_by_role("button", name="Require single sign-on").count():
        who.press("Require single sign-on")
    who.sees("a password opens Acme to owners only")


def test_single_sign_on_required(stage: Stage) -> None:
    dana = stage.person("dana@acme.example", "Dana Ruiz")
    an_owner(dana, stage.server, "acme")
    nia = an_admin(stage, "nia@acme.example", "Nia Obi")
    with connected_to_corp(stage, dana):
        require(dana)

        # Nia works there with her password. At her next click she is led to connect, and is where she wanted to be.
        nia.open("/w/acme/settings/team")
        nia.page.get_by_role("heading", name="Sign in to Acme").wait_for()
        look(nia, "not connected")
        nia.follow("Connect with Corp")
        nia.press("Continue to Corp")
        at_provider(nia, "nia")
        nia.at("/w/acme/settings/team")
        assert "is connected with" in nia.newest_mail("is connected with").subject

        # Hours later: what she was about to do asks for a sign-in that is made now, and it is done where it was.
        stage.clock.advance(3600)
        nia.open(f"{SETTINGS}/domains")
        nia.page.locator("[name=domain]").fill("corp.example")
        nia.press("Add")
        nia.page.get_by_role("heading", name="Confirm that it is you").wait_for()
        look(nia, "step-up")
        nia.press("Continue with Corp")
        nia.page.wait_for_url("**/interaction/**")  # signed in there already, and asked again all the same
        at_provider(nia, "max")
        nia.page.get_by_role("heading", name="Your account is not connected with Corp yet").wait_for()
        look(nia, "somebody else came")
        nia.follow("Go on")
        nia.press("Add")
        nia.press("Continue with Corp")
        at_provider(nia, "nia")
        nia.page.wait_for_url(f"**{SETTINGS}/domains?refill=1")
        expect(nia.page.locator("[name=domain]")).to_have_value("corp.example")
        look(nia, "back at the act")
        nia.press("Add")
        nia.page.wait_for_url("**/domains/*")
        nia.sees("_nightlatch-challenge.corp.example")

        # A member who was signed out comes by the provider alone: the password leads there, and opens nothing.
        other = stage.person("nia@acme.example", "Nia Obi")
        other.sign_in()
        other.open("/w/acme")
        other.page.get_by_role("heading", name="Sign in to Acme").wait_for()
        other.press("Continue with Corp")
        at_provider(other, "nia")
        other.at("/w/acme")

    # The provider is down. Dana, an owner, comes in by password and code, and every owner is told.
    door = stage.person("dana@acme.example", "Dana Ruiz")
    door.secret = dana.secret
    door.sign_in()
    door.enter_code(door.code())
    door.page.wait_for_url(lambda url: "/sign-in" not in url)
    door.open("/w/acme")
    door.at("/w/acme")
    mail = dana.newest_mail("without single sign-on")
    assert "Dana Ruiz" in mail.text
    door.open("/w/acme/settings/team/audit")
    door.sees("came in without single sign-on")
    look(door, "audit")
