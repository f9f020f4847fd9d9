"""XML from strangers: read without entities, DTDs, comments or processing instructions, and told apart by full names.

What is read here was not verified yet. `sso.saml` says which part of it is believed, and why. Pure.
"""

import base64
import binascii
from collections.abc import Iterator
from typing import Any, TypeAlias

from lxml import etree

from nightlatch.instants import Instant, from_text
from nightlatch.sso.identity import SsoError

Element: TypeAlias = Any
"""An element of lxml, which comes without types."""

PROTOCOL = "urn:oasis:names:tc:SAML:2.0:protocol"
ASSERTION = "urn:oasis:names:tc:SAML:2.0:assertion"
METADATA = "urn:oasis:names:tc:SAML:2.0:metadata"
SIGNATURE = "http://www.w3.org/2000/09/xmldsig#"
ENCRYPTION = "http://www.w3.org/2001/04/xmlenc#"
_NAMESPACES = {"samlp": PROTOCOL, "saml": ASSERTION, "md": METADATA, "ds": SIGNATURE, "xenc": ENCRYPTION}

MOST_OCTETS = 256 * 1024


def name(short: str) -> str:
    """The full name of `saml:Assertion` and the like."""
    prefix, _, local = short.partition(":")
    return f"{{{_NAMESPACES[prefix]}}}{local}"


def decoded(text: str) -> bytes:
    """What a form's field carries in base64. Raises SsoError."""
    if len(text) > 2 * MOST_OCTETS:
        raise _malformed("It is too large.")
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        raise _malformed("It is no base64.") from None


def parse(octets: bytes) -> Element:
    """The root of a document that is UTF-8 and declares nothing of its own.

    Raises SsoError for anything that could make two readers see two documents: a DTD, an entity, a comment, a
    processing instruction, an identifier that two elements have.
    """
    try:
        text = octets.decode()
    except UnicodeDecodeError:
        raise _malformed("It is not UTF-8.") from None
    if len(octets) > MOST_OCTETS or "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise _malformed("It is too large, or declares a document type.")
    parser = etree.XMLParser(encoding="utf-8", resolve_entities=False, no_network=True, load_dtd=False)
    try:
        root = etree.fromstring(octets, parser)
    except etree.XMLSyntaxError:
        raise _malformed("It is no XML.") from None
    info = root.getroottree().docinfo
    if info.internalDTD is not None or info.externalDTD is not None:
        raise _malformed("It declares a document type.")
    _plain(root)
    return root


def _plain(root: Element) -> None:
    seen = set[str]()
    beside = [*root.itersiblings(), *root.itersiblings(preceding=True)]
    for each in (*root.iter(), *beside):
        if not isinstance(each.tag, str):  # a comment, a processing instruction, an entity
            raise _malformed("It holds a comment, a processing instruction or an entity.")
        for attribute in ("ID", "Id", "id", "{http://www.w3.org/XML/1998/namespace}id"):
            value = each.get(attribute)
            if value is not None and value in seen:
                raise _malformed("Two of its elements have one identifier.")
            if value is not None:
                seen.add(value)


def children(element: Element, short: str) -> list[Element]:
    """The children of one name."""
    return list(element.iterchildren(name(short)))


def one(element: Element, short: str) -> Element:
    """The one child of a name. Raises SsoError where there is none, or a second one."""
    found = children(element, short)
    if len(found) != 1:
        raise _malformed(f"It needs exactly one {short.partition(':')[2]} there.")
    return found[0]


def everywhere(root: Element, short: str) -> Iterator[Element]:
    """Every element of a name, the root among them."""
    return iter(root.iter(name(short)))


def text_of(element: Element) -> str:
    """The text of an element that has nothing but text. Raises SsoError."""
    if len(element):
        raise _malformed("There is more than a text where a text should stand.")
    return str(element.text or "").strip()


def instant_of(element: Element, attribute: str) -> Instant | None:
    """An instant (xs:dateTime with an offset) in an attribute; None where it is not there. Raises SsoError."""
    value = element.get(attribute)
    if value is None:
        return None
    try:
        return from_text(str(value).strip())
    except ValueError:
        raise _malformed("It holds an instant that cannot be read.") from None


def _malformed(detail: str) -> SsoError:
    return SsoError("malformed", f"The provider's answer cannot be read. {detail}")
