"""What may be asked of `access.decide`, and what it may answer. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TypeAlias

from nightlatch.assurance import MAX_AGE
from nightlatch.facts import EVERYWHERE, Reach, WorkspaceId
from nightlatch.instants import Duration
from nightlatch.vocabulary import Method, Permission, Reason


class Purpose(StrEnum):
    """What an action is for."""

    OPEN = "open"
    """Needs nobody: signing in, resetting a password, looking at an invitation."""
    SESSION = "session"
    """Needs a live session of whatever state: seeing it, signing out, reading where help is."""
    PRESENT_FIRST = "present_first"
    PRESENT_SECOND = "present_second"
    TICKET = "ticket"
    """Asking for, and using, the mailed link that a binding takes."""
    ENROL = "enrol"
    """Beginning and confirming a binding."""
    READ = "read"
    """Reading the account."""
    CHANGE = "change"
    """An act on the account whose reach is `Action.reach`."""
    JOIN = "join"
    """Accepting an invitation with an existing account."""
    WORK = "work"
    """Anything in a workspace."""
    APP = "app"
    """What a product asks with its secret: it stands for nobody, and each answer is decided for the person it names."""


@dataclass(frozen=True, slots=True)
class Action:
    """What is about to be done: its purpose, plane and conditions."""

    purpose: Purpose
    workspace: WorkspaceId | None = None
    """The plane: a workspace, or the account itself (None)."""
    permission: Permission = Permission.USE
    fresh: str | None = None
    """The kind of act it is, where it needs fresh proof."""
    max_age: Duration = MAX_AGE
    recovery: bool = False
    """A recovery code is proof enough for it (replacing what was lost)."""
    weighty: bool = False
    """It changes a mandate, an e-mail, a role or another person: a recovery code is not enough for 24 hours."""
    reach: Reach = EVERYWHERE
    """For CHANGE: where the act counts."""
    scope: str | None = None
    """What an API token must hold for it. None: no token does it, whatever it holds."""

    def at(self, workspace: WorkspaceId | None) -> "Action":
        """The same action in a plane."""
        return self if workspace == self.workspace else replace(self, workspace=workspace)


@dataclass(frozen=True, slots=True)
class Allow:
    """It may be done."""

    reason: Reason = Reason.ALLOWED


@dataclass(frozen=True, slots=True)
class Challenge:
    """Show a factor first: one of `methods`; where none is left, recovery is the way on."""

    reason: Reason
    methods: tuple[Method, ...] = ()
    max_age: Duration | None = None
    workspace: WorkspaceId | None = None
    """The workspace whose challenge this is, where one asks."""


@dataclass(frozen=True, slots=True)
class Enrol:
    """Set up 2FA first. `needs` says what is missing for that: None, "mail" (the mailed link), or "idp" (a recent
    sign-in at the workspace's provider)."""

    reason: Reason
    needs: str | None = None
    workspace: WorkspaceId | None = None


@dataclass(frozen=True, slots=True)
class Deny:
    """It may not be done."""

    reason: Reason


Decision: TypeAlias = Allow | Challenge | Enrol | Deny
ALLOW = Allow()


def best(decisions: Iterable[Decision]) -> Decision:
    """What the account's workspaces, one or more, say together: the one that is nearest to Allow."""
    return min(decisions, key=_distance)


def _distance(decision: Decision) -> int:
    """How far from Allow: what takes one more step, before what must be recovered first."""
    if isinstance(decision, Allow):
        return 0
    if isinstance(decision, Enrol):
        return 1
    if decision.reason in (Reason.SECOND_FACTOR, Reason.STRENGTH):
        return 2
    return 4 if decision.reason is Reason.SUSPENDED else 3
