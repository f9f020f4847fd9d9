"""Setting up a SAML connection: what pages and API have in common."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nightlatch.actions import connections
from nightlatch.actions.connections import Connection
from nightlatch.instants import Instant, from_datetime
from nightlatch.refusals import invalid, not_found
from nightlatch.sso.identity import SsoError
from nightlatch.store.connections import SAML
from nightlatch.web import saml
from nightlatch.web.context import Context

if TYPE_CHECKING:
    from nightlatch.sso.saml_metadata import Provider

LARGEST_METADATA = 256 * 1024
LONGEST_ATTRIBUTE = 200


@dataclass(frozen=True, slots=True)
class Typed:
    """What an admin gives: the metadata, or where it is; which attributes say who somebody is; None leaves a thing."""

    metadata: str = ""
    metadata_url: str = ""
    subject_attribute: str | None = None
    email_attribute: str | None = None


@dataclass(frozen=True, slots=True)
class Certificate:
    """One of a provider's certificates, to be told apart by people."""

    fingerprint: str
    """SHA-256, in hexadecimal."""
    ends_at: Instant
    """The day on it, which is shown and not enforced."""


async def add(context: Context, *, name: str, typed: Typed, joins: bool) -> Connection:
    """Add a connection to the provider that the metadata describes. Raises Refused."""
    service = saml.service_of(context.front.config, context.workspace_id)
    provider = await _provider(context, typed)
    if provider is None:
        raise invalid("metadata", "Paste the provider's metadata, or enter where it is.")
    settings = {**provider.kept(), **_attributes(typed)}
    return await context.write(
        lambda tx: connections.add(
            tx,
            by=context.by,
            workspace_id=context.workspace_id,
            kind=SAML,
            name=name,
            issuer=provider.entity_id,
            client_id=service.entity_id,
            settings=settings,
            joins=joins,
        )
    )


async def change(context: Context, connection_id: int, typed: Typed) -> Connection:
    """Newer metadata of the same provider, other attributes. Raises Refused."""
    saml.needs_extra()
    before, provider = await read(context, connection_id), await _provider(context, typed)
    if provider is not None and provider.entity_id != before.issuer:
        raise invalid(
            "metadata", "This is another provider's. A connection stays with its own: add another one."
        )
    settings = {**before.settings, **(provider.kept() if provider is not None else {}), **_attributes(typed)}
    return await context.write(
        lambda tx: connections.change(
            tx,
            by=context.by,
            workspace_id=context.workspace_id,
            connection_id=connection_id,
            settings=settings,
        )
    )


async def read(context: Context, connection_id: int) -> Connection:
    """A SAML connection of the workspace in the path. Raises Refused (`not_found`)."""
    found = await context.read(lambda tx: connections.read(tx, context.workspace_id, connection_id))
    if found.kind != SAML:
        raise not_found()
    return found


def certificates(settings: Mapping[str, Any]) -> list[Certificate]:
    """What is kept of a provider's certificates. Raises Refused without the extra."""
    saml.needs_extra()
    from cryptography.hazmat.primitives.hashes import SHA256

    from nightlatch.sso.saml_signature import certificate

    found = map(certificate, settings["certificates"])
    return [
        Certificate(each.fingerprint(SHA256()).hex(), from_datetime(each.not_valid_after_utc))
        for each in found
    ]


async def _provider(context: Context, typed: Typed) -> "Provider | None":
    """What the metadata says; None where none was given."""
    from nightlatch.sso.saml_metadata import read_metadata

    field = "metadata" if typed.metadata.strip() else "metadata_url"
    try:
        if typed.metadata.strip():
            octets = typed.metadata.strip().encode()
        elif typed.metadata_url.strip():
            octets = await context.front.fetcher.document(
                typed.metadata_url.strip(), "The metadata's address"
            )
        else:
            return None
        now, local = context.now, context.front.config.local
        return await context.pool(lambda: read_metadata(octets, now=now, local=local))
    except SsoError as error:
        raise invalid(field, error.detail) from None


def _attributes(typed: Typed) -> dict[str, str]:
    given = {"subject_attribute": typed.subject_attribute, "email_attribute": typed.email_attribute}
    cleaned = {name: text.strip() for name, text in given.items() if text is not None}
    for name, text in cleaned.items():
        if len(text) > LONGEST_ATTRIBUTE or not text.isprintable():
            raise invalid(name, f"The name of an attribute, of at most {LONGEST_ATTRIBUTE} characters.")
    return cleaned
