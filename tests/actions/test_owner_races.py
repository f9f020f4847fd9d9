"""Law 8 under fire (F45): owners who remove, demote and leave each other at the same moment; an enrolled owner stays.

SQLite has one writer and hides such races, PostgreSQL does not.
"""

from collections.abc import Callable
from functools import partial

import pytest

from nightlatch.actions import authenticators, teammates
from nightlatch.actions.by import By
from nightlatch.instants import HOUR
from nightlatch.refusals import Code, Refused
from nightlatch.store import standing
from nightlatch.store import teammates as memberships
from nightlatch.store.engine import Transaction
from nightlatch.vocabulary import Role
from tests.support.races import at_once
from tests.support.world import Person, World

pytestmark = [pytest.mark.race, pytest.mark.slow]
ROUNDS = 50


class Owners:
    """A mandated workspace of two owners with 2FA and one without."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.people = [world.person("Dana"), world.person("Otto")]
        self.third = world.person("Tess")
        self.id = world.workspace("acme", owner=[*self.people, self.third])
        self.apps = [world.bind_totp(each)[0] for each in self.people]
        world.require(self.id)
        self.ids = [self._teammate(each) for each in self.people]

    def _teammate(self, person: Person) -> int:
        row = self.world.read(lambda tx: memberships.by_account(tx, person.id, self.id))
        assert row is not None
        return int(row.id)

    def sessions(self) -> list[By]:
        return [self.world.signed_in(person, app) for person, app in zip(self.people, self.apps, strict=True)]

    def restore(self) -> None:
        """Both are owners again."""

        def body(tx: Transaction) -> None:
            for person, teammate_id in zip(self.people, self.ids, strict=True):
                row = memberships.by_account(tx, person.id, self.id)
                assert row is not None
                if row.removed_at is not None:
                    memberships.join(tx, workspace_id=self.id, account_id=person.id, role=Role.OWNER)
                elif row.role != Role.OWNER:
                    memberships.set_role(tx, teammate_id, Role(row.role), Role.OWNER)
                standing.refresh(tx, person.id)

        self.world.write(body)

    def enrolled(self) -> list[int]:
        return self.world.read(lambda tx: memberships.enrolled_owners(tx, self.id))

    def remove(self, by: By, which: int) -> None:
        self.world.write(
            lambda tx: teammates.remove(tx, by=by, workspace_id=self.id, teammate_id=self.ids[which])
        )

    def demote(self, by: By, which: int) -> None:
        self.world.write(
            lambda tx: teammates.change_role(
                tx, by=by, workspace_id=self.id, teammate_id=self.ids[which], role=Role.MEMBER
            )
        )

    def leave(self, by: By) -> None:
        self.world.write(lambda tx: teammates.leave(tx, by=by, workspace_id=self.id))

    def unbind(self, by: By, which: int) -> None:
        self.world.write(lambda tx: authenticators.unbind(tx, by=by, authenticator_id=self.apps[which]))


Attempt = Callable[[Owners, list[By]], None]
PAIRS: dict[str, tuple[Attempt, Attempt]] = {
    "remove each other": (lambda o, s: o.remove(s[0], 1), lambda o, s: o.remove(s[1], 0)),
    "demote each other": (lambda o, s: o.demote(s[0], 1), lambda o, s: o.demote(s[1], 0)),
    "demote themselves": (lambda o, s: o.demote(s[0], 0), lambda o, s: o.demote(s[1], 1)),
    "leave": (lambda o, s: o.leave(s[0]), lambda o, s: o.leave(s[1])),
    "one removes, the other leaves": (lambda o, s: o.remove(s[0], 1), lambda o, s: o.leave(s[0])),
    "one is demoted, the other leaves": (lambda o, s: o.demote(s[0], 1), lambda o, s: o.leave(s[0])),
}


@pytest.mark.parametrize("pair", PAIRS)
def test_an_enrolled_owner_stays(world, pair):
    owners = Owners(world)
    for _ in range(ROUNDS):
        sessions = owners.sessions()
        done = at_once(*(partial(act, owners, sessions) for act in PAIRS[pair]))
        assert len(owners.enrolled()) == 1, done
        failures = [each for each in done if isinstance(each, Exception)]
        assert len(failures) == 1
        assert all(isinstance(each, Refused) for each in failures), failures
        owners.restore()


def test_one_leaves_while_the_other_takes_the_second_factor_off(world):
    """The guard of one reads rows that the other writes: both take the workspace's lock.

    The mandate is only scheduled: once it is in force, nobody takes their second factor off.
    """
    owners = Owners(world)
    world.unrequire(owners.id)
    world.require(owners.id, world.clock.now() + HOUR)
    for _ in range(ROUNDS):
        first, second = owners.sessions()
        done = at_once(partial(owners.leave, first), partial(owners.unbind, second, 1))
        assert owners.enrolled(), done
        assert [each.code for each in done if isinstance(each, Refused)] == [Code.LAST_OWNER]
        owners.restore()
        if not any(each == owners.people[1].id for each in owners.enrolled()):
            owners.apps[1] = world.bind_totp(owners.people[1])[0]


def test_the_lone_owners_of_a_workspace_without_a_mandate_do_not_both_go(world):
    dana, otto = world.person("Dana"), world.person("Otto")
    for number in range(ROUNDS):
        workspace = world.workspace(f"acme-{number}", owner=[dana, otto])
        sessions = [world.session(dana), world.session(otto)]
        done = at_once(
            *(
                lambda by=by, w=workspace: world.write(lambda tx: teammates.leave(tx, by=by, workspace_id=w))
                for by in sessions
            )
        )
        assert [each.code for each in done if isinstance(each, Refused)] == [Code.LAST_OWNER]
        assert len(world.read(lambda tx, w=workspace: memberships.owners(tx, w))) == 1
