"""The page of the switch, what stands against it and what it does to live sessions; and inviting."""

import pytest

from nightlatch.facts import EVERYWHERE
from nightlatch.ids import new_id
from nightlatch.instants import DAY, MINUTE, to_datetime
from nightlatch.store import authenticators, outbox
from nightlatch.vocabulary import Event, Method
from tests.support.asgi import app_of
from tests.support.events import events
from tests.support.letters import letters
from tests.support.mails import link_in
from tests.support.visitor import Visitor, seed_shown
from tests.support.world import PASSWORD, Person, session_token
from tests.web.team import Team

TEAM = "/w/acme/settings/team"
SWITCH = f"{TEAM}/authentication"


@pytest.fixture
def dana(team: Team) -> Person:
    """The owner of acme, with 2FA."""
    return team.person("Dana", two_factor=True)


# --- the switch ---


def test_the_switch_is_off_and_the_page_before_it_says_what_will_happen(team: Team, dana: Person) -> None:
    ben = team.person("Ben")
    team.world.workspace("acme", owner=dana, member=ben)
    owner, his = team.visitor(dana), team.visitor(ben)
    his.open("/w/acme")
    page = owner.open(SWITCH)
    assert "Two-factor authentication is optional." in page.text
    assert "1 of 2 teammates uses it." in page.text
    assert "Require all teammates to authenticate via 2FA" in page.text
    page = owner.open(f"{SWITCH}/on")
    assert "1 person is working without 2FA right now" in page.text
    assert "You are the only owner: make a second one" in page.text
    assert "none is really sent" in page.text
    page = owner.submit(f"{SWITCH}/on", when="now")
    assert page.path == f"{SWITCH}?said=mandate-on"
    assert "Two-factor authentication is required." in page.text
    assert "Turned on by Dana" in page.text
    assert owner.open(f"{SWITCH}/on").path == SWITCH


def test_a_live_session_is_led_to_set_up_and_back_to_what_it_did(team: Team, dana: Person) -> None:
    """F40, and story item 6: the very next click; the form that was caught comes back filled in."""
    ada, ben = team.person("Ada"), team.person("Ben")
    acme = team.world.workspace("acme", owner=dana, admin=ada, member=ben)
    his, hers = team.visitor(ben), team.visitor(ada)
    assert his.open(TEAM).status == 200
    hers.open(f"{TEAM}/invite")
    team.world.require(acme)
    page = his.open(TEAM)
    assert page.path.startswith("/set-up?workspace=acme&next=%2Fw%2Facme%2Fsettings%2Fteam")
    page = hers.submit(f"{TEAM}/invite", emails="nia@example.com", role="member")
    assert page.path.startswith("/set-up?workspace=acme")
    hers.submit("/set-up/mail")
    hers.open(link_in(team.world, "ticket"))
    page = hers.submit("/ticket")
    hers.submit("/set-up", code=team.world.code(seed_shown(page)))
    page = hers.submit("/set-up/done", saved="yes")
    assert page.form(f"{TEAM}/invite").fields["emails"] == "nia@example.com"
    assert hers.submit(f"{TEAM}/invite").heading == "1 invitation sent"


def test_from_a_date_which_can_be_changed_until_it_comes(team: Team, dana: Person) -> None:
    team.world.workspace("acme", owner=dana)
    visitor = team.visitor(dana)
    visitor.open(f"{SWITCH}/on")
    for typed in ("", "soon", "2026-13-01T09:00", "2020-01-01T09:00"):
        page = visitor.submit(f"{SWITCH}/on", when="from", from_at=typed)
        assert page.status == 422
        assert page.form(f"{SWITCH}/on").fields["from_at"] == typed
        assert page.form(f"{SWITCH}/on").fields["when"] == "from"
    at = to_datetime(team.world.clock.now() + DAY)
    page = visitor.submit(f"{SWITCH}/on", when="from", from_at=f"{at:%Y-%m-%dT%H:%M}")
    assert page.path == f"{SWITCH}?said=mandate-scheduled"
    assert f"required from {at.day} {at:%b} {at.year}, {at:%H:%M} UTC" in page.text
    page = visitor.open(page.read.links["Change the date, or require it now"])
    assert page.heading == "Change when 2FA is required"
    assert page.form(f"{SWITCH}/on").fields["from_at"] == f"{at:%Y-%m-%dT%H:%M}"
    page = visitor.submit(f"{SWITCH}/on", when="now")
    assert page.path == f"{SWITCH}?said=mandate-on"
    assert [each.event for each in events(team.world)][-2:] == [
        Event.MANDATE_SCHEDULED,
        Event.MANDATE_TURNED_ON,
    ]


def test_turning_it_off_takes_fresh_proof_and_a_reason(team: Team, dana: Person) -> None:
    acme = team.world.workspace("acme", owner=dana)
    team.world.require(acme)
    visitor = team.visitor(dana)
    team.world.wait(11 * MINUTE)
    visitor.open(f"{SWITCH}/off")
    page = visitor.submit(f"{SWITCH}/off", reason="Rolled out too early")
    assert page.path.startswith("/step-up?workspace=acme&act=policy")
    page = visitor.submit("/step-up", using="totp", code=team.code(dana))
    assert page.form(f"{SWITCH}/off").fields["reason"] == "Rolled out too early"
    page = visitor.submit(f"{SWITCH}/off", reason=" ")
    assert page.status == 422
    page = visitor.submit(f"{SWITCH}/off", reason="Rolled out too early")
    assert page.path == f"{SWITCH}?said=mandate-off"
    assert events(team.world)[-1].detail["reason"] == "Rolled out too early"


def test_somebody_was_faster(team: Team, dana: Person) -> None:
    """A page that shows an older state changes nothing, and is shown again as things are now."""
    olga = team.person("Olga", two_factor=True)
    team.world.workspace("acme", owner=[dana, olga])
    hers, mine = team.visitor(olga), team.visitor(dana)
    hers.open(f"{SWITCH}/on")
    mine.open(f"{SWITCH}/on")
    assert mine.submit(f"{SWITCH}/on", when="now").status == 200
    page = hers.submit(f"{SWITCH}/on", when="now")
    assert page.status == 412
    assert "Somebody else has changed this meanwhile" in page.text
    hers.open(SWITCH)
    mine.open(SWITCH)
    assert mine.submit(f"{SWITCH}/managed-by", managed_by="owners").status == 200
    page = hers.submit(f"{SWITCH}/managed-by", managed_by="admins")
    assert page.status == 412
    assert page.form(f"{SWITCH}/managed-by").fields["managed_by"] == "admins", "what was typed is kept"
    page = hers.submit(f"{SWITCH}/managed-by")
    assert page.path == f"{SWITCH}?said=managed-by", "and with the present state seen, it counts"
    page = hers.submit(f"{SWITCH}/managed-by", managed_by="everybody")
    assert page.status == 422


def test_each_reason_against_turning_it_on_shows_the_way_on(team: Team, dana: Person) -> None:
    olga, ada, ben = team.person("Olga"), team.person("Ada", two_factor=True), team.person("Ben")
    team.world.workspace("acme", owner=olga, admin=ada, member=ben)
    page = team.visitor(olga).open(SWITCH)
    assert "Set up your own 2FA first" in page.text
    assert page.read.links["Set up 2FA"].startswith("/set-up?next=")
    page = team.visitor(ada).open(SWITCH)
    assert "No owner has 2FA yet" in page.text
    assert "Ask Olga" in page.text
    page = team.visitor(ben).open(SWITCH)
    assert "Owners and admins can change this." in page.text
    assert f"{SWITCH}/on" not in page.got.text
    limited = Visitor(team.app)
    limited.client.cookies["nightlatch"] = _by_recovery_code(team, dana)
    page = limited.open("/w/beta/settings/team/authentication")
    assert "Not with a recovery code" in page.text
    assert (
        limited.open("/w/beta/settings/team/authentication/on").path == "/w/beta/settings/team/authentication"
    )


def _by_recovery_code(team: Team, person: Person) -> str:
    """A session that a recovery code opened."""
    team.world.workspace("beta", owner=person)
    id, token = new_id(), session_token()
    team.world.write(
        lambda tx: authenticators.bind(
            tx,
            id=id,
            account_id=person.id,
            method=Method.RECOVERY_CODE,
            name="Recovery codes",
            reach=EVERYWHERE,
            sealed=None,
        )
    )
    team.world.session(person, Method.PASSWORD, Method.RECOVERY_CODE, authenticator=id, token=token)
    return token.text


@pytest.mark.parametrize(
    "state,says",
    [
        ("untried", "No mail has gone out yet"),
        ("failing", "Mail does not go out"),
        ("works", "Mail works"),
    ],
)
def test_whether_mail_works_is_said_before(team: Team, dana: Person, state: str, says: str) -> None:
    team.world.workspace("acme", owner=dana)
    team.app = app_of(
        team.world, NIGHTLATCH_MAIL="smtp://mail.example:25", NIGHTLATCH_MAIL_FROM="n@example.com"
    )
    visitor = team.visitor(dana)
    visitor.open(f"{TEAM}/invite")
    visitor.submit(f"{TEAM}/invite", emails="new@example.com", role="member")
    if state != "untried":
        (row,) = team.world.write(lambda tx: outbox.lease(tx, 1))
        if state == "works":
            team.world.write(lambda tx: outbox.sent(tx, row.id))
        else:
            team.world.write(lambda tx: outbox.retry(tx, row.id, tx.now, "451 try later"))
    assert says in visitor.open(f"{SWITCH}/on").text


# --- inviting ---


def test_a_pasted_list(team: Team, dana: Person) -> None:
    ben = team.person("Ben")
    team.world.workspace("acme", owner=dana, member=ben)
    visitor = team.visitor(dana)
    visitor.open(f"{TEAM}/invite")
    pasted = f"Nia Ode <nia@example.com>; bo@example.com,\nrubbish\n{ben.email}\tbo@example.com"
    page = visitor.submit(f"{TEAM}/invite", emails=pasted, role="member")
    assert (page.status, page.heading) == (200, "2 invitations sent")
    for said in ("Is a teammate already", "Not an e-mail address", "1 address was in the list twice"):
        assert said in page.text
    assert {each.to for each in letters(team.world, "invitation")} == {"nia@example.com", "bo@example.com"}
    page = visitor.open(TEAM)
    assert page.text.count("Invited") >= 2
    assert "2 invited" in page.text
    page = Visitor(team.app).open(link_in(team.world, "invitation"))
    assert page.heading == "Join Acme"


def test_a_list_that_cannot_be_sent_comes_back(team: Team, dana: Person) -> None:
    team.world.workspace("acme", owner=dana)
    visitor = team.visitor(dana)
    visitor.open(f"{TEAM}/invite")
    many = ",".join(f"p{number}@example.com" for number in range(501))
    for pasted, role, said in [
        ("", "member", "Enter at least one e-mail address."),
        ("rubbish", "member", "“rubbish” cannot be invited."),
        (many, "member", "At most 500"),
        ("a@example.com", "boss", "Choose a role."),
        ("a@example.com", "", "Choose a role."),
    ]:
        page = visitor.submit(f"{TEAM}/invite", emails=pasted, role=role)
        assert page.status == 422
        assert said in page.text
        assert page.form(f"{TEAM}/invite").fields["emails"] == pasted
    assert letters(team.world, "invitation") == []


def test_inviting_somebody_with_power_takes_fresh_proof_and_the_list_is_kept(
    team: Team, dana: Person
) -> None:
    team.world.workspace("acme", owner=dana)
    visitor = team.visitor(dana)
    team.world.wait(11 * MINUTE)
    visitor.open(f"{TEAM}/invite")
    page = visitor.submit(f"{TEAM}/invite", emails="ada@example.com", role="admin")
    assert page.path.startswith("/step-up?workspace=acme"), page.path
    page = visitor.submit("/step-up", using="totp", code=team.code(dana))
    assert page.path == f"{TEAM}/invite?refill=1"
    assert page.form(f"{TEAM}/invite").fields == {
        **page.form(f"{TEAM}/invite").fields,
        "emails": "ada@example.com",
        "role": "admin",
    }
    assert visitor.submit(f"{TEAM}/invite").heading == "1 invitation sent"


def test_an_invitation_is_sent_again_and_taken_back(team: Team, dana: Person) -> None:
    team.world.workspace("acme", owner=dana)
    visitor = team.visitor(dana)
    visitor.open(f"{TEAM}/invite")
    visitor.submit(f"{TEAM}/invite", emails="new@example.com", role="member")
    first = link_in(team.world, "invitation")
    page = visitor.open(TEAM)
    (again,) = [each for each in page.actions if each.endswith("/resend")]
    page = visitor.submit(again)
    assert (page.status, page.heading) == (429, "Too many tries")
    team.world.wait(11 * MINUTE)
    visitor.open(TEAM)
    page = visitor.submit(again)
    assert page.path == f"{TEAM}?said=invitation-resent"
    assert Visitor(team.app).open(first).status in (404, 410)
    second = link_in(team.world, "invitation")
    assert Visitor(team.app).open(second).heading == "Join Acme"
    page = visitor.submit(again.replace("/resend", "/revoke"))
    assert page.path == f"{TEAM}?said=invitation-revoked"
    assert "new@example.com" not in page.text
    assert Visitor(team.app).open(second).heading != "Join Acme"


def test_one_that_has_run_out_says_so(team: Team, dana: Person) -> None:
    team.world.workspace("acme", owner=dana)
    visitor = team.visitor(dana)
    visitor.open(f"{TEAM}/invite")
    visitor.submit(f"{TEAM}/invite", emails="new@example.com", role="member")
    assert "Invitation expired" not in visitor.open(TEAM).text
    team.world.wait(7 * DAY)
    assert "Invitation expired" in team.visitor(dana).open(TEAM).text


def test_a_newcomer_under_the_mandate_comes_in_in_one_flow(team: Team, dana: Person) -> None:
    acme = team.world.workspace("acme", owner=dana)
    team.world.require(acme)
    visitor = team.visitor(dana)
    page = visitor.open(f"{TEAM}/invite")
    assert "They set up 2FA while joining" in page.text
    visitor.submit(f"{TEAM}/invite", emails="nia@example.com", role="member")
    newcomer = Visitor(team.app)
    newcomer.open(link_in(team.world, "invitation"))
    page = newcomer.submit("/invitation", name="Nia", password=PASSWORD)
    assert page.path.startswith("/set-up?workspace=acme")
