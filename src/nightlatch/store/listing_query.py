"""The statements behind the Teammates table: filters, orders, pages. Built once for each shape of a question."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, bindparam, func, literal_column, select, tuple_

from nightlatch.store.query import Query, Row
from nightlatch.store.schema import standing
from nightlatch.store.table_states import WEAK, Mode, Rule, condition, kinds, state_of

ORDERS = {
    "name": ("search_key",),
    "email": ("email_key",),
    "role": ("role_order", "search_key"),
    "last_sign_in": ("sign_in_key", "search_key"),
}
MULTI = ("state", "due")
"""Orders that are made of parts."""
Shape = tuple[int, bool, bool, str | None, str | None, Mode]


@dataclass(frozen=True, slots=True)
class Filter:
    """What is asked for, as the columns hold it; None: anything."""

    words: tuple[str, ...] = ()
    """Patterns of LIKE, each of which must match."""
    role_order: int | None = None
    status: str | None = None
    kind: str | None = None
    """One kind of row (store/table_states.py); "": nobody is in the state that was asked for."""
    flag: str | None = None
    mode: Mode = Mode.OPTIONAL

    @property
    def shape(self) -> Shape:
        """What the text of a statement depends on."""
        return (
            len(self.words),
            self.role_order is not None,
            self.status is not None,
            self.kind,
            self.flag,
            self.mode,
        )

    @property
    def values(self) -> dict[str, Any]:
        """The parameters of a statement."""
        columns = {"role_order": self.role_order, "status": self.status}
        words = {f"word_{number}": word for number, word in enumerate(self.words)}
        return {name: value for name, value in columns.items() if value is not None} | words


@dataclass(frozen=True, slots=True)
class Part:
    """A run of rows of one kind within an order."""

    name: str
    kinds: tuple[str, ...]
    """The kinds of row that it can hold; empty: all."""
    columns: tuple[str, ...]
    """What it is sorted by."""

    def holds(self, row: Row, rule: Rule) -> bool:
        """Whether a row is in this part."""
        found: bool = _HOLDS[self.name](row, rule)
        return found

    def may_hold(self, wanted: Filter) -> bool:
        """Whether any row that is asked for can be in it."""
        if wanted.status == "invited":
            return "invited" in self.kinds
        if wanted.status == "active" and self.kinds == ("invited",):
            return False
        return wanted.kind is None or wanted.kind in self.kinds

    def key(self, row: Row) -> tuple[int, str, int]:
        """A row's place within the part."""
        number = getattr(row, self.columns[0]) if self.columns[0] != "search_key" else 0
        return number, row.search_key, row.id

    def position(self, key: Sequence[Any]) -> dict[str, Any]:
        """The parameters of a page that begins after such a place."""
        number, text, id = key
        values = {"search_key": text, "id": id}
        return {f"after_{name}": values.get(name, number) for name in self.columns}


_BY_NAME = ("search_key", "id")


def parts(name: str, rule: Rule) -> tuple[Part, ...]:
    """The parts of an order under a mandate."""
    every = tuple(each.name for each in kinds(rule))
    if name == "state":
        return tuple(Part(each, (each,), _BY_NAME) for each in every)
    if rule.required_from is None:
        return (Part("all", every, _BY_NAME),)
    off = tuple(each for each in every if each in ("overdue", "late", "due"))
    others = tuple(each for each in every if each not in (*off, "exempt"))
    return (
        Part("early", tuple(each for each in off if each != "due"), ("joined_at", *_BY_NAME)),
        Part("not_early", tuple(each for each in off if each != "late"), _BY_NAME),
        Part("exempt", ("exempt",), ("exempt_until", *_BY_NAME)),
        Part("nothing_due", others, _BY_NAME),
    )


def _of_state(state: str) -> Any:
    return lambda row, rule: row.status == "active" and state_of(row, rule) == state


def _is_early(row: Row, rule: Rule) -> bool:
    late = rule.announced_at is not None and row.joined_at > rule.announced_at
    if row.state == WEAK and rule.mode is Mode.PASSKEYS_LATER:
        return False
    return late and row.joined_at < (rule.required_from or 0)


def _is_off(row: Row, rule: Rule) -> bool:
    return row.status == "active" and state_of(row, rule) in ("due", "overdue")


_HOLDS: dict[str, Any] = {
    **{each: _of_state(each) for each in ("on", "overdue", "due", "off", "reset", "exempt", "sso")},
    "late": _of_state("overdue"),
    "invited": lambda row, rule: row.status == "invited",
    "early": lambda row, rule: _is_off(row, rule) and _is_early(row, rule),
    "not_early": lambda row, rule: _is_off(row, rule) and not _is_early(row, rule),
    "nothing_due": lambda row, rule: not _is_off(row, rule) and state_of(row, rule) != "exempt",
    "all": lambda row, rule: True,
}


@lru_cache(maxsize=1_000)
def page_query(part: Part, down: bool, after: bool, few: bool, shape: Shape, limit: int, most: int) -> Query:
    """A page in one order. `few`: rows say in `number` how many match; where that is more than `most`, they are not
    those of the page."""
    columns = [standing.c[name] for name in part.columns]
    if few:
        matching = select(standing.c.id).where(*_conditions(shape)).limit(literal_column(str(most + 1)))
        found = matching.cte("found").prefix_with("MATERIALIZED")
        number = select(func.count()).select_from(found).scalar_subquery().label("number")
        query = select(standing, number).join(found, found.c.id == standing.c.id)
    else:
        query = select(standing).where(*_conditions(shape))
    if part.name and part.name != "all":
        query = query.where(*condition(part.name, mode=shape[-1]))
    if after:
        here = tuple_(*columns)
        there = tuple_(*(bindparam(f"after_{each.name}", type_=each.type) for each in columns))
        query = query.where(here < there if down else here > there)
    query = query.order_by(*(each.desc() if down else each.asc() for each in columns))
    return Query(query.limit(literal_column(str(limit))))


@lru_cache(maxsize=256)
def rows_query(shape: Shape, most: int, *, whole: bool = False) -> Query:
    """The rows that match, after an id: `whole` in no order, else id and account in the order of the ids."""
    if whole:
        query = select(standing).where(*_conditions(shape))
    else:
        query = (
            select(standing.c.id, standing.c.account_id)
            .where(*_conditions(shape), standing.c.status == "active", standing.c.id > bindparam("after_id"))
            .order_by(standing.c.id)
        )
    return Query(query.limit(literal_column(str(most))))


@lru_cache(maxsize=256)
def count_query(shape: Shape) -> Query:
    """How many match."""
    return Query(select(func.count().label("number")).select_from(standing).where(*_conditions(shape)))


def _conditions(shape: Shape) -> list[ColumnElement[bool]]:
    words, role, status, kind, flag, mode = shape
    # The rows with a flag of these are few: found by it, whatever else they have to be.
    aside = flag in ("reset_pending", "mail_bouncing")
    here = (
        standing.c.workspace_id + literal_column("0") if flag == "reset_pending" else standing.c.workspace_id
    )
    conditions = [here == bindparam("workspace_id")]
    if role:
        conditions.append(standing.c.role_order == bindparam("role_order"))
    if status:
        conditions.append(standing.c.status == bindparam("status"))
    for name in (kind, flag):
        if name:
            conditions += condition(name, mode=mode, aside=aside)
    for number in range(words):
        conditions.append(standing.c.search_key.like(bindparam(f"word_{number}"), escape="\\"))
    return conditions
