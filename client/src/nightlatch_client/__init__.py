"""Workspace two-factor authentication for products that keep their own users. See README.md."""

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
    "Unavailable",
]
