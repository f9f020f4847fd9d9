"""The pages of the team: the table, roles, removing, disabling 2FA, the audit log; by somebody at the pages."""

import re

import pytest

from nightlatch.ids import to_text
from nightlatch.instants import MINUTE
from nightlatch.vocabulary import Event
from nightlatch.web.event_sentences import IN_WORKSPACES
from tests.support.events import events
from tests.support.mails import link_in
from tests.support.visitor import Page, Visitor, codes_shown, seed_shown
from tests.support.world import PASSWORD, Person
from tests.web.team import Team

TEAM = "/w/acme/settings/team"
FIVE = 5


@pytest.fixture
def dana(team: Team) -> Person:
    """The owner of acme, with 2FA."""
    return team.person("Dana", two_factor=True)


def confirm(team: Team, visitor: Visitor, person: Person) -> Page:
    """Step up with a fresh code; the page that was left."""
    assert visitor.page is not None
    assert visitor.page.path.startswith("/step-up?"), visitor.page.path
    return visitor.submit("/step-up", using="totp", code=team.code(person))


def number_shown(page: Page) -> str:
    """The number to read out."""
    found = re.search(r'class="digits".*?</p>', page.got.text, re.DOTALL)
    assert found is not None, page.text
    return "".join(re.findall(r"\d", re.sub(r"<[^>]*>", "", found[0].partition(">")[2])))


# --- the table ---


def test_the_icon_beside_a_name_has_words_for_those_who_cannot_see_it(team: Team, dana: Person) -> None:
    ben = team.person("Ben")
    team.world.workspace("acme", owner=dana, member=ben)
    page = team.visitor(dana).open(TEAM)
    assert page.status == 200
    rows = re.findall(r"<tr role=\"row\">.*?</tr>", page.got.text, re.DOTALL)
    (mine,) = [row for row in rows if dana.email in row]
    (his,) = [row for row in rows if ben.email in row]
    assert 'class="two-factor-mark"' in mine
    assert '<span class="vh">Uses 2FA</span>' in mine
    assert "Uses 2FA" not in his
    assert "2 teammates · 1 with 2FA" in page.text
    assert "Ana" not in page.text


def test_members_see_the_table_without_2fa_and_without_actions(team: Team, dana: Person) -> None:
    ben = team.person("Ben")
    acme = team.world.workspace("acme", owner=dana, member=ben)
    member = team.visitor(ben)
    page = member.open(TEAM)
    assert "Uses 2FA" not in page.got.text
    assert "with 2FA" not in page.text
    assert 'name="two_factor"' not in page.got.text
    assert "/role" not in page.got.text
    assert "Invite teammates" not in page.text
    assert "1 of" not in member.open(f"{TEAM}/authentication").text
    id = team.id_of(dana, acme)
    for path in (
        "/invite",
        "/audit",
        "/authentication/on",
        "/authentication/off",
        f"/{id}/role",
        f"/{id}/remove",
        f"/{id}/disable-two-factor",
    ):
        page = member.open(f"{TEAM}{path}")
        assert (page.status, page.heading) == (403, "You may not do this"), path
        assert "Ask an owner or admin of the workspace." in page.text
        assert "Go to your workspaces" in page.text


def test_the_table_is_searched_sorted_and_paged(team: Team, dana: Person) -> None:
    people = [team.world.person(f"Person{number:02d}") for number in range(60)]
    team.world.workspace("acme", owner=dana, member=people)
    visitor = team.visitor(dana)
    page = visitor.open(TEAM)
    assert "Person48" in page.text
    assert "Person49" not in page.text
    page = visitor.open(page.read.links["Next page"])
    assert "Person59" in page.text
    assert "Next page" not in page.read.links
    page = visitor.open(page.read.links["First page"])
    assert "Person00" in page.text
    page = visitor.open(f"{TEAM}?q=person07")
    assert "Person07" in page.text
    assert "Person08" not in page.text
    page = visitor.open(f"{TEAM}?q=nobody+here")
    assert "No teammate matches “nobody here”." in page.text
    assert visitor.open(page.read.links["Clear filters"]).path == TEAM
    page = visitor.open(visitor.open(TEAM).read.links["Last sign-in"])
    assert page.path == f"{TEAM}?sort=-last_sign_in"
    assert page.got.text.index("Dana") < page.got.text.index("Person59"), "who signed in last comes first"


@pytest.mark.parametrize(
    "query",
    ["cursor=rubbish", "sort=age", "role=boss", "two_factor=x", "status=x", "q=%00", "q=" + "x" * 999],
)
def test_a_damaged_address_shows_the_table_all_the_same(team: Team, dana: Person, query: str) -> None:
    team.world.workspace("acme", owner=dana)
    page = team.visitor(dana).open(f"{TEAM}?{query}")
    assert (page.status, page.heading) == (200, "Teammates")


# --- roles and removing ---


def test_a_role_changes_after_fresh_proof_and_the_form_comes_back_filled_in(team: Team, dana: Person) -> None:
    ben = team.person("Ben")
    acme = team.world.workspace("acme", owner=dana, member=ben)
    visitor, path = team.visitor(dana), f"{TEAM}/{team.id_of(ben, acme)}/role"
    team.world.wait(11 * MINUTE)
    page = visitor.open(path)
    assert "is a member of Acme now" in page.text
    visitor.submit(path, role="admin")
    page = confirm(team, visitor, dana)
    assert page.path == f"{path}?refill=1"
    assert "This is not done yet" in page.text
    assert page.form(path).fields["role"] == "admin"
    page = visitor.submit(path)
    assert page.path == f"{TEAM}?said=role-changed"
    assert "The role is changed." in page.text


def test_what_is_not_possible_says_why_and_shows_a_way_on(team: Team, dana: Person) -> None:
    ada = team.person("Ada", two_factor=True)
    acme = team.world.workspace("acme", owner=dana, admin=ada)
    owner, admin = team.visitor(dana), team.visitor(ada)
    mine, hers = (f"{TEAM}/{team.id_of(each, acme)}" for each in (dana, ada))
    page = admin.open(f"{mine}/role")
    assert "Only somebody of the same or a higher role can do this." in page.text
    assert not [each for each in page.actions if each.endswith("/role")]
    page = owner.open(f"{mine}/remove")
    assert page.read.links["Leave the workspace"] == "/w/acme/leave"
    owner.open(f"{mine}/role")
    page = owner.submit(f"{mine}/role", role="member")
    assert page.status == 409
    assert "A workspace needs an owner" in page.text
    page = admin.open(f"{hers}/disable-two-factor")
    assert "Nobody turns off their own 2FA like this" in page.text
    assert [each for each in page.actions if "disable" in each] == []
    page = owner.post(f"{hers}/role", {**_csrf(owner), "role": "boss"})
    assert (page.status, page.heading) == (422, "Change the role of Ada")


def _csrf(visitor: Visitor) -> dict[str, str]:
    assert visitor.page is not None
    found = re.search(r'name="csrf" value="([^"]+)"', visitor.page.got.text)
    assert found is not None
    return {"csrf": found[1]}


def test_who_is_removed_sees_nothing_with_the_next_click(team: Team, dana: Person) -> None:
    """F34."""
    ben = team.person("Ben")
    acme = team.world.workspace("acme", owner=dana, member=ben)
    owner, his = team.visitor(dana), team.visitor(ben)
    assert his.open("/w/acme").status == 200
    path = f"{TEAM}/{team.id_of(ben, acme)}/remove"
    assert owner.open(path).heading == "Remove Ben?"
    page = owner.submit(path)
    assert page.path == f"{TEAM}?said=removed-teammate"
    assert his.open("/w/acme").status == 404
    assert his.open(TEAM).status == 404
    assert his.open("/settings/user").status == 200
    assert owner.open(path).status == 404


@pytest.mark.parametrize("page", ["role", "remove", "disable-two-factor"])
def test_people_of_other_workspaces_are_not_there(team: Team, dana: Person, page: str) -> None:
    """F30: not by their own id, nor by the other workspace's address."""
    otto = team.person("Otto", two_factor=True)
    team.world.workspace("acme", owner=dana)
    beta = team.world.workspace("beta", owner=otto)
    visitor = team.visitor(dana)
    visitor.open(TEAM)
    csrf = _csrf(visitor)
    for id in (team.id_of(otto, beta), to_text(7), "x", "%00"):
        assert visitor.open(f"{TEAM}/{id}/{page}").status == 404
        fields = {**csrf, "role": "member", "reason": "x", "recognised_by": "phone"}
        assert visitor.post(f"{TEAM}/{id}/{page}", fields).status == 404
    assert visitor.open("/w/beta/settings/team").status == 404


# --- disabling 2FA ---


def test_a_locked_out_teammate_is_let_back_in(team: Team, dana: Person) -> None:
    """The whole way: explained, proved, the number once, five wrong ones, renewed, set up again."""
    ana = team.person("Ana", two_factor=True)
    acme = team.world.workspace("acme", owner=dana, member=ana)
    team.world.require(acme)
    owner, hers = team.visitor(dana), team.visitor(ana)
    assert hers.open("/w/acme").status == 200
    path = f"{TEAM}/{team.id_of(ana, acme)}/disable-two-factor"
    team.world.wait(11 * MINUTE)
    page = owner.open(path)
    assert page.heading == "Disable 2FA for Ana?"
    assert "a number that you read out to them" in page.text
    owner.submit(path, reason="Lost phone", recognised_by="phone")
    page = confirm(team, owner, dana)
    assert page.form(path).fields["reason"] == "Lost phone"
    page = owner.submit(path, recognised_by="")
    assert page.status == 422
    assert "Choose how you made sure" in page.text
    page = owner.submit(path, recognised_by="phone")
    assert (page.status, page.heading) == (200, "2FA is disabled for Ana")
    first = number_shown(page)
    assert len(first) == 8
    page = owner.open(path)
    assert first not in page.got.text.replace(" ", "")
    assert "has yet to set it up again" in page.text
    assert "Setting up again" in owner.open(TEAM).text
    assert hers.open("/w/acme").path.startswith("/step-up"), "what it proved counts here no longer"

    page = hers.submit("/step-up", using="password", password=PASSWORD)
    assert page.path.startswith("/set-up"), page.path
    link = link_in(team.world, "reset")
    page = hers.open(link)
    assert page.path == "/ticket"
    wrong = f"{(int(first) + 1) % 10**8:08d}"
    for _ in range(FIVE):
        page = hers.submit("/ticket", number=wrong)
    page = hers.open(link)
    assert "/ticket" not in page.actions, "five wrong numbers killed it"

    owner.open(path)
    page = owner.submit(f"{path}/renew")
    assert page.heading == "A new link and number for Ana"
    second = number_shown(page)
    assert second != first
    page = hers.open(link_in(team.world, "reset"))
    page = hers.submit("/ticket", number=f"{second[:4]} {second[4:]}")
    seed = seed_shown(page)
    page = hers.submit("/set-up", code=team.world.code(seed))
    assert len(codes_shown(page)) == 10
    hers.submit("/set-up/done", saved="yes")
    assert hers.open("/w/acme").heading == "Acme"
    assert owner.open(f"{TEAM}?q={ana.email}").got.text.count("Setting up again") == 1, "in the filter alone"


def test_an_owner_may_do_without_the_number(team: Team, dana: Person) -> None:
    ada, ana = team.person("Ada", two_factor=True), team.person("Ana", two_factor=True)
    acme = team.world.workspace("acme", owner=dana, admin=ada, member=ana)
    team.world.require(acme)
    path = f"{TEAM}/{team.id_of(ana, acme)}/disable-two-factor"
    admin, owner = team.visitor(ada), team.visitor(dana)
    assert "Let the link work without the number" not in admin.open(path).text
    page = admin.submit(path, reason="Lost phone", recognised_by="phone", waive_number="yes")
    assert page.status == 403
    assert "Only an owner may do without the number." in page.text
    assert "Let the link work without the number" in owner.open(path).text
    page = owner.submit(path, reason="Lost phone", recognised_by="", waive_number="yes")
    assert page.form(path).fields["waive_number"] == "yes", "a message elsewhere keeps the tick"
    page = owner.submit(path, recognised_by="phone")
    assert page.heading == "2FA is disabled for Ana"
    assert "It works without a number, with their password." in page.text
    owner.open(path)
    page = owner.submit(f"{path}/renew")
    assert page.heading == "A new link for Ana"
    assert "Without a number" in owner.open(f"{TEAM}/audit").text
    hers = Visitor(team.app)
    hers.open("/sign-in")
    page = hers.submit("/sign-in", email=ana.email, password=PASSWORD)
    page = hers.open("/set-up?workspace=acme&sent=1")
    assert page.heading == "Check your mail"
    assert "number" not in page.text
    hers.open(link_in(team.world, "reset"))
    assert seed_shown(hers.submit("/ticket"))


def test_pressed_twice_it_is_done_once(team: Team, dana: Person) -> None:
    ana = team.person("Ana", two_factor=True)
    acme = team.world.workspace("acme", owner=dana, member=ana)
    owner = team.visitor(dana)
    path = f"{TEAM}/{team.id_of(ana, acme)}/disable-two-factor"
    owner.open(path)
    fields = {**_csrf(owner), "reason": "Lost phone", "recognised_by": "phone"}
    assert owner.post(path, fields).status == 200
    page = owner.post(path, fields)
    assert page.status == 409
    assert f"{path}/renew" in page.actions
    assert [each.event for each in events(team.world)].count(Event.TEAMMATE_RESET) == 1


# --- the audit log ---


def test_the_audit_log_tells_in_sentences(team: Team, dana: Person) -> None:
    ben, ana = team.person("Ben"), team.person("Ana", two_factor=True)
    acme = team.world.workspace("acme", owner=dana, member=[ben, ana])
    visitor = team.visitor(dana)
    path = f"{TEAM}/{team.id_of(ana, acme)}/disable-two-factor"
    visitor.open(path)
    number = number_shown(visitor.submit(path, reason="Lost <b>phone</b>", recognised_by="video"))
    path = f"{TEAM}/{team.id_of(ben, acme)}/role"
    visitor.open(path)
    visitor.submit(path, role="admin")
    page = visitor.open(f"{TEAM}/audit")
    assert "Dana made Ben an admin." in page.text
    assert "Dana disabled 2FA for Ana." in page.text
    assert "Reason: Lost <b>phone</b>" in page.text
    assert "Recognised by: Seen in a video call" in page.text
    assert "Firefox on Linux" in page.text
    assert number not in page.got.text
    for query, seen in [
        ("actor=DANA", True),
        ("actor=ben", False),
        ("event=teammate.role_changed", True),
        ("event=mandate.turned_on", False),
        ("from=2020-01-01&to=2020-12-31", False),
        ("to=2020-01-01", False),
        ("from=2020-01-01", True),
        ("from=rubbish&to=9999-12-31&event=x&cursor=rubbish", True),
        ("from=9999-12-31", False),
    ]:
        page = visitor.open(f"{TEAM}/audit?{query}")
        assert page.status == 200
        assert ("Dana made Ben an admin." in page.text) is seen, query
        assert seen or "No event matches these filters." in page.text


def test_the_audit_log_has_pages(team: Team, dana: Person) -> None:
    team.world.workspace("acme", owner=dana)
    visitor = team.visitor(dana)
    visitor.open(f"{TEAM}/invite")
    page = visitor.submit(
        f"{TEAM}/invite", emails=",".join(f"p{number}@example.com" for number in range(60)), role="member"
    )
    assert page.heading == "60 invitations sent"
    page = visitor.open(f"{TEAM}/audit?event=invitation.sent")
    assert page.got.text.count("Dana invited") == 50
    page = visitor.open(page.read.links["Next page"])
    assert page.got.text.count("Dana invited") == 10
    assert page.path.startswith(f"{TEAM}/audit?event=invitation.sent&cursor=")
    assert visitor.open(page.read.links["First page"]).got.text.count("Dana invited") == 50


def test_the_filter_offers_what_a_workspace_may_read() -> None:
    assert len(set(IN_WORKSPACES)) == len(IN_WORKSPACES)
