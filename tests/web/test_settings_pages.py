"""Settings > User: name, e-mail and its links, password, sessions, recovery codes, switching 2FA off, leaving."""

import pytest

from nightlatch.actions import second_step
from nightlatch.actions.by import By
from nightlatch.actions.tokens import hash_session_token, new_token
from nightlatch.facts import EVERYWHERE
from nightlatch.ids import to_text
from nightlatch.instants import HOUR
from nightlatch.store import authenticators
from nightlatch.store.session_facts import read_known
from nightlatch.vocabulary import Credential
from nightlatch.web.app import App
from tests.support.asgi import app_of
from tests.support.mails import link_in, newest
from tests.support.visitor import Page, Visitor, codes_shown, resident, signed_in
from tests.support.world import PASSWORD, Person, World

NEW_PASSWORD = "four quite ordinary words"


@pytest.fixture
def app(world: World) -> App:
    return app_of(world)


@pytest.fixture
def ana(world: World) -> Person:
    """Somebody without 2FA in one workspace."""
    ana = resident(world, "Ana")
    world.workspace("acme", owner=world.person("Dana"), member=ana)
    return ana


def hour_later(world: World) -> None:
    """Proofs are stale afterwards, and the session is not idle."""
    world.wait(HOUR)


# --- name ---


def test_the_name(app: App, ana: Person) -> None:
    visitor = signed_in(app, ana)
    visitor.open("/settings/user")
    page = visitor.submit("/settings/user/name", name="  Ana   Anders ")
    assert page.path == "/settings/user?said=name-changed"
    assert page.form("/settings/user/name").fields["name"] == "Ana Anders"
    page = visitor.submit("/settings/user/name", name="")
    assert page.status == 422
    assert "Enter a name." in page.text


# --- e-mail ---


def test_an_e_mail_change_is_confirmed_by_the_new_and_undone_by_the_old(
    world: World, app: App, ana: Person
) -> None:
    visitor = signed_in(app, ana)
    visitor.open("/settings/user")
    page = visitor.submit("/settings/user/email", email="new@example.com")
    assert page.path == "/settings/user?said=email-asked"
    assert "We have mailed a link to new@example.com" in page.text
    assert f"You sign in as {ana.email}" in page.text
    link = link_in(world, "email_confirm")
    for _ in range(2):
        page = Visitor(app).open(link)
        assert page.heading == "Confirm your new e-mail address"
        assert ana.email not in page.text, "whoever holds a link of a stranger learns no address"
    stranger = Visitor(app)
    stranger.open(link)
    page = stranger.submit("/email")
    assert page.path == "/sign-in?said=email-changed"
    assert "You sign in as new@example.com" in visitor.open("/settings/user").text

    undo = Visitor(app)
    page = undo.open(link_in(world, "email_changed"))
    assert page.heading == "Take your e-mail address back"
    page = undo.submit("/undo")
    assert page.path == "/password-reset?said=email-undone"
    assert page.form("/password-reset").fields["email"] == ana.email
    page = visitor.open("/settings/user")
    assert page.path.startswith("/sign-in"), "every session has ended"
    assert undo.open(link_in(world, "email_changed")).status == 410


def test_a_change_that_waits_can_be_taken_back(world: World, app: App, ana: Person) -> None:
    visitor = signed_in(app, ana)
    visitor.open("/settings/user")
    visitor.submit("/settings/user/email", email="new@example.com")
    link = link_in(world, "email_confirm")
    page = visitor.submit("/settings/user/email/cancel")
    assert page.path == "/settings/user?said=email-cancelled"
    page = visitor.open(link)
    assert page.status == 410
    assert page.read.links["Your settings"] == "/settings/user"


@pytest.mark.parametrize(
    "typed,said", [("", "Enter an e-mail address."), ("nobody", "@"), ("a b@example.com", "")]
)
def test_an_address_that_is_none_comes_back_at_its_field(
    app: App, ana: Person, typed: str, said: str
) -> None:
    visitor = signed_in(app, ana)
    visitor.open("/settings/user")
    page = visitor.submit("/settings/user/email", email=typed)
    assert page.status == 422
    assert said in page.text
    assert page.form("/settings/user/email").fields["email"] == typed
    page = visitor.submit("/settings/user/email", email=ana.email)
    assert "This is your e-mail address already." in page.text


def test_a_stale_proof_asks_once_and_what_was_typed_comes_back(world: World, app: App, ana: Person) -> None:
    visitor = signed_in(app, ana)
    hour_later(world)
    visitor.open("/settings/user")
    page = visitor.submit("/settings/user/email", email="new@example.com")
    assert page.heading == "Confirm that it is you"
    page = visitor.submit("/step-up", password=PASSWORD)
    assert page.path == "/settings/user?refill=1"
    assert "This is not done yet: press the button once more." in page.text
    assert page.form("/settings/user/email").fields["email"] == "new@example.com"
    assert visitor.submit("/settings/user/email").path == "/settings/user?said=email-asked"


# --- password ---


def test_a_new_password_needs_no_old_one_but_fresh_proof(world: World, app: App, ana: Person) -> None:
    visitor, elsewhere = signed_in(app, ana), signed_in(app, ana)
    hour_later(world)
    page = visitor.open("/settings/user")
    page = visitor.open(page.read.links["Change the password"])
    assert page.heading == "Confirm that it is you"
    page = visitor.submit("/step-up", password=PASSWORD)
    assert page.path == "/settings/user/password"
    assert "password" not in page.form("/settings/user/password").fields
    page = visitor.submit("/settings/user/password", new_password="short")
    assert page.status == 422
    assert page.form("/settings/user/password").fields["new_password"] == ""
    page = visitor.submit("/settings/user/password", new_password=f"{ana.email} 2026")
    assert page.status == 422, "made of what anybody knows"
    page = visitor.submit("/settings/user/password", new_password=NEW_PASSWORD)
    assert page.path == "/settings/user?said=password-changed"
    assert elsewhere.open("/settings/user").path.startswith("/sign-in")
    again = Visitor(app)
    again.open("/sign-in")
    assert again.submit("/sign-in", email=ana.email, password=PASSWORD).status == 401
    assert again.submit("/sign-in", email=ana.email, password=NEW_PASSWORD).path == "/w/acme"


# --- sessions ---


def test_sessions_are_listed_and_ended(app: App, ana: Person) -> None:
    visitor, phone = signed_in(app, ana), signed_in(app, ana, agent="Mozilla/5.0 (iPhone) Mobile Safari")
    page = visitor.open("/settings/user")
    assert "Firefox on Linux" in page.text
    assert "Safari on iPhone" in page.text
    assert page.text.count("This browser") == 1
    end = next(each for each in page.actions if each.endswith("/end"))
    assert visitor.submit(end).path == "/settings/user?said=session-ended"
    assert phone.open("/settings/user").path.startswith("/sign-in")
    third = signed_in(app, ana)
    visitor.open("/settings/user")
    assert visitor.submit("/settings/user/sessions/end-others").path == "/settings/user?said=sessions-ended"
    assert third.open("/settings/user").path.startswith("/sign-in")
    assert visitor.open("/settings/user").path == "/settings/user"


def test_ending_ones_own_session_signs_out(world: World, app: App, ana: Person) -> None:
    visitor = signed_in(app, ana)
    page = visitor.open("/settings/user")
    csrf = page.form("/settings/user/name").fields["csrf"]
    sessions = visitor.client.cookies
    known = world.read(
        lambda tx: read_known(tx, hash_session_token(sessions["nightlatch"]), Credential.COOKIE)
    )
    assert known.session is not None
    page = visitor.post(f"/settings/user/sessions/{to_text(known.session.id)}/end", {"csrf": csrf})
    assert page.path == "/sign-in?said=signed-out"
    assert "nightlatch" not in visitor.client.cookies


def test_nobody_ends_sessions_of_others(world: World, app: App, ana: Person) -> None:
    other = world.known(world.session(world.person("Ben"))).session
    assert other is not None
    visitor = signed_in(app, ana)
    csrf = visitor.open("/settings/user").form("/settings/user/name").fields["csrf"]
    assert visitor.post(f"/settings/user/sessions/{to_text(other.id)}/end", {"csrf": csrf}).status == 404
    assert visitor.post("/settings/user/sessions/nonsense/end", {"csrf": csrf}).status == 404


# --- 2FA ---


def enrolled(world: World, app: App, person: Person) -> tuple[Visitor, int, bytes]:
    """A browser that has shown the app's code, the app's id and seed."""
    bound, seed = world.bind_totp(person, EVERYWHERE)
    return signed_in(app, person, code=world.code(seed)), bound, seed


def remove_path(page: Page) -> str:
    """The link that leads to the question."""
    return next(path for path in page.read.links.values() if path.endswith("/remove"))


def test_switching_off_asks_for_fresh_proof_before_the_question(world: World, app: App, ana: Person) -> None:
    visitor, _, seed = enrolled(world, app, ana)
    hour_later(world)
    path = remove_path(visitor.open("/settings/user"))
    page = visitor.open(path)
    assert page.heading == "Confirm that it is you"
    page = visitor.submit("/step-up", code=world.code(seed))
    assert page.heading == "Switch off 2FA?"
    assert "Your password alone will then open your account." in page.text
    page = visitor.submit(path)
    assert page.path == "/settings/user?said=removed"
    assert "Set up 2FA" in page.read.links
    assert newest(world, "authenticator_unbound")


def test_while_a_workspace_requires_it_nobody_switches_it_off(world: World, app: App, ana: Person) -> None:
    visitor, bound, _ = enrolled(world, app, ana)
    acme = next(iter(world.known(world.session(ana)).places or {}))
    world.require(acme)
    page = visitor.open("/settings/user")
    assert "Acme requires it, so you cannot switch it off yourself." in page.text
    assert "Dana can help" in page.text
    assert not any(path.endswith("/remove") for path in page.read.links.values())
    path = f"/settings/user/authenticators/{to_text(bound)}/remove"
    page = visitor.open(path)
    assert page.heading == "You cannot switch off 2FA"
    assert "Dana can switch off your 2FA" in page.text
    form = page.form("/set-up/begin")
    assert form.fields["replaces"] == to_text(bound)
    page = visitor.post(path, {"csrf": form.fields["csrf"]})
    assert page.status == 409
    assert page.heading == "You cannot switch off 2FA"
    assert world.known(world.session(ana)).facts.authenticators


def test_new_recovery_codes(world: World, app: App, ana: Person) -> None:
    visitor, _, _ = enrolled(world, app, ana)
    page = visitor.open("/settings/user")
    assert "You have none." in page.text
    page = visitor.submit("/settings/user/recovery-codes")
    first = codes_shown(page)
    assert len(first) == 10
    assert page.heading == "Save your recovery codes"
    assert visitor.submit("/set-up/done").status == 422
    page = visitor.submit("/set-up/done", saved="yes")
    assert page.path == "/settings/user?said=codes-renewed"
    assert "10 of 10 left" in page.text
    second = codes_shown(visitor.submit("/settings/user/recovery-codes"))
    assert not set(first) & set(second)
    lost = Visitor(app)
    lost.open("/sign-in")
    lost.submit("/sign-in", email=ana.email, password=PASSWORD)
    lost.open("/recover")
    assert lost.submit("/recover", recovery_code=first[0]).status == 401
    assert lost.submit("/recover", recovery_code=second[0]).heading == "You are signed in"


def test_what_a_recovery_code_may_not_do_is_said(world: World, app: App, ana: Person) -> None:
    visitor, _, _ = enrolled(world, app, ana)
    visitor.open("/settings/user")
    code = codes_shown(visitor.submit("/settings/user/recovery-codes"))[0]
    lost = Visitor(app)
    lost.open("/sign-in")
    lost.submit("/sign-in", email=ana.email, password=PASSWORD)
    lost.open("/recover")
    lost.submit("/recover", recovery_code=code)
    lost.open("/settings/user")
    page = lost.submit("/settings/user/email", email="new@example.com")
    assert page.status == 403
    assert "For 24 hours that is not enough to change this." in page.text


# --- after too many wrong codes ---


def suspend(world: World, person: Person, seed: bytes) -> str:
    """A hundred wrong codes; the path of the link in the mail."""
    for _ in range(100):
        _wrong_code(world, world.session(person), wrong(world, seed))
        world.wait(HOUR)
    return str(link_in(world, "second_factor_suspended"))


def _wrong_code(world: World, by: By, code: str) -> None:
    world.write(lambda tx: second_step.present_totp(tx, by=by, code=code, token=new_token()))


def wrong(world: World, seed: bytes) -> str:
    """A code that is not right now."""
    return f"{(int(world.code(seed)) + 7) % 10**6:06d}"


def test_a_suspended_app_works_again_by_password_link_and_one_right_code(
    world: World, app: App, ana: Person
) -> None:
    _, seed = world.bind_totp(ana)
    link = suspend(world, ana, seed)
    visitor = Visitor(app)
    page = visitor.open(link)
    assert page.heading == "Use your authenticator app again"
    visitor.open(page.read.links["Sign in"])
    page = visitor.submit("/sign-in", email=ana.email, password=PASSWORD)
    assert page.path == "/lift"
    page = visitor.submit("/lift", code="12")
    assert page.status == 422, "what cannot be a code does not use the link up"
    page = visitor.submit("/lift", code=wrong(world, seed))
    assert page.status == 401
    assert "/sign-in/lift" in page.actions
    assert visitor.open(link).status == 410
    page = visitor.open("/sign-in/second-step")
    visitor.submit("/sign-in/lift")
    visitor.open(link_in(world, "second_factor_suspended"))
    page = visitor.submit("/lift", code=world.code(seed))
    assert page.path == "/w/acme"


def test_where_no_fresh_proof_can_be_given_the_way_leads_to_people(
    world: World, app: App, ana: Person
) -> None:
    """Law 9: everything bound is suspended, and the password never stands in for it."""
    visitor, bound, _ = enrolled(world, app, ana)
    visitor.open("/settings/user")
    world.write(lambda tx: authenticators.suspend(tx, bound, EVERYWHERE))
    hour_later(world)
    page = visitor.submit("/settings/user/email", email="new@example.com")
    assert page.heading == "Sign in another way"
    assert "Dana for Acme" in page.text


# --- leaving ---


def test_leaving_a_workspace(app: App, ana: Person) -> None:
    visitor = signed_in(app, ana)
    visitor.open("/settings/user")
    page = visitor.open("/w/acme/leave")
    assert page.heading == "Leave Acme?"
    page = visitor.submit("/w/acme/leave")
    assert page.path == "/workspaces?said=left"
    assert "You are in no workspace yet." in page.text
    assert visitor.open("/w/acme").status == 404


def test_the_only_owner_stays_and_is_told_what_to_do(world: World, app: App) -> None:
    olga = resident(world, "Olga")
    world.workspace("acme", owner=olga)
    visitor = signed_in(app, olga)
    page = visitor.open("/settings/user")
    assert "A workspace needs an owner" in page.text
    assert "/w/acme/leave" not in page.read.links.values()
    page = visitor.open("/w/acme/leave")
    assert page.read.links["Make somebody else an owner first"] == "/w/acme/settings/team"
    csrf = page.form("/sign-out").fields["csrf"]
    assert visitor.post("/w/acme/leave", {"csrf": csrf}).status == 409


def test_a_workspace_of_others_is_not_there(world: World, app: App, ana: Person) -> None:
    world.workspace("bolt", owner=world.person("Emil"))
    visitor = signed_in(app, ana)
    for path in ("/w/bolt", "/w/bolt/leave", "/w/none"):
        assert visitor.open(path).status == 404


def test_a_form_of_another_sign_in_says_so_and_leads_back(world: World, app: App, ana: Person) -> None:
    visitor = signed_in(app, ana)
    visitor.open("/settings/user")
    for stale in ("x", "", "é"):
        page = visitor.submit("/settings/user/name", name="Eve", csrf=stale)
        assert (page.status, page.heading) == (403, "This form is out of date")
        assert "so nothing was done" in page.text
        page = visitor.open("/settings/user")
        assert page.form("/settings/user/name").fields["name"] == ana.name
