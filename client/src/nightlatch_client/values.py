"""What goes to Nightlatch and what comes back, as plain values."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from nightlatch_client.clock import text_of

Decision = Literal["allow", "challenge", "enrol", "deny"]
DECISIONS: tuple[Decision, ...] = ("allow", "challenge", "enrol", "deny")


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who is signed in to the product, in the product's own words.

    `id` and `workspace` are the product's ids as text; `role` is one of the words the app was registered with.
    `signed_in_at` says when the person last signed in to the product (an aware datetime): whoever signs in there
    anew is then asked anew here. `token` is true where the request came with an API token of the product instead
    of a session: such a request can prove nothing, so the person's standing decides.
    """

    id: str
    email: str
    name: str
    workspace: str
    workspace_name: str
    role: str
    signed_in_at: datetime | None = None
    token: bool = field(default=False, kw_only=True)

    def __post_init__(self) -> None:
        for name in ("id", "email", "name", "workspace", "workspace_name", "role"):
            value = getattr(self, name)
            if not isinstance(value, str):
                raise TypeError(f"Person.{name} is a text, not {type(value).__name__}: write str(...)")
            if not value and name in ("id", "workspace"):
                raise ValueError(f"Person.{name} is empty")
        at: Any = self.signed_in_at
        if at is not None and (not isinstance(at, datetime) or at.tzinfo is None):
            raise ValueError("Person.signed_in_at is an aware datetime, with its time zone")

    def entry(self) -> dict[str, Any]:
        """As a teammate of a workspace's list."""
        return {"id": self.id, "email": self.email, "name": self.name, "role": self.role}

    def document(self) -> dict[str, Any]:
        """As it goes with a check."""
        document = {**self.entry(), "workspace": self.workspace, "workspace_name": self.workspace_name}
        if self.signed_in_at is not None:
            document["signed_in_at"] = text_of(self.signed_in_at)
        return document


@dataclass(frozen=True, slots=True)
class Proof:
    """What this browser has proved in the person's workspace.

    `aal` is 0 (nothing), 1 (one factor) or 2 (two); `amr` names the methods (RFC 8176); `at` is when.
    """

    aal: int
    amr: tuple[str, ...]
    at: datetime | None
    workspace: str


@dataclass(frozen=True, slots=True)
class Check:
    """Nightlatch's answer to "may this person be in that workspace now?"."""

    decision: Decision
    reason: str
    proof: Proof
    start: str | None = None
    state: str | None = None
    due: datetime | None = None


@dataclass(frozen=True, slots=True)
class Grant:
    """A browser's proof, as the product keeps it: good for one person in one workspace."""

    grant: str = field(repr=False)
    expires_at: datetime
    person: str
    workspace: str


@dataclass(frozen=True, slots=True)
class Standing:
    """Whether a person's own API tokens may work in a workspace."""

    id: str
    workspace: str
    decision: Decision
    reason: str
    two_factor: bool
    due: datetime | None = None


@dataclass(frozen=True, slots=True)
class Synced:
    """What giving the full list of one workspace changed, or would change."""

    workspace: str
    added: int
    changed: int
    removed: int
    unchanged: int
    dry_run: bool
