"""Assertions: what they say, how long a signature serves, and keys that are made, rotated and never missed."""

import json
import secrets
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, KeySet
from sqlalchemy import bindparam, delete, update

from nightlatch.actions import assertions, rotation
from nightlatch.actions.assertions import Claims, NoSigningKey, Signer
from nightlatch.actions.by import operator
from nightlatch.ids import to_text
from nightlatch.instants import HOUR, MINUTE, SECOND
from nightlatch.keyring import KeyRing
from nightlatch.refusals import Refused
from nightlatch.store import signing_keys
from nightlatch.store.query import Query
from nightlatch.store.schema_apps import signing_keys as table
from nightlatch.wiring import open_store
from tests.support.world import World

CLAIMS = Claims(
    issuer="https://id.acme.example",
    audience="https://wiki.acme.example",
    subject="0v4sjfawqen1d",
    email="ana@acme.example",
    name="Zoë",
    workspace="79yzark2mkhdf",
    workspace_slug="acme",
    role="member",
    acr="urn:nightlatch:aal2",
    amr=("otp", "pwd", "mfa"),
    auth_time=1_795_518_805,
)
SAM = operator("Sam")


def made(world: World, signer: Signer, claims: Claims = CLAIMS) -> str:
    """An assertion of this moment."""
    row, now = world.read(lambda tx: (assertions.current(tx), tx.now))
    assert row is not None
    return signer.assertion(row, world.keys, claims, now)


def verified(world: World, token: str) -> dict[str, Any]:
    """What a product believes that has the key set of this moment."""
    keys = world.read(assertions.key_set)
    assert keys is not None
    decoded = jwt.decode(token, KeySet.import_key_set(keys), algorithms=["ES256"])  # type: ignore[arg-type]
    return {**decoded.claims, "_header": decoded.header}


def test_what_an_assertion_says(world: World) -> None:
    world.write(assertions.make_first)
    claims = verified(world, made(world, Signer()))
    header = claims.pop("_header")
    assert (header["alg"], header["typ"]) == ("ES256", "JWT")
    assert claims.pop("exp") - claims.pop("iat") == 60
    assert len(claims.pop("jti")) >= 20
    assert claims == {
        "iss": "https://id.acme.example",
        "aud": "https://wiki.acme.example",
        "sub": "0v4sjfawqen1d",
        "email": "ana@acme.example",
        "name": "Zoë",
        "workspace": "79yzark2mkhdf",
        "workspace_slug": "acme",
        "role": "member",
        "acr": "urn:nightlatch:aal2",
        "amr": ["otp", "pwd", "mfa"],
        "auth_time": 1_795_518_805,
    }


def test_the_key_set_shows_nothing_private(world: World) -> None:
    assert world.read(assertions.key_set) is None  # made at the first use
    world.write(assertions.make_first)
    keys = world.read(assertions.key_set)
    assert keys is not None
    [key] = keys["keys"]
    assert set(key) == {"kty", "crv", "x", "y", "kid", "use", "alg"}
    assert (key["kty"], key["crv"], key["use"], key["alg"]) == ("EC", "P-256", "sig", "ES256")
    row = world.read(signing_keys.current)
    assert row is not None
    assert b"P-256" not in bytes(row.sealed)


def test_a_signature_over_equal_claims_serves_for_half_a_minute(world: World) -> None:
    world.write(assertions.make_first)
    signer = Signer()
    first = made(world, signer)
    assert made(world, signer) == first
    world.wait(20 * SECOND)
    assert made(world, signer) == first
    world.wait(11 * SECOND)
    later = made(world, signer)
    assert later != first
    assert verified(world, later)["iat"] > verified(world, first)["iat"]


@pytest.mark.parametrize(
    "name", [name for name in CLAIMS.__dataclass_fields__ if name not in ("amr", "auth_time")]
)
def test_any_other_claim_is_signed_anew(world: World, name: str) -> None:
    world.write(assertions.make_first)
    signer = Signer()
    changed: dict[str, Any] = {name: "other"}
    other = replace(CLAIMS, **changed)
    assert made(world, signer) != made(world, signer, other)
    claims = verified(world, made(world, signer, other))
    assert "other" in claims.values()


def test_what_is_kept_is_bounded(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(assertions, "_MOST_KEPT", 3)
    world.write(assertions.make_first)
    signer = Signer()
    for number in range(10):
        made(world, signer, replace(CLAIMS, subject=str(number)))
    assert len(signer._made) == 3


# --- rotating ---


def kids(world: World) -> list[str]:
    keys = world.read(assertions.key_set)
    assert keys is not None
    return [each["kid"] for each in keys["keys"]]


def kid_of(world: World, token: str) -> str:
    return str(verified(world, token)["_header"]["kid"])


def test_rotation_shows_before_it_signs_and_after(world: World) -> None:
    old, signer = to_text(world.write(assertions.make_first).id), Signer()
    first = made(world, signer)
    new = world.write(lambda tx: assertions.rotate(tx, by=SAM)).kid
    assert kids(world) == [old, new]
    assert kid_of(world, made(world, signer)) == old
    with pytest.raises(Refused):
        world.write(lambda tx: assertions.rotate(tx, by=SAM))
    world.wait(HOUR - SECOND)
    assert kid_of(world, made(world, signer)) == old
    world.wait(2 * SECOND)
    assert kid_of(world, made(world, signer)) == new  # in every process, without a word to it
    assert kid_of(world, first) == old
    world.wait(HOUR)
    assert kids(world) == [new]
    world.write(signing_keys.prune)
    assert world.read(signing_keys.current).id is not None  # type: ignore[union-attr]
    assert [each.state for each in world.read(assertions.listed)] == ["signs"]


def test_after_a_leak_the_old_key_is_nothing_at_once(world: World) -> None:
    world.write(assertions.make_first)
    signer = Signer()
    leaked = made(world, signer)
    new = world.write(lambda tx: assertions.rotate(tx, by=SAM, at_once=True)).kid
    assert kids(world) == [new]
    assert kid_of(world, made(world, signer)) == new
    with pytest.raises((JoseError, ValueError)):
        verified(world, leaked)


def test_workers_that_need_the_first_key_at_once_make_one(world: World) -> None:
    with ThreadPoolExecutor(8) as threads:
        made = list(threads.map(lambda _: world.write(assertions.make_first).id, range(16)))
    assert len(set(made)) == 1
    assert kids(world) == [to_text(made[0])]


def test_sealing_anew_keeps_the_key(world: World) -> None:
    world.write(assertions.make_first)
    before = kids(world)
    ring = world.keys.added(secrets.token_bytes)
    promoted = ring.promoted(ring.ids[-1])
    store = open_store(world.url, world.clock, promoted)
    try:
        done, _ = store.write_now(lambda tx: rotation.reseal_some(tx, table="signing_keys", after=-1))
        assert done == 1
    finally:
        store.close()
    alone = open_store(world.url, world.clock, promoted.without(world.keys.current_id))
    try:
        keys = alone.read_now(assertions.key_set)
        assert keys is not None
        assert [each["kid"] for each in keys["keys"]] == before
    finally:
        alone.close()


# --- faults ---

_DELETE = Query(delete(table))
_SET_SEALED = Query(update(table).values(sealed=bindparam("new")))
_SET_PUBLIC = Query(update(table).values(public=bindparam("new")))


def gone(world: World) -> None:
    world.write(lambda tx: tx.run(_DELETE))


def damaged(world: World) -> None:
    row = world.read(signing_keys.current)
    assert row is not None
    sealed = bytes(row.sealed)
    world.write(lambda tx: tx.run(_SET_SEALED, new=sealed[:-1] + bytes([sealed[-1] ^ 1])))


def of_another_row(world: World) -> None:
    """Sealed with the right key, and put where another key stands."""
    key = ECKey.generate_key("P-256", private=True)
    sealed = world.keys.seal("signing_keys", "elsewhere", json.dumps(key.as_dict(private=True)).encode())
    world.write(lambda tx: tx.run(_SET_SEALED, new=sealed))


def shown_another(world: World) -> None:
    """What is shown is the key of somebody who would like to sign, too."""
    row = world.read(signing_keys.current)
    assert row is not None
    own = {**ECKey.generate_key("P-256").as_dict(private=False), "kid": to_text(row.id)}
    world.write(lambda tx: tx.run(_SET_PUBLIC, new=json.dumps({**own, "use": "sig", "alg": "ES256"})))


@pytest.mark.parametrize("fault", [gone, damaged, of_another_row, shown_another])
def test_a_key_that_is_missing_or_changed_signs_nothing(world: World, fault: Callable[[World], None]) -> None:
    """Also in a process that has the key in memory, and a signature over the same claims."""
    world.write(assertions.make_first)
    signer = Signer()
    made(world, signer)
    fault(world)
    with pytest.raises(NoSigningKey):
        made(world, signer)
    with pytest.raises(NoSigningKey):
        world.read(assertions.key_set)
    if fault is gone:
        with pytest.raises(NoSigningKey):
            world.write(assertions.make_first)
    world.write(lambda tx: assertions.rotate(tx, by=SAM, at_once=True))
    assert verified(world, made(world, signer))["sub"] == CLAIMS.subject


def test_another_ring_signs_nothing(world: World) -> None:
    world.write(assertions.make_first)
    row, now = world.read(lambda tx: (assertions.current(tx), tx.now))
    with pytest.raises(NoSigningKey):
        Signer().assertion(row, KeyRing.generate(secrets.token_bytes), CLAIMS, now)


def test_a_clock_that_is_late_does_not_stretch_a_signature(world: World) -> None:
    row = world.write(assertions.make_first)
    signer, now = Signer(), world.clock.now()
    first = signer.assertion(row, world.keys, CLAIMS, now)
    assert signer.assertion(row, world.keys, CLAIMS, now - MINUTE) != first
