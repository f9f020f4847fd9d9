"""The shapes of bodies and answers. Unknown fields are refused; nothing is coerced."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field


class Model(BaseModel):
    """The base of all of them."""

    model_config = ConfigDict(extra="forbid", strict=True)


Text = Annotated[str, Field(max_length=1000)]
Email = Annotated[str, Field(max_length=1000, json_schema_extra={"format": "idn-email"})]
Instant = Annotated[str, Field(description="RFC 3339, UTC", json_schema_extra={"format": "date-time"})]
Id = Annotated[str, Field(description="opaque", min_length=13, max_length=13)]
Method = Literal[
    "password", "totp", "passkey", "recovery_code", "provider", "ticket", "invitation", "remembered"
]
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
    acr: str
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
    email: Email
    password: Annotated[str, Field(max_length=5000)]


class Password(Model):
    password: Annotated[str, Field(max_length=5000)]


class CodeBody(Model):
    code: Text


class SecondStepBody(CodeBody):
    """`remember`: do not ask again in this browser, in the workspaces that let it be; not for programs."""

    remember: bool = False


class EmailBody(Model):
    email: Email


class TokenBody(Model):
    token: Annotated[str, Field(max_length=200)]


class NotifyAddress(Model):
    """A further address that is told what happens to the account, once its mailbox has confirmed it."""

    email: str
    confirmed: bool


class Account(SessionAccount):
    """The account of the session."""

    pending_email: str | None
    notify: list[NotifyAddress] | None
    """null where an API token asks: where notices go is nothing for it."""


class MeBody(Model):
    """What is not named stays as it is. `notify` is the whole list: at most two addresses."""

    name: Text | None = None
    notify: Annotated[list[Email], Field(max_length=2)] | None = None


class Authenticator(Model):
    id: Id
    method: Method
    name: str
    bound_at: Instant
    last_used_at: Instant | None
    suspended: bool
    recovery_codes_left: int | None = None


class NameBody(Model):
    name: Annotated[str, Field(max_length=200)]


class Authenticators(Model):
    items: list[Authenticator]
    next_cursor: str | None = None


class TicketBody(Model):
    workspace: Annotated[str, Field(max_length=60)] | None = None


class TicketSent(Model):
    email: Annotated[str, Field(description="where the link went, in part")]
    purpose: Literal["self_service", "reset"]


class RedeemBody(Model):
    token: Annotated[str, Field(max_length=200)]
    number: Annotated[str, Field(max_length=40)] | None = None


class Redeemed(Model):
    workspace: str | None


class BeginTotp(Model):
    name: Annotated[str, Field(max_length=200)] | None = None
    replaces: Id | None = None
    workspace: Annotated[str, Field(max_length=60)] | None = None


class PendingTotp(Model):
    """Not bound yet: confirm it with a code."""

    id: Id
    secret: str
    otpauth_uri: str
    qr_svg: str
    expires_at: Instant


class Confirmed(Model):
    authenticator: Authenticator
    recovery_codes: list[str] | None
    session: Session
    token: str | None


class RecoveryCodes(Model):
    recovery_codes: list[str]
    token: str | None


class OwnSession(Model):
    id: Id
    kind: Literal["cookie", "bearer"]
    created_at: Instant
    last_seen_at: Instant
    expires_at: Instant
    ip: str
    user_agent: str
    current: bool


class OwnSessions(Model):
    items: list[OwnSession]
    next_cursor: str | None = None


class RememberedBrowser(Model):
    """Until `expires_at` the second step is not asked for in this browser, in that workspace."""

    id: Id
    workspace: str
    workspace_name: str
    ip: str
    user_agent: str
    created_at: Instant
    last_used_at: Instant | None
    expires_at: Instant
    current: bool


class RememberedBrowsers(Model):
    items: list[RememberedBrowser]
    next_cursor: str | None = None


class ResetFinish(Model):
    token: Annotated[str, Field(max_length=200)]
    password: Annotated[str, Field(max_length=5000)]


class SignUpFinish(Model):
    token: Annotated[str, Field(max_length=200)]
    name: Annotated[str, Field(max_length=200)]
    password: Annotated[str, Field(max_length=5000)]


class Invitation(Model):
    """Who invites where."""

    workspace: str
    workspace_name: str
    inviter: str
    role: RoleName
    email: str
    expires_at: Instant
    has_account: bool
    two_factor_required: bool


class AcceptInvitation(Model):
    token: Annotated[str, Field(max_length=200)]
    name: Annotated[str, Field(max_length=200)] | None = None
    password: Annotated[str, Field(max_length=5000)] | None = None


class Accepted(Model):
    """For a new account also its session."""

    workspace: str
    session: Session
    token: str | None
