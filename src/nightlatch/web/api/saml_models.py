"""The shapes of connections by SAML."""

from typing import Annotated

from pydantic import Field

from nightlatch.web.api.models import Id, Instant, Model, Text

Metadata = Annotated[str, Field(max_length=262_144, description="XML")]
Address = Annotated[str, Field(max_length=2_000)]
Attribute = Annotated[str, Field(max_length=200)]


class NewSamlConnection(Model):
    """`metadata`, or `metadata_url`: where it is."""

    name: Text
    metadata: Metadata = ""
    metadata_url: Address = ""
    subject_attribute: Attribute = ""
    email_attribute: Attribute = ""
    joins: bool = False


class SamlChange(Model):
    metadata: Metadata = ""
    metadata_url: Address = ""
    subject_attribute: Attribute | None = None
    email_attribute: Attribute | None = None


class SamlCertificate(Model):
    """`ends_at`: the day on it, which is not enforced."""

    sha256: str
    ends_at: Instant


class SamlConnection(Model):
    """`entity_id` and `acs` are ours, for the provider."""

    id: Id
    name: str
    issuer: str
    sign_in_url: str
    certificates: list[SamlCertificate]
    subject_attribute: str
    email_attribute: str
    joins: bool
    entity_id: str
    acs: str
