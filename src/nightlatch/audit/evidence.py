"""What evidence says of one workspace at an instant: values alone. `audit/rebuilding.py` makes them of events. Pure.

What the events do not tell is None, and shown as "not known": those of older versions say less.
"""

from dataclasses import dataclass
from enum import StrEnum

from nightlatch.instants import Instant
from nightlatch.policy import ManagedBy, Mandate


class State(StrEnum):
    """What a workspace could rely on, beside the password, for a teammate."""

    ON = "on"
    OFF = "off"
    RESET = "reset"
    """An admin disabled it, and it is not set up again."""
    SSO = "sso"
    """They came last by a connection whose rule took that for enough."""


class Required(StrEnum):
    """Whether 2FA was required."""

    OFF = "off"
    SCHEDULED = "scheduled"
    REQUIRED = "required"


@dataclass(frozen=True, slots=True)
class Who:
    """Who acted, by the name of that moment: an account, the operator, a product (`app`), the system."""

    kind: str
    id: int | None
    name: str


@dataclass(frozen=True, slots=True)
class Policy:
    """What was required, and who might change that; who said so, and when. None is "not known"."""

    required_from: Instant | None = None
    by: Who | None = None
    at: Instant | None = None
    reason: str | None = None
    managed_by: ManagedBy = ManagedBy.ADMINS
    managed_by_by: Who | None = None
    managed_by_at: Instant | None = None
    resistant_from: Instant | None = None
    """From when a passkey was required, where it was."""

    def state(self, now: Instant) -> Required:
        """Off, announced, or in force at `now`."""
        mandate = Mandate(self.required_from)
        if mandate.in_force(now):
            return Required.REQUIRED
        return Required.SCHEDULED if mandate.scheduled(now) else Required.OFF


@dataclass(frozen=True, slots=True)
class Teammate:
    """Somebody who was a teammate. None is "not known"."""

    account: int
    name: str
    email: str | None
    role: str | None
    joined_at: Instant | None
    state: State | None
    methods: tuple[str, ...] | None
    """What the workspace relied on, recovery codes left out: they are no 2FA by themselves."""
    since: Instant | None
    """Since when the state is what it is."""
    exempt_until: Instant | None = None
    """They had leave to do without 2FA until then."""


@dataclass(frozen=True, slots=True)
class Gone:
    """Somebody who had been a teammate and was none any more; name, address and role are the last ones."""

    account: int
    name: str
    email: str | None
    role: str | None
    joined_at: Instant | None
    at: Instant
    by: Who
    left: bool
    """They left by themselves."""
    reason: str | None


@dataclass(frozen=True, slots=True)
class Reset:
    """Somebody's 2FA was disabled. `by` asked for it; `approved_by` is a second owner who agreed before its time."""

    account: int
    name: str
    at: Instant
    by: Who
    reason: str | None
    recognised_by: str | None
    number_waived: bool
    completed_at: Instant | None = None
    """When the person had set up again."""
    replaced_at: Instant | None = None
    """When a later reset took its place."""
    asked_at: Instant | None = None
    """When it was asked for, where it had to wait."""
    approved_by: Who | None = None


@dataclass(frozen=True, slots=True)
class Excepted:
    """Somebody was given more time to set up. `by` is who agreed to what another one had asked for."""

    id: str
    account: int
    name: str
    at: Instant
    by: Who
    asked_by: str | None
    reason: str | None
    ends_at: Instant
    ended_at: Instant | None = None
    """When it ended before that day, if it did."""
    ended_by: Who | None = None
    why: str | None = None

    def stands(self, now: Instant) -> bool:
        """Whether it stood at an instant."""
        return self.ended_at is None and self.at <= now < self.ends_at


@dataclass(frozen=True, slots=True)
class Restored:
    """A backup was put in place: what had happened between it and this instant is in no event any more."""

    at: Instant
    by: Who


@dataclass(frozen=True, slots=True)
class Evidence:
    """One workspace at an instant."""

    at: Instant
    name: str | None
    created_at: Instant | None
    policy: Policy
    teammates: tuple[Teammate, ...]
    """By name, then by account."""
    gone: tuple[Gone, ...]
    """The latest first, as are these two."""
    resets: tuple[Reset, ...]
    restored: tuple[Restored, ...]
    exceptions: tuple[Excepted, ...] = ()
    """All that were granted until then, the latest first; `Excepted.stands` tells those that stood."""

    def count(self, state: State | None) -> int:
        """How many teammates were in a state."""
        return sum(each.state is state for each in self.teammates)
