"""Law 1: every route, with every kind of credential, in every state of a session, goes through the one decision.

The table itself is walked, so a new route is in it by being there. For each combination the decision is taken here from
the facts in the database, and the answer must be the one that this decision amounts to; a refusal changes nothing. The
same walk meets the catalogue's half sessions (F01, F02), API tokens of people who must enrol (F37, F40) and foreign
workspaces (F30).
"""

from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from sqlalchemy import func, select

from nightlatch.access import Allow, Challenge, Deny, Enrol, Purpose, decide
from nightlatch.actions.tokens import Token, hash_token, new_token
from nightlatch.facts import AppId, Facts
from nightlatch.ids import to_text
from nightlatch.instants import HOUR
from nightlatch.refusals import refusal_of
from nightlatch.store import apps as stored_apps
from nightlatch.store import sessions
from nightlatch.store.engine import Transaction
from nightlatch.store.facts import read_known
from nightlatch.store.query import Query
from nightlatch.store.schema import metadata
from nightlatch.vocabulary import Credential, Method, Reason
from nightlatch.web.routes import Route
from nightlatch.web.table import ROUTES
from tests.support.asgi import ORIGIN, Client, Got, app_of
from tests.support.product import register
from tests.support.world import Person, World

ID = to_text(4711)
FILES = ("/static/{name}", "/themes/{colour}", "/apps/{id}/logo")
GUARDED = [route for route in ROUTES if route.path not in FILES and route.kind not in ("check", "host")]
"""What proxies ask has credentials of its own: test_authz_inventory.py walks it."""


@dataclass
class Stage:
    """Two workspaces, and a session in every state, as a cookie and as a bearer token."""

    world: World
    acme: int
    tokens: dict[str, dict[Credential, Token]]


@pytest.fixture
def stage(sqlite_url: str, tmp_path: Path) -> Stage:
    """Acme requires 2FA; Beta does not."""
    world = World(sqlite_url, tmp_path)
    owner, member, newcomer, outsider = (world.person(name) for name in ("Olga", "Mia", "Nils", "Otto"))
    acme = world.workspace("acme", owner=owner, member=[member, newcomer])
    world.workspace("beta", owner=outsider)
    world.require(acme)
    apps = {person.name: world.bind_totp(person)[0] for person in (owner, member, outsider)}
    tokens: dict[str, dict[Credential, Token]] = {}

    def add(state: str, person: Person, *methods: Method) -> None:
        for kind in (Credential.COOKIE, Credential.BEARER):
            token = new_token()
            app = apps.get(person.name)
            world.session(person, *methods, authenticator=app, kind=kind, token=token)
            tokens.setdefault(state, {})[kind] = token

    add("idle", owner, Method.PASSWORD, Method.TOTP)
    world.wait(12 * HOUR)
    add("half", member, Method.PASSWORD)
    add("must enrol", newcomer, Method.PASSWORD)
    add("member", member, Method.PASSWORD, Method.TOTP)
    add("owner", owner, Method.PASSWORD, Method.TOTP)
    add("outsider", outsider, Method.PASSWORD, Method.TOTP)
    add("ended", owner, Method.PASSWORD, Method.TOTP)
    for kind in tokens["ended"].values():
        known = world.read(lambda tx, hash=kind.hash: read_known(tx, hash, Credential.COOKIE))  # type: ignore[misc]
        known = (
            known
            if known.session
            else world.read(
                lambda tx, hash=kind.hash: read_known(tx, hash, Credential.BEARER)  # type: ignore[misc]
            )
        )
        assert known.session is not None
        session_id, account_id = known.session.id, owner.id
        world.write(lambda tx, s=session_id, a=account_id: sessions.end(tx, s, a))  # type: ignore[misc]
    app_id, secret = register(world)
    over = ended_secret(world, app_id)
    for state, text in (("a product", secret), ("a product's ended secret", over)):
        tokens[state] = {
            kind: Token(text, hash_token(text)) for kind in (Credential.COOKIE, Credential.BEARER)
        }
    tokens["forged"] = {kind: new_token() for kind in (Credential.COOKIE, Credential.BEARER)}
    return Stage(world, acme, tokens)


def ended_secret(world: World, app_id: AppId) -> str:
    """A secret of a product's that has ended."""
    secret = new_token()

    def body(tx: Transaction) -> None:
        stored_apps.end_secret(tx, stored_apps.add_secret(tx, app_id, secret.hash), app_id)

    world.write(body)
    return secret.text


STATES = ["nobody", "forged", "ended", "idle", "half", "must enrol", "member", "owner", "outsider"]
STATES += ["a product", "a product's ended secret"]
PRESENTED = ["cookie", "bearer", "cookie token as bearer", "bearer token as cookie"]


@pytest.mark.parametrize("presented", PRESENTED)
@pytest.mark.parametrize("state", STATES)
def test_every_route_answers_as_the_decision_says(stage: Stage, state: str, presented: str) -> None:
    app = app_of(
        stage.world, NIGHTLATCH_SIGN_UP="open"
    )  # closed, these routes refuse everybody: test_sign_up.py
    for route in GUARDED:
        if route.path in ("/sign-out", "/api/v1/sign-out"):
            continue  # it would end the session that the walk goes on with; it has tests of its own
        client = Client(app)
        facts = _present(stage, client, route, state, presented)
        _check(stage, client, route, facts, f"{state}, {presented}, {route.method} {route.path}")
    stage.world.close()


def _present(stage: Stage, client: Client, route: Route, state: str, presented: str) -> Facts:
    """Put the credential into the request; the facts that it must be decided on."""
    nobody = stage.world.read(lambda tx: read_known(tx, None, Credential.NONE)).facts
    if state == "nobody":
        return nobody
    made_as = Credential.COOKIE if presented.startswith("cookie") else Credential.BEARER
    shown_as = Credential.COOKIE if presented in ("cookie", "bearer token as cookie") else Credential.BEARER
    token = stage.tokens[state][made_as]
    if shown_as is Credential.COOKIE:
        client.cookies["nightlatch"] = token.text
    else:
        client.bearer = token.text
    if state == "a product":
        asks = route.action.purpose is Purpose.APP and shown_as is Credential.BEARER
        return replace(nobody, app=1) if asks else nobody
    if route.action.purpose is Purpose.APP:
        return nobody  # however much a session has proved, it is no product
    if made_as is not shown_as or (route.kind == "page" and shown_as is Credential.BEARER):
        return nobody
    return stage.world.read(lambda tx: read_known(tx, token.hash, made_as)).facts


def _check(stage: Stage, client: Client, route: Route, facts: Facts, what: str) -> None:
    path = (
        route.path.replace("{slug}", "acme")
        .replace("{id}", ID)
        .replace("{secret_id}", ID)
        .replace("{token_id}", ID)
        .replace("{token}", "t" * 43)
    )
    action = route.action
    if "{slug}" in route.path:
        member = facts.teammate(stage.acme) is not None
        decision = (
            decide(facts, action.at(stage.acme))
            if member or facts.account is None
            else Deny(Reason.NOT_A_TEAMMATE)
        )
        if facts.account is None and action.purpose.value != "open":
            decision = Challenge(Reason.NO_SESSION)
    else:
        decision = decide(facts, action)
    before = stage.world.read(_rows)
    got = client.ask(route.method, path, headers=_headers(route), raw=b"" if route.method != "GET" else None)
    if action.purpose is Purpose.APP and client.cookies:
        assert (got.status, got.code) == (400, "malformed"), f"{what}: a product sends no cookies"
        assert stage.world.read(_rows) == before, what
        return
    assert got.status < 500, what
    assert got.header("content-security-policy"), what
    if isinstance(decision, Allow):
        if route.kind == "api" and route.body is not None:
            assert got.status in (400, 415, 422), f"{what}: an empty body is refused first, {got.status}"
        return
    after = stage.world.read(_rows)
    assert after == before, f"{what}: refused, and yet something was written"
    _check_refusal(route, decision, got, what)


def _check_refusal(route: Route, decision: Challenge | Enrol | Deny, got: Got, what: str) -> None:
    refused = refusal_of(decision)
    if route.kind != "page":
        assert (got.status, got.code) == (refused.status, refused.code), (
            f"{what}: {got.status} {got.text[:200]}"
        )
        if got.status == 401:
            assert got.header("www-authenticate").startswith("Bearer"), what
        return
    if isinstance(decision, Deny) and decision.reason is not Reason.MAIL_PROOF:
        assert got.status == refused.status, f"{what}: {got.status}"
        return
    assert got.status == 303, f"{what}: {got.status}"
    target = got.header("location").partition("?")[0]
    assert target in ("/sign-in", "/sign-in/second-step", "/step-up", "/recover", "/set-up"), what


def _headers(route: Route) -> dict[str, str]:
    if route.method == "GET":
        return {}
    kind = "application/json" if route.kind == "api" else "application/x-www-form-urlencoded"
    return {"content-type": kind, "origin": ORIGIN} if route.kind == "page" else {"content-type": kind}


_COUNTS = {
    name: Query(select(func.count().label("rows")).select_from(table))
    for name, table in metadata.tables.items()
}


def _rows(tx: Transaction) -> dict[str, int]:
    return {name: tx.one(query).rows for name, query in _COUNTS.items()}  # type: ignore[union-attr]


def test_both_credentials_at_once_are_refused(stage: Stage) -> None:
    client = Client(app_of(stage.world))
    client.cookies["nightlatch"] = stage.tokens["owner"][Credential.COOKIE].text
    client.bearer = stage.tokens["owner"][Credential.BEARER].text
    got = client.get("/api/v1/session")
    assert (got.status, got.code) == (400, "malformed")
    stage.world.close()


def test_a_foreign_origin_is_refused_before_anything_else(stage: Stage) -> None:
    """`null` is foreign too, signed in or not; nothing is written."""
    app = app_of(stage.world)
    for route in (each for each in GUARDED if each.method != "GET"):
        path = route.path.replace("{slug}", "acme").replace("{id}", ID).replace("{token}", "t" * 43)
        for headers in (
            {"origin": "https://evil.example"},
            {"origin": "null"},
            {"sec-fetch-site": "cross-site"},
        ):
            client = Client(app)
            client.cookies["nightlatch"] = stage.tokens["owner"][Credential.COOKIE].text
            before = stage.world.read(_rows)
            got = client.ask(route.method, path, headers=headers, raw=b"")
            # A product's server says nothing of fetching; what comes with a cookie is refused for that.
            cookie_alone = route.action.purpose is Purpose.APP and "origin" not in headers
            wanted = 400 if cookie_alone else 403
            assert got.status == wanted, f"{route.method} {route.path} {headers}: {got.status}"
            assert stage.world.read(_rows) == before
    stage.world.close()


def test_the_fast_path_is_the_ordinary_route(stage: Stage) -> None:
    """What the fast path answers, the route of the table answers too, for every state and credential."""
    app = app_of(stage.world)
    slow = app_of(stage.world)
    slow._fast.clear()
    for state in STATES:
        for presented in PRESENTED:
            answers = []
            for each in (app, slow):
                client = Client(each)
                route = next(route for route in ROUTES if route.path == "/api/v1/session")
                _present(stage, client, route, state, presented)
                got = client.get("/api/v1/session")
                answers.append((got.status, got.json, got.header("www-authenticate")))
            assert answers[0] == answers[1], f"{state}, {presented}"
    stage.world.close()


def test_headers_are_on_every_status(stage: Stage) -> None:
    """F43: the policy is on errors too, and nothing of a session is ever kept by a cache."""
    client = Client(app_of(stage.world))
    for method, path in (
        ("GET", "/nope"),
        ("POST", "/healthz"),
        ("GET", "/sign-in"),
        ("GET", "/api/v1/me"),
        ("GET", "/api/nope"),
    ):
        got = client.ask(method, path)
        assert "frame-ancestors 'none'" in got.header("content-security-policy"), path
        assert got.header("x-content-type-options") == "nosniff"
        assert got.header("cache-control") == "no-store", path
        assert "unsafe" not in got.header("content-security-policy")
    stage.world.close()


def test_another_host_is_told_so(stage: Stage) -> None:
    """F44: never a sign-in under another name."""
    client = Client(app_of(stage.world), host="evil.example")
    got = client.get("/sign-in")
    assert got.status == 421
    assert "evil.example" in got.text
    assert ORIGIN in got.text
    stage.world.close()
