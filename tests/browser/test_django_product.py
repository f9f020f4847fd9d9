"""Products plug in: journeys through Harbour, a real product on Django, with a real Nightlatch behind it.

Every page of Harbour says `form-action 'self'`, which browsers hold against redirects too.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Route, expect

from tests.browser.harbour_people import Cast, Quay
from tests.support.browser import Pages, axe
from tests.support.clockfile import ClockFile
from tests.support.harbour import Harbour, running
from tests.support.server import Serve
from tests.support.smtp import MailServer

NOTES = "SELECT title, text FROM django_product_note WHERE team_id = ?"


def built(serve: Serve, folder: Path, mail: MailServer, *, asgi: bool = False) -> Quay:
    """A Nightlatch, and a Harbour that is not started yet."""
    clock = ClockFile(folder / "clock")
    nightlatch = serve(environment={**clock.environment, "NIGHTLATCH_MAIL": mail.url})
    return Quay(Harbour(folder, nightlatch, asgi=asgi), nightlatch, mail, clock)


@pytest.fixture(scope="module")
def shared(serve_module: Serve, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Quay]:
    """One pair for most journeys, under WSGI: each has a team of its own."""
    mail = MailServer()
    mail.start()
    quay = built(serve_module, tmp_path_factory.mktemp("quay"), mail)
    with running(quay.harbour):
        yield quay
    mail.stop()
    assert "Traceback" not in quay.harbour.output(), quay.harbour.output()


@pytest.fixture
def cast(shared: Quay, open_page: Pages, request: pytest.FixtureRequest) -> Cast:
    """The people of this test."""
    words = re.sub(r"[^a-z0-9]+", "-", request.node.name.removeprefix("test_").lower())
    return Cast(shared, open_page, words[:40].strip("-"))


# --- the mandate bites ---


def test_newcomer(cast: Cast) -> None:
    """From the form of the sign-up through set-up to where they were going, although the policy names nobody else."""
    owner = cast.owner_who_requires()
    newcomer = cast.person("Nina")
    newcomer.sign_up(code=owner.shown("code"))
    newcomer.set_up()
    assert newcomer.arrived() == owner.team


def the_switch_mid_session(cast: Cast) -> None:
    """The next click leads to set-up; the half-written form is back, can still be changed, and was not sent."""
    owner = cast.owner()
    member = cast.member(owner)
    owner.set_up_by_choice()
    member.write("Half a thought", "It goes on\nlike this & that.")
    owner.require()
    member.press("Save the note")
    member.set_up()
    member.at("/nightlatch/form")
    member.sees("nothing was sent yet")
    harbour = cast.quay.harbour
    assert harbour.rows(NOTES, owner.team) == []
    page = member.page
    expect(page.get_by_label("Title")).to_have_value("Half a thought")
    expect(page.get_by_label("Text")).to_have_value("It goes on\nlike this & that.")
    expect(page.get_by_label("Pinned")).to_be_checked()
    expect(page.get_by_label("Board id")).to_have_count(0)
    expect(page.locator("input[type=hidden][name=board_id]")).to_have_value("17")
    page.get_by_label("Title").fill("A whole thought")
    member.press("Send it now")
    member.at(member.in_team("notes"))
    assert harbour.rows(NOTES, owner.team) == [("A whole thought", "It goes on\r\nlike this & that.")]


def test_the_switch_mid_session(cast: Cast) -> None:
    the_switch_mid_session(cast)


def test_the_switch_mid_session_under_asgi(
    serve: Serve, mail_server: MailServer, open_page: Pages, tmp_path: Path
) -> None:
    quay = built(serve, tmp_path, mail_server, asgi=True)
    with running(quay.harbour):
        the_switch_mid_session(Cast(quay, open_page, "asgi"))
        open_page.close()
    assert "Traceback" not in quay.harbour.output(), quay.harbour.output()


def test_sign_in_and_password_reset_meet_the_same_gate(cast: Cast) -> None:
    """Both end in a form whose redirects lead to another origin."""
    owner = cast.owner_who_requires()
    owner.sign_out()
    owner.sign_in()
    owner.show_code()
    owner.arrived()
    owner.sign_out()
    owner.open("/forgot")
    owner.page.get_by_label("Email").fill(owner.email)
    owner.press("Go on")
    owner.at("/forgot/sent")
    owner.page.goto(cast.quay.harbour.reset_link(owner.email))
    owner.page.locator("[name=new_password1]").fill("another fine harbour")
    owner.page.locator("[name=new_password2]").fill("another fine harbour")
    owner.press("Go on")
    owner.show_code()
    owner.arrived()


def test_signing_out_of_the_product_drops_the_proof(cast: Cast) -> None:
    """Signed in again, the second step is asked for, even where the cookies of before were kept."""
    owner = cast.owner_who_requires()
    kept: Any = owner.page.context.cookies()
    owner.sign_out()
    owner.page.context.add_cookies([each for each in kept if each["name"].startswith("nightlatch-")])
    owner.sign_in()
    owner.show_code()
    owner.arrived()


# --- several teams; leaving and coming back ---


def test_two_teams_of_which_one_requires_it(cast: Cast) -> None:
    """The other team stays open without it; after set-up nobody types a second code for it."""
    owner = cast.owner_who_requires()
    person = cast.owner("Tess")
    own = person.in_team("notes")
    person.join(owner.shown("code"))
    person.at_nightlatch("/set-up")
    person.open(own)
    person.at(own)
    person.open(owner.in_team("notes"))
    person.set_up()
    person.at(owner.in_team("notes"))
    person.open(own)
    person.at(own)


def test_removed_and_returned(cast: Cast) -> None:
    """Out with the next click. Back again, what was bound counts; what was proved does not."""
    owner = cast.owner_who_requires()
    code = owner.shown("code")
    member = cast.person("Rita")
    member.sign_up(code=code)
    member.set_up()
    member.arrived()
    owner.open(owner.in_team("team"))
    owner.press("Remove Rita Example")
    owner.at(owner.in_team("team"))
    expect(owner.page.get_by_text("Rita Example")).to_have_count(0)
    member.open(member.in_team("notes"))
    expect(member.page.get_by_role("heading", name="Notes of")).to_have_count(0)
    member.join(code)
    member.show_code()
    member.at(member.in_team("notes"))


# --- programs, fresh proof, down ---


def test_an_api_client(cast: Cast) -> None:
    """401 problem+json with a way out while its person lacks 2FA; it works again once they have it."""
    owner = cast.owner()
    member = cast.member(owner)
    key = {"authorization": f"Bearer {member.shown('key')}"}
    harbour = cast.quay.harbour
    assert harbour.ask("POST", "/api/notes", headers=key, data={"title": "By a program"}).json()
    owner.set_up_by_choice()
    owner.require()
    refused = harbour.ask("GET", "/api/notes", headers=key)
    assert refused.status_code == 401
    assert refused.headers["content-type"] == "application/problem+json"
    assert 'error="insufficient_user_authentication"' in refused.headers["www-authenticate"]
    assert refused.json()["code"] == "enrolment_required"
    member.page.goto(refused.json()["way_out"]["url"])
    member.set_up()
    assert harbour.ask("GET", "/api/notes", headers=key).json() == ["By a program"]
    assert harbour.ask("GET", "/api/notes").status_code == 401
    # A browser's session is no key, and a script's request is never redirected.
    owner.open(owner.in_team("notes"))
    cast.quay.clock.advance(11 * 60)
    script = "fetch(location.pathname.replace('notes', 'payouts')).then(async got => [got.status, await got.json()])"
    cast.open_page.watch.forgive("status of 401")
    status, body = owner.page.evaluate(script)
    assert (status, body["code"]) == (401, "step_up_required")
    assert body["way_out"]["path"].startswith("/nightlatch/start?")


def test_payouts_take_fresh_proof(cast: Cast) -> None:
    """Older than ten minutes: the code once more; a form that was filled in meanwhile comes back."""
    owner = cast.owner_who_requires()
    cast.quay.clock.advance(11 * 60)
    owner.open(owner.in_team("notes"))
    owner.follow("Payouts")
    owner.at_nightlatch("/step-up")
    owner.enter_code(owner.code())
    owner.at(owner.in_team("payouts"))
    owner.sees("Proved by")
    owner.page.get_by_label("To").fill("Studio Blau")
    owner.page.get_by_label("Euros").fill("120.50")
    cast.quay.clock.advance(31 * 60)
    owner.press("Pay out")
    owner.at_nightlatch("/step-up")
    owner.enter_code(owner.code())
    owner.at("/nightlatch/form")
    paid = 'SELECT "to", euros FROM django_product_payout WHERE team_id = ?'
    assert cast.quay.harbour.rows(paid, owner.team) == []
    owner.press("Send it now")
    owner.at(owner.in_team("payouts"))
    assert cast.quay.harbour.rows(paid, owner.team) == [("Studio Blau", "120.50")]


def test_nightlatch_down(serve: Serve, mail_server: MailServer, open_page: Pages, tmp_path: Path) -> None:
    """The product is closed and says so in its own words, but for what is open; then it is as before."""
    open_page.watch.forgive("503")
    quay = built(serve, tmp_path, mail_server)
    with running(quay.harbour):
        cast = Cast(quay, open_page, "down")
        owner = cast.owner_who_requires()
        key = {"authorization": f"Bearer {owner.shown('key')}"}
        assert "1 unchanged" in quay.harbour.run("nightlatch_client.cli", "sync")
        quay.nightlatch.stop()
        answer = owner.page.goto(owner.in_team("notes"))
        assert answer is not None
        assert (answer.status, bool(answer.headers["retry-after"])) == (503, True)
        owner.sees("Harbour cannot check second steps right now")
        told = quay.harbour.ask("GET", "/api/notes", headers=key)
        assert (told.status_code, told.json()["code"]) == (503, "unavailable")
        stranger = cast.person("Stella")
        stranger.open("/sign-in")
        stranger.sees("Go on")
        quay.nightlatch.start()
        owner.follow("Try again")
        owner.at(owner.in_team("notes"))
        open_page.close()  # a page may still be loading its icon when the product ends


# --- the policy of the product's pages ---


def test_the_page_between_works_without_its_refresh(cast: Cast) -> None:
    """Between Harbour and Nightlatch stands a page; where nothing moves by itself it has its link."""
    owner = cast.owner_who_requires()
    owner.sign_out()
    owner.sign_in()
    owner.at_nightlatch("/sign-in/second-step")
    owner.open("/")

    answers: list[tuple[int, bool]] = []

    def still(route: Route) -> None:
        # What Chromium adds after Playwright's look at the request.
        said = {"sec-fetch-site": "same-origin", "sec-fetch-mode": "navigate"}
        answer = route.fetch(max_redirects=0, headers={**route.request.all_headers(), **said})
        answers.append((answer.status, 'http-equiv="refresh"' in answer.text()))
        route.fulfill(response=answer, body=answer.text().replace('http-equiv="refresh"', ""))

    owner.page.route(f"{owner.url}/t/*/notes", still, times=1)
    owner.follow("Team the-page-between")
    owner.sees("You are on your way")
    assert answers == [(200, True)]
    for width, dark in ((1280, False), (320, True)):
        owner.page.set_viewport_size({"width": width, "height": 800})
        owner.page.emulate_media(color_scheme="dark" if dark else "light")
        axe(owner.page)
        assert owner.page.evaluate("document.documentElement.scrollWidth") <= width
    owner.follow("Go on")
    owner.show_code()
    owner.arrived()


def test_the_page_between_leaves_nothing_behind_in_the_history(cast: Cast) -> None:
    """ "Back" from the second step leads to the page of the product where the click was."""
    owner = cast.owner_who_requires()
    owner.sign_out()
    owner.sign_in()
    owner.at_nightlatch("/sign-in/second-step")
    owner.open("/")
    owner.follow("Team the-page-between")
    owner.at_nightlatch("/sign-in/second-step")
    owner.page.go_back()
    owner.at("/")
    owner.sees("Teams")
