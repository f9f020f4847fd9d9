"""What a product may say of itself: origins as browsers write them, return addresses, roles, colours, logos."""

import pytest

from nightlatch import colours, products
from nightlatch.pictures import LARGEST_LOGO, clean_logo
from nightlatch.products import Home
from nightlatch.refusals import Refused
from nightlatch.vocabulary import Role
from tests.support import pictures

HOME = Home("https://2fa.example.com", "")
INSIDE = Home("https://app.example.com", "/2fa")


def refused(field: str):
    return pytest.raises(Refused, match=r"^invalid:") if field else pytest.raises(Refused)


@pytest.mark.parametrize(
    "typed,origin",
    [
        ("https://app.example.com", "https://app.example.com"),
        ("  HTTPS://App.Example.com:443/ ", "https://app.example.com"),
        ("https://app.example.com:8443", "https://app.example.com:8443"),
        ("http://localhost:8100", "http://localhost:8100"),
        ("http://localhost:80", "http://localhost"),
        ("http://notes.localhost:8100", "http://notes.localhost:8100"),
        ("http://127.0.0.1:5000", "http://127.0.0.1:5000"),
        ("http://[::1]:5000", "http://[::1]:5000"),
        ("https://[2001:DB8:0:0::1]", "https://[2001:db8::1]"),
        ("https://bücher.example", "https://xn--bcher-kva.example"),
        ("https://BÜCHER.example", "https://xn--bcher-kva.example"),
        ("https://例え.テスト", "https://xn--r8jz45g.xn--zckzah"),
        ("https://xn--bcher-kva.example", "https://xn--bcher-kva.example"),
        ("https://192.0.2.7", "https://192.0.2.7"),
    ],
)
def test_origins_are_as_browsers_write_them(typed: str, origin: str):
    assert products.clean_origin(typed) == origin


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "app.example.com",
        "http://app.example.com",
        "ftp://app.example.com",
        "javascript:alert(1)",
        "https://",
        "https://app.example.com/path",
        "https://app.example.com/..",
        "https://app.example.com?x",
        "https://app.example.com?",
        "https://app.example.com#",
        "https://*.example.com",
        "https://user@app.example.com",
        "https://user:word@app.example.com",
        "https://@app.example.com",
        "https://app.example.com\\evil.example",
        "https://app.example.com:0",
        "https://app.example.com:65536",
        "https://app.example.com:",
        "https://app.exam ple.com",
        "https://app.example.com\t.evil.example",
        "https://app%2eexample.com",
        "https://-app.example.com",
        "https://app..example.com",
        "https://app.example.com.",
        "https://127.1",
        "https://0x7f.1",
        "https://2130706433",
        "http://127.0.0.1.example.com",
        "http://localhost.example.com",
        "https://faß.example",  # browsers and this codec name two hosts by it
        "https://a\u200db.example",
        "https://" + "a" * 64 + ".example",
        "null",
    ],
)
def test_what_is_no_origin(typed: str):
    with pytest.raises(Refused) as told:
        products.clean_origins([typed], HOME)
    assert told.value.errors[0].field == "origins"


def test_nightlatchs_own_origin_is_taken_unless_it_has_a_prefix():
    with refused("origins"):
        products.clean_origins(["https://2FA.example.com/"], HOME)
    assert products.clean_origins(["https://app.example.com"], INSIDE) == ("https://app.example.com",)


def test_origins_are_counted_once_and_limited():
    assert products.clean_origins(
        ["https://a.example", "https://A.example:443", "https://b.example"], HOME
    ) == (
        "https://a.example",
        "https://b.example",
    )
    with refused("origins"):
        products.clean_origins([f"https://a{number}.example" for number in range(21)], HOME)
    with refused("origins"):
        products.clean_origins([], HOME)


ORIGINS = ("https://app.example.com", "https://www.example.com")


def test_return_addresses():
    assert products.clean_return_url("", ORIGINS, HOME) == "https://app.example.com/nightlatch/callback"
    for good in ("https://www.example.com/in", "https://app.example.com/"):
        assert products.clean_return_url(good, ORIGINS, HOME) == good


@pytest.mark.parametrize(
    "typed",
    [
        "/nightlatch/callback",
        "https://evil.example/in",
        "https://app.example.com.evil.example/in",
        "https://app.example.com@evil.example/in",
        "https://app.example.com",
        "https://app.example.com:443/in",
        "http://app.example.com/in",
        "https://app.example.com/in?next=x",
        "https://app.example.com/in#x",
        "https://app.example.com\\@evil.example/in",
        "https://app.example.com/in out",
        "https://app.example.com/x/../2fa/sign-in",
        "https://app.example.com/x/%2E./2fa",
        "https://app.example.com/.",
        "https://app.example.com/\nin",
        "https://app.example.com/" + "a" * 500,
    ],
)
def test_what_is_no_return_address(typed: str):
    with pytest.raises(Refused) as told:
        products.clean_return_url(typed, ORIGINS, HOME)
    assert told.value.errors[0].field == "return_url"


def test_a_return_address_is_none_of_nightlatchs_own():
    for own in ("https://app.example.com/2fa/sign-in", "https://app.example.com/2fa"):
        with refused("return_url"):
            products.clean_return_url(own, ORIGINS, INSIDE)
    assert products.clean_return_url("https://app.example.com/2fast", ORIGINS, INSIDE)


@pytest.mark.parametrize(
    "name,handle",
    [
        ("Acme Notes", "acme-notes"),
        ("Élodie's  Café!", "elodie-s-cafe"),
        ("9 Lives", "app-9-lives"),
        ("例え", "app"),
        ("X", "app-x"),
        ("A" * 100, "a" * 22),
    ],
)
def test_handles_made_from_names(name: str, handle: str):
    assert products.handle_from(name) == handle
    assert products.clean_handle(f"{handle}-99") == f"{handle}-99"


@pytest.mark.parametrize("typed", ["", "a", "1a", "-a", "Acme", "acme_notes", "acme notes", "a" * 32, "ácme"])
def test_what_is_no_handle(typed: str):
    with refused("handle"):
        products.clean_handle(typed)


def test_roles_and_their_words():
    assert products.clean_roles(None) is None
    assert products.clean_roles(["member", "owner", "owner"]) == (Role.OWNER, Role.MEMBER)
    assert products.clean_role_map({"superuser": "owner", "staff": "admin", "owner": "owner"}) == {
        "superuser": Role.OWNER,
        "staff": Role.ADMIN,
        "owner": Role.OWNER,
    }
    for roles in ([], ["root"], [""]):
        with refused("roles"):
            products.clean_roles(roles)
    for words in (
        {"superuser": "root"},
        {"": "owner"},
        {" x": "owner"},
        {"x\n": "owner"},
        {"member": "owner"},
        {"x" * 101: "owner"},
        {f"word {number}": "owner" for number in range(51)},
    ):
        with refused("role_map"):
            products.clean_role_map(words)


def test_colours():
    assert products.clean_colour(" #FFcc00 ") == "#ffcc00"
    assert products.clean_colour("") is None
    for typed in ("red", "#fff", "#12345g", "#1234567", "ffcc00"):
        with refused("colour"):
            products.clean_colour(typed)
    assert round(colours.contrast(colours.BLACK, colours.WHITE), 2) == 21
    assert round(colours.contrast(colours.WHITE, colours.WHITE), 2) == 1
    assert round(colours.contrast(colours.rgb("#767676"), colours.WHITE), 2) == 4.54, (
        "the well-known grey that just passes"
    )
    assert products.colour_note("#767676") is None
    assert products.colour_note(None) is None
    assert "1.5 to 1" in str(products.colour_note("#ffcc00"))


@pytest.mark.parametrize("kind", ["png", "jpeg", "webp", "webp-lossless", "webp-extended"])
def test_logos_are_told_by_their_bytes(kind: str):
    assert clean_logo(pictures.picture(kind, 64, 32)) == f"image/{kind.partition('-')[0]}"
    for width, height in ((15, 64), (64, 15), (1025, 64), (64, 1025)):
        with pytest.raises(Refused, match=f"{width} x {height}"):
            clean_logo(pictures.picture(kind, width, height))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"GIF89a" + b"\0" * 40,
        b"<svg xmlns='http://www.w3.org/2000/svg'/>" + b" " * 40,
        b"\x89PNG\r\n\x1a\n",
        b"\x89PNG\r\n\x1a\n\x00\x00\x00\x0dIHDR",
        b"\xff\xd8\xff",
        b"\xff\xd8\xff\xe0" + b"\0" * 60,
        b"\xff\xd8\xff\xe0\x00\x10" + b"\0" * 3,
        b"RIFF\0\0\0\0WEBPVP8 " + b"\0" * 30,
        b"RIFF\0\0\0\0WAVEfmt " + b"\0" * 30,
        pictures.picture("png", 0, 64),
        pictures.picture("png", 64, 64) + b"\0" * LARGEST_LOGO,
    ],
)
def test_what_is_no_logo(data: bytes):
    with pytest.raises(Refused) as told:
        clean_logo(data)
    assert told.value.errors[0].field == "logo"
