"""A SAML identity provider of the tests. It signs with xmlsec1, which shares no code with what verifies here."""

import base64
import datetime
import re
import secrets
import subprocess
import threading
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from nightlatch.instants import MINUTE, Instant, to_text
from nightlatch.sso.saml_metadata import Provider, Service

NAMESPACES = (
    'xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion"'
)
PERSISTENT = "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent"
PASSWORD = "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport"
MFA = "https://refeds.org/profile/mfa"
_MORE = "http://www.w3.org/2001/04/xmldsig-more#"
RSA_SHA256, ECDSA_SHA256 = f"{_MORE}rsa-sha256", f"{_MORE}ecdsa-sha256"
RSA_SHA1, SHA1 = "http://www.w3.org/2000/09/xmldsig#rsa-sha1", "http://www.w3.org/2000/09/xmldsig#sha1"
SHA256 = "http://www.w3.org/2001/04/xmlenc#sha256"
EXCLUSIVE = "http://www.w3.org/2001/10/xml-exc-c14n#"


@dataclass(frozen=True)
class Says:
    """What an answer says. A test changes what it is about."""

    service: Service
    request_id: str
    now: Instant
    name_id: str = "ana-7f3a"
    name_format: str = PERSISTENT
    name_more: str = ""
    attributes: dict[str, list[str]] = field(default_factory=dict)
    context: str = PASSWORD
    signed_in_at: Instant | None = None
    issuer: str = ""
    audience: str | None = None
    recipient: str | None = None
    destination: str | None = None
    in_response_to: str | None = None
    lasts: int = 5 * MINUTE
    begins: Instant | None = None
    status: str = "Success"
    response_id: str = "_response"
    assertion_id: str = "_assertion"

    def but(self, **changes: object) -> "Says":
        """The same, but."""
        return replace(self, **changes)  # type: ignore[arg-type]


def template(of: str, method: str = RSA_SHA256, digest: str = SHA256, c14n: str = EXCLUSIVE) -> str:
    """A signature that is yet to be made, over the element with an ID."""
    return (
        '<ds:Signature xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:SignedInfo>'
        f'<ds:CanonicalizationMethod Algorithm="{EXCLUSIVE}"/><ds:SignatureMethod Algorithm="{method}"/>'
        f'<ds:Reference URI="#{of}"><ds:Transforms>'
        '<ds:Transform Algorithm="http://www.w3.org/2000/09/xmldsig#enveloped-signature"/>'
        f'<ds:Transform Algorithm="{c14n}"/></ds:Transforms>'
        f'<ds:DigestMethod Algorithm="{digest}"/><ds:DigestValue/></ds:Reference></ds:SignedInfo>'
        "<ds:SignatureValue/><ds:KeyInfo><ds:X509Data><ds:X509Certificate/></ds:X509Data></ds:KeyInfo></ds:Signature>"
    )


def assertion(idp: str, says: Says, signature: str = "") -> str:
    """An assertion."""
    service = says.service
    begins = says.now - MINUTE if says.begins is None else says.begins
    ends = to_text(says.now + says.lasts)
    recipient = service.answers_to if says.recipient is None else says.recipient
    answers = says.request_id if says.in_response_to is None else says.in_response_to
    audience = service.entity_id if says.audience is None else says.audience
    told = "".join(
        f'<saml:Attribute Name="{name}">'
        + "".join(f"<saml:AttributeValue>{value}</saml:AttributeValue>" for value in values)
        + "</saml:Attribute>"
        for name, values in says.attributes.items()
    )
    statement = f"<saml:AttributeStatement>{told}</saml:AttributeStatement>" if told else ""
    in_response_to = f' InResponseTo="{answers}"' if answers else ""
    restriction = (
        f"<saml:AudienceRestriction><saml:Audience>{audience}</saml:Audience></saml:AudienceRestriction>"
        if audience
        else ""
    )
    return (
        f'<saml:Assertion {NAMESPACES} ID="{says.assertion_id}" Version="2.0" IssueInstant="{to_text(says.now)}">'
        f"<saml:Issuer>{says.issuer or idp}</saml:Issuer>{signature}"
        f'<saml:Subject><saml:NameID Format="{says.name_format}"{says.name_more}>{says.name_id}</saml:NameID>'
        '<saml:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:bearer">'
        f'<saml:SubjectConfirmationData NotOnOrAfter="{ends}" Recipient="{recipient}"{in_response_to}/>'
        "</saml:SubjectConfirmation></saml:Subject>"
        f'<saml:Conditions NotBefore="{to_text(begins)}" NotOnOrAfter="{ends}">{restriction}</saml:Conditions>'
        f'<saml:AuthnStatement AuthnInstant="{to_text(says.signed_in_at or says.now)}" SessionIndex="_s">'
        f"<saml:AuthnContext><saml:AuthnContextClassRef>{says.context}</saml:AuthnContextClassRef>"
        f"</saml:AuthnContext></saml:AuthnStatement>{statement}</saml:Assertion>"
    )


def response(idp: str, says: Says, inside: str, signature: str = "") -> str:
    """A response around it."""
    destination = says.service.answers_to if says.destination is None else says.destination
    answers = says.request_id if says.in_response_to is None else says.in_response_to
    to = f' Destination="{destination}"' if destination else ""
    in_response_to = f' InResponseTo="{answers}"' if answers else ""
    code = "".join(
        f'<samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:{each}">'
        for each in says.status.split("/")
    ) + "</samlp:StatusCode>" * len(says.status.split("/"))
    return (
        f'<samlp:Response {NAMESPACES} ID="{says.response_id}" Version="2.0" IssueInstant="{to_text(says.now)}"'
        f"{to}{in_response_to}><saml:Issuer>{says.issuer or idp}</saml:Issuer>{signature}"
        f"<samlp:Status>{code}</samlp:Status>{inside}</samlp:Response>"
    )


class Idp:
    """A provider with a key and a certificate of its own."""

    def __init__(
        self,
        folder: Path,
        entity_id: str = "https://idp.acme.example/saml",
        *,
        elliptic: bool = False,
        bits: int = 2048,
    ) -> None:
        self.entity_id = entity_id
        self.sign_in_url = "https://idp.acme.example/sso?tenant=1"
        self.elliptic = elliptic
        folder.mkdir(parents=True, exist_ok=True)
        self._key, self._certificate = folder / "key.pem", folder / "cert.pem"
        self._make(bits)

    def _make(self, bits: int) -> None:
        key = (
            ec.generate_private_key(ec.SECP256R1())
            if self.elliptic
            else rsa.generate_private_key(public_exponent=65537, key_size=bits)
        )
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "idp")])
        made = (
            x509.CertificateBuilder(name, name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(datetime.datetime(2020, 1, 1))  # noqa: DTZ001
            .not_valid_after(datetime.datetime(2021, 1, 1))  # noqa: DTZ001 - long ago: the key is what is trusted
            .sign(key, hashes.SHA256())
        )
        private = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        self._key.write_bytes(private)
        self._certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))

    @property
    def certificate(self) -> str:
        """The certificate as metadata has it."""
        return "".join(line for line in self._certificate.read_text().splitlines() if "-----" not in line)

    @property
    def provider(self) -> Provider:
        """As a connection keeps it."""
        return Provider(self.entity_id, self.sign_in_url, (self.certificate,))

    def metadata(self, more: str = "", role: str = "") -> str:
        """What it says of itself."""
        keys = "".join(
            f'<md:KeyDescriptor{use}><ds:KeyInfo xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:X509Data>'
            f"<ds:X509Certificate>\n{self.certificate}\n</ds:X509Certificate></ds:X509Data></ds:KeyInfo>"
            "</md:KeyDescriptor>"
            for use in (' use="signing"', ' use="encryption"')
        )
        return (
            '<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata"'
            f' entityID="{self.entity_id}"{more}>'
            f'<md:IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol"{role}>{keys}'
            '<md:SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" Location="https://p/"/>'
            '<md:SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect"'
            f' Location="{self.sign_in_url}"/></md:IDPSSODescriptor></md:EntityDescriptor>'
        )

    def sign(self, xml: str) -> str:
        """Fill in the first signature that stands in a document, by xmlsec1."""
        kinds = ("assertion:Assertion", "protocol:Response")
        done = subprocess.run(
            [
                "xmlsec1",
                "--sign",
                "--privkey-pem",
                f"{self._key},{self._certificate}",
                *(part for kind in kinds for part in ("--id-attr:ID", f"urn:oasis:names:tc:SAML:2.0:{kind}")),
                "/dev/stdin",
            ],
            input=xml.encode(),
            capture_output=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr.decode()
        text = done.stdout.decode()
        return text.partition("?>\n")[2].strip() if text.startswith("<?xml") else text

    def signed_assertion(self, says: Says, **how: str) -> str:
        """An assertion with its signature."""
        method = {"method": ECDSA_SHA256} if self.elliptic else {}
        return self.sign(assertion(self.entity_id, says, template(says.assertion_id, **{**method, **how})))

    def answer(self, says: Says, *, response_too: bool = False, **how: str) -> str:
        """A response with a signed assertion in it, and perhaps a signature of its own."""
        inside = self.signed_assertion(says, **how)
        if not response_too:
            return response(self.entity_id, says, inside)
        return self.sign(response(self.entity_id, says, inside, template(says.response_id)))


def form_value(xml: str) -> str:
    """As a form carries it."""
    return base64.b64encode(xml.encode()).decode()


@dataclass(frozen=True)
class Somebody:
    """Who may sign in at a provider that is served."""

    name_id: str
    email: str
    name: str
    context: str = PASSWORD


@contextmanager
def serving(idp: Idp, people: Sequence[Somebody], now: Callable[[], float]) -> Iterator[str]:
    """A provider that is served on loopback, at an address that is another site than Nightlatch's; its origin.

    Its one page has a button for each person, which posts the signed answer from there, as providers' pages do.
    """

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            address = urlsplit(self.path)
            if address.path == "/metadata":
                self._answer("application/samlmetadata+xml", idp.metadata())
            elif address.path == "/sso":
                self._answer("text/html; charset=utf-8", _page(idp, people, parse_qs(address.query), now()))
            else:
                self.send_error(404)

        def _answer(self, kind: str, text: str) -> None:
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(text.encode())))
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *args: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    origin = f"http://127.0.0.1:{server.server_address[1]}"
    idp.entity_id, idp.sign_in_url = f"{origin}/metadata", f"{origin}/sso"
    try:
        yield origin
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _page(idp: Idp, people: Sequence[Somebody], query: dict[str, list[str]], now: float) -> str:
    request = zlib.decompress(base64.b64decode(query["SAMLRequest"][0]), wbits=-15).decode()
    found = {
        name: re.findall(pattern, request)[0]
        for name, pattern in (
            ("id", r' ID="([^"]+)"'),
            ("acs", r' AssertionConsumerServiceURL="([^"]+)"'),
            ("entity", r"<saml:Issuer>([^<]+)<"),
        )
    }
    forms = ""
    for each in people:
        says = Says(
            Service(found["entity"], found["acs"]),
            found["id"],
            round(now * 1_000_000),
            name_id=each.name_id,
            context=each.context,
            attributes={"mail": [each.email], "displayName": [each.name]},
            response_id=f"_{secrets.token_hex(8)}",
            assertion_id=f"_{secrets.token_hex(8)}",
        )
        forms += (
            f'<form method="post" action="{found["acs"]}">'
            f'<input type="hidden" name="SAMLResponse" value="{form_value(idp.answer(says))}">'
            f'<input type="hidden" name="RelayState" value="{query["RelayState"][0]}">'
            f"<button>Sign in as {each.name}</button></form>"
        )
    asked = "You are asked to sign in again" if 'ForceAuthn="true"' in request else "Sign in"
    return f'<!doctype html><html lang="en"><title>Campus</title><h1>{asked}</h1>{forms}</html>'
