"""Values that never change, and are made by the dozen for every request. Pure."""

from dataclasses import dataclass
from typing import Any, TypeVar, dataclass_transform

T = TypeVar("T")


@dataclass_transform(frozen_default=True)
def frozen(cls: type[T]) -> type[T]:
    """A dataclass with slots that nobody changes: the type checker refuses it, as it does for `frozen=True`.

    `frozen=True` would also see to it at run time, by setting every field through `object.__setattr__`: three times as
    dear to make. A check makes a dozen of them, a verification several dozen (docs/performance.md).
    """
    return dataclass(slots=True, unsafe_hash=True)(cls)


def changed(value: T, **fields: Any) -> T:
    """The same value with other `fields`, for those made by `frozen`: `dataclasses.replace` at half its price.

    The names are not checked by the type checker: for the few places that every verification goes through.
    """
    made: T = object.__new__(type(value))
    for name in type(value).__slots__:  # type: ignore[attr-defined]
        setattr(made, name, fields[name] if name in fields else getattr(value, name))
    return made
