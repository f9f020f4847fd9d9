"""Values that never change, and are made by the dozen for every request. Pure."""

from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import cache
from operator import attrgetter
from typing import Any, TypeVar, dataclass_transform

T = TypeVar("T")


@dataclass_transform(frozen_default=True)
def frozen(cls: type[T]) -> type[T]:
    """A dataclass with slots that nobody changes: the type checker refuses it, as it does for `frozen=True`.

    `frozen=True` would also see to it at run time, by setting every field through `object.__setattr__`: three times as
    dear to make. A check makes a dozen of them, a verification several dozen (docs/performance.md).
    """
    return dataclass(slots=True, unsafe_hash=True)(cls)


def changed(value: T, **others: Any) -> T:
    """The same value with `others` for some fields, for those made by `frozen`: `dataclasses.replace` at a
    third of its price.

    The names are not checked by the type checker: for the few places that every verification goes through.
    """
    kind = type(value)
    places, read = _fields(kind)  # type: ignore[arg-type]
    held = list(read(value))
    for name, other in others.items():
        held[places[name]] = other
    return kind(*held)


@cache
def _fields(kind: type) -> tuple[dict[str, int], Callable[[Any], tuple[Any, ...]]]:
    """Where each field stands among the arguments of the class, and what reads them all."""
    names = [field.name for field in fields(kind)]
    return {name: place for place, name in enumerate(names)}, attrgetter(*names)
