"""What a check of `nightlatch doctor` found."""

from dataclasses import dataclass
from typing import Literal

Status = Literal["ok", "warning", "problem"]


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found."""

    name: str
    status: Status
    message: str


def ok(name: str, message: str) -> Finding:
    """All is well."""
    return Finding(name, "ok", message)


def warning(name: str, message: str) -> Finding:
    """It works; somebody should look at it."""
    return Finding(name, "warning", message)


def problem(name: str, message: str) -> Finding:
    """It does not work, or is not safe."""
    return Finding(name, "problem", message)
