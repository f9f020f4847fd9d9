"""Passwords: what is refused and why, and the hash that is kept."""

import hmac
import unicodedata
from functools import partial

import argon2
import pytest
from argon2.low_level import Type
from hypothesis import given
from hypothesis import strategies as st

from nightlatch.authenticators import password
from nightlatch.authenticators.password import Kind, MalformedPassword, Pepper, PepperMissing
from tests.support.called import Unread, called

GOOD = "plaid ferret sails at noon"
OLD = Pepper("k1", {"k1": b"1" * 32})
NEW = Pepper("k2", {"k2": b"2" * 32, "k1": b"1" * 32})


# What is refused


@pytest.mark.parametrize(
    "text",
    [
        GOOD,
        "x7Kq92mPz81LwQv",
        "mein Hund frisst Zeitung",
        "шапка летит над рекой",
        "猫は屋根の上で静かに歌を歌っていた夜",
        "       plaid ferret noon       ",
        "🦊🧵⛵🌗🧊🪁🎲🧭🪵🎻🥁🧄🫐🪺🌶",
        GOOD * 39,
        GOOD + "password1" * 20,
        "password1" * 20 + GOOD,
    ],
)
def test_good_passwords(text: str):
    """NIST 3.1.1.2, ASVS 6.2.5: no rules about kinds of characters, spaces and every script allowed."""
    assert password.problem(text, ["ana@acme.example", "Ana Berg", "Acme Notes", "Nightlatch"]) is None


@pytest.mark.parametrize(
    "text,kind",
    [
        ("", Kind.TOO_SHORT),
        ("plaid ferret !", Kind.TOO_SHORT),
        ("a" * 1025, Kind.TOO_LONG),
        ("a" * 1_000_000, Kind.TOO_LONG),
        (GOOD + "\0", Kind.UNREADABLE),
        (GOOD + "\ud800", Kind.UNREADABLE),
        ("aaaaaaaaaaaaaaaaaa", Kind.REPEATED),
        ("abababababababababab", Kind.REPEATED),
        ("abcdefghijklmnop", Kind.SEQUENCE),
        ("абвгдежзийклмноп", Kind.SEQUENCE),
        ("ponmlkjihgfedcba", Kind.SEQUENCE),
        ("passwordpassword", Kind.GUESSABLE),
        ("Password1234567!", Kind.GUESSABLE),
        ("iloveyou12345678", Kind.GUESSABLE),
        ("qwertyuiopasdfghjkl", Kind.GUESSABLE),
        ("1qaz2wsx3edc4rfv", Kind.GUESSABLE),
        ("P@ssw0rdP@ssw0rd", Kind.GUESSABLE),
        ("monkeydragonfootball", Kind.GUESSABLE),
        ("Summer2026Summer", Kind.GUESSABLE),
        ("password1" * 30, Kind.GUESSABLE),
        ("ana.berg@acme.example", Kind.PERSONAL),
        ("ANA.BERG@ACME.EXAMPLE", Kind.PERSONAL),
        ("Ana Berg Acme Notes", Kind.PERSONAL),
        ("acmenotes-acmenotes", Kind.PERSONAL),
        ("nightlatch-nightlatch-1", Kind.PERSONAL),
        ("AcmeNotes12345678", Kind.GUESSABLE),
    ],
)
def test_refused_passwords(text: str, kind: Kind):
    """NIST 3.1.1.2, ASVS 6.2.1, 6.2.4: short, listed, personal, monotonous ones are refused."""
    problem = password.problem(text, ["ana.berg@acme.example", "Ana Berg", "Acme Notes", "Nightlatch"])
    assert problem is not None
    assert problem.kind is kind
    assert problem.message.endswith((".", "!"))
    assert text == "" or text not in problem.message


def test_reasons_are_said():
    """NIST 3.1.1.2: the person hears why."""
    short = password.problem("plaid ferret")
    assert short is not None
    assert "at least 15 characters; this one has 12" in short.message
    row = password.problem("qazwsxedcrfvtgb")
    assert row is not None
    assert row.message == "This password is easy to guess. This is a very common password."


@pytest.mark.parametrize("length,refused", [(14, True), (15, False), (1024, False), (1025, True)])
def test_lengths_count_code_points_after_nfc(length: int, refused: bool):
    """NIST 3.1.1.2: 15 to 1,024, nothing is cut off, every character counts as one however it is typed."""
    letters = "żółćęśąźńâôûêîő"
    text = (letters * 69)[:length]
    assert (password.problem(text) is not None) is refused
    assert (password.problem(unicodedata.normalize("NFD", text)) is not None) is refused


def test_long_input_is_little_work():
    """F49: a megabyte is refused unread; what is read takes work in proportion to its length."""
    assert password.problem(Unread("x" * 1_000_000), ["y" * 1_000_000]) is not None
    for letters in ("a" + "\u0345\u0301\u0316\u0327" * 127, "l4mon1$e" * 16):
        once, eight = (
            called(partial(password.problem, letters * times, ["lemon"])).total() for times in (1, 8)
        )
        assert eight < 20 * once


@given(st.text(max_size=40))
def test_normalise_is_idempotent_or_refuses(text: str):
    try:
        once = password.normalise(text)
    except MalformedPassword as malformed:
        assert malformed.problem.kind in (Kind.UNREADABLE, Kind.TOO_LONG)  # noqa: PT017
        return
    assert password.normalise(once) == once
    assert "\0" not in once
    once.encode()


# The hash


def test_a_hash_fits_its_password_alone():
    stored = password.hash_password(GOOD, OLD)
    assert password.verify_password(stored, GOOD, OLD)
    assert not password.verify_password(stored, GOOD + " ", OLD)
    assert not password.verify_password(stored, GOOD.upper(), OLD)
    assert not password.verify_password(stored, stored, OLD)
    assert stored != password.hash_password(GOOD, OLD)
    assert "ferret" not in stored


def test_the_same_password_typed_otherwise():
    """NIST 3.1.1.2: NFC before hashing, so that every keyboard gets in."""
    stored = password.hash_password("çà et là, żółwie", OLD)
    assert password.verify_password(stored, unicodedata.normalize("NFD", "çà et là, żółwie"), OLD)


def test_every_character_counts():
    """ASVS 6.2.8: nothing is truncated, not even the last of 1,024."""
    text = "å" * 1023
    stored = password.hash_password(text + "x", OLD)
    assert password.verify_password(stored, text + "x", OLD)
    assert not password.verify_password(stored, text + "y", OLD)


def test_hash_parameters_are_the_ones_decided():
    """ASVS 11.4.2, docs/decisions/0010: argon2id, 19 MiB, two passes; the id of the pepper's key in front."""
    stored = password.hash_password(GOOD, OLD)
    assert stored.startswith("k1$argon2id$v=19$m=19456,t=2,p=1$")
    parameters = argon2.extract_parameters(stored.removeprefix("k1"))
    assert parameters.type is Type.ID
    assert (parameters.salt_len, parameters.hash_len) == (16, 32)


def test_argon2_sees_the_keyed_password():
    """NIST 3.1.1.2: a keyed step whose key lies elsewhere; the database alone does not let anybody guess."""
    stored = password.hash_password(GOOD, OLD)
    keyed = hmac.digest(b"1" * 32, GOOD.encode(), "sha256")
    assert argon2.PasswordHasher().verify(stored.removeprefix("k1"), keyed)
    with pytest.raises(argon2.exceptions.VerifyMismatchError):
        argon2.PasswordHasher().verify(stored.removeprefix("k1"), GOOD)
    assert not password.verify_password(stored, GOOD, Pepper("k1", {"k1": b"3" * 32}))


def test_keys_rotate():
    """Law 10: old hashes still verify, are marked for a new one, and fail loudly without their key."""
    stored = password.hash_password(GOOD, OLD)
    assert not password.needs_rehash(stored, OLD)
    assert password.verify_password(stored, GOOD, NEW)
    assert password.needs_rehash(stored, NEW)
    fresh = password.hash_password(GOOD, NEW)
    assert fresh.startswith("k2$")
    assert not password.needs_rehash(fresh, NEW)
    with pytest.raises(PepperMissing):
        password.verify_password(fresh, GOOD, OLD)


def test_weaker_parameters_are_renewed():
    weak = argon2.PasswordHasher(time_cost=1, memory_cost=8192, parallelism=1)
    stored = "k1" + weak.hash(hmac.digest(b"1" * 32, GOOD.encode(), "sha256"))
    assert password.verify_password(stored, GOOD, OLD)
    assert password.needs_rehash(stored, OLD)


def test_the_decoy_fits_nothing_and_costs_the_same():
    """F41: unknown addresses take as long as known ones."""
    real = password.hash_password(GOOD, OLD).removeprefix("k1")
    assert argon2.extract_parameters(password.DECOY_HASH) == argon2.extract_parameters(real)
    for pepper in (OLD, NEW):
        assert not password.verify_password(password.DECOY_HASH, GOOD, pepper)


@pytest.mark.parametrize("text", ["\0" * 20, "\ud800" * 20, "x" * 5000])
def test_malformed_passwords_reach_no_hasher(text: str):
    """F49, F46: they are refused the same whether stored or tried, and the text is not in the exception."""
    for attempt in (
        lambda: password.hash_password(text, OLD),
        lambda: password.verify_password(password.DECOY_HASH, text, OLD),
    ):
        with pytest.raises(MalformedPassword) as refused:
            attempt()
        assert text not in str(refused.value)


def test_secrets_stay_out_of_reprs():
    """Law 10."""
    assert "111" not in repr(OLD)
