"""Protected hosts: the answers to their proxies, the way to the sign-in and back, and what ends it."""

from typing import Any
from urllib.parse import urlsplit

import pytest

from nightlatch.actions.tokens import new_token
from nightlatch.facts import EVERYWHERE
from nightlatch.instants import DAY, HOUR, MINUTE, SECOND
from nightlatch.store import apps, grants, teammates
from nightlatch.store.engine import Transaction
from nightlatch.store.schema import metadata
from nightlatch.vocabulary import Event, Role
from nightlatch.web.authz_headers import IDENTITY
from tests.support.asgi import ORIGIN, Client, Got
from tests.support.events import events
from tests.support.mails import link_in
from tests.support.visitor import Page, resident, seed_shown
from tests.support.world import PASSWORD, Person, World
from tests.web.hosts import (
    BOARD,
    PAGE,
    SCRIPT,
    WIKI,
    Surfer,
    forwarded,
    original,
    query_of,
    read,
    register,
    trusting,
)


class Stage:
    """Acme has a wiki; Olga owns it, Mia is a member, Otto is somewhere else."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.olga, self.mia, self.otto = (resident(world, name) for name in ("Olga", "Mia", "Otto"))
        self.acme = world.workspace("acme", owner=self.olga, member=[self.mia])
        self.beta = world.workspace("beta", owner=[self.otto, self.olga])
        self.app = trusting(world)
        self.id = register(world, self.acme, WIKI)

    def surfer(self) -> Surfer:
        return Surfer(self.app)

    def signed_in(self, person: Person, url: str = f"{WIKI}/x", code: str | None = None) -> Surfer:
        """A browser that is signed in at the host."""
        surfer = self.surfer()
        surfer.open(url)
        got = surfer.sign_in(person, code)
        assert isinstance(got, Got), surfer.trail
        assert got.status == 200
        return surfer


@pytest.fixture
def stage(world: World) -> Stage:
    return Stage(world)


def status(surfer: Surfer, **more: Any) -> int:
    """Of a script's request to the wiki."""
    return surfer.check(f"{WIKI}/x", headers=SCRIPT, **more).status


# --- answers ---


def test_who_passes_is_told_in_ten_headers(stage: Stage) -> None:
    got = stage.signed_in(stage.mia).check(f"{WIKI}/x")
    told = {name: got.all(name.lower()) for name in IDENTITY}
    assert all(len(values) == 1 for values in told.values())
    assert told["Remote-Email"] == [stage.mia.email]
    assert told["Remote-Name"] == ["Mia"]
    assert told["Remote-Groups"] == told["Remote-Role"] == ["member"]
    assert told["Remote-Workspace"] == ["acme"]
    assert told["Remote-Acr"] == ["urn:nightlatch:aal1"]
    assert told["Remote-Amr"] == ["pwd"]
    assert abs(int(told["Remote-Auth-Time"][0]) - stage.world.clock.now() // SECOND) < 60
    assert told["Nightlatch-Assertion"][0].count(".") == 2
    assert got.body == b""


def test_both_kinds_of_proxies_are_told_the_same(stage: Stage) -> None:
    surfer = stage.signed_in(stage.mia)
    one, two = surfer.check(f"{WIKI}/x"), surfer.check(f"{WIKI}/x", style="nginx")
    assert one.status == two.status == 200
    assert one.headers == two.headers


def test_a_write_of_a_page_comes_back_by_a_get_of_the_page_before(stage: Stage) -> None:
    headers = {**PAGE, "referer": f"{WIKI}/edit?id=7"}
    got = stage.surfer().check(f"{WIKI}/save", method="POST", headers=headers)
    assert got.status == 303
    assert query_of(got.header("location")) == {"rd": "/edit?id=7"}


def test_what_is_missing_is_told_to_scripts(stage: Stage) -> None:
    bound, seed = stage.world.bind_totp(stage.mia, EVERYWHERE)
    surfer = stage.signed_in(stage.mia, code=stage.world.code(seed))
    got = stage.surfer().check(f"{WIKI}/x", headers=SCRIPT)
    assert (got.status, got.code) == (401, "sign_in_required")
    assert got.json["status"] == 401
    assert got.json["way_out"]["path"] == f"{WIKI}/.nightlatch/start?rd=%2Fx"
    assert got.header("www-authenticate") == 'Bearer realm="nightlatch"'
    stage.world.wait(20 * MINUTE)
    got = surfer.check(f"{WIKI}/x", headers=SCRIPT, query="max_age=900")
    assert (got.status, got.code) == (401, "step_up_required")
    assert 'max_age="900"' in got.header("www-authenticate")
    assert "insufficient_user_authentication" in got.header("www-authenticate")
    assert got.json["methods"] == ["totp"]
    stage.world.require(stage.acme)
    assert status(surfer) == 200
    assert bound


def test_who_must_enrol_is_told_so_with_401(stage: Stage) -> None:
    """403 would be a denial: a proxy leads nowhere from there."""
    surfer = stage.signed_in(stage.mia)
    stage.world.require(stage.acme)
    got = surfer.check(f"{WIKI}/x", headers=SCRIPT)
    assert (got.status, got.code, got.json["needs"]) == (401, "enrolment_required", "mail")
    assert 'acr_values="urn:nightlatch:aal2"' in got.header("www-authenticate")
    page = surfer.check(f"{WIKI}/x", style="nginx")
    assert (page.status, query_of(page.header("location"))) == (401, {"rd": "/x"})


def test_a_denial_is_a_page_for_browsers_and_a_problem_for_others(stage: Stage) -> None:
    surfer = stage.signed_in(stage.mia)
    for style in ("forward", "nginx"):
        got = surfer.check(f"{WIKI}/x", style=style, query="roles=owner,admin")
        assert got.status == 403
        assert "This is not open to you" in read(got).heading
        assert "a member of Acme" in " ".join(read(got).words)
        assert not got.header("location")
        got = surfer.check(f"{WIKI}/x", style=style, query="roles=owner", headers=SCRIPT)
        assert (got.status, got.code) == (403, "not_permitted")


def test_denials_of_nginx_have_their_page_too(stage: Stage) -> None:
    surfer = stage.signed_in(stage.mia)
    got = surfer.at_host(f"{WIKI}/.nightlatch/denied")
    assert (got.status, read(got).heading) == (403, "This is not open to you")
    assert surfer.at_host(f"{WIKI}/.nightlatch/denied", headers=SCRIPT).code == "not_permitted"
    out = stage.surfer().at_host(f"{WIKI}/.nightlatch/denied")
    assert (out.status, out.header("location")) == (303, "/.nightlatch/start?rd=/")


def test_pages_at_a_host_bring_their_own_style(stage: Stage) -> None:
    surfer = stage.signed_in(stage.mia)
    got = surfer.at_host(f"{WIKI}/.nightlatch/sign-out")
    sheet = got.text.partition('rel="stylesheet" href="')[2].partition('"')[0]
    assert sheet.startswith("/.nightlatch/static/")
    style = surfer.at_host(f"{WIKI}{sheet}")
    assert (style.status, style.header("content-type").partition(";")[0]) == (200, "text/css")
    assert surfer.at_host(f"{WIKI}/.nightlatch/static/x.css").status == 404
    assert surfer.at_host(f"{WIKI}/.nightlatch/nope").status == 404
    assert surfer.at_host(f"{WIKI}/.nightlatch/start", "POST", raw=b"").status == 405
    assert f'href="{ORIGIN}/help"' in got.text


# --- roles and freshness ---


def test_registered_roles_and_their_narrowing(stage: Stage) -> None:
    owner, member = stage.signed_in(stage.olga), stage.signed_in(stage.mia)
    stage.world.write(
        lambda tx: apps.change(
            tx, stage.id, name="Wiki", return_url=f"{WIKI}/x", roles="owner admin", role_map="{}", colour=None
        )
    )
    assert (status(owner), status(member)) == (200, 403)
    assert status(owner, query="roles=owner") == 200
    assert status(owner, query="roles=admin") == 403
    assert status(owner, query="roles=owner,member") == 400  # that would be wider than the registration
    assert status(owner, query="roles=member", style="nginx") == 403
    got = owner.check(f"{WIKI}/x", query="roles=owner,member")
    assert got.header("nightlatch-error") == "bad_query"
    assert not got.header("remote-user")


@pytest.mark.parametrize(
    "query", ["roles=", "workspace=beta", "max_age=1", "roles=owner&roles=member", "x=1"]
)
def test_a_query_that_is_not_understood_lets_nobody_through(stage: Stage, query: str) -> None:
    surfer = stage.signed_in(stage.olga)
    assert status(surfer, query=query) == 400
    assert status(surfer, query=query, style="nginx") == 403


def test_fresh_proof_is_shown_at_the_origin_and_brought_back(stage: Stage) -> None:
    _, seed = stage.world.bind_totp(stage.mia)
    surfer = stage.signed_in(stage.mia, code=stage.world.code(seed))
    assert status(surfer, query="max_age=900") == 200
    stage.world.wait(20 * MINUTE)
    assert status(surfer) == 200
    got = surfer.check(f"{WIKI}/pay?x=1", query="max_age=900")
    assert got.status == 302
    assert query_of(got.header("location")) == {"rd": "/pay?x=1", "max_age": "900"}
    page = surfer.open(got.header("location"))
    assert isinstance(page, Page)
    assert page.path.startswith("/step-up"), page.path
    surfer.home.elsewhere = ""
    surfer.home.submit("/step-up", code=stage.world.code(seed))
    back = surfer.on()
    assert isinstance(back, Got)
    assert (back.status, surfer.trail[-1]) == (200, f"{WIKI}/pay?x=1")
    assert status(surfer, query="max_age=900") == 200


def test_set_up_on_the_way_leads_back_to_the_page_at_the_host(stage: Stage) -> None:
    """Through the mailbox and the recovery codes, and on to where the browser was going."""
    stage.world.require(stage.acme)
    surfer = stage.surfer()
    surfer.open(f"{WIKI}/page?x=1")
    page = surfer.sign_in(stage.mia)
    assert isinstance(page, Page)
    assert page.path.startswith("/set-up"), page.path
    surfer.home.submit("/set-up/mail")
    surfer.home.open(link_in(stage.world, "ticket"))
    page = surfer.home.submit("/ticket")
    surfer.home.submit("/set-up", code=stage.world.code(seed_shown(page)))
    surfer.home.elsewhere = ""
    surfer.home.submit("/set-up/done", saved="yes")
    back = surfer.on()
    assert isinstance(back, Got), surfer.page.path
    assert (back.status, surfer.trail[-1]) == (200, f"{WIKI}/page?x=1")
    assert back.header("remote-amr") == "otp,pwd,mfa"


# --- live ---


def test_what_changes_bites_the_next_request(stage: Stage) -> None:
    """A mandate, a role, a removal, an ended session, a product that moves or goes: nothing is remembered."""
    surfer, world = stage.signed_in(stage.mia), stage.world
    row = world.read(lambda tx: teammates.by_account(tx, stage.mia.id, stage.acme))
    assert row is not None
    id = row.id
    assert status(surfer) == 200
    world.require(stage.acme)
    assert status(surfer) == 401
    world.unrequire(stage.acme)
    assert status(surfer) == 200
    world.write(lambda tx: teammates.set_role(tx, id, Role.MEMBER, Role.ADMIN))
    assert surfer.check(f"{WIKI}/x").header("remote-role") == "admin"
    world.write(lambda tx: apps.set_origins(tx, stage.id, [BOARD]))
    assert status(surfer) == 400
    world.write(lambda tx: apps.set_origins(tx, stage.id, [WIKI, BOARD]))
    assert status(surfer) == 200
    world.write(lambda tx: teammates.remove(tx, id))
    assert status(surfer) == 403
    world.write(lambda tx: apps.remove(tx, stage.id))
    assert status(surfer) == 400


def test_signing_out_at_the_origin_ends_the_hosts(stage: Stage) -> None:
    surfer = stage.signed_in(stage.olga)
    surfer.home.open("/w/acme")
    surfer.home.submit("/sign-out")
    assert status(surfer) == 401


def test_a_password_change_elsewhere_ends_the_hosts_too(stage: Stage) -> None:
    from nightlatch.store import sessions

    surfer = stage.signed_in(stage.mia)
    stage.world.write(lambda tx: sessions.end_others(tx, stage.mia.id, None))
    assert status(surfer) == 401


def test_time_ends_it_as_it_ends_the_session(stage: Stage) -> None:
    surfer = stage.signed_in(stage.mia)
    stage.world.wait(12 * HOUR + MINUTE)
    got = surfer.check(f"{WIKI}/x", headers=SCRIPT)
    assert (got.status, got.code) == (401, "step_up_required")  # idle: the first factor resumes it
    stage.world.wait(12 * HOUR)
    assert surfer.check(f"{WIKI}/x", headers=SCRIPT).code == "sign_in_required"


def test_use_at_a_host_keeps_the_session_awake(stage: Stage) -> None:
    surfer = stage.signed_in(stage.mia)
    stage.world.wait(11 * HOUR)
    assert status(surfer) == 200
    seen = stage.app.front.take_seen()
    assert len(seen) == 1
    before = counts(stage.world)
    assert status(surfer) == 200
    assert counts(stage.world) == before  # a check only reads


def counts(world: World) -> dict[str, int]:
    from sqlalchemy import func, select

    from nightlatch.store.query import Query

    def body(tx: Transaction) -> dict[str, int]:
        found = {}
        for name, table in metadata.tables.items():
            row = tx.one(Query(select(func.count().label("rows")).select_from(table)))
            assert row is not None
            found[name] = row.rows
        return found

    return world.read(body)


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


# --- who may not ---


def test_who_is_no_teammate_learns_it_at_the_origin_and_can_come_as_another(stage: Stage) -> None:
    surfer = stage.surfer()
    surfer.open(f"{WIKI}/x")
    page = surfer.sign_in(stage.otto)
    assert isinstance(page, Page)
    assert (page.status, page.heading) == (403, "Wiki is not open to you")
    assert stage.otto.email in page.text
    assert "Acme" not in page.text
    page = surfer.home.submit("/sign-out")
    assert page.path.startswith("/sign-in")
    got = surfer.sign_in(stage.mia)
    assert isinstance(got, Got)
    assert (got.status, surfer.trail[-1]) == (200, f"{WIKI}/x")


def test_a_role_that_is_not_enough_is_told_once_one_is_in(stage: Stage) -> None:
    stage.world.write(
        lambda tx: apps.change(
            tx, stage.id, name="Wiki", return_url=f"{WIKI}/x", roles="owner", role_map="{}", colour=None
        )
    )
    _, seed = stage.world.bind_totp(stage.mia)
    surfer = stage.surfer()
    surfer.open(f"{WIKI}/x")
    surfer.home.elsewhere = ""
    page = surfer.home.submit("/sign-in", email=stage.mia.email, password=PASSWORD)
    assert page.path.startswith("/sign-in/second-step")  # nothing is told before
    surfer.home.submit("/sign-in/second-step", code=stage.world.code(seed))
    got = surfer.on()
    assert got.status == 403
    page_text = got.text
    assert "open to other roles only" in " ".join(page_text.split())
    surfer.home.elsewhere = ""
    page = surfer.open(f"{WIKI}/.nightlatch/start?rd=/")  # type: ignore[assignment]
    assert (page.status, page.heading) == (403, "Wiki is not open to you")


def test_denied_leads_to_another_account(stage: Stage) -> None:
    surfer = stage.signed_in(stage.mia)
    got = surfer.check(f"{WIKI}/x", query="roles=owner")
    link = read(got).links["Use another account"]
    page = surfer.open(f"{WIKI}{link}")
    assert isinstance(page, Page)
    assert (page.status, page.heading) == (403, "Wiki is not open to you")
    assert page.read.links["Go to Acme"] == "/w/acme"
    surfer.home.submit("/sign-out")
    back = surfer.sign_in(stage.olga)
    assert isinstance(back, Got)
    assert surfer.check(f"{WIKI}/x", query="roles=owner").status == 200


def test_denials_leave_a_line_in_the_log(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    surfer = stage.signed_in(stage.mia)
    surfer.check(f"{WIKI}/secret?token=1", query="roles=owner")
    [line] = [each.getMessage() for each in caplog.records if "denied" in each.getMessage()]
    assert "credential=host" in line
    assert "route=/authz/forward" in line
    assert "secret" not in line
    assert "token" not in line


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


# --- faults ---


def test_without_a_database_nobody_passes(stage: Stage) -> None:
    surfer = stage.signed_in(stage.mia)
    way = f"{WIKI}/.nightlatch/start?rd=/"
    stage.world.close()
    for style in ("forward", "nginx"):
        got = surfer.check(f"{WIKI}/x", style=style)
        assert (got.status, got.header("retry-after")) == (503, "5")
        assert not got.header("remote-user")
        assert not got.header("location")
    assert surfer.at_host(way).status == 503


def test_without_its_signing_key_nobody_passes(stage: Stage) -> None:
    """Never an answer without the assertion."""
    from sqlalchemy import delete

    from nightlatch.store.query import Query

    surfer = stage.signed_in(stage.mia)
    assert Client(stage.app, host="any.internal").get("/.well-known/jwks.json").status == 200
    stage.world.write(lambda tx: tx.run(Query(delete(metadata.tables["signing_keys"]))))
    for style in ("forward", "nginx"):
        got = surfer.check(f"{WIKI}/x", style=style)
        assert (got.status, got.header("remote-user")) == (503, "")
    assert Client(stage.app).get("/.well-known/jwks.json").status == 503
    assert stage.surfer().check(f"{WIKI}/x").status == 302  # who has to sign in is still led there


def test_a_fault_of_ours_lets_nobody_through(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    surfer = stage.signed_in(stage.mia)

    def broken(*_: Any, **__: Any) -> Any:
        raise RuntimeError("unexpected")

    monkeypatch.setattr("nightlatch.web.authz.check", broken)
    assert surfer.check(f"{WIKI}/x").status == 503
    monkeypatch.setattr("nightlatch.web.authz_host.host_checks.app_at", broken)
    assert surfer.at_host(f"{WIKI}/.nightlatch/start").status == 503


def test_faults_of_the_proxy_are_told_to_the_operator_once_a_minute(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    client = Client(stage.app)
    for _ in range(3):
        client.get("/authz/forward", headers=forwarded("https://nowhere.example/x"))
        client.get("/authz/nginx", headers={"x-original-method": "GET"})
    said = [each.getMessage() for each in caplog.records if "not understood" in each.getMessage()]
    assert len(said) == 2
    assert "unknown_host: No product behind a proxy is registered at https://nowhere.example." in said[0]
    stage.world.wait(61 * SECOND)
    client.get("/authz/forward", headers=forwarded("https://nowhere.example/x"))
    assert sum("not understood" in each.getMessage() for each in caplog.records) == 3


def test_a_proxy_that_checks_our_own_pages_is_told_so_and_leads_in_no_circle(stage: Stage) -> None:
    for style, code in (("forward", 400), ("nginx", 403)):
        got = stage.surfer().check(f"{WIKI}/.nightlatch/start?rd=/", style=style)
        assert (got.status, got.header("nightlatch-error"), got.header("location")) == (
            code,
            "not_routed",
            "",
        )


def test_a_path_prefix_is_no_part_of_what_proxies_ask(stage: Stage) -> None:
    app = trusting(stage.world, NIGHTLATCH_PATH="/2fa")
    surfer = Surfer(app)
    got = surfer.check(f"{WIKI}/x")
    assert got.status == 302
    way = surfer.at_host(got.header("location")).header("location")
    assert way.startswith(f"{ORIGIN}/2fa/authz/sign-in?way=")
    for path in ("/.well-known/jwks.json", "/2fa/.well-known/jwks.json"):
        assert Client(app).get(path).status == 200
    assert urlsplit(way).path == "/2fa/authz/sign-in"
    assert Client(app).get("/2fa/authz/forward", headers=original(f"{WIKI}/x")).status == 404


def test_grants_for_hosts_are_no_grants_for_servers(stage: Stage) -> None:
    surfer = stage.signed_in(stage.mia)
    token = surfer.jars[WIKI]["__Host-nightlatch-app"]
    from nightlatch.actions.tokens import hash_token

    assert stage.world.read(lambda tx: grants.by_token(tx, hash_token(token), grants.HOST)) is not None
    assert stage.world.read(lambda tx: grants.by_token(tx, hash_token(token), grants.APP)) is None
    client = Client(stage.app, bearer=token)
    assert client.get("/api/v1/session").status == 401
    client = Client(stage.app)
    client.cookies["nightlatch"] = token
    assert client.get("/api/v1/session").status == 401
    assert new_token().text != token
