"""docs/api.md and docs/pages.md against the one table of routes and the OpenAPI document made from it."""

import re
from functools import cache
from typing import Any

import pytest

from nightlatch.refusals import STATUS, Code
from nightlatch.vocabulary import Reason
from nightlatch.web import table
from nightlatch.web.api import openapi
from nightlatch.web.routes import API, Route
from tests.docs import reading

EVERY = table.all_routes(demo=True)
APIS = {f"{each.method} {each.path.removeprefix(API)}": each for each in EVERY if each.kind == "api"}
every_api = pytest.mark.parametrize("name", sorted(APIS))


@cache
def documented() -> dict[str, list[str]]:
    """The rows of docs/api.md that are about a route, by method and path."""
    found: dict[str, list[str]] = {}
    for cells in reading.rows(reading.text_of("api.md")):
        names = reading.code(cells[0])
        if names and re.match(r"(GET|POST|PUT|PATCH|DELETE) /", names[0]):
            assert names[0] not in found, f"{names[0]} is there twice"
            found[names[0]] = cells
    return found


@cache
def document() -> dict[str, Any]:
    return openapi.document(tuple(table.ROUTES))


def _name(route: Route) -> str:
    return f"{route.method} {route.path}"


def test_every_route_of_the_api_is_told_and_no_other():
    plain = {_name(each) for each in EVERY if each.kind in ("plain", "check")}
    assert documented().keys() == APIS.keys() | plain


def test_the_openapi_document_has_the_same_routes():
    paths: dict[str, dict[str, Any]] = document()["paths"]
    shown = {f"{method.upper()} {path}" for path, methods in paths.items() for method in methods}
    asked = {_name(each) for each in EVERY if each.kind in ("api", "check")} | {
        "GET /healthz",
        "GET /readyz",
        "GET /.well-known/jwks.json",
    }
    assert shown - {f"GET {API}/openapi.json"} == asked


@every_api
def test_a_row_says_what_to_send(name):
    route, send = APIS[name], documented()[name][1]
    body = re.search(r"\{([^}]*)\}", send)
    told = {each.strip() for each in body[1].split(",")} if body is not None else set()
    fields = route.body.model_fields if route.body is not None else {}
    assert told == {each if field.is_required() else f"{each}?" for each, field in fields.items()}
    assert set(re.findall(r"(\w+)=", send)) == set(route.query)
    assert set(reading.code(send)) >= set(route.headers)


@every_api
def test_a_row_says_what_comes_back(name):
    route, (_, _, get, codes, what) = APIS[name], documented()[name]
    assert get.split()[0] == str(route.status)
    assert reading.code(get) == ([route.answer.__name__] if route.answer is not None else [])
    assert set(reading.code(codes)) == set(route.codes)
    assert what.endswith("."), "a whole sentence"


@every_api
def test_the_document_says_the_same(name):
    route = APIS[name]
    operation = document()["paths"][route.path][route.method.lower()]
    assert operation["summary"]
    assert str(route.status) in operation["responses"]
    for each in openapi.codes_of(route):
        assert each in operation["responses"][str(STATUS[each])]["description"]


def test_every_shape_is_told_with_its_fields():
    bodies = {each.body.__name__ for each in APIS.values() if each.body is not None}
    schemas: dict[str, Any] = document()["components"]["schemas"]
    told = {
        reading.code(cells[0])[0]: reading.code(cells[1])
        for cells in reading.rows(reading.section(reading.text_of("api.md"), "Shapes"))
    }
    assert told == {
        name: list(schema["properties"])
        for name, schema in schemas.items()
        if name not in bodies and name != "Problem"
    }


def test_every_code_is_told_with_its_status():
    told = {
        reading.code(cells[1])[0]: int(cells[0])
        for cells in reading.rows(reading.section(reading.text_of("api.md"), "Refusals"))
        if cells[0].isdigit()
    }
    assert told == {each.value: STATUS[each] for each in Code}


def test_every_reason_is_told():
    told = reading.first_codes(reading.section(reading.text_of("api.md"), "Reasons"))
    assert sorted(told) == sorted(each.value for each in Reason)


def test_every_page_is_told_and_no_other():
    told = reading.first_codes(reading.text_of("pages.md"))
    assert sorted(told) == sorted(_name(each) for each in EVERY if each.kind in ("page", "host"))


def test_every_path_with_a_token_is_named_where_a_proxys_log_is_told_of():
    told = reading.section(reading.text_of("getting-started.md"), "TLS, behind nginx or Caddy")
    with_tokens = {each.path_in_log.removesuffix("-") for each in EVERY if each.path_in_log is not None}
    assert with_tokens
    for path in with_tokens:
        assert f"`{path}`" in told, path
