"""The Teammates table, page by page. Read from `standing`, never to decide by.

Pages are told by keys, not by numbers: a page begins after the last row of the one before it, in the order of the
sort's columns and the id, so that a row is neither shown twice nor left out while others come and go. Every column to
sort by is a key made in Python or an integer, and none of them is ever NULL (who has not signed in yet sorts as the
oldest), so that both databases have one order. By state and by due date the table is a row of parts, one kind of
teammate after the other (store/table_states.py), each in an order that an index has.

Where few rows match they are found by the filters and then sorted; where many do, the order is walked until the page is
full. Left to guess, either database would now and then walk all of 100,000 row by row. How many match is known from the
counts beside the table, but for a search or a flag, which find out on their way.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import bindparam, select

from nightlatch.instants import Instant
from nightlatch.names import search_key
from nightlatch.refusals import invalid, not_found
from nightlatch.store import cursors, workspaces
from nightlatch.store import standing as projection
from nightlatch.store.engine import Transaction
from nightlatch.store.listing_query import (
    MULTI as MULTI,
)
from nightlatch.store.listing_query import (
    ORDERS,
    Filter,
    Part,
    count_query,
    page_query,
    parts,
    rows_query,
)
from nightlatch.store.query import Query, Row
from nightlatch.store.schema import standing
from nightlatch.store.standing import Number
from nightlatch.store.table_states import FLAGS as FLAGS
from nightlatch.store.table_states import STATES as STATES
from nightlatch.store.table_states import WEAK, Mode, Rule, due_of, flags_of, kinds, state_of
from nightlatch.vocabulary import Role

MOST_A_PAGE = 200
FEW = 2_000
STATUSES = ("active", "invited")
SORTS = tuple(sign + name for name in (*ORDERS, *MULTI) for sign in ("", "-"))
"""By role, owners come first; by last sign-in, who never did; by state and by due, whatever is most urgent. A minus
turns the whole order round."""

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
    """When the mandate bites or began to, for `due` and `overdue`; when the exception ends, for `exempt`."""
    methods: tuple[str, ...]
    flags: tuple[str, ...]
    """Some of FLAGS: `recovery_codes_low`, where 2FA is on and fewer than three recovery codes are left, or none at
    all; `reset_pending`, where a reset is announced; `mail_bouncing`, where the newest mail could not be delivered."""
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
    by_flag: Mapping[str, int]
    """Rows by FLAGS; invitations whose mail bounces are among them."""


@dataclass(frozen=True, slots=True)
class Page:
    """A page of the table; `next_cursor` is None on the last one."""

    items: tuple[Item, ...]
    next_cursor: str | None
    counts: Counts


def page(
    tx: Transaction,
    workspace_id: int,
    *,
    q: str = "",
    role: str = "",
    two_factor: str = "",
    flag: str = "",
    status: str = "",
    sort: str = "name",
    after: str | None = None,
    limit: int = 50,
) -> Page:
    """A page of the table; "" filters nothing. Every word of `q` must be in the name or e-mail, in whatever case.

    Whether the reader may know about 2FA at all (the filters, the states, their counts) is the caller's to decide.
    Raises Refused: `invalid` for an unknown filter or sort, or a cursor that is none of this sort's; `not_found`.
    """
    rule = _rule(tx, workspace_id)
    _one_of("sort", sort, SORTS)
    wanted = _filter(q, role, two_factor, flag, status, rule)
    limit = max(1, min(limit, MOST_A_PAGE))
    numbers, failed = projection.table_counts(tx, workspace_id, rule)
    waiting = projection.waiting(tx, workspace_id)
    ask = _Ask(tx, workspace_id, wanted, rule, sort, limit + 1)
    countable = not wanted.words and wanted.flag in (None, "recovery_codes_low")
    known = _sum(numbers, wanted, rule) if countable else None
    matching, rows, last = _found(ask, known, after)
    return Page(
        tuple(_item(row, rule, waiting) for row in rows[:limit]),
        last(rows[limit - 1]) if len(rows) > limit else None,
        _counts(numbers, rule, (len(waiting), failed), matching),
    )


def matching(
    tx: Transaction,
    workspace_id: int,
    *,
    q: str = "",
    role: str = "",
    two_factor: str = "",
    flag: str = "",
    status: str = "",
    after: int = 0,
    most: int = 1_000,
) -> list[Row]:
    """The next teammates that a filter finds, in order of id: `id` and `account_id`. For acts on all of them.

    Raises Refused as `page` does.
    """
    rule = _rule(tx, workspace_id)
    wanted = _filter(q, role, two_factor, flag, status, rule)
    if wanted.kind == "":
        return []
    query = rows_query(wanted.shape, most)
    return tx.all(query, workspace_id=workspace_id, after_id=after, **wanted.values, **rule.values)


def one(tx: Transaction, workspace_id: int, id: int) -> Item | None:
    """One row of the table; None for anything of another workspace."""
    row = tx.one(_ONE, id=id, workspace_id=workspace_id)
    if row is None:
        return None
    return _item(row, _rule(tx, workspace_id), projection.waiting(tx, workspace_id))


# --- what is asked for ---


def _rule(tx: Transaction, workspace_id: int) -> Rule:
    workspace = workspaces.by_id(tx, workspace_id)
    if workspace is None:
        raise not_found()
    return Rule(
        workspace.required_from,
        workspace.announced_at,
        tx.now,
        workspace.resistant_from,
        workspace.resistant_announced_at,
    )


def _filter(q: str, role: str, two_factor: str, flag: str, status: str, rule: Rule) -> Filter:
    if role:
        _one_of("role", role, [each.value for each in Role])
    if status:
        _one_of("status", status, STATUSES)
    if flag:
        _one_of("flag", flag, FLAGS)
    kind = None
    if two_factor:  # of teammates alone; "": nobody is in that state now
        _one_of("two_factor", two_factor, STATES)
        found = [each.name for each in kinds(rule) if each.state == two_factor]
        kind = found[0] if found and status != "invited" else ""
        status = ""
    return Filter(
        _words(q),
        projection.role_order(Role(role)) if role else None,
        status or None,
        kind,
        flag or None,
        rule.mode,
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


# --- asking ---


@dataclass(frozen=True, slots=True)
class _Ask:
    """One question to the table."""

    tx: Transaction
    workspace_id: int
    wanted: Filter
    rule: Rule
    sort: str
    limit: int

    @property
    def values(self) -> dict[str, Any]:
        return {"workspace_id": self.workspace_id, **self.wanted.values, **self.rule.values}

    def rows(self, part: Part, position: Mapping[str, Any], limit: int, *, few: bool = False) -> list[Row]:
        query = page_query(part, self.sort[:1] == "-", bool(position), few, self.wanted.shape, limit, FEW)
        return self.tx.all(query, **self.values, **position)

    def any_few(self) -> list[Row]:
        """All that match, in no order, or more than FEW of them."""
        return self.tx.all(rows_query(self.wanted.shape, FEW + 1, whole=True), **self.values, after_id=0)

    def count(self) -> int:
        return int(self.tx.all(count_query(self.wanted.shape), **self.values)[0].number)


_Found = tuple[int, list[Row], Any]


def _found(ask: _Ask, matching: int | None, after: str | None) -> _Found:
    """How many rows match (`matching`: what is known of it), those of the page, and how to make a row's cursor."""
    if ask.wanted.kind == "":
        return 0, [], None
    name = ask.sort.removeprefix("-")
    return _in_parts(ask, name, matching, after) if name in MULTI else _in_order(ask, name, matching, after)


def _in_order(ask: _Ask, name: str, matching: int | None, after: str | None) -> _Found:
    part = Part("", (), (*ORDERS[name], "id"))
    position = _position(ask.sort, part, after) if after else {}
    rows: list[Row] = []

    def cursor(row: Row) -> str:
        return cursors.encode(ask.sort, [getattr(row, column) for column in part.columns])

    if matching is None or 0 < matching <= FEW:
        rows = ask.rows(part, position, ask.limit, few=True)
    if matching is None:
        if rows and rows[0].number <= FEW:
            return int(rows[0].number), rows, cursor
        matching = ask.count() if rows or position else 0
    return matching, ask.rows(part, position, ask.limit) if matching > FEW else rows, cursor


def _position(sort: str, part: Part, cursor: str) -> dict[str, Any]:
    types = [str if column in ("search_key", "email_key") else int for column in part.columns]
    found = cursors.decode(sort, cursor, types)
    return {f"after_{column}": value for column, value in zip(part.columns, found, strict=True)}


def _in_parts(ask: _Ask, name: str, matching: int | None, after: str | None) -> _Found:
    """One kind of row after the other, each in its own order."""
    every = parts(name, ask.rule)
    down = ask.sort.startswith("-")
    start = _start(ask.sort, every, after) if after else None

    def cursor(row: Row) -> str:
        part = next(each for each in every if each.holds(row, ask.rule))
        return cursors.encode(ask.sort, [part.name, *part.key(row)])

    if matching is None or matching <= FEW:
        rows = ask.any_few()
        if len(rows) <= FEW:
            matching = len(rows)
            rows.sort(key=lambda row: _place(every, row, ask.rule), reverse=down)
            if start is not None:
                begun = (every.index(start[0]), *start[1])
                rows = [row for row in rows if _past(_place(every, row, ask.rule), begun, down=down)]
            return matching, rows[: ask.limit], cursor
        matching = ask.count()
    return matching, _walked(ask, every, start, down=down), cursor


def _place(every: Sequence[Part], row: Row, rule: Rule) -> tuple[Any, ...]:
    part = next(each for each in every if each.holds(row, rule))
    return (every.index(part), *part.key(row))


def _past(place: tuple[Any, ...], begun: tuple[Any, ...], *, down: bool) -> bool:
    return place < begun if down else place > begun


def _start(sort: str, every: Sequence[Part], after: str) -> tuple[Part, list[Any]]:
    name, *key = cursors.decode(sort, after, [str, int, str, int])
    part = next((each for each in every if each.name == name), None)
    if part is None:
        raise invalid("cursor", "This place in the list is not known. Begin at the first page.")
    return part, key


def _walked(
    ask: _Ask, every: Sequence[Part], start: tuple[Part, list[Any]] | None, *, down: bool
) -> list[Row]:
    found: list[Row] = []
    ordered = list(reversed(every)) if down else list(every)
    if start is not None:
        ordered = ordered[ordered.index(start[0]) :]
    for part in ordered:
        if not part.may_hold(ask.wanted):
            continue
        position = part.position(start[1]) if start is not None and part is start[0] else {}
        found += ask.rows(part, position, ask.limit - len(found))
        if len(found) >= ask.limit:
            break
    return found


# --- states and numbers ---


def _sum(numbers: Sequence[Number], wanted: Filter, rule: Rule) -> int:
    def fits(row: Number) -> int:
        if wanted.role_order not in (None, row.role_order) or wanted.status not in (None, row.status):
            return 0
        if wanted.flag is not None:  # few recovery codes: of teammates with 2FA alone
            return row.low if wanted.kind in (None, "on") else 0
        return int(row.number) if wanted.kind is None else _of_kind(row, rule).get(wanted.kind, 0)

    return sum(map(fits, numbers))


def _of_kind(row: Number, rule: Rule) -> dict[str, int]:
    """How many of the rows of one status, stored state and role are of which kind now."""
    if row.status != "active":
        return {"invited": row.number}
    if row.state == "on" or rule.required_from is None:
        return {row.state: row.number}
    left = row.number - row.exempt
    if row.state not in ("off", WEAK):
        return {row.state: left, "exempt": row.exempt}
    if row.state == WEAK and rule.mode is Mode.PASSKEYS_LATER:
        return {"due": left, "exempt": row.exempt}
    if rule.in_force:
        return {"overdue": left, "exempt": row.exempt}
    return {"late": row.late, "due": left - row.late, "exempt": row.exempt}


def _counts(numbers: Sequence[Number], rule: Rule, flagged: tuple[int, int], matching: int) -> Counts:
    states = {each.name: each.state for each in kinds(rule)}
    by_state: Counter[str] = Counter()
    invited = low = 0
    for row in numbers:
        low += row.low
        for kind, number in _of_kind(row, rule).items():
            state = states[kind]
            if state is None:
                invited += number
            elif number:
                by_state[state] += number
    by_flag = dict(zip(FLAGS, (low, *flagged), strict=True))
    return Counts(by_state.total(), matching, invited, by_state["on"], dict(by_state), by_flag)


def _item(row: Row, rule: Rule, waiting: frozenset[int]) -> Item:
    state = state_of(row, rule) if row.status == "active" else None
    return Item(
        row.id,
        row.account_id,
        row.status,
        row.name,
        row.email,
        Role(row.role),
        state,
        due_of(row, rule) if state in ("due", "overdue") else row.exempt_until if state == "exempt" else None,
        tuple(row.methods.split()),
        flags_of(row, waiting),
        row.since,
        row.last_sign_in_at,
        row.joined_at,
    )
