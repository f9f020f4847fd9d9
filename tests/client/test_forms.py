"""A caught form comes out of its cookies as it went in; passwords and files are not kept."""

import hashlib
from urllib.parse import urlencode

from hypothesis import assume, given
from hypothesis import strategies as st

from nightlatch_client.cookies import Names
from nightlatch_client.forms import BODY_LIMIT, Caught, Form, open_form, read_form, seal_form
from nightlatch_client.sealed import Box
from tests.client.core import connect

BOX = Box("acme", ["secret"])


FIELDS = st.lists(
    st.tuples(
        st.text(st.characters(codec="utf-8"), min_size=1, max_size=20),
        st.text(st.characters(codec="utf-8"), max_size=60),
    ),
    max_size=8,
)


@given(FIELDS)
def test_a_urlencoded_form_is_read_as_it_was_sent(fields: list[tuple[str, str]]):
    form = read_form("application/x-www-form-urlencoded", urlencode(fields).encode())
    assert form is not None
    assert [pair for pair in fields if pair[0] not in form.passwords] == list(form.fields)


@given(FIELDS)
def test_a_multipart_form_is_read_as_browsers_send_it(fields: list[tuple[str, str]]):
    escape = str.maketrans({'"': "%22", "\r": "%0D", "\n": "%0A"})
    assume(not any("%" in name or "--mark" in value for name, value in fields))
    body = b"".join(
        f'--mark\r\nContent-Disposition: form-data; name="{name.translate(escape)}"\r\n\r\n{value}\r\n'.encode()
        for name, value in fields
    )
    form = read_form("multipart/form-data; boundary=mark", body + b"--mark--\r\n")
    assert form is not None
    assert [pair for pair in fields if pair[0] not in form.passwords] == list(form.fields)


@given(st.binary(max_size=300))
def test_anything_else_is_no_form_and_no_error(body: bytes):
    for kind in (
        "multipart/form-data; boundary=x",
        "multipart/form-data",
        "application/x-www-form-urlencoded",
        "",
    ):
        read_form(kind, body)


def test_passwords_and_files_are_not_kept():
    body = "&".join(
        f"{name}=x"
        for name in ("passport", "passenger", "Password", "new_pwd", "user[pin]", "otp", "spinner", "csrf")
    )
    form = read_form("application/x-www-form-urlencoded; charset=utf-8", body.encode())
    assert form is not None
    assert [name for name, _ in form.fields] == ["passport", "passenger", "spinner", "csrf"]
    assert form.passwords == ("Password", "new_pwd", "user[pin]", "otp")
    assert read_form("application/x-www-form-urlencoded", b"a=" + b"x" * BODY_LIMIT) is None
    assert read_form("application/x-www-form-urlencoded", b"&".join([b"a=b"] * 500)) is None


@given(FIELDS, st.booleans())
def test_a_form_comes_out_of_its_cookies_as_it_went_in(fields: list[tuple[str, str]], multipart: bool):
    names = Names(connect().settings)
    caught = Caught(Form(tuple(fields), ("file",), ("pin",), multipart), "/notes?x=1", "ada", 1000)
    values = seal_form(BOX, names, caught)
    assert values is not None
    cookies = dict(zip(names.form, values, strict=False))
    assert sum(map(len, values)) < 6100
    assert open_form(BOX, names, cookies, 1000) == caught
    assert open_form(BOX, names, cookies, 4601) is None


def test_a_form_that_does_not_fit_is_not_kept():
    names = Names(connect().settings)
    noise = "".join(hashlib.sha256(str(number).encode()).hexdigest() for number in range(300))
    assert seal_form(BOX, names, Caught(Form((("text", noise),)), "/", "ada", 1)) is None
    assert seal_form(BOX, names, Caught(Form((("text", "again " * 9000),)), "/", "ada", 1)) is not None
