"""Recovery codes: their form, their strength, their one spelling, their hash."""

import secrets

import pytest
from argon2 import extract_parameters
from argon2.low_level import Type
from hypothesis import given
from hypothesis import strategies as st

from nightlatch.authenticators import recovery_code
from nightlatch.authenticators.recovery_code import CodeParts, MalformedCode
from tests.support.called import Unread

CROCKFORD = set("0123456789abcdefghjkmnpqrstvwxyz")


def test_a_set_is_ten_codes_in_five_groups_of_four():
    codes = recovery_code.generate(secrets.token_bytes)
    assert len(codes) == 10
    for code in codes:
        groups = code.text.split("-")
        assert [len(group) for group in groups] == [4] * 5
        assert set("".join(groups)) <= CROCKFORD
        assert groups[0] == code.selector
        assert "".join(groups[1:]) == code.secret
        assert recovery_code.canonical(code.text) == CodeParts(code.selector, code.secret)


def test_the_secret_part_has_eighty_bits():
    """NIST 4.2.1.1, law 10: at least 64 secret bits, every one of them from the random source."""
    sizes = []

    def random(count: int) -> bytes:
        sizes.append(count)
        return secrets.token_bytes(count)

    codes = recovery_code.generate(random)
    assert len(codes[0].secret) * 5 == 80
    assert sum(sizes) == 10 * 20  # a letter takes 5 bits of a byte, so that all letters are equally likely
    letters = "".join(code.secret for _ in range(50) for code in recovery_code.generate(secrets.token_bytes))
    assert set(letters) == CROCKFORD


def test_selectors_differ_within_a_set_and_from_the_other_sets():
    """One row is found for a try, so that it costs one hash (law 10)."""
    stream = [bytes(20), bytes(20), *(bytes([i] * 20) for i in range(1, 12))]
    codes = recovery_code.generate(lambda count: stream.pop(0), taken={"1111"})
    selectors = [code.selector for code in codes]
    assert len(set(selectors)) == 10
    assert "1111" not in selectors
    assert "0000" in selectors


def test_a_broken_random_source_is_noticed():
    with pytest.raises(RuntimeError):
        recovery_code.generate(bytes)


@pytest.mark.parametrize(
    "text",
    [
        "01ab-cdef-ghjk-mnpq-rstv",
        "01abcdefghjkmnpqrstv",
        "01AB CDEF GHJK MNPQ RSTV",
        "o1ab-cdef-ghjk-mnpq-rstv",
        "OIab-cdef-ghjk-mnpq-rstv",
        "oLab-cdef-ghjk-mnpq-rstv",
        "  01ab\u2013cdef\u2014ghjk\u00a0mnpq\u2011rstv\n",
        "０１ab-cdef-ghjk-mnpq-rstv",
        "٠١ab-cdef-ghjk-mnpq-rstv",
    ],
)
def test_many_spellings_one_form(text: str):
    """F09, law 4: case, look-alikes, spaces, hyphens and other digits never make a second code."""
    assert recovery_code.canonical(text) == CodeParts("01ab", "cdefghjkmnpqrstv")


@pytest.mark.parametrize(
    "text,entered",
    [
        ("", 0),
        ("01ab-cdef-ghjk-mnpq-rst", 19),
        ("01ab-cdef-ghjk-mnpq-rstvw", 21),
        ("123456", 6),
        ("u1ab-cdef-ghjk-mnpq-rstv", None),
        ("01ab-cdef-ghjk-mnpq-rst!", None),
        ("01ab-cdef-ghjk-mnpq-rst\0", None),
        ("01ab-cdef-ghjk-mnpq-rst\ud800", None),
        ("01ab-cdef-ghjk-mnpq-rst\N{KELVIN SIGN}", None),
        ("０１ａｂ-cdef-ghjk-mnpq-rstv", None),
        ("$argon2id$v=19$m=8192,t=1,p=1$AAAA$AAAA", None),
        ("0" * 65, None),
    ],
)
def test_what_is_no_code(text: str, entered: int | None):
    """F28: a stored hash is no code either."""
    with pytest.raises(MalformedCode) as refused:
        recovery_code.canonical(text)
    assert refused.value.digits == entered


def test_overlong_codes_cost_nothing():
    """F49: they reach no hasher."""
    with pytest.raises(MalformedCode):
        recovery_code.canonical(Unread("0" * 1_000_000))


@given(st.text(max_size=70))
def test_canonical_divides_or_refuses(text: str):
    try:
        parts = recovery_code.canonical(text)
    except MalformedCode:
        return
    assert len(parts.selector) == 4
    assert len(parts.secret) == 16
    assert set(parts.selector + parts.secret) <= CROCKFORD
    assert recovery_code.canonical(parts.selector + parts.secret) == parts


def test_a_hash_fits_its_secret_alone():
    """NIST 3.1.2.2, ASVS 6.5.2: salted, a password hash, one secret."""
    code, other = recovery_code.generate(secrets.token_bytes)[:2]
    stored = recovery_code.hash_secret(code.secret)
    assert code.secret not in stored
    assert stored != recovery_code.hash_secret(code.secret)
    assert recovery_code.verify_secret(stored, code.secret)
    assert not recovery_code.verify_secret(stored, other.secret)
    assert not recovery_code.verify_secret(stored, stored)


def test_hash_parameters_are_the_ones_decided():
    """docs/decisions/0011: argon2id, 8 MiB, one pass, a salt of at least 32 bits."""
    parameters = extract_parameters(recovery_code.hash_secret("0" * 16))
    assert parameters.type is Type.ID
    assert (parameters.memory_cost, parameters.time_cost, parameters.parallelism) == (8192, 1, 1)
    assert parameters.salt_len >= 4


def test_the_decoy_fits_nothing_and_costs_the_same():
    """F41: a wrong selector takes as long as a wrong secret."""
    decoy = recovery_code.decoy_hash()
    assert extract_parameters(decoy) == extract_parameters(recovery_code.hash_secret("0" * 16))
    assert not recovery_code.verify_secret(decoy, "0" * 16)


def test_secrets_stay_out_of_reprs():
    """Law 10."""
    code = recovery_code.generate(secrets.token_bytes)[0]
    assert code.secret[:4] not in repr(code).replace(code.selector, "")
    assert code.secret not in repr(recovery_code.canonical(code.text))
