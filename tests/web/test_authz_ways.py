"""Protected hosts: the way to the sign-in and back, and out."""

import pytest

from nightlatch.instants import DAY, MINUTE, SECOND
from nightlatch.vocabulary import Event
from tests.support.asgi import ORIGIN, Got
from tests.support.events import events
from tests.support.world import PASSWORD, World
from tests.web.host_stage import Stage, status
from tests.web.hosts import (
    BOARD,
    SCRIPT,
    WIKI,
    Surfer,
    query_of,
    read,
    register,
)


@pytest.fixture
def stage(world: World) -> Stage:
    return Stage(world)


# --- the way there and back ---


def test_the_way_there_ties_the_browser_and_leads_to_the_origin(stage: Stage) -> None:
    surfer = stage.surfer()
    got = surfer.at_host(f"{WIKI}/.nightlatch/start?rd=/a%3Fb")
    assert got.status == 303
    assert got.header("location").startswith(f"{ORIGIN}/authz/sign-in?way=")
    assert got.header("referrer-policy") == "no-referrer"
    [cookie] = got.all("set-cookie")
    assert cookie.startswith("__Host-nightlatch-app-browser=")
    for attribute in ("Path=/", "HttpOnly", "SameSite=Lax", "Secure"):
        assert attribute in cookie
    assert "Domain" not in cookie
    again = surfer.at_host(f"{WIKI}/.nightlatch/start?rd=/c")
    assert again.all("set-cookie")[0].partition(";")[0] == cookie.partition(";")[0]  # tabs share it


def test_the_cookie_of_the_host_is_its_own(stage: Stage) -> None:
    surfer = stage.surfer()
    surfer.open(f"{WIKI}/x")
    surfer.home.elsewhere = ""
    surfer.home.submit("/sign-in", email=stage.mia.email, password=PASSWORD)
    got = surfer.at_host(surfer.home.elsewhere)
    [cookie] = got.all("set-cookie")
    assert cookie.startswith("__Host-nightlatch-app=")
    assert "Secure" in cookie
    assert "Domain" not in cookie
    assert 0 < int(cookie.partition("Max-Age=")[2].partition(";")[0]) <= 24 * 3600
    assert (got.status, got.header("location")) == (303, "/x")
    grant = surfer.jars[WIKI]["__Host-nightlatch-app"]
    assert "nightlatch" in surfer.home.client.cookies
    assert grant not in surfer.home.client.cookies.values()
    told = [each for each in events(stage.world) if each.event is Event.GRANT_MADE]
    assert [each.detail["host"] for each in told] == [WIKI]


def test_localhost_without_tls_has_cookies_by_port(stage: Stage) -> None:
    one, two = "http://localhost:3000", "http://localhost:4000"
    register(stage.world, stage.acme, one, handle="one")
    register(stage.world, stage.acme, two, handle="two")
    surfer = stage.signed_in(stage.mia, f"{one}/x")
    assert set(surfer.jars[one]) == {"nightlatch-app-localhost-3000", "nightlatch-app-localhost-3000-browser"}
    surfer.jars[two] = surfer.jars[one]  # one jar, as in a browser
    assert surfer.check(f"{two}/x", headers=SCRIPT).status == 401
    got = surfer.open(f"{two}/x")
    assert isinstance(got, Got)
    assert got.status == 200
    assert surfer.check(f"{one}/x").status == 200


def begun(stage: Stage, surfer: Surfer, url: str = f"{WIKI}/x") -> str:
    """The address of the callback that a browser, signed in at the origin, is about to open."""
    target = surfer.check(url).header("location")
    target = surfer.at_host(target).header("location")
    surfer.home.elsewhere = ""
    surfer.home.open(target)
    assert "/.nightlatch/callback?" in surfer.home.elsewhere
    return surfer.home.elsewhere


def test_a_code_is_good_once_for_a_minute_in_its_own_browser_and_host(stage: Stage) -> None:
    register(stage.world, stage.beta, BOARD, handle="board")
    surfer = stage.signed_in(stage.olga)
    surfer.jars[WIKI].pop("__Host-nightlatch-app")
    callback = begun(stage, surfer)
    stranger = stage.surfer()
    stranger.at_host(f"{WIKI}/.nightlatch/start?rd=/")  # has a cookie of its own there
    got = stranger.at_host(callback)
    assert (got.status, read(got).heading) == (400, "This sign-in was begun in another browser")
    assert "__Host-nightlatch-app" not in stranger.jars[WIKI]
    at_board = surfer.at_host(callback.replace(WIKI, BOARD))
    assert at_board.status == 400
    assert surfer.at_host(callback).status == 303
    assert status(surfer) == 200
    again = surfer.at_host(callback)
    assert (again.status, read(again).heading) == (409, "This sign-in is over")
    assert status(surfer) == 401
    late = begun(stage, surfer)
    stage.world.wait(61 * SECOND)
    got = surfer.at_host(late)
    assert got.status == 410
    assert "__Host-nightlatch-app" not in got.header("set-cookie")
    assert "/.nightlatch/start?rd=%2Fx" in got.text


def test_a_sign_in_that_was_begun_by_somebody_else_signs_nobody_in(stage: Stage) -> None:
    """Log-in CSRF: the attacker's way back does nothing in the victim's browser, whose session stays theirs."""
    attacker, victim = stage.signed_in(stage.olga), stage.signed_in(stage.mia)
    attacker.jars[WIKI].pop("__Host-nightlatch-app")
    callback = begun(stage, attacker)
    got = victim.at_host(callback)
    assert not got.all("set-cookie")
    assert victim.check(f"{WIKI}/x").header("remote-email") == stage.mia.email
    # And the other way: what the victim's session proves never comes to who made the link.
    way = attacker.at_host(f"{WIKI}/.nightlatch/start?rd=/").header("location")
    victim.home.elsewhere = ""
    victim.home.open(way)
    assert victim.at_host(victim.home.elsewhere).status in (303, 400)
    assert attacker.at_host(victim.home.elsewhere.replace("code=", "code=x")).status == 404


def test_damaged_and_foreign_ways_lead_nowhere(stage: Stage) -> None:
    surfer = stage.signed_in(stage.olga)
    surfer.jars[WIKI].pop("__Host-nightlatch-app")
    callback = begun(stage, surfer)
    code, state = query_of(callback)["code"], query_of(callback)["state"]
    for query in (
        "",
        f"code={code}",
        f"state={state}",
        f"code={code}&state={state[:-2]}AA",
        f"code={code}&state={state}&state={state}",
        f"code={code}&code={code}&state={state}",
        f"code={'A' * 43}&state={state}",
        f"code={code}&state=%FF",
    ):
        got = surfer.at_host(f"{WIKI}/.nightlatch/callback?{query}")
        assert got.status in (400, 404), query
        assert not got.all("set-cookie"), query
    assert surfer.at_host(callback).status == 303  # it was not used up by any of these
    for way in ("", "x", state[:-2] + "AA"):
        page = surfer.home.open(f"/authz/sign-in?way={way}")
        assert page.status == 404
    stage.world.wait(DAY + MINUTE)
    surfer.home.open("/sign-in")
    surfer.home.submit("/sign-in", email=stage.olga.email, password=PASSWORD)
    assert surfer.home.open(f"/authz/sign-in?way={state}").status == 410


@pytest.mark.parametrize(
    "rd", ["//evil.example/x", "https://evil.example/", "/\\evil.example", "/.nightlatch/sign-out"]
)
def test_no_way_leaves_the_host(stage: Stage, rd: str) -> None:
    from urllib.parse import quote

    surfer = stage.signed_in(stage.mia)
    got = surfer.open(f"{WIKI}/.nightlatch/start?rd={quote(rd, safe='')}")
    assert isinstance(got, Got)
    assert surfer.trail[-1] == f"{WIKI}/"


def test_the_new_cookie_takes_the_place_of_the_old(stage: Stage) -> None:
    surfer = stage.signed_in(stage.mia)
    old = surfer.jars[WIKI]["__Host-nightlatch-app"]
    surfer.open(f"{WIKI}/.nightlatch/start?rd=/")
    assert surfer.jars[WIKI]["__Host-nightlatch-app"] != old
    surfer.jars[WIKI]["__Host-nightlatch-app"] = old
    assert status(surfer) == 401


# --- out ---


def test_signing_out_of_a_host(stage: Stage) -> None:
    surfer = stage.signed_in(stage.mia)
    page = surfer.at_host(f"{WIKI}/.nightlatch/sign-out")
    assert read(page).heading == "Sign out of Wiki ?" or read(page).heading == "Sign out of Wiki?"
    [form] = read(page).forms
    token = surfer.jars[WIKI]["__Host-nightlatch-app"]
    got = surfer.at_host(f"{WIKI}{form.action}", "POST", form=form.fields)
    assert (got.status, got.header("location")) == (303, "/.nightlatch/sign-out")
    assert "__Host-nightlatch-app" not in surfer.jars[WIKI]
    surfer.jars[WIKI]["__Host-nightlatch-app"] = token
    assert status(surfer) == 401  # it is dead, not only forgotten
    del surfer.jars[WIKI]["__Host-nightlatch-app"]
    assert "signed out" in read(surfer.at_host(f"{WIKI}/.nightlatch/sign-out")).heading
    got = surfer.open(f"{WIKI}/y")  # type: ignore[assignment]
    assert got.status == 200  # still signed in at the origin


@pytest.mark.parametrize(
    "origin, code",
    [
        (WIKI, 303),
        ("https://evil.example", 403),
        ("null", 403),
        (ORIGIN, 403),
        (f"{WIKI}:444", 403),
        ("", 403),
    ],
)
def test_only_the_host_itself_signs_out(stage: Stage, origin: str, code: int) -> None:
    surfer = stage.signed_in(stage.mia)
    headers = {"origin": origin} if origin else {}
    got = surfer.at_host(f"{WIKI}/.nightlatch/sign-out", "POST", form={"csrf": "x"}, headers=headers)
    assert got.status == code
    assert status(surfer) == (401 if code == 303 else 200)
