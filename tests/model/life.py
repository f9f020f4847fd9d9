"""What people, admins and the operator do, by the real actions on a real database, and what the model says of it."""

import itertools
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar

from nightlatch import addresses
from nightlatch.access import decide_workspace
from nightlatch.actions import (
    accepting,
    authenticators,
    enrolment,
    exceptions,
    invitations,
    joining,
    kinds,
    mandate,
    reset_doing,
    reset_ending,
    resets,
    restored,
    second_step,
    sign_in,
    teammates,
    tickets,
)
from nightlatch.actions.by import By, operator
from nightlatch.actions.enrolment import Confirmed, HashedCode
from nightlatch.actions.proving import Proved
from nightlatch.actions.tickets import Redeemed
from nightlatch.actions.tokens import new_token
from nightlatch.decision import Allow, Challenge, Deny, Enrol
from nightlatch.facts import EVERYWHERE
from nightlatch.ids import to_text
from nightlatch.instants import DAY, HOUR, SECOND
from nightlatch.policy import ManagedBy
from nightlatch.refusals import Refused
from nightlatch.store import authenticators as store_authenticators
from nightlatch.store import resets as store_resets
from nightlatch.store import standing
from nightlatch.store import teammates as store_teammates
from nightlatch.store import workspaces as store_workspaces
from nightlatch.store.engine import Body, Transaction
from nightlatch.store.facts import read_account_facts
from nightlatch.vocabulary import Credential, Method, Role
from tests.model.model import (
    Mate,
    Place,
    Shown,
    Someone,
    Thing,
    Visit,
    expected,
    may_bind_alone,
    may_bind_in,
)
from tests.support.letters import letter
from tests.support.world import Person, World, carried_on

T = TypeVar("T")
OPERATOR = operator("Olga")
DOOR = By("visitor", None, "", "198.51.100.7", "test", None, Credential.NONE, b"browser")
KEPT = 8
"""Sessions that are looked at."""
_worlds = itertools.count(1)
_NAMES = {Allow: "allow", Challenge: "challenge", Enrol: "enrol", Deny: "deny"}


DELAYS = {Role.ADMIN: 24 * HOUR, Role.OWNER: 72 * HOUR}


@dataclass
class Waiting:
    """A reset that waits: whose, since when, and how long at least."""

    place: Place
    who: Someone
    asked_at: int
    delay: int
    approved: bool = False


@dataclass
class Life:
    """Alder and Birch, and the people who are in one of them or in both."""

    world: World
    n: int = 0
    people: list[Someone] = field(default_factory=list)
    places: list[Place] = field(default_factory=list)
    visits: list[tuple[Visit, By]] = field(default_factory=list)
    numbers: dict[int, str | None] = field(default_factory=dict)
    """The number of each reset, as it was read out."""
    waiting: dict[int, Waiting] = field(default_factory=dict)
    """Resets that were asked for and are not done: of admins and owners."""
    seen: Counter[str] = field(default_factory=Counter)
    """What happened, so that nothing is proved of a life in which nothing happens."""

    def begin(self) -> None:
        """Ana owns Alder, Bea Birch. Dev, an admin of Alder, Eva, an owner, and Cem, without 2FA, are in both."""
        number = next(_worlds)
        for slug in ("alder", "birch"):
            made = self.world.workspace(f"{slug}-{number}")
            self.places.append(Place(made, f"{slug}-{number}"))
        alder, birch = self.places
        cast: list[tuple[str, dict[int, Role]]] = [
            ("Ana", {alder.id: Role.OWNER}),
            ("Bea", {birch.id: Role.OWNER}),
            ("Cem", {alder.id: Role.MEMBER, birch.id: Role.MEMBER}),
            ("Dev", {alder.id: Role.ADMIN, birch.id: Role.MEMBER}),
            ("Eva", {alder.id: Role.OWNER, birch.id: Role.MEMBER}),
        ]
        for name, roles in cast:
            made_person = self.world.person(name)
            someone = Someone(made_person.id, name, made_person.email)
            self.people.append(someone)
            for place in self.places:
                if place.id in roles:
                    self._is_in(someone, place, roles[place.id])
        for someone in [each for each in self.people if each.name != "Cem"]:
            id, seed = self.world.bind_totp(Person(someone.id, someone.email, someone.name))
            someone.things[id] = Thing(id, "app", True, frozenset(), seed)
        self.world.wait(8 * DAY)  # who owns a workspace for a week may approve a reset

    def _is_in(self, someone: Someone, place: Place, role: Role) -> None:
        def body(tx: Transaction) -> tuple[int, int]:
            id = store_teammates.join(tx, workspace_id=place.id, account_id=someone.id, role=role)
            standing.refresh(tx, someone.id)
            return id, tx.now

        id, now = self.world.write(body)
        place.mates[someone.id] = Mate(id, role, self.tick(), now)

    # --- time and order ---

    def tick(self) -> int:
        self.n += 1
        return self.n

    @property
    def now(self) -> int:
        return self.world.clock.now()

    # --- doing ---

    def does(self, what: str, body: Body[object]) -> bool:
        """A real action in its transaction; False where it was refused."""
        return self.tries(what, lambda tx: (body(tx), True)) is not None

    def tries(self, what: str, body: Body[T]) -> T | None:
        """The same; what it answers, None where it was refused."""
        try:
            done = self.world.write(body)
        except Refused as refused:
            self.seen[f"{what} refused: {refused.code}"] += 1
            return None
        self.seen[what] += 1
        return done

    def apart_from(self, place: Place, act: Callable[[], T]) -> T:
        """An act of one workspace: law 7, no decision of the other one changes by it, for anybody."""
        before = self.decisions(but=place)
        done = act()
        assert self.decisions(but=place) == before, f"{place.slug} changed its neighbour"
        return done

    def decisions(self, *, but: Place | None = None) -> list[tuple[int, int, str]]:
        """What the gate says to every session of every workspace."""
        return [
            (index, place.id, self.says(by, place))
            for index, (_, by) in enumerate(self.visits)
            for place in self.places
            if place is not but
        ]

    def says(self, by: By, place: Place) -> str:
        known = self.world.known(by)
        if known.facts.account is None:
            return "nobody"
        return _NAMES[type(decide_workspace(known.facts, place.id))]

    # --- people ---

    def comes(self, who: Someone) -> int:
        """A sign-in with the right password: a new session; its index."""
        token = new_token()
        address = addresses.parse(who.email)
        candidate = self.world.read(lambda tx: sign_in.look(tx, by=DOOR, address=address))
        done = self.world.write(
            lambda tx: sign_in.sign_in(
                tx, by=DOOR, candidate=candidate, right=True, kind=Credential.COOKIE, token=token
            )
        )
        assert isinstance(done, Proved)
        by = By("account", who.id, who.name, DOOR.ip, "test", token.hash, Credential.COOKIE, b"browser")
        self.visits.append((Visit(who, [Shown("password", self.tick(), self.now)]), by))
        self.seen["signed in"] += 1
        return len(self.visits) - 1

    def shows_app(self, index: int, which: int = 0) -> bool:
        """A code of one of the person's apps, a fresh one."""
        visit, by = self.visits[index]
        apps = [each for each in visit.who.things.values() if each.kind == "app"]
        if not apps:
            return False
        app = apps[which % len(apps)]
        assert app.seed is not None
        self.world.wait(90 * SECOND)  # no step is ever taken twice
        code, token = self.world.code(app.seed), new_token()
        done = self.tries("code", lambda tx: second_step.present_totp(tx, by=by, code=code, token=token))
        if not isinstance(done, Proved):
            return False
        visit.shown.append(Shown("app", self.tick(), self.now, app.id))
        for each in visit.who.things.values():
            each.suspended = False  # a right second factor lifts what failures suspended
        self.visits[index] = (visit, carried_on(by, token))
        return True

    def fully(self, who: Someone) -> By:
        """A session with all that the person can show."""
        index = self.comes(who)
        self.shows_app(index)
        return self.visits[index][1]

    def asks_mail(self, index: int, place: Place) -> None:
        """The mailed link, asked for and used at once, with the number where it needs one."""
        visit, by = self.visits[index]
        sent = self.tries("ticket", lambda tx: tickets.send(tx, by=by, workspace_id=place.id))
        if sent is None:
            return
        mate = place.mates[visit.who.id]
        kind = "reset" if mate.reset is not None else "ticket"
        link = letter(self.world, kind, to=visit.who.email).hash()
        number = self.numbers.get(mate.reset) if mate.reset is not None else None
        done = self.tries("redeem", lambda tx: tickets.redeem(tx, by=by, token_hash=link, number=number))
        if isinstance(done, Redeemed):
            visit.shown.append(Shown("mail", self.tick(), self.now, workspace=place.id, reset=mate.reset))

    def enrols(self, index: int, place: Place | None, replaces: int | None = None) -> None:
        """Set-up, begun and confirmed. Law 14: it reaches nothing that this session could not bind in."""
        visit, by = self.visits[index]
        target = place.id if place is not None else None
        allowed = {each.id for each in self.places if may_bind_in(visit, each, self.now)}
        pending = self.tries(
            "begin",
            lambda tx: enrolment.begin(tx, by=by, name="", replaces=replaces, workspace_id=target),
        )
        if pending is None:
            return
        code, token = self.world.code(pending.seed), new_token()
        codes = [HashedCode(f"{each:04d}", "unusable") for each in range(10)]
        done = self.tries(
            "confirm",
            lambda tx: enrolment.confirm(
                tx, by=by, enrolment_id=pending.id, code=code, codes=codes, token=token
            ),
        )
        if not isinstance(done, Confirmed):
            return
        homeless = not any(visit.who.id in each.mates for each in self.places)
        assert allowed or (homeless and may_bind_alone(visit)), "bound without the mailbox or a second factor"
        self._bound(visit, allowed, done.authenticator_id, pending.seed, replaces)
        visit.shown.append(Shown("app", self.tick(), self.now, done.authenticator_id))
        self.visits[index] = (visit, carried_on(by, token))

    def _bound(self, visit: Visit, allowed: set[int], id: int, seed: bytes, replaces: int | None) -> None:
        """The database's own word of what reaches where, taken over after it was held against what was allowed."""
        who = visit.who
        mine = {each.id for each in self.places if who.id in each.mates}
        before = {each.id for each in who.things.values()}
        facts = self.world.read(lambda tx: read_account_facts(tx, who.id))
        for each in facts.authenticators:
            if each.id in before:
                continue
            if each.reach.everywhere:
                assert allowed == mine, "reaches a workspace that was left out"
            else:
                assert each.reach.workspaces <= allowed, "reaches more than this session could bind in"
            who.things[each.id] = Thing(
                each.id,
                "app" if each.method is Method.TOTP else "codes",
                each.reach.everywhere,
                each.reach.workspaces,
                seed if each.id == id else None,
            )
        there = {each.id: each for each in facts.authenticators}
        for gone in [each for each in who.things.values() if each.id not in there]:
            assert gone.kind == "codes" or gone.id == replaces, "an app went that nobody took away"
            del who.things[gone.id]
        if replaces is not None and replaces in there:
            who.things[replaces].void = set(there[replaces].void)
            assert who.things[replaces].void <= allowed | {
                each.id for each in self.places if each.id not in mine
            }
        for place in self.places:
            if who.id in place.mates and who.enrolled(place):
                place.mates[who.id].reset = None
                place.mates[who.id].exempt_until = 0

    def takes_away(self, index: int) -> bool:
        """The person's own app: never the last one where a mandate is in force (the seed, sentence 10)."""
        visit, by = self.visits[index]
        apps = [each for each in visit.who.things.values() if each.kind == "app"]
        if not apps:
            return False
        app = apps[0]
        bound = [
            each
            for each in self.places
            if visit.who.id in each.mates
            and each.binds(each.mates[visit.who.id], self.now)
            and app in visit.who.relied(each)
            and not any(other.kind == "app" and other is not app for other in visit.who.relied(each))
        ]
        gone = self.does("unbind", lambda tx: authenticators.unbind(tx, by=by, authenticator_id=app.id))
        if gone:
            assert not bound, "the last second factor went where it is required"
            self._forget_gone(visit.who)
        return gone

    def _forget_gone(self, who: Someone) -> None:
        facts = self.world.read(lambda tx: read_account_facts(tx, who.id))
        there = {each.id for each in facts.authenticators}
        who.things = {id: each for id, each in who.things.items() if id in there}

    def is_suspended(self, who: Someone) -> None:
        """As after a hundred wrong codes: still relied on."""
        apps = [each for each in who.things.values() if each.kind == "app"]

        def body(tx: Transaction) -> None:
            for each in apps:
                store_authenticators.suspend(tx, each.id, EVERYWHERE)

        self.world.write(body)
        for each in apps:
            each.suspended = True
        self.seen["suspended"] += len(apps)

    # --- workspaces ---

    def policy(self, place: Place, by: By, *, required: bool, at: int | None = None) -> None:
        row = self.world.read(lambda tx: store_workspaces.by_id(tx, place.id))
        assert row is not None
        what = "off" if not required else "now" if at is None else "later"
        was = place.required_from
        done = self.apart_from(
            place,
            lambda: self.tries(
                f"mandate {what}",
                lambda tx: mandate.change_policy(
                    tx,
                    by=by,
                    workspace_id=place.id,
                    required=required,
                    required_from=at,
                    managed_by=ManagedBy.ADMINS,
                    if_revision=row.revision,
                    reason="An audit",
                ),
            ),
        )
        if done is None:
            return
        assert was is None or was > self.now or done.required_from in (None, was), "put off while in force"
        if done.required_from is not None and was is None:
            place.announced_n = self.tick()
        place.required_from = done.required_from
        if done.required_from is None:
            for mate in place.mates.values():
                mate.exempt_until = 0

    def resets(self, place: Place, who: Someone, by: By) -> None:
        """ "Disable 2FA" in one workspace: what it relied on is void there, what was shown counts there no more."""
        mate = place.mates.get(who.id)
        if mate is None:
            return
        relied = who.relied(place)
        done = self.apart_from(
            place,
            lambda: self.tries(
                "reset",
                lambda tx: resets.disable_two_factor(
                    tx,
                    by=by,
                    workspace_id=place.id,
                    teammate_id=mate.id,
                    reason="Lost phone",
                    recognised_by="phone",
                ),
            ),
        )
        if done is None:
            return
        self.numbers[done.reset_id] = done.number
        if done.done:
            assert by is OPERATOR or self.rank(mate) is Role.MEMBER, "an admin or owner, at once"
            self._is_void(place, who, relied, done.reset_id)
        else:
            self.waiting[done.reset_id] = Waiting(place, who, self.now, DELAYS[self.rank(mate)])

    def _is_void(self, place: Place, who: Someone, relied: list[Thing], reset_id: int) -> None:
        for each in relied:
            each.void.add(place.id)
        place.mates[who.id].reset, place.mates[who.id].valid_after = reset_id, self.tick()

    def rank(self, mate: Mate) -> Role:
        """The highest role of the last seven days."""
        held = [mate.role, *(role for role, until in mate.former if until > self.now - 7 * DAY)]
        return max(map(Role, held), key=lambda each: each.rank)

    def resets_come_due(self) -> None:
        """The background task."""
        while self.tries("due", reset_doing.finish_due):
            pass
        self.settles()

    def approves(self, by: By) -> None:
        """A second owner agrees to what waits, if that is what they are."""
        for reset_id, each in list(self.waiting.items()):
            agree = partial(resets.approve, by=by, workspace_id=each.place.id, reset_id=reset_id)
            if self.does("approve", agree):
                assert by.id != each.who.id, "approved their own"
                each.approved = True
        self.settles()

    def stops(self, by: By) -> None:
        """Whoever asked, or an owner, takes back what waits."""
        for reset_id, each in list(self.waiting.items()):
            self.does(
                "stop", partial(reset_ending.cancel, by=by, workspace_id=each.place.id, reset_id=reset_id)
            )

    def settles(self) -> None:
        """What became of the resets that waited: done not before their time, unless approved; or ended."""
        for reset_id, each in list(self.waiting.items()):
            row = self.world.read(partial(store_resets.by_id, reset_id=reset_id))
            assert row is not None
            if row.done_at is not None:
                assert each.approved or row.done_at - each.asked_at >= each.delay, "done before its time"
                self._is_void(each.place, each.who, each.who.relied(each.place), reset_id)
                self.seen["waited and done"] += 1
            elif row.ended_at is not None:
                self.seen[f"ended by {row.ended_by}"] += 1
            else:
                continue
            del self.waiting[reset_id]

    def accepts(self, place: Place, who: Someone, by: By) -> None:
        """A workspace relies on an app that does not reach it, or was void in it."""
        for each in [each for each in who.things.values() if each.kind == "app"]:
            accept = partial(
                accepting.accept,
                by=by,
                workspace_id=place.id,
                authenticator_id=each.id,
                reason="Seen in person",
            )
            if self.apart_from(place, partial(self.does, "accept", accept)):
                assert each not in who.relied(place)
                assert by.id != who.id, "accepted their own"
                accepter = place.mates[by.id or 0].role
                wanted = Role.ADMIN if self.rank(place.mates[who.id]) is Role.MEMBER else Role.OWNER
                assert Role(accepter).rank >= wanted.rank, "accepted by somebody who could not reset"
                each.void.discard(place.id)
                each.accepted.add(place.id)
                place.mates[who.id].reset = None
                place.mates[who.id].exempt_until = 0

    def is_excepted(self, place: Place, who: Someone, asks: By, agrees: By, until: int) -> None:
        """More time for a member: one asks, another agrees."""
        mate = place.mates.get(who.id)
        if mate is None:
            return
        asked = self.tries(
            "exception",
            lambda tx: exceptions.ask(
                tx, by=asks, workspace_id=place.id, teammate_id=mate.id, reason="Broken arm", ends_at=until
            ),
        )
        if asked is None:
            return
        agree = partial(exceptions.approve, by=agrees, workspace_id=place.id, exception_id=asked.id)
        if self.apart_from(place, partial(self.does, "agree", agree)):
            assert mate.role == Role.MEMBER
            assert agrees.id not in (asks.id, who.id)
            assert until <= self.now + 30 * DAY
            mate.exempt_until = until

    def removes(self, place: Place, who: Someone, by: By) -> None:
        mate = place.mates.get(who.id)
        if mate is None:
            return
        done = self.apart_from(
            place,
            lambda: self.does(
                "remove", lambda tx: teammates.remove(tx, by=by, workspace_id=place.id, teammate_id=mate.id)
            ),
        )
        if done:
            self._is_gone(place, who)

    def leaves(self, index: int, place: Place) -> None:
        visit, by = self.visits[index]
        if visit.who.id not in place.mates:
            return
        if self.does("leave", lambda tx: teammates.leave(tx, by=by, workspace_id=place.id)):
            self._is_gone(place, visit.who)

    def _is_gone(self, place: Place, who: Someone) -> None:
        mate = place.mates.pop(who.id)
        mate.valid_after = self.tick()
        place.former[who.id] = mate

    def returns(self, place: Place, index: int, by: By) -> None:
        """Invited again, and accepted with the session at hand."""
        visit, mine = self.visits[index]
        who = visit.who
        if who.id in place.mates:
            return
        address = addresses.parse(who.email)
        invited = self.tries(
            "invite",
            lambda tx: invitations.invite(
                tx, by=by, workspace_id=place.id, pasted=[address], role=Role.MEMBER
            ),
        )
        if invited is None:
            return
        link = letter(self.world, "invitation", to=who.email).hash()
        joined = self.tries("return", lambda tx: joining.accept_existing(tx, by=mine, token_hash=link))
        if joined is None:
            return
        former = place.former.pop(who.id, None)
        mate = Mate(joined.teammate_id, Role.MEMBER, self.tick(), self.now)
        if former is not None:
            mate.valid_after, mate.reset = self.tick(), former.reset
        place.mates[who.id] = mate

    def role(self, place: Place, who: Someone, role: Role, by: By) -> None:
        mate = place.mates.get(who.id)
        if mate is None:
            return
        done = self.apart_from(
            place,
            lambda: self.tries(
                "role",
                lambda tx: teammates.change_role(
                    tx, by=by, workspace_id=place.id, teammate_id=mate.id, role=role
                ),
            ),
        )
        if done:
            mate.former.append((mate.role, self.now))
            mate.role = role
            if role != Role.MEMBER:
                mate.exempt_until = 0

    def is_restored(self) -> None:
        """A backup is put back: every session is over, and a code of before opens nothing (law 11)."""
        self.world.wait(90 * SECOND)
        codes = [
            (who, self.world.code(each.seed))
            for who in self.people
            for each in who.things.values()
            if each.seed is not None
        ]
        self.tries("restore", lambda tx: restored.after_restore(tx, by=OPERATOR))
        assert all(self.world.known(by).facts.account is None for _, by in self.visits)
        self.visits = []
        for who, code in codes:
            _, by = self.visits[self.comes(who)]
            show = partial(second_step.present_totp, by=by, code=code, token=new_token())
            assert not isinstance(self.tries("code of before", show), Proved), "a code of before the restore"

    # --- what holds at every moment ---

    def holds(self) -> None:
        """What waited; and laws 2, 3 and 8, for every session and workspace. What is over is forgotten."""
        self.settles()
        alive = []
        for visit, by in self.visits[-KEPT:]:
            facts = self.world.known(by).facts
            if facts.account is None:
                continue
            alive.append((visit, by))
            if facts.idle:
                continue  # the first factor resumes it: it is asked for, whatever it has shown
            for place in self.places:
                said = _NAMES[type(decide_workspace(facts, place.id))]
                self.seen[f"said {said}"] += 1
                assert said == expected(visit, place, facts.now), (visit.who.name, place.slug)
        self.visits = alive
        for place in self.places:
            if place.required_from is not None:
                owners = [id for id, mate in place.mates.items() if mate.role == Role.OWNER]
                enrolled = self.world.read(lambda tx, id=place.id: store_teammates.enrolled_owners(tx, id))  # type: ignore[misc]
                by_model = [each.id for each in self.people if each.id in owners and each.enrolled(place)]
                assert sorted(enrolled) == sorted(by_model)
                if not enrolled and len(owners) == 1 and place.mates[owners[0]].reset is not None:
                    self.seen["the sole owner is on the way back"] += 1
                    continue
                assert enrolled, f"nobody can open {place.slug} (law 8)"

    def way_on(self, who: Someone) -> None:
        """Law 9, for somebody who signs in now: in, or a factor to show, or set-up, whose link may be asked for."""
        index = self.comes(who)
        visit, by = self.visits[index]
        for place in self.places:
            if who.id not in place.mates:
                continue
            said = self.says(by, place)
            if said == "enrol":
                assert isinstance(self.world.decides(by, kinds.ASK_TICKET.at(place.id)), Allow)
                self.seen["led to set-up"] += 1
            elif said == "challenge":
                usable = [each for each in who.relied(place) if not each.suspended]
                decision = self.world.opens(by, place.id)
                assert isinstance(decision, Challenge)
                assert bool(decision.methods) == bool(usable), "a factor that is there is not asked for"
        assert to_text(visit.who.id)
