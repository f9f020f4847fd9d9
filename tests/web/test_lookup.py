"""The route of a path: plain segments before parameters, as far as they take the method."""

import pytest

from nightlatch.actions import kinds
from nightlatch.web.lookup import Lookup
from nightlatch.web.routes import Route, api
from tests.support.asgi import Client
from tests.support.world import Person
from tests.web.team import Team


def _route(method: str, path: str) -> Route:
    async def nothing(context):
        raise AssertionError

    return api(method, path, kinds.SEE_SESSION, nothing, status=204, summary="")


TABLE = Lookup(
    [_route("POST", "/things/new"), _route("DELETE", "/things/{id}"), _route("GET", "/things/{id}/parts")]
)


@pytest.mark.parametrize(
    "method,path,found,params,known",
    [
        ("POST", "/things/new", "/things/new", {}, True),
        ("DELETE", "/things/new", "/things/{id}", {"id": "new"}, True),
        ("DELETE", "/things/7", "/things/{id}", {"id": "7"}, True),
        ("PATCH", "/things/new", None, {}, True),
        ("POST", "/things/7", None, {}, True),
        ("GET", "/things/7/parts", "/things/{id}/parts", {"id": "7"}, True),
        ("GET", "/things", None, {}, False),
        ("GET", "/things/7/8/9", None, {}, False),
    ],
)
def test_what_is_found(
    method: str, path: str, found: str | None, params: dict[str, str], known: bool
) -> None:
    route, given, is_known = TABLE.find(method, f"/api/v1{path}")
    assert (route.path if route is not None else None) == (f"/api/v1{found}" if found is not None else None)
    assert (given, is_known) == (params, known)


def test_an_id_that_is_a_word_of_another_route_is_not_found_like_any_other(team: Team) -> None:
    dana: Person = team.person("Dana", two_factor=True)
    client: Client = team.client(dana)
    for id in ("totp", "passkeys", "0123456789abc"):
        got = client.ask("DELETE", f"/api/v1/me/authenticators/{id}")
        assert (got.status, got.json["code"]) == (404, "not_found"), id
    got = client.ask("PUT", "/api/v1/me/authenticators/totp")
    assert (got.status, got.json["code"]) == (405, "method_not_allowed")
