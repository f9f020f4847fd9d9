"""The shapes of a workspace's connections to identity providers."""

from typing import Annotated, Literal

from pydantic import Field

from nightlatch.web.api.models import Id, Instant, Model, Text

Values = Annotated[list[Text], Field(max_length=20)]


class Rule(Model):
    """What a sign-in by it counts for beside the first factor. `second`, `resistant`: values of `acr` or `amr` that
    stand for a second factor, and for a phishing-resistant one; `max_age` in seconds."""

    rule: Literal["ask", "accept", "exempt"]
    second: Values = Field(default_factory=list)
    resistant: Values = Field(default_factory=list)
    max_age: Annotated[int, Field(ge=60, le=2_592_000)] | None = None
    exempt_until: Instant | None = None


class ShownRule(Rule):
    """`exempt_by`: the owner who said so."""

    exempt_by: str | None = None


class NewConnection(Model):
    """`client_id` and `secret` may come later: the provider gives them once it knows `redirect_uri`."""

    name: Text
    issuer: Text
    client_id: Text = ""
    secret: Text | None = None
    joins: bool = False


class ConnectionChange(Model):
    """What is left out stays as it is."""

    name: Text | None = None
    client_id: Text | None = None
    secret: Text | None = None
    joins: bool | None = None
    rule: Rule | None = None


class Connection(Model):
    """`ready`: somebody could sign in by it. `joins`: people of the workspace's proved domains become members by it.
    The secret is never shown."""

    id: Id
    kind: str
    name: str
    issuer: str
    client_id: str
    has_secret: bool
    ready: bool
    joins: bool
    rule: ShownRule
    redirect_uri: str
    start: str
    created_at: Instant
    changed_at: Instant


class Connections(Model):
    """`required`: everybody but owners has to come by one of them."""

    items: list[Connection]
    next_cursor: str | None = None
    required: bool


class Required(Model):
    required: bool


class TestedConnection(Model):
    """What the provider says of itself now: a whole test takes a browser."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    says_issuer: bool
