"""Passkeys alone, by pages and API: requiring them, whom that meets, what is answered to whoever lacks one."""

import pytest

from nightlatch.ids import to_text
from nightlatch.instants import DAY, MINUTE
from nightlatch.instants import to_text as instant
from nightlatch.vocabulary import Event, Method
from tests.support.events import events
from tests.support.lost import bind_codes
from tests.support.visitor import Visitor
from tests.support.world import Person, session_token
from tests.web.passkey_people import API, KEYS, by_key, newcomer, put, surfing
from tests.web.team import Team

SWITCH = "/w/acme/settings/team/authentication"
STRENGTH = f"{SWITCH}/strength"


@pytest.fixture
def dana(team: Team) -> Person:
    """The owner of acme, with a passkey."""
    person = team.person("Dana")
    team.world.bind_passkey(person)
    return person


def test_the_api_requires_them_from_a_date_and_gives_them_up_with_a_reason(team: Team, dana: Person) -> None:
    team.world.workspace("acme", owner=dana)
    client, at = by_key(team, dana), instant((team.world.clock.now() + 10 * DAY) // DAY * DAY)
    assert put(client, {"required": True}).json["two_factor"]["strength"] == "any"
    got = put(client, {**KEYS, "strength_from": at})
    assert (got.json["two_factor"]["strength"], got.json["two_factor"]["strength_from"]) == (
        "phishing_resistant",
        at,
    )
    assert put(client, {"required": True}).json["two_factor"]["strength_from"] == at  # left out, it stays
    assert put(client, KEYS).status == 200
    got = put(client, {**KEYS, "strength_from": at})
    assert (got.status, got.code) == (409, "mandate_in_force")
    got = put(client, {"required": True, "strength": "any"})
    assert (got.status, got.code) == (422, "invalid")
    assert (
        put(client, {"required": True, "strength": "any"}, "Lost keys").json["two_factor"]["strength"]
        == "any"
    )
    names = [each.event for each in events(team.world) if each.event.startswith("mandate.")]
    assert names == [
        Event.MANDATE_TURNED_ON,
        Event.MANDATE_STRENGTH_SCHEDULED,
        Event.MANDATE_STRENGTHENED,
        Event.MANDATE_WEAKENED,
    ]


def test_whoever_has_no_passkey_cannot_require_them_and_is_shown_the_way(team: Team) -> None:
    dana = team.person("Dana", two_factor=True)
    team.world.workspace("acme", owner=dana)
    got = put(team.client(dana), KEYS)
    assert (got.status, got.code) == (409, "not_enrolled")
    assert got.json["way_out"]["path"] == "/set-up?workspace=acme&another=1"


def test_it_bites_at_the_very_next_request_and_says_phr(team: Team, dana: Person) -> None:
    """An app is told to set up; an app beside a passkey, to show it: RFC 9470 with `phr`."""
    ana, ben = team.person("Ana", two_factor=True), team.person("Ben", two_factor=True)
    team.world.workspace("acme", owner=dana, member=[ana, ben])
    hers, his, owner = team.client(ana), team.client(ben), by_key(team, dana)
    team.world.bind_passkey(ben)
    path = "/api/v1/workspaces/acme/teammates"
    assert hers.ask("GET", path).status == his.ask("GET", path).status == 200
    assert put(owner, KEYS).status == 200
    got = hers.ask("GET", path)
    assert (got.status, got.code, got.json["needs"]) == (403, "enrolment_required", None)
    assert "passkey" in got.json["detail"]
    got = his.ask("GET", path)
    assert (got.status, got.code) == (401, "second_factor_required")
    assert 'acr_values="phr"' in got.header("www-authenticate")
    assert got.json["methods"] == ["passkey"]
    (seen,) = owner.ask("GET", "/api/v1/session").json["workspaces"]
    assert (seen["decision"], seen["acr"], seen["aal"]) == ("allow", "phr", 2)
    (seen,) = hers.ask("GET", "/api/v1/session").json["workspaces"]
    assert (seen["decision"], seen["reason"], seen["acr"]) == ("enrol", "strength", "urn:nightlatch:aal2")


def test_a_page_and_a_form_are_kept_for_who_came_by_an_app(team: Team, dana: Person) -> None:
    """The very next click leads to set-up, and what was typed is kept."""
    ada = team.person("Ada", two_factor=True)
    team.world.workspace("acme", owner=dana, admin=ada)
    hers = team.visitor(ada)
    hers.open("/w/acme/settings/team/invite")
    put(by_key(team, dana), KEYS)
    page = hers.submit("/w/acme/settings/team/invite", emails="nia@example.com", role="member")
    assert page.path.startswith("/set-up?workspace=acme")


def test_the_page_says_whom_it_meets_and_requires_them_now_or_later(team: Team, dana: Person) -> None:
    ana, ben = team.person("Ana", two_factor=True), team.person("Ben")
    team.world.workspace("acme", owner=dana, member=[ana, ben])
    owner = surfing(team, dana)
    assert owner.open(STRENGTH).path == SWITCH  # not before 2FA is required at all
    put(by_key(team, dana), {"required": True})
    page = owner.open(SWITCH)
    assert "Any second step will do" in page.text
    page = owner.open(STRENGTH)
    assert page.heading == "Require a passkey of everyone?"
    assert "asked for one at their next click from then on" in page.text
    assert "Ana" in page.text
    assert owner.submit(STRENGTH, when="").status == 422
    page = owner.submit(STRENGTH, when="from")
    assert page.path == f"{SWITCH}?said=passkeys-from"
    assert "Passkeys only from" in page.text
    page = owner.open(STRENGTH)
    assert page.heading == "Change when a passkey is required"
    page = owner.submit(STRENGTH, when="now")
    assert "a code from an app is not enough here" in page.text
    page = owner.open(STRENGTH)
    assert page.heading == "Go back to any second step?"
    assert owner.submit(f"{STRENGTH}/off", reason="").status == 422
    page = owner.submit(f"{STRENGTH}/off", reason="Lost laptops")
    assert page.path == f"{SWITCH}?said=passkeys-off"
    assert "Any second step will do" in page.text
    page = owner.open(STRENGTH)
    assert "it can be required again at once, but not from a later date" in page.text
    assert page.form(STRENGTH).fields["when"] == "now"


def test_the_page_asks_whoever_has_no_passkey_to_set_one_up(team: Team) -> None:
    dana = team.person("Dana", two_factor=True)
    acme = team.world.workspace("acme", owner=dana)
    visitor = team.visitor(dana)
    page = visitor.open(f"{SWITCH}/on")
    assert "set up a passkey for yourself first" in page.text
    team.world.require(acme)
    page = visitor.open(STRENGTH)
    assert "Set up a passkey for yourself first" in page.text
    assert not page.actions or STRENGTH not in page.actions


def test_both_at_once_by_the_switch(team: Team, dana: Person) -> None:
    """Turning 2FA on may take passkeys alone from the same moment."""
    team.world.workspace("acme", owner=dana)
    owner = surfing(team, dana)
    owner.open(f"{SWITCH}/on")
    page = owner.submit(f"{SWITCH}/on", when="now", strength="phishing_resistant")
    assert "Passkeys only" in page.text
    policy = by_key(team, dana).ask("GET", API).json["two_factor"]
    assert policy["strength_from"] == policy["required_from"]


def test_before_its_date_the_switch_gives_it_up_with_a_reason(team: Team, dana: Person) -> None:
    """The page that changes the date has a field for why."""
    team.world.workspace("acme", owner=dana)
    owner = surfing(team, dana)
    owner.open(f"{SWITCH}/on")
    owner.submit(f"{SWITCH}/on", when="from", strength="phishing_resistant")
    owner.open(f"{SWITCH}/on")
    page = owner.submit(f"{SWITCH}/on", when="from", strength="any")
    assert page.status == 422
    page = owner.submit(f"{SWITCH}/on", when="from", strength="any", reason="Not yet")
    assert "Any second step will do" in page.text


def test_the_table_the_banner_and_set_up_say_that_it_is_a_passkey(team: Team, dana: Person) -> None:
    """Who has an app reads what is missing, before and after the date."""
    ana = team.person("Ana", two_factor=True)
    team.world.workspace("acme", owner=dana, member=ana)
    owner, hers = surfing(team, dana), team.visitor(ana)
    at = instant(team.world.clock.now() + 2 * DAY)
    put(by_key(team, dana), {"required": True})
    put(by_key(team, dana), {**KEYS, "strength_from": at})
    assert "No passkey yet App" in owner.open("/w/acme/settings/team?two_factor=due").text
    assert "Acme asks you for a passkey in " in hers.open("/w/acme").text
    put(by_key(team, dana), KEYS)
    assert "No passkey App" in owner.open("/w/acme/settings/team?two_factor=overdue").text
    page = hers.open("/w/acme")
    assert page.path.startswith("/set-up?workspace=acme")
    assert "Acme asks everyone for a passkey" in page.text


def test_the_preview_counts_them(team: Team, dana: Person) -> None:
    ana, ben = team.person("Ana", two_factor=True), team.person("Ben")
    team.world.workspace("acme", owner=dana, member=[ana, ben])
    got = by_key(team, dana).ask("GET", f"{API}/preview").json
    assert (got["with_passkey"]["names"], got["without_passkey"]["names"]) == (["Dana"], ["Ana"])
    assert (got["set_up"]["count"], got["will_be_asked"]["names"]) == (2, ["Ben"])
    assert (got["owners_with_passkey"], got["i_have_passkey"]) == (1, True)


def test_who_is_told_of_the_date(team: Team, dana: Person) -> None:
    """The session says when a passkey will be needed, to those who have none."""
    ana = team.person("Ana", two_factor=True)
    team.world.workspace("acme", owner=dana, member=ana)
    at = instant((team.world.clock.now() + 10 * DAY) // MINUTE * MINUTE)
    put(by_key(team, dana), {"required": True})
    put(by_key(team, dana), {**KEYS, "strength_from": at})
    (seen,) = team.client(ana).ask("GET", "/api/v1/session").json["workspaces"]
    assert (seen["decision"], seen["due"]) == ("allow", at)
    (seen,) = by_key(team, dana).ask("GET", "/api/v1/session").json["workspaces"]
    assert seen["due"] is None


def test_set_up_offers_no_app_where_a_passkey_alone_satisfies(team: Team, dana: Person) -> None:
    """Neither to whoever has an app, nor to a newcomer; until the date of it, an app does where nothing is set up."""
    ana, ben = team.person("Ana", two_factor=True), team.person("Ben")
    team.world.workspace("acme", owner=dana, member=[ana, ben])
    hers, his = team.visitor(ana), newcomer(team, ben)
    put(by_key(team, dana), {"required": True})
    at = instant(team.world.clock.now() + 2 * DAY)
    put(by_key(team, dana), {**KEYS, "strength_from": at})
    page = his.open("/set-up?workspace=acme")
    assert page.text.index("With a passkey") < page.text.index("Or with an authenticator app")
    page = hers.open("/set-up?workspace=acme")
    assert "Acme will ask everyone for a passkey from" in page.text
    assert page.heading == "Set up a passkey", "nothing is shut to her yet"
    assert "Not now" in page.read.links
    assert "With an authenticator app" not in page.text
    put(by_key(team, dana), KEYS)
    for visitor in (hers, his):
        page = visitor.open("/set-up?workspace=acme")
        assert page.heading == "Set up a passkey to continue"
        assert "a code from an app is not enough there" in page.text
        assert "With an authenticator app" not in page.text
        assert "/set-up/begin" not in page.actions
        assert "/set-up/passkey" in page.actions


def test_an_app_that_was_begun_is_put_away_where_a_passkey_alone_satisfies(team: Team, dana: Person) -> None:
    """A newcomer's set-up begins by itself; its QR code would lead nowhere."""
    ben = team.person("Ben")
    team.world.workspace("acme", owner=dana, member=ben)
    his = newcomer(team, ben)
    put(by_key(team, dana), {"required": True})
    his.open("/set-up?workspace=acme")
    assert his.submit("/set-up/begin").heading == "Set up 2FA to continue"
    put(by_key(team, dana), KEYS)
    page = his.open("/set-up?workspace=acme")
    assert page.heading == "Set up a passkey to continue"
    assert "/set-up" not in page.actions


def test_the_text_for_the_chat_and_the_progress_page_say_passkey(team: Team, dana: Person) -> None:
    team.world.workspace("acme", owner=dana, member=team.person("Ana", two_factor=True))
    owner = surfing(team, dana)
    put(by_key(team, dana), {"required": True})
    progress = f"{SWITCH}/progress"
    assert "asks everyone for a second step (2FA) now" in owner.open(progress).text
    put(by_key(team, dana), KEYS)
    page = owner.open(progress)
    assert "1 of 2 set up with a passkey" in page.text
    assert "Acme asks everyone for a passkey now" in page.text
    assert "authenticator app" not in page.text


def test_who_lost_the_passkey_and_has_a_recovery_code_is_led_to_a_new_one(team: Team, dana: Person) -> None:
    """The lost one is still relied on: that must not read as "nothing is left to set up", and go round in a circle."""
    ana = team.person("Ana")
    team.world.workspace("acme", owner=dana, member=ana)
    team.world.bind_passkey(ana)
    put(by_key(team, dana), KEYS)
    codes, token, hers = bind_codes(team.world, ana)[0], session_token(), Visitor(team.app)
    team.world.session(ana, Method.PASSWORD, Method.RECOVERY_CODE, authenticator=codes, token=token)
    hers.client.cookies["nightlatch"] = token.text
    page = hers.open("/w/acme")
    assert (page.path.split("?")[0], page.heading) == ("/set-up", "Set up a passkey to continue")
    assert "/set-up/passkey" in page.actions


def test_an_app_begun_in_the_place_of_a_passkey_is_put_away_once_passkeys_alone_are_required(
    team: Team, dana: Person
) -> None:
    """Its confirming would be refused, and the refusal leads to this very page."""
    ben = team.person("Ben")
    key = to_text(team.world.bind_passkey(ben))
    team.world.workspace("acme", owner=dana, member=[ben])
    browser, path = surfing(team, ben), f"/set-up?replaces={key}"
    browser.open(path)
    assert "Scan" in browser.submit("/set-up/begin").text
    assert put(by_key(team, dana), KEYS).status == 200
    page = browser.open(path)
    assert page.heading == "Set up your new device"
    assert [each for each in page.actions if each.startswith("/set-up")] == ["/set-up/passkey"]
