"""Products plug in: journeys through Acme Notes, a real FastAPI product, with a real Nightlatch behind it."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Route, expect

from tests.browser import acme_people
from tests.browser.acme_people import House, Person
from tests.browser.people import link_in
from tests.support import one_origin, programs
from tests.support.acme_notes import AcmeNotes, running
from tests.support.browser import Pages, axe, leaving
from tests.support.clockfile import ClockFile
from tests.support.server import Serve
from tests.support.smtp import MailServer


def built(serve: Serve, folder: Path, mail: MailServer, **settings: str) -> House:
    """A Nightlatch and an Acme Notes that is not started yet."""
    clock = ClockFile(folder / "clock")
    nightlatch = serve(environment={**clock.environment, "NIGHTLATCH_MAIL": mail.url, **settings})
    return House(AcmeNotes(folder, nightlatch), nightlatch, mail, clock)


@pytest.fixture(scope="module")
def shared(serve_module: Serve, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """One pair for most journeys: each has a team of its own."""
    mail = MailServer()
    mail.start()
    house = built(serve_module, tmp_path_factory.mktemp("house"), mail)
    with running(house.acme):
        yield house
    mail.stop()


class Cast:
    """Makes the people of one journey; their addresses are its own."""

    def __init__(self, house: House, open_page: Pages, journey: str) -> None:
        self.house, self.open_page, self.journey = house, open_page, journey

    def person(self, name: str, **browser: Any) -> Person:
        """Somebody new."""
        email = f"{name.lower()}.{self.journey}@acme.example"
        return acme_people.of(self.house, self.open_page, email, f"{name} Example", **browser)

    def owner(self, name: str = "Olga", **browser: Any) -> Person:
        """Somebody with a team of their own."""
        owner = self.person(name, **browser)
        owner.sign_up(team_name=f"Team {self.journey}")
        owner.arrived()
        return owner

    def owner_who_requires(self) -> Person:
        """The same, with 2FA, and it is required of everybody."""
        owner = self.owner()
        owner.set_up_by_choice()
        owner.require()
        return owner

    def member(self, owner: Person, name: str = "Mia", **browser: Any) -> Person:
        """Somebody who joined the owner's team while nothing was required."""
        member = self.person(name, **browser)
        member.sign_up(code=owner.invite_code())
        member.arrived()
        return member


@pytest.fixture
def cast(shared: House, open_page: Pages, request: pytest.FixtureRequest) -> Cast:
    """The people of this test."""
    words = re.sub(r"[^a-z0-9]+", "-", request.node.name.removeprefix("test_").lower())
    return Cast(shared, open_page, words[:40].strip("-"))


# --- the mandate bites ---


@pytest.mark.parametrize("javascript", [True, False], ids=["scripts", "no_scripts"])
def test_newcomer(cast: Cast, javascript: bool) -> None:
    """From sign-up through set-up, mailbox and codes to where they were going, unbroken; the pages are Acme Notes'."""
    owner = cast.owner_who_requires()
    newcomer = cast.person("Nina", javascript=javascript)
    newcomer.sign_up(code=owner.invite_code())
    newcomer.at_nightlatch("/set-up")
    expect(newcomer.page.get_by_text("Acme Notes").first).to_be_visible()
    newcomer.set_up()
    assert newcomer.arrived() == owner.team
    assert newcomer.newest_mail("2FA was set up").text.count("Acme Notes")
    newcomer.open(newcomer.in_team("team"))
    newcomer.sees("Nina Example")


def the_switch_mid_session(cast: Cast) -> Person:
    """The next click leads to set-up; the half-written form is back afterwards, and nothing was sent by itself."""
    owner = cast.owner()
    member = cast.member(owner)
    owner.set_up_by_choice()
    member.write("Half a thought", "It goes on\nlike this & that.")
    owner.require()
    member.press("Save the note")
    member.set_up()
    member.at("/nightlatch/form")
    member.sees("nothing was sent yet")
    expect(member.page.get_by_label("Body")).to_have_value("It goes on\nlike this & that.")
    notes = "SELECT title, body, changed_by FROM notes WHERE team_id = ?"
    acme = cast.house.acme
    assert acme.rows(notes, owner.team) == []
    member.press("Send it now")
    member.at(member.in_team("notes"))
    written = ("Half a thought", "It goes on\nlike this & that.", "Mia Example")
    assert acme.rows(notes, owner.team) == [written]
    owner.open(owner.in_team("notes"))
    owner.sees("Half a thought")
    return owner


def test_the_switch_mid_session(cast: Cast) -> None:
    the_switch_mid_session(cast)


def test_the_switch_mid_session_on_postgresql_with_two_workers(
    serve: Serve, postgres_url: str, mail_server: MailServer, open_page: Pages, tmp_path: Path
) -> None:
    house = built(serve, tmp_path, mail_server, NIGHTLATCH_DATABASE_URL=postgres_url, NIGHTLATCH_WORKERS="2")
    with running(house.acme):
        the_switch_mid_session(Cast(house, open_page, "postgresql"))
        open_page.close()  # before the product ends: a page may still be loading


def test_no_way_round_while_it_is_required(cast: Cast) -> None:
    """Whoever has 2FA cannot switch it off while their team requires it; their settings say why."""
    owner = cast.owner_who_requires()
    owner.open(owner.in_team("my-two-factor"))
    owner.at_nightlatch("/settings/user")
    owner.sees("requires")
    expect(owner.page.get_by_role("link", name=re.compile("Switch off"))).to_have_count(0)


@pytest.mark.parametrize("way", ["chirp", "reset"])
def test_social_log_in_and_password_reset_meet_the_same_gate(cast: Cast, way: str) -> None:
    """Whatever way somebody signs in to the product, the second step is asked for."""
    name = {"chirp": "Ana", "reset": "Priya"}[way]
    person = acme_people.of(
        cast.house,
        cast.open_page,
        f"{name.lower()}@acme.example",
        {"Ana": "Ana Silva"}.get(name, "Priya Nair"),
    )
    person.team = "lighthouse"
    person.sign_in()
    person.at(person.in_team("notes"))
    person.set_up_by_choice()
    person.sign_out()
    if way == "chirp":
        person.open("/sign-in")
        person.follow("Continue with Chirp")
        person.press("Continue as Ana Silva")
    else:
        person.open("/forgot")
        person.page.get_by_label("E-mail address").fill(person.email)
        person.press("Mail me a link")
        person.follow("open the mailbox")
        person.page.locator("a[href*='/reset/']").first.click()
        person.page.get_by_label("New password").fill("another fine harbour")
        person.press("Save it and sign in")
    person.show_code()
    person.at(person.in_team("notes"))


# --- several teams; leaving and coming back ---


def test_two_teams_of_which_one_requires_it(cast: Cast) -> None:
    """The other team stays open without it; after set-up nobody types a second code for it."""
    owner = cast.owner_who_requires()
    person = cast.owner("Tess")
    own = person.team
    person.open("/")
    person.page.get_by_label("invite code").fill(owner.invite_code())
    person.press("Join")
    person.at_nightlatch("/set-up")
    person.open("/")
    with leaving(person.page):
        person.page.get_by_role("link", name="Team two-teams").last.click()
    person.page.wait_for_url(re.compile("/t/|/set-up"))
    person.open(f"/t/{own}/notes")
    person.at(f"/t/{own}/notes")
    person.open(f"/t/{owner.team}/notes")
    person.set_up()
    person.at(f"/t/{owner.team}/notes")
    person.open(f"/t/{own}/notes")
    person.at(f"/t/{own}/notes")


def test_removed_and_returned(cast: Cast) -> None:
    """Out with the next click, an open WebSocket too. Back again, what was bound counts; what was proved does not."""
    owner = cast.owner_who_requires()
    code = owner.invite_code()
    member = cast.person("Rita")
    member.sign_up(code=code)
    member.set_up()
    member.arrived()
    expect(member.page.locator("body")).to_have_attribute("data-live", "open")
    owner.open(owner.in_team("team"))
    owner.press("Remove Rita Example")
    owner.at(owner.in_team("team"))
    expect(owner.page.get_by_text("Rita Example")).to_have_count(0)
    expect(member.page.locator("body")).to_have_attribute("data-live", "4401")
    member.open(member.in_team("notes"))
    member.sees("There is no such team")
    member.open("/")
    member.page.get_by_label("invite code").fill(code)
    member.press("Join")
    member.show_code()
    member.at(member.in_team("notes"))


def test_a_websocket_ends_with_the_access(cast: Cast) -> None:
    """It says what others write while it is open; when the switch is turned, it is closed and stays closed."""
    owner = cast.owner()
    member = cast.member(owner)
    owner.set_up_by_choice()
    body = member.page.locator("body")
    expect(body).to_have_attribute("data-live", "open")
    owner.write("News", "for everybody")
    owner.press("Save the note")
    member.sees("Olga Example wrote “News”.")
    expect(member.page.get_by_role("link", name="News")).to_be_visible()
    owner.require()
    expect(body).to_have_attribute("data-live", "4401")
    member.sees("You are no longer connected")


# --- programs ---


def test_an_api_client(cast: Cast) -> None:
    """401 problem+json with a way out while its person lacks 2FA; it works again once they have it."""
    owner = cast.owner()
    member = cast.member(owner)
    token = member.api_token()
    acme = cast.house.acme

    def ask(method: str = "GET", **more: object) -> tuple[int, dict[str, str], bytes]:
        return acme.ask(method, "/api/notes", more.get("body"), authorization=f"Bearer {token}")

    assert ask("POST", body={"title": "By a program"})[0] == 201
    owner.set_up_by_choice()
    owner.require()
    status, headers, body = ask()
    assert status == 401
    assert headers["content-type"] == "application/problem+json"
    assert 'error="insufficient_user_authentication"' in headers["www-authenticate"]
    problem = json.loads(body)
    assert problem["code"] == "enrolment_required"
    # The way out is for the person: opened in their browser, it leads to set-up.
    member.page.goto(problem["way_out"]["url"])
    member.set_up()
    status, _, body = ask()
    assert (status, [each["title"] for each in json.loads(body)]) == (200, ["By a program"])
    assert acme.ask("GET", "/api/notes")[0] == 401
    assert acme.ask("GET", "/api/notes", authorization="Bearer acme_wrong")[0] == 401
    # A browser's session is no token, and a script's request is never redirected.
    cookies = "; ".join(f"{each['name']}={each['value']}" for each in member.page.context.cookies())
    assert acme.ask("GET", "/api/notes", cookie=cookies)[0] == 401


# --- locked out ---


def test_disable_2fa_with_the_mailed_link_on_another_phone(cast: Cast) -> None:
    """Without a session there: through the product's own sign-in and back, and the link is unspent."""
    owner = cast.owner_who_requires()
    member = cast.person("Lena")
    member.sign_up(code=owner.invite_code())
    member.set_up()
    member.arrived()
    owner.open(owner.in_team("team"))
    owner.follow("Teammates")
    owner.page.locator("li, tr", has_text="Lena Example").locator(
        "summary", has_text="Actions for"
    ).first.click()
    owner.follow("Disable 2FA")
    owner.page.locator("[name=reason]").fill("Her phone fell into the harbour")
    owner.page.locator("[name=recognised_by]").select_option(index=1)
    owner.press("Disable 2FA")
    if "/step-up" in owner.page.url:
        owner.enter_code(owner.code())
        owner.press("Disable 2FA")
    owner.sees("number")
    shown = owner.page.locator("main").inner_text()
    number = "".join(re.search(r"(\d{4})\s+(\d{4})", shown).groups())  # type: ignore[union-attr]
    # What she had open is closed.
    member.open(member.in_team("notes"))
    member.at_nightlatch("/set-up")
    # Her new phone knows nobody yet.
    phone = member.elsewhere(cast.open_page(cast.house.acme.url, None, phone=True))
    phone.page.goto(link_in(phone.newest_mail("2FA was turned off")))
    phone.at_nightlatch("/ticket")
    phone.follow("Continue at Acme Notes")
    phone.at("/sign-in")
    phone.fill_in_sign_in()
    phone.at_nightlatch("/ticket")
    phone.page.locator("[name=number]").fill("00000000")
    phone.press("Set up 2FA now")
    phone.sees("That is not the number for this link")
    phone.page.locator("[name=number]").fill(number)
    phone.press("Set up 2FA now")
    phone.page.locator("#key").wait_for(state="attached")
    phone.secret = re.sub(r"\s", "", phone.page.locator("#key").text_content() or "")
    phone.enter_code(phone.code())
    phone.keep_recovery_codes()
    phone.sees("Do you still have the old one?")
    phone.follow("Continue")
    phone.at("/")
    phone.open(phone.in_team("notes"))
    phone.at(phone.in_team("notes"))
    # Where she sat before it is the second step now, with the new phone.
    member.secret = phone.secret
    member.open(member.in_team("notes"))
    member.show_code()
    member.at(member.in_team("notes"))


# --- fresh proof ---


def test_payouts_take_fresh_proof(cast: Cast) -> None:
    """Older than ten minutes: the code once more; a form that was filled in meanwhile comes back."""
    owner = cast.owner_who_requires()
    cast.house.clock.advance(11 * 60)
    owner.open(owner.in_team("payouts"))
    owner.at_nightlatch("/step-up")
    owner.enter_code(owner.code())
    owner.at(owner.in_team("payouts"))
    owner.page.get_by_label("To", exact=True).fill("Studio Blau")
    owner.page.get_by_label("IBAN").fill("DE89 3704 0044 0532 0130 00")
    owner.page.get_by_label("Amount in euros").fill("120.50")
    cast.house.clock.advance(31 * 60)
    owner.press("Pay out")
    owner.at_nightlatch("/step-up")
    owner.enter_code(owner.code())
    owner.at("/nightlatch/form")
    expect(owner.page.get_by_label("Amount")).to_have_value("120.50")
    paid = "SELECT recipient, cents FROM payouts WHERE team_id = ?"
    assert cast.house.acme.rows(paid, owner.team) == []
    owner.press("Send it now")
    owner.at(owner.in_team("payouts"))
    assert cast.house.acme.rows(paid, owner.team) == [("Studio Blau", 12050)]


# --- Nightlatch restarted, and down ---


def test_nightlatch_restarted_and_down(
    serve: Serve, mail_server: MailServer, open_page: Pages, tmp_path: Path
) -> None:
    """Restarted, nobody notices. Down, the product is closed and says so in its own words; then it is open again."""
    open_page.watch.forgive("503")
    house = built(serve, tmp_path, mail_server)
    with running(house.acme):
        cast = Cast(house, open_page, "restart")
        owner = cast.owner_who_requires()
        token = owner.api_token()
        house.nightlatch.restart()
        owner.open(owner.in_team("notes"))
        owner.at(owner.in_team("notes"))
        house.nightlatch.stop()
        answer = owner.page.goto(owner.in_team("notes"))
        assert answer is not None
        assert answer.status == 503
        assert answer.headers["retry-after"]
        owner.sees("Acme Notes cannot check second steps right now")
        status, headers, body = house.acme.ask("GET", "/api/notes", authorization=f"Bearer {token}")
        assert (status, headers["content-type"]) == (503, "application/problem+json")
        assert json.loads(body)["code"] == "unavailable"
        stranger = cast.person("Stella")
        stranger.open("/sign-in")  # what is open stays open
        stranger.sees("Continue with Chirp")
        house.nightlatch.start()
        owner.follow("Try again")
        owner.at(owner.in_team("notes"))
        open_page.close()


# --- under a path of the product's own host ---


def test_one_origin_with_nightlatch_below_a_path(
    serve: Serve, mail_server: MailServer, open_page: Pages, tmp_path: Path
) -> None:
    """NIGHTLATCH_PATH=/2fa behind the product's own nginx: nobody ever leaves the product's host."""
    clock, port, product = ClockFile(tmp_path / "clock"), programs.free_port(), programs.free_port()
    origin = f"http://localhost:{port}"
    settings = {
        "NIGHTLATCH_ORIGIN": origin,
        "NIGHTLATCH_PATH": "/2fa",
        "NIGHTLATCH_TRUSTED_PROXIES": "127.0.0.1",
    }
    nightlatch = serve(environment={**clock.environment, "NIGHTLATCH_MAIL": mail_server.url, **settings})
    acme = AcmeNotes(tmp_path, nightlatch, nightlatch_url=f"{origin}/2fa", origin=origin, port=product)
    house = House(acme, nightlatch, mail_server, clock, nightlatch_url=f"{origin}/2fa")
    with (
        running(acme),
        one_origin.nginx(tmp_path / "nginx", port, nightlatch=nightlatch.port, product=product),
    ):
        cast = Cast(house, open_page, "one-origin")
        owner = the_switch_mid_session(cast)
        for cookie in owner.page.context.cookies():
            at = cookie["path"]
            assert at == ("/" if cookie["name"].startswith(("acme", "nightlatch-acme")) else "/2fa"), cookie


# --- the product itself ---


@pytest.mark.parametrize(
    "look", [{"dark": False}, {"dark": True}, {"width": 320}], ids=["light", "dark", "320"]
)
def test_every_page_of_acme_notes(cast: Cast, look: dict[str, Any]) -> None:
    """Nothing that axe finds serious, and nothing to scroll sideways."""
    owner = cast.person("Olga", **look)
    pages = ["/", "/sign-in", "/sign-up", "/forgot", "/reset/wrong", "/chirp", "/mailbox"]
    for path in pages:
        _looks_well(owner, path)
    owner.sign_up(team_name="Axe")
    owner.arrived()
    owner.write("A note", "with text")
    owner.press("Save the note")
    owner.at(owner.in_team("notes"))
    for path in ("", "notes", "notes?q=nowhere", "notes/new", "team", "tokens", "payouts"):
        _looks_well(owner, owner.in_team(path))
    for path in ("/", "/t/nowhere/notes"):
        _looks_well(owner, path)


def _looks_well(person: Person, path: str) -> None:
    person.open(path)
    axe(person.page)
    assert person.page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path


# --- what a thief tries ---


def test_a_start_link_that_is_sent_to_somebody_else_upgrades_nobody(cast: Cast) -> None:
    """A thief with the password mails the start link to its owner. She shows her code; he is not let in."""
    owner = cast.owner_who_requires()
    thief = owner.elsewhere(cast.open_page(cast.house.acme.url, None))
    thief.sign_in()
    thief.at_nightlatch("/sign-in/second-step")
    cookies = "; ".join(f"{each['name']}={each['value']}" for each in thief.page.context.cookies())
    status, headers, _ = cast.house.acme.ask(
        "GET", owner.in_team("notes"), cookie=cookies, accept="text/html"
    )
    assert (status, "/app/start/" in headers["location"]) == (302, True)
    victim = owner.elsewhere(cast.open_page(cast.house.acme.url, None))
    victim.sign_in()
    victim.show_code()
    victim.at(victim.in_team("notes"))
    expect(victim.page.locator("body")).to_have_attribute("data-live", "open")
    victim.page.goto(headers["location"])
    victim.show_code()
    victim.at("/nightlatch/callback")
    victim.sees("This was started in another browser")
    thief.open(thief.in_team("notes"))
    thief.at_nightlatch("/sign-in/second-step")


def test_a_way_back_counts_once_and_in_its_own_browser(cast: Cast) -> None:
    """A callback that was overheard opens nothing elsewhere, and nothing again; who replays it ends what it made."""
    owner = cast.owner_who_requires()
    owner.sign_out()
    callbacks: list[str] = []
    owner.page.on(
        "request",
        lambda request: callbacks.append(request.url) if "/nightlatch/callback?" in request.url else None,
    )
    owner.sign_in()
    owner.show_code()
    owner.at(owner.in_team("notes"))
    thief = owner.elsewhere(cast.open_page(cast.house.acme.url, None))
    thief.sign_in()
    thief.at_nightlatch("/sign-in/second-step")
    thief.page.goto(callbacks[0])
    thief.sees("This was started in another browser")
    owner.page.goto(callbacks[0])
    owner.sees("This was started in another browser")
    owner.open(owner.in_team("notes"))
    owner.at(owner.in_team("notes"))


def test_a_stolen_code_is_refused_before_its_owner_comes_back(cast: Cast) -> None:
    """The code of another browser with one's own state: neither passes, and nothing is opened."""
    owner = cast.owner_who_requires()
    owner.sign_out()
    stolen: list[str] = []

    def steal(route: Route) -> None:
        stolen.append(route.request.url)
        route.abort()

    owner.page.route("**/nightlatch/callback?*", steal)
    cast.open_page.watch.forgive("/nightlatch/callback")
    owner.sign_in()
    owner.at_nightlatch("/sign-in/second-step")
    owner.page.locator("[name=code]").press_sequentially(owner.code())
    with owner.page.expect_request("**/nightlatch/callback?*"):
        owner.page.locator("[name=code]").press("Enter")  # it leads to no page
    thief = cast.person("Theo")
    thief.sign_up(team_name="Theo's")
    thief.arrived()
    code = parse_qs(urlsplit(stolen[0]).query)["code"][0]
    for query in (urlsplit(stolen[0]).query, f"code={code}&state={'x' * 43}", f"code={code}"):
        thief.open(f"/nightlatch/callback?{query}")
        thief.sees("This was started in another browser")
    thief.open(owner.in_team("notes"))
    thief.sees("There is no such team")
    # It was never used, so its own browser still can, within its minute.
    owner.page.unroute("**/nightlatch/callback?*")
    owner.page.goto(stolen[0])
    owner.at(owner.in_team("notes"))


def test_signing_out_of_the_product_drops_the_proof(cast: Cast) -> None:
    """Signed in again, the second step is asked for, even where the cookies of before were kept."""
    owner = cast.owner_who_requires()
    kept: Any = owner.page.context.cookies()
    owner.sign_out()
    owner.page.context.add_cookies([each for each in kept if each["name"].startswith("nightlatch-")])
    owner.sign_in()
    owner.show_code()
    owner.at(owner.in_team("notes"))
