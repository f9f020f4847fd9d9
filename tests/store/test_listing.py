"""The Teammates table: one order on both databases, pages that miss and repeat nothing, filters, numbers."""

from collections.abc import Callable
from typing import Any

import pytest

from nightlatch.instants import DAY
from nightlatch.refusals import Code, Refused
from nightlatch.store import listing, standing, workspaces
from nightlatch.store.engine import Transaction
from nightlatch.store.listing import SORTS, Page
from nightlatch.store.listing_query import page_query
from nightlatch.vocabulary import Role
from tests.support.crowd import NAMES, Mate, add, some
from tests.support.tables import rows
from tests.support.world import World


@pytest.fixture
def acme(world: World) -> int:
    def body(tx: Transaction) -> int:
        other = workspaces.create(tx, slug="other", name="Other")
        assert other
        return workspaces.create(tx, slug="acme", name="Acme")

    acme_id = world.write(body)
    other_id = next(each.id for each in rows(world, "workspaces") if each.slug == "other")
    add(world, other_id, [Mate("Ana Elsewhere", "elsewhere@example.com", Role.OWNER, "on")])
    return acme_id


def page(world: World, workspace_id: int, **wanted) -> Page:
    return world.read(lambda tx: listing.page(tx, workspace_id, **wanted))


def emails(found: Page) -> list[str]:
    return [each.email for each in found.items]


def walk(
    world: World, workspace_id: int, between: Callable[[int], None] | None = None, **wanted
) -> list[int]:
    """The ids on all pages, in their order."""
    ids: list[int] = []
    after, number = None, 0
    while True:
        found = page(world, workspace_id, after=after, **wanted)
        ids += [each.id for each in found.items]
        after, number = found.next_cursor, number + 1
        if after is None:
            return ids
        assert len(found.items) == wanted["limit"]
        if between is not None:
            between(number)


# --- order ---

_REFERENCE = {
    "name": lambda each: (each.search_key, each.id),
    "email": lambda each: (each.email_key, each.id),
    "role": lambda each: (each.role_order, each.search_key, each.id),
    "last_sign_in": lambda each: (each.last_sign_in_at or 0, each.search_key, each.id),
    "state": lambda each: (_state_order(each), each.search_key, each.id),  # nothing is required
    "due": lambda each: (each.search_key, each.id),
}


def _state_order(each: Any) -> int:
    return 3 if each.status == "invited" else ["reset", "off", "on"].index(each.state)


@pytest.mark.parametrize("limit", [1, 7, 200])
@pytest.mark.parametrize("sort", SORTS)
def test_both_databases_have_the_order_of_the_code_points(world, acme, sort, limit):
    """Each is compared to Python's own order of the same keys, so that they equal each other too."""
    add(world, acme, some(40 if limit == 1 else 150))
    here = [each for each in rows(world, "standing") if each.workspace_id == acme]
    wanted = sorted(here, key=_REFERENCE[sort.removeprefix("-")], reverse=sort.startswith("-"))
    assert walk(world, acme, sort=sort, limit=limit) == [each.id for each in wanted]


def test_names_stand_where_people_look_for_them(world, acme):
    add(world, acme, [Mate(name, f"p{number}@example.com") for number, name in enumerate(NAMES)])
    names = [each.name for each in page(world, acme, limit=200).items]
    assert names[: names.index("back\\slash")] == [
        "100%",
        "Ana",
        "ana",
        "ANA",
        "Ana Ruiz",
        "Ana-Maria",
        "Ana_Maria",
        "Ángela",
        "Angela",
    ]
    assert names.index("Émile") < names.index("ﬁona") < names.index("O'Neil") < names.index("Ömer")


def test_who_never_signed_in_is_the_oldest(world, acme):
    add(
        world,
        acme,
        [
            Mate("A", "a@example.com", last_sign_in_at=5),
            Mate("B", "b@example.com"),
            Mate("C", "c@example.com", last_sign_in_at=9),
        ],
    )
    assert emails(page(world, acme, sort="last_sign_in")) == [
        "b@example.com",
        "a@example.com",
        "c@example.com",
    ]
    assert emails(page(world, acme, sort="-last_sign_in")) == [
        "c@example.com",
        "a@example.com",
        "b@example.com",
    ]


def test_owners_come_first(world, acme):
    add(world, acme, [Mate(each, f"{each}@example.com", Role(each)) for each in ("admin", "member", "owner")])
    assert [each.role for each in page(world, acme, sort="role").items] == [
        Role.OWNER,
        Role.ADMIN,
        Role.MEMBER,
    ]


# --- pages ---


@pytest.mark.parametrize("sort", SORTS)
def test_a_walk_visits_everything_once_while_rows_come_and_go(world, acme, sort):
    staying = add(world, acme, some(60, seed=2))
    going = add(world, acme, some(30, seed=3))
    coming = iter(some(60, seed=4))

    def change(_: int) -> None:
        def body(tx: Transaction) -> None:
            for _ in range(3):
                if going:
                    standing.drop(tx, going.pop())

        world.write(body)
        add(world, acme, [next(coming) for _ in range(4)])

    ids = walk(world, acme, change, sort=sort, limit=9)
    assert len(ids) == len(set(ids))
    assert set(staying) <= set(ids)


def test_the_last_page_says_so(world, acme):
    add(world, acme, [Mate("A", f"a{number}@example.com") for number in range(6)])
    first = page(world, acme, limit=3)
    assert first.next_cursor is not None
    second = page(world, acme, limit=3, after=first.next_cursor)
    assert second.next_cursor is None
    assert page(world, acme, limit=6).next_cursor is None
    assert len(page(world, acme, limit=0).items) == 1
    assert len(page(world, acme, limit=10**9).items) == 6


@pytest.mark.parametrize(
    "cursor",
    [
        "x",
        "!!!!",
        "ééé",
        "bnVsbA",  # null
        "W10",  # []
        "WyJuYW1lIl0",  # ["name"]
        "WyJuYW1lIiwiYSIsIjEiXQ",  # ["name","a","1"]
        "WyJuYW1lIiwiYSIsdHJ1ZV0",  # ["name","a",true]
        "WyJuYW1lIiwiYSIsLTFd",  # ["name","a",-1]
        "WyJuYW1lIiwiYSIsMWUzMDBd",  # ["name","a",1e300]
        "WyJuYW1lIiwiYSIsOTIyMzM3MjAzNjg1NDc3NTgwOF0",  # 2 ** 63
        "WyJuYW1lIixbImEiXSwxXQ",  # ["name",["a"],1]
        "WyJuYW1lIiwiXHUwMDAwIiwxXQ",  # NUL
        "WyJuYW1lIiwiXHVkODAwIiwxXQ",  # a lone surrogate
        "WyItbmFtZSIsImEiLDFd",  # of another sort
        "WyJuYW1lIiwiYSIsMSwyXQ",
        "W" * 100_000,
    ],
)
def test_a_cursor_that_is_none_is_refused(world, acme, cursor):
    add(world, acme, some(3))
    with pytest.raises(Refused) as refused:
        page(world, acme, after=cursor)
    assert refused.value.code is Code.INVALID
    assert [each.field for each in refused.value.errors] == ["cursor"]


def test_a_cursor_belongs_to_its_sort(world, acme):
    add(world, acme, some(10))
    cursor = page(world, acme, sort="name", limit=3).next_cursor
    with pytest.raises(Refused, match=r"^invalid"):
        page(world, acme, sort="-name", after=cursor)
    with pytest.raises(Refused, match=r"^invalid"):
        page(world, acme, sort="role", after=cursor)


def test_an_unknown_workspace_is_not_found(world):
    with pytest.raises(Refused, match=r"^not_found"):
        page(world, 12345)


# --- search ---


@pytest.mark.parametrize(
    "q, found",
    [
        ("ana", {"Ana", "Ángela Ana", "Bo"}),
        ("ANA", {"Ana", "Ángela Ana", "Bo"}),
        ("angela", {"Ángela Ana"}),
        ("ana ángela", {"Ángela Ana"}),
        ("  angela   example.org ", {"Ángela Ana"}),
        ("%", {"100% Percy"}),
        ("_", {"Under_score"}),
        ("\\", {"Back\\slash"}),
        ("0% P", {"100% Percy"}),
        ("strasse", {"Straße"}),
        ("STRAẞE", {"Straße"}),
        ("山", {"山田"}),
        ("a\u0301ngela", {"Ángela Ana"}),
        ("' OR 1=1 --", set()),
        ("nobody", set()),
        ("invited", {""}),
        ("example.com\x1fana", set()),
    ],
)
def test_a_search_finds_names_and_addresses_literally(world, acme, q, found):
    names = ["Ana", "Ángela Ana", "100% Percy", "Under_score", "Back\\slash", "Straße", "山田"]
    mates = [Mate(name, f"p{number}@example.org") for number, name in enumerate(names)]
    mates += [Mate("Bo", "bo+ANA@example.org"), Mate("", "invited@example.net", status="invited")]
    add(world, acme, mates)
    answer = page(world, acme, q=q)
    assert {each.name for each in answer.items} == found
    assert answer.counts.matching == len(found)
    assert answer.counts.all == 8


@pytest.mark.parametrize("q", ["a\x00b", "\ud800", "x" * 201])
def test_what_nobody_can_search_for_is_refused(world, acme, q):
    with pytest.raises(Refused) as refused:
        page(world, acme, q=q)
    assert [each.field for each in refused.value.errors] == ["q"]


def test_search_filters_and_order_work_together(world, acme):
    add(world, acme, some(300))
    here = [each for each in rows(world, "standing") if each.workspace_id == acme]
    wanted = [
        each.id
        for each in sorted(here, key=_REFERENCE["last_sign_in"], reverse=True)
        if "ana" in each.search_key and each.role == "member" and each.state == "on"
    ]
    assert len(wanted) > 20
    found = walk(world, acme, q="ana", role="member", two_factor="on", sort="-last_sign_in", limit=7)
    assert found == wanted


@pytest.mark.parametrize("few", [0, 5, 10**9])
def test_either_way_to_find_rows_finds_the_same(world, acme, monkeypatch, few):
    monkeypatch.setattr(listing, "FEW", few)
    monkeypatch.setattr(listing, "page_query", page_query.__wrapped__)
    add(world, acme, some(300))
    here = [each for each in rows(world, "standing") if each.workspace_id == acme]
    for sort in SORTS:
        wanted = sorted(here, key=_REFERENCE[sort.removeprefix("-")], reverse=sort.startswith("-"))
        for filters, keep in _FILTERS:
            kept = [each.id for each in wanted if keep(each)]
            assert walk(world, acme, sort=sort, limit=50, **filters) == kept
            assert page(world, acme, sort=sort, **filters).counts.matching == len(kept)


_FILTERS: list[tuple[dict[str, Any], Callable[[Any], bool]]] = [
    ({"q": "ana zo"}, lambda each: "ana" in each.search_key and "zo" in each.search_key),
    ({"role": "admin"}, lambda each: each.role == "admin"),
    ({"status": "invited"}, lambda each: each.status == "invited"),
    ({"two_factor": "off"}, lambda each: each.status == "active" and each.state == "off"),
    (
        {"two_factor": "reset", "role": "member", "q": "an"},
        lambda each: each.state == "reset" and each.role == "member" and "an" in each.search_key,
    ),
]


# --- states and numbers ---


@pytest.mark.parametrize(
    "mandate, off_is, due",
    [("none", "off", False), ("scheduled", "due", True), ("in force", "overdue", True)],
)
def test_a_state_is_told_under_the_mandate(world, acme, mandate, off_is, due):
    add(
        world,
        acme,
        [
            Mate("On", "on@example.com", state="on"),
            Mate("Off", "off@example.com"),
            Mate("Reset", "reset@example.com", state="reset"),
            Mate("", "invited@example.com", status="invited"),
        ],
    )
    since = world.clock.now() + (DAY if mandate == "scheduled" else -DAY)
    if mandate != "none":
        world.require(acme, since)
    found = page(world, acme)
    assert {each.email: each.state for each in found.items} == {
        "on@example.com": "on",
        "off@example.com": off_is,
        "reset@example.com": "reset",
        "invited@example.com": None,
    }
    assert {each.email: each.due for each in found.items if each.due} == (
        {"off@example.com": since} if due else {}
    )
    assert found.counts.by_state == {"on": 1, off_is: 1, "reset": 1}
    assert (found.counts.all, found.counts.invited, found.counts.with_two_factor) == (3, 1, 1)
    assert found.counts.matching == 4
    for state in listing.STATES:
        wanted = {"on": "on", off_is: "off", "reset": "reset"}.get(state)
        answer = page(world, acme, two_factor=state)
        assert emails(answer) == ([f"{wanted}@example.com"] if wanted else [])
        assert answer.counts.matching == len(answer.items)
        assert not page(world, acme, two_factor=state, status="invited").items


@pytest.mark.parametrize(
    "filters",
    [
        {"role": "boss"},
        {"two_factor": "maybe"},
        {"status": "gone"},
        {"sort": "colour"},
        {"sort": ""},
        {"sort": "--name"},
    ],
)
def test_an_unknown_filter_is_refused(world, acme, filters):
    with pytest.raises(Refused) as refused:
        page(world, acme, **filters)
    assert [each.field for each in refused.value.errors] == list(filters)


def test_the_table_shows_people_as_they_are(world):
    dana, ana = world.person("Dana"), world.person("Ana")
    acme = world.workspace("acme", owner=dana, member=ana)
    world.bind_totp(dana)

    def body(tx: Transaction) -> None:
        standing.signed_in(tx, dana.id, acme)

    world.write(body)
    world.write(lambda tx: standing.refresh(tx, dana.id))  # what else changes leaves it as it is
    first, second = page(world, acme, sort="-last_sign_in").items
    assert (first.account_id, first.name, first.role, first.state) == (dana.id, "Dana", Role.OWNER, "on")
    assert (first.methods, first.flags) == (("totp",), ("recovery_codes_low",))
    assert first.last_sign_in_at is not None
    assert (second.account_id, second.state, second.methods, second.last_sign_in_at) == (
        ana.id,
        "off",
        (),
        None,
    )


# --- a crowd ---


def test_every_order_and_filter_goes_on_in_a_crowd(world, acme):
    """The second page is full and none of it was on the first. How fast that is at 100,000 is for `make bench`."""
    add(world, acme, some(2_000))
    cases = [{"sort": sort} for sort in SORTS]
    cases += [{"role": "member", "sort": "email"}, {"two_factor": "off", "sort": "last_sign_in"}]
    for case in cases:
        first = page(world, acme, **case)
        second = page(world, acme, after=first.next_cursor, **case)
        assert len(second.items) == len(first.items) > 0, case
        assert not {each.id for each in first.items} & {each.id for each in second.items}, case
