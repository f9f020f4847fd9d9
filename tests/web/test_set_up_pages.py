"""Setting up 2FA on the pages: the mailbox first, then scan, confirm, codes, and on to where one was going."""

import re

import pytest

from nightlatch.actions import resets
from nightlatch.actions.by import operator
from nightlatch.facts import EVERYWHERE, reach_of
from nightlatch.ids import to_text
from nightlatch.instants import DAY, HOUR, MINUTE
from nightlatch.vocabulary import Method
from nightlatch.web.app import App
from nightlatch.web.flows import drift_words
from nightlatch.web.pages.set_up import on_phone
from tests.support.asgi import app_of
from tests.support.mails import link_in
from tests.support.visitor import Visitor, codes_shown, resident, seed_shown, signed_in
from tests.support.world import PASSWORD, Person, World

PHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148 Safari/604.1"
)


@pytest.fixture
def app(world: World) -> App:
    return app_of(world)


def by_mail(world: World, visitor: Visitor, start: str) -> bytes:
    """From a page that leads to set-up, through the mailbox, to the key."""
    visitor.open(start)
    page = visitor.submit("/set-up/mail")
    assert page.heading == "Check your mail", page.text
    page = visitor.open(link_in(world, "ticket"))
    assert page.path == "/ticket"
    page = visitor.submit("/ticket")
    assert page.path.startswith("/set-up"), page.path
    return seed_shown(page)


def enrol(world: World, visitor: Visitor, start: str) -> bytes:
    """The whole of set-up, codes included."""
    seed = by_mail(world, visitor, start)
    page = visitor.submit("/set-up", code=world.code(seed))
    assert page.heading == "Save your recovery codes"
    visitor.submit("/set-up/done", saved="yes")
    return seed


# --- the first binding ---


def test_a_first_binding_goes_through_the_mailbox_and_back_to_the_settings(world: World, app: App) -> None:
    ana = resident(world, "Ana")
    world.workspace("acme", owner=world.person("Dana"), member=ana)
    visitor = signed_in(app, ana)
    page = visitor.open("/settings/user")
    assert "Off" in page.text
    page = visitor.open(page.read.links["Set up 2FA"])
    assert ana.email in page.text
    assert "/set-up" not in page.actions, "nothing to scan before the mailbox is shown"
    page = visitor.submit("/set-up/mail")
    assert page.heading == "Check your mail"
    page = visitor.open(link_in(world, "ticket"))
    page = visitor.submit("/ticket")
    assert page.heading == "Set up 2FA"
    seed = seed_shown(page)
    page = visitor.submit("/set-up", code=world.code(seed))
    codes = codes_shown(page)
    assert len(codes) == 10
    page = visitor.submit("/set-up/done", saved="yes")
    assert page.path == "/settings/user?said=two-factor-on"
    assert "2FA is set up." in page.text
    assert "10 of 10 left" in page.text
    page = signed_in(app, ana, code=world.code(seed, 1)).open("/settings/user")
    assert page.heading == "Your settings"


def test_a_mandate_leads_to_set_up_and_back_with_the_form_filled_in(world: World, app: App) -> None:
    dana, ana = resident(world, "Dana"), resident(world, "Ana")
    acme = world.workspace("acme", owner=dana, member=ana)
    visitor = signed_in(app, ana)
    visitor.open("/settings/user")
    world.require(acme)
    page = visitor.submit("/settings/user/name", name="Ana Anders")
    assert page.path.startswith("/set-up?workspace=acme")
    assert "Acme asks everyone for 2FA" in page.text
    assert "Dana can help you" in page.text
    assert "Sign out" in page.form("/sign-out").buttons
    seed = by_mail(world, visitor, page.path)
    visitor.submit("/set-up", code=world.code(seed))
    page = visitor.submit("/set-up/done", saved="yes")
    assert page.path.startswith("/settings/user?refill=1")
    assert "2FA is set up." in page.text
    assert "This is not done yet: press the button once more." in page.text
    assert page.form("/settings/user/name").fields["name"] == "Ana Anders"
    page = visitor.submit("/settings/user/name")
    assert "Your name is changed." in page.text


def test_opening_pages_begins_nothing(world: World, app: App) -> None:
    ana = resident(world, "Ana")
    world.workspace("acme", owner=world.person("Dana"), member=ana)
    visitor = signed_in(app, ana)
    visitor.open("/set-up")
    visitor.submit("/set-up/mail")
    visitor.open(link_in(world, "ticket"))
    page = visitor.open("/set-up")
    assert "/set-up/mail" in page.actions, "the link was opened, and its button was not pressed"


def test_where_they_were_going_survives_the_mailbox(world: World, app: App) -> None:
    ana = resident(world, "Ana")
    acme = world.workspace("acme", owner=world.person("Dana"), member=ana)
    world.require(acme)
    visitor = signed_in(app, ana)
    enrol(world, visitor, "/w/acme/settings/team/authentication")
    assert visitor.page is not None
    assert visitor.page.path == "/w/acme/settings/team/authentication?said=two-factor-on"


def test_the_very_first_binding_is_for_all_workspaces_at_once(world: World, app: App) -> None:
    ana = resident(world, "Ana")
    acme = world.workspace("acme", owner=world.person("Dana"), member=ana)
    world.workspace("bolt", owner=world.person("Emil"), member=ana)
    world.require(acme)
    enrol(world, signed_in(app, ana), "/w/acme")
    assert [each.reach for each in world.known(world.session(ana)).facts.authenticators] == [EVERYWHERE] * 2


def test_a_second_workspace_is_set_up_by_its_own_link(world: World, app: App) -> None:
    ana = resident(world, "Ana")
    acme = world.workspace("acme", owner=world.person("Dana"), member=ana)
    bolt = world.workspace("bolt", owner=world.person("Emil"), member=ana)
    world.bind_totp(ana, reach_of(acme))
    world.require(bolt)
    visitor = signed_in(app, ana)
    page = visitor.open("/w/bolt")
    assert "Bolt asks everyone for 2FA" in page.text
    enrol(world, visitor, page.path)
    reaches = {each.reach for each in world.known(world.session(ana)).facts.authenticators}
    assert reaches == {reach_of(acme), reach_of(bolt)}


def test_there_is_an_end_to_mailing_links(world: World, app: App) -> None:
    ana = resident(world, "Ana")
    world.workspace("acme", owner=world.person("Dana"), member=ana)
    visitor = signed_in(app, ana)
    visitor.open("/set-up")
    for _ in range(5):
        assert visitor.submit("/set-up/mail").status == 200
    page = visitor.submit("/set-up/mail")
    assert page.status == 429
    assert "Use the newest one, or wait an hour." in page.text


# --- the code ---


@pytest.mark.parametrize(
    "typed,said",
    [
        ("", "Enter the 6-digit code from your authenticator app."),
        ("12345", "The code has 6 digits. You entered 5."),
        ("abcdef", "The code has 6 digits and nothing else."),
    ],
)
def test_what_cannot_be_a_code_is_told_at_its_field(world: World, app: App, typed: str, said: str) -> None:
    ana = resident(world, "Ana")
    world.workspace("acme", owner=ana)
    visitor = signed_in(app, ana)
    seed = by_mail(world, visitor, "/set-up")
    page = visitor.submit("/set-up", code=typed)
    assert page.status == 422
    assert said in page.text
    assert page.form("/set-up").fields["code"] == ""
    assert seed_shown(page) == seed


def test_a_code_from_another_moment_is_told_as_the_phones_clock(world: World, app: App) -> None:
    ana = resident(world, "Ana")
    world.workspace("acme", owner=ana)
    visitor = signed_in(app, ana)
    seed = by_mail(world, visitor, "/set-up")
    page = visitor.submit("/set-up", code=world.code(seed, -8))
    assert page.status == 422
    assert "the clock of your phone seems about 4 minutes behind" in page.text
    page = visitor.submit("/set-up", code=world.code(seed, 9))
    assert "seems about 4 minutes ahead" in page.text
    page = visitor.submit("/set-up", code=world.code(seed, 300))
    assert "That code did not match." in page.text
    assert visitor.submit("/set-up", code=world.code(seed, -1)).heading == "Save your recovery codes"


def test_the_size_of_the_drift_in_words() -> None:
    assert drift_words(-2) == {"amount": "1 minute", "direction": "behind"}
    assert drift_words(20) == {"amount": "10 minutes", "direction": "ahead"}


def test_the_server_alone_knows_the_seed(world: World, app: App) -> None:
    """F24: a secret that comes with the form is nobody's."""
    ana = resident(world, "Ana")
    world.workspace("acme", owner=ana)
    visitor = signed_in(app, ana)
    by_mail(world, visitor, "/set-up")
    theirs = b"0" * 20
    page = visitor.submit("/set-up", code=world.code(theirs), secret="GAYDAMBQGAYDAMBQGAYDAMBQGAYDAMBQ")
    assert page.status == 422
    assert not world.known(world.session(ana)).facts.authenticators


def test_another_session_can_neither_see_nor_confirm_it(world: World, app: App) -> None:
    ana = resident(world, "Ana")
    world.workspace("acme", owner=ana)
    visitor, other = signed_in(app, ana), signed_in(app, ana)
    seed = by_mail(world, visitor, "/set-up")
    page = other.open("/set-up")
    assert "/set-up/mail" in page.actions
    page = other.post("/set-up", {"csrf": page.form("/set-up/mail").fields["csrf"], "code": world.code(seed)})
    assert not world.known(world.session(ana)).facts.authenticators
    assert "/set-up/mail" in page.actions, "it leads to the same page, not in circles"


def test_a_set_up_that_has_run_out_can_be_begun_again(world: World, app: App) -> None:
    ana = resident(world, "Ana")
    world.workspace("acme", owner=ana)
    visitor = signed_in(app, ana)
    seed = by_mail(world, visitor, "/set-up")
    world.wait(61 * MINUTE)
    page = visitor.submit("/set-up", code=world.code(seed))
    assert "/set-up/mail" in page.actions, "the mailbox was shown too long ago"


def test_a_form_sent_twice_ends_well(world: World, app: App) -> None:
    ana = resident(world, "Ana")
    world.workspace("acme", owner=ana)
    visitor = signed_in(app, ana)
    seed = by_mail(world, visitor, "/set-up?next=/settings/user")
    assert visitor.page is not None
    form = visitor.page.form("/set-up")
    visitor.post("/set-up", {**form.fields, "code": world.code(seed)})
    page = visitor.post("/set-up", {**form.fields, "code": world.code(seed)})
    assert page.status == 200
    assert page.heading == "2FA is on"
    assert page.read.links["Continue"] == "/settings/user"


def test_set_up_that_is_done_leads_on(world: World, app: App) -> None:
    ana = resident(world, "Ana")
    world.workspace("acme", owner=ana)
    visitor = signed_in(app, ana)
    enrol(world, visitor, "/set-up")
    assert visitor.open("/set-up?workspace=acme&next=/settings/user").path == "/settings/user"
    assert visitor.open("/set-up").path == "/w/acme"


# --- phones ---


def test_on_a_phone_the_key_comes_first(world: World, app: App) -> None:
    ana = resident(world, "Ana")
    world.workspace("acme", owner=ana)
    visitor = signed_in(app, ana, agent=PHONE)
    by_mail(world, visitor, "/set-up")
    assert visitor.page is not None
    html = visitor.page.got.text
    assert "Set it up on this phone" in visitor.page.text
    assert html.index('id="key"') < html.index("<svg xmlns")
    assert 'href="otpauth://totp/' in html


def test_what_counts_as_a_phone() -> None:
    assert on_phone(PHONE)
    assert on_phone("Mozilla/5.0 (Android 15; Mobile; rv:140.0) Gecko/140.0 Firefox/140.0")
    assert not on_phone("Mozilla/5.0 (iPad; CPU OS 18_5 like Mac OS X) AppleWebKit/605 Mobile/15E148")
    assert not on_phone("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0")
    assert not on_phone("")


# --- the codes ---


def at_the_codes(world: World, app: App) -> Visitor:
    ana = resident(world, "Ana")
    world.workspace("acme", owner=ana)
    visitor = signed_in(app, ana)
    seed = by_mail(world, visitor, "/set-up")
    visitor.submit("/set-up", code=world.code(seed))
    return visitor


def test_the_codes_as_a_file(world: World, app: App) -> None:
    visitor = at_the_codes(world, app)
    assert visitor.page is not None
    page, codes = visitor.page, codes_shown(visitor.page)
    file = visitor.submit("/set-up/codes.txt")
    assert file.status == 200
    assert file.got.header("content-type").startswith("text/plain")
    assert re.fullmatch(
        r'attachment; filename="recovery-codes-localhost-\d{4}-\d\d-\d\d.txt"',
        file.got.header("content-disposition"),
    )
    assert file.got.header("x-content-type-options") == "nosniff"
    assert file.got.header("cache-control") == "no-store"
    assert all(code in file.got.text for code in codes)
    visitor.page = page
    assert visitor.submit("/set-up/done", saved="yes").status == 200


@pytest.mark.parametrize(
    "codes", ["", "<script>alert(1)</script>", "k3v9-7xq2-m4tn-8c0e-zr5w hello", "K3V9-7XQ2-M4TN-8C0E-ZR5W"]
)
def test_nothing_but_codes_is_ever_written_into_the_file(world: World, app: App, codes: str) -> None:
    visitor = at_the_codes(world, app)
    page = visitor.submit("/set-up/codes.txt", codes=codes)
    assert page.path == "/settings/user"
    assert "script>alert" not in page.got.text


def test_the_codes_are_shown_once(world: World, app: App) -> None:
    visitor = at_the_codes(world, app)
    assert visitor.page is not None
    codes = codes_shown(visitor.page)
    for path in ("/set-up", "/settings/user", "/set-up/done"):
        assert not any(code in visitor.open(path).got.text for code in codes)


# --- a new phone ---


def with_app(world: World, app: App) -> tuple[Visitor, Person, bytes]:
    ana = resident(world, "Ana")
    world.workspace("acme", owner=ana)
    visitor = signed_in(app, ana)
    seed = enrol(world, visitor, "/set-up")
    return visitor, ana, seed


def test_a_new_phone_without_a_gap(world: World, app: App) -> None:
    visitor, ana, old = with_app(world, app)
    world.wait(HOUR)
    visitor.open("/settings/user")
    assert visitor.page is not None
    replaces = next(each for each in visitor.page.read.forms if each.fields.get("replaces"))
    asked = visitor.post("/set-up/begin", replaces.fields)
    assert asked.path.startswith("/step-up"), "the last proof is an hour old"
    page_after = visitor.submit("/step-up", code=world.code(old))
    assert page_after.heading == "Set up your new phone"
    assert "keeps working until the new one is confirmed" in page_after.text
    page_after = visitor.submit("/set-up/begin")
    new = seed_shown(page_after)
    assert new != old
    signed_in(app, ana, code=world.code(old, 1))
    page_after = visitor.submit("/set-up", code=world.code(new))
    assert page_after.path == "/settings/user?said=phone-replaced"
    other = Visitor(app)
    other.open("/sign-in")
    other.submit("/sign-in", email=ana.email, password=PASSWORD)
    page_after = other.submit("/sign-in/second-step", code=world.code(old, 1))
    assert page_after.status == 401
    world.wait(MINUTE)
    assert other.submit("/sign-in/second-step", code=world.code(new)).path == "/w/acme"


def test_a_recovery_code_leads_to_the_new_phone(world: World, app: App) -> None:
    visitor = at_the_codes(world, app)
    assert visitor.page is not None
    codes = codes_shown(visitor.page)
    ana = next(iter(re.findall(r"ana\d+@example.com", visitor.page.got.text)))
    visitor.submit("/set-up/done", saved="yes")
    lost = Visitor(app)
    lost.open("/sign-in?next=/settings/user")
    lost.submit("/sign-in", email=ana, password=PASSWORD)
    lost.open("/recover?next=/settings/user")
    page = lost.submit("/recover", recovery_code=codes[0])
    assert "9 recovery codes" in page.text
    page = lost.submit("/set-up/begin")
    assert page.heading == "Set up your new phone"
    new = seed_shown(page)
    page = lost.submit("/set-up", code=world.code(new))
    assert page.path == "/settings/user?said=phone-replaced"
    assert "9 of 10 left" in page.text


def test_one_more_app_beside_the_first(world: World, app: App) -> None:
    visitor, ana, first = with_app(world, app)
    page = visitor.open("/settings/user")
    another = next(each for each in page.read.forms if each.fields.get("another"))
    page = visitor.post("/set-up/begin", another.fields)
    second = seed_shown(page)
    page = visitor.submit("/set-up", code=world.code(second))
    assert page.path == "/settings/user?said=two-factor-on"
    signed_in(app, ana, code=world.code(first, 1))
    signed_in(app, ana, code=world.code(second, 1))


def test_nobody_replaces_what_is_not_theirs(world: World, app: App) -> None:
    visitor, _, _ = with_app(world, app)
    stranger = world.person("Ben")
    theirs, _ = world.bind_totp(stranger)
    assert visitor.open(f"/set-up?replaces={to_text(theirs)}").status == 404
    assert visitor.open("/set-up?replaces=nonsense").status == 404


# --- after a reset ---


def test_a_reset_needs_its_number_and_offers_the_old_device_for_removal(world: World, app: App) -> None:
    ana = resident(world, "Ana")
    acme = world.workspace("acme", owner=world.person("Dana"), member=ana)
    world.require(acme)
    enrol(world, signed_in(app, ana), "/w/acme")
    teammate = world.known(world.session(ana)).places
    assert teammate is not None
    done = world.write(
        lambda tx: resets.disable_two_factor(
            tx,
            by=operator("Olga"),
            workspace_id=acme,
            teammate_id=teammate[acme].teammate_id,
            reason="lost phone",
            recognised_by="voice",
        )
    )
    assert done.number is not None
    visitor = signed_in(app, ana)
    page = visitor.open("/w/acme")
    assert "Olga switched off your 2FA" in page.text
    page = visitor.open(link_in(world, "reset"))
    page = visitor.submit("/ticket", number="1234")
    assert page.status == 422
    assert "You entered 4." in page.text
    wrong = f"{(int(done.number) + 1) % 10**8:08d}"
    page = visitor.submit("/ticket", number=wrong)
    assert "4 tries are left" in page.text
    page = visitor.submit("/ticket", number=f"{done.number[:4]} {done.number[4:]}")
    assert page.heading == "Set up 2FA to continue"
    page = visitor.submit("/set-up", code=world.code(seed_shown(page)))
    assert page.heading == "Save your recovery codes"
    page = visitor.submit("/set-up/done", saved="yes")
    assert page.heading == "2FA is on"
    assert "Do you still have the old one?" in page.text
    remove = next(each for each in page.actions if each.endswith("/remove"))
    page = visitor.submit(remove)
    assert page.path == "/settings/user?said=removed"
    bound = world.known(world.session(ana)).facts.authenticators
    assert len([each for each in bound if each.method is Method.TOTP]) == 1


def test_five_wrong_numbers_kill_the_link(world: World, app: App) -> None:
    ana = resident(world, "Ana")
    acme = world.workspace("acme", owner=world.person("Dana"), member=ana)
    world.require(acme)
    enrol(world, signed_in(app, ana), "/w/acme")
    places = world.known(world.session(ana)).places
    assert places is not None
    done = world.write(
        lambda tx: resets.disable_two_factor(
            tx,
            by=operator("Olga"),
            workspace_id=acme,
            teammate_id=places[acme].teammate_id,
            reason="lost phone",
            recognised_by="voice",
        )
    )
    assert done.number is not None
    wrong = f"{(int(done.number) + 1) % 10**8:08d}"
    visitor = signed_in(app, ana)
    visitor.open(link_in(world, "reset"))
    for _ in range(4):
        assert visitor.submit("/ticket", number=wrong).status == 422
    page = visitor.submit("/ticket", number=wrong)
    assert page.status == 410
    assert "The number was wrong too often." in page.text
    page = visitor.open(link_in(world, "reset"))
    assert page.status == 410


# --- tickets ---


def test_a_ticket_waits_for_the_sign_in_and_goes_on(world: World, app: App) -> None:
    ana = resident(world, "Ana")
    acme = world.workspace("acme", owner=world.person("Dana"), member=ana)
    world.require(acme)
    visitor = signed_in(app, ana)
    visitor.open("/w/acme")
    visitor.submit("/set-up/mail")
    phone = Visitor(app, PHONE)
    page = phone.open(link_in(world, "ticket"))
    assert page.path == "/ticket"
    assert ana.email in page.text
    phone.open(page.read.links["Sign in"])
    page = phone.submit("/sign-in", email=ana.email, password=PASSWORD)
    assert page.path == "/ticket"
    page = phone.submit("/ticket")
    assert "Set it up on this phone" in page.text
    seed = seed_shown(page)
    phone.submit("/set-up", code=world.code(seed))
    page = phone.submit("/set-up/done", saved="yes")
    assert page.path == "/w/acme?said=two-factor-on"
    page = visitor.open("/set-up?workspace=acme&next=/w/acme")
    assert page.path.startswith("/sign-in/second-step"), "set up elsewhere: this session shows a code now"
    world.wait(MINUTE)
    assert visitor.submit("/sign-in/second-step", code=world.code(seed)).path == "/w/acme"


def test_a_ticket_is_good_for_its_own_person_alone(world: World, app: App) -> None:
    """F24, F33: somebody else's session cannot spend it."""
    ana, ben = resident(world, "Ana"), resident(world, "Ben")
    world.workspace("acme", owner=[ana, ben])
    visitor = signed_in(app, ana)
    visitor.open("/set-up")
    visitor.submit("/set-up/mail")
    link = link_in(world, "ticket")
    other = signed_in(app, ben)
    page = other.open(link)
    assert "You are signed in with another account" in page.text
    page = other.post("/ticket", {"csrf": page.form("/sign-out").fields["csrf"]})
    assert "You are signed in with another account" in page.text
    visitor.open(link)
    assert visitor.submit("/ticket").heading == "Set up 2FA"


def test_a_used_ticket_leads_its_own_session_on_and_nobody_else(world: World, app: App) -> None:
    ana = resident(world, "Ana")
    world.workspace("acme", owner=ana)
    visitor = signed_in(app, ana)
    by_mail(world, visitor, "/set-up")
    link = link_in(world, "ticket")
    assert visitor.open(link).heading == "Set up 2FA"
    page = signed_in(app, ana).open(link)
    assert page.status == 410
    assert page.read.links["Go to set-up"] == "/set-up"


def test_a_newer_ticket_kills_the_older_and_time_kills_all(world: World, app: App) -> None:
    ana = resident(world, "Ana")
    world.workspace("acme", owner=ana)
    visitor = signed_in(app, ana)
    visitor.open("/set-up")
    visitor.submit("/set-up/mail")
    older = link_in(world, "ticket")
    world.wait(MINUTE)
    visitor.submit("/set-up/mail")
    page = visitor.open(older)
    assert page.status == 410
    assert "A newer one was sent since." in page.text
    newer = link_in(world, "ticket")
    assert newer != older
    world.wait(DAY)
    page = Visitor(app).open(newer)
    assert page.status == 410
    assert "that time is over" in page.text
    assert Visitor(app).open("/tickets/" + "x" * 43).status == 404


def test_another_way_in_still_leads_where_one_was_going(world: World, app: App) -> None:
    visitor, ana, _ = with_app(world, app)
    visitor.open("/settings/user")
    code = codes_shown(visitor.submit("/settings/user/recovery-codes"))[0]
    lost = Visitor(app)
    lost.open("/sign-in?next=/settings/user")
    page = lost.submit("/sign-in", email=ana.email, password=PASSWORD)
    page = lost.open(page.read.links["Try another way"])
    assert page.path == "/recover?next=%2Fsettings%2Fuser"
    page = lost.submit("/recover", recovery_code=code)
    assert page.read.links["Not now"] == "/settings/user"


def test_with_two_apps_a_recovery_code_leads_to_the_choice_of_which_is_lost(world: World, app: App) -> None:
    visitor, ana, _ = with_app(world, app)
    world.bind_totp(ana)
    visitor.open("/settings/user")
    code = codes_shown(visitor.submit("/settings/user/recovery-codes"))[0]
    lost = Visitor(app)
    lost.open("/sign-in")
    lost.submit("/sign-in", email=ana.email, password=PASSWORD)
    lost.open("/recover")
    page = lost.submit("/recover", recovery_code=code)
    page = lost.open(page.read.links["See what you have set up"])
    apps = [each for each in page.read.forms if each.fields.get("replaces")]
    assert len(apps) == 2
    page = lost.post("/set-up/begin", apps[1].fields)
    assert page.heading == "Set up your new phone"
