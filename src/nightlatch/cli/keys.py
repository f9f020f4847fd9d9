"""`nightlatch keys`: which keys are needed, and rotating them in three steps."""

import os
import secrets
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import click

from nightlatch.cli import options
from nightlatch.cli.output import as_json as print_json
from nightlatch.cli.output import table
from nightlatch.cli.running import fail, opened
from nightlatch.config import Config
from nightlatch.instants import to_text

if TYPE_CHECKING:
    from nightlatch.actions.assertions import Shown
    from nightlatch.keyring import KeyRing
    from nightlatch.wiring import House

_RELOAD = "Every server must know that: send SIGHUP to each `nightlatch serve`, or restart it."


@click.group()
def keys() -> None:
    """Check and rotate the keys that seal secrets."""


@keys.command()
@options.json_option
def check(as_json: bool) -> None:
    """Show the keys and what is sealed with each. Exits 1 where something needs a key that is not there."""
    from nightlatch.actions import rotation

    with opened() as house:
        found = house.store.read_now(rotation.uses)
        ring = house.keys
        missing = sorted(rotation.needed(found) - set(ring.ids))
        if as_json:
            print_json(
                {"current": ring.current_id, "keys": list(ring.ids), "missing": missing, "uses": found}
            )
        else:
            rows = [_row(key_id, ring, found) for key_id in (*ring.ids, *missing)]
            table(("KEY", "STATE", "NEEDED BY"), rows, "")
        if missing:
            sys.exit(1)


def _row(key_id: str, ring: "KeyRing", found: dict[str, Counter[str]]) -> tuple[str, str, str]:
    uses = ", ".join(f"{name} {counter[key_id]}" for name, counter in found.items() if counter[key_id])
    state = "current" if key_id == ring.current_id else "opens" if key_id in ring.ids else "MISSING"
    return key_id, state, uses or "nothing"


@keys.command()
@click.argument("step", type=click.Choice(["add", "promote", "finish"]))
@click.option("--key", "key_id", metavar="ID", help="With promote: which key; else the one that was added.")
@options.name_option
def rotate(step: str, key_id: str | None, name: str) -> None:
    """Rotate keys without downtime: add, promote, finish, with a reload of every server after each.

    \b
    add      puts a fresh key into the ring; the current one still seals
    promote  makes it the current one; the older still opens
    finish   seals everything with the current key, and takes out the keys that nothing needs any more

    A password's key changes as the person signs in: until everybody has, the older key is kept.
    """
    with opened() as house:
        path = _ring_file(house.config)
        if step == "add":
            _add(house, path)
        elif step == "promote":
            _promote(house, path, key_id)
        else:
            _finish(house, path, name)


@keys.command()
@options.json_option
def signing(as_json: bool) -> None:
    """Show the keys that sign assertions, for products behind a proxy."""
    from nightlatch.actions import assertions

    with opened() as house:
        shown = house.store.read_now(assertions.listed)
        if as_json:
            print_json([_signing(each) for each in shown])
        else:
            table(
                ("KEY", "STATE", "SIGNS FROM", "UNTIL"),
                [tuple(value or "" for value in _signing(each).values()) for each in shown],
                "There is no signing key yet: the first request that is let through makes it.",
            )


def _signing(key: "Shown") -> dict[str, str | None]:
    return {
        "key": key.kid,
        "state": key.state,
        "signs_from": to_text(key.signs_from),
        "until": to_text(key.ended_at) if key.ended_at is not None else None,
    }


@keys.command()
@click.option(
    "--at-once",
    is_flag=True,
    help="After a leak, or where the key is lost: it signs now, and the old ones are forgotten.",
)
@options.name_option
def rotate_signing(at_once: bool, name: str) -> None:
    """Make a new key for assertions: shown at once, it signs an hour later, without any reload."""
    from nightlatch.actions import assertions
    from nightlatch.actions.by import operator

    with opened() as house:
        made = house.store.write_now(lambda tx: assertions.rotate(tx, by=operator(name), at_once=at_once))
        click.echo(f"Key {made.kid} is shown from now on, and signs from {to_text(made.signs_from)}.")


def _ring_file(config: Config) -> Path:
    """Where the ring lies. One that stands in the environment itself cannot be written."""
    if config.keys is None:
        return config.key_file
    named = os.environ.get("NIGHTLATCH_KEYS_FILE", "").strip()
    if not named:
        fail(
            "The keys stand in NIGHTLATCH_KEYS itself. Put them into a file and name it by NIGHTLATCH_KEYS_FILE."
        )
    return Path(named)


def _save(ring: "KeyRing", path: Path) -> None:
    """Write the ring; the file stays the one user's whose it was."""
    before = path.stat()
    ring.save(path)
    if (before.st_uid, before.st_gid) != (path.stat().st_uid, path.stat().st_gid):
        os.chown(path, before.st_uid, before.st_gid)


def _waiting(house: "House") -> list[str]:
    """Keys of the ring that nothing was sealed with yet."""
    from nightlatch.actions import rotation

    used = rotation.needed(house.store.read_now(rotation.uses)) | {house.keys.current_id}
    return [key_id for key_id in house.keys.ids if key_id not in used]


def _add(house: "House", path: Path) -> None:
    waiting = _waiting(house)
    if waiting:
        fail(
            f"Key {waiting[0]} was added already and is not in use yet. Go on with: nightlatch keys rotate promote"
        )
    ring = house.keys.added(secrets.token_bytes)
    _save(ring, path)
    click.echo(
        f"Key {ring.ids[-1]} is in the ring; {ring.current_id} still seals. Keep a copy of {path} apart."
    )
    click.echo(f"{_RELOAD} Then: nightlatch keys rotate promote")


def _promote(house: "House", path: Path, key_id: str | None) -> None:
    waiting = _waiting(house)
    if key_id is None and len(waiting) != 1:
        fail(
            "Begin with: nightlatch keys rotate add"
            if not waiting
            else f"Say which, by --key: {', '.join(waiting)}"
        )
    ring = house.keys.promoted(key_id or waiting[0])
    _save(ring, path)
    click.echo(f"Key {ring.current_id} seals from now on; the others still open.")
    click.echo(f"{_RELOAD} Then: nightlatch keys rotate finish")


def _finish(house: "House", path: Path, name: str) -> None:
    from nightlatch.actions import rotation
    from nightlatch.actions.by import operator
    from nightlatch.store import sealed

    count = sum(_resealed(house, table) for table in sealed.TABLES)
    found = house.store.read_now(rotation.uses)
    found.pop("check")
    older = [key_id for key_id in house.keys.ids if key_id != house.keys.current_id]
    kept = [key_id for key_id in older if key_id in rotation.needed(found)]
    dropped = [key_id for key_id in older if key_id not in kept]
    house.store.write_now(
        lambda tx: rotation.finish(tx, by=operator(name), resealed=count, dropped=dropped, kept=kept)
    )
    ring = house.keys
    for key_id in dropped:
        ring = ring.without(key_id)
    if dropped:
        _save(ring, path)
    click.echo(f"{count} secrets are sealed anew; {ring.current_id} seals.")
    for key_id in kept:
        click.echo(f"Key {key_id} stays in the ring: {_needs(found, key_id)}. Run this again later.")
    if dropped:
        click.echo(
            f"Taken out of the ring: {', '.join(dropped)}. Backups from before need them: keep a copy apart."
        )
        click.echo(_RELOAD)


def _resealed(house: "House", table: str) -> int:
    """Seal a whole table anew, in batches; how many rows needed it."""
    from nightlatch.actions import rotation

    count, after = 0, -1
    while True:
        done, then = house.store.write_now(
            lambda tx, after=after: rotation.reseal_some(tx, table=table, after=after)  # type: ignore[misc]
        )
        count += done
        if then is None:
            return count
        after = then


def _needs(found: dict[str, Counter[str]], key_id: str) -> str:
    reasons = {
        "passwords": "passwords hashed with it, whose people have not signed in since: {}",
        "reset_numbers": "resets under way whose number was made with it: {}",
    }
    return "; ".join(
        reasons.get(name, f"sealed rows of {name}: {{}}").format(counter[key_id])
        for name, counter in found.items()
        if counter[key_id]
    )
