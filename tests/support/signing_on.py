"""A workspace with a connection to a provider, for tests of what comes of it whatever the protocol."""

import secrets
from dataclasses import dataclass
from typing import Any

from nightlatch.actions import sso, sso_arriving
from nightlatch.actions.by import By
from nightlatch.actions.proving import Proved
from nightlatch.actions.sso_outcomes import Linked, Reported, Turned, Way
from nightlatch.actions.tokens import Token, new_token
from nightlatch.policy import Acceptance, Told
from nightlatch.sso.identity import Identity
from nightlatch.store import connections, domains, identities
from nightlatch.store.engine import Transaction
from nightlatch.store.sso_flows import Flow
from nightlatch.vocabulary import Credential
from tests.support.world import Person, World

VISITOR = By("visitor", None, "", "192.0.2.7", "test", browser=b"b" * 32)
Outcome = Proved | Linked | Reported | Turned


@dataclass(frozen=True)
class Begun:
    """A way that is under way: what the browser carries."""

    connection_id: int
    state: Token
    cookie: Token


def a_connection(world: World, workspace_id: int, *, joins: bool = False, **more: Any) -> int:
    """A connection that is ready, made by nobody."""

    def make(tx: Transaction) -> int:
        return connections.create(
            tx,
            workspace_id=workspace_id,
            kind=more.get("kind", "oidc"),
            name=more.get("name", "Okta"),
            issuer=more.get("issuer", f"https://{secrets.token_hex(4)}.okta.example"),
            client_id="nightlatch",
            settings=more.get("settings", {}),
            joins=joins,
        )

    return world.write(make)


def a_domain(world: World, workspace_id: int, domain: str) -> int:
    """A domain that the workspace has proved."""

    def make(tx: Transaction) -> int:
        id = domains.add(tx, workspace_id=workspace_id, domain=domain, proof="x")
        domains.prove(tx, id)
        return id

    return world.write(make)


def rule(world: World, connection_id: int, acceptance: Acceptance) -> None:
    """Set a rule, asked by nobody."""
    world.write(lambda tx: connections.set_rule(tx, connection_id, acceptance, exempt_by=None))


def connected(world: World, person: Person, connection_id: int, subject: str = "") -> None:
    """The provider knows this person."""
    world.write(lambda tx: identities.connect(tx, connection_id, subject or person.name, person.id))


def who(subject: str, *, told: Told | None = None, **more: Any) -> Identity:
    """Somebody whom a provider vouches for."""
    return Identity(subject, told=told or Told(), **more)


def begin(
    world: World, connection_id: int, way: Way = Way.SIGN_IN, by: By = VISITOR, *, fresh: bool = False
) -> Begun:
    """Off to the provider."""
    begun = Begun(connection_id, new_token(), new_token())
    world.write(
        lambda tx: sso.begin(
            tx,
            by=by,
            connection_id=connection_id,
            way=way,
            state_hash=begun.state.hash,
            cookie_hash=begun.cookie.hash,
            said={"nonce": "n"},
            fresh=fresh,
        )
    )
    return begun


def spend(world: World, begun: Begun, by: By = VISITOR, *, cookie: bytes | None = None) -> Flow | Turned:
    """Back from the provider."""
    return world.write(
        lambda tx: sso.spend(
            tx,
            by=by,
            connection_id=begun.connection_id,
            state_hash=begun.state.hash,
            cookie_hash=cookie or begun.cookie.hash,
        )
    )


def come(
    world: World,
    connection_id: int,
    identity: Identity,
    way: Way = Way.SIGN_IN,
    by: By = VISITOR,
    *,
    fresh: bool = False,
) -> Outcome:
    """There and back, and what comes of it."""
    flow = spend(world, begin(world, connection_id, way, by, fresh=fresh), by)
    assert isinstance(flow, Flow)
    token = new_token()
    return world.write(lambda tx: sso_arriving.finish(tx, by=by, flow=flow, identity=identity, token=token))


def by_of(outcome: Outcome) -> By:
    """Who acts in the session that came of it."""
    assert isinstance(outcome, Proved)
    person = outcome.known.person
    assert person is not None
    return By(
        "account",
        person.id,
        person.name,
        VISITOR.ip,
        VISITOR.user_agent,
        outcome.token.hash,
        Credential.COOKIE,
        VISITOR.browser,
    )
