"""A workspace where resets go by rank, and everything that is done about one by the real actions."""

from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from nightlatch.actions import reset_ending, resets, second_step, teammates
from nightlatch.actions.by import By
from nightlatch.actions.proving import Proved
from nightlatch.actions.reset_doing import finish_due
from nightlatch.actions.resets import ResetDone
from nightlatch.actions.tokens import new_token
from nightlatch.decision import Allow, Enrol
from nightlatch.instants import DAY
from nightlatch.refusals import Code, Refused
from nightlatch.store import resets as store_resets
from nightlatch.store import standing
from nightlatch.store import teammates as store_teammates
from nightlatch.store.engine import Transaction
from nightlatch.store.query import Row
from nightlatch.vocabulary import Event, Role
from tests.support.events import events
from tests.support.letters import letter
from tests.support.world import Person, World

VISITOR = By("visitor", None, "", "198.51.100.7", "test")
WEEK = 8 * DAY


@dataclass
class Acme:
    """Two owners, two admins and two members, all with 2FA, all there for more than a week; 2FA is required."""

    world: World
    people: dict[str, Person] = field(default_factory=dict)
    apps: dict[str, int] = field(default_factory=dict)
    seeds: dict[str, bytes] = field(default_factory=dict)
    id: int = 0

    def __post_init__(self) -> None:
        for name in ("Olga", "Otto", "Ada", "Abe", "Mia", "Max"):
            self.people[name] = self.world.person(name)
            self.apps[name], self.seeds[name] = self.world.bind_totp(self.people[name])
        self.id = self.world.workspace("acme", owner=self.of("Olga", "Otto"), admin=self.of("Ada", "Abe"))
        for name in ("Mia", "Max"):
            self.join(name, Role.MEMBER)
        self.world.require(self.id)
        self.world.wait(WEEK)

    def of(self, *names: str) -> list[Person]:
        return [self.people[name] for name in names]

    def join(self, name: str, role: Role, brought_in_by: str | None = None) -> None:
        """Another teammate, with 2FA."""
        if name not in self.people:
            self.people[name] = self.world.person(name)
            self.apps[name], self.seeds[name] = self.world.bind_totp(self.people[name])
        person, inviter = self.people[name], self.people[brought_in_by].id if brought_in_by else None

        def body(tx: Transaction) -> None:
            store_teammates.join(
                tx, workspace_id=self.id, account_id=person.id, role=role, brought_in_by=inviter
            )
            standing.refresh(tx, person.id)

        self.world.write(body)

    def by(self, name: str) -> By:
        return self.world.signed_in(self.people[name], self.apps[name])

    def teammate(self, name: str) -> int:
        row = self.world.read(lambda tx: store_teammates.by_account(tx, self.people[name].id, self.id))
        assert row is not None
        return int(row.id)

    def ask(self, who: str | By, of: str) -> ResetDone:
        by = self.by(who) if isinstance(who, str) else who
        target = self.teammate(of)
        return self.world.write(
            lambda tx: resets.disable_two_factor(
                tx,
                by=by,
                workspace_id=self.id,
                teammate_id=target,
                reason="Lost phone",
                recognised_by="By voice",
            )
        )

    def approve(self, who: str, asked: ResetDone) -> ResetDone:
        by = self.by(who)
        return self.world.write(
            lambda tx: resets.approve(tx, by=by, workspace_id=self.id, reset_id=asked.reset_id)
        )

    def cancel(self, who: str, asked: ResetDone) -> str:
        by = self.by(who)
        return self.world.write(
            lambda tx: reset_ending.cancel(tx, by=by, workspace_id=self.id, reset_id=asked.reset_id)
        )

    def stop_own(self, who: str) -> None:
        by = self.by(who)
        self.world.write(lambda tx: reset_ending.stop_own(tx, by=by, workspace_id=self.id))

    def stop_by_mail(self, who: str) -> str:
        """By the newest link that they were mailed."""
        link = letter(self.world, "reset_waiting", to=self.people[who].email).hash()
        return self.world.write(lambda tx: reset_ending.stop(tx, by=VISITOR, token_hash=link)).state

    def code(self, who: str) -> None:
        """They sign in and show a code of their app."""
        half = self.world.session(self.people[who])
        code = self.world.code(self.seeds[who])
        shown = self.world.write(
            lambda tx: second_step.present_totp(tx, by=half, code=code, token=new_token())
        )
        assert isinstance(shown, Proved)

    def change(self, by: str, of: str, role: Role) -> None:
        actor, target = self.by(by), self.teammate(of)
        self.world.write(
            lambda tx: teammates.change_role(
                tx, by=actor, workspace_id=self.id, teammate_id=target, role=role
            )
        )

    def remove(self, by: str, of: str) -> None:
        actor, target = self.by(by), self.teammate(of)
        self.world.write(lambda tx: teammates.remove(tx, by=actor, workspace_id=self.id, teammate_id=target))

    def leave(self, who: str) -> None:
        actor = self.by(who)
        self.world.write(lambda tx: teammates.leave(tx, by=actor, workspace_id=self.id))

    def chore(self) -> None:
        while self.world.write(finish_due):
            pass

    def is_on(self, who: str) -> bool:
        """Whether the workspace relies on something of theirs: a password alone is asked for a code."""
        decision = self.world.opens(self.world.session(self.people[who]), self.id)
        assert not isinstance(decision, Allow)
        return not isinstance(decision, Enrol)

    def row(self, asked: ResetDone) -> Row:
        return self.world.read(lambda tx: store_resets.by_id(tx, asked.reset_id))

    def told(self) -> list[Event]:
        areas = ("teammate.reset", "teammate.unsecured")
        return [each.event for each in events(self.world, workspace=self.id) if each.event.startswith(areas)]


def refused(code: Code, act: Callable[[], object]) -> Refused:
    """The act is refused like that, with a way out."""
    with pytest.raises(Refused) as refusal:
        act()
    assert refusal.value.code is code, refusal.value.detail
    assert refusal.value.way_out is not None
    return refusal.value
