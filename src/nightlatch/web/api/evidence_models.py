"""The shapes of evidence. Whatever may be null is not known, or has not happened."""

from typing import Annotated, Literal

from pydantic import Field

from nightlatch.web.api.models import Id, Instant, Method, Model, RoleName
from nightlatch.web.api.team_models import Actor, StrengthName

Day = Annotated[str, Field(description="a day in UTC", json_schema_extra={"format": "date"})]


class EvidencePolicy(Model):
    state: Literal["off", "scheduled", "required"]
    required_from: Instant | None
    strength: StrengthName
    strength_from: Instant | None
    decided_at: Instant | None
    decided_by: Actor | None
    reason: str | None
    managed_by: Literal["admins", "owners"]
    managed_by_decided_at: Instant | None
    managed_by_decided_by: Actor | None


class EvidenceTeammate(Model):
    account: Id
    name: str
    email: str | None
    role: RoleName | None
    joined_at: Instant | None
    two_factor: Literal["on", "off", "reset", "sso"] | None
    methods: list[Method | Literal["sso"]] | None
    since: Instant | None
    exempt_until: Annotated[Instant | None, Field(description="leave to do without 2FA, until then")]


class EvidenceRemoved(Model):
    account: Id
    name: str
    email: str | None
    role: RoleName | None
    joined_at: Instant | None
    removed_at: Instant
    by: Actor
    left: bool
    reason: str | None


class EvidenceReset(Model):
    account: Id
    name: str
    at: Instant
    by: Actor
    reason: str | None
    recognised_by: str | None
    number_waived: bool
    completed_at: Instant | None
    replaced_at: Instant | None
    asked_at: Instant | None
    approved_by: Actor | None


class EvidenceException(Model):
    """More time to set up: one asked, another one agreed. `stands`: at the end of that day."""

    id: Id
    account: Id
    name: str
    stands: bool
    granted_at: Instant
    granted_by: Actor
    asked_by: str | None
    reason: str | None
    ends_at: Instant
    ended_at: Annotated[Instant | None, Field(description="when it ended before `ends_at`, if it did")]
    ended_by: Actor | None
    ended_why: str | None


class EvidenceRestored(Model):
    at: Instant
    by: Actor


class Evidence(Model):
    """One workspace at the end of a day; of today, at this moment."""

    workspace: str
    name: str | None
    created_at: Instant | None
    on: Day
    as_of: Instant
    policy: EvidencePolicy
    teammates: list[EvidenceTeammate]
    removed: list[EvidenceRemoved]
    resets: list[EvidenceReset]
    exceptions: list[EvidenceException]
    restored: list[EvidenceRestored]
