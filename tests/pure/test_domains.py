"""Domains as workspaces claim them: spelling, the record that proves one, hosts where everybody has an address."""

import pytest

from nightlatch import addresses
from nightlatch.domains import BadDomain, domain_of, is_public_mail_host, parse_domain, record_name, shows


@pytest.mark.parametrize(
    "typed,domain",
    [
        ("acme.example", "acme.example"),
        (" @Acme.Example. ", "acme.example"),
        ("bücher.example", "xn--bcher-kva.example"),
        ("eng.acme.example", "eng.acme.example"),
        ("ａｃｍｅ．example", "acme.example"),
    ],
)
def test_a_domain_is_spelt_as_the_keys_of_addresses_spell_it(typed, domain):
    assert parse_domain(typed) == domain
    assert domain_of(addresses.parse(f"ana@{typed.strip().removeprefix('@')}").key) == domain


NO_DOMAINS = """
example
ana@acme.example
https://acme.example
acme.example/x
*.acme.example
acme .example
10.0.0.1
-acme.example
acme..example
acme,beta.example
""".splitlines()


@pytest.mark.parametrize("typed", [*NO_DOMAINS, "a" * 300 + ".example", "acme.example\0"])
def test_what_is_no_domain(typed):
    with pytest.raises(BadDomain) as bad:
        parse_domain(typed)
    assert bad.value.reason.startswith("Enter a")


@pytest.mark.parametrize(
    "host",
    ["gmail.com", "GMail.com", "outlook.de", "yahoo.co.uk", "hotmail.fr", "icloud.com", "gmx.net", "qq.com"],
)
def test_where_everybody_has_an_address(host):
    with pytest.raises(BadDomain, match="Everybody can have an address there"):
        parse_domain(host)


@pytest.mark.parametrize(
    "domain", ["gmail.acme.example", "acme-outlook.example", "notgmail.com", "mail.acme.example"]
)
def test_a_name_that_only_looks_like_it(domain):
    assert not is_public_mail_host(domain)


def test_the_record():
    assert record_name("acme.example") == "_nightlatch-challenge.acme.example"
    assert shows(["v=spf1 -all", " nightlatch=ab12 "], "nightlatch=ab12")
    for found in ([], ["nightlatch=ab1"], ["nightlatch=ab123"], ["NIGHTLATCH=AB12"], ["x nightlatch=ab12"]):
        assert not shows(found, "nightlatch=ab12")
