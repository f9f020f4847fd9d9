"""Workspace two-factor authentication for products that keep their own users. See README.md.

What is named here is imported when it is first used: the pytest plugin is in this package, and is loaded in every run.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nightlatch_client.assertions import Assertions, Teammate
    from nightlatch_client.behind_proxy import BehindProxy
    from nightlatch_client.errors import (
        AssertionRefused,
        Misconfigured,
        NightlatchError,
        ProofNeeded,
        Refused,
        Unavailable,
    )
    from nightlatch_client.nl import Nightlatch
    from nightlatch_client.values import Check, Grant, Person, Proof, Standing, Synced

__all__ = [
    "AssertionRefused",
    "Assertions",
    "BehindProxy",
    "Check",
    "Grant",
    "Misconfigured",
    "Nightlatch",
    "NightlatchError",
    "Person",
    "Proof",
    "ProofNeeded",
    "Refused",
    "Standing",
    "Synced",
    "Teammate",
    "Unavailable",
]

_MODULES = {
    "assertions": ("Assertions", "Teammate"),
    "behind_proxy": ("BehindProxy",),
    "errors": (
        "AssertionRefused",
        "Misconfigured",
        "NightlatchError",
        "ProofNeeded",
        "Refused",
        "Unavailable",
    ),
    "nl": ("Nightlatch",),
    "values": ("Check", "Grant", "Person", "Proof", "Standing", "Synced"),
}
_WHERE = {name: module for module, names in _MODULES.items() for name in names}


def __getattr__(name: str) -> Any:
    """A public name, imported now (PEP 562)."""
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = getattr(import_module(f"{__name__}.{_WHERE[name]}"), name)
    globals()[name] = found
    return found
