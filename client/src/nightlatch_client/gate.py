"""The gate: for every request, what to do with it. Knows no framework, no network and no clock but the one given.

A request goes on (`Pass`) or is answered here (`Answer`). Everything that is not clearly allowed is refused.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from nightlatch_client.answers import Answer
from nightlatch_client.cookies import Jar
from nightlatch_client.desk import Desk
from nightlatch_client.errors import Refused, Unavailable
from nightlatch_client.forms import open_form
from nightlatch_client.grants import Kept
from nightlatch_client.paths import OpenPaths
from nightlatch_client.returns import Returns
from nightlatch_client.steps import Steps, ask_person, ask_server
from nightlatch_client.values import Check, Person, Proof
from nightlatch_client.view import View
from nightlatch_client.ways import Ways

log = logging.getLogger("nightlatch_client")
T = TypeVar("T")


@dataclass(slots=True)
class Passage:
    """What the gate knows about a request that it let through; kept with the request."""

    person: Person | None = None
    asked: bool = False
    grant: str | None = field(default=None, repr=False)
    check: Check | None = None
    demand: "Demand | None" = None

    @property
    def proof(self) -> Proof | None:
        """What this browser has proved, where the person was asked about."""
        return self.check.proof if self.check is not None else None


@dataclass(frozen=True, slots=True)
class Demand:
    """Fresh proof that a view asked for in vain: `check` says why, or `down`; neither: nobody is signed in."""

    max_age: int
    check: Check | None = None
    down: Unavailable | None = None


@dataclass(frozen=True, slots=True)
class Pass:
    """The request goes on to the product; `cookies` are set on its answer."""

    passage: Passage
    cookies: list[tuple[str, str]]


class Gate:
    """The gate of one app."""

    def __init__(self, desk: Desk, *, open: Sequence[str] = ()) -> None:  # noqa: A002
        self.desk = desk
        self.returns = Returns(desk)
        self._open = OpenPaths(open)

    def enter(self, view: View) -> Steps[Pass | Answer]:
        """Decide about one request."""
        jar = self.desk.jar()
        try:
            outcome = yield from self._enter(view, jar)
        except Unavailable as down:
            return self.desk.down(view, down).with_headers(jar.headers())
        except Refused as refused:
            return self.desk.down(view, self._malformed(refused)).with_headers(jar.headers())
        if isinstance(outcome, Answer):
            return outcome.with_headers(jar.headers())
        return Pass(outcome, jar.headers())

    def again(self, person: Person | None, passage: Passage) -> Steps[Check | None]:
        """Ask again about a connection that stays open; None: the person is signed out of the product."""
        if person is None or passage.person is None or person.id != passage.person.id:
            return None
        check, _ = yield from self.desk.ask(person, self._kept(person, passage.grant))
        return check

    def fresh(self, view: View, passage: Passage, max_age: int) -> Steps[Proof | None]:
        """Proof not older than `max_age` seconds; None after noting in the passage what is wanted instead."""
        try:
            return (yield from self._fresh(view, passage, max_age))
        except Unavailable as down:
            passage.demand = Demand(max_age, down=down)
        except Refused as refused:
            passage.demand = Demand(max_age, down=self._malformed(refused))
        return None

    def _fresh(self, view: View, passage: Passage, max_age: int) -> Steps[Proof | None]:
        if not passage.asked:
            passage.person, passage.asked = (yield from ask_person()), True
            kept = self.desk.kept(view)
            if passage.person is not None and kept is not None and kept.person == passage.person.id:
                passage.grant = kept.best(passage.person.workspace)
        person = passage.person
        if person is None:
            passage.demand = Demand(max_age)
            return None
        if person.token:
            check, _ = yield from self.desk.ask(person, None)
        else:
            check = yield from ask_server(self.desk.wire.check(person, grant=passage.grant, max_age=max_age))
        if check.decision == "allow" and not person.token:
            passage.check = check
            return check.proof
        passage.demand = Demand(max_age, check)
        return None

    def demanded(self, view: View, passage: Passage) -> Steps[Answer]:
        """The answer to a request whose view asked for fresh proof in vain."""
        jar, demand, person = self.desk.jar(), passage.demand, passage.person
        if demand is not None and demand.down is not None:
            return self.desk.down(view, demand.down)
        if demand is None or demand.check is None or person is None:
            return self.desk.sign_in(view, self.desk.way_back(view))
        answer = yield from self.desk.refuse(view, person, demand.check, jar, max_age=demand.max_age)
        return answer.with_headers(jar.headers())

    def open_page(self, view: View, passage: Passage, name: str) -> Steps[Answer]:
        """Send the browser to a page of Nightlatch."""
        jar = self.desk.jar()
        try:
            if not passage.asked:
                passage.person, passage.asked = (yield from ask_person()), True
            answer = yield from self.returns.open(view, passage.person, name, jar)
        except Unavailable as down:
            answer = self.desk.down(view, down)
        return answer.with_headers(jar.headers())

    # --- deciding ---

    def _enter(self, view: View, jar: Jar) -> Steps[Passage | Answer]:
        if self.returns.is_ours(view.path):
            return (yield from self.returns.serve(view, jar))
        if view.path in self._open:
            return (yield from self._open_path(view, jar))
        person = yield from ask_person()
        kept = yield from self._kept_by(view, person, jar)
        if person is None:
            return Passage(None, asked=True)
        waiting = self._waiting(view)
        if waiting is not None and not person.token:
            name = waiting.open or ""
            return (yield from self.returns.open(view, person, name, jar, back=view.back))
        check, grant = yield from self.desk.ask(person, kept)
        if check.decision != "allow":
            return (yield from self.desk.refuse(view, person, check, jar))
        self._form_arrived(view, person, jar)
        return Passage(person, asked=True, grant=grant, check=check)

    def _open_path(self, view: View, jar: Jar) -> Steps[Passage]:
        """An open path asks nobody. But who opens the sign-in page after signing out has no grant any more."""
        if self.desk.names.grants in view.cookies and view.is_by_hand:
            person = yield from ask_person()
            kept = yield from self._kept_by(view, person, jar)
            grant = kept.best(person.workspace) if kept is not None and person is not None else None
            return Passage(person, asked=True, grant=grant)
        return Passage()

    def _kept_by(self, view: View, person: Person | None, jar: Jar) -> Steps[Kept | None]:
        """The person's grants. Those of somebody else, or of nobody, end here."""
        if self.desk.names.grants not in view.cookies:
            return None
        kept = self.desk.kept(view)
        if kept is not None and person is not None and kept.person == person.id:
            return kept
        if person.token if person is not None else not view.is_by_hand:
            return None  # a program's or a script's request says nothing about who sits at the browser
        jar.drop(self.desk.names.grants)
        if kept is not None:
            yield from self.desk.end(kept)
        return None

    def _malformed(self, refused: Refused) -> Unavailable:
        """Nightlatch takes the person as malformed: the product has to be mended. Closed until then."""
        log.error("Nightlatch refused the person that the product gave: %s", refused)
        return Unavailable(str(refused))

    def _kept(self, person: Person, grant: str | None) -> Kept | None:
        return Kept(person.id, {person.workspace: grant}) if grant is not None else None

    def _waiting(self, view: View) -> Ways | None:
        """Where the browser wanted to go before the product's sign-in, if it has a moment for it now."""
        if view.method != "GET" or not view.wants_page or self.desk.names.way not in view.cookies:
            return None
        ways = self.desk.ways(view)
        return ways if ways.open is not None else None

    def _form_arrived(self, view: View, person: Person, jar: Jar) -> None:
        """A kept form that is sent at last is not kept any longer."""
        if view.method != "POST" or self.desk.names.form[0] not in view.cookies:
            return
        caught = open_form(self.desk.box, self.desk.names, view.cookies, self.desk.now())
        if caught is None or (caught.target, caught.person) == (view.target, person.id):
            self.desk.drop_form(jar)
