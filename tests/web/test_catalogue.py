"""Failures that others had (docs/threat-model.md) and that no other test asks about: F03, F18, F25, F38, F42, F48.

One person comes in by the API: an invitation, a password, an authenticator app, recovery codes.
"""

import base64
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from nightlatch import addresses
from nightlatch.actions import workspaces
from nightlatch.actions.by import operator
from nightlatch.config import Config
from nightlatch.instants import SECOND
from nightlatch.web import origin
from nightlatch.web.api import models
from nightlatch.web.context import safe_next
from nightlatch.web.table import ROUTES
from tests.support.asgi import ORIGIN, Client, app_of
from tests.support.tables import everything
from tests.support.world import World

EMAIL, PASSWORD = "olga@acme.example", "walnut harbour kettle"
API = "/api/v1"
FROM_A_PAGE = {"origin": ORIGIN, "sec-fetch-site": "same-origin"}


@dataclass
class Olga:
    """An owner who has come all the way in, and every secret that was hers on the way."""

    world: World
    client: Client
    seed: bytes
    codes: list[str]
    tokens: list[str]


@pytest.fixture
def olga(sqlite_url: str, tmp_path: Path) -> Iterator[Olga]:
    world = World(sqlite_url, tmp_path)
    owner = addresses.parse(EMAIL)
    made = world.write(
        lambda tx: workspaces.create(tx, by=operator("Test"), name="Acme", slug="acme", owner=owner)
    )
    assert made.invitation is not None
    client, tokens = Client(app_of(world)), [made.invitation.text]

    def post(path: str, **body: object) -> dict[str, object]:
        got = client.post(API + path, body)
        assert got.status < 300, got.text
        answer: dict[str, object] = got.json
        if answer.get("token"):
            client.bearer = str(answer["token"])
            tokens.append(client.bearer)
        return answer

    post("/invitations/accept", token=made.invitation.text, name="Olga", password=PASSWORD)
    begun = post("/me/authenticators/totp")
    seed = base64.b32decode(str(begun["secret"]))
    confirmed = post(f"/me/authenticators/totp/{begun['id']}/confirm", code=world.code(seed))
    codes = confirmed["recovery_codes"]
    assert isinstance(codes, list)
    yield Olga(world, client, seed, codes, tokens)
    world.close()


@pytest.mark.parametrize("flag", ["skip2fa", "verified", "mfa", "remember", "two_factor_passed", "role"])
def test_a_flag_skips_nothing(olga, flag):
    """F03: what nobody asked for is refused, not ignored."""
    got = Client(olga.client.app).post(
        f"{API}/sign-in/password", {"email": EMAIL, "password": PASSWORD, flag: True}
    )
    assert (got.status, got.code) == (422, "invalid")


def test_nothing_is_told_again(olga):
    """F25: after it was confirmed, no answer holds the seed, a recovery code or the password."""
    page = Client(olga.client.app)
    _sign_in(olga, page)
    asked = {"api": olga.client, "page": page}
    for route in ROUTES:
        path = route.path.replace("{slug}", "acme")
        if route.method != "GET" or route.kind not in asked or "{" in path:
            continue
        said = asked[route.kind].get(path).text
        for secret in _spelled(olga):
            assert secret not in said, path
    assert "Olga" in page.get("/settings/user").text, "the pages were really looked at"


def test_a_stolen_database_tells_no_secret(olga):
    """F48: not a seed, a code, a token, a link or a password, in any spelling."""
    stored = "\n".join(row for table in everything(olga.world).values() for row in table)
    for secret in [*_spelled(olga), *olga.tokens]:
        assert secret not in stored
    assert repr(olga.seed)[2:-1] not in stored


def test_a_known_browser_proves_nothing(olga):
    """F38: the cookie of a browser that signed in before is no second factor, for its owner or for anybody."""
    page = Client(olga.client.app)
    page.get("/sign-in")
    for _ in range(2):
        _sign_in(olga, page)
        assert page.post(f"{API}/sign-out", headers=FROM_A_PAGE).status == 204
    assert "nightlatch-browser" in page.cookies


def _sign_in(olga: Olga, page: Client) -> None:
    """As a page of ours does: the session becomes a cookie. The password alone is never enough."""
    got = page.post(f"{API}/sign-in/password", {"email": EMAIL, "password": PASSWORD}, headers=FROM_A_PAGE)
    assert (got.status, got.json["session"]["state"]) == (201, "challenge")
    models.SignedIn.model_validate(got.json)
    olga.world.wait(31 * SECOND)
    got = page.post(f"{API}/sign-in/totp", {"code": olga.world.code(olga.seed)}, headers=FROM_A_PAGE)
    assert (got.status, got.json["session"]["state"]) == (200, "active")
    models.SignedIn.model_validate(got.json)


def _spelled(olga: Olga) -> list[str]:
    text = base64.b32encode(olga.seed).decode()
    groups = " ".join(text[at : at + 4] for at in range(0, len(text), 4))
    bare = [each.replace("-", "") for each in olga.codes]
    # The first group of a recovery code is its selector, which is no secret.
    return [text, groups, olga.seed.hex(), PASSWORD, *olga.codes, *bare, *(each[5:] for each in olga.codes)]


# --- F18: who is asking ---


def _asked(trusted: str, client: str, **headers: str) -> origin.Asked:
    config = Config.from_environment({"NIGHTLATCH_TRUSTED_PROXIES": trusted})
    pairs = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return origin.asked(config, [(b"host", b"localhost:8000"), *pairs], "http", client)


@pytest.mark.parametrize("name", ["x_forwarded_for", "forwarded", "x_real_ip", "true_client_ip", "client_ip"])
def test_nobody_chooses_their_own_address(name):
    """F18: from anybody but a named proxy every such header is ignored."""
    assert _asked("10.0.0.1", "203.0.113.9", **{name: "198.51.100.1"}).ip == "203.0.113.9"
    assert _asked("", "203.0.113.9", **{name: "198.51.100.1"}).ip == "203.0.113.9"


@pytest.mark.parametrize(
    "chain, address",
    [
        ("198.51.100.1", "198.51.100.1"),
        ("192.0.2.66, 198.51.100.1", "198.51.100.1"),
        ("192.0.2.66, 198.51.100.1, 10.0.0.7", "198.51.100.1"),
        ("192.0.2.66, nonsense", "10.0.0.1"),
        ("", "10.0.0.1"),
    ],
)
def test_a_chain_is_read_from_the_right(chain, address):
    """F18: what stands left of the first address that is no proxy may be invented."""
    assert _asked("10.0.0.0/24", "10.0.0.1", x_forwarded_for=chain).ip == address


# --- F42: where somebody goes afterwards ---

HOSTILE = [
    "//evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "https://evil.example/",
    "http:evil.example",
    "javascript:alert(1)",
    "/\tevil.example",
    "/\n/evil.example",
    " //evil.example",
    "evil.example",
    "/path\\..\\..",
    "",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_nobody_is_sent_elsewhere(text):
    """F42."""
    assert safe_next(text) == ""


@pytest.mark.parametrize(
    "text", ["/", "/w/acme", "/w/acme/settings/team?q=a%20b&sort=-name", "/@evil.example"]
)
def test_paths_of_ours_are_kept(text):
    assert safe_next(text) == text


@pytest.mark.parametrize("text", HOSTILE[:-1])
def test_no_redirect_leaves(olga, text):
    """F42: as the sign-in page meets it."""
    page = Client(olga.client.app)
    csrf = page.get("/sign-in").text.split('name="csrf" value="')[1].split('"')[0]
    form = {"csrf": csrf, "email": EMAIL, "password": PASSWORD, "next": text}
    got = page.ask("POST", "/sign-in", form=form, headers={"origin": ORIGIN})
    assert got.status == 303
    assert got.header("location").startswith("/")
    assert "evil" not in got.header("location")
