"""What only an app on Starlette needs. Imported where Starlette is already there."""

from collections.abc import MutableMapping
from typing import Any

from starlette.requests import HTTPConnection, Request
from starlette.responses import Response

from nightlatch_client.answers import Answer


def connection(scope: MutableMapping[str, Any]) -> HTTPConnection:
    """What `person` is given: a request (without its body), or the connection of a WebSocket."""
    return Request(scope) if scope["type"] == "http" else HTTPConnection(scope)


def response(answer: Answer) -> Response:
    """An answer as a view returns it."""
    made = Response(answer.body, answer.status)
    for name, value in answer.headers:
        made.headers.append(name, value)
    return made
