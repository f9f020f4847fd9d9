"""A provider's metadata, as an admin pastes it; and ours."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from nightlatch.instants import DAY, from_text
from nightlatch.sso.identity import SsoError
from nightlatch.sso.saml_metadata import Service, provider_of, read_metadata
from nightlatch.sso.saml_xml import METADATA, children, parse
from tests.support.saml_idp import Idp

NOW = from_text("2026-12-01T05:00:00Z")


@pytest.fixture(scope="module")
def idp(tmp_path_factory: pytest.TempPathFactory) -> Idp:
    return Idp(tmp_path_factory.mktemp("idp"))


def read(xml: str, **more: bool):
    return read_metadata(xml.encode(), now=NOW, **more)


@contextmanager
def refused(part: str) -> Iterator[None]:
    """An error with these words in its detail."""
    with pytest.raises(SsoError) as error:
        yield
    assert part in error.value.detail


def test_it_is_read(idp: Idp):
    found = read(idp.metadata())
    assert found == idp.provider
    assert provider_of(found.entity_id, found.kept()) == found
    assert found.expires_at() == from_text("2021-01-01T00:00:00Z")


def test_one_of_several_descriptions(idp: Idp, tmp_path: Path):
    """In a federation's list of entities; two identity providers are one too many."""
    around = f'<md:EntitiesDescriptor xmlns:md="{METADATA}">'
    service = Service("https://s.example", "https://s.example/acs").metadata().decode().partition("\n")[2]
    assert read(f"{around}{service}{idp.metadata()}</md:EntitiesDescriptor>") == idp.provider
    second = Idp(tmp_path, "https://second.example")
    with refused("more than one"):
        read(f"{around}{idp.metadata()}{second.metadata()}</md:EntitiesDescriptor>")
    with refused("no SAML 2.0 identity provider"):
        read(service)


def test_what_cannot_be_used(idp: Idp, tmp_path: Path):
    plain = idp.metadata()
    with refused("out of date"):
        read(idp.metadata(more=' validUntil="2026-12-01T05:00:00Z"'))
    assert read(idp.metadata(more=' validUntil="2026-12-02T05:00:00Z"')) == idp.provider
    with refused("signed requests"):
        read(idp.metadata(role=' WantAuthnRequestsSigned="true"'))
    with refused("HTTP-Redirect"):
        read(plain.replace("HTTP-Redirect", "HTTP-Artifact"))
    with refused("no certificate"):
        read(plain.replace('use="signing"', 'use="encryption"'))
    with refused("cannot be read"):
        read(plain.replace(idp.certificate, "AAAA"))
    with refused("weak"):
        read(Idp(tmp_path / "weak", bits=1024).metadata())
    with refused("no name"):
        read(plain.replace(f'entityID="{idp.entity_id}"', 'entityID=" "'))
    with refused("document type"):
        read('<!DOCTYPE x [<!ENTITY a "b">]>' + plain)
    with refused("no XML"):
        read("https://idp.acme.example/metadata")


ODD_ADDRESSES = (
    *(
        "http://idp.acme.example/sso",
        "javascript:alert(1)",
        "https:///sso",
        "https://idp/sso#x",
        "//idp/sso",
        "",
    ),
    *("https://[", "https://i dp/"),
)


@pytest.mark.parametrize("url", ODD_ADDRESSES)
def test_where_browsers_are_not_sent(idp: Idp, url: str):
    with refused("address for signing in"):
        read(idp.metadata().replace(idp.sign_in_url, url))


def test_plain_http_is_for_tests_on_localhost(idp: Idp):
    xml = idp.metadata().replace(idp.sign_in_url, "http://localhost:9/sso")
    assert read(xml, local=True).sign_in_url == "http://localhost:9/sso"
    with refused("not https"):
        read(xml)
    with refused("not https"):
        read(idp.metadata().replace(idp.sign_in_url, "http://idp.acme.example/sso"), local=True)


def test_ours():
    ours = Service("https://2fa.example/sso/saml/w1?a&b", 'https://2fa.example/"acs"')
    root = parse(ours.metadata())
    assert root.get("entityID") == ours.entity_id
    (role,) = children(root, "md:SPSSODescriptor")
    assert role.get("WantAssertionsSigned") == "true"
    assert [each.get("Location") for each in children(role, "md:AssertionConsumerService")] == [
        ours.answers_to
    ]


def test_every_day_of_a_certificate_is_known(idp: Idp):
    assert idp.provider.expires_at() < NOW - DAY
