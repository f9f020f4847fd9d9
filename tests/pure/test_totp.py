"""TOTP against the RFCs' tables, against oathtool, and against the ways in which others have failed."""

from functools import partial
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nightlatch.authenticators import totp
from nightlatch.authenticators.totp import MalformedCode, Outcome
from nightlatch.instants import SECOND, from_text
from tests.support import oath
from tests.support.called import Unread, called

RFC_SEED = b"12345678901234567890"

# Steps of RFC_SEED that have the same code, found by search: beside each other, and two apart.
ADJACENT = (59_061_240, 59_061_241, "963181")
TWO_APART = (61_331_809, 61_331_811, "768734")
ZEROS = (59_000_187, "008554")

seeds = st.binary(min_size=totp.SEED_BYTES, max_size=totp.SEED_BYTES)
steps = st.integers(min_value=totp.DRIFT_WINDOW, max_value=1 << 40)


def at(step: int) -> int:
    """An instant within a step."""
    return step * totp.STEP + 12 * SECOND


# The algorithm


@pytest.mark.parametrize(
    "counter,code",
    [
        (0, "755224"),
        (1, "287082"),
        (2, "359152"),
        (3, "969429"),
        (4, "338314"),
        (5, "254676"),
        (6, "287922"),
        (7, "162583"),
        (8, "399871"),
        (9, "520489"),
    ],
)
def test_rfc_4226_appendix_d(counter: int, code: str):
    """RFC 4226 appendix D, the whole table."""
    assert totp.code_at(RFC_SEED, counter) == code


@pytest.mark.parametrize(
    "second,step,code",
    [
        (59, 0x1, "94287082"),
        (1111111109, 0x23523EC, "07081804"),
        (1111111111, 0x23523ED, "14050471"),
        (1234567890, 0x273EF07, "89005924"),
        (2000000000, 0x3F940AA, "69279037"),
        (20000000000, 0x27BC86AA, "65353130"),
    ],
)
def test_rfc_6238_appendix_b(second: int, step: int, code: str):
    """RFC 6238 appendix B, SHA-1; six digits are the last six of the eight."""
    assert totp.step_at(second * SECOND) == step
    assert totp.code_at(RFC_SEED, step) == code[-6:]


def test_a_step_is_thirty_seconds():
    """RFC 6238 5.2."""
    start = from_text("2026-11-24T09:14:00Z")
    step = totp.step_at(start)
    assert totp.step_at(start + 30 * SECOND - 1) == step
    assert totp.step_at(start + 30 * SECOND) == step + 1
    assert totp.step_at(start - 1) == step - 1


@pytest.mark.parametrize(
    "moment", ["2038-01-19T03:14:07Z", "2038-01-19T03:14:08Z", "2106-02-07T06:28:16Z", "6053-01-23T00:00:00Z"]
)
def test_after_2038(moment: str):
    """RFC 6238 3 R5, 4.2: T may exceed 32 bits (the last moment is beyond 2^32 steps)."""
    now = from_text(moment)
    secret = totp.key_text(RFC_SEED)
    assert totp.code_at(RFC_SEED, totp.step_at(now)) == oath.totp(secret, at=now // SECOND)


@pytest.mark.parametrize("number", range(8))
def test_oathtool_agrees(number: int):
    """Another implementation shows the same code: for fresh seeds, at moments over the years."""
    seed = bytes((number * 37 + i * 11) & 255 for i in range(totp.SEED_BYTES))
    now = from_text("2026-11-24T09:14:03Z") + number * 97_777_777 * SECOND
    assert totp.code_at(seed, totp.step_at(now)) == oath.totp(totp.grouped_key(seed), at=now // SECOND)


def test_seed_has_160_random_bits():
    """RFC 4226 4 R6, NIST 3.1.4: the seed is 160 bits, all from the random source."""
    asked = []

    def random(count: int) -> bytes:
        asked.append(count)
        return bytes(range(count))

    assert totp.new_seed(random) == bytes(range(20))
    assert asked == [20]


@given(seeds, steps)
def test_a_code_is_six_ascii_digits(seed: bytes, step: int):
    code = totp.code_at(seed, step)
    assert len(code) == 6
    assert code.isascii()
    assert code.isdigit()
    assert totp.canonical(code) == code


# The canonical form


@pytest.mark.parametrize(
    "text",
    [
        "123456",
        " 123456",
        "123 456",
        "123-456",
        "1 2 3 4 5 6",
        "123\N{EN DASH}456",
        "123\N{EM DASH}456",
        "123\N{NON-BREAKING HYPHEN}456",
        "123\N{MINUS SIGN}456",
        "123\N{SOFT HYPHEN}456",
        "123\N{NO-BREAK SPACE}456",
        "123\N{NARROW NO-BREAK SPACE}456",
        "123\N{IDEOGRAPHIC SPACE}456",
        "\t123456\r\n",
        "１２３４５６",
        "١٢٣٤٥٦",
        "۱۲۳۴۵۶",
        "१२३४५६",
        "𝟏𝟐𝟑𝟜𝟝𝟞",
        "１2٣४𝟓6",
    ],
)
def test_many_spellings_one_form(text: str):
    """F09, F46, law 4: white space, hyphens and digits of other scripts never make a second code."""
    assert totp.canonical(text) == "123456"


def test_a_used_code_in_other_spellings_stays_used():
    """F09: a used code in eight spellings is refused eight times."""
    code = totp.code_at(RFC_SEED, ZEROS[0])
    now = at(ZEROS[0])
    verdict = totp.verify(RFC_SEED, code, now, None)
    fullwidth = "".join(chr(ord(digit) + 0xFEE0) for digit in code)
    arabic = "".join(chr(ord(digit) - 48 + 0x660) for digit in code)
    spaced = f"{code[:3]} {code[3:]}"
    for text in [
        code,
        f" {code}",
        f"{code}\n",
        spaced,
        spaced.replace(" ", "-"),
        fullwidth,
        arabic,
        f"\u3000{code}",
    ]:
        again = totp.verify(RFC_SEED, totp.canonical(text), now, verdict.step)
        assert again.outcome is Outcome.REPLAYED


@pytest.mark.parametrize(
    "text,digits",
    [
        ("", 0),
        ("  - ", 0),
        ("12345", 5),
        ("1234567", 7),
        ("12 34", 4),
        ("١٢٣", 3),
        ("1" * 64, 64),
        ("1" * 65, None),
        ("123456" + " " * 59, None),
        ("12345a", None),
        ("abcdef", None),
        ("+12345", None),
        ("12345.", None),
        ("1e5", None),
        ("0x1234", None),
        ("1_23456", None),
        ("123456\0", None),
        ("123456\x1c", None),
        ("123456\u200b", None),
        ("12345\ud800", None),
        ("12345²", None),
        ("12345①", None),
        ("12345Ⅵ", None),
        ("一二三四五六", None),
    ],
)
def test_what_is_no_code(text: str, digits: int | None):
    """F46: five digits, seven, letters, signs, superscripts, numerals; digits are counted."""
    with pytest.raises(MalformedCode) as refused:
        totp.canonical(text)
    assert refused.value.digits == digits
    assert refused.value.args == ("not a code",)


def test_leading_zeros_count():
    """F46: "008554" is right; the number without its zeros is no code."""
    step, code = ZEROS
    assert totp.code_at(RFC_SEED, step) == code
    assert totp.verify(RFC_SEED, totp.canonical(code), at(step), None).outcome is Outcome.ACCEPTED
    with pytest.raises(MalformedCode):
        totp.canonical(code.lstrip("0"))


def test_overlong_codes_cost_nothing():
    """F49: a megabyte is refused before it is read."""
    with pytest.raises(MalformedCode):
        totp.canonical(Unread("1" * 1_000_000))


@given(st.text(max_size=80))
def test_canonical_accepts_six_digits_or_refuses(text: str):
    """F09: there is no third way."""
    try:
        code = totp.canonical(text)
    except MalformedCode:
        return
    assert len(code) == 6
    assert set(code) <= set("0123456789")


# Verifying


@pytest.mark.parametrize(
    "offset,outcome",
    [
        (-2, Outcome.WRONG),
        (-1, Outcome.ACCEPTED),
        (0, Outcome.ACCEPTED),
        (1, Outcome.ACCEPTED),
        (2, Outcome.WRONG),
    ],
)
def test_one_step_either_way(offset: int, outcome: Outcome):
    """RFC 6238 5.2, 6; ASVS 6.5.5: one step of delay or drift, no farther."""
    step = 59_000_000
    verdict = totp.verify(RFC_SEED, totp.code_at(RFC_SEED, step + offset), at(step), None)
    assert verdict.outcome is outcome
    assert verdict.step == (step + offset if outcome is Outcome.ACCEPTED else None)


def test_a_code_is_accepted_once():
    """F08, NIST 3.1.4, RFC 6238 5.2, ASVS 6.5.1."""
    step = 59_000_000
    code = totp.code_at(RFC_SEED, step)
    first = totp.verify(RFC_SEED, code, at(step), None)
    assert first.outcome is Outcome.ACCEPTED
    assert totp.verify(RFC_SEED, code, at(step), first.step) == totp.Verdict(Outcome.REPLAYED, step)


def test_older_codes_die_with_newer_ones():
    """F13: code t, code t+1, code t again."""
    step = 59_000_000
    old, new = totp.code_at(RFC_SEED, step), totp.code_at(RFC_SEED, step + 1)
    highest = totp.verify(RFC_SEED, old, at(step), None).step
    highest = totp.verify(RFC_SEED, new, at(step), highest).step
    assert highest == step + 1
    assert totp.verify(RFC_SEED, old, at(step), highest).outcome is Outcome.REPLAYED
    assert totp.verify(RFC_SEED, old, at(step + 1), highest).outcome is Outcome.REPLAYED


def test_a_clock_that_goes_back_revives_nothing():
    """F12: the highest step holds whatever the clock says."""
    step = 59_000_000
    code = totp.code_at(RFC_SEED, step - 100)
    assert totp.verify(RFC_SEED, code, at(step - 100), step).outcome is Outcome.REPLAYED


def test_a_fresh_code_that_equals_the_last_one_passes():
    """F14: equal codes in adjacent steps; the fresh step is accepted."""
    old, fresh, code = ADJACENT
    assert totp.code_at(RFC_SEED, old) == totp.code_at(RFC_SEED, fresh) == code
    assert totp.verify(RFC_SEED, code, at(fresh), old) == totp.Verdict(Outcome.ACCEPTED, fresh)


@pytest.mark.parametrize("earlier,later,code", [ADJACENT, TWO_APART])
def test_a_colliding_code_is_not_spent_twice(earlier: int, later: int, code: str):
    """F14 and F08 together: what matches two steps uses up both."""
    now = at(earlier + 1)
    first = totp.verify(RFC_SEED, code, now, None)
    assert first == totp.Verdict(Outcome.ACCEPTED, later)
    assert totp.verify(RFC_SEED, code, now, first.step).outcome is Outcome.REPLAYED


def test_the_first_moments_of_the_epoch():
    """Steps before zero do not exist."""
    assert totp.verify(RFC_SEED, "755224", 0, None).outcome is Outcome.ACCEPTED
    assert totp.drift(RFC_SEED, "000000", 0) is None


@given(seeds, steps, st.integers(-3, 3), st.none() | st.integers(-3, 3))
def test_accepted_only_above_the_highest_and_within_the_window(
    seed: bytes, step: int, offset: int, highest_offset: int | None
):
    """F08, F12, F13: accepted means within one step, above the highest, and the right code."""
    code = totp.code_at(seed, step + offset)
    highest = None if highest_offset is None else step + highest_offset
    verdict = totp.verify(seed, code, at(step), highest)
    if verdict.outcome is Outcome.ACCEPTED:
        assert verdict.step is not None
        assert abs(verdict.step - step) <= 1
        assert highest is None or verdict.step > highest
        assert totp.code_at(seed, verdict.step) == code
        assert totp.verify(seed, code, at(step), verdict.step).outcome is Outcome.REPLAYED
    elif abs(offset) <= 1 and (highest is None or step + offset > highest):
        pytest.fail("a right and fresh code was refused")


@given(seeds, st.lists(st.tuples(st.integers(-1, 1), st.integers(0, 2)), max_size=20))
def test_no_sequence_of_codes_succeeds_twice_for_a_step(seed: bytes, tries: list[tuple[int, int]]):
    """Law 4: whatever is entered in whatever order, a step is accepted once and steps only rise."""
    step, highest, accepted = 59_000_000, None, []
    for offset, passing in tries:
        step += passing
        verdict = totp.verify(seed, totp.code_at(seed, step + offset), at(step), highest)
        if verdict.outcome is Outcome.ACCEPTED:
            accepted.append(verdict.step)
            highest = verdict.step
    assert accepted == sorted(set(accepted), key=lambda number: number or 0)


# Drift, for enrolment


@pytest.mark.parametrize("offset", [-20, -8, -2, 2, 8, 20])
def test_drift_is_told_with_its_size_and_side(offset: int):
    """RFC 6238 6: a phone four minutes behind is eight steps behind, negative."""
    step = 59_000_000
    assert totp.drift(RFC_SEED, totp.code_at(RFC_SEED, step + offset), at(step)) == offset


@pytest.mark.parametrize("offset", [-21, -1, 0, 1, 21])
def test_no_drift_within_the_window_or_far_off(offset: int):
    step = 59_000_000
    assert totp.drift(RFC_SEED, totp.code_at(RFC_SEED, step + offset), at(step)) is None


def test_drift_of_a_code_that_also_belongs_near_is_none():
    """A code that `verify` takes is no drift, even where it belongs to a far step too."""
    earlier, later, code = TWO_APART
    assert totp.drift(RFC_SEED, code, at(earlier)) is None
    assert totp.drift(RFC_SEED, code, at(later + 5)) == -5


# The key and its URI


def test_uri_of_the_key_uri_format():
    """Key URI: label and issuer equal and encoded, secret without padding, what every app knows."""
    uri = totp.otpauth_uri(RFC_SEED, "Acme Notes", "ana@acme.example")
    assert uri == (
        "otpauth://totp/Acme%20Notes:ana%40acme.example?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
        "&issuer=Acme%20Notes&algorithm=SHA1&digits=6&period=30"
    )


def test_key_texts():
    """WCAG 3.3.8: the key can be copied, and typed in groups of four; oathtool takes both."""
    assert totp.key_text(RFC_SEED) == "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
    assert totp.grouped_key(RFC_SEED) == "GEZD GNBV GY3T QOJQ GEZD GNBV GY3T QOJQ"
    assert oath.totp(totp.key_text(RFC_SEED), at=59) == "287082"


names = st.text(st.characters(codec="utf-8"), max_size=300)


@given(seeds, names, names)
def test_uri_of_any_names(seed: bytes, issuer: str, account: str):
    """Whatever names say: one label, one issuer, one secret, and short enough for a phone to read."""
    uri = totp.otpauth_uri(seed, issuer, account)
    assert uri.isascii()
    assert len(uri) < 1000
    parts = urlsplit(uri)
    query = parse_qs(parts.query, strict_parsing=True)
    assert set(query) == {"secret", "issuer", "algorithm", "digits", "period"}
    assert query["secret"] == [totp.key_text(seed)]
    shown, colon, person = parts.path.removeprefix("/").partition(":")
    assert colon
    assert ":" not in unquote(person)
    assert ":" not in unquote(shown)
    assert [unquote(shown)] == query["issuer"]
    assert unquote(shown, errors="strict").strip() == unquote(shown)


def test_uri_of_hostile_names():
    """A workspace's name cannot add a parameter or a second label."""
    uri = totp.otpauth_uri(RFC_SEED, "A: B&secret=AAAA#", "x?issuer=Bank\r\n:y")
    assert unquote(urlsplit(uri).path) == "/A B&secret=AAAA#:x?issuer=Bank y"
    assert parse_qs(urlsplit(uri).query)["issuer"] == ["A B&secret=AAAA#"]
    assert urlsplit(totp.otpauth_uri(RFC_SEED, ":", "")).path == "/Nightlatch:account"


# What it takes


def test_verifying_is_three_hmacs():
    """Whatever the code: right, of the step before, wrong."""
    now = at(59_000_000)
    for code in (totp.code_at(RFC_SEED, 59_000_000), totp.code_at(RFC_SEED, 58_999_999), "000000"):
        work = called(partial(totp.verify, RFC_SEED, code, now, None))
        assert work["hmac_digest"] == work["compare_digest"] == 3
