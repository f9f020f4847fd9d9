"""What a SAML provider says of itself in its metadata, and what we say of ourselves in ours. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit
from xml.sax.saxutils import quoteattr

from nightlatch.instants import Instant, from_datetime
from nightlatch.sso import saml_signature
from nightlatch.sso.identity import SsoError
from nightlatch.sso.saml_xml import (
    METADATA,
    PROTOCOL,
    Element,
    children,
    everywhere,
    instant_of,
    parse,
    text_of,
)

PERSISTENT = "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent"
REDIRECT = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect"
POST = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST"
MOST_CERTIFICATES = 8
LONGEST_NAME = 1024
"""Of an entity (Core, section 8.3.6)."""


@dataclass(frozen=True, slots=True)
class Provider:
    """A provider, as a connection keeps it."""

    entity_id: str
    sign_in_url: str
    """Where a request goes, by the browser's redirect."""
    certificates: tuple[str, ...]
    """Any of them may have signed: several, while it changes from one to the next."""

    def expires_at(self) -> Instant:
        """The latest day that one of its certificates is dated until."""
        dates = [saml_signature.certificate(each).not_valid_after_utc for each in self.certificates]
        return max(map(from_datetime, dates))

    def kept(self) -> dict[str, Any]:
        """For a connection's settings."""
        return {"sign_in_url": self.sign_in_url, "certificates": list(self.certificates)}


def provider_of(entity_id: str, settings: Mapping[str, Any]) -> Provider:
    """A provider as a connection keeps it."""
    return Provider(entity_id, settings["sign_in_url"], tuple(settings["certificates"]))


@dataclass(frozen=True, slots=True)
class Service:
    """Ourselves, as a provider knows us: one for each workspace, so that no answer for one is an answer for another."""

    entity_id: str
    answers_to: str
    """Where answers are posted to (the assertion consumer service)."""

    def metadata(self) -> bytes:
        """Our metadata (Metadata, section 2.4.4): assertions signed, answers posted, requests unsigned."""
        return (
            '<?xml version="1.0" encoding="UTF-8"?>\n'
            f'<md:EntityDescriptor xmlns:md="{METADATA}" entityID={quoteattr(self.entity_id)}>'
            f'<md:SPSSODescriptor protocolSupportEnumeration="{PROTOCOL}" AuthnRequestsSigned="false"'
            ' WantAssertionsSigned="true">'
            f"<md:NameIDFormat>{PERSISTENT}</md:NameIDFormat>"
            f'<md:AssertionConsumerService Binding="{POST}" Location={quoteattr(self.answers_to)} index="0"'
            ' isDefault="true"/>'
            "</md:SPSSODescriptor></md:EntityDescriptor>\n"
        ).encode()


def read_metadata(octets: bytes, *, now: Instant, local: bool = False) -> Provider:
    """The one provider in a metadata document. `local`: plain http is taken for localhost.

    Its own signature is not looked at: it is believed because an admin put it here, or by the TLS that it came by.
    Raises SsoError (`metadata`, `malformed`).
    """
    root = parse(octets)
    found = [
        (entity, role)
        for entity in everywhere(root, "md:EntityDescriptor")
        for role in children(entity, "md:IDPSSODescriptor")
        if PROTOCOL in role.get("protocolSupportEnumeration", "").split()
    ]
    if len(found) != 1:
        raise _bad("It describes no SAML 2.0 identity provider, or more than one.")
    entity, role = found[0]
    until = [
        each for each in (instant_of(part, "validUntil") for part in (root, entity, role)) if each is not None
    ]
    if any(each <= now for each in until):
        raise _bad("It is out of date. Fetch it anew from the provider.")
    if role.get("WantAuthnRequestsSigned", "false") in ("true", "1"):
        raise _bad("The provider wants signed requests, which are not made here. Turn that off there.")
    entity_id = str(entity.get("entityID", "")).strip()
    if not entity_id or len(entity_id) > LONGEST_NAME or not entity_id.isprintable():
        raise _bad("The provider has no name (entityID) in it.")
    return Provider(entity_id, _sign_in_url(role, local=local), _certificates(role))


def _sign_in_url(role: Element, *, local: bool) -> str:
    urls = [
        str(each.get("Location", ""))
        for each in children(role, "md:SingleSignOnService")
        if each.get("Binding") == REDIRECT
    ]
    if not urls:
        raise _bad("The provider takes no requests by HTTP-Redirect. Turn that on there.")
    return checked_url(urls[0], local=local)


def checked_url(url: str, *, local: bool) -> str:
    """An address that browsers may be sent to. Raises SsoError."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        raise _bad("The provider's address for signing in cannot be read.") from None
    plain = (
        parts.scheme == "http"
        and local
        and (host in ("localhost", "127.0.0.1") or host.endswith(".localhost"))
    )
    if (
        not host
        or not (parts.scheme == "https" or plain)
        or not url.isprintable()
        or " " in url
        or parts.fragment
    ):
        raise _bad("The provider's address for signing in is not https.")
    return url


def _certificates(role: Element) -> tuple[str, ...]:
    texts = [
        "".join(text_of(each).split())
        for key in children(role, "md:KeyDescriptor")
        if key.get("use", "signing") == "signing"
        for each in everywhere(key, "ds:X509Certificate")
    ]
    certificates = tuple(dict.fromkeys(texts))
    if not 1 <= len(certificates) <= MOST_CERTIFICATES:
        raise _bad("It has no certificate that answers are signed by, or far too many.")
    for each in certificates:
        try:
            saml_signature.certificate(each)
        except ValueError:
            raise _bad(
                "A certificate in it cannot be read, or its key is weak: RSA takes 2,048 bits, else an elliptic curve."
            ) from None
    return certificates


def _bad(detail: str) -> SsoError:
    return SsoError("metadata", f"This metadata cannot be used. {detail}")
