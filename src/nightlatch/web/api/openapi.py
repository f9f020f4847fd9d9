"""The OpenAPI 3.1 document, made from the table of routes, so that it cannot tell anything else."""

import json
from functools import cache
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema
from starlette.responses import Response

from nightlatch import __version__
from nightlatch.actions import kinds
from nightlatch.decision import Purpose
from nightlatch.refusals import STATUS, Code
from nightlatch.web.context import Context
from nightlatch.web.routes import Route

_DIALECT = "#/components/schemas/{model}"
_PLAIN = ("/healthz", "/readyz", "/.well-known/jwks.json")
_CHECKS = {
    200: "It may pass: who asks is in the headers Remote-* and Nightlatch-Assertion, each of them always there.",
    302: "A browser must go to `Location` first (never from /authz/nginx).",
    303: "The same for a request that writes.",
    400: "The proxy did not say what is asked for (403 from /authz/nginx).",
    401: "Something is missing first; from /authz/nginx with `Location`, where a browser has to go.",
    403: "It may not pass, or the caller is no trusted proxy.",
    503: "Nobody may pass at this moment.",
}
_UNSAFE = (Code.FOREIGN_ORIGIN,)
_WITH_BODY = (Code.MALFORMED, Code.TOO_LARGE, Code.UNSUPPORTED_MEDIA_TYPE, Code.INVALID)
_PROBLEM = {
    "type": "object",
    "required": ["type", "title", "status", "code", "detail"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "code": {"enum": sorted(Code)},
        "detail": {"type": "string"},
        "way_out": {
            "type": "object",
            "required": ["text", "path"],
            "properties": {"text": {"type": "string"}, "path": {"type": "string"}},
        },
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["field", "message"],
                "properties": {"field": {"type": "string"}, "message": {"type": "string"}},
            },
        },
        "needs": {"type": ["string", "null"]},
        "methods": {"type": "array", "items": {"type": "string"}},
    },
}


def codes_of(route: Route) -> list[Code]:
    """Every code that a route may answer with: by its action, its method, its body, its path, and its own."""
    codes = [Code.MISDIRECTED, Code.MALFORMED, Code.UNAVAILABLE, *route.codes]
    purpose = route.action.purpose
    if purpose is not Purpose.OPEN:
        codes.append(Code.SIGN_IN_REQUIRED)
    if purpose not in (Purpose.OPEN, Purpose.SESSION, Purpose.PRESENT_FIRST, Purpose.APP):
        codes += [Code.STEP_UP_REQUIRED, Code.SECOND_FACTOR_REQUIRED]
    if purpose in (Purpose.WORK, Purpose.CHANGE, Purpose.READ, Purpose.JOIN):
        codes.append(Code.ENROLMENT_REQUIRED)
    if purpose is Purpose.ENROL:
        codes.append(Code.MAIL_PROOF_REQUIRED)
    if purpose not in (Purpose.OPEN, Purpose.APP):
        codes.append(Code.NOT_PERMITTED)  # by role, or because an API token asks
    if "{" in route.path:
        codes.append(Code.NOT_FOUND)
    if not route.safe or purpose is Purpose.APP:
        codes += _UNSAFE
    if route.body is not None:
        codes += _WITH_BODY
    if route.query:
        codes.append(Code.INVALID)
    return sorted(set(codes))


@cache
def document(routes: tuple[Route, ...]) -> dict[str, Any]:
    """The document of these routes."""
    routes = tuple(each for each in routes if each.kind in ("api", "check") or each.path in _PLAIN)
    models: list[type[BaseModel]] = []
    for route in routes:
        models += [model for model in (route.body, route.answer) if model is not None and model not in models]
    _, schemas = models_json_schema([(model, "validation") for model in models], ref_template=_DIALECT)
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Nightlatch",
            "version": __version__,
            "description": "Mandatory two-factor authentication for every workspace. docs/api.md tells the story.",
        },
        "paths": paths,
        "components": {
            "schemas": {**schemas.get("$defs", {}), "Problem": _PROBLEM},
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer"},
                "cookie": {"type": "apiKey", "in": "cookie", "name": "nightlatch"},
                "app": {"type": "http", "scheme": "bearer", "description": "an app's secret"},
                "host": {"type": "apiKey", "in": "cookie", "name": "__Host-nightlatch-app"},
            },
        },
    }


def _operation(route: Route) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": f"{route.method.lower()} {route.path}".replace("/api/v1", "")
        .replace(" /", "-")
        .replace("/", "-"),
        "summary": route.summary,
        "parameters": _parameters(route),
        "responses": _responses(route),
    }
    if route.action.purpose is Purpose.APP:
        operation["security"] = [{"app": []}]
    elif route.kind == "check":
        operation["security"] = [{"host": []}]
    elif route.action.purpose is not Purpose.OPEN:
        operation["security"] = [{"bearer": []}, {"cookie": []}]
    if route.body is not None:
        schema = {"$ref": _DIALECT.format(model=route.body.__name__)}
        operation["requestBody"] = {
            "required": not route.body_optional,
            "content": {"application/json": {"schema": schema}},
        }
    return operation


def _parameters(route: Route) -> list[dict[str, Any]]:
    named = [part[1:-1] for part in route.path.split("/") if part.startswith("{")]
    in_path = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}
        for name in named
    ]
    in_query = [
        {"name": name, "in": "query", "required": False, "schema": schema}
        for name, schema in route.query.items()
    ]
    in_header = [
        {"name": name, "in": "header", "required": False, "schema": schema}
        for name, schema in route.headers.items()
    ]
    return in_path + in_query + in_header


def _responses(route: Route) -> dict[str, Any]:
    if route.kind == "check":
        return {str(status): {"description": text} for status, text in _CHECKS.items()}
    good: dict[str, Any] = {"description": "Done."}
    if route.answer is not None:
        schema = {"$ref": _DIALECT.format(model=route.answer.__name__)}
        good["content"] = {"application/json": {"schema": schema}}
    responses: dict[str, Any] = {str(route.status): good}
    if route.later:
        responses["202"] = {**good, "description": "It waits."}
    by_status: dict[int, list[Code]] = {}
    for code in codes_of(route):
        by_status.setdefault(STATUS[code], []).append(code)
    for status, codes in sorted(by_status.items()):
        responses[str(status)] = {
            "description": ", ".join(codes),
            "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
    return responses


async def openapi(context: Context) -> Response:
    from nightlatch.web import table

    return Response(json.dumps(document(tuple(table.ROUTES))), media_type="application/json")


ROUTES: list[Route] = [
    Route("GET", "/api/v1/openapi.json", kinds.OPEN, openapi, kind="plain", summary="This document")
]
