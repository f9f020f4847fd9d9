"""Ways back never leave the product's origin, and open paths are left by no spelling."""

import string
from urllib.parse import urljoin, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nightlatch_client.paths import OpenPaths
from nightlatch_client.settings import safe_path
from nightlatch_client.view import short

LETTERS = string.ascii_letters + string.digits + "/\\?#%&=:;@.~+-_ \t\r\n\x00éü"


@given(st.text(alphabet=LETTERS, max_size=40))
def test_a_way_back_never_leaves_the_origin(path: str):
    safe = safe_path(path)
    if safe is not None:
        for base in ("https://app.acme.dev/here", "https://app.acme.dev"):
            parts = urlsplit(urljoin(base, safe))
            assert (parts.scheme, parts.netloc) == ("https", "app.acme.dev")
        assert not set(safe) & set("\\\r\n\t\x00 ")
    assert short(path, "/").startswith("/")


@pytest.mark.parametrize(
    "path",
    [
        "",
        "x",
        "//evil",
        "/\\evil",
        "\\\\evil",
        "https://evil",
        "/a\nb",
        "/a\x00",
        "/é",
        "/a b",
        "/\x7f",
        "/\t/e",
    ],
)
def test_what_a_browser_could_take_for_another_place_is_refused(path: str):
    assert safe_path(path) is None


def test_a_long_way_back_loses_its_query_first():
    assert short("/a?" + "q" * 800, "/") == "/a"
    assert short("/" + "a" * 800, "/start") == "/start"


@given(st.text(alphabet="/.*abc\\", max_size=12))
def test_open_paths_are_never_left_by_dots(tail: str):
    path = f"/static/{tail}"
    if path in OpenPaths(["/static/*"]):
        assert ".." not in path.split("/")
        assert "\\" not in path


def test_open_paths():
    paths = OpenPaths(["/login", "/static/*"])
    assert "/login" in paths
    assert "/static/a/b.css" in paths
    for other in ("/Login", "/login/", "/static", "/loginx", "/x/static/a", "/static/../notes"):
        assert other not in paths
    for wrong in ("/login", ["login"]):
        with pytest.raises(TypeError):
            OpenPaths(wrong)
