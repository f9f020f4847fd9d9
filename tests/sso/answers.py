"""Answers of a SAML provider to one request of ours, read."""

import pytest

from nightlatch.sso.identity import Identity, SsoError
from nightlatch.sso.saml import read_response
from nightlatch.sso.saml_assertion import Came
from nightlatch.sso.saml_metadata import Provider, Service
from tests.support.saml_idp import Idp, Says, form_value

NOW = 1_796_101_200_000_000
OURS = Service("https://2fa.example/sso/saml/w1", "https://2fa.example/sso/saml/w1/acs")
REQUEST = "_request-1"
ANA = Says(OURS, REQUEST, NOW)
EMAIL = "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress"
MALLORY = "mallory"


def read(xml: str, provider: Provider, **more: object) -> Came:
    given: dict[str, object] = {"service": OURS, "request_id": REQUEST, "now": NOW, **more}
    return read_response(form_value(xml), provider=provider, **given)  # type: ignore[arg-type]


def comes(xml: str, idp: Idp, **more: object) -> Identity:
    return read(xml, idp.provider, **more).identity


def refused(code: str):
    return pytest.raises(SsoError, match=f"^{code}$")
