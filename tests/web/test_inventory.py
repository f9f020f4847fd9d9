"""Law 1: every route, with every kind of credential, in every state of a session, goes through the one decision.

The table itself is walked, so a new route is in it by being there. For each combination the decision is taken here from
the facts in the database, and the answer must be the one that this decision amounts to; a refusal changes nothing. The
same walk meets the catalogue's half sessions (F01, F02), API tokens of people who must enrol (F37, F40) and foreign
workspaces (F30).
"""

import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select, update

from nightlatch.access import decide
from nightlatch.actions.tokens import Token, hash_token, new_api_token, new_token
from nightlatch.decision import Allow, Challenge, Deny, Enrol, Purpose
from nightlatch.facts import AppId, Facts
from nightlatch.ids import to_text
from nightlatch.instants import DAY, HOUR
from nightlatch.refusals import refusal_of
from nightlatch.store import api_tokens, service_accounts, sessions
from nightlatch.store import apps as stored_apps
from nightlatch.store.engine import Transaction
from nightlatch.store.query import Query
from nightlatch.store.schema import metadata
from nightlatch.store.schema_team import service_accounts as stored_services
from nightlatch.store.schema_team import tokens as stored_tokens
from nightlatch.store.session_facts import read_known
from nightlatch.vocabulary import Credential, Method, Reason, Scope
from nightlatch.web.routes import Route
from nightlatch.web.table import ROUTES
from tests.support.asgi import ORIGIN, Client, Got, app_of
from tests.support.product import register
from tests.support.tables import rows
from tests.support.world import Person, World, session_token

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
            token = session_token()
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
    tokens["forged"] = {kind: session_token() for kind in (Credential.COOKIE, Credential.BEARER)}
    people = {"must enrol": newcomer, "member": member, "owner": owner, "outsider": outsider}
    for state, token in api_tokens_of(world, acme, people).items():
        tokens[state] = dict.fromkeys((Credential.COOKIE, Credential.BEARER), token)
    return Stage(world, acme, tokens)


def ended_secret(world: World, app_id: AppId) -> str:
    """A secret of a product's that has ended."""
    secret = new_token()

    def body(tx: Transaction) -> None:
        stored_apps.end_secret(tx, stored_apps.add_secret(tx, app_id, secret.hash), app_id)

    world.write(body)
    return secret.text


def api_tokens_of(world: World, acme: int, people: dict[str, Person]) -> dict[str, Token]:
    """API tokens with every scope: of each person, an ended one, of a service account with and without a sponsor."""
    made: dict[str, Token] = {"a forged API token": new_api_token()}

    def add(state: str, **holder: Any) -> None:
        made[state] = token = new_api_token()
        given: dict[str, Any] = {"name": "x", "scopes": list(Scope), **holder}
        at = world.read(lambda tx: tx.now) + 90 * DAY
        world.write(lambda tx: api_tokens.create(tx, token_hash=token.hash, expires_at=at, **given))

    workspaces = {row.workspace_id for row in rows(world, "teammates")}
    for state, person in people.items():
        add(f"{state}'s API token", account_id=person.id, good_in=workspaces)
    add("an ended API token", account_id=people["owner"].id, good_in=workspaces)
    world.write(lambda tx: api_tokens.end_own(tx, rows_of(tx, made), people["owner"].id))
    sponsor = next(row.id for row in rows(world, "teammates") if row.account_id == people["owner"].id)
    for state in ("a service account", "a suspended service account"):
        service_id = world.write(
            lambda tx: service_accounts.create(
                tx, workspace_id=acme, name="Robot", sponsor_id=sponsor, by_name="Olga"
            )
        )
        add(state, service_id=service_id)
        if state == "a service account":
            continue
        world.write(
            lambda tx, id=service_id: tx.run(  # type: ignore[misc]
                Query(update(stored_services).values(suspended_at=tx.now).where(stored_services.c.id == id))
            )
        )
    return made


def rows_of(tx: Transaction, made: dict[str, Token]) -> int:
    """The id of the token that is to have ended."""
    row = tx.one(
        Query(select(stored_tokens.c.id).where(stored_tokens.c.token_hash == made["an ended API token"].hash))
    )
    assert row is not None
    return int(row.id)


NO_TOKEN = (Purpose.OPEN, Purpose.APP)
STATES = ["nobody", "forged", "ended", "idle", "half", "must enrol", "member", "owner", "outsider"]
STATES += ["a product", "a product's ended secret"]
API_TOKENS = [f"{each}'s API token" for each in ("must enrol", "member", "owner", "outsider")]
API_TOKENS += ["a forged API token", "an ended API token", "a service account", "a suspended service account"]
STATES += API_TOKENS
PRESENTED = ["cookie", "bearer", "cookie token as bearer", "bearer token as cookie"]


CASES = [
    (state, presented)
    for state in STATES
    for presented in PRESENTED
    # API tokens are of one kind, however they were made; in a cookie one stands for all.
    if state not in API_TOKENS
    or presented == "bearer"
    or (state, presented) == ("owner's API token", "cookie")
]


@pytest.mark.parametrize("state, presented", CASES)
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
    if state in API_TOKENS:
        # On what needs nobody a token is nobody; pages take cookies alone; and it is no session's and no product's.
        if shown_as is Credential.COOKIE or route.kind == "page" or route.action.purpose in NO_TOKEN:
            return nobody
        return stage.world.read(lambda tx: read_known(tx, token.hash, Credential.TOKEN)).facts
    if state == "a product":
        asks = route.action.purpose is Purpose.APP and shown_as is Credential.BEARER
        return replace(nobody, app=1) if asks else nobody
    if route.action.purpose is Purpose.APP:
        return nobody  # however much a session has proved, it is no product
    if made_as is not shown_as or (route.kind == "page" and shown_as is Credential.BEARER):
        return nobody
    return stage.world.read(lambda tx: read_known(tx, token.hash, made_as)).facts


def _check(stage: Stage, client: Client, route: Route, facts: Facts, what: str) -> None:
    path, action = _path(route), route.action
    if "{slug}" in route.path:
        member = facts.teammate(stage.acme) is not None
        somebody = facts.account is not None or facts.token is not None
        decision = (
            decide(facts, action.at(stage.acme)) if member or not somebody else Deny(Reason.NOT_A_TEAMMATE)
        )
        if not somebody and action.purpose.value != "open":
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


def _path(route: Route) -> str:
    return (
        route.path.replace("{slug}", "acme")
        .replace("{id}", ID)
        .replace("{secret_id}", ID)
        .replace("{token_id}", ID)
        .replace("{token}", "t" * 43)
    )


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
    for bearer in ("owner", "owner's API token", "a service account"):
        client = Client(app_of(stage.world))
        client.cookies["nightlatch"] = stage.tokens["owner"][Credential.COOKIE].text
        client.bearer = stage.tokens[bearer][Credential.BEARER].text
        for path in ("/api/v1/session", "/api/v1/me"):
            got = client.get(path)
            assert (got.status, got.code) == (400, "malformed"), bearer
    stage.world.close()


READ_BY_TOKEN = {
    "/api/v1/token",
    "/api/v1/me",
    "/api/v1/workspaces/{slug}",
    "/api/v1/workspaces/{slug}/policy",
    "/api/v1/workspaces/{slug}/teammates",
    "/api/v1/workspaces/{slug}/teammates/{id}",
    "/api/v1/workspaces/{slug}/invitations",
    "/api/v1/workspaces/{slug}/audit-events",
    "/api/v1/workspaces/{slug}/evidence",
}
"""All that an API token ever reaches, whatever it holds. Whoever adds a route here says why it is no security route."""


def test_no_token_reaches_a_security_route() -> None:
    """The whole table, by declaration: what has a scope reads, by the API, and is one of the few above."""
    scoped = [route for route in ROUTES if route.action.scope is not None and route.kind != "page"]
    assert {route.path for route in scoped} == READ_BY_TOKEN
    for route in scoped:
        assert (route.method, route.kind) == ("GET", "api"), route.path
        assert route.body is None
        assert route.action.fresh is None
        assert not route.action.weighty


def test_no_token_reaches_a_security_route_by_asking(stage: Stage) -> None:
    """The whole table, by asking with tokens that hold every scope: nothing else answers 2xx, nothing is written."""
    app = app_of(stage.world, NIGHTLATCH_SIGN_UP="open")
    before = stage.world.read(_rows)
    for state in API_TOKENS:
        client = Client(app, bearer=stage.tokens[state][Credential.BEARER].text)
        for route in GUARDED:
            if route.kind != "api" or route.action.purpose in NO_TOKEN or route.path in READ_BY_TOKEN:
                continue
            got = client.ask(route.method, _path(route), headers=_headers(route), raw=b"{}")
            assert got.status in (401, 403, 404), f"{state}: {route.method} {route.path}: {got.status}"
    assert stage.world.read(_rows) == before
    stage.world.close()


def test_a_foreign_origin_is_refused_before_anything_else(stage: Stage) -> None:
    """`null` is foreign too, signed in or not; nothing is written."""
    app = app_of(stage.world)
    assert [each.path for each in ROUTES if each.cross_site] == ["/saml/{id}/acs"]
    for route in (each for each in GUARDED if each.method != "GET" and not each.cross_site):
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
    for state, presented in CASES:
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
    [style] = re.findall(r'href="(/static/nightlatch[^"]+)"', got.text)
    assert client.get(style).status == 200, "the page has its style there, too"
    assert client.get("/static/../sign-in").status in (404, 421)
    stage.world.close()
