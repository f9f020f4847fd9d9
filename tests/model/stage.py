"""Alder and Birch, who is in them, and how a real action is done on the real database beside the model."""

import itertools
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from nightlatch.access import decide_workspace
from nightlatch.actions.by import By, operator
from nightlatch.decision import Allow, Challenge, Deny, Enrol
from nightlatch.facts import Facts
from nightlatch.instants import DAY
from nightlatch.refusals import Refused
from nightlatch.store import standing
from nightlatch.store import teammates as store_teammates
from nightlatch.store.engine import Body, Transaction
from nightlatch.store.session_facts import read_known
from nightlatch.vocabulary import Credential, Role
from tests.model.model import Mate, Place, Someone, Thing, Visit
from tests.support.world import Person, World

T = TypeVar("T")
OPERATOR = operator("Olga")
DOOR = By("visitor", None, "", "198.51.100.7", "test", None, Credential.NONE, b"browser")
_SAYS = {Allow: "allow", Challenge: "challenge", Enrol: "enrol", Deny: "deny"}
_worlds = itertools.count(1)


@dataclass
class Waiting:
    """A reset that waits: whose, since when, and how long at least."""

    place: Place
    who: Someone
    asked_at: int
    delay: int
    approved: bool = False


@dataclass
class Stage:
    """Two workspaces, and the people who are in one of them or in both."""

    world: World
    n: int = 0
    people: list[Someone] = field(default_factory=list)
    places: list[Place] = field(default_factory=list)
    visits: list[tuple[Visit, By]] = field(default_factory=list)
    numbers: dict[int, str | None] = field(default_factory=dict)
    """The number of each reset, as it was read out."""
    waiting: dict[int, Waiting] = field(default_factory=dict)
    """Resets that were asked for and are not done: of admins and owners."""
    seen: Counter[str] = field(default_factory=Counter)
    """What happened, so that nothing is proved of a life in which nothing happens."""

    def begin(self) -> None:
        """Ana owns Alder, Bea Birch. Dev, an admin of Alder, Eva, an owner, and Cem, without 2FA, are in both."""
        number = next(_worlds)
        for slug in ("alder", "birch"):
            made = self.world.workspace(f"{slug}-{number}")
            self.places.append(Place(made, f"{slug}-{number}"))
        alder, birch = self.places
        cast: list[tuple[str, dict[int, Role]]] = [
            ("Ana", {alder.id: Role.OWNER}),
            ("Bea", {birch.id: Role.OWNER}),
            ("Cem", {alder.id: Role.MEMBER, birch.id: Role.MEMBER}),
            ("Dev", {alder.id: Role.ADMIN, birch.id: Role.MEMBER}),
            ("Eva", {alder.id: Role.OWNER, birch.id: Role.MEMBER}),
        ]
        for name, roles in cast:
            made_person = self.world.person(name)
            someone = Someone(made_person.id, name, made_person.email)
            self.people.append(someone)
            for place in self.places:
                if place.id in roles:
                    self._is_in(someone, place, roles[place.id])
        for someone in [each for each in self.people if each.name != "Cem"]:
            id, seed = self.world.bind_totp(Person(someone.id, someone.email, someone.name))
            someone.things[id] = Thing(id, "app", True, frozenset(), seed)
        self.world.wait(8 * DAY)  # who owns a workspace for a week may approve a reset

    def _is_in(self, someone: Someone, place: Place, role: Role) -> None:
        def body(tx: Transaction) -> tuple[int, int]:
            id = store_teammates.join(tx, workspace_id=place.id, account_id=someone.id, role=role)
            standing.refresh(tx, someone.id)
            return id, tx.now

        id, now = self.world.write(body)
        place.mates[someone.id] = Mate(id, role, self.tick(), now)

    # --- time and order ---

    def tick(self) -> int:
        self.n += 1
        return self.n

    @property
    def now(self) -> int:
        return self.world.clock.now()

    # --- doing ---

    def does(self, what: str, body: Body[object]) -> bool:
        """A real action in its transaction; False where it was refused."""
        return self.tries(what, lambda tx: (body(tx), True)) is not None

    def tries(self, what: str, body: Body[T]) -> T | None:
        """The same; what it answers, None where it was refused."""
        try:
            done = self.world.write(body)
        except Refused as refused:
            self.seen[f"{what} refused: {refused.code}"] += 1
            return None
        self.seen[what] += 1
        return done

    def apart_from(self, place: Place, act: Callable[[], T]) -> T:
        """An act of one workspace: law 7, no decision of the other one changes by it, for anybody."""
        before = self.decisions(but=place)
        done = act()
        assert self.decisions(but=place) == before, f"{place.slug} changed its neighbour"
        return done

    def decisions(self, *, but: Place | None = None) -> list[list[str]]:
        """What the gate says to every session of every workspace."""
        there = [each for each in self.places if each is not but]
        return [[said(facts, place) for place in there] for facts in self.facts()]

    def facts(self) -> list[Facts]:
        """Of every session, in one transaction: what it has shown, and what is so of its account."""
        return self.world.read(
            lambda tx: [read_known(tx, by.token_hash, by.credential).facts for _, by in self.visits]
        )


def said(facts: Facts, place: Place) -> str:
    """What the gate says to a session of a workspace."""
    if facts.account is None:
        return "nobody"
    return _SAYS[type(decide_workspace(facts, place.id))]
