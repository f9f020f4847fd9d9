"""A small world on a real database: accounts, workspaces and sessions made by the store, to act in."""

import itertools
import secrets
from dataclasses import dataclass, replace
from pathlib import Path

from nightlatch import addresses
from nightlatch.access import decide, decide_workspace
from nightlatch.actions.by import By
from nightlatch.actions.tokens import Token, hash_token, new_token
from nightlatch.authenticators import totp
from nightlatch.clock import Clock
from nightlatch.decision import Action, Decision
from nightlatch.facts import EVERYWHERE, Reach
from nightlatch.ids import new_id, to_text
from nightlatch.instants import Duration
from nightlatch.keyring import KeyRing
from nightlatch.store import accounts, authenticators, meta, sessions, standing, teammates, workspaces
from nightlatch.store.engine import Body, Store, T, Transaction
from nightlatch.store.known import Known
from nightlatch.store.session_facts import read_known
from nightlatch.vocabulary import Credential, Method, Role
from nightlatch.wiring import open_store

PASSWORD = "a long and honest password"
_numbers = itertools.count(1)


@dataclass(frozen=True)
class Person:
    """An account of the world."""

    id: int
    email: str
    name: str


class World:
    """A database with a clock that the test moves."""

    def __init__(self, url: str, folder: Path) -> None:
        self._offset_file = folder / f"offset-{next(_numbers)}"
        self._offset = 0.0
        self._offset_file.write_text("0")
        self.url = url
        self.folder = folder
        self.clock = Clock(self._offset_file)
        self.keys = KeyRing.generate(secrets.token_bytes)
        self.store: Store = open_store(url, self.clock, self.keys)
        self.write(lambda tx: meta.write(tx, meta.KEY_CHECK, tx.keys.check_value().hex()))

    @property
    def clock_file(self) -> Path:
        """For NIGHTLATCH_TEST_CLOCK of a program that works in this world."""
        return self._offset_file

    def close(self) -> None:
        """Let go of the database."""
        self.store.close()

    def read(self, body: Body[T]) -> T:
        """One reading transaction."""
        return self.store.read_now(body)

    def write(self, body: Body[T]) -> T:
        """One writing transaction."""
        return self.store.write_now(body)

    def wait(self, duration: Duration) -> None:
        """Time passes."""
        self._offset += duration / 1_000_000
        self._offset_file.write_text(str(self._offset))

    def person(self, name: str, *, password_hash: str | None = "unusable") -> Person:
        """A new account."""
        email = f"{name.lower()}{next(_numbers)}@example.com"
        address = addresses.parse(email)
        id = self.write(
            lambda tx: accounts.create(tx, name=name, address=address, password_hash=password_hash)
        )
        return Person(id, email, name)

    def workspace(self, slug: str = "acme", **roles: Person | list[Person]) -> int:
        """A workspace with people: `workspace("acme", owner=dana, member=[ana, ben])`."""

        def body(tx: Transaction) -> int:
            workspace_id = workspaces.create(tx, slug=slug, name=slug.title())
            for role, people in roles.items():
                for person in people if isinstance(people, list) else [people]:
                    teammates.join(tx, workspace_id=workspace_id, account_id=person.id, role=Role(role))
                    standing.refresh(tx, person.id)
            return workspace_id

        return self.write(body)

    def require(self, workspace_id: int, since: int | None = None) -> None:
        """Turn the mandate on, without asking anybody."""

        def body(tx: Transaction) -> None:
            row = workspaces.by_id(tx, workspace_id)
            assert row is not None
            workspaces.set_policy(
                tx,
                workspace_id,
                required_from=tx.now if since is None else since,
                managed_by=row.managed_by,
                by_name="test",
                if_revision=row.revision,
            )

        self.write(body)

    def unrequire(self, workspace_id: int) -> None:
        """Turn the mandate off, without asking anybody."""

        def body(tx: Transaction) -> None:
            row = workspaces.by_id(tx, workspace_id)
            assert row is not None
            workspaces.set_policy(
                tx,
                workspace_id,
                required_from=None,
                managed_by=row.managed_by,
                by_name="test",
                if_revision=row.revision,
            )

        self.write(body)

    def seeds(self, person: Person) -> list[bytes]:
        """The seeds of a person's authenticator apps."""
        rows = self.read(lambda tx: authenticators.of_account(tx, person.id))
        return [
            self.keys.open("authenticators", to_text(row.id), row.sealed)
            for row in rows
            if row.sealed is not None
        ]

    def bind_totp(self, person: Person, reach: Reach = EVERYWHERE) -> tuple[int, bytes]:
        """Bind an authenticator app, without any journey: its id and seed."""
        seed, id = totp.new_seed(secrets.token_bytes), new_id()

        def body(tx: Transaction) -> int:
            bound = authenticators.bind(
                tx,
                id=id,
                account_id=person.id,
                method=Method.TOTP,
                name="Phone",
                reach=reach,
                sealed=tx.keys.seal("authenticators", to_text(id), seed),
            )
            standing.refresh(tx, person.id)
            return bound

        return self.write(body), seed

    def bind_passkey(self, person: Person, reach: Reach = EVERYWHERE) -> int:
        """Bind a passkey, without any ceremony: its id."""

        def body(tx: Transaction) -> int:
            id = authenticators.bind(
                tx, account_id=person.id, method=Method.PASSKEY, name="Laptop", reach=reach
            )
            standing.refresh(tx, person.id)
            return id

        return self.write(body)

    def by_passkey(self, person: Person, passkey: int) -> By:
        """A session that has shown a passkey which verified its user."""
        return self.session(person, Method.PASSKEY, authenticator=passkey)

    def session(
        self,
        person: Person,
        *methods: Method,
        authenticator: int | None = None,
        ip: str = "192.0.2.1",
        kind: Credential = Credential.COOKIE,
        token: Token | None = None,
    ) -> By:
        """A session that has proved these methods (a password by default)."""
        token = token or session_token()

        def body(tx: Transaction) -> None:
            session_id = sessions.create(
                tx,
                account_id=person.id,
                kind=kind,
                token_hash=token.hash,
                ip=ip,
                user_agent="test",
                pending=False,
            )
            for method in methods or (Method.PASSWORD,):
                bound = None if method is Method.PASSWORD else authenticator
                sessions.add_proof(tx, session_id, method, authenticator_id=bound)

        self.write(body)
        return By(
            "account",
            person.id,
            person.name,
            ip,
            "test",
            token.hash,
            kind,
            hash_token("browser"),
        )

    def signed_in(self, person: Person, seed_of: int) -> By:
        """A session with the password and the authenticator app `seed_of` proved."""
        return self.session(person, Method.PASSWORD, Method.TOTP, authenticator=seed_of)

    def known(self, by: By) -> Known:
        """What is known of a session now."""
        return self.read(lambda tx: read_known(tx, by.token_hash, by.credential))

    def decides(self, by: By, action: Action) -> Decision:
        """The decision for a session now."""
        return decide(self.known(by).facts, action)

    def opens(self, by: By, workspace_id: int) -> Decision:
        """Whether a workspace is open to a session now."""
        return decide_workspace(self.known(by).facts, workspace_id)

    def code(self, seed: bytes, steps: int = 0) -> str:
        """The code of this moment, or of some steps away."""
        return totp.code_at(seed, totp.step_at(self.clock.now()) + steps)


def session_token() -> Token:
    """A token for a session that is yet to be made; what it names will be the session's id."""
    return new_token().of_session(new_id())


def from_elsewhere(by: By, ip: str) -> By:
    """The same session from another address."""
    return replace(by, ip=ip)


def carried_on(by: By, token: Token) -> By:
    """The same session after it was given a new token."""
    return replace(by, token_hash=token.hash)
