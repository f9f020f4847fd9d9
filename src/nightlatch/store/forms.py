"""Forms that the gate caught on their way: sealed, one a session, given back once to the same person."""

import json

from sqlalchemy import bindparam, delete

from nightlatch.ids import to_text
from nightlatch.instants import HOUR
from nightlatch.store.engine import Transaction
from nightlatch.store.query import Query, insert_into
from nightlatch.store.schema import caught_forms

_INSERT = Query(insert_into(caught_forms))
_TAKE = Query(
    delete(caught_forms)
    .where(
        caught_forms.c.session_id == bindparam("session_id"),
        caught_forms.c.account_id == bindparam("account_id"),
        caught_forms.c.path == bindparam("path"),
    )
    .returning(caught_forms.c.sealed, caught_forms.c.created_at)
)
_DROP = Query(delete(caught_forms).where(caught_forms.c.session_id == bindparam("session_id")))
_PRUNE = Query(delete(caught_forms).where(caught_forms.c.created_at < bindparam("before")))

KEPT_FOR = HOUR


def keep(tx: Transaction, session_id: int, account_id: int, path: str, values: dict[str, str]) -> None:
    """Keep a form for the page at `path`; an older one of the session is gone."""
    tx.run(_DROP, session_id=session_id)
    sealed = tx.keys.seal("caught_forms", to_text(session_id), json.dumps(values).encode())
    tx.run(_INSERT, session_id=session_id, account_id=account_id, path=path, sealed=sealed, created_at=tx.now)


def take(tx: Transaction, session_id: int, account_id: int, path: str) -> dict[str, str]:
    """Give the form of this page back, once; empty where there is none."""
    row = tx.one(_TAKE, session_id=session_id, account_id=account_id, path=path)
    if row is None or tx.now - row.created_at > KEPT_FOR:
        return {}
    values: dict[str, str] = json.loads(tx.keys.open("caught_forms", to_text(session_id), row.sealed))
    return values


def prune(tx: Transaction) -> int:
    """Delete what nobody came back for."""
    return tx.run(_PRUNE, before=tx.now - KEPT_FOR)
