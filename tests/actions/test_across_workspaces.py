"""One person in two workspaces: what only Acme did never changes what Beta says, and somebody always has a way on.

Enumerated: each workspace mandating or not, reset by neither, one, or both in either order, as a member, an admin or an
owner of both, then leaving either and returning. Beside each act of Acme stands what Beta said before, to a session of
before, to a new one with the password alone, and to one with the old phone. Afterwards the person goes on in each
workspace by what it offers (the phone, the ticket with its number, a link of their own), until it is open, and nothing
of that changed the other either.
"""

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import pytest

from nightlatch.access import decide_workspace
from nightlatch.actions import accepting, enrolment, resets, teammates, tickets
from nightlatch.actions.by import By, operator
from nightlatch.actions.enrolment import Confirmed
from nightlatch.actions.tickets import Redeemed
from nightlatch.actions.tokens import new_token
from nightlatch.decision import Allow, Challenge, Decision, Enrol
from nightlatch.facts import Proof
from nightlatch.instants import HOUR, SECOND
from nightlatch.store import standing
from nightlatch.store import teammates as stored
from nightlatch.store.engine import Transaction
from nightlatch.store.facts import NEWEST, read_account_facts
from nightlatch.store.session_facts import read_known
from nightlatch.vocabulary import Method, Role
from tests.support.letters import letter
from tests.support.lost import show_code
from tests.support.world import Person, World, carried_on

OPERATOR = operator("Otto")
RESETS = ((), ("a",), ("b",), ("a", "b"), ("b", "a"))


@dataclass
class Life:
    """Ana in two workspaces, each with an owner of its own; her phone reaches everywhere."""

    world: World
    role: Role
    ana: Person = field(init=False)
    ids: dict[str, int] = field(init=False)
    owners: dict[str, By] = field(init=False)
    numbers: dict[str, str | None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        world = self.world
        self.ana, dana, otto = (world.person(name) for name in ("Ana", "Dana", "Otto"))
        self.ids = {}
        for name, owner in (("a", dana), ("b", otto)):
            people: dict[str, list[Person]] = {"owner": [owner]}
            people.setdefault(self.role, []).append(self.ana)
            self.ids[name] = world.workspace(f"{name}{self.ana.id}", **people)
        self.owners = {
            name: world.signed_in(owner, world.bind_totp(owner)[0])
            for name, owner in (("a", dana), ("b", otto))
        }
        self.app, self.seed = world.bind_totp(self.ana)
        self.old = world.signed_in(self.ana, self.app)

    def says(self, name: str) -> list[Decision]:
        """What a workspace says to a session of before, to the password alone, and to the old phone."""
        workspace_id = self.ids[name]

        def body(tx: Transaction) -> list[Decision]:
            facts = read_account_facts(tx, self.ana.id)
            password = Proof(Method.PASSWORD, NEWEST, tx.now)
            shown = Proof(Method.TOTP, NEWEST, tx.now, self.app)
            return [
                decide_workspace(
                    read_known(tx, self.old.token_hash, self.old.credential).facts, workspace_id
                ),
                decide_workspace(replace(facts, proofs=(password,)), workspace_id),
                decide_workspace(replace(facts, proofs=(password, shown)), workspace_id),
            ]

        return self.world.read(body)

    def act(self, name: str, act: Callable[[str], None]) -> None:
        """Something that one workspace does: the other says what it said."""
        other = "b" if name == "a" else "a"
        before = self.says(other)
        act(name)
        assert self.says(other) == before

    def require(self, name: str) -> None:
        self.world.require(self.ids[name])

    def reset(self, name: str) -> None:
        teammate = self._membership(name)
        done = self.world.write(
            lambda tx: resets.disable_two_factor(
                tx,
                by=OPERATOR,
                workspace_id=self.ids[name],
                teammate_id=teammate,
                reason="Lost",
                recognised_by="phone",
            )
        )
        self.numbers[name] = done.number

    def remove(self, name: str) -> None:
        teammate = self._membership(name)
        self.world.write(
            lambda tx: teammates.remove(
                tx, by=OPERATOR, workspace_id=self.ids[name], teammate_id=teammate, reason="Gone"
            )
        )

    def comes_back(self, name: str) -> None:
        def body(tx: Transaction) -> None:
            stored.join(tx, workspace_id=self.ids[name], account_id=self.ana.id, role=self.role)
            standing.refresh(tx, self.ana.id, [self.ids[name]])

        self.world.write(body)

    def goes_on(self, name: str) -> None:
        """What a workspace offers, taken until it is open; with the phone where it still counts."""
        world, workspace_id = self.world, self.ids[name]
        by = world.session(self.ana)
        decision = world.opens(by, workspace_id)
        if isinstance(decision, Challenge):
            assert decision.methods == (Method.TOTP,)
            world.wait(30 * SECOND)
            by = show_code(world, by, self.seed)
        elif isinstance(decision, Enrol):
            by = self.enrols(by, name)
        assert isinstance(world.opens(by, workspace_id), Allow), (name, decision)

    def enrols(self, by: By, name: str) -> By:
        """The link that is mailed, with the number that was read out, and a new phone."""
        world, workspace_id = self.world, self.ids[name]
        sent = world.write(lambda tx: tickets.send(tx, by=by, workspace_id=workspace_id))
        mail = letter(
            world, sent.purpose.value if sent.purpose.value == "reset" else "ticket", to=self.ana.email
        )
        number = self.numbers.get(name) if mail.kind == "reset" else None
        redeemed = world.write(lambda tx: tickets.redeem(tx, by=by, token_hash=mail.hash(), number=number))
        assert isinstance(redeemed, Redeemed)
        pending = world.write(
            lambda tx: enrolment.begin(tx, by=by, name="New", replaces=None, workspace_id=workspace_id)
        )
        code, token = world.code(pending.seed), new_token()
        done = world.write(
            lambda tx: enrolment.confirm(tx, by=by, enrolment_id=pending.id, code=code, codes=[], token=token)
        )
        assert isinstance(done, Confirmed)
        return carried_on(by, done.token)

    def _membership(self, name: str) -> int:
        row = self.world.read(lambda tx: stored.by_account(tx, self.ana.id, self.ids[name]))
        assert row is not None
        return int(row.id)


@pytest.mark.parametrize("role", [Role.MEMBER, Role.ADMIN, Role.OWNER])
def test_no_workspace_changes_the_other_and_nobody_is_stuck(world: World, role: Role) -> None:
    mandates = [(), ("a",), ("b",), ("a", "b")]
    gone: tuple[str | None, ...] = (None, "a", "b")
    for mandated, reset, leaves in itertools.product(mandates, RESETS, gone):
        life = Life(world, role)
        for name in mandated:
            life.act(name, life.require)
        for name in reset:
            life.act(name, life.reset)
        if leaves is not None:
            life.act(leaves, life.remove)
            life.act(leaves, life.comes_back)
        for name, other in (("a", "b"), ("b", "a")):
            before = life.says(other)[1:]
            life.goes_on(name)
            assert life.says(other)[1:] == before, (mandated, reset, leaves, name)


@pytest.mark.parametrize("first", ["a", "b"])
def test_accepted_and_reset_by_both_in_either_order(world: World, first: str) -> None:
    """Beta accepts what Acme's ticket bound. Each workspace's later reset takes nothing from the other."""
    life = Life(world, Role.MEMBER)
    life.require("a")
    life.reset("a")
    life.reset("b")
    by = life.enrols(world.session(life.ana), "a")
    (bound,) = [each for each in world.known(by).facts.authenticators if each.id != life.app]
    owner, beta = life.owners["b"], life.ids["b"]
    before = world.opens(by, life.ids["a"])
    world.write(
        lambda tx: accepting.accept(tx, by=owner, workspace_id=beta, authenticator_id=bound.id, reason="Hers")
    )
    assert world.opens(by, life.ids["a"]) == before
    life.app = bound.id
    life.old = world.signed_in(life.ana, bound.id)
    life.act(first, life.reset)
    life.act("b" if first == "a" else "a", life.reset)
    world.wait(HOUR)  # so many links at a time are mailed
    life.goes_on("a")
    life.goes_on("b")
