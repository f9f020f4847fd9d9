"""Notices of a mandate: at their stages, once each whatever happens, and only while they are true."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import update

from nightlatch.actions import campaigns, notices_recheck, teammates
from nightlatch.instants import DAY, HOUR, MINUTE
from nightlatch.mail.drain import Drained, Post, drain_once
from nightlatch.policy import ManagedBy
from nightlatch.store import campaigns as stored
from nightlatch.store import exceptions, outbox, schema
from nightlatch.store import teammates as memberships
from nightlatch.store.engine import Transaction
from nightlatch.store.query import Query
from nightlatch.vocabulary import Role
from tests.mail.test_drain import Pigeon, temporary
from tests.support.letters import Letter, letters
from tests.support.races import at_once
from tests.support.switch import Acme
from tests.support.tables import rows
from tests.support.world import World


@pytest.fixture
def acme(world: World) -> Acme:
    return Acme(world)


def due(world: World, most: int = 50) -> None:
    """Everything that is due is queued."""
    while world.store.read_now(stored.waits) and world.write(
        lambda tx: campaigns.expand_campaign(tx, most=most)
    ):
        pass


def post(world: World, pigeon: Pigeon) -> Post:
    return Post(
        world.store, pigeon, "N", "n@example.com", "http://localhost", world.clock, notices_recheck.why_untrue
    )


def send(world: World) -> list[str]:
    """What leaves now: the subjects."""
    pigeon = Pigeon()
    due(world)
    while drain_once(post(world, pigeon)).handled:
        pass
    return [each.subject for each in pigeon.sent]


def of(world: World, person: Any) -> list[Letter]:
    return [each for each in letters(world) if each.account_id == person.id]


def kinds(found: list[Letter]) -> list[str]:
    return [f"{each.kind} {each.values['stage']}" if "stage" in each.values else each.kind for each in found]


def in_days(acme: Acme, days: float) -> int:
    return acme.world.clock.now() + int(days * DAY)


def test_each_stage_on_its_day_to_who_is_left_and_a_summary_to_owners(acme: Acme) -> None:
    world = acme.world
    acme.on(since=in_days(acme, 14))
    told: dict[str, list[str]] = {}
    owners: list[list[int]] = []
    for wait in (0, 7, 3, 1, 1, 1, 1, 1):
        world.wait(wait * DAY)
        due(world)
        for each in letters(world):
            told.setdefault(each.to, []).extend(kinds([each]))
            if each.kind == "mandate_summary" and each.to == acme.dana.email:
                owners.append([each.values["set_up"], each.values["left"]])
        send(world)
    stages = ["7_days", "3_days", "1_day", "start"]
    left = ["mandate_enrol", *[f"mandate_notice {each}" for each in stages]]
    summaries = [f"mandate_summary {each}" for each in ("announce", *stages)]
    assert told[acme.ana.email] == left
    assert sorted(told[acme.olga.email]) == sorted([*left, *summaries])
    assert sorted(told[acme.dana.email]) == sorted(["mandate_ready", *summaries])
    assert told[acme.adam.email] == ["mandate_ready"]
    assert owners == [[2, 2]] * 5


@pytest.mark.parametrize(
    "days, stages", [(0.5, ["start"]), (1, ["start"]), (3.5, ["3_days", "1_day", "start"]), (7.02, 3)]
)
def test_stages_already_past_are_skipped(acme: Acme, days: float, stages: Any) -> None:
    acme.on(since=in_days(acme, days))
    later = [each.stage for each in rows(acme.world, "campaigns") if each.kind == "mandate_notice"]
    assert len(later) == stages if isinstance(stages, int) else sorted(later) == sorted(stages)


def test_now_is_one_mail_and_nothing_follows(acme: Acme) -> None:
    acme.on()
    due(acme.world)
    assert kinds(of(acme.world, acme.ana)) == ["mandate_enrol"]
    acme.world.wait(30 * DAY)
    due(acme.world)
    assert len(of(acme.world, acme.ana)) == 1


def test_after_an_outage_a_late_stage_is_sent_once_and_of_two_the_newest(acme: Acme) -> None:
    world = acme.world
    acme.on(since=in_days(acme, 14))
    assert len(send(world)) == 6
    world.wait(12 * DAY)  # 7 and 3 days before have passed: nobody was there
    due(world)
    assert kinds(of(world, acme.ana)) == ["mandate_notice 3_days"]
    send(world)
    world.wait(90 * DAY)
    due(world)
    assert kinds(of(world, acme.ana)) == ["mandate_notice start"]


def test_nothing_was_expanded_before_the_next_stage_and_who_is_ready_is_told_all_the_same(acme: Acme) -> None:
    world = acme.world
    acme.on(since=in_days(acme, 14))
    world.wait(8 * DAY)
    due(world)
    assert kinds(of(world, acme.ana)) == ["mandate_notice 7_days"]
    assert kinds(of(world, acme.adam)) == ["mandate_ready"]


def test_a_crash_between_batches_or_a_lost_place_mails_nobody_twice(acme: Acme) -> None:
    world = acme.world
    acme.on(since=in_days(acme, 14))

    def crash(tx: Transaction) -> None:
        campaigns.expand_campaign(tx, most=2)
        raise KeyError

    with pytest.raises(KeyError):
        world.write(crash)
    assert not letters(world)
    world.write(lambda tx: campaigns.expand_campaign(tx, most=2))
    back = Query(update(schema.campaigns).values(after_id=0))
    world.write(lambda tx: tx.run(back))
    due(world, most=1)
    found = [(each.account_id, each.kind) for each in letters(world)]
    assert len(found) == len(set(found)) == 6


def test_two_workers_and_a_clock_that_goes_back_mail_nobody_twice(acme: Acme) -> None:
    world = acme.world
    acme.on(since=in_days(acme, 14))
    at_once(*[lambda: due(world, most=1)] * 3)
    world.wait(7 * DAY)
    due(world)
    before = len(letters(world))
    world.wait(-8 * DAY)
    due(world)
    world.wait(8 * DAY)
    due(world)
    found = [(each.account_id, *kinds([each])) for each in letters(world)]
    assert len(found) == len(set(found)) == before


def leave(acme: Acme) -> None:
    (row,) = [each for each in rows(acme.world, "teammates") if each.account_id == acme.ana.id]
    acme.world.write(lambda tx: teammates.remove(tx, by=acme.owner, workspace_id=acme.id, teammate_id=row.id))


def except_her(acme: Acme) -> None:
    until = in_days(acme, 20)
    acme.world.write(lambda tx: exceptions.exempt(tx, acme.id, acme.ana.id, until))


@pytest.mark.parametrize(
    "change",
    [
        leave,
        except_her,
        lambda acme: acme.world.bind_totp(acme.ana),
        lambda acme: acme.off(),
        lambda acme: acme.on(since=in_days(acme, 10)),
        lambda acme: (acme.off(), acme.on(since=acme.until)),
    ],
    ids=["left", "exception", "set up", "off", "another date", "off and on again"],
)
def test_what_is_queued_and_not_true_any_more_is_never_sent(
    acme: Acme, change: Callable[[Acme], Any]
) -> None:
    world = acme.world
    acme.until = in_days(acme, 14)  # type: ignore[attr-defined]
    acme.on(since=acme.until)  # type: ignore[attr-defined]
    due(world)
    queued = [each for each in rows(world, "outbox") if each.account_id == acme.ana.id]
    assert [each.kind for each in queued] == ["mandate_enrol"]
    world.wait(MINUTE)
    change(acme)
    pigeon = Pigeon()
    while drain_once(post(world, pigeon)).handled:
        pass
    (row,) = [each for each in rows(world, "outbox") if each.id == queued[0].id]
    assert (row.sent_at, row.next_at, row.sealed) == (None, None, None)
    assert row.error.startswith("withdrawn")


def test_in_force_by_now_the_late_notice_gives_way_to_the_one_of_the_day(acme: Acme) -> None:
    world = acme.world
    acme.on(since=in_days(acme, 2))
    due(world)
    world.wait(DAY + HOUR)
    due(world)
    world.wait(DAY)
    subjects = send(world)
    assert "Acme now asks for 2FA: set yours up to open it" in subjects
    assert not [each for each in subjects if "Last day" in each or ("from" in each and "ready" not in each)]


def test_another_revision_that_says_the_same_takes_nothing_back(acme: Acme) -> None:
    acme.on(since=in_days(acme, 14))
    due(acme.world)
    acme.world.wait(MINUTE)
    acme.change(managed_by=ManagedBy.OWNERS)
    assert len(send(acme.world)) == 6
    acme.world.wait(7 * DAY)
    due(acme.world)
    assert kinds(of(acme.world, acme.ana)) == ["mandate_notice 7_days"]


def test_who_joins_after_the_announcement_gets_none(acme: Acme) -> None:
    world = acme.world
    acme.on(since=in_days(acme, 14))
    due(world)
    world.wait(DAY)
    nora = world.person("Nora")
    world.write(lambda tx: memberships.join(tx, workspace_id=acme.id, account_id=nora.id, role=Role.MEMBER))
    world.wait(8 * DAY)
    due(world)
    assert not of(world, nora)


def test_a_check_that_fails_holds_up_nobody_else(acme: Acme) -> None:
    world = acme.world
    acme.on()
    due(world)

    def broken(tx: Transaction, mail: Any, values: Any) -> str | None:
        if mail.account_id == acme.ana.id:
            raise ValueError
        return None

    pigeon = Pigeon()
    sender = Post(world.store, pigeon, "N", "n@example.com", "http://localhost", world.clock, broken)
    assert drain_once(sender) == Drained(sent=5, retried=1)


def test_delivery_of_the_newest_mail(acme: Acme) -> None:
    world = acme.world
    acme.on(since=in_days(acme, 14))
    due(world)
    people = [acme.ana.id, acme.olga.id, acme.dana.id]

    def states() -> dict[int, str]:
        found = world.read(lambda tx: outbox.delivery_of(tx, acme.id, people))
        return {id: each.state for id, each in found.items()}

    assert states() == {acme.ana.id: "waiting", acme.olga.id: "waiting"}
    send(world)
    assert states() == {acme.ana.id: "sent", acme.olga.id: "sent"}
    world.wait(7 * DAY)
    due(world)
    pigeon = Pigeon()
    trouble = temporary()
    trouble.permanent = True
    pigeon.troubles = [trouble] * 20
    drain_once(post(world, pigeon))
    assert states() == {acme.ana.id: "failed", acme.olga.id: "failed"}
