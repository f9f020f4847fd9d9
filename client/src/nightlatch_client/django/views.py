"""What a project's views ask for."""

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

from asgiref.sync import iscoroutinefunction
from django.http import HttpRequest, HttpResponse

from nightlatch_client.answers import Answer
from nightlatch_client.django.edge import AsyncDjangoEdge, DjangoEdge, Guarded, response_of
from nightlatch_client.steps import Steps, arun, run

V = TypeVar("V", bound=Callable[..., Any])


def fresh(*, minutes: int = 10) -> Callable[[V], V]:
    """The view runs only with proof not older than that (`request.proof`); else the browser is led there and back.

    For functions and coroutines; of a class: `@method_decorator(fresh(minutes=10), name="dispatch")`.
    """
    if not 1 <= minutes <= 1440:
        raise ValueError("minutes is between 1 and 1440")

    def decorate(view: V) -> V:
        if iscoroutinefunction(view):

            @wraps(view)
            async def waiting(request: Any, *args: Any, **kwargs: Any) -> Any:
                guarded = _guarded(request)
                edge = AsyncDjangoEdge(guarded.configured, request, threads=guarded.threads)
                answer = await arun(_prove(request, guarded, minutes * 60), edge)
                return response_of(answer) if answer is not None else await view(request, *args, **kwargs)

            return waiting  # type: ignore[return-value]

        @wraps(view)
        def plain(request: Any, *args: Any, **kwargs: Any) -> Any:
            guarded = _guarded(request)
            answer = run(_prove(request, guarded, minutes * 60), DjangoEdge(guarded.configured, request))
            return response_of(answer) if answer is not None else view(request, *args, **kwargs)

        return plain  # type: ignore[return-value]

    return decorate


def open_page(request: HttpRequest, name: str) -> HttpResponse:
    """A response that leads to a page of Nightlatch: "team", "team/authentication", "team/audit", "user"."""
    guarded = _guarded(request)
    steps = guarded.configured.gate.open_page(guarded.view, guarded.passage, name)
    return response_of(run(steps, DjangoEdge(guarded.configured, request)))


async def aopen_page(request: HttpRequest, name: str) -> HttpResponse:
    """`open_page`, awaited."""
    guarded = _guarded(request)
    steps = guarded.configured.gate.open_page(guarded.view, guarded.passage, name)
    return response_of(
        await arun(steps, AsyncDjangoEdge(guarded.configured, request, threads=guarded.threads))
    )


def _guarded(request: Any) -> Guarded:
    found = getattr(request, "nightlatch", None)
    if not isinstance(found, Guarded):
        raise RuntimeError("this request did not come through NightlatchMiddleware")
    return found


def _prove(request: Any, guarded: Guarded, max_age: int) -> Steps[Answer | None]:
    """None where the proof is fresh, else the answer instead of the view's."""
    gate, view, passage = guarded.configured.gate, guarded.view, guarded.passage
    proof = yield from gate.fresh(view, passage, max_age)
    if proof is None:
        return (yield from gate.demanded(view, passage))
    request.proof = proof
    return None
