"""What a signed assertion says, and whether it says it to us, about this request, now. Pure.

Call it with what a signature covers (`saml_signature.verified`) and with nothing else.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

from nightlatch.instants import MINUTE, Duration, Instant
from nightlatch.policy import Told
from nightlatch.sso.identity import LEEWAY, Identity, SsoError
from nightlatch.sso.saml_metadata import PERSISTENT, Provider, Service
from nightlatch.sso.saml_xml import Element, children, instant_of, name, one, text_of

LONGEST: Duration = 60 * MINUTE
"""An assertion that says it is good for longer is remembered as used for so long; requests live for ten minutes."""
_BEARER = "urn:oasis:names:tc:SAML:2.0:cm:bearer"
_ENTITY = "urn:oasis:names:tc:SAML:2.0:nameid-format:entity"
_EMAIL_FORMAT = "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress"
_UNDERSTOOD = ("saml:AudienceRestriction", "saml:OneTimeUse", "saml:ProxyRestriction")
EMAILS = (
    "email",
    "mail",
    "emailAddress",
    "urn:oid:0.9.2342.19200300.100.1.3",
    "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress",
)
NAMES = (
    "displayName",
    "name",
    "urn:oid:2.16.840.1.113730.3.1.241",
    "http://schemas.microsoft.com/identity/claims/displayname",
)
METHODS = ("amr", "http://schemas.microsoft.com/claims/authnmethodsreferences")
"""The attributes by which providers name their methods: what they hold counts as `amr` does in OpenID Connect."""


@dataclass(frozen=True, slots=True)
class Attributes:
    """Which attributes say who somebody is, where the usual ones do not."""

    subject: str = ""
    """Empty: the persistent NameID."""
    email: str = ""
    """Empty: the usual names, then a NameID that is an address."""


USUAL = Attributes()


@dataclass(frozen=True, slots=True)
class Came:
    """Somebody came, by an assertion that is to be used once."""

    identity: Identity
    assertion_hash: bytes
    expires_at: Instant
    """Until then it has to be remembered as used."""


def read(
    assertion: Element,
    provider: Provider,
    service: Service,
    request_id: str,
    now: Instant,
    attributes: Attributes,
) -> Came:
    """Who it vouches for. Raises SsoError for whatever is not for us, for this request, now."""
    if assertion.get("Version") != "2.0":
        raise SsoError("malformed", "The assertion is not of SAML 2.0.")
    issued_by(one(assertion, "saml:Issuer"), provider)
    subject = one(assertion, "saml:Subject")
    ends = _confirmed(subject, service, request_id, now)
    _conditions(one(assertion, "saml:Conditions"), service, now)
    signed_in_at, context = _statement(assertion, now)
    told = _attributes(assertion)
    identity = Identity(
        subject=_subject(subject, told, provider, service, attributes),
        email=_email(subject, told, attributes),
        # It vouches for its workspace's proved domains alone, which is asked for beside (actions/sso_people.py).
        email_verified=True,
        name=_single(told, NAMES),
        told=Told(context, frozenset(value for each in METHODS for value in told.get(each, ()))),
        auth_time=signed_in_at,
        claims={each: ", ".join(values) for each, values in told.items()},
    )
    once = sha256(str(assertion.get("ID")).encode()).digest()
    return Came(identity, once, min(ends, now + LONGEST) + LEEWAY)


def issued_by(issuer: Element, provider: Provider) -> None:
    """Raises SsoError where an issuer is not this provider."""
    if issuer.get("Format", _ENTITY) != _ENTITY or text_of(issuer) != provider.entity_id:
        raise SsoError("issuer", "This comes from another provider than this connection's.")


def _confirmed(subject: Element, service: Service, request_id: str, now: Instant) -> Instant:
    """Until when some bearer confirmation of the subject holds: for our address, our request, now."""
    problem = SsoError("malformed", "The assertion has no bearer confirmation.")
    for each in children(subject, "saml:SubjectConfirmation"):
        if each.get("Method") != _BEARER:
            continue
        data = one(each, "saml:SubjectConfirmationData")
        ends = instant_of(data, "NotOnOrAfter")
        if data.get("Recipient") != service.answers_to:
            problem = SsoError(
                "recipient", "This answer was meant for another address than this workspace's."
            )
        elif data.get("InResponseTo") != request_id:
            problem = SsoError(
                "in_response_to", "This answers no request, or another one. Begin at Nightlatch."
            )
        elif ends is None or ends + LEEWAY <= now or data.get("NotBefore") is not None:
            problem = SsoError("expired", "This answer came too late. Are the clocks of both sides right?")
        else:
            return ends
    raise problem


def _conditions(conditions: Element, service: Service, now: Instant) -> None:
    begins, ends = instant_of(conditions, "NotBefore"), instant_of(conditions, "NotOnOrAfter")
    if begins is not None and begins - LEEWAY > now:
        raise SsoError("too_early", "This assertion is not valid yet. Are the clocks of both sides right?")
    if ends is not None and ends + LEEWAY <= now:
        raise SsoError("expired", "This assertion is not valid any more. Are the clocks of both sides right?")
    if any(each.tag not in map(name, _UNDERSTOOD) for each in conditions):
        raise SsoError("malformed", "The assertion has a condition that is not understood here.")
    restrictions = children(conditions, "saml:AudienceRestriction")
    for each in restrictions:
        if service.entity_id not in map(text_of, children(each, "saml:Audience")):
            raise SsoError(
                "audience", "This assertion is for another service (audience) than this workspace's."
            )
    if not restrictions:
        raise SsoError("audience", "This assertion does not say whom it is for (audience).")


def _statement(assertion: Element, now: Instant) -> tuple[Instant, str | None]:
    """When somebody signed in there, and the class of how."""
    statement = one(assertion, "saml:AuthnStatement")
    at, ends = instant_of(statement, "AuthnInstant"), instant_of(statement, "SessionNotOnOrAfter")
    if at is None or at - LEEWAY > now:
        raise SsoError(
            "too_early", "The sign-in that it tells of is yet to come. Are the clocks of both sides right?"
        )
    if ends is not None and ends + LEEWAY <= now:
        raise SsoError("expired", "The provider's own session has ended.")
    context = one(statement, "saml:AuthnContext")
    classes = children(context, "saml:AuthnContextClassRef")
    return at, text_of(classes[0]) if len(classes) == 1 else None


def _attributes(assertion: Element) -> dict[str, list[str]]:
    """Every attribute's texts; those of one name together. Values that are more than a text are left out."""
    told = dict[str, list[str]]()
    for statement in children(assertion, "saml:AttributeStatement"):
        if children(statement, "saml:EncryptedAttribute"):
            raise SsoError(
                "encrypted", "The provider encrypts its attributes. Turn that off there: TLS protects them."
            )
        for each in children(statement, "saml:Attribute"):
            values = [value for value in children(each, "saml:AttributeValue") if not len(value)]
            told.setdefault(str(each.get("Name", "")), []).extend(filter(None, map(text_of, values)))
    return told


def _subject(
    subject: Element,
    told: dict[str, list[str]],
    provider: Provider,
    service: Service,
    attributes: Attributes,
) -> str:
    """Who it is, for good: the attribute that was chosen, else a persistent NameID of this provider for us."""
    if attributes.subject:
        found = _single(told, [attributes.subject])
        if found is None:
            raise SsoError("subject", f"There is no attribute {attributes.subject} with exactly one value.")
        return f"{attributes.subject}={found}"  # no value of one attribute is ever taken for one of another
    name_id = one(subject, "saml:NameID")
    text = text_of(name_id)
    if name_id.get("Format") != PERSISTENT or not text:
        raise SsoError(
            "subject",
            "The NameID is not persistent, so it may be somebody else's tomorrow. Let the provider send a persistent "
            "one, or choose an attribute that stays.",
        )
    ours = name_id.get("SPNameQualifier", service.entity_id) == service.entity_id
    if not ours or name_id.get("NameQualifier", provider.entity_id) != provider.entity_id:
        raise SsoError("subject", "The NameID is of another provider, or for another service.")
    return text


def _email(subject: Element, told: dict[str, list[str]], attributes: Attributes) -> str | None:
    found = _single(told, [attributes.email] if attributes.email else EMAILS)
    if found is None and not attributes.email:
        ids = children(subject, "saml:NameID")
        return next((text_of(each) for each in ids if each.get("Format") == _EMAIL_FORMAT), None)
    return found


def _single(told: dict[str, list[str]], names: Sequence[str]) -> str | None:
    """The one value of the first of these attributes that is there; two different values are none."""
    for each in names:
        values = set(told.get(each, ()))
        if values:
            return values.pop() if len(values) == 1 else None
    return None
