"""The shapes of what products ask about their people."""

from typing import Annotated, Literal

from pydantic import Field

from nightlatch.web.api.models import Email, Instant, Model

MOST_PEOPLE = 100_000
ProductId = Annotated[str, Field(min_length=1, max_length=200, description="the product's own id")]
Word = Annotated[
    str, Field(min_length=1, max_length=100, description="owner, admin, member, or a word of the app's")
]
ShortName = Annotated[str, Field(max_length=400)]
Opens = Literal["home", "team", "team/authentication", "team/audit", "user", "set-up", "ticket", "lift"]
State = Annotated[str, Field(min_length=22, max_length=128, pattern=r"^[A-Za-z0-9_-]+$")]


class ListedPerson(Model):
    """Somebody in the product's own words."""

    id: ProductId
    email: Email
    name: ShortName
    role: Word


class Person(ListedPerson):
    """Somebody who the product says has passed its own sign-in."""

    workspace: ProductId
    workspace_name: ShortName
    signed_in_at: Annotated[Instant | None, Field(description="when they signed in to the product")] = None


class CheckBody(Model):
    person: Person
    grant: Annotated[str, Field(max_length=200)] | None = None
    max_age: Annotated[int, Field(ge=60, le=86_400, description="seconds")] | None = None
    open: Annotated[Opens | None, Field(description="a page to open for the person")] = None
    state: State | None = None


class Proof(Model):
    """What the session behind the grant has proved, in this workspace."""

    aal: int
    acr: str
    amr: list[str]
    at: Instant | None


class Checked(Model):
    app: str
    decision: Literal["allow", "challenge", "enrol", "deny"]
    reason: str
    start: Annotated[str | None, Field(description="where to send the browser")]
    state: str | None
    due: Instant | None
    proof: Proof


class CodeAndState(Model):
    code: Annotated[str, Field(max_length=200)]
    state: State


class Grant(Model):
    """`person` and `workspace` in the product's own ids."""

    grant: str
    expires_at: Instant
    person: str
    workspace: str


class GrantBody(Model):
    grant: Annotated[str, Field(max_length=200)]


class FullList(Model):
    """Everybody who is in one workspace of the product."""

    workspace: ProductId
    workspace_name: ShortName
    people: Annotated[list[ListedPerson], Field(max_length=MOST_PEOPLE)]
    dry_run: bool = False
    confirm: Annotated[bool, Field(description="remove more than a fifth, if that is what it says")] = False


class Difference(Model):
    added: int
    changed: int
    removed: int
    unchanged: int
    dry_run: bool


class Standing(Model):
    """Whether a person's own API tokens may work there."""

    id: str
    workspace: str
    decision: Literal["allow", "enrol", "deny"]
    reason: str
    two_factor: bool
    due: Instant | None
