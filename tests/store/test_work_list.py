"""The Teammates table as a work list: each row under a mandate and a clock, next to the rules in plain words."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import product
from typing import Any

import pytest

from nightlatch.instants import DAY
from nightlatch.refusals import Refused
from nightlatch.store import listing, outbox, standing, workspaces
from nightlatch.store.engine import Transaction
from nightlatch.store.listing import FLAGS, STATES
from nightlatch.store.query import Query, insert_into
from nightlatch.store.schema import resets
from nightlatch.store.table_states import Rule
from nightlatch.vocabulary import Role
from tests.support.crowd import NAMES, Mate, add
from tests.support.tables import rows
from tests.support.world import World

MANDATES = ("none", "scheduled", "in force")


@dataclass
class Crowd:
    world: World
    id: int
    now: int
    announced_at: int
    required_from: int | None

    def rows(self) -> list[Any]:
        return [row for row in rows(self.world, "standing") if row.workspace_id == self.id]

    def state(self, row: Any) -> str | None:
        """In the words of the issue: late joiners have no grace, an exception holds until it ends."""
        if row.status == "invited":
            return None
        if row.state == "on" or self.required_from is None:
            return str(row.state)
        if row.exempt_until is not None and row.exempt_until > self.now:
            return "exempt"
        if row.state == "reset":
            return "reset"
        late = row.joined_at > self.announced_at
        return "overdue" if late or self.required_from <= self.now else "due"

    def due(self, row: Any) -> int | None:
        state = self.state(row)
        if state == "exempt":
            return int(row.exempt_until)
        if state not in ("due", "overdue") or self.required_from is None:
            return None
        late = row.joined_at > self.announced_at
        begins = min(self.required_from, row.joined_at) if late else self.required_from
        return max(begins, row.exempt_until or 0)

    def place(self, sort: str, row: Any) -> tuple[Any, ...]:
        state, key = self.state(row), (row.search_key, row.id)
        if sort == "state":
            order = ["overdue", "due", "reset", "exempt", "off", "on", None]
            return (order.index(state), 0, *key)
        if self.required_from is None or state not in ("due", "overdue", "exempt"):
            return (3, 0, *key)
        if state == "exempt":
            return (2, row.exempt_until, *key)
        early = self.announced_at < row.joined_at < self.required_from
        return (0, row.joined_at, *key) if early else (1, 0, *key)

    def page(self, **wanted: Any) -> listing.Page:
        return self.world.read(lambda tx: listing.page(tx, self.id, **wanted))

    def matching(self, **wanted: Any) -> list[Any]:
        return self.world.read(lambda tx: listing.matching(tx, self.id, **wanted))

    def walk(self, **wanted: Any) -> list[int]:
        ids, after = [], None
        while True:
            found = self.page(after=after, **wanted)
            ids += [each.id for each in found.items]
            after = found.next_cursor
            if after is None:
                return ids


def people(now: int, announced_at: int, number: int = 90) -> list[Mate]:
    chance = random.Random(3)
    return [
        Mate(
            f"{chance.choice(NAMES)} {chance.choice(NAMES)}",
            f"person{each}@example.com",
            chance.choices(list(Role), weights=[1, 5, 94])[0],
            chance.choices(["on", "off", "reset"], weights=[30, 60, 10])[0],
            "active",
            joined_at=announced_at + chance.choice([-5, -1, 0, 1, 3]) * DAY // 2,
            exempt_until=chance.choice([None, None, None, now - DAY, now, now + 1, now + DAY, now + 9 * DAY]),
            mail_failed_at=now if chance.random() < 0.1 else None,
            recovery_left=chance.randrange(0, 6),
        )
        if chance.random() > 0.1
        else Mate(
            "",
            f"invited{each}@example.com",
            status="invited",
            mail_failed_at=now if chance.random() < 0.3 else None,
        )
        for each in range(number)
    ]


@pytest.fixture(params=MANDATES)
def crowd(request: pytest.FixtureRequest, world: World, monkeypatch: pytest.MonkeyPatch) -> Crowd:
    acme = world.write(lambda tx: workspaces.create(tx, slug="acme", name="Acme"))
    now = world.clock.now() + 60_000_000
    announced_at = now - 2 * DAY
    required_from = {"none": None, "scheduled": now + 5 * DAY, "in force": now - DAY}[request.param]
    monkeypatch.setattr(listing, "_rule", lambda tx, workspace_id: Rule(required_from, announced_at, now))
    add(world, acme, people(now, announced_at))
    return Crowd(world, acme, now, announced_at, required_from)


def test_each_row_is_in_the_state_that_it_is_in(crowd: Crowd) -> None:
    by_id = {row.id: row for row in crowd.rows()}
    found = crowd.page(limit=200)
    assert len(found.items) == len(by_id)
    for item in found.items:
        assert (item.state, item.due) == (crowd.state(by_id[item.id]), crowd.due(by_id[item.id]))


_FILTERS: list[tuple[dict[str, Any], Callable[[Crowd, Any], bool]]] = [
    ({}, lambda crowd, row: True),
    ({"two_factor": "overdue"}, lambda crowd, row: crowd.state(row) == "overdue"),
    ({"status": "active", "q": "an"}, lambda crowd, row: row.status == "active" and "an" in row.search_key),
    ({"status": "invited"}, lambda crowd, row: row.status == "invited"),
    ({"flag": "mail_bouncing"}, lambda crowd, row: row.mail_failed_at is not None),
]


def test_the_order_is_the_work_lists(crowd: Crowd, monkeypatch: pytest.MonkeyPatch) -> None:
    here = crowd.rows()
    for sort, few in product(("state", "-state", "due", "-due"), (0, 7, 10**6)):
        monkeypatch.setattr(listing, "FEW", few)
        down, place = sort.startswith("-"), sort.removeprefix("-")
        wanted = sorted(here, key=partial(crowd.place, place), reverse=down)
        for filters, keep in _FILTERS:
            kept = [row.id for row in wanted if keep(crowd, row)]
            assert crowd.walk(sort=sort, limit=23, **filters) == kept
            assert crowd.page(sort=sort, **filters).counts.matching == len(kept)


def test_filters_and_numbers_agree(crowd: Crowd, monkeypatch: pytest.MonkeyPatch) -> None:
    every = crowd.rows()
    for state, few in product(STATES, (0, 10**6)):
        monkeypatch.setattr(listing, "FEW", few)
        here = [row for row in every if crowd.state(row) == state]
        for role in (None, Role.MEMBER, Role.ADMIN):
            wanted = {row.id for row in here if role in (None, row.role)}
            found = crowd.page(two_factor=state, role=role or "", limit=200)
            assert {each.id for each in found.items} == wanted
            assert found.counts.matching == len(wanted)
        assert crowd.page().counts.by_state.get(state, 0) == len(here)
        assert not crowd.page(two_factor=state, status="invited").items
        assert {row.id for row in crowd.matching(two_factor=state)} == {row.id for row in here}
        assert crowd.matching(two_factor=state, status="invited") == []


@pytest.mark.parametrize("flag", FLAGS)
def test_flags_are_found_counted_and_shown(crowd: Crowd, flag: str) -> None:
    chosen = [row for row in crowd.rows() if row.status == "active"][::9]
    for row in chosen:
        crowd.world.write(partial(_wait, workspace_id=crowd.id, account_id=row.account_id))
    wanted = {
        "recovery_codes_low": {row.id for row in crowd.rows() if row.state == "on" and row.recovery_left < 3},
        "reset_pending": {row.id for row in chosen},
        "mail_bouncing": {row.id for row in crowd.rows() if row.mail_failed_at is not None},
    }[flag]
    found = crowd.page(flag=flag, limit=200)
    assert {each.id for each in found.items} == wanted
    assert found.counts.by_flag[flag] == len(wanted) == found.counts.matching
    assert {each.id for each in crowd.page(limit=200).items if flag in each.flags} == wanted
    on = crowd.page(flag=flag, two_factor="on", limit=200)
    assert {each.id for each in on.items} == {each for each in wanted if _is_on(crowd, each)}
    assert on.counts.matching == len(on.items)


def _is_on(crowd: Crowd, id: int) -> bool:
    return any(row.id == id and row.status == "active" and row.state == "on" for row in crowd.rows())


_RESET = Query(insert_into(resets, without=[each.name for each in resets.columns if each.nullable]))


def _wait(tx: Transaction, workspace_id: int, account_id: int) -> None:
    tx.run(
        _RESET,
        id=account_id,
        workspace_id=workspace_id,
        account_id=account_id,
        requester="Dana",
        reason="Lost",
        recognised_by="phone",
        number_tag=b"",
        number_failures=0,
        created_at=tx.now,
        effective_at=tx.now + DAY,
    )


def test_an_unknown_flag_is_refused(world: World) -> None:
    acme = world.workspace("acme", owner=world.person("Dana"))
    with pytest.raises(Refused, match=r"^invalid"):
        world.read(lambda tx: listing.page(tx, acme, flag="red"))


def test_a_cursor_of_a_part_that_is_gone_is_refused(world: World) -> None:
    acme = world.write(lambda tx: workspaces.create(tx, slug="acme", name="Acme"))
    add(world, acme, [Mate("A", f"a{number}@example.com") for number in range(6)])
    cursor = world.read(lambda tx: listing.page(tx, acme, sort="state", limit=2)).next_cursor
    world.require(acme)
    with pytest.raises(Refused, match=r"^invalid"):
        world.read(lambda tx: listing.page(tx, acme, sort="state", limit=2, after=cursor))


def test_the_newest_mail_says_whether_mail_bounces(world: World) -> None:
    ana = world.person("Ana")
    acme = world.workspace("acme", owner=world.person("Dana"), member=ana)

    def shown() -> tuple[str, ...]:
        found = world.read(lambda tx: listing.page(tx, acme, q="ana"))
        return found.items[0].flags

    def mail(deliver: bool) -> None:
        def body(tx: Transaction) -> None:
            id = outbox.enqueue(tx, "x", {}, address=ana.email, address_key=ana.email, account_id=ana.id)
            if deliver:
                outbox.sent(tx, id)
            else:
                outbox.give_up(tx, id, "no such mailbox")

        world.write(body)

    assert shown() == ()
    mail(deliver=False)
    assert shown() == ("mail_bouncing",)
    world.write(lambda tx: standing.refresh(tx, ana.id))
    assert shown() == ("mail_bouncing",), "it is kept when the row is made anew"
    mail(deliver=True)
    assert shown() == ()
