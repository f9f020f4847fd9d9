"""What comes of a way to a provider and back: somebody came in, something is connected, or a page explains why not."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from nightlatch.actions.tokens import Token
from nightlatch.facts import ConnectionId, WorkspaceId
from nightlatch.instants import Duration
from nightlatch.refusals import WayOut


class Way(StrEnum):
    """What somebody goes to a provider for."""

    SIGN_IN = "sign_in"
    STEP_UP = "step_up"
    LINK = "link"
    TEST = "test"


class Why(StrEnum):
    """Why nothing came of it."""

    NOT_KNOWN = "not_known"
    """The state is none of ours, or of another connection."""
    OTHER_BROWSER = "other_browser"
    USED = "used"
    EXPIRED = "expired"
    GONE = "gone"
    """The connection was removed, or is not set up yet."""
    PROVIDER = "provider"
    """The provider did not vouch for anybody: `code` says what happened."""
    CANCELLED = "cancelled"
    OTHER_SESSION = "other_session"
    OTHER_PERSON = "other_person"
    NOT_FRESH = "not_fresh"
    NOT_CONNECTED = "not_connected"
    """For a step-up: this account is not connected with whoever came."""
    HAS_ACCOUNT = "has_account"
    """An account with this e-mail is here; nobody joins them by that alone."""
    NO_EMAIL = "no_email"
    NOT_VERIFIED = "not_verified"
    NO_JOINING = "no_joining"
    OTHER_DOMAIN = "other_domain"
    REMOVED = "removed"
    TAKEN = "taken"
    """Whoever came is connected with another account here."""
    CONNECTED_OTHERWISE = "connected_otherwise"
    """This account is connected with somebody else there."""


@dataclass(frozen=True, slots=True)
class Turned:
    """Nobody came in, and why. What a page says of it is its own."""

    why: Why
    connection_id: ConnectionId | None = None
    code: str | None = None
    detail: str | None = None
    """For an admin's eyes: only a test shows it."""
    way_out: WayOut | None = None


@dataclass(frozen=True, slots=True)
class Linked:
    """The account and the identity at the provider are connected."""

    connection_id: ConnectionId
    name: str
    token: Token
    """The session's new one."""


@dataclass(frozen=True, slots=True)
class Reported:
    """A test came back: its report is kept under the flow's id, for this session."""

    workspace_id: WorkspaceId
    slug: str
    connection_id: ConnectionId
    flow_id: int


@dataclass(frozen=True, slots=True)
class Begun:
    """A way that was begun; what the authorization request is made of."""

    connection_id: ConnectionId
    name: str
    issuer: str
    client_id: str
    settings: Mapping[str, object]
    kind: str = "oidc"
    workspace_id: WorkspaceId = 0
    max_age: Duration | None = None
    """For how long after a sign-in there its rule takes that for a second factor."""
