"""Calls over a real socket: strictly read, closed on everything else, kept alive, never telling the secret."""

import asyncio
import json
import logging
import os
import re
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import httpx2
import pytest

from nightlatch_client import Nightlatch, Person, Refused, Unavailable
from nightlatch_client.errors import SecretRefused, WrongAnswer
from tests.client.stand_in_server import SECRET, Server

ADA = Person("ada", "ada@acme.dev", "Ada", "7", "Acme", "owner", datetime(2026, 11, 24, 9, 30, tzinfo=UTC))
STATE = "s" * 32
ALLOW: dict[str, Any] = {
    "app": "acme",
    "decision": "allow",
    "reason": "allowed",
    "start": None,
    "state": None,
    "due": None,
    "proof": {"aal": 2, "amr": ["pwd", "otp"], "at": "2026-11-24T09:00:00Z"},
}


def connect(server: Server, **more: Any) -> Nightlatch:
    given = {"app": "acme", "secret": SECRET, "origin": "http://localhost:1", **more}
    return Nightlatch(server.url, **given)


@pytest.fixture(params=["blocking", "awaited"])
def check(request: pytest.FixtureRequest, server: Server) -> Callable[..., Any]:
    """One check, by either kind of call."""

    def check(**more: Any) -> Any:
        settings: dict[str, Any] = {
            name: more.pop(name) for name in ("timeout", "secret_file") if name in more
        }
        if "secret_file" in settings:
            settings["secret"] = None
        nl = connect(server, **settings)
        if request.param == "blocking":
            try:
                return nl.check(ADA, **more)
            finally:
                nl.close()

        async def ask() -> Any:
            try:
                return await nl.acheck(ADA, **more)
            finally:
                await nl.aclose()

        return asyncio.run(ask())

    return check


def test_what_is_sent_and_what_is_read(check, server: Server):
    server.say(200, {**ALLOW, "due": "2026-12-01T00:00:00+01:00", "unknown": [1]})
    answer = check(grant="g", max_age=600)
    assert answer.proof.amr == ("pwd", "otp")
    assert answer.proof.at == datetime(2026, 11, 24, 9, tzinfo=UTC)
    assert answer.proof.workspace == "7"
    assert answer.due == datetime(2026, 11, 30, 23, tzinfo=UTC)
    sent = json.loads(server.wire.bodies[0])
    assert sent["person"]["signed_in_at"] == "2026-11-24T09:30:00Z"
    assert (sent["grant"], sent["max_age"]) == ("g", 600)
    headers = server.wire.headers[0]
    assert headers["authorization"] == f"Bearer {SECRET}"
    assert headers["content-type"] == "application/json"
    assert not headers.keys() & {"origin", "cookie", "referer"}


@pytest.mark.parametrize(
    "change",
    [
        {"app": "other"},
        {"app": None},
        {"decision": "maybe"},
        {"decision": None},
        {"decision": "challenge"},
        {"decision": "enrol", "start": "https://evil.example/app/start/x", "state": STATE},
        {"decision": "enrol", "start": "//evil.example", "state": STATE},
        {"decision": "enrol", "start": "javascript:alert(1)", "state": STATE},
        {"decision": "enrol", "start": "OURS/app/start/x\r\nset-cookie: a=b", "state": STATE},
        {"decision": "enrol", "start": "OURS/app/start/x", "state": None},
        {"decision": "enrol", "start": "OURS/app/start/x", "state": "short"},
        {"decision": "enrol", "start": "OURS@evil.example/app/start/x", "state": STATE},
        {"start": 7},
        {"proof": None},
        {"proof": {"aal": True, "amr": [], "at": None}},
        {"proof": {"aal": 3, "amr": [], "at": None}},
        {"proof": {"aal": 2, "amr": [7], "at": None}},
        {"proof": {"aal": 2, "amr": ["pwd"], "at": "2026-11-24T09:00:00"}},
        {"proof": {"aal": 2, "amr": ["pwd"], "at": "yesterday"}},
        {"reason": None},
        {"due": 7},
    ],
)
def test_an_answer_that_cannot_be_opens_nothing(check, server: Server, change):
    body = {**ALLOW, **change}
    if isinstance(body["start"], str):
        body["start"] = body["start"].replace("OURS", server.url)
    server.say(200, body)
    with pytest.raises(WrongAnswer):
        check()


@pytest.mark.parametrize(
    "status, body",
    [
        (200, b""),
        (200, b"<html>"),
        (200, b"[]"),
        (200, b"null"),
        (200, b"[" * 100_000),
        (200, b'"\xff"'),
        (201, json.dumps(ALLOW).encode()),
        (204, b""),
        (302, b""),
        (403, b""),
        (404, b"not json"),
        (429, b""),
        (500, b""),
        (502, json.dumps(ALLOW).encode()),
    ],
)
def test_any_other_answer_opens_nothing(check, server: Server, status, body):
    server.say(status, body, location="https://evil.example/")
    with pytest.raises(Unavailable):
        check()
    assert len(server.wire.bodies) == 1  # nothing is followed, nothing is asked twice


@pytest.mark.parametrize(
    "said, waits", [("120", 120), ("0", 1), ("99999", 300), ("soon", 5), ("-1", 5), ("", 5)]
)
def test_how_long_to_wait(check, server: Server, said, waits):
    server.say(503, b"", retry_after=said)
    with pytest.raises(Unavailable) as raised:
        check()
    assert raised.value.retry_after == waits


def test_a_state_that_was_sent_comes_back(check, server: Server):
    start = f"{server.url}/app/start/x"
    server.say(200, {**ALLOW, "decision": "challenge", "start": start, "state": STATE})
    assert check(state=STATE).state == STATE
    with pytest.raises(WrongAnswer, match="another one"):
        check(state="t" * 32)
    server.say(200, ALLOW)
    with pytest.raises(WrongAnswer, match="leads nowhere"):
        check(open="team")


def test_a_refusal_names_the_fields(check, server: Server):
    errors = [{"field": "person.email", "message": "This is no address."}]
    server.say(422, {"code": "invalid", "detail": "Something is wrong.", "errors": errors})
    with pytest.raises(Refused, match=r"person\.email: This is no address\.") as raised:
        check()
    assert (raised.value.status, raised.value.code) == (422, "invalid")
    assert raised.value.errors[0].field == "person.email"


def test_a_server_that_does_not_answer_is_waited_for_shortly(check, server: Server):
    server.answering.clear()
    with pytest.raises(Unavailable, match="ReadTimeout"):
        check(timeout=1)


def test_a_server_that_is_not_there(check, server: Server):
    server.shutdown()
    server.server_close()
    with pytest.raises(Unavailable, match="ConnectError"):
        check()


def test_a_connection_that_broke_is_made_anew_once(check, server: Server):
    server.drop_next = 1
    assert check().decision == "allow"
    server.drop_next = 2
    with pytest.raises(Unavailable):
        check()


def test_a_code_is_never_sent_twice(server: Server):
    server.drop_next = 1
    nl = connect(server)
    with pytest.raises(Unavailable):
        nl.redeem("code", STATE)
    nl.close()
    assert len(server.wire.bodies) == 1


def test_a_secret_that_was_rotated_is_read_again(check, server: Server, tmp_path):
    file = tmp_path / "secret"
    file.write_text(SECRET)
    assert check(secret_file=file).decision == "allow"
    server.secrets = {"the-new-one"}
    with pytest.raises(SecretRefused):
        check(secret_file=file)
    nl = connect(server, secret=None, secret_file=file)
    assert nl.secret.current() == SECRET
    file.write_text("the-new-one\n")
    assert nl.check(ADA).decision == "allow"
    nl.close()


def test_the_secret_and_the_grant_are_in_no_log_and_no_exception(check, server: Server, caplog):
    caplog.set_level(logging.DEBUG)
    told = []
    for status in (200, 401, 422, 500):
        server.say(status, {"code": "x", "grant": "the-grant"})
        with pytest.raises((Unavailable, Refused)) as raised:
            check(grant="the-grant")
        told.append(f"{raised.value!r} {raised.value} {raised.value.__cause__}")
    assert SECRET not in caplog.text + "".join(told)
    assert "the-grant" not in caplog.text + "".join(told)
    without_addresses = re.sub(
        "0x[0-9a-f]+", "", caplog.text
    )  # of objects: hexadecimal, and so perhaps her name
    assert "ada" not in without_addresses


def test_the_other_calls(server: Server):
    nl = connect(server)
    stand_in = server.stand_in
    stand_in.requires("7")
    check = nl.check(ADA)
    assert check.start is not None
    assert check.state is not None
    code = stand_in.prove(check.start).partition("code=")[2].partition("&")[0]
    with pytest.raises(Refused, match="not_found"):
        nl.redeem(code, "x" * 22)
    grant = nl.redeem(code, check.state)
    assert (grant.person, grant.workspace) == ("ada", "7")
    assert grant.grant not in repr(grant)
    assert nl.check(ADA, grant.grant).decision == "allow"
    nl.end(grant.grant)
    with pytest.raises(Refused, match="already_used"):
        nl.redeem(code, check.state)
    standing = nl.standing("ada", "7")
    assert (standing.decision, standing.two_factor) == ("allow", True)
    assert nl.standing("né/?#", "8 ").reason == "not_a_teammate"
    nl.gone("ada")
    assert nl.standing("ada", "7").reason == "not_a_teammate"
    server.say(200, {"id": "eve", "workspace": "7"})
    with pytest.raises(WrongAnswer, match="somebody else"):
        nl.standing("ada", "7")
    nl.close()


async def test_the_same_awaited(server: Server):
    nl = connect(server)
    assert (await nl.astanding("ada", "7")).decision == "deny"
    await nl.agone("ada")
    await nl.aend("grant")
    with pytest.raises(Refused):
        await nl.aredeem("code", STATE)
    synced = await nl.areplace_team("7", "Acme", [ADA])
    assert (synced.added, synced.unchanged) == (1, 0)
    await nl.aclose()
    assert server.wire.connections == 1


def test_threads_share_connections_and_a_fork_has_its_own(server: Server):
    nl = connect(server)
    threads = [threading.Thread(target=nl.check, args=(ADA,)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    before = server.wire.connections
    assert 1 <= before <= 8
    nl.check(ADA)
    assert server.wire.connections == before
    client = nl.calls._client
    assert client is not None
    nl.calls._client = (os.getpid() + 1, client[1])  # as a forked worker finds it
    nl.check(ADA)
    assert server.wire.connections == before + 1
    client[1].close()
    nl.close()


def test_a_transport_of_one_s_own():
    def answer(request: httpx2.Request) -> httpx2.Response:
        assert str(request.url) == "https://2fa.acme.dev/2fa/api/v1/app/check"
        return httpx2.Response(200, json=ALLOW)

    given: dict[str, Any] = {"app": "acme", "secret": SECRET, "origin": "https://acme.dev"}
    url = "https://2fa.acme.dev/2fa/"
    nl = Nightlatch(url, **given, transport=httpx2.MockTransport(answer))
    assert nl.check(ADA).decision == "allow"
    assert asyncio.run(nl.acheck(ADA)).decision == "allow"
    with pytest.raises(TypeError, match="for synchronous calls only"):
        asyncio.run(Nightlatch(url, **given, transport=httpx2.HTTPTransport()).acheck(ADA))
    with pytest.raises(TypeError, match="for asynchronous calls only"):
        Nightlatch(url, **given, transport=httpx2.AsyncHTTPTransport()).check(ADA)
