"""What a SAML answer says of whom it is for, which request it answers, and until when: all of it has to fit."""

import re

import pytest

from nightlatch.instants import DAY, HOUR, MINUTE, SECOND, to_text
from nightlatch.sso.saml_xml import SIGNATURE
from tests.sso.answers import ANA, NOW, OURS, REQUEST, comes, read, refused
from tests.support.saml_idp import (
    Idp,
    assertion,
    response,
    template,
)


@pytest.mark.parametrize(
    "code,changes",
    [
        ("audience", {"audience": "https://other.example"}),
        ("audience", {"audience": OURS.entity_id + "2"}),
        ("audience", {"audience": ""}),
        ("recipient", {"recipient": "https://2fa.example/sso/saml/w2/acs"}),
        ("recipient", {"recipient": ""}),
        ("recipient", {"destination": "https://2fa.example/sso/saml/w2/acs"}),
        ("in_response_to", {"in_response_to": "_request-2"}),
        ("in_response_to", {"in_response_to": ""}),
        ("issuer", {"issuer": "https://other.example/saml"}),
        ("expired", {"lasts": -MINUTE}),
        ("expired", {"lasts": -DAY}),
        ("too_early", {"begins": NOW + MINUTE + SECOND}),
        ("too_early", {"signed_in_at": NOW + MINUTE + SECOND}),
        ("access_denied", {"status": "Responder/AuthnFailed"}),
        ("status", {"status": "Responder"}),
    ],
)
def test_what_is_signed_and_still_not_for_us_now(idp: Idp, code, changes):
    with refused(code) as error:
        comes(idp.answer(ANA.but(**changes)), idp)
    assert error.value.detail.endswith((".", "?"))


@pytest.mark.parametrize(
    "code,before,after",
    [
        ("in_response_to", f'InResponseTo="{REQUEST}"', 'InResponseTo="_request-2"'),
        (
            "recipient",
            f'Destination="{OURS.answers_to}"',
            'Destination="https://2fa.example/sso/saml/w2/acs"',
        ),
        ("malformed", 'Version="2.0"', 'Version="1.1"'),
        ("issuer", "/saml</saml:Issuer>", "/other</saml:Issuer>"),
        ("signature", "<samlp:Status>", f'<samlp:Status><ds:Signature xmlns:ds="{SIGNATURE}"/>'),
    ],
)
def test_what_stands_around_it_must_not_say_otherwise(idp: Idp, signed: str, code, before, after):
    """The assertion is a good one; the response around it, which nobody signed, belongs to another answer."""
    assert signed.index(before) < signed.index("<saml:Assertion")
    with refused(code):
        comes(signed.replace(before, after, 1), idp)


@pytest.mark.parametrize(
    "code,pattern,after",
    [
        ("in_response_to", f'InResponseTo="{REQUEST}"', 'InResponseTo="_request-2"'),
        ("issuer", "/saml</saml:Issuer>", "/other</saml:Issuer>"),
        ("expired", r'Data NotOnOrAfter="[^"]+"', f'Data NotOnOrAfter="{to_text(NOW - MINUTE)}"'),
        ("expired", r'Data NotOnOrAfter="[^"]+"', "Data"),
        ("expired", "ConfirmationData ", f'ConfirmationData NotBefore="{to_text(NOW)}" '),
        ("expired", r'(Conditions [^>]*NotOnOrAfter=)"[^"]+"', rf'\1"{to_text(NOW - MINUTE)}"'),
        ("expired", "SessionIndex=", f'SessionNotOnOrAfter="{to_text(NOW - MINUTE)}" SessionIndex='),
    ],
)
def test_what_is_signed_says_it_by_itself(idp: Idp, code, pattern, after):
    """Whatever stands around it: each of these in the assertion alone, which is signed so."""
    text = assertion(idp.entity_id, ANA, template("_assertion"))
    changed = re.sub(pattern, after, text, count=1)
    assert changed != text
    with refused(code):
        comes(response(idp.entity_id, ANA, idp.sign(changed)), idp)


def test_it_is_remembered_as_used_until_it_is_refused_as_late(idp: Idp, signed: str):
    assert read(signed, idp.provider).expires_at == NOW + 5 * MINUTE + MINUTE
    for_days = idp.answer(ANA.but(lasts=DAY))
    assert read(for_days, idp.provider).expires_at == NOW + HOUR + MINUTE  # no request lives so long


def test_a_minute_between_the_clocks_is_forgiven(idp: Idp):
    for changes in ({"lasts": -MINUTE + SECOND}, {"begins": NOW + MINUTE}, {"signed_in_at": NOW + MINUTE}):
        assert comes(idp.answer(ANA.but(**changes)), idp).subject == ANA.name_id


def test_an_answer_without_a_destination_still_names_its_recipient(idp: Idp):
    assert comes(idp.answer(ANA.but(destination="")), idp).subject == ANA.name_id


def test_a_provider_of_another_workspace_s_connection_opens_nothing(idp: Idp, other: Idp):
    """Even if it signs with its own good key, and calls itself by the first one's name."""
    with refused("signature"):
        comes(other.answer(ANA.but(issuer=idp.entity_id)), idp)
    with refused("issuer"):
        comes(other.answer(ANA.but(issuer="https://other.example")), idp)
