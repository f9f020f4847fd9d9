"""What the Teammates table calls a teammate's 2FA: by the row, the mandate and the clock, in Python and in SQL alike.

Rows keep what changes with a person (`state` on, off or reset, `joined_at`, `exempt_until`); what changes with the
mandate or the clock alone is worked out when the table is read, so that nothing has to be rewritten for it.
"""

from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from sqlalchemy import ColumnElement, and_, bindparam, func, literal_column, not_, or_, select

from nightlatch.instants import Instant
from nightlatch.policy import Mandate, binding_from
from nightlatch.store.query import Row
from nightlatch.store.schema import resets, standing

STATES = ("on", "due", "overdue", "off", "reset", "sso", "exempt")
"""What a teammate's 2FA can be, as the table tells it; `sso`: they came last by a connection that is enough."""
WEAK = "weak"
"""The stored state of who has 2FA and no passkey, where passkeys are required, now or from a date."""
FLAGS = ("recovery_codes_low", "reset_pending", "mail_bouncing")
LOW_RECOVERY_CODES = 3


class Mode(IntEnum):
    """What a workspace requires, as far as the conditions on its rows differ."""

    OPTIONAL = 0
    REQUIRED = 1
    PASSKEYS = 2
    """Who has 2FA and no passkey is told like those who have nothing."""
    PASSKEYS_LATER = 3
    """2FA is required, passkeys are not yet: only they have time left."""


@dataclass(frozen=True, slots=True)
class Rule:
    """What a workspace requires, and the moment it is looked at."""

    required_from: Instant | None
    announced_at: Instant | None
    now: Instant
    resistant_from: Instant | None = None
    resistant_announced_at: Instant | None = None

    @property
    def mode(self) -> Mode:
        """How the rows of those who have 2FA and no passkey (WEAK) are told."""
        if self.required_from is None:
            return Mode.OPTIONAL
        if self.resistant_from is None:
            return Mode.REQUIRED
        apart = self.in_force and self.resistant_from > self.now
        return Mode.PASSKEYS_LATER if apart else Mode.PASSKEYS

    @property
    def in_force(self) -> bool:
        return Mandate(self.required_from).in_force(self.now)

    @property
    def values(self) -> dict[str, Any]:
        """The parameters that the conditions below name; those of a mandate that is off are used by none."""
        return {
            "now": self.now,
            "announced_at": self.announced_at if self.announced_at is not None else 1 << 62,
            "required_from": self.required_from or 0,
        }


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of row in the order of the work list: a name for cursors, and the state that it is shown as."""

    name: str
    state: str | None


def state_of(row: Row, rule: Rule) -> str:
    """The state of a teammate's row."""
    if row.state == "on" or rule.required_from is None:
        return str(row.state)
    if (row.exempt_until or 0) > rule.now:
        return "exempt"
    if row.state not in ("off", WEAK):
        return str(row.state)
    if row.state == WEAK and rule.mode is Mode.PASSKEYS_LATER:
        return "due"
    if row.state == WEAK and rule.in_force:
        return "overdue"
    return "overdue" if (binding_of(row, rule) or 0) <= rule.now else "due"


def due_of(row: Row, rule: Rule) -> Instant | None:
    """From when the mandate, or its strength, binds (or began to bind) this teammate; None while it is off."""
    binds = binding_of(row, rule)
    if row.state != WEAK or binds is None:
        return binds
    strength = binding_from(rule.resistant_from, rule.resistant_announced_at, row.joined_at, row.exempt_until)
    return max(binds, strength or 0)


def binding_of(row: Row, rule: Rule) -> Instant | None:
    """From when the mandate itself binds this teammate; None while it is off."""
    return binding_from(rule.required_from, rule.announced_at, row.joined_at, row.exempt_until)


def flags_of(row: Row, waiting: frozenset[int]) -> tuple[str, ...]:
    """The flags of a row; `waiting`: the accounts of the workspace whose reset waits."""
    low = row.status == "active" and row.state == "on" and (row.recovery_left or 0) < LOW_RECOVERY_CODES
    pending = row.account_id is not None and row.account_id in waiting
    found = zip(FLAGS, (low, pending, row.mail_failed_at is not None), strict=True)
    return tuple(name for name, there in found if there)


def kinds(rule: Rule) -> tuple[Kind, ...]:
    """Every kind of row there can be now, in the order of the work list: whatever is most urgent comes first."""
    if rule.required_from is None:
        found = ["reset", "off", "sso", "on"]
    elif rule.in_force:
        found = ["overdue", "reset", "exempt", "sso", "on"]
        if rule.mode is Mode.PASSKEYS_LATER:
            found.insert(1, "due")
    else:
        found = ["late", "due", "reset", "exempt", "sso", "on"]
    states = {"late": "overdue"}
    return (*(Kind(name, states.get(name, name)) for name in found), Kind("invited", None))


def condition(name: str, *, mode: Mode, aside: bool = False) -> list[ColumnElement[bool]]:
    """The rows of one kind, or of one flag, as conditions on the table.

    `aside`: so that no index is looked up by them, because another condition leaves fewer rows.
    """
    return (_ASIDE if aside else _INDEXED)[mode][name]


_Conditions = dict[str, list[ColumnElement[bool]]]
_row = standing.c
_exempt = and_(_row.exempt_until.is_not(None), _row.exempt_until > bindparam("now"))
_not_exempt = or_(_row.exempt_until.is_(None), _row.exempt_until <= bindparam("now"))
_on, _off = _row.state == "on", or_(_row.state == "off", _row.state == WEAK)
_late = _row.joined_at > bindparam("announced_at")
_low = or_(_row.recovery_left.is_(None), _row.recovery_left < LOW_RECOVERY_CODES)
_waiting = select(resets.c.account_id).where(
    resets.c.workspace_id == bindparam("workspace_id"),
    resets.c.done_at.is_(None),
    resets.c.ended_at.is_(None),
)


def _build(status: ColumnElement[str], state: ColumnElement[str]) -> dict[Mode, _Conditions]:
    """The conditions in every mode; where nothing is required there is nothing to be excepted from."""
    weak = or_(state == "off", state == WEAK)
    required = _required(status, state, state == "off")
    passkeys = _required(status, state, weak)
    active, later = status == "active", dict(passkeys)
    later["overdue"] = required["overdue"]
    later["due"] = [active, state == WEAK, _not_exempt]
    later["early"] = required["early"]
    later["not_early"] = [active, or_(state == WEAK, and_(state == "off", _NOT_EARLY)), _not_exempt]
    optional = {**required, "off": [active, state == "off"], "reset": [active, state == "reset"]}
    optional["sso"] = [active, state == "sso"]
    return {
        Mode.OPTIONAL: optional,
        Mode.REQUIRED: required,
        Mode.PASSKEYS: passkeys,
        Mode.PASSKEYS_LATER: later,
    }


_EARLY = and_(_late, _row.joined_at < bindparam("required_from"))
_NOT_EARLY = or_(_row.joined_at <= bindparam("announced_at"), _row.joined_at >= bindparam("required_from"))


def _required(status: ColumnElement[str], state: ColumnElement[str], off: ColumnElement[bool]) -> _Conditions:
    """The conditions while something is required. `off`: who lacks it."""
    active, on, reset = status == "active", state == "on", state == "reset"
    return {
        "on": [active, on],
        "overdue": [active, off, _not_exempt],
        "late": [active, off, _late, _not_exempt],
        "due": [active, off, _row.joined_at <= bindparam("announced_at"), _not_exempt],
        "reset": [active, reset, _not_exempt],
        "sso": [active, state == "sso", _not_exempt],
        "exempt": [active, state != "on", _exempt],
        "invited": [status == "invited"],
        # for the order by due dates
        "early": [active, off, _EARLY, _not_exempt],
        "not_early": [active, off, _NOT_EARLY, _not_exempt],
        "nothing_due": [or_(status != "active", not_(off)), or_(on, _not_exempt)],
        # flags
        "recovery_codes_low": [active, on, _low],
        "reset_pending": [active, _row.account_id.in_(_waiting)],
        "mail_bouncing": [_row.mail_failed_at.is_not(None)],
    }


_NOTHING: ColumnElement[str] = literal_column("''")
_INDEXED = _build(_row.status, _row.state)
_ASIDE = _build(func.coalesce(_row.status, _NOTHING), func.coalesce(_row.state, _NOTHING))
LOW = and_(_on, _low)
"""Of teammates' rows: few recovery codes."""
EXEMPT = _exempt
LATE = [_row.status == "active", _off, _late, _not_exempt]
