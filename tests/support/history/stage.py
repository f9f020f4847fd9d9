"""Where it happens: the world and its clock, who is there, and how one thing after the other is done."""

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from nightlatch.actions.by import By, operator
from nightlatch.actions.people import App
from nightlatch.actions.tokens import new_token
from nightlatch.instants import DAY, MINUTE
from nightlatch.refusals import Refused
from nightlatch.store import accounts, sessions
from nightlatch.store import authenticators as store_authenticators
from nightlatch.store import teammates as store_teammates
from nightlatch.store.engine import Transaction
from nightlatch.store.query import Row
from nightlatch.vocabulary import Credential, Method
from tests.support.history.snapshot import Snapshot, day_text, read
from tests.support.passkeys import SoftPasskey
from tests.support.tables import rows
from tests.support.world import World

VISITOR = By("visitor", None, "", "198.51.100.7", "test", None, Credential.NONE, b"browser")
OPERATOR = operator("Olga")


class Nobody(Exception):
    """There is nobody of whom this could happen now."""


@dataclass
class Stage:
    """Acme, its neighbour Beta with some of the same people, and a workspace that a product keeps."""

    world: World
    chance: random.Random = field(default_factory=lambda: random.Random(10))
    """One with which everything happens: another act may ask for another number."""
    done: Counter[str] = field(default_factory=Counter)
    snapshots: dict[tuple[int, str], Snapshot] = field(default_factory=dict)
    ids: list[int] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)
    softs: dict[int, SoftPasskey] = field(default_factory=dict)
    """What signs for each passkey."""
    weak: set[tuple[int, int]] = field(default_factory=set)
    """Workspace and account of who has 2FA, and has (or had meanwhile) no passkey where one is required."""
    restores: int = 0
    names: int = 0
    dana: int = 0
    rosa: int = 0
    acme: int = 0
    beta: int = 0
    notes: int = 0
    app: App = field(init=False)

    @property
    def changes(self) -> int:
        """How many things have happened, refusals left out."""
        return sum(number for name, number in self.done.items() if " " not in name)

    @property
    def today(self) -> int:
        return self.world.clock.now() // DAY

    def wait(self) -> None:
        """Hours pass; where a day ends by it, what the tables say is kept for that day."""
        self.end_of_day(self.chance.randrange(10, 9 * 60) * MINUTE)

    def end_of_day(self, duration: int) -> None:
        before = self.today
        found = {each: self.read(each) for each in self.ids}
        self.world.wait(duration)
        for day in range(before, self.today):
            for workspace_id, snapshot in found.items():
                self.snapshots[workspace_id, day_text(day)] = replace(
                    snapshot,
                    exempt={who: until for who, until in snapshot.exempt.items() if until >= (day + 1) * DAY},
                )

    def act(self, act: Callable[[], object]) -> None:
        """One thing happens, or is refused."""
        try:
            if act() is not False:
                self.done[act.__name__] += 1
        except Nobody:
            self.done["nobody to do it"] += 1
        except Refused as refused:
            self.done[f"was refused: {refused.code}"] += 1
        for row in rows(self.world, "standing"):
            if row.state == "weak":
                self.weak.add((row.workspace_id, row.account_id))
            elif row.state != "on":
                self.weak.discard((row.workspace_id, row.account_id))

    def read(self, workspace_id: int) -> Snapshot:
        """The truth of this moment."""
        weak = {account_id for where, account_id in self.weak if where == workspace_id}
        return read(self.world, workspace_id, self.restores, weak)

    # --- who ---

    def members(self, workspace_id: int, **wanted: object) -> list[Row]:
        """Its teammates; `state="on"`: who has 2FA, be it what is required there or not."""
        if wanted.get("state") == "on":
            rest = {name: value for name, value in wanted.items() if name != "state"}
            return [row for row in self.members(workspace_id, **rest) if row.state in ("on", "weak")]
        return [
            row
            for row in rows(self.world, "standing")
            if row.workspace_id == workspace_id
            and row.status == "active"
            and all(getattr(row, name) == value for name, value in wanted.items())
        ]

    def one(self, workspace_id: int, **wanted: object) -> Row:
        """A teammate, by chance, but never the two founders. Raises Nobody."""
        return self.chosen(self.members(workspace_id, **wanted))

    def chosen(self, found: list[Row]) -> Row:
        """The same of some of them."""
        since = {row.id: row.created_at for row in rows(self.world, "accounts")}
        others = [each for each in found if each.account_id not in (self.dana, self.rosa)]
        if not others:
            raise Nobody
        return self.chance.choice(sorted(others, key=lambda row: since[row.account_id]))

    def session(self, account_id: int, *more: tuple[Method, int | None, int | None]) -> By:
        """A session that has just proved all that its person can: and `more`, with workspace and reset."""
        token = new_token()

        def body(tx: Transaction) -> str:
            account = accounts.by_id(tx, account_id)
            assert account is not None
            session_id = sessions.create(
                tx,
                account_id=account_id,
                kind=Credential.COOKIE,
                token_hash=token.hash,
                ip="192.0.2.1",
                user_agent="test",
                pending=False,
            )
            if account.app_id is None:
                sessions.add_proof(tx, session_id, Method.PASSWORD)
            else:
                for membership in store_teammates.of_account(tx, account_id):
                    sessions.add_proof(
                        tx,
                        session_id,
                        Method.PROVIDER,
                        workspace_id=membership.workspace_id,
                        supersedes=False,
                    )
            for bound in store_authenticators.of_account(tx, account_id):
                if bound.method != Method.RECOVERY_CODE:
                    sessions.add_proof(tx, session_id, Method(bound.method), authenticator_id=bound.id)
            for method, workspace_id, reset_id in more:
                sessions.add_proof(tx, session_id, method, workspace_id=workspace_id, reset_id=reset_id)
            return str(account.name)

        name = self.world.write(body)
        return By(
            "account",
            account_id,
            name,
            "192.0.2.1",
            "test",
            token.hash,
            Credential.COOKIE,
            b"browser",
        )

    def named(self) -> str:
        self.names += 1
        return f"Person {self.names}"
