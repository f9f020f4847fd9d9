"""The Teammates table of a very large workspace before its date: every filter and order, on either database."""

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg

from bench import seeding
from nightlatch.actions.tokens import hash_session_token
from nightlatch.clock import Clock
from nightlatch.ids import new_id
from nightlatch.instants import DAY
from nightlatch.keyring import KeyRing
from nightlatch.policy import ManagedBy
from nightlatch.store import cursors, listing, sessions, workspaces
from nightlatch.store.engine import Store, Transaction
from nightlatch.store.query import Query, insert_into
from nightlatch.store.schema import outbox, standing
from nightlatch.store.session_facts import read_known
from nightlatch.vocabulary import Credential, Method
from nightlatch.wiring import open_store
from tests.support import crowd
from tests.support.postgres import cluster

BASE = "/api/v1/workspaces/acme"
AT_ONCE = 5_000
_INSERT = Query(insert_into(standing))
_INSERT_MAIL = Query(insert_into(outbox))
Lines = list[dict[str, Any]]


@contextmanager
def database(folder: Path, kind: str) -> Iterator[tuple[str, int | None]]:
    """The address of an empty database, gone afterwards, and the process that serves it, if one does."""
    if kind == "SQLite":
        yield f"sqlite:///{folder / 'nightlatch.sqlite'}", None
        return
    with cluster(fsync=True) as made:
        yield made.url(made.create()), made.pid


def fill(folder: Path, url: str, people: int) -> str:
    """An owner, and rows of `people` teammates: 6 in 10 with 2FA, the others mailed. A cursor in their midst."""
    seeding.fill(folder, 1, url=url)
    store = open_store(url, Clock(), KeyRing.load_or_create(folder / "keys"))
    try:
        workspace_id = store.write_now(_require)
        mates = iter(crowd.some(people))
        while some := list(itertools.islice(mates, AT_ONCE)):
            store.write_now(lambda tx, some=some: _add(tx, workspace_id, some))  # type: ignore[misc]
        if store.dialect == "postgresql":  # as its own housekeeping would, by and by
            with psycopg.connect(url, autocommit=True) as connection:
                connection.execute("VACUUM ANALYZE")
        return _in_the_midst(store, workspace_id)
    finally:
        store.close()


def _require(tx: Transaction) -> int:
    """2FA from a date; and the owner's cookie."""
    row = workspaces.by_slug(tx, "acme")
    assert row is not None
    known = read_known(tx, hash_session_token(seeding.token(0, "full")), Credential.BEARER)
    assert known.person is not None
    workspaces.set_policy(
        tx,
        row.id,
        required_from=tx.now + 14 * DAY,
        managed_by=ManagedBy.ADMINS,
        by_name="Person 0",
        if_revision=row.revision,
    )
    session_id = sessions.create(
        tx,
        account_id=known.person.id,
        kind=Credential.COOKIE,
        token_hash=hash_session_token(seeding.token(0, "cookie")),
        ip="192.0.2.1",
        user_agent="bench",
        pending=False,
    )
    sessions.add_proof(tx, session_id, Method.PASSWORD)
    sessions.add_proof(tx, session_id, Method.TOTP, authenticator_id=known.facts.authenticators[0].id)
    return int(row.id)


def _add(tx: Transaction, workspace_id: int, mates: list[crowd.Mate]) -> None:
    rows = [crowd.row(workspace_id, each) for each in mates]
    tx.run_each(_INSERT, rows)
    left = [each for each in rows if each["status"] == "active" and each["state"] != "on"]
    tx.run_each(_INSERT_MAIL, [_mail(tx, workspace_id, each) for each in left])


def _mail(tx: Transaction, workspace_id: int, row: dict[str, Any]) -> dict[str, Any]:
    """A notice that was delivered."""
    values: dict[str, Any] = {column.name: None for column in outbox.columns}
    id = new_id()
    return values | {
        "id": id,
        "kind": "mandate_enrol",
        "address": row["email"],
        "address_key": row["email_key"],
        "account_id": row["account_id"],
        "workspace_id": workspace_id,
        "message_id": f"{id}@bench",
        "created_at": tx.now,
        "attempts": 1,
        "sent_at": tx.now,
    }


def _in_the_midst(store: Store, workspace_id: int) -> str:
    """The place of somebody called M in the order of names."""
    (row,) = store.read_now(lambda tx: listing.page(tx, workspace_id, q="omer", limit=1)).items
    found = store.read_now(lambda tx: tx.one(Query(standing.select().where(standing.c.id == row.id))))
    assert found is not None
    return cursors.encode("name", [found.search_key, found.id])


def loads(cursor: str) -> dict[str, Lines]:
    """What is asked, by its name."""

    def asked(query: str) -> dict[str, Any]:
        path = f"{BASE}/teammates?limit=50{query}"
        return {"method": "GET", "path": path, "token": seeding.token(0, "full")}

    page = {
        "method": "GET",
        "path": "/w/acme/settings/team",
        "headers": {"Cookie": f"nightlatch={seeding.token(0, 'cookie')}", "Sec-Fetch-Site": "none"},
    }
    orders = [asked(f"&sort={sort}") for sort in listing.SORTS]
    return {
        "first page": [asked("")],
        "a page in the midst": [asked(f"&cursor={cursor}")],
        "every order": orders,
        "filtered by state, role, status, flag": [
            asked(f"&{each}")
            for each in (
                "two_factor=due",
                "two_factor=on",
                "role=admin",
                "status=invited",
                "flag=recovery_codes_low",
            )
        ],
        "filtered and sorted": [
            asked("&two_factor=due&sort=due"),
            asked("&two_factor=due&sort=-last_sign_in"),
            asked("&role=admin&sort=state"),
        ],
        "a search that finds many": [asked("&q=person9")],
        "a search that finds one": [asked("&q=person98765")],
        "the page itself": [page],
    }
