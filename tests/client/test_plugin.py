"""The pytest plugin, as a product's own tests use it: without a server, a secret and a network."""

import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from nightlatch_client import Nightlatch, Person, calls
from nightlatch_client.standin import StandIn

ADA = Person("ada", "ada@acme.dev", "Ada", "7", "Acme", "owner")


@pytest.fixture
def nl(tmp_path: Path) -> Nightlatch:
    return Nightlatch(
        "https://2fa.acme.dev", app="acme", secret_file=tmp_path / "missing", origin="https://app.acme.dev"
    )


def test_what_a_test_says_is_so(nightlatch: StandIn, nl: Nightlatch):
    assert nl.check(ADA).decision == "allow"
    nightlatch.requires("7")
    assert nl.check(ADA).decision == "enrol"
    nightlatch.enrolled("ada")
    assert nl.check(ADA).decision == "challenge"
    nightlatch.proved("ada", minutes_ago=20)
    assert nl.check(ADA).decision == "allow"
    assert nl.check(ADA, max_age=600).reason == "freshness"
    nightlatch.requires("7", required=False)
    nightlatch.forget("ada")
    assert nl.check(ADA).proof.aal == 1
    nightlatch.denied("ada")
    assert nl.check(ADA).decision == "deny"


def test_where_nothing_is_bound_the_product_s_sign_in_is_fresh_for_a_while(
    nightlatch: StandIn, nl: Nightlatch
):
    now = datetime.now(UTC)  # noqa: TID251
    lately = Person("ada", "", "", "7", "", "owner", signed_in_at=now - timedelta(minutes=5))
    assert nl.check(lately, max_age=600).decision == "allow"
    assert nl.check(lately, max_age=60).decision == "challenge"
    assert nl.check(ADA, max_age=600).decision == "challenge"


def test_the_fixture_ends_with_its_test():
    assert calls.stand_in is None


PRODUCT_TEST = """
import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient
from nightlatch_client import Nightlatch, Person

nl = Nightlatch("https://2fa.acme.dev", app="acme", secret_file="/run/secrets/none", origin="http://localhost")

async def payouts(request):
    await nl.fresh(minutes=10)(request)
    return PlainTextResponse("paid")

def person(request):
    return Person("ada", "ada@acme.dev", "Ada", "7", "Acme", "owner")

app = Starlette(routes=[Route("/payouts", payouts)])
nl.protect(app, person)

@pytest.fixture
def client():
    with TestClient(app, "http://localhost", follow_redirects=False, headers={"accept": "text/html"}) as client:
        yield client

def test_payouts_need_a_fresh_second_step(nightlatch, client):
    nightlatch.requires("7")
    sent = client.get("/payouts")
    assert sent.status_code == 302
    back = client.get(nightlatch.prove(sent.headers["location"]))
    assert back.headers["location"] == "http://localhost/payouts"
    assert client.get("/payouts").text == "paid"

def test_closed_while_nightlatch_is_down(nightlatch, client):
    nightlatch.down()
    assert client.get("/payouts").status_code == 503
"""


def test_the_plugin_is_there_in_any_product_s_tests(tmp_path: Path):
    (tmp_path / "test_product.py").write_text(PRODUCT_TEST)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-W", "error", "-p", "no:cacheprovider", str(tmp_path)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert "2 passed" in done.stdout, done.stdout + done.stderr
