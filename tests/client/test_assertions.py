"""Assertions of the proxy check: verified strictly, keys kept and rotated, headers of others believed by nobody."""

import asyncio
import base64
import json
from collections.abc import Callable
from typing import Any

import httpx2
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey, OKPKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from nightlatch_client import AssertionRefused, Assertions, BehindProxy, Unavailable
from nightlatch_client.behind_proxy import teammate
from tests.client.products import Browser, Place

ISSUER = "https://2fa.acme.dev/2fa"
APP = "https://wiki.acme.dev"
START = 1_800_000_000.0


class Issuer:
    """Nightlatch's side: keys, claims, and a clock for both."""

    def __init__(self) -> None:
        self.now = START
        self.keys = {"k1": ECKey.generate_key("P-256", private=True)}
        self.asked = 0
        self.down = False
        self.shown: Any = None

    def answer(self, request: httpx2.Request) -> httpx2.Response:
        self.asked += 1
        assert str(request.url) == f"{ISSUER}/.well-known/jwks.json"
        if self.down:
            raise httpx2.ConnectError("down")
        shown = [
            {**key.as_dict(private=False), "kid": kid, "use": "sig", "alg": "ES256"}
            for kid, key in self.keys.items()
        ]
        return httpx2.Response(200, json=self.shown if self.shown is not None else {"keys": shown})

    def claims(self, **change: Any) -> dict[str, Any]:
        claims = {
            "iss": ISSUER,
            "aud": APP,
            "sub": "a1",
            "email": "ada@acme.dev",
            "name": "Ada Lovelace",
            "workspace": "w1",
            "workspace_slug": "acme",
            "role": "owner",
            "acr": "urn:nightlatch:aal2",
            "amr": ["pwd", "otp", "mfa"],
            "auth_time": int(self.now) - 60,
            "iat": int(self.now),
            "exp": int(self.now) + 60,
            "jti": "j",
            **change,
        }
        return {name: value for name, value in claims.items() if value is not None}

    def sign(self, kid: str = "k1", **change: Any) -> str:
        return jwt.encode(
            {"alg": "ES256", "typ": "JWT", "kid": kid}, self.claims(**change), self.keys[kid], ["ES256"]
        )

    def assertions(self, workspace: str | None = None) -> Assertions:
        transport = httpx2.MockTransport(self.answer)
        return Assertions(ISSUER, APP, workspace, transport=transport, now=lambda: self.now)


@pytest.fixture
def issuer() -> Issuer:
    return Issuer()


@pytest.fixture(params=["blocking", "awaited"])
def verify(request: pytest.FixtureRequest) -> Callable[[Assertions, str], Any]:
    if request.param == "blocking":
        return lambda assertions, header: assertions.verify(header)
    return lambda assertions, header: asyncio.run(assertions.averify(header))


def test_a_good_one_says_who(issuer: Issuer, verify):
    found = verify(issuer.assertions("w1"), issuer.sign())
    assert (found.id, found.email, found.role, found.workspace) == ("a1", "ada@acme.dev", "owner", "w1")
    assert found.amr == ("pwd", "otp", "mfa")
    assert found.proved_at.timestamp() == START - 60


@pytest.mark.parametrize(
    "change",
    [
        {"iss": "https://evil.example"},
        {"iss": None},
        {"aud": "https://other.acme.dev"},
        {"aud": [APP]},
        {"aud": None},
        {"exp": None},
        {"exp": START - 6},
        {"exp": START + 10_000},
        {"exp": "soon"},
        {"exp": True},
        {"iat": START + 60},
        {"iat": None},
        {"auth_time": 1e300},
        {"sub": ""},
        {"sub": None},
        {"workspace": "w2"},
        {"workspace": None},
        {"role": ""},
        {"amr": "pwd"},
        {"email": 7},
    ],
)
def test_claims_that_do_not_count_here(issuer: Issuer, change):
    with pytest.raises(AssertionRefused):
        issuer.assertions("w1").verify(issuer.sign(**change))


def _part(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def test_other_ways_of_signing_are_refused(issuer: Issuer):
    assertions, claims = issuer.assertions(), issuer.claims()
    other = ECKey.generate_key("P-256", private=True)
    shown = json.dumps(issuer.keys["k1"].as_dict(private=False)).encode()
    tokens = [
        jwt.encode({"alg": "ES256", "kid": "k1"}, claims, other, ["ES256"]),
        jwt.encode({"alg": "HS256", "kid": "k1"}, claims, OctKey.import_key(shown), ["HS256"]),
        jwt.encode({"alg": "Ed25519", "kid": "k1"}, claims, OKPKey.generate_key("Ed25519"), ["Ed25519"]),
        ".".join((*(_part(each) for each in ({"alg": "none", "kid": "k1"}, claims)), "")),
        jwt.encode({"alg": "ES256"}, claims, issuer.keys["k1"], ["ES256"]),
        issuer.sign().rpartition(".")[0] + ".",
        issuer.sign()[:-4] + "AAAA",
        "",
        "a.b.c",
        "x" * 10_000,
        issuer.sign() + ".more",
        "é.ü.ö",
    ]
    for token in tokens:
        with pytest.raises(AssertionRefused):
            assertions.verify(token)


def test_keys_are_kept_and_asked_for_anew_now_and_then(issuer: Issuer, verify):
    assertions = issuer.assertions()
    for _ in range(5):
        verify(assertions, issuer.sign())
    assert issuer.asked == 1
    issuer.now += 301
    verify(assertions, issuer.sign())
    assert issuer.asked == 2


def test_a_new_key_is_found_and_unknown_ones_ask_no_more_than_every_half_minute(issuer: Issuer):
    assertions = issuer.assertions()
    assertions.verify(issuer.sign())
    issuer.keys["k2"] = ECKey.generate_key("P-256", private=True)
    with pytest.raises(AssertionRefused, match="does not show"):
        assertions.verify(issuer.sign("k2"))  # asked for a moment ago
    issuer.now += 31
    assertions.verify(issuer.sign("k2"))
    assert issuer.asked == 2
    forged = issuer.keys.pop("k2")
    issuer.keys["evil"] = forged
    unknown = issuer.sign("evil")
    del issuer.keys["evil"]
    for _ in range(20):
        with pytest.raises(AssertionRefused):
            assertions.verify(unknown)
    issuer.now += 31
    with pytest.raises(AssertionRefused):
        assertions.verify(unknown)
    assert issuer.asked == 3


def test_kept_keys_serve_for_an_hour_while_it_is_down(issuer: Issuer, verify):
    assertions = issuer.assertions()
    issuer.down = True
    with pytest.raises(Unavailable):
        verify(assertions, issuer.sign())
    issuer.now += 31
    issuer.down = False
    verify(assertions, issuer.sign())
    issuer.down = True
    issuer.now += 3000
    verify(assertions, issuer.sign())
    issuer.now += 700
    with pytest.raises(Unavailable):
        verify(assertions, issuer.sign())


@pytest.mark.parametrize(
    "shown",
    [
        {},
        [],
        {"keys": []},
        {"keys": [7]},
        {"keys": [{"kty": "oct", "k": "AAAA", "kid": "k1"}]},
        {"keys": [{"kty": "EC", "crv": "P-256", "kid": "k1", "x": "AAAA", "y": "AAAA"}]},
        {"keys": [{"kty": "EC", "crv": "P-384", "kid": "k1"}]},
    ],
)
def test_keys_that_cannot_be_used_are_none(issuer: Issuer, shown):
    issuer.shown = shown
    with pytest.raises(Unavailable):
        issuer.assertions().verify(issuer.sign())


# --- the product behind the proxy ---


@pytest.fixture
def product(issuer: Issuer, place: Place, browser_: Browser) -> Browser:
    async def show(request: Request) -> JSONResponse:
        headers = [[name.decode(), value.decode()] for name, value in request.scope["headers"]]
        who = request.scope["nightlatch.teammate"]
        return JSONResponse({"who": who.name if who else None, "headers": headers})

    async def me(request: Request) -> JSONResponse:
        return JSONResponse(teammate(request).email)

    async def socket(socket: WebSocket) -> None:
        await socket.accept()
        await socket.send_text(teammate(socket).email)
        await socket.close()

    routes = [
        Route("/show", show),
        Route("/me", me),
        Route("/healthz", show),
        WebSocketRoute("/socket", socket),
    ]
    place.serve(BehindProxy(Starlette(routes=routes), issuer.assertions(), open=["/healthz"]))
    return browser_


FORGED = {
    "Remote-User": "root",
    "Remote_User": "root",
    "remote.role": "owner",
    "REMOTE-GROUPS": "admins",
    "Remote-Anything": "x",
    "Nightlatch_Assertion": "x",
    "nightlatch.assertion": "x",
}


def test_the_assertion_lets_in_and_every_forged_header_is_gone(product: Browser, issuer: Issuer):
    headers = {**FORGED, "Nightlatch-Assertion": issuer.sign(), "X-Remote-User": "kept", "Remotely": "kept"}
    got = product.call("GET", "/show", headers=headers).json()
    assert got["who"] == "Ada Lovelace"
    names = [name for name, _ in got["headers"]]
    assert "x-remote-user" in names
    assert "remotely" in names
    assert not [
        name
        for name in names
        if name.replace("_", "-").replace(".", "-").startswith(("remote-", "nightlatch"))
    ]
    assert product.call("GET", "/me", headers=headers).json() == "ada@acme.dev"


def test_without_it_nothing_opens_but_the_open_paths(product: Browser, issuer: Issuer):
    good = issuer.sign()
    for headers in (
        FORGED,
        [("Nightlatch-Assertion", good), ("nightlatch-assertion", good)],
        {"Nightlatch-Assertion": "x"},
        {"Nightlatch-Assertion": issuer.sign(aud="https://other.acme.dev")},
    ):
        refused = product.call("GET", "/show", headers=headers)
        assert (refused.status_code, refused.json()["code"]) == (401, "sign_in_required")
        assert "www-authenticate" in refused.headers
    open_ = product.call("GET", "/healthz", headers={**FORGED, "Nightlatch-Assertion": good}).json()
    assert open_["who"] is None
    assert not [name for name, _ in open_["headers"] if name.startswith(("remote", "nightlatch"))]


def test_without_keys_it_is_unavailable(product: Browser, issuer: Issuer):
    issuer.down = True
    refused = product.call("GET", "/show", headers={"Nightlatch-Assertion": issuer.sign()})
    assert (refused.status_code, refused.headers["retry-after"]) == (503, "5")


def test_websockets(product: Browser, issuer: Issuer, place: Place):
    url = place.origin.replace("http", "ws") + "/socket"
    with connect(url, additional_headers={"Nightlatch-Assertion": issuer.sign()}, proxy=None) as socket:
        assert socket.recv(timeout=60) == "ada@acme.dev"
    with pytest.raises(InvalidStatus) as refused:
        connect(url, additional_headers=FORGED, proxy=None)
    assert refused.value.response.status_code == 401
