"""The key ring: sealing bound to a row, rotation, wrong keys noticed, the file that holds it."""

import base64
import os
import secrets
import stat
import threading
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from hypothesis import given
from hypothesis import strategies as st

from nightlatch.keyring import KeyRing, KeyRingError, SealError, Tampered, WrongKey, key_id_of
from tests.support.called import called

ONE = KeyRing({"k1": b"1" * 32}, "k1")
BOTH = KeyRing({"k1": b"1" * 32, "k2": b"2" * 32}, "k2")
TWO = KeyRing({"k2": b"2" * 32}, "k2")
SEED = b"12345678901234567890"


# Sealing


def test_what_is_sealed_opens_for_its_purpose_and_row():
    """Law 10, RFC 6238 5.1."""
    sealed = ONE.seal("totp", "authenticator/7", SEED)
    assert ONE.open("totp", "authenticator/7", sealed) == SEED
    assert SEED not in sealed
    assert key_id_of(sealed) == "k1"
    assert sealed != ONE.seal("totp", "authenticator/7", SEED)


@pytest.mark.parametrize(
    "purpose,row",
    [
        ("totp", "authenticator/8"),
        ("mail", "authenticator/7"),
        ("totpa", "uthenticator/7"),
        ("tot", "pauthenticator/7"),
        ("totp", ""),
    ],
)
def test_it_opens_nowhere_else(purpose: str, row: str):
    """Law 10: a ciphertext that somebody moves to another row, or another column, is nothing there."""
    sealed = ONE.seal("totp", "authenticator/7", SEED)
    with pytest.raises(Tampered):
        ONE.open(purpose, row, sealed)


def test_every_changed_byte_is_noticed():
    """ASVS 11.3.2: authenticated encryption."""
    sealed = ONE.seal("totp", "7", SEED)
    for position in range(len(sealed)):
        changed = bytearray(sealed)
        changed[position] ^= 1
        with pytest.raises(SealError):
            ONE.open("totp", "7", bytes(changed))
    for length in range(len(sealed)):
        with pytest.raises(SealError):
            ONE.open("totp", "7", sealed[:length])


@given(st.binary(max_size=80))
def test_nonsense_is_refused(sealed: bytes):
    with pytest.raises(SealError):
        BOTH.open("totp", "7", sealed)
    assert not BOTH.tag_matches("totp", b"7", sealed)


@given(st.text(st.characters(codec="utf-8")), st.text(st.characters(codec="utf-8")), st.binary())
def test_any_purpose_row_and_content(purpose: str, row: str, content: bytes):
    assert BOTH.open(purpose, row, BOTH.seal(purpose, row, content)) == content


def test_the_cipher_is_what_it_says():
    """AES-256-GCM with a key by HKDF-SHA256 (RFC 5869), as the `cryptography` package computes both."""
    sealed = ONE.seal("totp", "authenticator/7", SEED)
    key = HKDF(SHA256(), 32, salt=None, info=b"nightlatch/1/seal/totp").derive(b"1" * 32)
    nonce, rest = sealed[4:16], sealed[16:]
    assert sealed[:4] == b"\x01\x02k1"
    assert AESGCM(key).decrypt(nonce, rest, b"\0\0\0\x04totpauthenticator/7") == SEED


def test_the_cipher_is_built_once():
    """The hot path: not for every use."""
    sealed = ONE.seal("totp", "7", SEED)
    again = called(lambda: ONE.open("totp", "7", sealed))
    assert again["KeyRing.open"] == again["AESGCM.decrypt"] == 1
    assert not [name for name in again if "_make" in name]
    assert any(
        "_make_cipher" in name for name in called(lambda: ONE.open("else", "7", ONE.seal("else", "7", SEED)))
    )


def test_one_ring_serves_many_threads():
    failures = []

    def work(number: int) -> None:
        for round_ in range(300):
            row = f"{number}/{round_}"
            if BOTH.open("totp", row, BOTH.seal("totp", row, row.encode())) != row.encode():
                failures.append(row)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures


# Rotation and wrong keys


def test_keys_rotate_without_downtime():
    """Law 10: known everywhere, then current, then the old one gone; nothing is ever unreadable."""
    old = KeyRing.generate(secrets.token_bytes)
    sealed = old.seal("totp", "7", SEED)

    known = old.added(secrets.token_bytes)
    assert known.current_id == old.current_id
    fresh_id = known.ids[1]
    assert key_id_of(known.seal("totp", "7", SEED)) == old.current_id

    current = known.promoted(fresh_id)
    assert current.ids == (fresh_id, old.current_id)
    resealed = current.seal("totp", "7", SEED)
    assert known.open("totp", "7", resealed) == current.open("totp", "7", sealed) == SEED

    alone = current.without(old.current_id)
    assert alone.ids == (fresh_id,)
    assert alone.open("totp", "7", resealed) == SEED
    with pytest.raises(WrongKey, match=old.current_id):
        alone.open("totp", "7", sealed)
    with pytest.raises(KeyRingError):
        alone.without(fresh_id)
    with pytest.raises(KeyRingError):
        alone.promoted(old.current_id)


def test_a_wrong_ring_is_noticed():
    """Law 11: a start with the wrong key is refused, also where another key goes by the same id."""
    check = ONE.check_value()
    assert ONE.matches(check)
    assert BOTH.matches(check)
    assert not TWO.matches(check)
    assert not KeyRing({"k1": b"3" * 32}, "k1").matches(check)
    with pytest.raises(Tampered):
        KeyRing({"k1": b"3" * 32}, "k1").open("totp", "7", ONE.seal("totp", "7", SEED))


def test_fresh_keys_have_ids_of_their_own():
    """Two installations never call different keys by one name."""
    ids = {KeyRing.generate(secrets.token_bytes).current_id for _ in range(50)}
    assert len(ids) == 50


# Tags and subkeys


def test_tags():
    tag = ONE.tag("invitation", b"ana@acme.example")
    assert ONE.tag_matches("invitation", b"ana@acme.example", tag)
    assert BOTH.tag_matches("invitation", b"ana@acme.example", tag)
    assert not TWO.tag_matches("invitation", b"ana@acme.example", tag)
    assert not ONE.tag_matches("ticket", b"ana@acme.example", tag)
    assert not ONE.tag_matches("invitation", b"ana@acme.example.", tag)
    assert not ONE.tag_matches("invitation", b"ana@acme.example", tag[:-1])
    assert key_id_of(tag) == "k1"


def test_subkeys_differ_by_key_and_purpose():
    """The pepper of passwords is one of them; no use of the ring shares a key with another."""
    peppers = BOTH.subkeys("password")
    assert list(peppers) == ["k2", "k1"]
    assert peppers["k1"] == ONE.subkeys("password")["k1"]
    every = [*peppers.values(), *BOTH.subkeys("other").values(), b"1" * 32, b"2" * 32]
    every += [HKDF(SHA256(), 32, salt=None, info=b"nightlatch/1/seal/password").derive(b"1" * 32)]
    assert len(set(every)) == len(every)
    assert {len(key) for key in every} == {32}


# Text


def test_text_and_back():
    assert KeyRing.parse(BOTH.to_text()).to_text() == BOTH.to_text()
    assert KeyRing.parse(BOTH.to_text()).ids == ("k2", "k1")


@pytest.mark.parametrize(
    "text",
    [
        "k1:{one},k2:{two}",
        "k1:{one} k2:{two}",
        "\n# made for Acme\nk1:{one}  # the old one\n\nk2:{two}\n",
        "k1:{one_url}\r\nk2:{two}\r\n",
    ],
)
def test_ways_to_write_a_ring(text: str):
    one, two = bytes(range(224, 256)), b"2" * 32
    written = text.format(
        one=base64.b64encode(one).decode(),
        one_url=base64.urlsafe_b64encode(one).decode().rstrip("="),
        two=base64.b64encode(two).decode(),
    )
    assert KeyRing.parse(written).to_text() == KeyRing({"k1": one, "k2": two}, "k1").to_text()


def test_a_bare_key_gets_an_id():
    """`openssl rand -base64 32` is enough."""
    bare = base64.b64encode(b"1" * 32).decode()
    ring = KeyRing.parse(bare)
    assert ring.ids == KeyRing.parse(bare).ids == KeyRing.generate(lambda count: b"1" * count).ids
    assert ring.ids[0].startswith("k")


@pytest.mark.parametrize(
    "text,complaint",
    [
        ("", "empty"),
        ("# nothing\n", "empty"),
        ("k1:abc", "32"),
        ("k1:" + "A" * 42 + "!", "not base64"),
        ("k1:" + "A" * 200, "32"),
        ("k 1:" + "A" * 43, "not base64"),
        ("K1:" + "A" * 43, "id"),
        (":" + "A" * 43, "id"),
        ("a$b:" + "A" * 43, "id"),
        ("k1:" + "A" * 43 + ",k1:" + "B" * 43, "same id"),
        ("schlüssel", "not base64"),
    ],
)
def test_what_is_no_ring(text: str, complaint: str):
    """The message helps and holds no key."""
    with pytest.raises(KeyRingError, match=complaint) as refused:
        KeyRing.parse(text)
    assert "AAAA" not in str(refused.value)


def test_no_key_in_a_repr_or_an_error():
    """Law 10."""
    assert repr(BOTH) == "KeyRing(k2, k1)"
    with pytest.raises(SealError) as refused:
        ONE.open("totp", "7", TWO.seal("totp", "7", SEED))
    assert str(refused.value) == "sealed with key k2, which is not in the ring"


# Files


def test_a_new_ring_lies_in_a_private_file(tmp_path: Path):
    """ASVS 11.5.1, law 10: 0600, whatever the umask says, in a folder of its own."""
    path = tmp_path / "data" / "keys"
    before = os.umask(0)
    try:
        ring = KeyRing.create(path)
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert KeyRing.load(path).to_text() == ring.to_text()
    assert [entry.name for entry in path.parent.iterdir()] == ["keys"]


def test_a_key_is_never_overwritten(tmp_path: Path):
    ring = KeyRing.create(tmp_path / "keys")
    with pytest.raises(FileExistsError):
        KeyRing.create(tmp_path / "keys")
    assert KeyRing.load_or_create(tmp_path / "keys").to_text() == ring.to_text()
    assert [entry.name for entry in tmp_path.iterdir()] == ["keys"]


def test_processes_that_start_together_share_one_ring(tmp_path: Path):
    """PostgreSQL workers, or a demo started twice: one makes the key, all use it."""
    path, found, gate = tmp_path / "keys", [], threading.Barrier(8)

    def start() -> None:
        gate.wait()
        found.append(KeyRing.load_or_create(path).to_text())

    threads = [threading.Thread(target=start) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert len(set(found)) == 1


def test_save_replaces_the_file_whole(tmp_path: Path):
    path = tmp_path / "keys"
    ring = KeyRing.create(path).added(secrets.token_bytes)
    ring.save(path)
    assert KeyRing.load(path).ids == ring.ids
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [entry.name for entry in tmp_path.iterdir()] == ["keys"]


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o660, 0o666])
def test_a_file_that_others_can_read_is_refused(tmp_path: Path, mode: int):
    path = tmp_path / "keys"
    KeyRing.create(path)
    path.chmod(mode)
    with pytest.raises(KeyRingError, match="chmod 600"):
        KeyRing.load_or_create(path)


def test_a_file_that_is_no_text(tmp_path: Path):
    path = tmp_path / "keys"
    path.write_bytes(b"\xff\xfe\x00" * 20)
    path.chmod(0o600)
    with pytest.raises(KeyRingError, match="no text"):
        KeyRing.load(path)
