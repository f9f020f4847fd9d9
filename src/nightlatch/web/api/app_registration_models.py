"""The shapes of registered products."""

from typing import Annotated, Literal

from pydantic import Field

from nightlatch.web.api.models import Id, Instant, Model, RoleName, Text

Origin = Annotated[str, Field(max_length=400, description="https, or http on localhost")]
Origins = Annotated[list[Origin], Field(min_length=1, max_length=20)]
Roles = Annotated[
    list[RoleName], Field(min_length=1, max_length=3, description="whom a product without users is open to")
]
RoleMap = Annotated[
    dict[str, RoleName], Field(max_length=50, description="the product's own words for our roles")
]
ReturnUrl = Annotated[str, Field(max_length=500, description="at one of the origins; empty: the default")]
Colour = Annotated[str, Field(max_length=20, description="#rrggbb; empty: none")]
Logo = Annotated[
    str,
    Field(
        max_length=90_000,
        description="a PNG, JPEG or WebP picture up to 64 KiB, in base64; null takes it away",
    ),
]


class NewApp(Model):
    """`keeps_people`: the product has users of its own and brings its own workspaces; this one manages it."""

    name: Text
    origins: Origins
    keeps_people: bool = False
    handle: Annotated[str, Field(max_length=100)] | None = None
    roles: Roles | None = None
    role_map: RoleMap | None = None
    return_url: ReturnUrl | None = None
    colour: Colour | None = None


class AppChange(Model):
    """What is given replaces what was there. `roles: null` means everybody."""

    name: Text | None = None
    origins: Origins | None = None
    roles: Roles | None = None
    role_map: RoleMap | None = None
    return_url: ReturnUrl | None = None
    colour: Colour | None = None
    logo: Logo | None = None


class AppSecret(Model):
    """A secret that is valid: since when, never what."""

    id: Id
    created_at: Instant


class RegisteredApp(Model):
    """`note` says what should be looked at: a colour on which white text is hard to read."""

    id: Id
    handle: str
    name: str
    keeps_people: bool
    origins: list[str]
    return_url: str
    roles: list[RoleName] | None
    role_map: dict[str, RoleName]
    colour: str | None
    logo: Literal["image/png", "image/jpeg", "image/webp"] | None
    created_at: Instant
    secrets: list[AppSecret]
    note: str | None


class AppWithSecret(RegisteredApp):
    """`secret` is told this once."""

    secret: str


class RegisteredApps(Model):
    items: list[RegisteredApp]
    next_cursor: str | None
