"""The shapes of the domains that a workspace claims."""

from typing import Annotated

from pydantic import Field

from nightlatch.web.api.models import Id, Instant, Model, Text


class NewDomain(Model):
    domain: Text


class Domain(Model):
    """`proved_at` is null until the TXT record `record_name` was seen to hold `record`."""

    id: Id
    domain: str
    record_name: str
    record: str
    created_at: Instant
    proved_at: Instant | None


class Domains(Model):
    items: list[Domain]
    next_cursor: str | None = None


class CheckedDomain(Domain):
    """`found`: the texts that stand at the record's name now."""

    found: Annotated[list[str], Field(description="at most 20, cut at 255 characters")]
