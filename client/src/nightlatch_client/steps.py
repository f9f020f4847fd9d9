"""How the gate asks for what it cannot know itself, so that the same code serves threads and event loops.

The gate is written as generators: they yield an `Ask`, and whoever drives them sends the answer back.
"""

from collections.abc import Generator
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from nightlatch_client.forms import Form
from nightlatch_client.values import Person
from nightlatch_client.wire import Call

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class AskPerson:
    """Who is signed in to the product?"""


@dataclass(frozen=True, slots=True)
class AskForm:
    """What does the form say that is on its way?"""


@dataclass(frozen=True, slots=True)
class AskServer:
    """What does Nightlatch answer?"""

    call: Call[Any]


Ask = AskPerson | AskForm | AskServer
Steps = Generator[Ask, Any, T]


class Edge(Protocol):
    """Answers what the gate asks."""

    def answer(self, ask: Ask) -> Any:
        """The answer: `Person | None`, `Form | None`, or what the call reads."""
        ...


class AsyncEdge(Protocol):
    """The same, awaited."""

    async def answer(self, ask: Ask) -> Any:
        """The answer: `Person | None`, `Form | None`, or what the call reads."""
        ...


def ask_person() -> Steps[Person | None]:
    """The person, checked: a product that returns something else would be let in by mistake."""
    person = yield AskPerson()
    if person is not None and not isinstance(person, Person):
        raise TypeError(f"person(request) returns a Person or None, not {type(person).__name__}")
    return person


def ask_form() -> Steps[Form | None]:
    """The form; None where it cannot be read or is too long."""
    form: Form | None = yield AskForm()
    return form


def ask_server(call: Call[T]) -> Steps[T]:
    """What Nightlatch answers; Unavailable and Refused are raised here."""
    found: T = yield AskServer(call)
    return found


def run(steps: Steps[T], edge: Edge) -> T:
    """Drive the gate where calls block."""
    value: Any = None
    error: Exception | None = None
    while True:
        try:
            ask = steps.send(value) if error is None else steps.throw(error)
        except StopIteration as done:
            result: T = done.value
            return result
        value, error = None, None
        try:
            value = edge.answer(ask)
        except Exception as raised:
            error = raised


async def arun(steps: Steps[T], edge: AsyncEdge) -> T:
    """Drive the gate on an event loop."""
    value: Any = None
    error: Exception | None = None
    while True:
        try:
            ask = steps.send(value) if error is None else steps.throw(error)
        except StopIteration as done:
            result: T = done.value
            return result
        value, error = None, None
        try:
            value = await edge.answer(ask)
        except Exception as raised:
            error = raised
