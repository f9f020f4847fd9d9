"""At most five mails a day that an address did not ask for; security notices apart. On both databases, in parallel."""

import threading

import pytest

from nightlatch.actions.by import SYSTEM, By
from nightlatch.actions.mailing import PUT_OFF_AT_MOST, UNASKED_A_DAY, mail_address, mail_owners
from nightlatch.instants import DAY, HOUR
from nightlatch.store import outbox
from nightlatch.store.engine import Transaction
from nightlatch.store.query import Row
from tests.support.letters import letters
from tests.support.world import Person, World

ADDRESS = "ana@example.org"


def notice(world: World, email: str = ADDRESS) -> int | None:
    return world.write(
        lambda tx: mail_address(
            tx, "role_changed", email, by=SYSTEM, workspace="Acme", role="member", by_name="Dana"
        )
    )


def due(world: World) -> list[Row]:
    def body(tx: Transaction) -> list[Row]:
        rows = outbox.lease(tx, 100)
        for row in rows:
            outbox.sent(tx, row.id)
        return rows

    return world.write(body)


def test_five_leave_and_the_sixth_waits_for_the_next_day(world: World) -> None:
    for _ in range(UNASKED_A_DAY + 2):
        assert notice(world) is not None
    assert len(due(world)) == UNASKED_A_DAY
    world.wait(DAY - HOUR)
    assert due(world) == []
    world.wait(HOUR)
    assert len(due(world)) == 2


def test_never_more_than_five_leave_within_any_day(world: World) -> None:
    left: list[int] = []
    for _ in range(30):
        notice(world)
        left += [world.clock.now()] * len(due(world))
        world.wait(3 * HOUR)
    for each in left:
        assert sum(each <= other < each + DAY for other in left) <= UNASKED_A_DAY


def test_what_would_wait_too_long_is_not_sent_at_all(world: World) -> None:
    queued = [notice(world) for _ in range(UNASKED_A_DAY * 4)]
    days = 1 + PUT_OFF_AT_MOST // DAY
    assert sum(each is not None for each in queued) == UNASKED_A_DAY * days


def test_other_addresses_have_room_of_their_own(world: World) -> None:
    for _ in range(UNASKED_A_DAY):
        notice(world)
    notice(world, "ben@example.org")
    assert len(due(world)) == UNASKED_A_DAY + 1


def test_one_mailbox_however_it_is_written_has_one_count(world: World) -> None:
    for _ in range(UNASKED_A_DAY):
        notice(world)
    notice(world, "ANA@Example.ORG")
    assert len(due(world)) == UNASKED_A_DAY


def test_security_notices_and_what_was_asked_for_are_not_counted(world: World) -> None:
    for _ in range(UNASKED_A_DAY + 1):
        notice(world)
    for _ in range(3):
        world.write(lambda tx: mail_address(tx, "password_changed", ADDRESS, by=SYSTEM))
        world.write(
            lambda tx: mail_address(tx, "password_reset", ADDRESS, by=SYSTEM, link="/password-reset/x")
        )
    kinds = [row.kind for row in due(world)]
    assert kinds.count("password_changed") == kinds.count("password_reset") == 3
    assert kinds.count("role_changed") == UNASKED_A_DAY


def test_what_did_not_arrive_does_not_count(world: World) -> None:
    for _ in range(UNASKED_A_DAY):
        mail = notice(world)
        world.write(lambda tx, mail=mail: outbox.give_up(tx, mail or 0, "no such mailbox"))  # type: ignore[misc]
    notice(world)
    assert len(due(world)) == 1


@pytest.mark.parametrize("threads", [8])
def test_in_parallel_nobody_takes_the_same_place(world: World, threads: int) -> None:
    start = threading.Barrier(threads)

    def work() -> None:
        start.wait()
        notice(world)
        notice(world)

    workers = [threading.Thread(target=work) for _ in range(threads)]
    for each in workers:
        each.start()
    for each in workers:
        each.join()
    assert len(due(world)) == UNASKED_A_DAY


def test_owners_of_several_workspaces_are_mailed_in_one_order(world: World) -> None:
    """Two transactions that mail the same people must not wait for each other in a circle."""
    people = [world.person(name) for name in ("Uma", "Vic", "Wim")]
    places = [world.workspace(slug, owner=people) for slug in ("one", "two", "three", "four")]
    start = threading.Barrier(len(places))
    failed: list[Exception] = []

    def work(place: int) -> None:
        start.wait()
        try:
            world.write(
                lambda tx: mail_owners(tx, "service_account_sponsor", place, by=_by(people[0]), **_VALUES)
            )
        except Exception as error:
            failed.append(error)

    workers = [threading.Thread(target=work, args=(place,)) for place in places]
    for each in workers:
        each.start()
    for each in workers:
        each.join()
    assert failed == []
    assert len(letters(world, "service_account_sponsor")) == len(people) * len(places)


_VALUES = {"workspace": "Acme", "name": "Robot", "by_name": "Dana"}


def _by(person: Person) -> By:
    return By("account", person.id, person.name)
