"""Asking a provider never leads into the operator's own network: no forged request from inside."""

import asyncio
from ipaddress import ip_network

import pytest

from nightlatch.sso.fetching import Fetcher
from nightlatch.sso.identity import SsoError
from tests.support.provider import running

INSIDE = [
    "https://127.0.0.1/",
    "https://localhost/",
    "https://[::1]/",
    "https://[::ffff:10.0.0.1]/",
    "https://[::ffff:127.0.0.1]/",
    "https://10.1.2.3/",
    "https://172.16.0.1/",
    "https://192.168.1.1/",
    "https://169.254.169.254/latest/meta-data",
    "https://[fe80::1]/",
    "https://[fd00::1]/",
    "https://100.64.0.1/",
    "https://0.0.0.0/",
    "https://224.0.0.1/",
    "https://2130706433/",
    "https://0x7f000001/",
]


def code_of(fetcher: Fetcher, url: str) -> str:
    with pytest.raises(SsoError) as failed:
        asyncio.run(fetcher.get(url, "It"))
    return failed.value.code


@pytest.mark.parametrize("url", INSIDE)
def test_no_address_inside_is_connected_to(url: str) -> None:
    assert code_of(Fetcher(), url) in ("inside", "unreachable")
    assert code_of(Fetcher(), url) != "not_json"


@pytest.mark.parametrize("url", INSIDE[:11])
def test_those_of_the_usual_kinds_are_told_apart(url: str) -> None:
    assert code_of(Fetcher(), url) == "inside"


@pytest.mark.parametrize(
    "url, code",
    [
        ("http://idp.example/", "not_https"),
        ("http://127.0.0.1/", "not_https"),
        ("ftp://idp.example/", "not_https"),
        ("https://user:pw@idp.example/", "bad_address"),
        ("https://idp.example/#x", "bad_address"),
        ("https://idp.example:99999/", "bad_address"),
        ("https:///nothing", "bad_address"),
        ("https://idp.example/\r\nHost: x", "bad_address"),
        (f"https://idp.example/{'x' * 2000}", "bad_address"),
    ],
)
def test_what_is_no_address_to_ask(url: str, code: str) -> None:
    assert code_of(Fetcher(), url) == code


def test_the_operator_opens_a_network_and_no_other() -> None:
    with running(lambda: 0) as provider:
        opened = Fetcher(local=True, networks=[ip_network("127.0.0.0/8")])
        reply = asyncio.run(opened.get(f"{provider.issuer}/jwks", "It"))
        assert reply.status == 200
    assert code_of(Fetcher(networks=[ip_network("10.0.0.0/8")]), "https://192.168.1.1/") == "inside"
