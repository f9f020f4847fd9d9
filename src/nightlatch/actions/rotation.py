"""Sealing everything with the current key, and what still needs an older one."""

from collections import Counter
from collections.abc import Iterable

from nightlatch.actions.by import By
from nightlatch.audit.events import record
from nightlatch.ids import to_text
from nightlatch.keyring import SealError
from nightlatch.store import meta, sealed
from nightlatch.store.engine import Transaction
from nightlatch.vocabulary import Event

BATCH = 500


def reseal_some(tx: Transaction, *, table: str, after: int) -> tuple[int, int | None]:
    """Seal the next rows of a table with the current key: how many were not, and where to go on (None: done).

    A row that no key of the ring opens stays as it is.
    """
    rows = sealed.page(tx, table, after, BATCH)
    done = 0
    for row in rows:
        if sealed.key_of(row.sealed) == tx.keys.current_id:
            continue
        try:
            plain = tx.keys.open(table, to_text(row.id), row.sealed)
        except SealError:
            continue
        new = tx.keys.seal(table, to_text(row.id), plain)
        done += sealed.replace(tx, table, row.id, row.sealed, new)
    return done, rows[-1].id if len(rows) == BATCH else None


def finish(tx: Transaction, *, by: By, resealed: int, dropped: Iterable[str], kept: Iterable[str]) -> None:
    """Note the current key as the database's own, and that keys were rotated."""
    meta.write(tx, meta.KEY_CHECK, tx.keys.check_value().hex())
    record(
        tx,
        Event.KEYS_ROTATED,
        by=by,
        subject=("database", None, "the database"),
        current=tx.keys.current_id,
        resealed=resealed,
        dropped=sorted(dropped),
        kept=sorted(kept),
    )


def uses(tx: Transaction) -> dict[str, Counter[str]]:
    """What is protected by which key: by kind, then by the key's id, how many."""
    found = {table: Counter(sealed.keys_of(tx, table)) for table in sealed.TABLES}
    found["passwords"] = Counter(sealed.keys_of_passwords(tx))
    found["reset_numbers"] = Counter(sealed.keys_of_numbers(tx))
    check = meta.read(tx, meta.KEY_CHECK)
    found["check"] = Counter([sealed.key_of(bytes.fromhex(check))] if check is not None else [])
    return found


def needed(found: dict[str, Counter[str]]) -> set[str]:
    """The ids of the keys that something needs."""
    return {key_id for counter in found.values() for key_id in counter}
