"""The shapes of bodies and answers. Unknown fields are refused; nothing is coerced."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field


class Model(BaseModel):
    """The base of all of them."""

    model_config = ConfigDict(extra="forbid", strict=True)


Text = Annotated[str, Field(max_length=1000)]
Instant = Annotated[str, Field(description="RFC 3339, UTC", json_schema_extra={"format": "date-time"})]
Id = Annotated[str, Field(description="opaque", min_length=13, max_length=13)]
Method = Literal["password", "totp", "passkey", "recovery_code", "provider", "ticket", "invitation"]
RoleName = Literal["owner", "admin", "member"]


class SessionAccount(Model):
    id: Id
    name: str
    email: str
    locale: str | None


class SessionWorkspace(Model):
    slug: str
    name: str
    role: RoleName | None
    decision: Literal["allow", "challenge", "enrol", "deny"]
    reason: str
    needs: Literal["mail", "idp"] | None
    aal: int
    amr: list[str]
    due: Instant | None


class Session(Model):
    """What a session is, and what each workspace of its account says to it."""

    state: Literal["challenge", "active"]
    methods: list[Method] | None
    authenticated_at: Instant
    expires_at: Instant
    account: SessionAccount | None
    workspaces: list[SessionWorkspace] | None


class SignedIn(Model):
    """`token` is null where the session is a cookie."""

    session: Session
    token: str | None
    recovery_codes_left: int | None = None


class EmailPassword(Model):
    email: Text
    password: Annotated[str, Field(max_length=5000)]


class Password(Model):
    password: Annotated[str, Field(max_length=5000)]


class CodeBody(Model):
    code: Text


class EmailBody(Model):
    email: Text


class TokenBody(Model):
    token: Annotated[str, Field(max_length=200)]
