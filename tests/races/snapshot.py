"""A whole database in one moment, and what holds in it however often its server was killed: nothing is half done."""

from collections import Counter, defaultdict
from typing import Any

from sqlalchemy import select

from nightlatch.authenticators import recovery_code
from nightlatch.ids import to_text
from nightlatch.store import outbox
from nightlatch.store.engine import SEQUENCE_BLOCK, Transaction
from nightlatch.store.query import Query, Row
from nightlatch.store.schema import metadata
from nightlatch.vocabulary import Event, Method

_ALL = {table.name: Query(select(table)) for table in metadata.sorted_tables}


class Snapshot:
    """Every row, by what it is about."""

    def __init__(self, tx: Transaction) -> None:
        self._rows: dict[str, list[Row]] = {name: tx.all(query) for name, query in _ALL.items()}
        self.by_email: dict[str, Row] = {row.email: row for row in self["accounts"]}
        self.tickets: dict[bytes, Row] = {row.token_hash: row for row in self["tickets"]}
        self.sessions_of = grouped(self["sessions"], "account_id")
        self.named = {row.token_hash[8:]: row.token_hash for row in self["sessions"]}
        """What is kept of a session's token, by the hash of its secret: its id was made by the server."""
        self.authenticators_of = grouped(self["authenticators"], "account_id")
        owner = {row.id: row.account_id for row in self["authenticators"]}
        self.codes_of: dict[int, list[Row]] = defaultdict(list)
        for row in self["recovery_codes"]:
            self.codes_of[owner[row.authenticator_id]].append(row)

    def __getitem__(self, table: str) -> list[Row]:
        return self._rows[table]

    def counted(self, table: str, column: str, value: str, key: str) -> "Counter[int]":
        """How many rows of a kind each account (or whatever `key` names) has."""
        return Counter(getattr(row, key) for row in self[table] if getattr(row, column) == value)

    def check(self, tx: Transaction) -> None:
        """Raise AssertionError where something is half done."""
        for check in (_accounts, _bindings, _recovery, _tickets, _sessions, _guesses, _order):
            check(self)
        for row in self["outbox"]:
            assert row.sealed is None or outbox.values_of(tx, row), "a mail cannot be opened"


def grouped(rows: list[Row], column: str) -> dict[Any, list[Row]]:
    """Rows by the value of a column."""
    found: dict[Any, list[Row]] = defaultdict(list)
    for row in rows:
        found[getattr(row, column)].append(row)
    return found


def _invited(found: Snapshot) -> set[int]:
    """The accounts that came to be by an invitation (the others were put there by the test)."""
    return {row.subject_id for row in found["audit_events"] if row.event == Event.ACCOUNT_CREATED}


def _accounts(found: Snapshot) -> None:
    """An account has its identity, its membership with its row in the table, its invitation and its events."""
    people = _invited(found)
    accounts = {row.id: row for row in found["accounts"]}
    assert people <= accounts.keys()
    identities = {row.account_id: row.subject for row in found["identities"]}
    memberships = grouped(found["teammates"], "account_id")
    standing = {row.id: row for row in found["standing"]}
    accepted = Counter(row.email for row in found["invitations"] if row.accepted_at is not None)
    joined = found.counted("audit_events", "event", Event.TEAMMATE_JOINED, "subject_id")
    for id in people:
        assert identities[id] == accounts[id].email_key
        (membership,) = memberships[id]
        assert standing[membership.id].account_id == id
        assert accepted[accounts[id].email] == joined[id] == 1
        assert found.sessions_of[id]
    assert sum(accepted.values()) == len(people), "an invitation was spent on nobody"


def _bindings(found: Snapshot) -> None:
    """No authenticator without its event, its mail, its set of recovery codes and its place in the table."""
    bound = found.counted("authenticators", "method", Method.TOTP, "account_id")
    told = found.counted("audit_events", "event", Event.AUTHENTICATOR_BOUND, "subject_id")
    secured = found.counted("audit_events", "event", Event.TEAMMATE_SECURED, "subject_id")
    mailed = found.counted("outbox", "kind", "authenticator_bound", "account_id")
    sets = found.counted("authenticators", "method", Method.RECOVERY_CODE, "account_id")
    states = {row.account_id: row.state for row in found["standing"] if row.account_id is not None}
    for id in _invited(found):
        assert bound[id] in (0, 1)
        assert bound[id] == told[id] == mailed[id] == secured[id] == sets[id]
        assert states[id] == ("on" if bound[id] else "off")
    confirmed = {row.session_id for row in found["proofs"] if row.method == Method.TOTP}
    pending = {row.session_id for row in found["enrolments"]}
    assert not confirmed & pending, "an enrolment was confirmed and is pending"


def _recovery(found: Snapshot) -> None:
    """Ten codes to a set; each that was used is told of, mailed, and a proof of some session."""
    codes = grouped(found["recovery_codes"], "authenticator_id")
    sets = [row.id for row in found["authenticators"] if row.method == Method.RECOVERY_CODE]
    assert codes.keys() == set(sets), "codes of no set, or a set of no codes"
    assert all(len(each) == recovery_code.COUNT for each in codes.values())
    used = Counter(row.used_at is not None for row in found["recovery_codes"])[True]
    assert used == len([row for row in found["audit_events"] if row.event == Event.RECOVERY_CODE_USED])
    assert used == len([row for row in found["outbox"] if row.kind == "recovery_code_used"])
    assert used == len([row for row in found["proofs"] if row.method == Method.RECOVERY_CODE])


def _tickets(found: Snapshot) -> None:
    """No spent ticket without its proof and its event; none without its mail."""
    spent = Counter(row.account_id for row in found["tickets"] if row.redeemed_at is not None)
    told = found.counted("audit_events", "event", Event.TICKET_REDEEMED, "subject_id")
    mailed = found.counted("outbox", "kind", "ticket", "account_id")
    made = Counter(row.account_id for row in found["tickets"])
    proved: Counter[int] = Counter()
    owner = {row.id: row.account_id for row in found["sessions"]}
    for row in found["proofs"]:
        proved[owner[row.session_id]] += row.method == Method.TICKET
    for id in _invited(found):
        assert spent[id] == told[id] == proved[id]
        assert made[id] == mailed[id]


def _sessions(found: Snapshot) -> None:
    """No session without a proof, no proof without a session or of an authenticator that was never bound."""
    proofs = grouped(found["proofs"], "session_id")
    sessions = {row.id for row in found["sessions"]}
    bound = {row.id for row in found["authenticators"]}
    assert proofs.keys() == sessions
    assert {row.authenticator_id for row in found["proofs"]} - {None} <= bound


def _guesses(found: Snapshot) -> None:
    """No charge without its event."""
    failed = found.counted("audit_events", "event", Event.SECOND_STEP_FAILED, "subject_id")
    for row in found["guesses"]:
        if row.door == Method.TOTP:
            assert row.failures <= failed[int(row.subject)]


def _order(found: Snapshot) -> None:
    """The order of things goes on above everything that is in it."""
    highest = max([row.sequence for row in found["audit_events"] + found["proofs"]], default=0)
    for row in found["sequences"]:
        assert row.value + SEQUENCE_BLOCK["sqlite"] > highest, "a number that was given will be given again"
    ids = [to_text(row.id) for row in found["audit_events"]]
    assert len(ids) == len(set(ids))
