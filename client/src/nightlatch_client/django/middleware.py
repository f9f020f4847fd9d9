"""The middleware. It comes last, so that PERSON can use `request.user` and the session."""

from collections.abc import Awaitable, Callable
from typing import Any

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from nightlatch_client.answers import Answer
from nightlatch_client.django.conf import configured
from nightlatch_client.django.edge import (
    AsyncDjangoEdge,
    DjangoEdge,
    Guarded,
    response_of,
    set_cookies,
    view_of,
)
from nightlatch_client.gate import Pass
from nightlatch_client.steps import arun, run
from nightlatch_client.view import View


class NightlatchMiddleware:
    """Before each view: the gate. Afterwards `request.proof` is what the browser has proved, or None."""

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Callable[[HttpRequest], Any]) -> None:
        self._get_response = get_response
        self._configured = configured()
        self._is_async = iscoroutinefunction(get_response)
        if self._is_async:
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        """One request."""
        if self._is_async:
            return self._acall(request)
        view = view_of(request)
        outcome = run(self._configured.gate.enter(view), DjangoEdge(self._configured, request))
        if isinstance(outcome, Answer):
            return response_of(outcome)
        self._note(request, view, outcome)
        response: HttpResponseBase = self._get_response(request)
        set_cookies(response, outcome.cookies)
        return response

    async def _acall(self, request: HttpRequest) -> HttpResponseBase:
        view = view_of(request)
        outcome = await arun(self._configured.gate.enter(view), AsyncDjangoEdge(self._configured, request))
        if isinstance(outcome, Answer):
            return response_of(outcome)
        self._note(request, view, outcome)
        response: HttpResponseBase = await self._get_response(request)
        set_cookies(response, outcome.cookies)
        return response

    def _note(self, request: Any, view: View, outcome: Pass) -> None:
        request.nightlatch = Guarded(self._configured, view, outcome.passage, threads=not self._is_async)
        request.proof = outcome.passage.proof
