"""The Teammates table, page by page. Read from `standing`, never to decide by.

Pages are told by keys, not by numbers: a page begins after the last row of the one before it, in the order of the
sort's columns and the id, so that a row is neither shown twice nor left out while others come and go. Every column to
sort by is a key made in Python or an integer, and none of them is ever NULL (who has not signed in yet sorts as the
oldest), so that both databases have one order.

Where few rows match they are found by the filters and then sorted; where many do, the order is walked until the page is
full. Left to guess, either database would now and then walk all of 100,000 row by row. How many match is known from the
counts beside the table, but for a search, which finds out on its way.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, bindparam, func, literal_column, select, tuple_

from nightlatch.instants import Instant
from nightlatch.names import search_key
from nightlatch.policy import ManagedBy, Mandate
from nightlatch.refusals import invalid, not_found
from nightlatch.store import cursors, workspaces
from nightlatch.store import standing as projection
from nightlatch.store.engine import Transaction
from nightlatch.store.query import Query, Row
from nightlatch.store.schema import standing
from nightlatch.vocabulary import Role

MOST_A_PAGE = 200
FEW = 2_000
LOW_RECOVERY_CODES = 3

STATES = ("on", "due", "overdue", "off", "reset", "sso", "exempt")
"""What a teammate's 2FA can be, as the table tells it; `sso` and `exempt` are nobody's yet."""
STATUSES = ("active", "invited")

_ORDERS = {
    "name": ("search_key",),
    "email": ("email_key",),
    "role": ("role_order", "search_key"),
    "last_sign_in": ("sign_in_key", "search_key"),
}
SORTS = tuple(sign + name for name in _ORDERS for sign in ("", "-"))
"""By role, owners come first; by last sign-in, who never did. A minus turns the whole order round."""

_ONE = Query(
    select(standing).where(
        standing.c.id == bindparam("id"), standing.c.workspace_id == bindparam("workspace_id")
    )
)
_LONGEST_SEARCH = 200
_MOST_WORDS = 5


@dataclass(frozen=True, slots=True)
class Item:
    """One row: a teammate, or a pending invitation (by its id), of which the typed address is all that is known."""

    id: int
    account_id: int | None
    status: str
    name: str
    email: str
    role: Role
    state: str | None
    """One of STATES; None for an invitation."""
    due: Instant | None
    """When the mandate bites or began to, for `due` and `overdue`."""
    methods: tuple[str, ...]
    flags: tuple[str, ...]
    """`recovery_codes_low`, where 2FA is on and fewer than three recovery codes are left, or none at all."""
    since: Instant | None
    """Since when the stored state is what it is."""
    last_sign_in_at: Instant | None
    joined_at: Instant
    """When the teammate joined, or the invitation was sent."""


@dataclass(frozen=True, slots=True)
class Counts:
    """Numbers beside the table. All but `matching` are of the whole workspace, whatever is filtered."""

    all: int
    """Teammates, without the invited."""
    matching: int
    """Rows of the filtered table, on all of its pages."""
    invited: int
    with_two_factor: int
    by_state: Mapping[str, int]
    """Teammates by STATES."""


@dataclass(frozen=True, slots=True)
class Page:
    """A page of the table; `next_cursor` is None on the last one."""

    items: tuple[Item, ...]
    next_cursor: str | None
    counts: Counts


@dataclass(frozen=True, slots=True)
class _Filter:
    """What is asked for, as the columns hold it; None: anything."""

    words: tuple[str, ...] = ()
    """Patterns of LIKE, each of which must match."""
    role_order: int | None = None
    status: str | None = None
    state: str | None = None

    @property
    def shape(self) -> tuple[int, bool, bool, bool]:
        """What the text of a statement depends on."""
        return len(self.words), self.role_order is not None, self.status is not None, self.state is not None

    @property
    def values(self) -> dict[str, Any]:
        """The parameters of a statement."""
        columns = {"role_order": self.role_order, "status": self.status, "state": self.state}
        words = {f"word_{number}": word for number, word in enumerate(self.words)}
        return {name: value for name, value in columns.items() if value is not None} | words


def page(
    tx: Transaction,
    workspace_id: int,
    *,
    q: str = "",
    role: str = "",
    two_factor: str = "",
    status: str = "",
    sort: str = "name",
    after: str | None = None,
    limit: int = 50,
) -> Page:
    """A page of the table; "" filters nothing. Every word of `q` must be in the name or e-mail, in whatever case.

    Whether the reader may know about 2FA at all (the filter, the states, their counts) is the caller's to decide.
    Raises Refused: `invalid` for an unknown filter or sort, or a cursor that is none of this sort's; `not_found`.
    """
    workspace = workspaces.by_id(tx, workspace_id)
    if workspace is None:
        raise not_found()
    mandate = Mandate(workspace.required_from, ManagedBy(workspace.managed_by))
    _one_of("sort", sort, SORTS)
    wanted = _filter(q, role, two_factor, status, mandate, tx.now)
    position = _position(sort, after) if after else {}
    limit = max(1, min(limit, MOST_A_PAGE))
    numbers = projection.counts(tx, workspace_id)
    ask = _Ask(tx, workspace_id, wanted, sort, position, limit + 1)
    matching, rows = _found(ask, None if wanted.words else _sum(numbers, wanted))
    return Page(
        tuple(_item(row, mandate, tx.now) for row in rows[:limit]),
        _cursor(sort, rows[limit - 1]) if len(rows) > limit else None,
        _counts(numbers, mandate, tx.now, matching),
    )


def one(tx: Transaction, workspace_id: int, id: int) -> Item | None:
    """One row of the table; None for anything of another workspace."""
    workspace, row = workspaces.by_id(tx, workspace_id), tx.one(_ONE, id=id, workspace_id=workspace_id)
    if workspace is None or row is None:
        return None
    return _item(row, Mandate(workspace.required_from, ManagedBy(workspace.managed_by)), tx.now)


# --- what is asked for ---


def _filter(q: str, role: str, two_factor: str, status: str, mandate: Mandate, now: Instant) -> _Filter:
    if role:
        _one_of("role", role, [each.value for each in Role])
    if status:
        _one_of("status", status, STATUSES)
    state = None
    if two_factor:  # of teammates alone; "": nobody is in that state now
        _one_of("two_factor", two_factor, STATES)
        state = "" if status == "invited" else _stored(two_factor, mandate, now)
        status = "active"
    return _Filter(
        _words(q),
        projection.role_order(Role(role)) if role else None,
        status or None,
        state,
    )


def _words(q: str) -> tuple[str, ...]:
    if len(q) > _LONGEST_SEARCH or not cursors.storable(q):
        raise invalid("q", f"Search for at most {_LONGEST_SEARCH} ordinary characters.")
    words = search_key(q).split(maxsplit=_MOST_WORDS - 1)
    return tuple(f"%{_literally(word.strip())}%" for word in words)


def _literally(word: str) -> str:
    return word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def _one_of(field: str, value: str, allowed: Sequence[str]) -> None:
    if value not in allowed:
        raise invalid(field, f"This is one of: {', '.join(allowed)}.")


# --- statements ---


@dataclass(frozen=True, slots=True)
class _Ask:
    """One question to the table."""

    tx: Transaction
    workspace_id: int
    wanted: _Filter
    sort: str
    position: Mapping[str, Any]
    limit: int

    def rows(self, *, few: bool) -> list[Row]:
        query = _page_query(self.sort, bool(self.position), few, self.wanted.shape, self.limit)
        return self.tx.all(query, workspace_id=self.workspace_id, **self.wanted.values, **self.position)

    def count(self) -> int:
        query = _count_query(self.wanted.shape)
        return int(self.tx.all(query, workspace_id=self.workspace_id, **self.wanted.values)[0].number)


def _found(ask: _Ask, matching: int | None) -> tuple[int, list[Row]]:
    """How many rows match (None: not known yet), and those of the page."""
    rows: list[Row] = []
    if matching is None or 0 < matching <= FEW:
        rows = ask.rows(few=True)
    if matching is None:
        if rows and rows[0].number <= FEW:
            return int(rows[0].number), rows
        matching = ask.count() if rows or ask.position else 0
    return matching, ask.rows(few=False) if matching > FEW else rows


@lru_cache(maxsize=1_000)
def _page_query(sort: str, after: bool, few: bool, shape: tuple[int, bool, bool, bool], limit: int) -> Query:
    """`few`: rows say in `number` how many match; where that is more than FEW, they are not those of the page."""
    columns = [standing.c[name] for name in _columns(sort)]
    down = sort.startswith("-")
    if few:
        matching = select(standing.c.id).where(*_conditions(shape)).limit(literal_column(str(FEW + 1)))
        found = matching.cte("found").prefix_with("MATERIALIZED")
        number = select(func.count()).select_from(found).scalar_subquery().label("number")
        query = select(standing, number).join(found, found.c.id == standing.c.id)
    else:
        query = select(standing).where(*_conditions(shape))
    if after:
        here = tuple_(*columns)
        there = tuple_(*(bindparam(f"after_{each.name}", type_=each.type) for each in columns))
        query = query.where(here < there if down else here > there)
    query = query.order_by(*(each.desc() if down else each.asc() for each in columns))
    return Query(query.limit(literal_column(str(limit))))


@lru_cache(maxsize=64)
def _count_query(shape: tuple[int, bool, bool, bool]) -> Query:
    return Query(select(func.count().label("number")).select_from(standing).where(*_conditions(shape)))


def _conditions(shape: tuple[int, bool, bool, bool]) -> list[ColumnElement[bool]]:
    words, *others = shape
    conditions = [standing.c.workspace_id == bindparam("workspace_id")]
    for name, filtered in zip(("role_order", "status", "state"), others, strict=True):
        if filtered:
            conditions.append(standing.c[name] == bindparam(name))
    for number in range(words):
        conditions.append(standing.c.search_key.like(bindparam(f"word_{number}"), escape="\\"))
    return conditions


def _columns(sort: str) -> tuple[str, ...]:
    return (*_ORDERS[sort.removeprefix("-")], "id")


def _cursor(sort: str, row: Row) -> str:
    return cursors.encode(sort, [getattr(row, name) for name in _columns(sort)])


def _position(sort: str, cursor: str) -> dict[str, Any]:
    names = _columns(sort)
    types = [str if name in ("search_key", "email_key") else int for name in names]
    found = cursors.decode(sort, cursor, types)
    return {f"after_{name}": value for name, value in zip(names, found, strict=True)}


# --- states and numbers ---


def _derived(stored: str, mandate: Mandate, now: Instant) -> str:
    """What the table calls a stored state under a mandate."""
    if stored != "off" or mandate.required_from is None:
        return stored
    return "overdue" if mandate.in_force(now) else "due"


def _stored(state: str, mandate: Mandate, now: Instant) -> str:
    """The stored state that the table calls so now; "" where there is none."""
    return next((each for each in ("on", "off", "reset") if _derived(each, mandate, now) == state), "")


def _sum(numbers: Sequence[Row], wanted: _Filter) -> int:
    return sum(
        row.number
        for row in numbers
        if wanted.role_order in (None, row.role_order)
        and wanted.status in (None, row.status)
        and wanted.state in (None, row.state)
    )


def _counts(numbers: Sequence[Row], mandate: Mandate, now: Instant, matching: int) -> Counts:
    by_state: Counter[str] = Counter()
    invited = 0
    for row in numbers:
        if row.status == "active":
            by_state[_derived(row.state, mandate, now)] += row.number
        else:
            invited += row.number
    return Counts(by_state.total(), matching, invited, by_state["on"], dict(by_state))


def _item(row: Row, mandate: Mandate, now: Instant) -> Item:
    state = _derived(row.state, mandate, now) if row.status == "active" else None
    return Item(
        row.id,
        row.account_id,
        row.status,
        row.name,
        row.email,
        Role(row.role),
        state,
        mandate.required_from if state in ("due", "overdue") else None,
        tuple(row.methods.split()),
        _flags(row) if state == "on" else (),
        row.since,
        row.last_sign_in_at,
        row.joined_at,
    )


def _flags(row: Row) -> tuple[str, ...]:
    return ("recovery_codes_low",) if (row.recovery_left or 0) < LOW_RECOVERY_CODES else ()
