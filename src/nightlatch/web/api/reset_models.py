"""The shapes of resets: asked for, done, waiting."""

from typing import Annotated, Literal

from pydantic import Field

from nightlatch.web.api.models import Id, Instant, Model
from nightlatch.web.api.team_models import Reason


class DisableTwoFactor(Model):
    reason: Reason
    recognised_by: Annotated[str, Field(max_length=1000, description="how the person was recognised")]
    waive_number: Annotated[
        bool, Field(description="owners only, of members: the link works without a number")
    ] = False


class Reset(Model):
    """`effective_at` is null where only a second owner's approval does it, until `lapses_at`.

    `number` is told this once, to be read out; it works from when the reset is done. Null where the link works without
    one, and for whoever approves.
    """

    id: Id
    state: Literal["done", "waiting"]
    effective_at: Instant | None
    lapses_at: Instant | None
    number: str | None


class ResetAnswer(Model):
    reset: Reset


class ResetPerson(Model):
    """`id` is the teammate's."""

    id: Id
    name: str
    email: str


class WaitingReset(Model):
    """`may_approve` and `may_cancel` are of whoever reads it."""

    id: Id
    teammate: ResetPerson
    requested_by: str
    reason: str
    recognised_by: str
    requested_at: Instant
    effective_at: Instant | None
    lapses_at: Instant | None
    needs_approval: bool
    may_approve: bool
    may_cancel: bool


class WaitingResets(Model):
    """All that wait, the oldest first."""

    items: list[WaitingReset]
    next_cursor: None
