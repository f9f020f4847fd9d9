"""Reading JSON bodies and calling API handlers."""

import json
from typing import Any

from pydantic import BaseModel, ValidationError
from starlette.requests import Request
from starlette.responses import Response

from nightlatch.refusals import Code, FieldError, Refused
from nightlatch.web import origin
from nightlatch.web.answers import Answer, encode
from nightlatch.web.context import Context

LONG_BODY = 256 * 1024
"""From so many bytes on a body is read off the event loop."""


async def read_body(request: Request, limit: int) -> bytes:
    """The body, at most `limit` bytes. Raises Refused.

    Where its length was declared, as nearly always, its end is not asked for once it is all there: the server sees to
    it that no body is longer than that, and would answer from another thread.
    """
    declared = _declared(request)
    if declared is not None and declared > limit:
        raise _too_large(limit)
    chunks, size, more = [], 0, declared != 0
    while more:
        message = await request.receive()
        if message["type"] == "http.disconnect":
            raise Refused(Code.MALFORMED, "The request ended before its body did.")
        chunk = message.get("body", b"")
        size += len(chunk)
        if size > limit:
            raise _too_large(limit)
        chunks.append(chunk)
        more = message.get("more_body", False) and size != declared
    return b"".join(chunks)


def _declared(request: Request) -> int | None:
    """The length that the request says its body has."""
    length = origin.header(request.scope["headers"], b"content-length")
    return int(length) if length.isascii() and length.isdigit() else None


def _too_large(limit: int) -> Refused:
    return Refused(Code.TOO_LARGE, f"A body may have {limit // 1024} KiB here.")


async def call_api(context: Context) -> Response:
    """Read the body by its model, call the handler, and write its answer."""
    route = context.route
    if route.body is not None:
        answer: Answer = await route.handler(context, await _model(context, route.body))
    else:
        answer = await route.handler(context)
    context.ends_session = context.ends_session or answer.ends_session
    return _written(answer)


async def _model(context: Context, model: type[BaseModel]) -> BaseModel:
    request = context.request
    if context.route.body_optional and _bodiless(request):
        return _parsed(b"{}", model)
    kind = origin.header(context.request.scope["headers"], b"content-type")
    if kind.split(";")[0].strip().lower() != "application/json":
        raise Refused(Code.UNSUPPORTED_MEDIA_TYPE, "Send application/json.")
    body = await read_body(request, context.route.body_limit)
    if len(body) > LONG_BODY:
        return await context.pool(lambda: _parsed(body, model))
    return _parsed(body, model)


def _bodiless(request: Request) -> bool:
    headers = request.headers
    return (
        headers.get("content-length", "0") == "0"
        and "transfer-encoding" not in headers
        and "content-type" not in headers
    )


def _parsed(body: bytes, model: type[BaseModel]) -> BaseModel:
    """The body by its model. Raises Refused."""
    try:
        value = _decode(body.decode("utf-8"))
    except (ValueError, RecursionError):
        raise Refused(Code.MALFORMED, "The body is no JSON.") from None
    if b"\\u" in body:  # UTF-8 holds neither of them otherwise, and JSON no plain NUL
        _check_text(value)
    try:
        return model.model_validate(value, strict=True)
    except ValidationError as error:
        raise _invalid(error) from None


def _no_constant(name: str) -> Any:
    raise ValueError(name)


_decode = json.JSONDecoder(parse_constant=_no_constant).decode


def _check_text(value: Any) -> None:
    """NUL and lone surrogates are refused at the edge: no database of ours keeps them alike."""
    if isinstance(value, str):
        if "\0" in value or any("\ud800" <= letter <= "\udfff" for letter in value):
            raise Refused(Code.MALFORMED, "The body has characters that cannot be kept.")
    elif isinstance(value, dict):
        for name, item in value.items():
            _check_text(name)
            _check_text(item)
    elif isinstance(value, list):
        for item in value:
            _check_text(item)


def _invalid(error: ValidationError) -> Refused:
    errors = tuple(
        FieldError(".".join(str(part) for part in each["loc"]) or "body", each["msg"])
        for each in error.errors(include_url=False, include_context=False, include_input=False)
    )
    return Refused(Code.INVALID, "Some fields cannot be accepted.", errors=errors[:20])


def _written(answer: Answer) -> Response:
    if answer.body is None:
        return Response(None, answer.status, answer.headers)
    text: str | bytes
    if isinstance(answer.body, bytes):
        text = answer.body
    else:
        text = answer.body.model_dump_json() if isinstance(answer.body, BaseModel) else encode(answer.body)
    return Response(text, answer.status, answer.headers, media_type="application/json")
