"""The shapes of API tokens and service accounts."""

from typing import Annotated, Literal

from pydantic import Field

from nightlatch.vocabulary import Scope
from nightlatch.web.api.models import Id, Instant, Model, RoleName, SessionAccount, Text

Slug = Annotated[str, Field(max_length=60)]
ScopeName = Annotated[str, Field(max_length=40, json_schema_extra={"enum": [each.value for each in Scope]})]
Scopes = Annotated[list[ScopeName], Field(max_length=20)]
Expiry = Annotated[
    Instant | None, Field(description="in 90 days where it is not said; within 365 days", max_length=40)
]


class NewApiToken(Model):
    """`workspace`: the one that it is good in; without it, all that the person is in now."""

    name: Text
    scopes: Scopes
    expires_at: Expiry = None
    workspace: Slug | None = None


class ApiToken(Model):
    """`workspace` is null where it was made for all that the person was in. The token itself is never shown again."""

    id: Id
    name: str
    scopes: list[str]
    workspace: str | None
    created_at: Instant
    expires_at: Instant
    expired: bool
    last_used_at: Instant | None


class ApiTokens(Model):
    items: list[ApiToken]
    next_cursor: str | None = None


class MadeApiToken(ApiToken):
    """The token is shown this once."""

    token: str


class AskingTokenWorkspace(Model):
    """What a workspace says to the token now. `role` is null unless it is allowed, and for service accounts."""

    slug: str
    name: str
    role: RoleName | None
    decision: Literal["allow", "enrol", "deny"]
    reason: str


class AskingToken(Model):
    """The API token that asks. `account` is null for a service account's."""

    id: Id
    name: str
    holder: Literal["person", "service_account"]
    holder_name: str
    scopes: list[str]
    expires_at: Instant
    account: SessionAccount | None
    workspaces: list[AskingTokenWorkspace]


class ServiceSponsor(Model):
    """The teammate who answers for it; `gone`: no teammate any more."""

    id: Id
    name: str
    email: str
    gone: bool


class ServiceAccount(Model):
    """`tokens`: how many are good now."""

    id: Id
    name: str
    sponsor: ServiceSponsor
    suspended: bool
    created_at: Instant
    created_by: str
    tokens: int
    last_used_at: Instant | None


class ServiceAccounts(Model):
    items: list[ServiceAccount]
    next_cursor: str | None = None


class NewServiceAccount(Model):
    """`sponsor`: a teammate's id; without it, whoever adds it."""

    name: Text
    sponsor: Id | None = None


class ServiceAccountChange(Model):
    name: Text | None = None
    sponsor: Id | None = None


class NewServiceToken(Model):
    name: Text
    scopes: Scopes
    expires_at: Expiry = None
