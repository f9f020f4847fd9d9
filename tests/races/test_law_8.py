"""Law 8, raced by two workers: owners remove, demote, leave and switch off at the same moment; one who has 2FA stays.

Each worker is a process of its own with its own store. F45. (Threads on one store: tests/actions/test_owner_races.py.)
"""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import cycle, islice, product
from pathlib import Path

import psycopg
import pytest

from nightlatch.actions.by import By
from nightlatch.actions.giving_up import locked_with_workspaces
from nightlatch.instants import DAY
from nightlatch.refusals import Code
from nightlatch.store import teammates
from nightlatch.store.engine import Transaction
from nightlatch.store.locks import lock
from nightlatch.vocabulary import Role
from tests.races import tries
from tests.races.arena import Pair, Processes, StillWorld, Work
from tests.races.held import PATIENCE
from tests.support.world import Person, World

pytestmark = [pytest.mark.race, pytest.mark.slow]
ROUNDS = 50
REFUSALS = {Code.LAST_OWNER, Code.NOT_FOUND, Code.NOT_PERMITTED, Code.NOT_ENROLLED, Code.SIGN_IN_REQUIRED}

AFTER_A_RESET = {Code.MANDATED, Code.STEP_UP_REQUIRED, Code.SECOND_FACTOR_REQUIRED, Code.ENROLMENT_REQUIRED}


@pytest.fixture
def two_workers(postgres_url: str, tmp_path: Path, pair: Pair) -> Iterator[Processes]:
    """Two processes on one PostgreSQL database."""
    made = Processes(StillWorld(postgres_url, tmp_path), pair)
    yield made
    made.close()


class Acme:
    """A workspace of two owners with 2FA, which will be required tomorrow, and an open session of each."""

    def __init__(self, world: StillWorld, number: int, *, mandated: bool = True) -> None:
        self.world = world
        self.people = [world.person("Dana"), world.person("Otto")]
        self.id = world.workspace(f"acme-{number}", owner=self.people)
        self.apps = [world.bind_totp(each)[0] for each in self.people]
        self.teammates = [self._teammate(each) for each in self.people]
        self.by = [world.signed_in(each, app) for each, app in zip(self.people, self.apps, strict=True)]
        if mandated:
            world.require(self.id, since=world.clock.now() + DAY)

    def enrolled_owners(self) -> list[int]:
        return self.world.read(lambda tx: teammates.enrolled_owners(tx, self.id))

    def _teammate(self, person: Person) -> int:
        row = self.world.read(lambda tx: teammates.by_account(tx, person.id, self.id))
        assert row is not None
        return int(row.id)


def remove(acme: Acme, who: int) -> Work:
    return partial(tries.remove, by=acme.by[who], workspace_id=acme.id, teammate_id=acme.teammates[1 - who])


def demote(acme: Acme, who: int) -> Work:
    return partial(tries.demote, by=acme.by[who], workspace_id=acme.id, teammate_id=acme.teammates[1 - who])


def step_down(acme: Acme, who: int) -> Work:
    return partial(tries.demote, by=acme.by[who], workspace_id=acme.id, teammate_id=acme.teammates[who])


def leave(acme: Acme, who: int) -> Work:
    return partial(tries.leave, by=acme.by[who], workspace_id=acme.id)


def switch_off(acme: Acme, who: int) -> Work:
    return partial(tries.switch_off, by=acme.by[who], authenticator_id=acme.apps[who])


def due(acme: Acme, who: int) -> Work:
    """Whoever it is: the background task of one of the workers."""
    return tries.finish_due


ACTS: list[Callable[[Acme, int], Work]] = [remove, demote, step_down, leave, switch_off]


def test_of_two_owners_who_act_on_each_other_at_once_an_enrolled_one_stays(two_workers: Processes) -> None:
    """Every pair of acts, twice; and the same again for the pairs that leave nobody if both went through."""
    for number, (mine, theirs) in enumerate(islice(cycle(product(ACTS, ACTS)), ROUNDS)):
        acme = Acme(two_workers.world, number)
        told = two_workers.race([mine(acme, 0), theirs(acme, 1)])
        pair = f"{mine.__name__} against {theirs.__name__}: {dict(told)}"
        assert acme.enrolled_owners(), pair
        assert told.keys() <= {"NoneType", "bool"} | REFUSALS, pair
        assert told["NoneType"] + told["bool"] >= 1, pair


ENDS: list[Callable[[Acme, int], Work]] = [remove, demote, step_down, leave, switch_off, due]


def test_a_reset_that_comes_due_at_that_moment_leaves_an_enrolled_owner_too(two_workers: Processes) -> None:
    """Dana asked for Otto three days ago, and he for her: both are due, while something else happens as well."""
    for number, (end, who) in enumerate(islice(cycle(product(ENDS, (0, 1))), ROUNDS // 3)):
        acme = Acme(two_workers.world, 1000 + number)
        world = acme.world
        asked = [
            tries.ask_reset(
                world.store, by=acme.by[each], workspace_id=acme.id, teammate_id=acme.teammates[1 - each]
            )
            for each in range(1 + number % 2)
        ]
        world.wait(3 * DAY)
        acme.by = [world.signed_in(each, app) for each, app in zip(acme.people, acme.apps, strict=True)]
        told = two_workers.race([end(acme, who), due(acme, 0), due(acme, 1)])
        for _ in asked:
            tries.finish_due(world.store)
        pair = f"{end.__name__} by {who}, {len(asked)} due: {dict(told)}"
        assert acme.enrolled_owners(), pair
        assert told.keys() <= {"NoneType", "bool"} | REFUSALS | AFTER_A_RESET, pair


def test_a_mandate_is_not_turned_on_over_an_owner_who_is_just_switching_off(two_workers: Processes) -> None:
    """An enrolled admin turns it on while the only enrolled owner takes 2FA off: one of them comes too late."""
    world = two_workers.world
    for number in range(ROUNDS // 2):
        dana, ben = world.person("Dana"), world.person("Ben")
        acme = world.workspace(f"acme-{number}", owner=dana, admin=ben)
        danas, bens = world.bind_totp(dana)[0], world.bind_totp(ben)[0]
        admin: By = world.signed_in(ben, bens)
        told = two_workers.race(
            [
                partial(tries.require, by=admin, workspace_id=acme),
                partial(tries.switch_off, by=world.signed_in(dana, danas), authenticator_id=danas),
            ]
        )
        owners = world.read(lambda tx, acme=acme: teammates.enrolled_owners(tx, acme))  # type: ignore[misc]
        assert told in (
            {"Policy": 1, Code.MANDATED: 1},
            {"NoneType": 1, Code.NOT_ENROLLED: 1},
        ), dict(told)
        assert bool(owners) == (told["Policy"] == 1)


def test_of_two_owners_who_take_an_app_for_their_passkey_at_once_one_keeps_it(two_workers: Processes) -> None:
    """Passkeys will be required tomorrow, and each of the two could go without theirs if the other did not."""
    world = two_workers.world
    for number in range(ROUNDS // 2):
        acme = Acme(world, 2000 + number, mandated=False)
        keys = [world.bind_passkey(each) for each in acme.people]
        acme.by = [world.by_passkey(each, key) for each, key in zip(acme.people, keys, strict=True)]
        begun = [
            tries.begin_enrolment(world.store, by, replaces=key)
            for by, key in zip(acme.by, keys, strict=True)
        ]
        tries.require(world.store, acme.by[0], acme.id, passkeys_from=world.clock.now() + DAY)
        told = two_workers.race(
            [
                partial(tries.confirm_enrolment, by=by, enrolment_id=each.id, text=world.code(each.seed))
                for by, each in zip(acme.by, begun, strict=True)
            ]
        )
        assert told == {"Confirmed": 1, Code.LAST_OWNER: 1}, dict(told)
        assert len(acme.enrolled_owners()) == 1


def test_a_workspace_that_was_joined_meanwhile_is_locked_too(postgres_world: World) -> None:
    """Whoever switches off 2FA waits while they become an owner elsewhere: that workspace's guard counts them too."""
    world = postgres_world
    dana, ana = world.person("Dana"), world.person("Ana")
    world.workspace("bolt", owner=ana)
    acme = world.workspace("acme", owner=dana)
    by = world.signed_in(ana, world.bind_totp(ana)[0])
    joined, unlocked = threading.Event(), threading.Event()

    def join(tx: Transaction) -> None:
        lock(tx, workspaces=[acme], accounts=[ana.id])
        teammates.join(tx, workspace_id=acme, account_id=ana.id, role=Role.OWNER)
        joined.set()
        assert unlocked.wait(PATIENCE)

    def switch_off(tx: Transaction) -> bool:
        locked_with_workspaces(tx, by)
        return is_locked(world.url, acme)

    with ThreadPoolExecutor(2) as pool:
        joining = pool.submit(world.write, join)
        assert joined.wait(PATIENCE)
        switching_off = pool.submit(world.write, switch_off)
        while not somebody_waits(world.url):
            time.sleep(0.002)
        unlocked.set()
        joining.result()
        assert switching_off.result()


def is_locked(url: str, workspace_id: int) -> bool:
    """Whether somebody holds a workspace's lock."""
    with psycopg.connect(url, autocommit=True) as connection:
        try:
            connection.execute("SELECT id FROM workspaces WHERE id = %s FOR UPDATE NOWAIT", (workspace_id,))
        except psycopg.errors.LockNotAvailable:
            return True
    return False


def somebody_waits(url: str) -> bool:
    """Whether a transaction waits for a lock."""
    with psycopg.connect(url, autocommit=True) as connection:
        waiting = connection.execute(
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE datname = current_database() AND wait_event_type = 'Lock'"
        ).fetchone()
    return waiting != (0,)
