"""Protected hosts: who may not come in, and that nobody passes where something is wrong."""

from typing import Any
from urllib.parse import urlsplit

import pytest

from nightlatch.actions.tokens import new_token
from nightlatch.instants import SECOND
from nightlatch.store import apps, grants
from nightlatch.store.schema import metadata
from tests.support.asgi import ORIGIN, Client, Got
from tests.support.visitor import Page
from tests.support.world import PASSWORD, World
from tests.web.host_stage import Stage
from tests.web.hosts import (
    WIKI,
    Surfer,
    forwarded,
    original,
    read,
    trusting,
)


@pytest.fixture
def stage(world: World) -> Stage:
    return Stage(world)


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
