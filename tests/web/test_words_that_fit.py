"""What pages and mails say fits what a person has, an app, a passkey or both, and what their workspace asks for."""

import pytest

from nightlatch.actions.not_me import not_me_link
from nightlatch.ids import to_text
from nightlatch.instants import DAY
from nightlatch.instants import to_text as instant
from tests.support.lost import bind_codes
from tests.support.mails import newest
from tests.support.tables import rows
from tests.support.visitor import Page, Visitor
from tests.support.world import PASSWORD, Person
from tests.web.passkey_people import KEYS, by_key, put, surfing
from tests.web.team import Team


@pytest.fixture
def dana(team: Team) -> Person:
    """The owner of acme, with a passkey."""
    person = team.person("Dana")
    team.world.bind_passkey(person)
    return person


def recovered(team: Team, person: Person) -> tuple[Visitor, Page]:
    """After the password and a recovery code."""
    _, codes = bind_codes(team.world, person)
    visitor = Visitor(team.app)
    visitor.open("/sign-in")
    visitor.submit("/sign-in", email=person.email, password=PASSWORD)
    visitor.open("/recover")
    page = visitor.submit("/recover", recovery_code=codes[0].text)
    assert page.heading == "You are signed in"
    return visitor, page


def test_a_recovery_code_leads_to_what_takes_the_place_of_the_one_that_is_lost(
    team: Team, dana: Person
) -> None:
    app, key, both = (
        team.person("Ana", two_factor=True),
        team.person("Ben"),
        team.person("Cem", two_factor=True),
    )
    for person in (key, both):
        team.world.bind_passkey(person)
    team.world.workspace("acme", owner=dana, member=[app, key, both])
    _, page = recovered(team, app)
    assert "your phone is lost, broken or new" in page.text
    assert "/set-up/begin" in page.actions
    visitor, page = recovered(team, key)
    assert "the device with your passkey is lost" in page.text
    assert "phone" not in page.text
    page = visitor.open(page.read.links["Set up a new passkey"])
    assert page.heading == "Set up your new device"
    assert "Your present passkey ( Laptop ) keeps working" in page.text
    assert page.text.index("With a passkey") < page.text.index("Or with an authenticator app")
    _, page = recovered(team, both)
    assert page.read.links["See what you have set up"] == "/settings/user"


def test_where_a_passkey_alone_opens_it_the_recovery_code_leads_to_a_new_one(
    team: Team, dana: Person
) -> None:
    ben = team.person("Ben")
    passkey = team.world.bind_passkey(ben)
    team.world.workspace("acme", owner=dana, member=ben)
    put(by_key(team, dana), KEYS)
    visitor, page = recovered(team, ben)
    assert "Only a passkey opens Acme" in page.text
    page = visitor.open(page.read.links["Set up a new passkey"])
    assert page.heading == "Set up a passkey to continue"
    page = visitor.open(f"/set-up?replaces={to_text(passkey)}")
    assert page.heading == "Set up your new device"
    assert "/set-up/begin" not in page.actions, "an app in the place of the passkey would not do"


def test_the_lost_device_page_names_what_there_is(team: Team, dana: Person) -> None:
    app, key, both = (
        team.person("Ana", two_factor=True),
        team.person("Ben"),
        team.person("Cem", two_factor=True),
    )
    for person in (key, both):
        team.world.bind_passkey(person)
    team.world.workspace("acme", owner=dana, member=[app, key, both])
    for person, has, lacks, link in (
        (app, "your phone", "neither your phone nor", "I have lost my phone, or it is new"),
        (key, "your passkey", "neither your passkey nor", "I have lost my device, or it is new"),
        (both, "your passkey or your phone", "neither your phone nor", "I have lost my phone, or it is new"),
    ):
        visitor = Visitor(team.app)
        visitor.open("/sign-in")
        page = visitor.submit("/sign-in", email=person.email, password=PASSWORD)
        page = visitor.open(page.read.links[link].partition("#")[0])
        assert f"You have {has} after all?" in page.text
        assert f"If you have {lacks} a recovery code" in page.text


def test_the_link_in_the_mailbox_is_for_a_passkey_where_an_app_would_not_do(team: Team, dana: Person) -> None:
    ana, ben = team.person("Ana"), team.person("Ben")
    team.world.workspace("acme", owner=dana, member=[ana, ben])
    visitor = Visitor(team.app)
    for policy, thing in (({"required": True}, "2FA"), (KEYS, "a passkey")):
        put(by_key(team, dana), policy)
        visitor.open("/sign-in?again=1")
        visitor.submit("/sign-in", email=ana.email, password=PASSWORD)
        visitor.open("/set-up?workspace=acme")
        visitor.submit("/set-up/mail")
        values = newest(team.world, "ticket")
        assert values["passkey"] is (policy is KEYS)
        page = visitor.open(values["link"])
        assert page.heading == f"Set up {thing}"
        assert ("with your phone" in page.text) is (policy is not KEYS)


def test_a_reminder_to_somebody_who_is_ready_says_of_what(team: Team, dana: Person) -> None:
    ana = team.person("Ana", two_factor=True)
    acme = team.world.workspace("acme", owner=dana, member=ana)
    owner = by_key(team, dana)
    remind = f"/api/v1/workspaces/acme/teammates/{team.id_of(ana, acme)}/remind"
    put(owner, {"required": True})
    assert "has set up 2FA already" in owner.post(remind).text
    team.world.bind_passkey(ana)
    put(owner, KEYS)
    assert "has set up a passkey already" in owner.post(remind).text


def test_this_was_not_me_names_a_passkey(team: Team, dana: Person) -> None:
    team.world.workspace("acme", owner=dana)
    (row,) = rows(team.world, "authenticators")
    visitor = Visitor(team.app)
    page = visitor.open(team.world.write(lambda tx: not_me_link(tx, dana.id, row.id)))
    assert "stop the passkey Laptop" in page.text
    assert visitor.submit("/not-me").text.count("The passkey Laptop is suspended") == 1


def test_what_cannot_be_removed_is_replaced_by_its_like(team: Team, dana: Person) -> None:
    team.world.workspace("acme", owner=dana)
    put(by_key(team, dana), KEYS)
    (row,) = rows(team.world, "authenticators")
    hers = surfing(team, dana)
    for where in ("/settings/user", f"/settings/user/authenticators/{to_text(row.id)}/remove"):
        page = hers.open(where)
        (way,) = [to for name, to in page.read.links.items() if name.startswith("Set up a new device")]
        assert "Set up a new phone" not in page.text
        assert hers.open(way).heading == "Set up your new device"


def test_recovery_codes_are_kept_away_from_what_they_stand_in_for(team: Team, dana: Person) -> None:
    ana = team.person("Ana", two_factor=True)
    team.world.workspace("acme", owner=dana, member=ana)
    for visitor, without in ((surfing(team, dana), "that device"), (team.visitor(ana), "my phone")):
        visitor.open("/settings/user")
        page = visitor.submit("/settings/user/recovery-codes")
        assert f"I can get at these codes without {without}" in page.text
        page = visitor.submit("/set-up/done")
        assert f"I can get at these codes without {without}" in page.text


def test_an_invitation_says_what_comes_after_the_password(team: Team, dana: Person) -> None:
    team.world.workspace("acme", owner=dana)
    client = by_key(team, dana)
    later = instant(team.world.clock.now() + 20 * DAY)
    for address, policy, words in (
        ("one@example.com", {"required": True}, "asks everyone for 2FA"),
        ("two@example.com", {**KEYS, "strength_from": later}, "asks everyone for a passkey"),
    ):
        put(client, policy)
        client.post("/api/v1/workspaces/acme/invitations", {"emails": [address], "role": "member"})
        page = Visitor(team.app).open(newest(team.world, "invitation")["link"])
        assert words in page.text
        assert ("with your phone" in page.text) is ("2FA" in words)


def test_the_text_for_the_chat_offers_either_where_either_will_do(team: Team, dana: Person) -> None:
    team.world.workspace("acme", owner=dana, member=team.person("Ana"))
    put(by_key(team, dana), {"required": True})
    page = surfing(team, dana).open("/w/acme/settings/team/authentication/progress")
    assert "needs a passkey, or an authenticator app on your phone" in page.text


def test_the_table_and_the_home_count_passkeys_where_those_are_required(team: Team, dana: Person) -> None:
    ana, ben = team.person("Ana", two_factor=True), team.person("Ben")
    team.world.workspace("acme", owner=dana, member=[ana, ben])
    owner, soon = surfing(team, dana), instant(team.world.clock.now() + 3 * DAY)
    put(by_key(team, dana), {"required": True})
    assert "3 teammates · 2 with 2FA" in owner.open("/w/acme/settings/team").text
    assert "2 with 2FA" in owner.open("/w/acme").text
    put(by_key(team, dana), {**KEYS, "strength_from": soon})
    page = owner.open("/w/acme/settings/team")
    for words in (
        "3 teammates · 1 with a passkey",
        "1 due soon",
        "No passkey yet",
        "All 2 without a passkey",
    ):
        assert words in page.text, words
    assert "1 with a passkey" in owner.open("/w/acme").text


def test_the_filter_names_the_state_that_it_filters_by(team: Team, dana: Person) -> None:
    team.world.workspace("acme", owner=dana)
    owner = surfing(team, dana)
    names = {
        "sso": "By single sign-on",
        "exempt": "More time",
        "overdue": "Not set up",
        "due": "Off, due soon",
    }
    for state, words in names.items():
        assert words in owner.open(f"/w/acme/settings/team?two_factor={state}").text
        assert words not in owner.open("/w/acme/settings/team").text
