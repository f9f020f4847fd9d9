"""Protected hosts: the answers to their proxies, by role and freshness, and what bites the next request."""

import pytest

from nightlatch.facts import EVERYWHERE
from nightlatch.instants import HOUR, MINUTE, SECOND
from nightlatch.store import apps, teammates
from nightlatch.store.engine import Transaction
from nightlatch.store.schema import metadata
from nightlatch.vocabulary import Role
from nightlatch.web.authz_headers import IDENTITY
from tests.support.asgi import ORIGIN, Got
from tests.support.mails import link_in
from tests.support.visitor import Page, seed_shown
from tests.support.world import World
from tests.web.host_stage import Stage, status
from tests.web.hosts import (
    BOARD,
    PAGE,
    SCRIPT,
    WIKI,
    query_of,
    read,
)


@pytest.fixture
def stage(world: World) -> Stage:
    return Stage(world)


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
