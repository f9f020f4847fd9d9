"""Addresses: one mailbox, one key (probe F20), and everything that is no address is refused."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nightlatch.addresses import BadAddress, Pasted, masked, parse, parse_many

SPELLINGS = [
    "ana@example.com",
    "ANA@example.com",
    "ana@EXAMPLE.com",
    "ana@example.com ",
    "\t ana@example.com\r\n",
    "ana@example.com.",
    "ａｎａ@example.com",
    "ana＠example．com",
    "\N{NO-BREAK SPACE}ana@example.com",
    "an\N{FEMININE ORDINAL INDICATOR}@example.com",
]


@pytest.mark.parametrize("text", SPELLINGS)
def test_every_spelling_of_a_mailbox_has_one_key(text):
    assert parse(text).key == "ana@example.com"


@pytest.mark.parametrize(
    "one, other",
    [
        ("bücher@bücher.example", "BU\u0308CHER@xn--bcher-kva.example"),
        ("groß@example.com", "GROSS@example.com"),
        ("ana@例え.example", "ana@例え。example"),
        ("o'neil@example.com", "O'Neil@example.com"),
    ],
)
def test_international_spellings_share_a_key(one, other):
    assert parse(one).key == parse(other).key


def test_tags_and_dots_stay_apart():
    assert len({parse(text).key for text in ("ana@x.org", "ana+work@x.org", "a.na@x.org", "ana@y.org")}) == 4


def test_mail_goes_to_the_address_as_written_at_the_domain_in_ascii():
    address = parse(" Ana.Groß@Bücher.example ")
    assert address.display == "Ana.Groß@Bücher.example"
    assert address.wire == "Ana.Groß@xn--bcher-kva.example"
    assert address.key == "ana.gross@xn--bcher-kva.example"


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "ana",
        "@example.com",
        "ana@",
        "ana@.",
        "ana@@example.com",
        "ana@b@example.com",
        "ana@example.com,eva@example.com",
        "ana@example.com;eva@example.com",
        "ana@example.com eva@example.com",
        "Ana <ana@example.com>",
        "<ana@example.com>",
        '"ana b"@example.com',
        '"ana"@example.com',
        "ana(comment)@example.com",
        "ana\\@example.com",
        ".ana@example.com",
        "ana.@example.com",
        "a..na@example.com",
        "ana@example..com",
        "ana@.example.com",
        "ana@-example.com",
        "ana@exa_mple.com",
        "ana@[203.0.113.9]",
        "ana@203.0.113.9",
        "ana@example.com\0",
        "a\0na@example.com",
        "ana@example.com\nBcc: eva@example.com",
        "an\x1ba@example.com",
        "an\x7fa@example.com",
        "ana\ud800@example.com",
        "ana@exam\udfffple.com",
        "an\N{ZERO WIDTH SPACE}a@example.com",
        "an\N{RIGHT-TO-LEFT OVERRIDE}a@example.com",
        "an\N{SOFT HYPHEN}a@example.com",
        "an\N{OGHAM SPACE MARK}a@example.com",
        "ana\N{FULLWIDTH COMMA}eva@example.com",
        "an\N{GRINNING FACE}a@example.com",
        "ana@straße.example",
        "ana@" + "x" * 64 + ".com",
        "a" * 65 + "@example.com",
        "a" * 60 + "@" + ("x" * 60 + ".") * 3 + "com-and-more",
        "ana@" + "example." * 40 + "com",
        "\N{ARABIC LIGATURE SALLALLAHOU ALAYHE WASALLAM}" * 100 + "@example.com",
    ],
)
def test_what_is_no_single_address_is_refused_without_repeating_it(text):
    with pytest.raises(BadAddress) as refused:
        parse(text)
    assert refused.value.reason.isprintable()
    assert "ana" not in refused.value.reason


def test_the_longest_address_passes():
    text = "a" * 64 + "@" + ("x" * 59 + ".") * 3 + "x" * 9
    assert len(text) == 254
    assert parse(text).key == text
    with pytest.raises(BadAddress):
        parse(text + "x")


@given(st.text(max_size=30), st.text(max_size=30))
def test_keys_are_stable_and_nothing_else_escapes(local, domain):
    try:
        address = parse(f"{local}@{domain}")
    except BadAddress:
        return
    assert parse(address.key).key == address.key
    assert parse(address.display) == address
    assert parse(address.wire).key == address.key
    assert parse(address.display.upper()).key == parse(address.key.upper()).key
    assert address.key == unicodedata.normalize("NFKC", address.key)
    assert address.key.count("@") == 1
    assert not any(letter.isspace() or not letter.isprintable() for letter in address.key)
    assert len(address.wire.encode()) <= 254


@pytest.mark.parametrize(
    "text, shown",
    [
        ("ana@example.com", "a…a@example.com"),
        ("Christopher@example.com", "C…r@example.com"),
        ("ab@example.com", "a…@example.com"),
        ("a@example.com", "a…@example.com"),
        ("nobody", "…"),
        ("a\0@x", "…"),
    ],
)
def test_masked(text, shown):
    assert masked(text) == shown


# The paste box


def keys(pasted: Pasted) -> list[str]:
    return [address.key for address in pasted.addresses]


def test_a_pasted_list_in_every_notation():
    pasted = parse_many(
        'a@x.org, b@x.org; c@x.org\r\n"Ruiz, Dana" <dana@x.org>,\n'
        "Ruiz, Ana <ana@x.org>; Eva Lund <eva@x.org>\nd@x.org\te@x.org  f@x.org\n\n,;,"
    )
    assert keys(pasted) == [f"{name}@x.org" for name in ("a", "b", "c", "dana", "ana", "eva", "d", "e", "f")]
    assert pasted.unread == ()


def test_duplicates_collapse_into_the_first():
    pasted = parse_many("Ana@x.org, ana@X.org, Ana <ANA@x.org>\neva@x.org")
    assert [address.display for address in pasted.addresses] == ["Ana@x.org", "eva@x.org"]
    assert pasted.duplicates == 2


def test_what_cannot_be_read_is_shown_and_the_rest_is_taken():
    pasted = parse_many("ana@x.org, foo, bar\x1b[31m@x.org, " + "y" * 200 + "\nRuiz, Dana\neva@x.org")
    assert keys(pasted) == ["ana@x.org", "eva@x.org"]
    assert [unread.text for unread in pasted.unread] == [
        "foo",
        "bar[31m@x.org",
        "y" * 79 + "…",
        "Ruiz",
        "Dana",
    ]
    assert all(unread.reason for unread in pasted.unread)


def test_the_limit_counts_distinct_addresses():
    many = "\n".join(f"person{number}@x.org" for number in range(500))
    assert len(parse_many(many + "\nPERSON1@x.org").addresses) == 500
    with pytest.raises(BadAddress, match="At most 500"):
        parse_many(many + "\none-more@x.org")


@given(st.text(alphabet='ab@x.,;"<> \n\t', max_size=60))
def test_any_paste_is_read_or_explained(text):
    pasted = parse_many(text)
    assert len(set(keys(pasted))) == len(pasted.addresses)


@pytest.mark.parametrize("text", ['"' * 20_000, '",' * 10_000, "<" * 20_000, '"a' * 10_000, "@," * 10_000])
def test_a_hostile_paste_takes_no_time(text):
    assert parse_many(text).addresses == ()
