"""The API against its own description: whatever is sent, the answer is one that the description tells of.

Bodies and queries are made from the OpenAPI document, some as it says and some against it; half of the paths lead to
what is really there. No answer is a 5xx; status, content type and body are as described, errors included.
"""

from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.schemas import BaseSchema
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from nightlatch.actions import invitations
from nightlatch.actions.by import operator
from nightlatch.addresses import parse
from nightlatch.ids import to_text
from nightlatch.vocabulary import Credential, Method, Role
from nightlatch.web.table import ROUTES
from tests.support import databases
from tests.support.world import Person, World, session_token
from tests.web.team import Team

Scope = MutableMapping[str, Any]
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
OPERATIONS = [(route.method, route.path) for route in ROUTES if route.kind == "api"]
HOST = b"localhost:8000"
CREDENTIALS = (b"authorization", b"cookie")


@dataclass
class Door:
    """The application as a client at our origin reaches it; the owner with a fresh session for every request."""

    app: Callable[..., Awaitable[None]]
    token: Callable[[], str] | None = None

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":  # no mail is sent here
            for word in ("startup", "shutdown"):
                await receive()
                await send({"type": f"lifespan.{word}.complete"})
            return
        dropped = (b"host", *CREDENTIALS) if self.token is not None else (b"host",)
        headers = [(name, value) for name, value in scope["headers"] if name.lower() not in dropped]
        headers.append((b"host", HOST))
        if self.token is not None:
            headers.append((b"authorization", f"Bearer {self.token()}".encode()))
        await self.app({**scope, "headers": headers, "client": ("127.0.0.1", 50000)}, receive, send)


@dataclass
class Ground:
    """A workspace with something in it, and the description of its API at two doors."""

    world: World
    owner: BaseSchema
    nobody: BaseSchema
    ids: list[str]


@pytest.fixture(scope="module")
def ground(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    folder = tmp_path_factory.mktemp("schemathesis")
    world = World(databases.sqlite_copy(sqlite_template, folder), folder)
    team = Team.of(world)
    dana, ada, ben = team.person("Dana"), team.person("Ada"), team.person("Ben")
    app, _ = world.bind_totp(dana)
    world.bind_totp(ben)
    acme = world.workspace("acme", owner=dana, admin=ada, member=ben)
    owner = Door(team.app, lambda: _session(world, dana, app))
    yield Ground(
        world,
        schemathesis.openapi.from_asgi("/api/v1/openapi.json", owner),
        schemathesis.openapi.from_asgi("/api/v1/openapi.json", Door(team.app)),
        [*(team.id_of(each, acme) for each in (dana, ada, ben)), _invitation(world, acme)],
    )
    world.close()


def _invitation(world: World, workspace_id: int) -> str:
    invited = world.write(
        lambda tx: invitations.invite(
            tx,
            by=operator("Kim"),
            workspace_id=workspace_id,
            pasted=[parse("new@example.com")],
            role=Role.MEMBER,
        )
    )
    return to_text(invited.results[0].invitation_id or 0)


def _session(world: World, person: Person, app: int) -> str:
    token = session_token()
    world.session(
        person, Method.PASSWORD, Method.TOTP, authenticator=app, kind=Credential.BEARER, token=token
    )
    return token.text


def check(ground: Ground, schema: BaseSchema, method: str, path: str, *, examples: int) -> None:
    """Send what the description allows and what it does not."""
    operation = schema[path][method]
    cases = st.one_of(
        operation.as_strategy(generation_mode=GenerationMode.POSITIVE),
        operation.as_strategy(generation_mode=GenerationMode.NEGATIVE),
    )

    @given(
        cases,
        st.sampled_from(["acme", "acme", "acme", None]),
        st.sampled_from([*ground.ids, None]),
        st.booleans(),
    )
    @settings(max_examples=examples, suppress_health_check=list(HealthCheck))
    def run(case: Any, slug: str | None, id: str | None, matched: bool) -> None:
        for name, value in (("slug", slug), ("id", id)):
            if value is not None and name in (case.path_parameters or {}):
                case.path_parameters[name] = value
        if matched and method == "PUT":
            case.headers = {**(case.headers or {}), "If-Match": "*"}
        case.validate_response(case.call(), checks=CHECKS)

    run()


@pytest.mark.parametrize("method,path", OPERATIONS)
def test_the_owner_gets_what_is_described(ground: Ground, method: str, path: str) -> None:
    check(ground, ground.owner, method, path, examples=20)


@pytest.mark.parametrize("method,path", OPERATIONS)
def test_nobody_gets_what_is_described(ground: Ground, method: str, path: str) -> None:
    check(ground, ground.nobody, method, path, examples=5)
