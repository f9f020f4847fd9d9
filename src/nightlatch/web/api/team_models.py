"""The shapes of what belongs to a workspace: its policy, teammates, invitations and audit events."""

from typing import Annotated, Any, Literal, TypeAlias

from pydantic import Field

from nightlatch.actions.mandate_memory import MOST_DAYS
from nightlatch.vocabulary import Event
from nightlatch.web.api.models import Email, Id, Instant, Model, RoleName, Text

Reason = Annotated[str, Field(max_length=1000, description="kept with the audit event, on one line")]
Managers = Literal["admins", "owners"]
Flag = Literal["recovery_codes_low", "reset_pending", "mail_bouncing"]
State = Literal["on", "due", "overdue", "off", "reset", "sso", "exempt"]


# --- workspaces ---


class NewWorkspace(Model):
    name: Text
    slug: Text


class WorkspaceTwoFactor(Model):
    required: bool
    required_from: Instant | None
    in_force: bool


class Workspace(Model):
    """A workspace, as one of its teammates sees it. `role` is null for a service account, which has none."""

    slug: str
    name: str
    role: RoleName | None
    two_factor: WorkspaceTwoFactor


# --- policy ---

StrengthName: TypeAlias = Literal["any", "phishing_resistant"]


class TwoFactorPolicy(Model):
    """`required` with no instant means now. In force already, the instant cannot be moved into the future.

    `strength`: `phishing_resistant` takes passkeys alone, from `strength_from` on.
    """

    required: bool
    required_from: Instant | None
    strength: StrengthName
    strength_from: Instant | None
    managed_by: Managers


class Policy(Model):
    """`revision` is in the ETag too: a change names it in If-Match. Who joins after `announced_at` has no grace.

    `at_once_until`: it was in force and was turned off lately; until then it is required again at once or not at all.
    `passkeys_at_once_until`: the same of passkeys alone.
    `remember_browsers`: for how many days a browser may be remembered; null: never.
    """

    two_factor: TwoFactorPolicy
    remember_browsers: int | None
    in_force: bool
    revision: int
    changed_at: Instant | None
    changed_by: str | None
    announced_at: Instant | None
    at_once_until: Instant | None
    passkeys_at_once_until: Instant | None


class TwoFactorChange(Model):
    """Without `managed_by` or `strength` it stays what it is; without `strength_from` that comes with the mandate."""

    required: bool
    required_from: Instant | None = None
    strength: StrengthName | None = None
    strength_from: Instant | None = None
    managed_by: Managers | None = None


class PolicyChange(Model):
    """`remember_browsers`: 1 to 30 days, where nothing is required; null: never; left out, it stays what it is."""

    two_factor: TwoFactorChange
    remember_browsers: Annotated[int, Field(ge=1, le=MOST_DAYS)] | None = None
    reason: Reason | None = None


# --- teammates ---


class TwoFactor(Model):
    """`since`: since when the state is what it is. `due`: when it is, or was, to be set up; of `exempt`, until when."""

    state: State
    flags: list[Flag]
    methods: list[Literal["totp", "passkey", "sso"]]
    since: Instant | None
    due: Instant | None


class Teammate(Model):
    """A teammate, or a pending invitation (by its own id), of which the typed address is all that is known.

    `two_factor` is null for invitations, and for readers who may neither manage authentication nor reset.
    """

    id: Id
    name: str
    email: str
    role: RoleName
    status: Literal["active", "invited"]
    two_factor: TwoFactor | None
    last_sign_in_at: Instant | None
    joined_at: Instant | None
    invited_at: Instant | None


class Counts(Model):
    """`matching` is of the filtered list, the others of the whole workspace; `two_factor` as in Teammate."""

    teammates: int
    invited: int
    matching: int
    two_factor: dict[State, int] | None
    flags: dict[Flag, int] | None


class Teammates(Model):
    items: list[Teammate]
    next_cursor: str | None
    counts: Counts


class RoleBody(Model):
    role: RoleName


# --- invitations ---


class Invite(Model):
    """`email`, or `emails` for up to 500 at a time."""

    email: Email | None = None
    emails: Annotated[list[Email], Field(min_length=1, max_length=500)] | None = None
    role: RoleName


class InviteItem(Model):
    """`id` is that of the pending invitation, where there is one. The link is in the mail only."""

    email: str
    outcome: Literal["sent", "already_teammate", "already_invited", "limited", "declined"]
    id: Id | None


class InviteAnswer(Model):
    items: list[InviteItem]


class PendingInvitation(Model):
    id: Id
    email: str
    role: RoleName
    inviter: str
    status: Literal["pending", "expired"]
    created_at: Instant
    sent_at: Instant
    expires_at: Instant


class PendingInvitations(Model):
    items: list[PendingInvitation]
    next_cursor: str | None


# --- audit events ---


class Actor(Model):
    kind: Annotated[str, Field(description="account, operator, app, system or visitor")]
    id: Id | None
    name: str


class Subject(Model):
    kind: Annotated[str, Field(description="account, workspace, app, address or system")]
    id: Id | None
    name: str


class AuditEvent(Model):
    id: Id
    at: Instant
    event: Annotated[str, Field(json_schema_extra={"enum": [each.value for each in Event]})]
    actor: Actor
    subject: Subject
    workspace: str
    ip: str
    user_agent: str
    detail: dict[str, Any]


class AuditEvents(Model):
    """The newest first."""

    items: list[AuditEvent]
    next_cursor: str | None
