"""Law 1 for what proxies ask: every check, with the host's cookie of a session in every state, says what `decide` says.

The other credentials (the session's own cookie and bearer token, a product's secret, a grant for a product's server)
open nothing here; an address that the operator did not name gets nothing at all.
"""

from dataclasses import dataclass
from pathlib import Path

import pytest

from nightlatch.access import decide
from nightlatch.actions import kinds
from nightlatch.actions.tokens import Token, new_token
from nightlatch.decision import Allow, Deny
from nightlatch.facts import AppId
from nightlatch.ids import new_id
from nightlatch.instants import HOUR
from nightlatch.store import grants, sessions
from nightlatch.store.engine import Transaction
from nightlatch.store.session_facts import read_known
from nightlatch.vocabulary import Credential, Method
from nightlatch.web.routes import Route
from nightlatch.web.table import ROUTES
from tests.support.asgi import Client, app_of
from tests.support.world import Person, World, session_token
from tests.web.hosts import PAGE, SCRIPT, WIKI, forwarded, original, register, trusting

CHECKS = [route for route in ROUTES if route.kind == "check"]
PAGES = [route for route in ROUTES if route.kind == "host"]
STATES = ["nobody", "forged", "ended", "idle", "half", "must enrol", "member", "owner", "outsider"]


@dataclass
class Stage:
    """Acme requires 2FA and has a wiki; sessions in every state, each with a cookie at the wiki's host."""

    world: World
    acme: int
    sessions: dict[str, Token]
    hosts: dict[str, Token]


@pytest.fixture
def stage(sqlite_url: str, tmp_path: Path) -> Stage:
    world = World(sqlite_url, tmp_path)
    owner, member, newcomer, outsider = (world.person(name) for name in ("Olga", "Mia", "Nils", "Otto"))
    acme = world.workspace("acme", owner=owner, member=[member, newcomer])
    world.workspace("beta", owner=outsider)
    world.require(acme)
    app = register(world, acme, WIKI)
    bound = {each.name: world.bind_totp(each)[0] for each in (owner, member, outsider)}
    made = Stage(world, acme, {}, {})

    def add(state: str, person: Person, *methods: Method) -> None:
        token = session_token()
        world.session(person, *methods, authenticator=bound.get(person.name), token=token)
        made.sessions[state] = token
        made.hosts[state] = grant(world, app, acme, person, token)

    both = (Method.PASSWORD, Method.TOTP)
    add("idle", owner, *both)
    world.wait(12 * HOUR)
    add("half", member, Method.PASSWORD)
    add("must enrol", newcomer, Method.PASSWORD)
    add("member", member, *both)
    add("owner", owner, *both)
    add("outsider", outsider, *both)
    add("ended", owner, *both)
    known = world.read(lambda tx: read_known(tx, made.sessions["ended"].hash, Credential.COOKIE))
    assert known.session is not None
    id = known.session.id
    world.write(lambda tx: sessions.end(tx, id, owner.id))
    made.sessions["forged"] = made.hosts["forged"] = session_token()
    return made


def grant(
    world: World,
    app_id: AppId,
    workspace_id: int,
    person: Person,
    session: Token,
    *,
    kind: str = grants.HOST,
    host: str | None = WIKI,
) -> Token:
    """A grant straight in the database."""
    token = new_token()

    def body(tx: Transaction) -> None:
        known = read_known(tx, session.hash, Credential.COOKIE)
        assert known.session is not None
        grants.create(
            tx,
            id=new_id(),
            token_hash=token.hash,
            kind=kind,
            app_id=app_id,
            session_id=known.session.id,
            account_id=person.id,
            workspace_id=workspace_id,
            expires_at=known.session.expires_at,
            host=host,
        )

    world.write(body)
    return token


def headers_of(route: Route) -> dict[str, str]:
    return forwarded(f"{WIKI}/x") if route.path == "/authz/forward" else original(f"{WIKI}/x")


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("state", STATES)
def test_every_check_answers_as_the_decision_says(stage: Stage, state: str, method: str) -> None:
    app = trusting(stage.world)
    token = stage.sessions.get(state)
    facts = stage.world.read(
        lambda tx: read_known(tx, token.hash if token is not None else None, Credential.COOKIE)
    ).facts
    decision = decide(facts, kinds.PASS_PROXY.at(stage.acme))
    for route in CHECKS:
        for page in (PAGE, SCRIPT):
            client = Client(app, host="anything.internal")
            if state in stage.hosts:
                client.cookies["__Host-nightlatch-app"] = stage.hosts[state].text
            got = client.ask(method, route.path, headers={**headers_of(route), **page})
            what = f"{state} {route.path} {page}"
            assert not got.all("set-cookie"), what
            assert got.header("cache-control") == "no-store", what
            identity = [name for name, _ in got.headers if name.startswith("remote-")]
            if isinstance(decision, Allow):
                assert (got.status, len(identity)) == (200, 9), what
                continue
            assert not identity, what
            assert not got.header("nightlatch-assertion"), what
            if isinstance(decision, Deny):
                assert got.status == 403, what
            elif page is PAGE:
                assert got.status == (302 if route.path == "/authz/forward" else 401), what
                assert got.header("location").startswith(f"{WIKI}/.nightlatch/start?rd=%2Fx"), what
            else:
                assert (got.status, got.header("location")) == (401, ""), what
                assert got.header("www-authenticate").startswith("Bearer "), what
    stage.world.close()


@pytest.mark.parametrize("route", CHECKS, ids=lambda route: route.path)
def test_no_other_credential_opens_a_host(stage: Stage, route: Route) -> None:
    world, owner = stage.world, stage.sessions["owner"]
    app = trusting(world)
    beta = register(world, stage.acme, "https://other.acme.example", handle="other")
    wiki = world.read(lambda tx: grants.by_token(tx, stage.hosts["owner"].hash, grants.HOST))
    assert wiki is not None
    known = world.read(lambda tx: read_known(tx, owner.hash, Credential.COOKIE))
    assert known.person is not None
    person = Person(known.person.id, known.person.email, known.person.name)
    wrong = {
        "the session's own": owner.text,
        "for a product's server": grant(
            world, wiki.app_id, stage.acme, person, owner, kind=grants.APP, host=None
        ).text,
        "another product's": grant(world, beta, stage.acme, person, owner).text,
        "another host's": grant(
            world, wiki.app_id, stage.acme, person, owner, host="https://wiki2.acme.example"
        ).text,
        "another workspace's": grant(world, wiki.app_id, stage.acme + 1, person, owner).text,
    }
    for what, text in wrong.items():
        client = Client(app)
        client.cookies["__Host-nightlatch-app"] = text
        assert client.get(route.path, headers={**headers_of(route), **SCRIPT}).status == 401, what
    for cookie in ("nightlatch", "__Host-nightlatch", "nightlatch-app", "__host-nightlatch-app"):
        client = Client(app)
        client.cookies[cookie] = stage.hosts["owner"].text
        assert client.get(route.path, headers={**headers_of(route), **SCRIPT}).status == 401, cookie
    client = Client(app, bearer=stage.hosts["owner"].text)
    assert client.get(route.path, headers={**headers_of(route), **SCRIPT}).status == 401
    client = Client(app)
    client.cookies["__Host-nightlatch-app"] = stage.hosts["owner"].text
    assert client.get(route.path, headers={**headers_of(route), **SCRIPT}).status == 200
    client.cookies["__Host-nightlatch-app"] = f"{stage.hosts['owner'].text}; __Host-nightlatch-app=x"
    assert client.get(route.path, headers={**headers_of(route), **SCRIPT}).status == 401
    stage.world.close()


def test_an_address_that_was_not_named_gets_nothing(stage: Stage) -> None:
    """No page, no way on, no word about anybody: for checks and for the pages at a host."""
    for app in (
        app_of(stage.world),
        app_of(stage.world, NIGHTLATCH_TRUSTED_PROXIES="192.0.2.0/24"),
    ):
        for route in (*CHECKS, *PAGES):
            client = Client(app)
            client.cookies["__Host-nightlatch-app"] = stage.hosts["owner"].text
            said = headers_of(route) if route.kind == "check" else forwarded(f"{WIKI}{route.path}")
            got = client.ask(
                route.method,
                route.path.replace("{name}", "nightlatch.css"),
                headers={**said, **PAGE, "x-forwarded-for": "192.0.2.9"},
                raw=b"",
            )
            assert (got.status, got.code) == (403, "not_permitted"), route.path
            assert not got.header("location")
            assert not got.all("set-cookie")
            assert not got.header("remote-user")
    stage.world.close()


def test_no_host_that_is_not_registered_is_answered(stage: Stage) -> None:
    app = trusting(stage.world)
    other = "https://other.acme.example"
    for path, headers in (
        ("/authz/forward", forwarded(f"{other}/x")),
        ("/authz/nginx", original(f"{other}/x")),
        *((route.path, forwarded(f"{other}{route.path}")) for route in PAGES if route.method == "GET"),
    ):
        client = Client(app)
        client.cookies["__Host-nightlatch-app"] = stage.hosts["owner"].text
        got = client.get(path, headers={**headers, **PAGE})
        assert got.status in (400, 403), path
        assert got.header("nightlatch-error") == "unknown_host", path
        assert not got.header("location"), path
        assert not got.all("set-cookie"), path
    stage.world.close()


def test_a_product_with_users_of_its_own_is_no_protected_host(stage: Stage) -> None:
    from tests.support.product import ORIGIN as PRODUCT
    from tests.support.product import register as register_product

    register_product(stage.world)
    client = Client(trusting(stage.world))
    got = client.get("/authz/forward", headers={**forwarded(f"{PRODUCT}/x"), **PAGE})
    assert (got.status, got.header("nightlatch-error")) == (400, "unknown_host")
    stage.world.close()


def test_checks_are_only_asked_with_get(stage: Stage) -> None:
    client = Client(trusting(stage.world))
    for route in CHECKS:
        for method in ("POST", "PUT", "DELETE", "PATCH", "OPTIONS"):
            got = client.ask(method, route.path, headers=headers_of(route), raw=b"")
            assert got.status == 405
    stage.world.close()
