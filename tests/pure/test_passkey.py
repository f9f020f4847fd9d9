"""Passkeys: each check of WebAuthn sections 7.1 and 7.2 against a software authenticator that lies about just that."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import cbor2
import pytest

from nightlatch.authenticators import passkey, passkey_answers, passkey_asking
from nightlatch.authenticators.passkey import Kept, NewPasskey, Wrong, check_made, check_shown
from nightlatch.authenticators.passkey_answers import challenge_of, read_made, read_shown
from nightlatch.authenticators.passkey_asking import (
    ED25519,
    ES256,
    RS256,
    Descriptor,
    Malformed,
    Site,
    from_base64url,
    to_base64url,
)
from tests.support.passkeys import SITE, SoftPasskey, cose, new_key

CHALLENGE = b"c" * 32
HANDLE = b"h" * 64


def creation() -> dict[str, Any]:
    return passkey_asking.creation_options(
        SITE, CHALLENGE, user_handle=HANDLE, account="ana@x", name="Ana", exclude=(), timeout_ms=1
    )


def request(need_verified: bool = False) -> dict[str, Any]:
    return passkey_asking.request_options(
        SITE, CHALLENGE, allow=(), need_verified=need_verified, timeout_ms=1
    )


def make(soft: SoftPasskey, **lies: Any) -> NewPasskey:
    return check_made(read_made(soft.make(creation(), **lies)), SITE, CHALLENGE)


def kept(made: NewPasskey) -> Kept:
    return Kept(made.public_key, made.sign_count, made.backup_eligible)


def show(soft: SoftPasskey, record: Kept, *, need_verified: bool = False, **lies: Any) -> passkey.Verdict:
    shown = read_shown(soft.show(request(need_verified), **lies))
    return check_shown(shown, SITE, CHALLENGE, record, need_verified=need_verified)


@pytest.mark.parametrize("algorithm", [ES256, ED25519, RS256])
@pytest.mark.parametrize("verifies", [True, False])
@pytest.mark.parametrize("synced", [True, False])
def test_made_and_shown(algorithm, verifies, synced):
    soft = SoftPasskey(algorithm=algorithm, verifies=verifies, synced=synced)
    made = make(soft)
    assert (made.verified, made.backup_eligible, made.backed_up) == (verifies, synced, synced)
    assert made.credential_id == soft.credential_id
    assert made.transports == ("hybrid", "internal"), "what nobody knows is dropped"
    verdict = show(soft, kept(made))
    assert (verdict.verified, verdict.backed_up, verdict.count_fell) == (verifies, synced, False)


LIES_OF_BOTH = [
    ("type", {"type": "webauthn.other"}),
    ("challenge", {"challenge": to_base64url(b"x" * 32)}),
    ("challenge", {"challenge": to_base64url(CHALLENGE[:-1])}),
    ("malformed", {"challenge": "!"}),
    ("origin", {"origin": "https://localhost:8000"}),
    ("origin", {"origin": "http://localhost:8001"}),
    ("origin", {"origin": "http://localhost:8000/"}),
    ("origin", {"origin": "http://evil.localhost:8000"}),
    ("origin", {"origin": None}),
    ("cross_origin", {"client": {"crossOrigin": True}}),
    ("cross_origin", {"client": {"crossOrigin": "false"}}),
    ("cross_origin", {"client": {"crossOrigin": None}}),
    ("cross_origin", {"client": {"topOrigin": "http://localhost:8000"}}),
    ("cross_origin", {"client": {"crossOrigin": False, "topOrigin": "https://evil.example"}}),
    ("rp_id", {"rp_id": "evil.example"}),
    ("rp_id", {"rp_id": "localhost:8000"}),
    ("user_presence", {"up": False}),
    ("backup", {"be": False, "bs": True}),
]


@pytest.mark.parametrize("why,lies", LIES_OF_BOTH)
def test_a_lie_while_making(why, lies):
    with pytest.raises(Wrong, match=f"^{why}$"):
        make(SoftPasskey(synced=True), **lies)


@pytest.mark.parametrize("why,lies", LIES_OF_BOTH)
def test_a_lie_while_showing(why, lies):
    soft = SoftPasskey(synced=True)
    record = kept(make(soft))
    with pytest.raises(Wrong, match=f"^{why}$"):
        show(soft, record, **lies)
    show(soft, record)


@pytest.mark.parametrize("kind,lie", [("made", "webauthn.get"), ("shown", "webauthn.create")])
def test_one_ceremony_never_stands_in_for_the_other(kind, lie):
    soft = SoftPasskey()
    record = kept(make(soft))
    with pytest.raises(Wrong, match="type"):
        make(soft, type=lie) if kind == "made" else show(soft, record, type=lie)


@pytest.mark.parametrize(
    "lies",
    [
        {"cose": cose(new_key(ES256), -35)},
        {"cose": cose(new_key(ES256), ED25519)},
        {"cose": cose(new_key(RS256), -37)},
        {"cose": cose(new_key(ES256), ES256) | {-1: 2}},
        {"cose": cose(new_key(ED25519), ED25519) | {-1: 7}},
        {"cose": cose(new_key(RS256), RS256) | {-1: b"\x01" * 2000}},
        {"cose": cose(new_key(RS256), RS256) | {-1: b"\x01" * 128}},
        {"cose": cose(new_key(RS256), RS256) | {-2: b"\xff" * 5}},
    ],
)
def test_only_what_was_offered(lies):
    with pytest.raises(Wrong, match="algorithm"):
        make(SoftPasskey(), **lies)


@pytest.mark.parametrize("key", [{}, {1: 2}, {1: 2, 3: ES256}, {1: 2, 3: ES256, -1: 1, -2: b"", -3: b""}, 4])
def test_a_key_that_is_none(key):
    with pytest.raises(Wrong):
        make(SoftPasskey(), cose=key)


def test_a_point_that_is_not_on_the_curve():
    soft = SoftPasskey()
    point = cose(soft.key, ES256) | {-3: b"\x01" * 32}
    record = Kept(cbor2.dumps(point), 0, backup_eligible=False)
    with pytest.raises(Wrong, match="signature"):
        show(soft, record)


def test_the_credential_id_is_the_one_that_was_attested():
    with pytest.raises(Wrong, match="credential_id"):
        make(SoftPasskey(), id=b"another")
    with pytest.raises(Wrong):
        make(SoftPasskey(), attested_id=b"")


@pytest.mark.parametrize("size,taken", [(1, True), (1023, True), (1024, False)])
def test_credential_ids_have_at_most_1023_bytes(size, taken):
    soft = SoftPasskey(credential_id=b"i" * size)
    if taken:
        assert show(soft, kept(make(soft))).verified
        return
    with pytest.raises(Malformed):
        make(soft)
    with pytest.raises(Malformed):
        show(soft, kept(make(SoftPasskey())))


@pytest.mark.parametrize(
    "lies",
    [
        {"fmt": "none", "statement": {"sig": b"x"}},
        {"fmt": "packed", "statement": {}},
        {"fmt": "packed", "statement": {"alg": ES256, "sig": b"x" * 70}},
        {"fmt": "fido-u2f", "statement": {}},
        {"fmt": "tpm", "statement": {}},
        {"fmt": "android-safetynet", "statement": {"ver": "1", "response": b"x"}},
        {"fmt": "made-up", "statement": {}},
        {"fmt": 7, "statement": {}},
    ],
)
def test_attestation_that_was_not_asked_for_or_is_false(lies):
    with pytest.raises(Wrong):
        make(SoftPasskey(), **lies)


def test_user_verification_where_it_is_required():
    soft = SoftPasskey()
    record = kept(make(soft))
    assert not show(soft, record, uv=False).verified
    with pytest.raises(Wrong, match="user_verification"):
        show(soft, record, need_verified=True, uv=False)
    assert show(soft, record, need_verified=True).verified


@pytest.mark.parametrize("synced", [True, False])
def test_whether_it_can_be_backed_up_never_changes(synced):
    soft = SoftPasskey(synced=synced)
    record = kept(make(soft))
    with pytest.raises(Wrong, match="backup"):
        show(soft, record, be=not synced, bs=False)


def test_being_backed_up_may_change():
    soft = SoftPasskey(synced=True)
    assert not show(soft, kept(make(soft, bs=False)), bs=False).backed_up
    assert show(soft, kept(make(soft, bs=False)), bs=True).backed_up


def test_a_signature_of_another_key_or_over_other_data():
    soft, other = SoftPasskey(), SoftPasskey()
    record = kept(make(soft))
    for signature in (b"", b"x" * 70, SoftPasskey().show(request())["response"]["signature"].encode()):
        with pytest.raises(Wrong, match="signature"):
            show(soft, record, signature=signature)
    with pytest.raises(Wrong, match="signature"):
        show(other, record)
    answer = soft.show(request())
    data = bytearray(from_base64url(answer["response"]["authenticatorData"]))
    data[36] = 9  # the counter
    answer["response"]["authenticatorData"] = to_base64url(bytes(data))
    with pytest.raises(Wrong, match="signature"):
        check_shown(read_shown(answer), SITE, CHALLENGE, record)


def test_bytes_after_the_authenticator_data():
    soft = SoftPasskey()
    record = kept(make(soft))
    answer = soft.show(request())
    raw = from_base64url(answer["response"]["authenticatorData"])
    for data in (raw + b"\x00", raw[:36], b""):
        answer["response"]["authenticatorData"] = to_base64url(data)
        with pytest.raises((Wrong, Malformed)):
            check_shown(read_shown(answer), SITE, CHALLENGE, record)


@pytest.mark.parametrize(
    "before,now,kept_then,fell",
    [(0, 0, 0, False), (0, 5, 5, False), (5, 6, 6, False), (5, 5, 5, True), (5, 4, 5, True), (5, 0, 5, True)],
)
def test_a_counter_that_did_not_rise_is_told_and_the_highest_kept(before, now, kept_then, fell):
    soft = SoftPasskey()
    record = replace(kept(make(soft)), sign_count=before)
    verdict = show(soft, record, count=now)
    assert (verdict.sign_count, verdict.count_fell) == (kept_then, fell)


def test_user_handles():
    shown = read_shown(SoftPasskey(user_handle=HANDLE).show(request()))
    assert passkey.belongs(shown, HANDLE, discovered=True)
    assert not passkey.belongs(shown, b"another", discovered=True)
    assert not passkey.belongs(shown, None, discovered=False)
    without = replace(shown, user_handle=None)
    assert not passkey.belongs(without, HANDLE, discovered=True), "nobody said whose it is"
    assert passkey.belongs(without, HANDLE, discovered=False)


def test_what_is_no_answer():
    soft = SoftPasskey()
    good = soft.show(request())
    broken: list[dict[str, Any]] = [
        {},
        good | {"id": "a"},
        good | {"rawId": to_base64url(b"other")},
        good | {"type": "password"},
        good | {"response": None},
        good | {"response": {}},
        good | {"response": good["response"] | {"signature": 5}},
        good | {"response": good["response"] | {"signature": "a=="}},
        good | {"response": good["response"] | {"signature": "é"}},
        good | {"response": good["response"] | {"signature": "A" * 30_000}},
        good | {"response": good["response"] | {"userHandle": 5}},
    ]
    for each in broken:
        with pytest.raises(Malformed):
            read_shown(each)
    with pytest.raises(Malformed):
        read_made(soft.make(creation()) | {"response": {"clientDataJSON": "e30", "transports": "usb"}})
    for client in (b"", b"[]", b"{", b"\xff", b"{}", b'{"challenge": 5}', b"[" * 10_000):
        with pytest.raises(Malformed):
            challenge_of(replace(read_shown(good), client_data=client))


def test_base64url_has_one_spelling():
    assert from_base64url("_-8") == b"\xff\xef"
    for text in ("_-9", "_-8=", "/+8", " _-8", "_-8\n", "a"):
        with pytest.raises(Malformed):
            from_base64url(text)


def test_what_is_asked():
    options = creation()
    assert options["attestation"] == "none"
    assert options["authenticatorSelection"]["residentKey"] == "preferred"
    assert [each["alg"] for each in options["pubKeyCredParams"]] == [ED25519, ES256, RS256]
    assert len(from_base64url(options["challenge"])) >= 16
    assert passkey_asking.CHALLENGE_BYTES >= 16
    allow = passkey_asking.request_options(
        SITE, CHALLENGE, allow=[Descriptor(b"id", ("usb",))], need_verified=True, timeout_ms=1
    )
    assert allow["allowCredentials"] == [{"type": "public-key", "id": "aWQ", "transports": ["usb"]}]
    assert allow["userVerification"] == "required"
    assert request()["userVerification"] == "preferred"


def test_decoys_are_stable_and_look_like_passkeys():
    secret = b"s" * 32
    assert passkey_asking.decoys(secret, "a@x") == passkey_asking.decoys(secret, "a@x")
    assert passkey_asking.decoys(secret, "a@x") != passkey_asking.decoys(b"t" * 32, "a@x")
    many = [passkey_asking.decoys(secret, f"{n}@x") for n in range(400)]
    assert {len(each) for each in many} == {1, 2}
    assert sum(len(each) == 2 for each in many) < 200
    flat = [each for some in many for each in some]
    assert {len(each.credential_id) for each in flat} == {16, 20, 32, 48, 64}
    assert len({each.credential_id for each in flat}) == len(flat)


def test_the_decoy_key_judges_like_a_real_one():
    soft = SoftPasskey()
    with pytest.raises(Wrong, match="signature"):
        show(soft, passkey.DECOY)


def test_no_exception_quotes_a_value():
    soft = SoftPasskey()
    with pytest.raises(Wrong) as told:
        make(soft, origin="https://evil.example")
    assert "evil" not in str(told.value)
    assert told.value.__cause__ is None


# --- the specification's own examples (WebAuthn Level 3, section "Test Vectors") ---

VECTORS = json.loads((Path(__file__).parent / "data" / "webauthn_vectors.json").read_text())
EXAMPLE = Site("example.org", "https://example.org", "Example")
FRAMED = {"none-es256-crossOrigin", "none-es256-topOrigin"}
"""Made inside of another site's page: for us a reason to refuse."""
NOT_OFFERED = {"packed-es384", "packed-es512", "packed-ed448"}
NOT_ASKED_FOR = {"tpm-es256", "android-key-es256", "apple-es256", "fido-u2f-es256"}


def vector(name: str, part: str) -> bytes:
    (found,) = [each for each in VECTORS if each["name"] == name]
    value = found[part] if part in found else found[part.split(".")[0]][part.split(".")[1]]
    return bytes.fromhex(value)


def vector_made(name: str) -> NewPasskey:
    made = passkey_answers.Made(
        vector(name, "credential_id"),
        vector(name, "made.clientDataJSON"),
        vector(name, "made.attestationObject"),
    )
    assert challenge_of(made) == vector(name, "made.challenge")
    return check_made(made, EXAMPLE, vector(name, "made.challenge"))


def vector_shown(name: str, record: Kept) -> passkey.Verdict:
    shown = passkey_answers.Shown(
        vector(name, "credential_id"),
        vector(name, "shown.clientDataJSON"),
        vector(name, "shown.authenticatorData"),
        vector(name, "shown.signature"),
    )
    return check_shown(shown, EXAMPLE, vector(name, "shown.challenge"), record)


def vector_kept(name: str) -> Kept:
    """The record, taken from the example without our checks."""
    data = cbor2.loads(vector(name, "made.attestationObject"))["authData"]
    size = len(vector(name, "credential_id"))
    return Kept(data[55 + size :], 0, backup_eligible=bool(data[32] & 0x08))


@pytest.mark.parametrize("name", [each["name"] for each in VECTORS])
def test_the_specifications_registrations(name):
    refused = (
        "cross_origin"
        if name in FRAMED
        else "algorithm"
        if name in NOT_OFFERED
        else "attestation"
        if name in NOT_ASKED_FOR
        else None
    )
    if refused is not None:
        with pytest.raises(Wrong, match=f"^{refused}$"):
            vector_made(name)
        return
    made = vector_made(name)
    assert made.credential_id == vector(name, "credential_id")
    assert made.aaguid.replace("-", "") == vector(name, "aaguid").hex()


@pytest.mark.parametrize("name", [each["name"] for each in VECTORS if each["name"] not in NOT_OFFERED])
def test_the_specifications_assertions(name):
    if name in FRAMED:
        with pytest.raises(Wrong, match="cross_origin"):
            vector_shown(name, vector_kept(name))
        return
    vector_shown(name, vector_kept(name))
    other = replace(vector_kept(name), public_key=cbor2.dumps(cose(new_key(ES256), ES256)))
    with pytest.raises(Wrong, match="signature"):
        vector_shown(name, other)
