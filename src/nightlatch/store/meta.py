"""Facts about this installation, one row each."""

from sqlalchemy import bindparam, select

from nightlatch.store.engine import Transaction
from nightlatch.store.query import Query, insert_into, set_columns
from nightlatch.store.schema import meta

_READ = Query(select(meta.c.value).where(meta.c.name == bindparam("name")))
_INSERT = Query(insert_into(meta))
_UPDATE = Query(set_columns(meta, "value").where(meta.c.name == bindparam("name")))

DEMO = "demo"
KEY_CHECK = "key_check"
CLOCK = "clock"
DECOYS = "decoys"
"""What the passkeys are made of that an address without any is said to have."""
SIGNING = "signing"
"""There has been a key for assertions: a missing one is a fault from then on."""


def read(tx: Transaction, name: str) -> str | None:
    """One fact."""
    row = tx.one(_READ, name=name)
    return row.value if row is not None else None


def write(tx: Transaction, name: str, value: str) -> None:
    """Set one fact."""
    if not tx.run(_UPDATE, name=name, new_value=value):
        tx.run(_INSERT, name=name, value=value)
