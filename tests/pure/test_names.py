"""Names are what people typed, on one line that can be seen; slugs are what an address bar takes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nightlatch.names import MAX_KEY, RESERVED_SLUGS, clean_name, clean_slug, search_key
from nightlatch.refusals import Code, Refused


@pytest.mark.parametrize(
    "text, name",
    [
        ("Ana Ruiz", "Ana Ruiz"),
        ("  Ana \u00a0 Ruiz\n", "Ana Ruiz"),
        ("E\u0301lodie", "Élodie"),
        ("山田 太郎", "山田 太郎"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("👩‍🚀", "👩‍🚀"),
        ("O'Neil-Łukasz, Jr.", "O'Neil-Łukasz, Jr."),
        ("x" * 100, "x" * 100),
        ("%_\\", "%_\\"),
    ],
)
def test_a_name_is_kept_as_it_is_meant(text, name):
    assert clean_name(text) == name


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "\u200d",
        "\u0301",
        "x" * 101,
        "x" * 10_000_000,
        "Ana\nRuiz",
        "Ana\x00",
        "Ana\x07Ruiz",
        "Ana\u202eziuR",
        "Ana\u200bRuiz",
        "Ana\u2028Ruiz",
        "Ana\ud800",
        "Ana\ue000",
    ],
)
def test_what_cannot_be_seen_is_refused(text):
    with pytest.raises(Refused) as refused:
        clean_name(text, "workspace_name")
    assert refused.value.code is Code.INVALID
    assert [each.field for each in refused.value.errors] == ["workspace_name"]


@given(st.text(max_size=120))
def test_a_clean_name_stays_as_it_is(text):
    try:
        name = clean_name(text)
    except Refused:
        return
    assert clean_name(name) == name
    assert 1 <= len(name) <= 100
    assert "\n" not in name
    name.encode()


@pytest.mark.parametrize("text", ["ab", "acme", "acme-2", "42", "a--b", "x" * 40, " acme "])
def test_a_slug_is_small_letters_digits_and_hyphens(text):
    assert clean_slug(text) == text.strip()


@pytest.mark.parametrize(
    "text",
    ["", "a", "x" * 41, "Acme", "-acme", "acme-", "ac me", "acmé", "acme\n2", "a/b", "a\x00b", "а" * 5],
)
def test_other_slugs_are_refused(text):
    with pytest.raises(Refused) as refused:
        clean_slug(text)
    assert refused.value.code is Code.INVALID
    assert [each.field for each in refused.value.errors] == ["slug"]


@pytest.mark.parametrize("text", sorted(RESERVED_SLUGS))
def test_no_workspace_takes_a_word_of_ours(text):
    with pytest.raises(Refused):
        clean_slug(text)


@pytest.mark.parametrize(
    "typed, stored",
    [
        ("elodie", "Élodie"),
        ("ÉLODIE", "Élodie"),
        ("strasse", "Straße"),
        ("ana", "ＡＮＡ"),
        ("e\u0301lodie", "Élodie"),
        ("ΣΊΣΥΦΟΣ", "Σίσυφος"),
    ],
)
def test_a_key_is_the_same_for_every_way_to_type_it(typed, stored):
    assert search_key(typed) == search_key(stored)


def test_a_key_is_short_enough_for_an_index():
    assert len(search_key("\ufdfa" * 100)) == MAX_KEY
