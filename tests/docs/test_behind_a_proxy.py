"""docs/behind-a-proxy.md and the files beside it against the code, and against each other."""

import re

import pytest

from nightlatch.web import authz, authz_host
from nightlatch.web.authz_headers import IDENTITY
from tests.docs import reading

FILES = {
    str(path.relative_to(reading.DOCS)): path.read_text()
    for path in sorted((reading.DOCS / "proxies").glob("*/*"))
}
PAGE = reading.text_of("behind-a-proxy.md")


@pytest.mark.parametrize("kind", ["nginx", "caddyfile", "yaml"])
def test_what_the_page_shows_is_in_the_files(kind):
    blocks = re.findall(rf"```{kind}\n(.*?)```", PAGE, re.DOTALL)
    assert blocks
    for block in blocks:
        assert any(block in text for text in FILES.values()), block


def test_the_page_leads_to_every_file():
    assert {name for name in FILES if f"]({name})" not in PAGE} == set()


def test_every_identity_header_is_told_and_passed_on():
    told = reading.first_codes(reading.section(PAGE, "What the product is told"))
    assert told == list(IDENTITY)
    nginx = FILES["proxies/nginx/nightlatch-protect.conf"]
    assert re.findall(r"proxy_set_header (\S+) ", nginx) == list(IDENTITY)
    assert re.findall(r"\$upstream_http_(\w+);", nginx) == [
        "location",
        *(each.lower().replace("-", "_") for each in IDENTITY),
    ]
    for copied in re.findall(r"copy_headers (.+)", FILES["proxies/caddy/nightlatch.caddy"]):
        assert copied.split() == list(IDENTITY)
    traefik = FILES["proxies/traefik/dynamic.yml"]
    assert re.findall(r"^ +- (\S+)$", traefik, re.MULTILINE) == list(IDENTITY)
    for name in IDENTITY:
        for spelling in (name, name.replace("-", "_"), name.replace("-", ".")):
            assert f' {spelling}: ""' in traefik


def test_the_files_ask_where_we_answer():
    asked = {path for text in FILES.values() for path in re.findall(r"(/authz/(?:forward|nginx))", text)}
    assert asked == set(authz.BY_PATH)
    assert "/.nightlatch/denied" in {route.path for route in authz_host.ROUTES}


def test_every_word_of_nightlatch_error_is_told():
    source = "".join(
        (reading.ROOT / "src/nightlatch/web" / f"{name}.py").read_text()
        for name in ("authz", "authz_answers", "authz_door", "authz_headers", "authz_host")
    )
    said = set(re.findall(r"Unclear\(\s*\"(\w+)\"", source))
    said |= set(re.findall(r"\"nightlatch-error\": \"(\w+)\"", source))
    told = re.search(r"`Nightlatch-Error` is (.+?)\.\n", PAGE, re.DOTALL)
    assert told is not None
    assert set(reading.code(told[1])) == said
