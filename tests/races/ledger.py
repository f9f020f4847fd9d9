"""What clients were told while a server was being killed, and whether the database knows it all.

A client says what it is about to do before it does it, and what it was told after it was told. So when the server dies,
each person has things that were acknowledged, which must all be there, and at most one thing in flight, which must be
there as a whole or not at all.
"""

from dataclasses import dataclass, field
from typing import Any

from nightlatch.authenticators import recovery_code, totp
from nightlatch.ids import to_text
from nightlatch.store import authenticators, guesses
from nightlatch.store.engine import Transaction
from nightlatch.store.query import Row
from nightlatch.store.session_facts import read_known
from nightlatch.vocabulary import Credential, Method
from tests.races.snapshot import Snapshot

ROTATING = {"confirm", "code", "recovery"}
"""What gives the session a new token."""


@dataclass(frozen=True)
class Said:
    """One line of a client: it is about to do something, or it was told that it is done."""

    done: bool
    person: str
    act: str
    session: str
    values: dict[str, Any]


@dataclass
class Session:
    """A session that a client holds."""

    token: bytes
    """The hash of its token."""
    proofs: int
    """How often it has proved something, as far as the client knows."""
    over: bool = False


@dataclass
class Person:
    """What one person was told, by the address that they were invited at."""

    email: str
    account: int | None = None
    sessions: dict[str, Session] = field(default_factory=dict)
    authenticator: int | None = None
    seed: bytes = b""
    step: int = 0
    """The highest step that was accepted."""
    codes: list[str] = field(default_factory=list)
    """The recovery codes, as they were shown."""
    used: set[str] = field(default_factory=set)
    wrong: int = 0
    """Wrong codes in a row that were charged."""
    redeemed: set[bytes] = field(default_factory=set)
    trying: Said | None = None
    told: int = 0
    """How many acknowledgements they have had."""


class Ledger:
    """All people of one burst."""

    def __init__(self, kind: Credential) -> None:
        self.kind = kind
        self.people: dict[str, Person] = {}

    def note(self, said: Said) -> None:
        """Take down one line."""
        person = self.people.setdefault(said.person, Person(said.person))
        if not said.done:
            person.trying = said
            return
        before, person.trying = person.trying, None
        assert before is not None
        person.told += 1
        _learn(person, said.act, said.session, {**before.values, **said.values})

    def in_flight(self) -> list[Person]:
        """Those who were waiting for an answer."""
        return [each for each in self.people.values() if each.trying is not None]

    def check(self, tx: Transaction, found: Snapshot) -> None:
        """Everything that was acknowledged is there; what was in flight is whole or absent. AssertionError if not."""
        for person in self.people.values():
            _check_account(person, found)
            _check_sessions(tx, self.kind, person, found)
            _check_authenticator(tx, person)
            _check_codes(person, found)
            _check_guesses(tx, person)
            for token_hash in person.redeemed:
                assert found.tickets[token_hash].redeemed_at is not None, (
                    f"{person.email}: a ticket is unspent"
                )


def _learn(person: Person, act: str, session: str, values: dict[str, Any]) -> None:
    if act == "accept":
        person.account = values.get("account")
    if act in ("accept", "sign_in"):
        person.sessions[session] = Session(values["token"], proofs=2 if act == "accept" else 1)
    if act in ROTATING:
        person.sessions[session].token = values["token"]
    if act in ROTATING or act == "redeem":
        person.sessions[session].proofs += 1
    if act == "confirm":
        person.authenticator, person.seed = values["authenticator"], values["seed"]
        person.codes = values["codes"]
    if act in ("confirm", "code"):
        person.step, person.wrong = max(person.step, values["step"]), 0
    if act == "wrong":
        person.wrong += 1
    if act == "recovery":
        person.used.add(values["code"])
    if act == "redeem":
        person.redeemed.add(values["ticket"])
    if act == "sign_out":
        person.sessions[session].over = True


def _check_account(person: Person, found: Snapshot) -> None:
    if not person.told:
        return
    account = found.by_email.get(person.email)
    assert account is not None, f"{person.email}: the account is gone"
    assert person.account in (None, account.id)
    person.account = account.id


def _check_sessions(tx: Transaction, kind: Credential, person: Person, found: Snapshot) -> None:
    """Each is alive under the newest token; or, where a new token was under way, under that one, with its proof."""
    trying = person.trying
    for name, session in person.sessions.items():
        about_it = trying is not None and trying.session == name
        known = read_known(tx, found.named.get(session.token[-32:], b""), kind)
        if known.session is not None:
            assert not session.over, f"{person.email}: a session that was ended is alive"
            assert len(known.facts.proofs) >= session.proofs, f"{person.email}: a proof is gone"
            continue
        if session.over or (about_it and trying is not None and trying.act == "sign_out"):
            continue
        assert about_it, f"{person.email}: the session {name} is gone"
        assert trying is not None
        assert trying.act in ROTATING, f"{person.email}: {trying.act} ended the session {name}"
        if "token" in trying.values:
            after = read_known(tx, found.named.get(trying.values["token"][-32:], b""), kind)
            assert after.session is not None, (
                f"{person.email}: {name} has neither its old token nor its new one"
            )
            assert len(after.facts.proofs) >= session.proofs
    begun = len(found.sessions_of.get(person.account or 0, []))
    beginning = trying is not None and trying.act in ("accept", "sign_in")
    assert len(person.sessions) <= begun <= len(person.sessions) + beginning


def _check_authenticator(tx: Transaction, person: Person) -> None:
    """Bound, with the seed that was shown, and no step that was accepted is accepted again."""
    if person.authenticator is None or person.account is None:
        return
    row = authenticators.by_id(tx, person.authenticator, person.account)
    assert row is not None, f"{person.email}: the authenticator is gone"
    seed = tx.keys.open("authenticators", to_text(row.id), row.sealed)
    assert seed == person.seed
    assert row.highest_step >= person.step, f"{person.email}: an accepted code would be accepted again"
    again = totp.verify(seed, totp.code_at(seed, person.step), person.step * totp.STEP, row.highest_step)
    assert again.outcome is totp.Outcome.REPLAYED


def _check_codes(person: Person, found: Snapshot) -> None:
    if not person.codes:
        return
    rows: dict[str, Row] = {row.selector: row for row in found.codes_of[person.account or 0]}
    assert len(rows) == recovery_code.COUNT
    for code in person.codes:
        row = rows.get(recovery_code.canonical(code).selector)
        assert row is not None, f"{person.email}: a recovery code is gone"
        if code in person.used:
            assert row.used_at is not None, f"{person.email}: a used recovery code would work again"
        elif person.trying is None or person.trying.values.get("code") != code:
            assert row.used_at is None, f"{person.email}: a recovery code was spent by nobody"


def _check_guesses(tx: Transaction, person: Person) -> None:
    """What was charged stays charged; what was in flight was charged, or cleared the counter, or neither."""
    if person.account is None:
        return
    act = person.trying.act if person.trying is not None else ""
    possible = {person.wrong}
    if act == "wrong":
        possible.add(person.wrong + 1)
    if act in ("code", "confirm"):
        possible.add(0)
    assert guesses.peek(tx, Method.TOTP, str(person.account)).failures in possible, (
        f"{person.email}: the counter of wrong codes is off"
    )
