"""What a request is known by: the facts to decide on, and the names to speak with."""

from collections.abc import Mapping

from nightlatch.facts import AppId, Facts, Reach, ServiceId, WorkspaceId
from nightlatch.instants import Instant
from nightlatch.values import frozen
from nightlatch.vocabulary import Credential


@frozen
class Session:
    """A live session, as its holder may know it."""

    id: int
    kind: Credential
    created_at: Instant
    authenticated_at: Instant
    last_seen_at: Instant
    expires_at: Instant


@frozen
class Person:
    """Whose session it is."""

    id: int
    name: str
    email: str
    locale: str | None
    app_id: AppId | None = None
    """The product that keeps this person; None for Nightlatch's own accounts."""
    passwordless: bool = False
    """It has no password: it comes by a product or by single sign-on."""


@frozen
class Place:
    """A workspace of the account, and the account's membership id there."""

    id: WorkspaceId
    slug: str
    name: str
    teammate_id: int
    app_id: AppId | None = None
    """The product that the workspace belongs to."""
    waiting_reset: int | None = None
    """A reset of the account's 2FA there that was asked for and is not done yet."""


@frozen
class TokenUse:
    """The API token that asks, in place of a session."""

    id: int
    name: str
    holder: str
    """The name of the person, or of the service account."""
    service: ServiceId | None
    created_at: Instant
    expires_at: Instant
    last_used_at: Instant | None


@frozen
class Known:
    """What a request is known by: the facts to decide on, and the names to speak with."""

    facts: Facts
    session: Session | None = None
    person: Person | None = None
    places: Mapping[WorkspaceId, Place] | None = None
    token: TokenUse | None = None

    def place_by_slug(self, slug: str) -> Place | None:
        """The workspace of the account that has this slug."""
        for place in (self.places or {}).values():
            if place.slug == slug:
                return place
        return None


def app_reach_of(known: Known, app_id: AppId) -> Reach:
    """The same, of what is known already."""
    places = (known.places or {}).values()
    return Reach(workspaces=frozenset(each.id for each in places if each.app_id == app_id))
