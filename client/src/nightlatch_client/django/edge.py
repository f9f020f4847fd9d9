"""A request of Django as the gate sees it, and its answers as Django's."""

import asyncio
from typing import Any
from urllib.parse import quote

from asgiref.sync import async_to_sync, iscoroutinefunction, sync_to_async
from django.http import HttpRequest, HttpResponse
from django.http.request import RawPostDataException, UnreadablePostError

from nightlatch_client.answers import Answer
from nightlatch_client.cookies import read_cookies
from nightlatch_client.django.conf import Configured
from nightlatch_client.forms import BODY_LIMIT, Form, form_of, read_form
from nightlatch_client.gate import Passage
from nightlatch_client.steps import Ask, AskPerson, AskServer
from nightlatch_client.view import View


class Guarded:
    """What is known about a request that the gate let through; `request.nightlatch`."""

    def __init__(self, configured: Configured, view: View, passage: Passage, *, threads: bool) -> None:
        self.configured = configured
        self.view = view
        self.passage = passage
        self.threads = threads
        """Whether it came through WSGI: there a coroutine's event loop lives for one request only."""


class DjangoEdge:
    """Answers what the gate asks about one request, where calls block."""

    def __init__(self, configured: Configured, request: HttpRequest) -> None:
        self._configured = configured
        self._request = request

    def answer(self, ask: Ask) -> Any:
        """The answer."""
        if isinstance(ask, AskServer):
            return self._configured.nl.calls.send(ask.call)
        if isinstance(ask, AskPerson):
            person = self._configured.person
            return (async_to_sync(person) if iscoroutinefunction(person) else person)(self._request)
        return form_in(self._request)


class AsyncDjangoEdge:
    """The same, awaited. With `threads` calls go over the connections that are kept for threads."""

    def __init__(self, configured: Configured, request: HttpRequest, *, threads: bool = False) -> None:
        self._configured = configured
        self._request = request
        self._threads = threads

    async def answer(self, ask: Ask) -> Any:
        """The answer."""
        if isinstance(ask, AskServer):
            calls = self._configured.nl.calls
            return await (asyncio.to_thread(calls.send, ask.call) if self._threads else calls.asend(ask.call))
        if isinstance(ask, AskPerson):
            person = self._configured.person
            if iscoroutinefunction(person):
                return await person(self._request)
            return await sync_to_async(person, thread_sensitive=True)(self._request)
        return form_in(self._request)


def view_of(request: HttpRequest) -> View:
    """The view of a request."""
    below = request.path_info
    root = request.path[: -len(below)] if below and request.path.endswith(below) else ""
    return View(
        "http",
        request.method or "GET",
        below or "/",
        request.get_full_path(),
        quote(root.rstrip("/")),
        {name: str(value) for name, value in request.GET.items()},
        {name.lower(): value for name, value in request.headers.items()},
        read_cookies(request.META.get("HTTP_COOKIE", "")),
    )


def form_in(request: HttpRequest) -> Form | None:
    """The form that a request holds, whether somebody has read it already or not."""
    if hasattr(request, "_post"):
        return _form_read(request)
    try:
        if hasattr(request, "_body"):
            body = request.body
        elif request._read_started:  # type: ignore[attr-defined]
            return None
        else:
            body = request.read(BODY_LIMIT + 1)
    except (RawPostDataException, UnreadablePostError):
        return None
    return read_form(request.headers.get("content-type", ""), body)


def _form_read(request: HttpRequest) -> Form | None:
    pairs = [(name, str(value)) for name, values in request.POST.lists() for value in values]
    if sum(len(name) + len(value) for name, value in pairs) > BODY_LIMIT:
        return None
    return form_of(pairs, tuple(request.FILES), multipart=request.content_type == "multipart/form-data")


def response_of(answer: Answer) -> HttpResponse:
    """An answer as Django sends it."""
    response = HttpResponse(answer.body, status=answer.status)
    for name, value in answer.headers:
        if name != "set-cookie":
            response.headers[name] = value
    set_cookies(response, answer.headers)
    return response


def set_cookies(response: Any, headers: list[tuple[str, str]]) -> None:
    """Add the cookies of these headers to a response."""
    for name, value in headers:
        if name == "set-cookie":
            response.cookies.load(value)
