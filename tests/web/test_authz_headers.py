"""What a proxy says about a request, read strictly: once, in its own spelling, or not at all."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nightlatch.actions.host_checks import Narrowing
from nightlatch.instants import MINUTE
from nightlatch.vocabulary import Role
from nightlatch.web import authz_answers as answers
from nightlatch.web.authz_headers import (
    IDENTITY,
    Target,
    Unclear,
    cookies_of,
    forwarded_origin,
    forwarded_target,
    is_page,
    narrowing,
    original_target,
)
from nightlatch.web.origin import Headers

GOOD: Headers = [
    (b"x-forwarded-method", b"GET"),
    (b"x-forwarded-proto", b"https"),
    (b"x-forwarded-host", b"wiki.acme.example"),
    (b"x-forwarded-uri", b"/a?b=c"),
    (b"cookie", b"a=b"),
]
NAMES = [name for name, _ in GOOD[:4]]
ORIGINAL: Headers = [
    (b"x-original-method", b"POST"),
    (b"x-original-url", b"https://wiki.acme.example/a?b=c"),
]


def but(headers: Headers, name: bytes, *values: bytes) -> Headers:
    """The same with another header there, or none, or several."""
    return [pair for pair in headers if pair[0] != name] + [(name, value) for value in values]


def code_of(read: object, headers: Headers) -> str:
    with pytest.raises(Unclear) as caught:
        read(headers)  # type: ignore[operator]
    return caught.value.code


def test_what_the_two_kinds_of_proxies_say():
    assert forwarded_target(GOOD) == Target("GET", "https://wiki.acme.example", "/a?b=c")
    assert original_target(ORIGINAL) == Target("POST", "https://wiki.acme.example", "/a?b=c")


@pytest.mark.parametrize("name", NAMES)
def test_each_must_be_there_once(name):
    value = dict(GOOD)[name]
    assert code_of(forwarded_target, but(GOOD, name)) == "bad_header"
    assert code_of(forwarded_target, but(GOOD, name, b"")) == "bad_header"
    assert code_of(forwarded_target, but(GOOD, name, value, value)) == "bad_header"
    assert code_of(forwarded_target, but(GOOD, name, value + b", " + value)) == "bad_header"


@pytest.mark.parametrize("name", [name for name, _ in ORIGINAL])
def test_each_of_nginx_must_be_there_once(name):
    value = dict(ORIGINAL)[name]
    assert code_of(original_target, but(ORIGINAL, name)) == "bad_header"
    assert code_of(original_target, but(ORIGINAL, name, value, value)) == "bad_header"


@pytest.mark.parametrize(
    "name",
    [
        *(b"x_forwarded_host", b"x.forwarded.host", b"x-forwarded_host", b"x_forwarded-uri"),
        *(b"x-forwarded.method", b"x_original_url", b"x-original.url", b"x_forwarded_for"),
        *(each.lower().replace("-", "_").encode() for each in IDENTITY),
        *(each.lower().replace("-", ".").encode() for each in IDENTITY),
        *(b"remote-auth_time", b"remote_auth.time"),
    ],
)
def test_look_alikes_are_refused_by_every_reader(name):
    for read, headers in (
        (forwarded_target, GOOD),
        (original_target, ORIGINAL),
        (forwarded_origin, GOOD),
    ):
        assert code_of(read, [*headers, (name, b"x")]) == "look_alike"


def test_other_headers_with_such_letters_are_nobodys_business():
    more = [(b"x_request_id", b"1"), (b"remote-user", b"forged")]
    assert forwarded_target([*GOOD, *more]) == forwarded_target(GOOD)


@pytest.mark.parametrize(
    "host, origin",
    [
        (b"WIKI.Acme.example", "https://wiki.acme.example"),
        (b"wiki.acme.example:443", "https://wiki.acme.example"),
        (b"wiki.acme.example:8443", "https://wiki.acme.example:8443"),
        (b"wiki.acme.example:80", "https://wiki.acme.example:80"),
        (b"[::1]:8443", "https://[::1]:8443"),
        (b"192.0.2.7", "https://192.0.2.7"),
    ],
)
def test_a_host_becomes_an_origin_as_browsers_write_it(host, origin):
    assert forwarded_target(but(GOOD, b"x-forwarded-host", host)).origin == origin


@pytest.mark.parametrize(
    "host",
    [
        *(b"a@wiki.acme.example", b"wiki.acme.example/", b"wiki.acme.example?", b"wiki.acme.example#"),
        *(b"wiki.acme.example:0", b"wiki.acme.example:x", b"wiki.acme.example:", b" wiki.acme.example"),
        *(b"wiki.acme.example\t", b"wiki\\acme", b"wiki..", b".wiki", b"wiki_acme.example", b"w\xc3\xa4ki"),
        *(b"wiki.acme.example, evil.example", b"wiki.acme.example evil", b"[::1", b"a" * 300),
    ],
)
def test_what_is_no_host_is_refused(host):
    assert code_of(forwarded_target, but(GOOD, b"x-forwarded-host", host)) == "bad_header"
    if b"/" not in host:
        url = b"https://" + host + b"/a"
        assert code_of(original_target, but(ORIGINAL, b"x-original-url", url)) == "bad_header"


@pytest.mark.parametrize(
    "proto, host, code",
    [
        (b"http", b"wiki.acme.example", "not_https"),
        (b"ws", b"wiki.acme.example", "not_https"),
        (b"ftp", b"wiki.acme.example", "bad_header"),
        (b"https:", b"wiki.acme.example", "bad_header"),
        (b"http", b"localhost.evil.example", "not_https"),
    ],
)
def test_https_or_localhost(proto, host, code):
    headers = but(but(GOOD, b"x-forwarded-proto", proto), b"x-forwarded-host", host)
    assert code_of(forwarded_target, headers) == code


@pytest.mark.parametrize(
    "proto, host, origin",
    [
        (b"wss", b"wiki.acme.example", "https://wiki.acme.example"),
        (b"HTTPS", b"wiki.acme.example", "https://wiki.acme.example"),
        (b"http", b"localhost:3000", "http://localhost:3000"),
        (b"http", b"app.localhost:80", "http://app.localhost"),
        (b"ws", b"127.0.0.1:3000", "http://127.0.0.1:3000"),
    ],
)
def test_schemes_of_sockets_are_those_of_pages(proto, host, origin):
    headers = but(but(GOOD, b"x-forwarded-proto", proto), b"x-forwarded-host", host)
    assert forwarded_origin(headers) == origin


@pytest.mark.parametrize(
    "uri", [b"a", b"*", b"https://x/", b"/a b", b"/a\tb", b"/\x7f", b"/" + b"a" * 20_000]
)
def test_what_is_no_path_is_refused(uri):
    assert code_of(forwarded_target, but(GOOD, b"x-forwarded-uri", uri)) == "bad_header"


def test_a_path_of_other_letters_is_percent_encoded():
    assert forwarded_target(but(GOOD, b"x-forwarded-uri", b"/\xc3\xa4?<>")).uri == "/%C3%A4?%3C%3E"


@pytest.mark.parametrize("method", [b"get", b"GET ", b"GET,POST", b"G\xc3\x84T", b"X" * 30, b"GET\t"])
def test_what_is_no_method_is_refused(method):
    assert code_of(forwarded_target, but(GOOD, b"x-forwarded-method", method)) == "bad_header"


@given(
    st.lists(st.tuples(st.sampled_from([*NAMES, *(name for name, _ in ORIGINAL)]), st.binary(max_size=30)))
)
def test_whatever_comes_is_a_target_or_unclear(headers):
    for read in (forwarded_target, original_target, forwarded_origin):
        try:
            read([*headers])
        except Unclear as why:
            assert why.code in ("bad_header", "not_https")  # noqa: PT017


# --- what may be asked beyond the registration ---


@pytest.mark.parametrize(
    "query, wanted",
    [
        (b"", Narrowing()),
        (b"roles=owner", Narrowing(frozenset({Role.OWNER}))),
        (b"roles=admin,owner&max_age=900", Narrowing(frozenset({Role.OWNER, Role.ADMIN}), 15 * MINUTE)),
        (b"max_age=60", Narrowing(None, MINUTE)),
        (b"max_age=86400&roles=member", Narrowing(frozenset({Role.MEMBER}), 24 * 60 * MINUTE)),
    ],
)
def test_roles_and_age_narrow(query, wanted):
    assert narrowing(query) == wanted


@pytest.mark.parametrize(
    "query",
    [
        *(b"roles=", b"roles=root", b"roles=owner,", b"roles=Owner", b"roles=owner&roles=member", b"roles"),
        *(b"max_age=59", b"max_age=86401", b"max_age=-60", b"max_age=6e1", b"max_age=", b"max_age=060000"),
        *(b"workspace=acme", b"role=owner", b"roles=owner&x=1", b"x", b"&", b"\xff", b"groups=a"),
        b"max_age=" + "６０".encode(),
    ],
)
def test_anything_else_is_refused(query):
    with pytest.raises(Unclear) as caught:
        narrowing(query)
    assert caught.value.code == "bad_query"


# --- browsers and others ---


@pytest.mark.parametrize(
    "headers, page",
    [
        ([(b"accept", b"text/html,*/*")], True),
        ([(b"accept", b"text/html"), (b"sec-fetch-mode", b"navigate")], True),
        ([(b"accept", b"text/html"), (b"sec-fetch-mode", b"cors")], False),
        ([(b"accept", b"text/html"), (b"x-requested-with", b"XMLHttpRequest")], False),
        ([(b"accept", b"text/html"), (b"sec-websocket-key", b"x")], False),
        ([(b"accept", b"*/*")], False),
        ([(b"accept", b"application/json")], False),
        ([], False),
    ],
)
def test_who_can_be_sent_elsewhere(headers, page):
    assert is_page(headers) is page


def test_cookies_in_several_headers_are_one_list():
    assert cookies_of([(b"cookie", b"a=1"), (b"x", b"y"), (b"cookie", b"b=2; c=3")]) == "a=1; b=2; c=3"


# --- ways back ---


@pytest.mark.parametrize(
    "path",
    [
        *("//evil.example", "/\\evil.example", "https://evil.example/", "javascript:alert(1)", "", "a"),
        *("/a\nb", "/a\tb", "/\x00", "/.nightlatch/sign-out", "/.nightlatch/start?rd=/", "/" + "a" * 1000),
    ],
)
def test_no_way_back_leaves_the_host(path):
    assert answers.own_path(path) == "/"


@pytest.mark.parametrize(
    "path, back",
    [
        ("/a?b=c&d=%2F", "/a?b=c&d=%2F"),
        ("/a#b", "/a"),
        ("/a?" + "b" * 1000, "/a"),
        ("/.nightlatch", "/.nightlatch"),
        ("/..//evil.example", "/..//evil.example"),
    ],
)
def test_ways_back(path, back):
    assert answers.own_path(path) == back


def test_a_write_goes_back_to_the_page_that_it_was_sent_from():
    origin = "https://wiki.acme.example"
    post = Target("POST", origin, "/save")
    assert answers.way_back(post, [(b"referer", b"https://wiki.acme.example/edit?id=7")]) == "/edit?id=7"
    assert answers.way_back(post, [(b"referer", b"https://wiki.acme.example.evil.example/edit")]) == "/save"
    assert answers.way_back(post, [(b"referer", b"https://wiki.acme.example//evil.example")]) == "/"
    assert answers.way_back(post, []) == "/save"
    assert (
        answers.way_back(Target("GET", origin, "/x"), [(b"referer", b"https://wiki.acme.example/y")]) == "/x"
    )


# --- values ---


@given(st.text(max_size=80))
def test_every_value_is_one_line_of_ascii(text):
    value = answers.line(text)
    assert value.isascii()
    assert value.isprintable() or value == ""
    assert value == value.strip()


def test_what_is_not_ascii_is_encoded_as_rfc_8187_has_it():
    assert answers.line("Ana Sol") == "Ana Sol"
    assert answers.line("Zoë") == "UTF-8''Zo%C3%AB"
    assert answers.line("UTF-8''x") == "UTF-8''UTF-8%27%27x"
    assert answers.line("a\r\nRemote-Role: owner") == "UTF-8''a%0D%0ARemote-Role%3A%20owner"
