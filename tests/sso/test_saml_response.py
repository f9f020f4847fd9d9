"""What comes back from a SAML provider: taken as the profile says, refused in every other shape.

The answers are signed by xmlsec1. Attacks are what one can make of an answer that was really signed.
"""

import base64
import re
import zlib
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from nightlatch.instants import HOUR, MINUTE
from nightlatch.sso.identity import SsoError
from nightlatch.sso.saml import read_response, request_url
from nightlatch.sso.saml_assertion import Attributes
from nightlatch.sso.saml_metadata import Provider
from nightlatch.sso.saml_signature import certificate, verified
from nightlatch.sso.saml_xml import children, one, parse
from tests.sso.answers import ANA, EMAIL, MALLORY, NOW, OURS, REQUEST, comes, read, refused
from tests.support.saml_idp import (
    MFA,
    PASSWORD,
    RSA_SHA1,
    SHA1,
    Idp,
    assertion,
    response,
    template,
)

# --- what is taken ---


def test_somebody_comes(idp: Idp):
    says = ANA.but(
        attributes={
            "mail": ["ana@acme.example"],
            "displayName": ["Ana Sá"],
            "amr": ["pwd", "otp"],
            "groups": ["a", "b"],
        },
        context=MFA,
        signed_in_at=NOW - HOUR,
    )
    came = read(idp.answer(says), idp.provider)
    who = came.identity
    assert (who.subject, who.email, who.name) == ("ana-7f3a", "ana@acme.example", "Ana Sá")
    assert (who.told.acr, who.told.amr, who.auth_time) == (MFA, frozenset({"pwd", "otp"}), NOW - HOUR)
    assert who.claims["groups"] == "a, b"
    assert NOW + 5 * MINUTE < came.expires_at <= NOW + 7 * MINUTE
    again = read(idp.answer(says.but(assertion_id="_another")), idp.provider)
    assert again.assertion_hash != came.assertion_hash


def test_a_response_may_be_signed_as_well(idp: Idp, other: Idp):
    """But a signature that is there holds, needed or not."""
    both = idp.answer(ANA, response_too=True)
    assert comes(both, idp).subject == ANA.name_id
    with refused("signature"):
        comes(re.sub(r'IssueInstant="2026', 'IssueInstant="2025', both, count=1), idp)
    outside = other.sign(response(idp.entity_id, ANA, idp.signed_assertion(ANA), template(ANA.response_id)))
    with refused("signature"):
        comes(outside, idp)


def test_elliptic_keys(tmp_path: Path):
    elliptic = Idp(tmp_path, elliptic=True)
    assert comes(elliptic.answer(ANA), elliptic).subject == ANA.name_id


def test_several_certificates_while_the_provider_changes_to_the_next(idp: Idp, other: Idp):
    both = Provider(idp.entity_id, idp.sign_in_url, (other.certificate, idp.certificate))
    assert read(idp.answer(ANA), both).identity.subject == ANA.name_id
    assert read(other.answer(ANA.but(issuer=idp.entity_id)), both).identity.subject == ANA.name_id


@pytest.mark.parametrize(
    "names,given,email",
    [
        ("", {"email": ["ana@acme.example"]}, "ana@acme.example"),
        ("", {"urn:oid:0.9.2342.19200300.100.1.3": ["ana@acme.example"]}, "ana@acme.example"),
        ("", {"email": ["ana@acme.example", "ana@beta.example"]}, None),
        ("", {"other": ["ana@acme.example"]}, None),
        ("work", {"work": ["ana@acme.example"], "email": ["ana@beta.example"]}, "ana@acme.example"),
        ("work", {"email": ["ana@beta.example"]}, None),
    ],
)
def test_the_address_is_the_one_that_is_said_once(idp: Idp, names, given, email):
    came = comes(idp.answer(ANA.but(attributes=given)), idp, attributes=Attributes(email=names))
    assert came.email == email


def test_who_it_is_stays(idp: Idp):
    """A persistent NameID, or the attribute that an admin chose; never an address that may be somebody else's."""
    by_address = ANA.but(name_format=EMAIL, name_id="ana@acme.example", attributes={"uid": ["u-17"]})
    with refused("subject"):
        comes(idp.answer(by_address), idp)
    chosen = comes(idp.answer(by_address), idp, attributes=Attributes(subject="uid"))
    assert (chosen.subject, chosen.email) == ("uid=u-17", "ana@acme.example")
    unclear: list[dict[str, list[str]]] = [{}, {"uid": []}, {"uid": ["u-17", "u-18"]}]
    for given in unclear:
        with refused("subject"):
            comes(idp.answer(by_address.but(attributes=given)), idp, attributes=Attributes(subject="uid"))
    for kind in ("transient", "unspecified"):
        with refused("subject"):
            comes(idp.answer(ANA.but(name_format=f"urn:oasis:names:tc:SAML:2.0:nameid-format:{kind}")), idp)


def test_a_persistent_name_is_of_this_provider_and_for_us(idp: Idp):
    own = f' NameQualifier="{idp.entity_id}" SPNameQualifier="{OURS.entity_id}"'
    assert comes(idp.answer(ANA.but(name_more=own)), idp).subject == ANA.name_id
    for foreign in (' NameQualifier="https://other.example"', ' SPNameQualifier="https://other.example"'):
        with refused("subject"):
            comes(idp.answer(ANA.but(name_more=foreign)), idp)


# --- signatures ---


def test_what_is_not_signed_itself_counts_for_nothing(idp: Idp):
    unsigned = assertion(idp.entity_id, ANA)
    with refused("not_signed"):
        comes(response(idp.entity_id, ANA, unsigned), idp)
    with refused("not_signed"):
        comes(idp.sign(response(idp.entity_id, ANA, unsigned, template(ANA.response_id))), idp)


@pytest.mark.parametrize(
    "how", [{"method": RSA_SHA1}, {"digest": SHA1}, {"method": RSA_SHA1, "digest": SHA1}]
)
def test_sha_1(idp: Idp, how):
    with refused("sha1"):
        comes(idp.answer(ANA, **how), idp)


@pytest.mark.parametrize(
    "of",
    [
        "name_id",
        "Recipient",
        "Audience",
        "AuthnContextClassRef",
        "NotOnOrAfter",
        "SignatureValue",
        "DigestValue",
    ],
)
def test_what_was_changed_after_it_was_signed(idp: Idp, signed: str, of: str):
    changed = {
        "name_id": signed.replace(ANA.name_id, MALLORY),
        "Recipient": signed.replace("w1/acs", "w1/acs/"),
        "Audience": signed.replace("/w1<", "/w1 <"),
        "AuthnContextClassRef": signed.replace(PASSWORD, MFA),
        "NotOnOrAfter": re.sub(r'NotOnOrAfter="2026', 'NotOnOrAfter="2036', signed),
        "SignatureValue": re.sub(r"<ds:SignatureValue>.", "<ds:SignatureValue>x", signed),
        "DigestValue": re.sub(r"<ds:DigestValue>.", "<ds:DigestValue>x", signed),
    }[of]
    assert changed != signed
    with pytest.raises(SsoError):
        comes(changed, idp)


def test_the_key_that_comes_with_a_signature_is_nobody_s(idp: Idp, other: Idp, signed: str):
    """Neither a certificate nor a bare key in KeyInfo makes a signature good; nor a key as a shared secret."""
    forged = other.answer(ANA.but(issuer=idp.entity_id)).replace(other.certificate, idp.certificate)
    for xml in (forged, other.answer(ANA.but(issuer=idp.entity_id))):
        with refused("signature"):
            comes(xml, idp)
    hmac = signed.replace("xmldsig-more#rsa-sha256", "xmldsig-more#hmac-sha256")
    with refused("signature"):
        comes(hmac, idp)


@pytest.mark.parametrize(
    "change",
    [
        ('URI="#_assertion"', 'URI=""'),
        ('URI="#_assertion"', 'URI="#_response"'),
        ('URI="#_assertion"', 'URI="http://127.0.0.1:1/x"'),
        ('URI="#_assertion"', "URI=\"#xpointer(id('_assertion'))\""),
        (
            "</ds:Transforms>",
            '<ds:Transform Algorithm="http://www.w3.org/TR/1999/REC-xslt-19991116"/></ds:Transforms>',
        ),
        (
            "</ds:Transforms>",
            '<ds:Transform Algorithm="http://www.w3.org/TR/1999/REC-xpath-19991116"/></ds:Transforms>',
        ),
        ('xml-exc-c14n#"/></ds:Transforms>', 'xml-exc-c14n#WithComments"/></ds:Transforms>'),
        ("</ds:SignedInfo>", '<ds:Reference URI="#_response"/></ds:SignedInfo>'),
        ("</ds:Signature>", "<ds:Object/></ds:Signature>"),
    ],
)
def test_a_signature_of_another_shape(idp: Idp, signed: str, change):
    before, after = change
    changed = signed.replace(before, after, 1)
    assert changed != signed
    with pytest.raises(SsoError) as error:
        comes(changed, idp)
    assert error.value.code in ("signature", "malformed")


def test_a_transform_is_refused_though_it_was_signed(idp: Idp):
    """With comments, or inclusive: what is signed is then not what is read."""
    with refused("signature"):
        comes(idp.answer(ANA, c14n="http://www.w3.org/2001/10/xml-exc-c14n#WithComments"), idp)
    with refused("signature"):
        comes(idp.answer(ANA, c14n="http://www.w3.org/TR/2001/REC-xml-c14n-20010315"), idp)


def test_what_is_verified_is_read_anew_from_the_signed_octets(idp: Idp, signed: str):
    """Nothing that is read afterwards hangs together with the document that came."""
    root = parse(signed.encode())
    (found,) = children(root, "saml:Assertion")
    covered = verified(found, [certificate(idp.certificate)])
    assert covered is not found
    assert covered.getparent() is None
    assert not children(covered, "ds:Signature")
    one(one(found, "saml:Subject"), "saml:NameID").text = MALLORY
    assert one(one(covered, "saml:Subject"), "saml:NameID").text == ANA.name_id


# --- wrapping: XSW 1 to 8, as the literature numbers them ---

SIGNATURE = re.compile(r"<ds:Signature .*?</ds:Signature>", re.DOTALL)


def split(signed: str) -> tuple[str, str, str]:
    """The signature, the signed assertion without it, and an evil one like it."""
    inside = signed[signed.index("<saml:Assertion") : signed.index("</samlp:Response>")]
    (signature,) = SIGNATURE.findall(inside)
    bare = inside.replace(signature, "")
    evil = bare.replace(ANA.name_id, MALLORY).replace('ID="_assertion"', 'ID="_evil"')
    return signature, bare, evil


def wrapped(signed: str, idp: Idp, number: int) -> str:
    signature, bare, evil = split(signed)
    original = signed[signed.index("<saml:Assertion") : signed.index("</samlp:Response>")]

    def within(text: str, more: str) -> str:
        return text.replace("</saml:Assertion>", f"{more}</saml:Assertion>")

    def after_issuer(text: str, more: str) -> str:
        return text.replace("</saml:Issuer>", f"</saml:Issuer>{more}", 1)

    def in_object(text: str) -> str:
        return signature.replace("</ds:Signature>", f"<ds:Object>{text}</ds:Object></ds:Signature>")

    if number in (1, 2):  # the signed response inside of the signature, or beside it
        both = idp.answer(ANA, response_too=True)
        whole = SIGNATURE.findall(both)[0]
        inner = both.replace(whole, "")
        evil_response = inner.replace(ANA.name_id, MALLORY).replace('ID="_response"', 'ID="_evil"')
        if number == 1:
            nested = whole.replace("</ds:Signature>", f"<ds:Object>{inner}</ds:Object></ds:Signature>")
            return after_issuer(evil_response, nested)
        return after_issuer(evil_response, whole + f"<samlp:Extensions>{inner}</samlp:Extensions>")
    placed = {
        3: evil + original,
        4: within(evil, original),
        5: within(after_issuer(evil, signature), bare),
        6: after_issuer(evil, in_object(bare)),
        7: f"<samlp:Extensions>{evil}</samlp:Extensions>{original}",
        8: after_issuer(evil, in_object(bare)).replace("<ds:Object>", "<ds:Object><samlp:Extensions>"),
    }[number]
    if number == 8:
        placed = placed.replace("</ds:Object>", "</samlp:Extensions></ds:Object>")
    return response(idp.entity_id, ANA, placed)


@pytest.mark.parametrize("number", range(1, 9))
def test_wrapping(idp: Idp, signed: str, number: int):
    xml = wrapped(signed, idp, number)
    assert MALLORY in xml
    with pytest.raises(SsoError) as error:
        comes(xml, idp)
    assert error.value.code in ("malformed", "signature", "not_signed")


@pytest.mark.parametrize("same_id", [False, True])
def test_two_assertions_are_one_too_many(idp: Idp, signed: str, same_id: bool):
    """Also two that are both signed; also under one identifier."""
    signature, bare, evil = split(signed)
    second = evil.replace('ID="_evil"', 'ID="_assertion"') if same_id else evil
    for placed in (bare.replace("</saml:Issuer>", f"</saml:Issuer>{signature}", 1) + second,):
        for xml in (response(idp.entity_id, ANA, placed), response(idp.entity_id, ANA, second + placed)):
            with refused("malformed"):
                comes(xml, idp)
    twice = idp.signed_assertion(ANA) + idp.signed_assertion(ANA.but(assertion_id="_second"))
    with refused("malformed"):
        comes(response(idp.entity_id, ANA, twice), idp)


# --- XML ---


@pytest.mark.parametrize(
    "inside",
    ["<!-- x -->", "<?x y?>", "<![CDATA[]]><!---->"],
)
def test_no_comment_cuts_a_name_short(idp: Idp, inside: str):
    """The signature leaves comments out: whoever may choose a name could sign in as a shorter one."""
    xml = idp.answer(ANA.but(name_id="ana.evil.example")).replace("ana.evil", f"ana{inside}.evil")
    with refused("malformed"):
        comes(xml, idp)
    with refused("malformed"):
        comes(idp.answer(ANA) + "<!-- after -->", idp)


def test_text_in_pieces_is_read_whole(idp: Idp):
    xml = idp.answer(ANA.but(name_id="ana-<![CDATA[7f]]>&#51;a"))
    assert comes(xml, idp).subject == ANA.name_id


def test_no_entities_and_no_document_types(idp: Idp, tmp_path: Path):
    secret = tmp_path / "secret"
    secret.write_text(MALLORY)
    plain = idp.answer(ANA)
    for declared in (
        f'<!DOCTYPE r [<!ENTITY x SYSTEM "file://{secret}">]>',
        '<!DOCTYPE r [<!ENTITY x "mallory">]>',
        '<!DOCTYPE r SYSTEM "http://127.0.0.1:1/x.dtd">',
        '<!DOCTYPE r [<!ATTLIST a b CDATA "c">]>',
    ):
        for xml in (declared + plain, declared + plain.replace(ANA.name_id, "&x;")):
            with refused("malformed"):
                comes(xml, idp)
    with refused("malformed"):
        comes(plain.replace(ANA.name_id, "&x;"), idp)


def test_no_other_encoding_hides_one(idp: Idp):
    for octets in (
        ('<?xml version="1.0" encoding="UTF-16"?><!DOCTYPE r []>' + idp.answer(ANA)).encode("utf-16"),
        b'<?xml version="1.0" encoding="UTF-7"?>+ADwAIQ-DOCTYPE r+AFsAXQA+-<r/>',
    ):
        with refused("malformed"):
            read_response(
                base64.b64encode(octets).decode(),
                provider=idp.provider,
                service=OURS,
                request_id=REQUEST,
                now=NOW,
            )


@pytest.mark.parametrize("text", ["", "!", "PHg+", "PHgvPg==", "A" * 600_000])
def test_what_is_no_answer_at_all(idp: Idp, text: str):
    with refused("malformed"):
        read_response(text, provider=idp.provider, service=OURS, request_id=REQUEST, now=NOW)


def test_encrypted_assertions_are_refused_in_words_that_help(idp: Idp, signed: str):
    xml = signed.replace("<saml:Assertion", "<saml:EncryptedAssertion/><saml:Assertion", 1)
    with refused("encrypted") as error:
        comes(xml, idp)
    assert "Turn that off there" in error.value.detail


@pytest.mark.parametrize(
    "change",
    [
        ("</saml:Conditions>", "<saml:OneTimeUse/></saml:Conditions>", True),
        ("</saml:Conditions>", '<saml:Condition xmlns:x="urn:x"/></saml:Conditions>', False),
        ("</saml:Subject>", "<saml:NameID>mallory</saml:NameID></saml:Subject>", False),
        ("</saml:NameID>", "<b/></saml:NameID>", False),
        ("cm:bearer", "cm:sender-vouches", False),
        ('Version="2.0" IssueInstant', 'Version="1.1" IssueInstant', False),
    ],
)
def test_a_signed_assertion_of_an_odd_kind(idp: Idp, change):
    before, after, taken = change
    text = assertion(idp.entity_id, ANA, template("_assertion")).replace(before, after)
    xml = response(idp.entity_id, ANA, idp.sign(text))
    if taken:
        assert comes(xml, idp).subject == ANA.name_id
    else:
        with refused("malformed"):
            comes(xml, idp)


def test_no_refusal_quotes_what_came(idp: Idp, signed: str):
    """Details are shown to admins and written down."""
    for xml in (signed.replace(ANA.name_id, MALLORY), signed.replace("status:Success", "status:mallory@x y")):
        with pytest.raises(SsoError) as error:
            comes(xml, idp)
        assert MALLORY not in error.value.detail + str(error.value)


# --- the request ---


def test_the_request_says_what_it_wants(idp: Idp):
    def sent(**more: bool) -> str:
        url = request_url(idp.provider, OURS, request_id=REQUEST, relay_state="state", now=NOW, **more)
        query = parse_qs(urlsplit(url).query)
        assert (query["tenant"], query["RelayState"]) == (["1"], ["state"])
        return zlib.decompress(base64.b64decode(query["SAMLRequest"][0]), wbits=-15).decode()

    request = sent()
    for part in (
        f'ID="{REQUEST}"',
        OURS.entity_id,
        OURS.answers_to,
        "nameid-format:persistent",
        "2026-12-01T05:00:00Z",
    ):
        assert part in request
    assert "ForceAuthn" not in request
    assert 'ForceAuthn="true"' in sent(fresh=True)
    assert "NameIDPolicy" not in sent(persistent=False)
