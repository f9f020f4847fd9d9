"""Signatures of SAML: which ones are taken, and what of a document they really cover. Pure.

`verified` gives back what was signed, read anew from the very octets that the signature covers (signxml: "see what is
signed"). Nothing outside of it is ever believed, wherever it stood in the document. Before that, whatever a signature
does not need is refused: other transforms, other references, SHA-1, keys that came with it.
"""

from collections.abc import Iterable
from datetime import timedelta

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from signxml.algorithms import DigestAlgorithm, SignatureMethod
from signxml.verifier import SignatureConfiguration, VerifyResult, XMLVerifier

from nightlatch.sso.identity import SsoError
from nightlatch.sso.saml_xml import Element, children, name, one

EXCLUSIVE = "http://www.w3.org/2001/10/xml-exc-c14n#"
_ENVELOPED = "http://www.w3.org/2000/09/xmldsig#enveloped-signature"
_METHODS = frozenset(
    {
        SignatureMethod.RSA_SHA256,
        SignatureMethod.RSA_SHA384,
        SignatureMethod.RSA_SHA512,
        SignatureMethod.ECDSA_SHA256,
        SignatureMethod.ECDSA_SHA384,
        SignatureMethod.ECDSA_SHA512,
    }
)
_DIGESTS = frozenset({DigestAlgorithm.SHA256, DigestAlgorithm.SHA384, DigestAlgorithm.SHA512})
_SHA1 = ("#sha1", "#rsa-sha1", "#dsa-sha1", "#ecdsa-sha1")
SMALLEST_RSA = 2048


def certificate(text: str) -> x509.Certificate:
    """A certificate as metadata and PEM files hold it. Raises ValueError for what is none, or holds a weak key."""
    body = "".join(line for line in text.splitlines() if "-----" not in line)
    pem = f"-----BEGIN CERTIFICATE-----\n{''.join(body.split())}\n-----END CERTIFICATE-----\n"
    found = x509.load_pem_x509_certificate(pem.encode("ascii", "replace"))
    key = found.public_key()
    strong = isinstance(key, EllipticCurvePublicKey) and key.key_size >= 256
    if not strong and not (isinstance(key, RSAPublicKey) and key.key_size >= SMALLEST_RSA):
        raise ValueError("a key of a kind or size that is not taken")
    return found


def verified(element: Element, certificates: Iterable[x509.Certificate]) -> Element:
    """What the signature of an element covers, read anew: the element itself, without its signature.

    Its own and only signature, over itself, by one of these certificates. Raises SsoError.
    """
    signature = one(element, "ds:Signature")
    _shape(element, signature)
    for each in certificates:
        result = _by(element, each)
        if result is not None:
            return _covers(element, result)
    raise SsoError(
        "signature",
        "The signature does not fit the certificates that are kept here. Has the provider new ones? Paste its metadata "
        "again.",
    )


def _shape(element: Element, signature: Element) -> None:
    """One reference, to the element around it; no transform but those two; nothing else inside."""
    signed = one(signature, "ds:SignedInfo")
    reference = one(signed, "ds:Reference")
    algorithms = {each.get("Algorithm", "") for each in signature.iter(name("ds:SignatureMethod"))}
    algorithms |= {each.get("Algorithm", "") for each in signature.iter(name("ds:DigestMethod"))}
    if any(each.endswith(_SHA1) for each in algorithms):
        raise SsoError(
            "sha1", "The signature uses SHA-1, which can be forged. Let the provider sign with SHA-256."
        )
    transforms = [each.get("Algorithm") for each in one(reference, "ds:Transforms")]
    own = element.get("ID")
    if (
        not own
        or reference.get("URI") != f"#{own}"
        or transforms != [_ENVELOPED, EXCLUSIVE]
        or one(signed, "ds:CanonicalizationMethod").get("Algorithm") != EXCLUSIVE
        or children(signature, "ds:Object")
    ):
        raise SsoError("signature", "The signature is not made as SAML asks for (Core, section 5.4).")


def _by(element: Element, pinned: x509.Certificate) -> VerifyResult | None:
    """What signxml verifies by one certificate, whatever came with the signature; None where it does not."""
    expected = SignatureConfiguration(
        location="./",
        expect_references=1,
        signature_methods=_METHODS,
        digest_algorithms=_DIGESTS,
        # The key is what is trusted, by whoever put it here; until when its paper is dated, the page shows.
        verification_time=pinned.not_valid_before_utc + timedelta(seconds=1),
    )
    try:
        result = XMLVerifier().verify(element, x509_cert=pinned, id_attribute="ID", expect_config=expected)
    except Exception:  # whatever it trips over is no valid signature
        return None
    return result if isinstance(result, VerifyResult) else None


def _covers(element: Element, result: VerifyResult) -> Element:
    signed = result.signed_xml
    if signed is None or signed.tag != element.tag or signed.get("ID") != element.get("ID"):
        raise SsoError("signature", "The signature covers something else than what it stands in.")
    return signed
