"""Values and settings of the client: what cannot be is told, and the secret is shown nowhere."""

from dataclasses import replace
from typing import Any

import pytest

from nightlatch_client import Misconfigured, Person, Unavailable
from nightlatch_client.cookies import read_cookies
from nightlatch_client.sealed import Box
from tests.client.core import ADA, connect


def test_a_person_says_what_is_wrong_with_it():
    with pytest.raises(TypeError, match="write str"):
        Person(7, "ada@acme.dev", "Ada", "7", "Acme", "owner")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="empty"):
        replace(ADA, workspace="")
    from datetime import datetime

    with pytest.raises(ValueError, match="aware"):
        replace(ADA, signed_in_at=datetime(2026, 11, 24, 10, 0))  # noqa: DTZ001


@pytest.mark.parametrize(
    "wrong",
    [
        {"app": "Acme"},
        {"app": "a/b"},
        {"origin": "http://app.acme.dev"},
        {"origin": "https://app.acme.dev/path"},
        {"origin": "https://user@app.acme.dev"},
        {"origin": "ftp://app.acme.dev"},
        {"origin": "https://app.acme.dev\nx"},
        {"origin": "https://app.acme.dev:x"},
        {"prefix": "nightlatch"},
        {"prefix": "/"},
        {"sign_in": "//evil.example"},
        {"secret": "two words"},
        {"secret": ""},
        {"secret_file": "/run/secrets/x"},
    ],
)
def test_settings_that_cannot_be_are_told(wrong: dict[str, Any]):
    with pytest.raises(Misconfigured):
        connect(**wrong)


def test_the_secret_is_shown_nowhere(tmp_path):
    nl = connect()
    shown = " ".join(map(repr, (nl, nl.settings, nl.secret, nl.desk.box, nl.calls, nl.desk)))
    assert "s3cret" not in shown
    file = tmp_path / "secret"
    with pytest.raises(Misconfigured, match=str(file)):
        connect(secret=None, secret_file=file).secret.current()
    file.write_text("new\nold\n")
    box = connect(secret=None, secret_file=file).desk.box
    assert box.open("x", Box("acme", ["old"]).seal("x", b"1")) == b"1"
    assert Box("acme", ["new"]).open("x", box.seal("x", b"1")) == b"1"
    file.write_text(" \n")
    with pytest.raises(Misconfigured, match="empty"):
        connect(secret=None, secret_file=file).secret.current()
    with pytest.raises(Misconfigured, match="secret_file"):
        connect(secret=None).secret.current()


def test_cookies_are_read_as_browsers_send_them():
    assert read_cookies('a=1; b="2"; a=3; c; =x; d=e=f') == {"a": "1", "b": "2", "": "x", "d": "e=f"}


def test_down_waits_no_longer_than_it_was_told():
    assert Unavailable("x").retry_after == 5
