"""SAML 2.0, the Web Browser SSO profile: a request by redirect, an answer by POST, and who came by it. Pure.

Taken is one profile, and everything else refused: one assertion, signed by itself, in answer to a request of ours, for
us, now. What the profile asks for is in "Profiles for SAML V2.0", section 4.1.4; the order here is: read the document
without trusting it, verify the assertion, and from then on look at nothing but what was signed.
"""

import base64
import zlib
from urllib.parse import urlencode
from xml.sax.saxutils import escape, quoteattr

from nightlatch.instants import Instant, to_text
from nightlatch.sso import saml_signature
from nightlatch.sso.identity import SsoError
from nightlatch.sso.saml_assertion import USUAL, Attributes, Came, issued_by, read
from nightlatch.sso.saml_metadata import PERSISTENT, POST, Provider, Service
from nightlatch.sso.saml_xml import (
    ASSERTION,
    PROTOCOL,
    Element,
    children,
    decoded,
    everywhere,
    name,
    one,
    parse,
)

_SUCCESS = "urn:oasis:names:tc:SAML:2.0:status:Success"
_CANCELLED = ("AuthnFailed", "RequestDenied", "NoPassive")
_STATUS = "urn:oasis:names:tc:SAML:2.0:status:"


# --- there ---


def request_url(
    provider: Provider,
    service: Service,
    *,
    request_id: str,
    relay_state: str,
    now: Instant,
    fresh: bool = False,
    persistent: bool = True,
) -> str:
    """Where the browser goes (Bindings, section 3.4.4.1). `fresh`: the provider is to ask anew (ForceAuthn).

    `persistent`: ask for a NameID that stays; not where an attribute says who somebody is.
    """
    policy = f'<samlp:NameIDPolicy Format="{PERSISTENT}" AllowCreate="true"/>' if persistent else ""
    again = ' ForceAuthn="true"' if fresh else ""
    request = (
        f'<samlp:AuthnRequest xmlns:samlp="{PROTOCOL}" xmlns:saml="{ASSERTION}" ID={quoteattr(request_id)}'
        f' Version="2.0" IssueInstant="{to_text(now)}" Destination={quoteattr(provider.sign_in_url)}'
        f' ProtocolBinding="{POST}" AssertionConsumerServiceURL={quoteattr(service.answers_to)}{again}>'
        f"<saml:Issuer>{escape(service.entity_id)}</saml:Issuer>{policy}</samlp:AuthnRequest>"
    )
    deflate = zlib.compressobj(wbits=-15)
    packed = base64.b64encode(deflate.compress(request.encode()) + deflate.flush()).decode()
    query = urlencode({"SAMLRequest": packed, "RelayState": relay_state})
    return f"{provider.sign_in_url}{'&' if '?' in provider.sign_in_url else '?'}{query}"


# --- back ---


def read_response(
    text: str,
    *,
    provider: Provider,
    service: Service,
    request_id: str,
    now: Instant,
    attributes: Attributes = USUAL,
) -> Came:
    """Who came, by the answer in a form's SAMLResponse. Raises SsoError, whose code says why nobody did."""
    root = parse(decoded(text))
    if root.tag != name("samlp:Response"):
        raise SsoError("malformed", "What came back is no SAML response.")
    pinned = [saml_signature.certificate(each) for each in provider.certificates]
    _envelope(root, provider, service, request_id)
    assertion = _only_assertion(root)
    if children(root, "ds:Signature"):
        saml_signature.verified(root, pinned)  # nothing is read from it: a wrong one is refused, that is all
    signed = saml_signature.verified(assertion, pinned)
    return read(signed, provider, service, request_id, now, attributes)


def _envelope(root: Element, provider: Provider, service: Service, request_id: str) -> None:
    """What stands around the assertion is not believed; it is refused where it contradicts."""
    if root.get("Version") != "2.0":
        raise SsoError("malformed", "What came back is not of SAML 2.0.")
    _success(root)
    if root.get("InResponseTo", request_id) != request_id:
        raise SsoError("in_response_to", "This answers another request.")
    if root.get("Destination", service.answers_to) != service.answers_to:
        raise SsoError("recipient", "This answer was meant for another address than this workspace's.")
    for issuer in children(root, "saml:Issuer"):
        issued_by(issuer, provider)


def _success(root: Element) -> None:
    status = one(root, "samlp:Status")
    codes = [str(each.get("Value", "")) for each in status.iter(name("samlp:StatusCode"))]
    if codes and codes[0] == _SUCCESS:
        return
    said = [each.removeprefix(_STATUS) for each in codes if each.startswith(_STATUS)]
    known = [each for each in said if each.isascii() and each.isalpha() and len(each) < 40]
    if any(each in _CANCELLED for each in known):
        raise SsoError("access_denied", f"The provider let nobody sign in ({', '.join(known)}).")
    raise SsoError("status", f"The provider answered {', '.join(known) or 'without success'}.")


def _only_assertion(root: Element) -> Element:
    """The one assertion, where it belongs, signed by itself: the shape that wrapping a signature has to break."""
    if any(True for _ in everywhere(root, "saml:EncryptedAssertion")):
        raise SsoError(
            "encrypted", "The provider encrypts its assertions. Turn that off there: TLS protects them."
        )
    found, responses = list(everywhere(root, "saml:Assertion")), list(everywhere(root, "samlp:Response"))
    direct = children(root, "saml:Assertion")
    if len(found) != 1 or len(direct) != 1 or len(responses) != 1:
        raise SsoError("malformed", "What came back does not hold exactly one assertion.")
    assertion = direct[0]
    signatures = list(everywhere(root, "ds:Signature"))
    if any(each.getparent() not in (root, assertion) for each in signatures):
        raise SsoError("signature", "There is a signature where none belongs.")
    if not children(assertion, "ds:Signature"):
        raise SsoError(
            "not_signed", "The assertion is not signed. Let the provider sign it, not the response alone."
        )
    return assertion
