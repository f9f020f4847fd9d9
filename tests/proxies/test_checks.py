"""Real nginx and real Caddy, with the configuration that docs/proxies gives away, before two products on two hosts."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from nightlatch.ids import to_text
from nightlatch.store import sessions, standing, teammates
from nightlatch.vocabulary import Role
from nightlatch_client.assertions import Assertions, Teammate
from nightlatch_client.errors import AssertionRefused
from tests.proxies.conftest import Stage
from tests.support.proxies import PAGE, SCRIPT, Answer, direct
from tests.support.world import PASSWORD

IDENTITY = [
    *("Remote-User", "Remote-Email", "Remote-Name", "Remote-Groups", "Remote-Workspace", "Remote-Role"),
    *("Remote-Acr", "Remote-Amr", "Remote-Auth-Time", "Nightlatch-Assertion"),
]
UPGRADE = {
    "Upgrade": "websocket",
    "Connection": "Upgrade",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    "Sec-WebSocket-Version": "13",
}


def verified(stage: Stage, token: str, audience: str) -> dict[str, Any]:
    """The claims of an assertion, as a product of that audience believes them; JoseError if it does not."""
    keys = KeySet.import_key_set(stage.browser().get(f"{stage.home}/.well-known/jwks.json").json)
    claims = jwt.decode(token, keys, algorithms=["ES256"]).claims
    wanted: Any = {
        "iss": {"essential": True, "value": stage.home},
        "aud": {"essential": True, "value": audience},
        "exp": {"essential": True},
    }
    jwt.JWTClaimsRegistry(**wanted).validate(claims)
    return claims


# --- who comes through ---


def test_signed_out_a_browser_is_led_to_sign_in_and_others_are_told(stage: Stage) -> None:
    before, browser = stage.reached(), stage.browser()
    page = browser.open(f"{stage.wiki}/page?q=1")
    assert page.status == 200
    assert page.url.startswith(f"{stage.home}/sign-in?")
    script = stage.browser().get(f"{stage.wiki}/data")
    assert script.status == 401
    assert script.header("www-authenticate") == 'Bearer realm="nightlatch"'
    assert not script.header("location")
    posted = stage.browser().send("POST", f"{stage.wiki}/save", headers=PAGE, body=b"a=1")
    assert posted.status in (302, 303)
    assert "/.nightlatch/start?rd=" in posted.header("location")
    assert stage.reached() == before


def test_signed_in_one_comes_back_to_the_very_page_and_the_product_is_told_who(stage: Stage) -> None:
    mia = stage.teammate("Mia")
    browser, answer = stage.signed_in(mia, f"{stage.wiki}/a%20page?q=1&x=%C3%A4")
    assert answer.url == f"{stage.wiki}/a%20page?q=1&x=%C3%A4"
    assert "<h1>wiki</h1>" in answer.text
    told = browser.get(f"{stage.wiki}/data")
    assert {name: len(told.told(name)) for name in IDENTITY} == dict.fromkeys(IDENTITY, 1)
    assert told.told("Remote-Email") == [mia.email]
    assert told.told("Remote-Role") == ["member"]
    claims = verified(stage, told.told("Nightlatch-Assertion")[0], stage.wiki)
    assert claims["sub"] == told.told("Remote-User")[0]
    assert (claims["workspace_slug"], claims["role"], claims["email"]) == ("acme", "member", mia.email)
    assert claims["exp"] - claims["iat"] == 60
    posted = browser.send("POST", f"{stage.wiki}/save", headers=SCRIPT, body=b"a=1")
    assert (posted.status, posted.json["body"]) == (200, "a=1")


def test_a_name_that_is_not_ascii_arrives_encoded(stage: Stage) -> None:
    browser, _ = stage.signed_in(stage.teammate("Zoë"), stage.wiki)
    assert browser.get(stage.wiki).told("Remote-Name") == ["UTF-8''Zo%C3%AB"]


def test_the_second_step_is_asked_for_before_anything_opens(stage: Stage) -> None:
    ana = stage.teammate("Ana")
    _, seed = stage.world.bind_totp(ana)
    browser = stage.browser()
    browser.open(f"{stage.wiki}/x")
    page = browser.submit("/sign-in", email=ana.email, password=PASSWORD)
    assert page.url.startswith(f"{stage.home}/sign-in/second-step")
    half = browser.get(f"{stage.wiki}/x")
    assert half.status == 401
    again = browser.open(f"{stage.wiki}/y")
    assert again.url.startswith(f"{stage.home}/sign-in/second-step")
    answer = browser.submit("/sign-in/second-step", code=stage.world.code(seed))
    assert answer.url == f"{stage.wiki}/y"
    assert browser.get(stage.wiki).told("Remote-Acr") == ["urn:nightlatch:aal2"]
    assert browser.get(stage.wiki).told("Remote-Amr") == ["otp,pwd,mfa"]


def test_who_must_enrol_is_led_to_set_up(stage: Stage) -> None:
    ben = stage.teammate("Ben", stage.beta)
    stage.world.require(stage.beta)
    try:
        browser, page = stage.signed_in(ben, f"{stage.board}/x")
        assert page.url.startswith(f"{stage.home}/set-up"), page.url
        assert browser.get(f"{stage.board}/x").status == 401
    finally:
        stage.world.unrequire(stage.beta)


def test_a_role_that_is_not_enough_is_denied_with_a_page(stage: Stage) -> None:
    browser, _ = stage.signed_in(stage.teammate("Max"), stage.wiki)
    before = stage.reached()
    page = browser.open(f"{stage.wiki}/admin/x")
    assert page.status == 403
    assert "This is not open to you" in page.text
    script = browser.get(f"{stage.wiki}/admin/x")
    assert script.status == 403
    assert stage.reached() == before
    page = browser.open(f"{stage.wiki}/.nightlatch/start?rd=/&denied=1")
    assert (page.url.startswith(f"{stage.home}/authz/sign-in"), page.status) == (True, 403)
    assert "Sign out and use another account" in page.text
    page = browser.submit("/sign-out")
    assert page.url.startswith(f"{stage.home}/sign-in?next=%2Fauthz%2Fsign-in"), page.url
    other = browser.submit("/sign-in", email=stage.olga.email, password=PASSWORD)
    assert other.url == f"{stage.wiki}/"
    assert browser.get(stage.wiki).told("Remote-Role") == ["owner"]
    assert browser.get(f"{stage.wiki}/admin/x").status == 200


def test_who_is_no_teammate_is_told_so_at_the_origin(stage: Stage) -> None:
    _, page = stage.signed_in(stage.teammate("Otto", stage.beta), stage.wiki)
    assert page.url.startswith(f"{stage.home}/authz/sign-in")
    assert page.status == 403
    assert "this account is not one of them" in page.text
    assert "Acme" not in page.text


# --- live ---


def test_a_mandate_turned_on_between_two_requests(stage: Stage) -> None:
    browser, _ = stage.signed_in(stage.teammate("Mo", stage.beta), stage.board)
    assert browser.get(stage.board).status == 200
    stage.world.require(stage.beta)
    try:
        assert browser.get(stage.board).status == 401
        assert browser.open(f"{stage.board}/x").url.startswith(f"{stage.home}/set-up")
    finally:
        stage.world.unrequire(stage.beta)
    assert browser.get(stage.board).status == 200


def test_a_teammate_removed_between_two_requests(stage: Stage) -> None:
    rob = stage.teammate("Rob")
    browser, _ = stage.signed_in(rob, stage.wiki)
    assert browser.get(stage.wiki).status == 200
    row = stage.world.read(lambda tx: teammates.by_account(tx, rob.id, stage.acme))
    assert row is not None
    id = row.id

    def remove(tx: Any) -> None:
        teammates.remove(tx, id)
        standing.refresh(tx, rob.id)

    stage.world.write(remove)
    before = stage.reached()
    assert browser.get(stage.wiki).status == 403
    page = browser.open(f"{stage.wiki}/x")
    assert page.status == 403
    assert "this account is not one of them" in page.text
    assert stage.reached() == before


def test_signed_out_at_the_origin_every_host_is_closed(stage: Stage) -> None:
    browser, _ = stage.signed_in(stage.olga, stage.wiki)
    board = browser.open(f"{stage.board}/x")  # the same session, without asking again
    assert board.url == f"{stage.board}/x"
    browser.open(f"{stage.home}/w/acme")
    browser.submit("/sign-out")
    assert browser.get(stage.wiki).status == 401
    assert browser.get(stage.board).status == 401


def test_signed_out_at_one_host_the_others_stay_open(stage: Stage) -> None:
    browser, _ = stage.signed_in(stage.olga, stage.wiki)
    browser.open(stage.board)
    page = browser.open(f"{stage.wiki}/.nightlatch/sign-out")
    assert "Sign out of Wiki?" in page.text
    page = browser.submit("/.nightlatch/sign-out")
    assert "You are signed out of Wiki" in page.text
    assert browser.get(stage.wiki).status == 401
    assert browser.get(stage.board).status == 200
    assert (
        browser.open(f"{stage.wiki}/z").url == f"{stage.wiki}/z"
    )  # signed in at the origin, it is one click


def test_a_session_that_ends_takes_the_cookie_of_the_host_with_it(stage: Stage) -> None:
    sid = stage.teammate("Sid")
    browser, _ = stage.signed_in(sid, stage.wiki)
    [session] = stage.world.read(lambda tx: sessions.of_account(tx, sid.id))
    stage.world.write(lambda tx: sessions.end(tx, session.id, sid.id))
    assert browser.get(stage.wiki).status == 401


# --- lies ---

FORGED = [
    *IDENTITY,
    *(name.replace("-", "_") for name in IDENTITY),
    *(name.replace("-", ".") for name in IDENTITY),
    *("Remote-Auth_Time", "Remote_Auth-Time", "Remote.Auth_Time"),
]


@pytest.mark.parametrize("name", FORGED)
def test_forged_identity_headers_never_reach_the_product(stage: Stage, name: str) -> None:
    mia, browser = stage.member
    answer = browser.send("GET", f"{stage.wiki}/x", headers={**SCRIPT, name: "forged"})
    if answer.status == 200:
        assert "forged" not in answer.text
        assert answer.told("Remote-Email") == [mia.email]
    else:
        assert answer.status in (400, 403)


def test_twice_forged_headers_never_reach_the_product(stage: Stage) -> None:
    _, browser = stage.member
    lies = [("Accept", "*/*"), *((name, "forged") for name in FORGED for _ in (1, 2))]
    answer = browser.send("GET", f"{stage.wiki}/x", headers=lies)
    assert answer.status in (200, 400, 403)
    if answer.status == 200:
        assert "forged" not in answer.text


def hostile(board: str) -> list[list[tuple[str, str]]]:
    """Headers by which somebody with the wiki's cookie would like to be somewhere, or somebody, else."""
    host = urlsplit(board).netloc
    return [
        [("X-Forwarded-Host", host)],
        [("X-Forwarded-Host", host), ("X-Forwarded-Host", "evil.example")],
        [("X_Forwarded_Host", host)],
        [("X.Forwarded.Host", host)],
        [("X-Forwarded-Proto", "http")],
        [("X-Forwarded-Uri", "/public"), ("X-Forwarded-Method", "OPTIONS")],
        [("X_Forwarded_Uri", "/public"), ("X_Forwarded_Method", "OPTIONS")],
        [("X-Original-URL", f"{board}/x"), ("X-Original-Method", "OPTIONS")],
        [("X_Original_URL", f"{board}/x")],
        [("X-Forwarded-For", "127.0.0.1"), ("Forwarded", f"for=127.0.0.1;host={host};proto=https")],
        [("X-Forwarded-Server", host), ("X-Forwarded-Port", "1"), ("X-Forwarded-Prefix", "/.nightlatch")],
        [("X-Rewrite-URL", "/.nightlatch/x"), ("X-HTTP-Method-Override", "OPTIONS")],
    ]


@pytest.mark.parametrize("number", range(12))
def test_hostile_forwarded_headers_change_nothing(stage: Stage, number: int) -> None:
    """Signed out they open nothing; signed in to the wiki they are still that person, at the wiki."""
    lies = hostile(stage.board)[number]
    before = stage.reached()
    out = stage.browser().send("GET", f"{stage.wiki}/x", headers=[*SCRIPT.items(), *lies])
    assert out.status in (400, 401, 403)
    assert stage.reached() == before
    mia, browser = stage.member
    answer = browser.send("GET", f"{stage.wiki}/x", headers=[*SCRIPT.items(), *lies])
    if answer.status == 200:
        assert answer.json["product"] == "wiki"
        assert answer.told("Remote-Email") == [mia.email]
        verified(stage, answer.told("Nightlatch-Assertion")[0], stage.wiki)
    else:
        assert answer.status in (400, 403)


def test_headers_that_count_cannot_be_dropped_by_connection(stage: Stage) -> None:
    """RFC 9110 section 7.6.1: what `Connection` names is for the next hop alone, so a proxy may drop it."""
    _, browser = stage.member
    for named in (
        "Remote-User, Remote-Role",
        "Nightlatch-Assertion",
        "X-Forwarded-Host",
        "Cookie",
        "close, remote-user",
    ):
        answer = browser.send("GET", f"{stage.wiki}/x", headers={**SCRIPT, "Connection": named})
        if answer.status == 200:
            assert {name: len(answer.told(name)) for name in IDENTITY} == dict.fromkeys(IDENTITY, 1)
        else:
            assert answer.status in (400, 401)


@pytest.mark.parametrize("query", ["?roles=owner", "?roles=member&max_age=60", "?max_age=60", "?x=1", "?"])
def test_the_clients_own_query_never_is_the_checks(stage: Stage, query: str) -> None:
    _, browser = stage.member
    assert browser.get(f"{stage.wiki}/x{query}").status == 200
    assert browser.get(f"{stage.wiki}/admin/x{query}").status == 403


def test_a_request_target_with_another_host_in_it_is_nobodys(stage: Stage) -> None:
    """Absolute form (RFC 9112 section 3.2.2): which product it reaches, and for which it is checked, must be one."""
    _, browser = stage.member  # a teammate of Acme, none of Beta
    before = len(stage.products["board"].got)
    for host, target in ((stage.wiki, f"{stage.board}/x"), (stage.board, f"{stage.wiki}/x")):
        headers = {**SCRIPT, "Host": urlsplit(host).netloc}
        for at in (stage.wiki, stage.board):
            answer = browser.send("GET", f"{at}/x", headers=headers, target=target)
            if answer.status == 200:
                assert answer.json["product"] == "wiki"
                verified(stage, answer.told("Nightlatch-Assertion")[0], stage.wiki)
    for at, host in ((stage.wiki, stage.board), (stage.board, stage.wiki)):
        answer = browser.send("GET", f"{at}/x", headers={**SCRIPT, "Host": urlsplit(host).netloc})
        assert answer.status != 200 or answer.json["product"] == "wiki"
    assert len(stage.products["board"].got) == before


def test_a_host_that_is_not_registered_is_refused(stage: Stage) -> None:
    asked = {
        "X-Forwarded-Method": "GET",
        "X-Forwarded-Proto": "https",
        "X-Forwarded-Host": "other.acme.test",
        "X-Forwarded-Uri": "/",
        **PAGE,
    }
    answer = direct(stage.server.port, "/authz/forward", asked)
    assert (answer.status, answer.header("nightlatch-error")) == (400, "unknown_host")
    asked = {"X-Original-Method": "GET", "X-Original-URL": "https://other.acme.test/", **PAGE}
    answer = direct(stage.server.port, "/authz/nginx", asked)
    assert (answer.status, answer.header("location")) == (403, "")


def test_direct_callers_that_are_no_trusted_proxy_get_nothing(stage: Stage) -> None:
    _, browser = stage.member
    cookie = "; ".join(
        f"{name}={value}" for name, value in browser.jars[urlsplit(stage.wiki).hostname or ""].items()
    )
    host = urlsplit(stage.wiki).netloc
    forwarded = {
        "X-Forwarded-Method": "GET",
        "X-Forwarded-Proto": "https",
        "X-Forwarded-Host": host,
        "X-Forwarded-Uri": "/x",
        "X-Forwarded-For": "127.0.0.1",
        "Cookie": cookie,
        **PAGE,
    }
    original = {"X-Original-Method": "GET", "X-Original-URL": f"{stage.wiki}/x", "Cookie": cookie, **PAGE}
    for path, headers in (
        ("/authz/forward", forwarded),
        ("/authz/nginx", original),
        ("/.nightlatch/start?rd=/", forwarded),
        ("/.nightlatch/denied", forwarded),
    ):
        assert direct(stage.server.port, path, headers).status in (200, 303, 403)
        answer = direct(stage.server.port, path, headers, source="127.0.0.5")
        assert answer.status == 403
        assert not answer.header("location")
        assert not answer.header("set-cookie")
        assert not [name for name, _ in answer.headers if name.lower().startswith("remote-")]


def test_checks_cannot_be_asked_for_through_the_proxy(stage: Stage) -> None:
    _, browser = stage.member
    for path in ("/authz/forward", "/authz/nginx"):
        assert browser.get(f"{stage.home}{path}").status == 404


# --- the way to and fro ---


def way(stage: Stage) -> tuple[Any, Answer]:
    """A browser that is signed in at the origin, and the address of the callback that it is about to open."""
    browser, _ = stage.signed_in(stage.teammate("Ida"), f"{stage.wiki}/x")
    browser.jars[urlsplit(stage.wiki).hostname or ""].pop("__Host-nightlatch-app")
    answer = browser.send("GET", f"{stage.wiki}/x", headers=PAGE)
    while "/.nightlatch/callback" not in answer.header("location"):
        answer = browser.send("GET", _join(answer), headers=PAGE)
    return browser, answer


def _join(answer: Answer) -> str:
    target = answer.header("location")
    parts = urlsplit(answer.url)
    return target if "://" in target else f"{parts.scheme}://{parts.netloc}{target}"


def test_a_code_is_good_once_and_in_its_own_browser(stage: Stage) -> None:
    browser, answer = way(stage)
    callback = answer.header("location")
    assert set(parse_qs(urlsplit(callback).query)) == {"code", "state"}
    stranger = stage.browser().send("GET", callback, headers=PAGE)
    assert stranger.status == 400
    assert "begun in another browser" in stranger.text
    assert not stranger.header("set-cookie")
    at_board = browser.send("GET", callback.replace(stage.wiki, stage.board), headers=PAGE)
    assert at_board.status == 400
    good = browser.send("GET", callback, headers=PAGE)
    assert (good.status, good.header("location")) == (303, "/x")
    assert browser.get(f"{stage.wiki}/x").status == 200
    again = browser.send("GET", callback, headers=PAGE)
    assert again.status == 409
    assert browser.get(f"{stage.wiki}/x").status == 401  # what a code that comes twice was made into is over


def test_the_cookie_of_one_host_is_worth_nothing_at_another(stage: Stage) -> None:
    browser, _ = stage.signed_in(stage.olga, stage.wiki)  # she is in both workspaces
    wiki, board = (urlsplit(each).hostname or "" for each in (stage.wiki, stage.board))
    browser.jars[board] = dict(browser.jars[wiki])
    assert browser.get(stage.board).status == 401


def test_an_assertion_for_one_product_is_refused_by_another(stage: Stage) -> None:
    browser, _ = stage.signed_in(stage.olga, stage.wiki)
    token = browser.get(stage.wiki).told("Nightlatch-Assertion")[0]
    verified(stage, token, stage.wiki)
    with pytest.raises(JoseError):
        verified(stage, token, stage.board)
    browser.open(stage.board)
    shown = browser.send("GET", stage.board, headers={**SCRIPT, "Nightlatch-Assertion": token})
    assert shown.status == 200
    assert token not in shown.told("Nightlatch-Assertion")
    assert verified(stage, shown.told("Nightlatch-Assertion")[0], stage.board)["workspace_slug"] == "beta"


def believed(stage: Stage, token: str, audience: str, workspace: str | None = None) -> Teammate:
    """Whom the client library makes of an assertion, with the keys of this moment."""
    keys = stage.browser().get(f"{stage.home}/.well-known/jwks.json").body
    transport = httpx2.MockTransport(lambda request: httpx2.Response(200, content=keys))
    return Assertions(stage.home, audience, workspace, transport=transport).verify(token)


def test_the_client_library_believes_what_we_sign_and_nothing_else(stage: Stage) -> None:
    mia, browser = stage.member
    told = browser.get(stage.wiki)
    token = told.told("Nightlatch-Assertion")[0]
    teammate = believed(stage, token, stage.wiki, to_text(stage.acme))
    assert (teammate.id, teammate.email, teammate.name) == (told.told("Remote-User")[0], mia.email, "Mia")
    assert (teammate.workspace_slug, teammate.role, teammate.amr) == ("acme", "member", ("pwd",))
    for audience, workspace in ((stage.board, None), (stage.wiki, to_text(stage.beta))):
        with pytest.raises(AssertionRefused):
            believed(stage, token, audience, workspace)
    head, _, rest = token.partition(".")
    with pytest.raises(AssertionRefused):
        believed(stage, f"{head}.{rest[:-4]}AAAA", stage.wiki)


def test_rotated_keys_are_shown_before_they_sign(stage: Stage) -> None:
    _, browser = stage.member
    browser.get(stage.wiki)
    done = stage.server.run("keys", "rotate-signing")
    assert done.returncode == 0, done.stderr
    keys = stage.browser().get(f"{stage.home}/.well-known/jwks.json")
    assert len(keys.json["keys"]) == 2
    assert keys.header("cache-control") == "public, max-age=300"
    believed(stage, browser.get(stage.wiki).told("Nightlatch-Assertion")[0], stage.wiki)
    done = stage.server.run("keys", "rotate-signing", "--at-once")
    assert done.returncode == 0, done.stderr
    believed(stage, browser.get(stage.wiki).told("Nightlatch-Assertion")[0], stage.wiki)


# --- more than pages ---


def test_a_websocket_opens_for_who_may_pass_and_for_nobody_else(stage: Stage) -> None:
    mia, browser = stage.member
    opened = browser.send("GET", f"{stage.wiki}/socket", headers=UPGRADE)
    assert opened.status == 101
    assert mia.email.encode() in opened.body
    before = stage.reached()
    refused = stage.browser().send("GET", f"{stage.wiki}/socket", headers=UPGRADE)
    assert refused.status == 401
    with_page = stage.browser().send("GET", f"{stage.wiki}/socket", headers={**UPGRADE, **PAGE})
    assert with_page.status == 401
    assert stage.reached() == before


def test_nothing_opens_while_nightlatch_is_down(stage: Stage) -> None:
    """Keep it last: it restarts the server."""
    _, browser = stage.member
    stage.server.stop()
    before = stage.reached()
    try:
        answer = browser.get(stage.wiki)
        assert answer.status in (502, 503)
        assert not answer.header("location")
        if stage.proxy.name == "nginx":
            assert (answer.status, answer.header("retry-after")) == (503, "5")
        assert browser.open(f"{stage.wiki}/x").status in (502, 503)
        assert stage.reached() == before
    finally:
        stage.server.start()
    assert browser.get(stage.wiki).status == 200
    assert stage.reached() == before + 1


def test_a_role_that_changes_is_told_with_the_next_request(stage: Stage) -> None:
    rae = stage.teammate("Rae")
    browser, _ = stage.signed_in(rae, stage.wiki)
    assert browser.get(stage.wiki).told("Remote-Role") == ["member"]
    row = stage.world.read(lambda tx: teammates.by_account(tx, rae.id, stage.acme))
    assert row is not None
    id = row.id
    stage.world.write(lambda tx: teammates.set_role(tx, id, Role.MEMBER, Role.OWNER))
    told = browser.get(f"{stage.wiki}/admin/x")
    assert told.told("Remote-Role") == ["owner"]
    assert verified(stage, told.told("Nightlatch-Assertion")[0], stage.wiki)["role"] == "owner"
