"""The shapes of asking for help, and of accepting an authenticator."""

from typing import Annotated, Literal

from pydantic import Field

from nightlatch.web.api.models import Id, Instant, Model


class HelpBody(Model):
    """Whose admins to ask; without a workspace, those of all that wait for a second step."""

    workspace: Annotated[str, Field(max_length=60)] | None = None


class HelpPlace(Model):
    """`now`: told by this very request; else within the last 24 hours."""

    workspace: str
    name: str
    asked_at: Instant
    now: bool


class HelpAsked(Model):
    items: list[HelpPlace]


class Acceptable(Model):
    """An authenticator of a teammate that the workspace does not rely on, and could."""

    id: Id
    method: Literal["totp", "passkey"]
    name: str
    bound_at: Instant


class Acceptables(Model):
    items: list[Acceptable]


class AcceptBody(Model):
    reason: Annotated[str, Field(max_length=1000)]
