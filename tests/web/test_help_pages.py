"""Lost phones at the pages and the API: asking, the warning, not me, lost and used again, accepting."""

from urllib.parse import urlsplit

from nightlatch.actions.not_me import not_me_link
from nightlatch.facts import reach_of
from nightlatch.ids import to_text
from nightlatch.instants import HOUR, MINUTE
from tests.support.letters import letters
from tests.support.lost import bind_codes
from tests.support.mails import newest
from tests.support.tables import everything, rows
from tests.support.visitor import Visitor, signed_in
from tests.support.world import PASSWORD
from tests.web.team import Team

COPY = (
    "We asked your workspace's admins to check that it is you. They will contact you another way. "
    "Nobody from Nightlatch will ask for a code."
)


def half_signed_in(team: Team, email: str) -> Visitor:
    visitor = Visitor(team.app)
    visitor.open("/sign-in")
    page = visitor.submit("/sign-in", email=email, password=PASSWORD)
    assert page.path.startswith("/sign-in/second-step")
    return visitor


def test_the_lost_device_page_in_its_order_and_the_admins_warning(team: Team) -> None:
    ana, dana = team.person("Ana", two_factor=True), team.person("Dana", two_factor=True)
    acme = team.world.workspace("acme", owner=dana, member=ana)
    team.client(ana)
    team.world.wait(2 * HOUR + MINUTE)
    bind_codes(team.world, ana)
    visitor = half_signed_in(team, ana.email)
    page = visitor.open(visitor.page.read.links["I have lost my phone, or it is new"])  # type: ignore[union-attr]
    text = page.text
    assert text.index("your phone after all") < text.index("Use a recovery code") < text.index("Ask an admin")
    assert COPY not in text
    page = visitor.submit("/recover/ask")
    assert page.status == 200
    assert COPY in page.text
    assert "/recover/ask" not in page.actions, "once a day"

    admin = team.visitor(dana)
    page = admin.open("/w/acme/settings/team")
    page = admin.open(page.read.links["See who asks"])
    for words in (
        "Somebody with this teammate's password asks",
        "Their app was last used 2 h ago.",
        "Call them on a number you already had.",
        "Firefox",
        "Ana",
    ):
        assert words in page.text, words
    page = admin.open(f"/w/acme/settings/team/{team.id_of(ana, acme)}/disable-two-factor")
    assert "Their app was last used 2 h ago." in page.text
    admin.open("/w/acme/settings/team/help-requests")
    (call,) = rows(team.world, "help_requests")
    page = admin.submit(f"/w/acme/settings/team/help-requests/{to_text(call.id)}/dismiss")
    assert "The request is set aside." in page.text
    assert "Nobody asks at the moment" in page.text
    page = admin.post(
        f"/w/acme/settings/team/help-requests/{to_text(call.id)}/dismiss", _csrf(admin, "/sign-out")
    )
    assert "It was closed already." in page.text


def _csrf(visitor: Visitor, action: str) -> dict[str, str]:
    assert visitor.page is not None
    return {"csrf": visitor.page.form(action).fields["csrf"]}


def test_a_scanner_changes_nothing_and_the_button_does(team: Team) -> None:
    """Three times by GET first, by a machine without cookies and by the person."""
    ana, dana = team.person("Ana", two_factor=True), team.person("Dana")
    team.world.workspace("acme", owner=dana, member=ana)
    half = half_signed_in(team, ana.email)
    half.open("/recover")
    half.submit("/recover/ask")
    link = newest(team.world, "help_asked")["not_me_link"]
    before = everything(team.world)
    for _ in range(3):
        assert Visitor(team.app).open(link).status == 200
    person = Visitor(team.app)
    page = person.open(link)
    assert everything(team.world) == before
    assert urlsplit(page.path).path == "/not-me", "the token is out of the address"
    assert ana.email in page.text
    assert "Somebody has asked your workspace's admins for help in your name." in page.text
    assert len(page.read.forms) >= 1
    page = person.submit("/not-me")
    assert page.heading == "It is done"
    assert letters(team.world, "help_contested", to=dana.email)
    assert half.open("/recover").path.startswith("/sign-in"), "whoever asked is signed out"
    page = Visitor(team.app).open(link)
    assert (page.status, page.heading) == (410, "This link does not work any more")
    assert "/password-reset" in page.read.links.values()


def test_contested_the_second_step_says_so_and_shows_the_way_back(team: Team) -> None:
    ana, dana = team.person("Ana", two_factor=True), team.person("Dana")
    team.world.workspace("acme", owner=dana, member=ana)
    visitor = half_signed_in(team, ana.email)
    (row,) = rows(team.world, "authenticators")
    link = team.world.write(lambda tx: not_me_link(tx, ana.id, row.id))
    person = Visitor(team.app)
    assert "Phone" in person.open(link).text
    person.submit("/not-me")
    page = visitor.open("/sign-in/second-step")
    assert page.heading == "Your authenticator app is paused"
    assert "/sign-in/lift" not in page.actions, "no mailed link lifts it"
    page = visitor.open(page.read.links["Ask an admin"].partition("#")[0])
    page = visitor.submit("/recover/ask")
    assert COPY in page.text


def test_lost_and_used_again_in_the_settings(team: Team) -> None:
    ana, dana = team.person("Ana", two_factor=True), team.person("Dana")
    team.world.workspace("acme", owner=dana, member=ana)
    _, codes = bind_codes(team.world, ana)
    (app,) = [each for each in rows(team.world, "authenticators") if each.method == "totp"]
    one = f"/settings/user/authenticators/{to_text(app.id)}"
    visitor = half_signed_in(team, ana.email)
    visitor.open("/recover")
    visitor.submit("/recover", recovery_code=codes[0].text)
    page = visitor.open("/settings/user")
    page = visitor.open(f"{one}/lost")
    assert page.heading == "Mark Phone as lost?"
    page = visitor.submit(f"{one}/lost")
    assert "It is marked as lost." in page.text
    assert "Suspended" in page.text
    page = visitor.submit(f"{one}/use-again")
    assert "It is accepted again." in page.text


def test_with_the_phone_alone_another_second_factor_is_asked_for(team: Team) -> None:
    """A session that the phone opened cannot mark the phone: it is asked for a recovery code, and goes on with it."""
    ana, dana = team.person("Ana", two_factor=True), team.person("Dana")
    team.world.workspace("acme", owner=dana, member=ana)
    (app,) = rows(team.world, "authenticators")
    one = f"/settings/user/authenticators/{to_text(app.id)}"
    visitor = signed_in(team.app, ana, code=team.code(ana))
    page = visitor.open(f"{one}/lost")
    assert page.heading == "Phone cannot be marked as lost"
    _, codes = bind_codes(team.world, ana)
    page = visitor.open(f"{one}/lost")
    assert page.path.startswith("/step-up")
    page = visitor.open(page.read.links["Use a recovery code"])
    page = visitor.submit("/step-up", recovery_code=codes[0].text)
    assert page.heading == "Mark Phone as lost?"


def test_the_api(team: Team) -> None:
    ana, dana = team.person("Ana"), team.person("Dana", two_factor=True)
    acme = team.world.workspace("acme", owner=dana, member=ana)
    beta = team.world.workspace("beta", owner=dana, member=ana)
    app, team.seeds[ana.id] = team.world.bind_totp(ana, reach_of(acme))
    half = team.client(ana, second=False)
    got = half.post("/api/v1/me/help-requests", {"workspace": "acme"})
    assert got.status == 202
    (item,) = got.json["items"]
    assert (item["workspace"], item["now"]) == ("acme", True)
    got = half.post("/api/v1/me/help-requests", {"workspace": "acme"})
    assert (got.status, got.json["code"]) == (429, "too_many_attempts")
    assert got.header("retry-after")
    assert half.post("/api/v1/me/help-requests", {"workspace": "nowhere"}).status == 404
    me = team.client(ana)
    got = me.post(f"/api/v1/me/authenticators/{to_text(app)}/lost")
    assert (got.status, got.json["code"]) == (409, "conflict")
    bind_codes(team.world, ana, reach_of(acme))
    got = me.post(f"/api/v1/me/authenticators/{to_text(app)}/lost")
    assert (got.status, got.json["code"]) == (401, "step_up_required")

    admin = team.client(dana)
    there = f"/api/v1/workspaces/beta/teammates/{team.id_of(ana, beta)}/authenticators"
    (offered,) = admin.get(there).json["items"]
    assert offered["id"] == to_text(app)
    path = f"/api/v1/workspaces/beta/authenticators/{to_text(app)}/accept"
    assert admin.post(path, {"reason": "Hers"}).status == 200
    assert admin.get(there).json["items"] == []
    assert admin.post(path, {"reason": "Hers"}).status == 404


def test_accepting_on_the_page(team: Team) -> None:
    ana, dana = team.person("Ana"), team.person("Dana", two_factor=True)
    acme = team.world.workspace("acme", owner=dana, member=ana)
    beta = team.world.workspace("beta", owner=dana, member=ana)
    app, _ = team.world.bind_totp(ana, reach_of(acme))
    admin = team.visitor(dana)
    here = f"/w/beta/settings/team/{team.id_of(ana, beta)}/accept"
    page = admin.open(here)
    assert "Acme" not in page.heading
    page = admin.submit(here, authenticator="", reason="")
    assert page.read.title.startswith("Error")
    page = admin.submit(here, authenticator=to_text(app), reason="It is her phone")
    assert "This workspace relies on it from now on." in page.text
    assert "There is none" in admin.open(here).text
