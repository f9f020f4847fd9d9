"""What every test that kills a server does: invite people, wait for what dies with it, look at what is left."""

import time

import psycopg

from nightlatch.actions import invitations
from nightlatch.actions.by import operator
from nightlatch.actions.tokens import Token
from nightlatch.addresses import parse
from nightlatch.store.engine import Store, Transaction
from nightlatch.vocabulary import Role
from tests.races.held import PATIENCE
from tests.races.ledger import Ledger
from tests.races.snapshot import Snapshot


def invite(store: Store, workspace_id: int, emails: list[str]) -> list[tuple[str, Token]]:
    """Invite people; their addresses and the tokens of their invitations."""
    done = store.write_now(
        lambda tx: invitations.invite(
            tx,
            by=operator("test"),
            workspace_id=workspace_id,
            pasted=[parse(each) for each in emails],
            role=Role.MEMBER,
        )
    )
    return [(each.address.display, each.token) for each in done.results if each.token is not None]


def gone_with_it(url: str) -> None:
    """On PostgreSQL the dead process's transactions end a moment after it: wait until its connections are gone."""
    if url.startswith("sqlite"):
        return
    deadline = time.monotonic() + PATIENCE
    with psycopg.connect(url, autocommit=True) as connection:
        left = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        while connection.execute(left).fetchone() != (0,):
            assert time.monotonic() < deadline, "somebody is still connected"
            time.sleep(0.002)


def check(tx: Transaction, ledgers: list[Ledger]) -> None:
    """The file is sound, nothing is half done, and everything that was acknowledged is there."""
    if tx.dialect == "sqlite":
        assert tx._execute("PRAGMA integrity_check", {}).fetchall() == [("ok",)]
    found = Snapshot(tx)
    found.check(tx)
    for ledger in ledgers:
        ledger.check(tx, found)


def told(ledgers: list[Ledger]) -> tuple[int, int]:
    """How many acknowledgements there were, and how many who were still waiting for one."""
    people = [person for ledger in ledgers for person in ledger.people.values()]
    return sum(each.told for each in people), sum(len(ledger.in_flight()) for ledger in ledgers)
