"""`nightlatch keys`: rotation in three steps, nothing lost on the way."""

from pathlib import Path

from nightlatch.actions import assertions, enrolment, resets
from nightlatch.actions.by import operator
from nightlatch.authenticators.password import Pepper, hash_password, verify_password
from nightlatch.clock import Clock
from nightlatch.facts import EVERYWHERE
from nightlatch.ids import to_text
from nightlatch.keyring import KeyRing
from nightlatch.store import accounts, authenticators, connections, forms, meta, outbox, sessions, teammates
from nightlatch.store import resets as store_resets
from nightlatch.vocabulary import Event, Method
from nightlatch.wiring import open_store
from tests.cli.conftest import Cli
from tests.support.events import events
from tests.support.letters import letters
from tests.support.signing_on import a_connection, begin
from tests.support.world import Person, World


def hashed(world: World, password: str, keys: KeyRing) -> str:
    """A password as it is kept under a ring."""
    return hash_password(password, Pepper(keys.current_id, keys.subkeys("password")))


def everything(world: World) -> tuple[Person, int, bytes]:
    """Something in every sealed place: app, pending enrolment, caught form, mail, signing key, a connection's secret, a
    way to its provider; and a password."""
    dana = world.person("Dana", password_hash=hashed(world, "a password of Dana's", world.keys))
    acme = world.workspace("acme", owner=dana)
    bound, seed = world.bind_totp(dana)
    by = world.signed_in(dana, bound)
    world.write(lambda tx: enrolment.begin(tx, by=by, name="New", replaces=bound, workspace_id=acme))
    [session] = world.read(lambda tx: sessions.of_account(tx, dana.id))
    world.write(lambda tx: forms.keep(tx, session.id, dana.id, "/x", {"name": "typed"}))
    world.write(assertions.make_first)
    okta = a_connection(world, acme)
    world.write(lambda tx: connections.set_secret(tx, okta, "hush"))
    begin(world, okta)
    return dana, bound, seed


def test_three_steps(cli: Cli, world: World, data: Path) -> None:
    dana, bound, seed = everything(world)
    cli.ok("teammate", "invite", "--workspace", "acme", "x@acme.example")
    [mail] = letters(world)
    old = world.keys
    assert cli("keys", "rotate", "promote").code == 1  # there is nothing to promote
    cli.ok("keys", "rotate", "add")
    added = KeyRing.load(data / "keys")
    assert (added.current_id, len(added.ids)) == (old.current_id, 2)
    assert cli("keys", "rotate", "add").code == 1
    cli.ok("keys", "rotate", "promote")
    promoted = KeyRing.load(data / "keys")
    assert promoted.ids == added.ids[::-1]
    assert cli("keys", "rotate", "promote").code == 1  # not back again by mistake
    done = cli.ok("keys", "rotate", "finish", "--operator", "Sam")
    assert "7 secrets" in done.out
    assert f"{old.current_id} stays" in done.out  # Dana has not signed in since
    ring = KeyRing.load(data / "keys")
    assert ring.ids == promoted.ids
    found = cli.ok("keys", "check", "--json").json
    assert found["current"] == ring.current_id
    for name, uses in found["uses"].items():
        assert uses == {"passwords": {old.current_id: 1}, "reset_numbers": {}}.get(name, {ring.current_id: 1})
    told = events(world)[-1]
    assert told.event is Event.KEYS_ROTATED
    assert told.detail == {
        "current": ring.current_id,
        "resealed": 7,
        "dropped": [],
        "kept": [old.current_id],
    }
    store = open_store(world.url, Clock(), ring.without(old.current_id))  # what the new key alone opens
    try:
        row = store.read_now(lambda tx: authenticators.by_id(tx, bound, dana.id))
        assert row is not None
        assert store.read_now(lambda tx: tx.keys.open("authenticators", to_text(bound), row.sealed)) == seed
        [queued] = store.write_now(lambda tx: outbox.lease(tx, 10))
        assert store.read_now(lambda tx: outbox.values_of(tx, queued)) == mail.values
        [session] = store.read_now(lambda tx: sessions.of_account(tx, dana.id))
        assert store.write_now(lambda tx: forms.take(tx, session.id, dana.id, "/x")) == {"name": "typed"}
        assert store.read_now(assertions.key_set) is not None
    finally:
        store.close()


def test_the_old_key_goes_when_nothing_needs_it(cli: Cli, world: World, data: Path) -> None:
    dana, _, _ = everything(world)
    old = world.keys.current_id
    for step in ("add", "promote", "finish"):
        cli.ok("keys", "rotate", step)
    ring = KeyRing.load(data / "keys")
    pepper = Pepper(ring.current_id, ring.subkeys("password"))
    row = world.read(lambda tx: accounts.by_id(tx, dana.id))
    assert row is not None
    stored = row.password_hash
    assert verify_password(stored, "a password of Dana's", pepper)
    renewed = hashed(world, "a password of Dana's", ring)  # as her next sign-in does
    world.write(lambda tx: accounts.rehash(tx, dana.id, stored, renewed))
    assert f"Taken out of the ring: {old}" in cli.ok("keys", "rotate", "finish").out
    assert KeyRing.load(data / "keys").ids == (ring.current_id,)
    assert (data / "keys").stat().st_mode & 0o777 == 0o600
    cli.ok("keys", "check")
    check = world.read(lambda tx: meta.read(tx, meta.KEY_CHECK))
    assert KeyRing.load(data / "keys").matches(bytes.fromhex(check or ""))


def test_the_number_of_a_reset_outlives_rotation(cli: Cli, world: World, data: Path) -> None:
    dana, ana = world.person("Dana"), world.person("Ana")
    acme = world.workspace("acme", owner=dana, member=ana)
    world.bind_totp(ana)
    teammate = world.read(lambda tx: teammates.by_account(tx, ana.id, acme))
    assert teammate is not None
    done = world.write(
        lambda tx: resets.disable_two_factor(
            tx,
            by=operator("Sam"),
            workspace_id=acme,
            teammate_id=teammate.id,
            reason="lost",
            recognised_by="",
        )
    )
    for step in ("add", "promote", "finish"):
        cli.ok("keys", "rotate", step)
    ring = KeyRing.load(data / "keys")
    assert world.keys.current_id in ring.ids
    row = world.read(lambda tx: store_resets.by_id(tx, done.reset_id))
    assert row is not None
    assert ring.tag_matches("reset_number", f"{done.reset_id}:{done.number}".encode(), row.number_tag)


def test_many_rows_are_sealed_in_batches(cli: Cli, world: World) -> None:
    dana = world.person("Dana", password_hash=None)

    def many(tx):
        for number in range(1, 1201):
            authenticators.bind(
                tx,
                id=number,
                account_id=dana.id,
                method=Method.TOTP,
                name="x",
                reach=EVERYWHERE,
                sealed=tx.keys.seal("authenticators", to_text(number), b"seed"),
            )

    world.write(many)
    cli.ok("keys", "rotate", "add")
    cli.ok("keys", "rotate", "promote")
    assert "1200 secrets" in cli.ok("keys", "rotate", "finish").out
    assert set(cli.ok("keys", "check", "--json").json["uses"]["authenticators"].values()) == {1200}


def test_a_missing_key_is_told(cli: Cli, world: World, data: Path) -> None:
    other = KeyRing.generate(lambda number: b"x" * number)
    dana = world.person("Dana", password_hash=hashed(world, "a password of Dana's", other))
    done = cli("keys", "check", "--json")
    assert (done.code, done.json["missing"]) == (1, [other.current_id])
    assert "MISSING" in cli("keys", "check").out
    assert dana.id


def test_keys_in_the_environment_itself_are_not_written(cli: Cli, world: World) -> None:
    done = cli("keys", "rotate", "add", keys=world.keys.to_text())
    assert (done.code, "NIGHTLATCH_KEYS_FILE" in done.err) == (1, True)


def test_keys_in_a_named_file_are(cli: Cli, world: World, tmp_path: Path) -> None:
    named = tmp_path / "ring"
    world.keys.save(named)
    cli.ok("keys", "rotate", "add", keys_file=str(named))
    assert len(KeyRing.load(named).ids) == 2


def test_signing_keys_rotate_with_an_hour_of_overlap(cli: Cli, world: World) -> None:
    assert "no signing key yet" in cli.ok("keys", "signing").out
    first = to_text(world.write(assertions.make_first).id)
    told = cli.ok("keys", "rotate-signing", "--operator", "Sam").out
    before, after = cli.ok("keys", "signing", "--json").json
    assert (before["key"], before["state"], after["state"]) == (first, "signs", "next")
    assert before["until"] == after["signs_from"]
    assert after["key"] in told
    assert after["signs_from"] in told
    assert cli("keys", "rotate-signing").code == 1  # one is waiting
    assert events(world)[-1].detail["signing"] == after["key"]
    cli.ok("keys", "rotate-signing", "--at-once")
    [only] = cli.ok("keys", "signing", "--json").json
    assert only["state"] == "signs"
    assert only["key"] not in (first, after["key"])
