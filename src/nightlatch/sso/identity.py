"""What a protocol brings back from a provider, whichever protocol it was: who came, or why nobody did. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from nightlatch.instants import MINUTE, Duration, Instant
from nightlatch.policy import Told

LEEWAY: Duration = MINUTE
"""Between the provider's clock and ours."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Somebody who signed in at a provider, verified by the rules of its protocol."""

    subject: str
    """The provider's own name for them, for good (OpenID Connect's `sub`, SAML's persistent NameID)."""
    email: str | None = None
    email_verified: bool = False
    """The provider says in so many words that the address is theirs. Not said counts as no."""
    name: str | None = None
    told: Told = field(default_factory=Told)
    auth_time: Instant | None = None
    """When they signed in there, where the provider says."""
    claims: Mapping[str, Any] = field(default_factory=dict)
    """All that it said, for the test page alone."""


@dataclass(frozen=True, slots=True)
class Leaving:
    """Where the browser goes, and what the way back needs."""

    url: str
    said: Mapping[str, str]


def kept(identity: Identity) -> dict[str, Any]:
    """Somebody, to be put aside as JSON until their own browser comes for them."""
    return {
        "subject": identity.subject,
        "email": identity.email,
        "email_verified": identity.email_verified,
        "name": identity.name,
        "acr": identity.told.acr,
        "amr": sorted(identity.told.amr),
        "auth_time": identity.auth_time,
        "claims": dict(identity.claims),
    }


def taken_up(kept: Mapping[str, Any]) -> Identity:
    """Whoever was put aside so."""
    return Identity(
        kept["subject"],
        kept["email"],
        kept["email_verified"],
        kept["name"],
        Told(kept["acr"], frozenset(kept["amr"])),
        kept["auth_time"],
        kept["claims"],
    )


class SsoError(Exception):
    """Nobody came: the way to the provider and back failed. `code` is stable; `detail` is a sentence for an admin.

    It holds no secret and nothing that the provider wrote beyond the error codes of the protocols.
    """

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(code)
        self.code = code
        self.detail = detail
