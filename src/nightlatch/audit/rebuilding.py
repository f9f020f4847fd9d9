"""Evidence of one workspace at an instant, rebuilt from its audit events alone. Pure.

The events are taken in the order of their sequence (law 12), those after the instant left out. Nothing here looks at
the tables of today, so whatever happened since cannot change what is said of a day that is over.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any, Protocol

from nightlatch.audit.evidence import Evidence, Excepted, Gone, Policy, Reset, Restored, State, Teammate, Who
from nightlatch.ids import from_text as id_of
from nightlatch.instants import Instant, from_text
from nightlatch.names import search_key
from nightlatch.policy import ManagedBy
from nightlatch.vocabulary import Event


class Told(Protocol):
    """One event of the workspace, as the store keeps it; `detail` is JSON."""

    @property
    def at(self) -> Instant: ...
    @property
    def event(self) -> str: ...
    @property
    def actor_kind(self) -> str: ...
    @property
    def actor_id(self) -> int | None: ...
    @property
    def actor_name(self) -> str: ...
    @property
    def subject_id(self) -> int | None: ...
    @property
    def subject_name(self) -> str: ...
    @property
    def detail(self) -> str: ...


def rebuild(events: Iterable[Told], at: Instant) -> Evidence:
    """What the events of one workspace, in the order of their sequence, say of the instant `at` (inclusive)."""
    rebuilding = _Rebuilding()
    for each in events:
        if each.at <= at:
            rebuilding.take(each)
    return rebuilding.evidence(at)


# --- inside ---


class _Person:
    """One account as the events so far tell it. `secured` None: nothing has told it."""

    __slots__ = (
        "account",
        "by_sso",
        "email",
        "gone",
        "joined_at",
        "methods",
        "name",
        "pending",
        "role",
        "secured",
        "since",
        "state",
    )

    def __init__(self, account: int, name: str) -> None:
        self.account = account
        self.name = name
        self.email: str | None = None
        self.role: str | None = None
        self.joined_at: Instant | None = None
        self.secured: bool | None = None
        self.methods: tuple[str, ...] | None = None
        self.by_sso: int | None = None
        """The connection by which they came last, where that was enough."""
        self.pending: int | None = None
        """The reset, by its place in the list, after which they have not set up again."""
        self.state: State | None = None
        self.since: Instant | None = None
        self.gone: Gone | None = None

    def settle(self, at: Instant) -> None:
        """Derive the state; where it is another one than before, it is so since now."""
        if self.secured:
            state: State | None = State.ON
        elif self.pending is not None:
            state = State.RESET
        elif self.by_sso is not None:
            state = State.SSO
        else:
            state = State.OFF if self.secured is not None else None
        if state is State.SSO:
            self.methods = (State.SSO.value,)
        elif state is not State.ON:
            self.methods = () if state is not None else None
        if state is not self.state:
            self.state, self.since = state, at

    def teammate(self, exempt_until: Instant | None) -> Teammate:
        return Teammate(
            self.account,
            self.name,
            self.email,
            self.role,
            self.joined_at,
            self.state,
            self.methods,
            self.since,
            exempt_until,
        )


class _Rebuilding:
    """Takes one event after the other; holds one record a person, whatever the number of events."""

    def __init__(self) -> None:
        self._name: str | None = None
        self._created_at: Instant | None = None
        self._policy = Policy()
        self._people: dict[int, _Person] = {}
        self._resets: list[Reset] = []
        self._asked: dict[str, Told] = {}
        """What waits, by the reset's id: who asked. Of those that are over before they are done nothing stays."""
        self._approved: dict[str, Who] = {}
        self._exceptions: dict[str, Excepted] = {}
        self._restored: list[Restored] = []
        self._words: dict[str, str] = {}

    def take(self, told: Told) -> None:
        taking = _TAKES.get(told.event)
        if taking is not None:
            taking(self, told)

    def evidence(self, at: Instant) -> Evidence:
        people = sorted(self._people.values(), key=lambda each: (search_key(each.name), each.account))
        gone = [each.gone for each in people if each.gone is not None]
        until = {each.account: each.ends_at for each in self._exceptions.values() if each.stands(at)}
        return Evidence(
            at,
            self._name,
            self._created_at,
            self._policy,
            tuple(each.teammate(until.get(each.account)) for each in people if each.gone is None),
            tuple(sorted(gone, key=lambda each: -each.at)),
            tuple(reversed(self._resets)),
            tuple(reversed(self._restored)),
            tuple(reversed(self._exceptions.values())),
        )

    # --- the workspace ---

    def _created(self, told: Told) -> None:
        self._name, self._created_at = told.subject_name, told.at
        who = _who(told)
        self._policy = Policy(by=who, at=told.at, managed_by_by=who, managed_by_at=told.at)

    def _renamed(self, told: Told) -> None:
        self._name = told.subject_name

    def _mandate(self, told: Told) -> None:
        detail = _detail(told)
        required_from, strength_from = detail.get("required_from"), detail.get("strength_from")
        self._name = told.subject_name
        self._policy = replace(
            self._policy,
            required_from=from_text(required_from) if required_from is not None else None,
            resistant_from=from_text(strength_from) if strength_from is not None else None,
            by=_who(told),
            at=told.at,
            reason=detail.get("reason"),
        )
        self._managers(told)
        if required_from is None:
            for each in self._exceptions.values():
                self._end_exception(each, told, "mandate_off")

    def _managers(self, told: Told) -> None:
        managed_by = _detail(told).get("managed_by", self._policy.managed_by)
        if managed_by != self._policy.managed_by:
            self._policy = replace(
                self._policy,
                managed_by=ManagedBy(managed_by),
                managed_by_by=_who(told),
                managed_by_at=told.at,
            )

    def _put_back(self, told: Told) -> None:
        self._restored.append(Restored(told.at, _who(told)))

    # --- its people ---

    def _person(self, told: Told) -> _Person | None:
        """Whom the event is about, by the name that it says. Who is not known yet came by an event we do not have."""
        if told.subject_id is None:
            return None
        person = self._people.get(told.subject_id)
        if person is None:
            person = self._people[told.subject_id] = _Person(told.subject_id, told.subject_name)
        person.name = told.subject_name
        return person

    def _joined(self, told: Told) -> None:
        person = self._person(told)
        if person is None:
            return
        person.gone, person.joined_at = None, told.at
        person.secured, person.by_sso, person.state = (
            False,
            None,
            None,
        )  # what counts there is told by an event of its own
        self._describe(person, _detail(told))
        person.settle(told.at)

    def _changed(self, told: Told) -> None:
        person = self._person(told)
        if person is not None:
            self._describe(person, _detail(told))

    def _describe(self, person: _Person, detail: Mapping[str, Any]) -> None:
        person.email = detail.get("email", person.email)
        role = detail.get("role")
        if role is not None:
            person.role = self._words.setdefault(role, role)

    def _ended(self, told: Told) -> None:
        person = self._person(told)
        if person is None:
            return
        detail = _detail(told)
        self._describe(person, detail)
        person.gone = Gone(
            person.account,
            person.name,
            person.email,
            person.role,
            person.joined_at,
            told.at,
            _who(told),
            told.event == Event.TEAMMATE_LEFT,
            detail.get("reason"),
        )

    def _secured(self, told: Told) -> None:
        person = self._person(told)
        if person is None:
            return
        detail = _detail(told)
        methods = detail.get("methods") or ([detail["method"]] if detail.get("method") else None)
        person.secured, person.methods = True, tuple(methods) if methods is not None else None
        person.settle(told.at)

    def _came_by_sso(self, told: Told) -> None:
        person = self._person(told)
        if person is not None:
            person.by_sso = id_of(_detail(told).get("connection_id") or "")
            person.settle(told.at)

    def _over(self, told: Told) -> None:
        """Whatever a connection was enough for is to be shown anew."""
        for person in self._people.values():
            if person.gone is None and person.by_sso == told.subject_id:
                person.by_sso = None
                person.settle(told.at)

    def _unsecured(self, told: Told) -> None:
        person = self._person(told)
        if person is not None:
            person.secured = False
            person.settle(told.at)

    def _reset(self, told: Told) -> None:
        person = self._person(told)
        if person is None:
            return
        detail = _detail(told)
        if person.pending is not None:
            self._resets[person.pending] = replace(self._resets[person.pending], replaced_at=told.at)
        person.secured, person.pending = False, len(self._resets)
        asked = self._asked.pop(detail.get("reset", ""), None)
        self._resets.append(
            Reset(
                person.account,
                person.name,
                told.at,
                _who(asked or told),
                detail.get("reason"),
                detail.get("recognised_by"),
                bool(detail.get("number_waived")),
                asked_at=asked.at if asked is not None else None,
                approved_by=self._approved.pop(detail.get("reset", ""), None),
            )
        )
        person.settle(told.at)

    def _reset_asked(self, told: Told) -> None:
        self._asked[_detail(told).get("reset", "")] = told

    def _reset_approved(self, told: Told) -> None:
        self._approved[_detail(told).get("reset", "")] = _who(told)

    def _reset_over(self, told: Told) -> None:
        self._asked.pop(_detail(told).get("reset", ""), None)

    def _completed(self, told: Told) -> None:
        person = self._person(told)
        if person is None or person.pending is None:
            return
        self._resets[person.pending] = replace(self._resets[person.pending], completed_at=told.at)
        person.pending = None
        person.settle(told.at)

    # --- exceptions ---

    def _granted(self, told: Told) -> None:
        person, detail = self._person(told), _detail(told)
        if person is None or "exception" not in detail or "ends_at" not in detail:
            return
        self._exceptions[detail["exception"]] = Excepted(
            detail["exception"],
            person.account,
            person.name,
            told.at,
            _who(told),
            detail.get("asked_by"),
            detail.get("reason"),
            from_text(detail["ends_at"]),
        )

    def _exception_ended(self, told: Told) -> None:
        detail = _detail(told)
        found = self._exceptions.get(detail.get("exception", ""))
        if found is not None:
            self._end_exception(found, told, detail.get("why"))

    def _end_exception(self, exception: Excepted, told: Told, why: str | None) -> None:
        """Before its day; what is over by the clock has no event of its own."""
        if exception.stands(told.at):
            self._exceptions[exception.id] = replace(
                exception, ended_at=told.at, ended_by=_who(told), why=why
            )


_TAKES: Mapping[str, Callable[[_Rebuilding, Told], None]] = {
    Event.WORKSPACE_CREATED: _Rebuilding._created,
    Event.WORKSPACE_RENAMED: _Rebuilding._renamed,
    Event.MANDATE_TURNED_ON: _Rebuilding._mandate,
    Event.MANDATE_SCHEDULED: _Rebuilding._mandate,
    Event.MANDATE_TURNED_OFF: _Rebuilding._mandate,
    Event.MANDATE_STRENGTHENED: _Rebuilding._mandate,
    Event.MANDATE_STRENGTH_SCHEDULED: _Rebuilding._mandate,
    Event.MANDATE_WEAKENED: _Rebuilding._mandate,
    Event.POLICY_CHANGED: _Rebuilding._managers,
    Event.TEAMMATE_JOINED: _Rebuilding._joined,
    Event.TEAMMATE_CHANGED: _Rebuilding._changed,
    Event.TEAMMATE_ROLE_CHANGED: _Rebuilding._changed,
    Event.TEAMMATE_LEFT: _Rebuilding._ended,
    Event.TEAMMATE_REMOVED: _Rebuilding._ended,
    Event.TEAMMATE_SECURED: _Rebuilding._secured,
    Event.TEAMMATE_UNSECURED: _Rebuilding._unsecured,
    Event.TEAMMATE_CAME_BY_SSO: _Rebuilding._came_by_sso,
    Event.CONNECTION_RULE_CHANGED: _Rebuilding._over,
    Event.CONNECTION_EXEMPTION_ENDED: _Rebuilding._over,
    Event.CONNECTION_REMOVED: _Rebuilding._over,
    Event.TEAMMATE_RESET: _Rebuilding._reset,
    Event.TEAMMATE_RESET_REQUESTED: _Rebuilding._reset_asked,
    Event.TEAMMATE_RESET_APPROVED: _Rebuilding._reset_approved,
    Event.TEAMMATE_RESET_CANCELLED: _Rebuilding._reset_over,
    Event.TEAMMATE_RESET_STOPPED: _Rebuilding._reset_over,
    Event.RESET_COMPLETED: _Rebuilding._completed,
    Event.EXCEPTION_GRANTED: _Rebuilding._granted,
    Event.EXCEPTION_ENDED: _Rebuilding._exception_ended,
    Event.DATABASE_RESTORED: _Rebuilding._put_back,
}
TAKEN = frozenset(_TAKES)
"""The events from which something is rebuilt."""


def _detail(told: Told) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(told.detail)
    return found


def _who(told: Told) -> Who:
    return Who(told.actor_kind, told.actor_id, told.actor_name)
