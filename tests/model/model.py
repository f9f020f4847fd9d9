"""What should be true, in the words of the design, kept beside a real database by `life.py`.

Written from docs/architecture.md and nothing else: it shares no code with `nightlatch.access`. Order is told by a
counter of its own (`n`), never by an instant; what a person has bound is a `Thing`, what a session has shown a `Shown`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from tests.support.passkeys import SoftPasskey

HOUR = 60 * 60 * 1_000_000


@dataclass
class Thing:
    """An authenticator that is bound: an app, a key (a passkey), or a set of recovery codes."""

    id: int
    kind: str
    everywhere: bool
    reaches: frozenset[int]
    seed: bytes | None = None
    """Of an app."""
    soft: SoftPasskey | None = None
    """Of a key: what signs."""
    codes: list[str] = field(default_factory=list)
    """Of recovery codes: the selectors of those that are not used."""
    void: set[int] = field(default_factory=set)
    accepted: set[int] = field(default_factory=set)
    suspended: bool = False


@dataclass(frozen=True)
class Shown:
    """One thing that a session has proved: `password`, `app`, `key`, `codes`, or `mail` (a ticket)."""

    kind: str
    n: int
    at: int
    thing: int | None = None
    workspace: int | None = None
    reset: int | None = None
    verified: bool = True
    """Of a key: it verified its user, and is both factors; only touched, it is a second one."""

    @property
    def first(self) -> bool:
        """Whether it is a first factor."""
        return self.kind == "password" or (self.kind == "key" and self.verified)


@dataclass
class Mate:
    """Somebody in a workspace."""

    id: int
    role: str
    joined_n: int
    joined_at: int
    valid_after: int = 0
    reset: int | None = None
    """After a reset only its own ticket binds here, until something is bound."""
    exempt_until: int = 0
    former: list[tuple[str, int]] = field(default_factory=list)
    """Roles that they had, and until when."""


@dataclass
class Place:
    """A workspace: from when it requires 2FA, and from when passkeys alone; when it said so; when it gave that up."""

    id: int
    slug: str
    required_from: int | None = None
    announced_n: int = 0
    given_up_at: int | None = None
    keys_from: int | None = None
    keys_announced_n: int = 0
    keys_given_up_at: int | None = None
    on_the_way_back: bool = False
    """Its sole owner was reset by an admin, and no owner has set up since: the one time that law 8 waits."""
    mates: dict[int, Mate] = field(default_factory=dict)
    former: dict[int, Mate] = field(default_factory=dict)
    """Who was here once: a return is the same row again."""

    def binds(self, mate: Mate, now: int) -> bool:
        """Whether it requires 2FA of this one now: no grace for who came after it was announced."""
        if self.required_from is None or now < mate.exempt_until:
            return False
        return self.required_from <= now or mate.joined_n > self.announced_n

    def wants_key(self, mate: Mate, now: int) -> bool:
        """Whether it takes nothing but a passkey of this one now."""
        if self.keys_from is None or not self.binds(mate, now):
            return False
        return self.keys_from <= now or mate.joined_n > self.keys_announced_n

    def spares(self, who: "Someone", now: int) -> bool:
        """Whether more time is all that spares this one what is required."""
        mate = self.mates.get(who.id)
        in_time = (
            mate is not None
            and self.required_from is not None
            and self.required_from <= now < mate.exempt_until
        )
        return in_time and not who.ready(self)

    def would_do(self, kind: str, mate: Mate, now: int) -> bool:
        """Whether this one has what it requires with something of this kind."""
        return kind == "key" or (kind == "app" and not self.wants_key(mate, now))


@dataclass
class Someone:
    """An account."""

    id: int
    name: str
    email: str
    things: dict[int, Thing] = field(default_factory=dict)

    def relied(self, place: Place) -> list[Thing]:
        """What a workspace relies on: it reaches it or was accepted there, and is not void there."""
        return [
            each
            for each in self.things.values()
            if place.id not in each.void
            and (each.everywhere or place.id in each.reaches or place.id in each.accepted)
        ]

    def of(self, *kinds: str) -> list[Thing]:
        """What of these kinds is bound."""
        return [each for each in self.things.values() if each.kind in kinds]

    def kinds(self, place: Place) -> set[str]:
        """Of which kinds a workspace relies on something, recovery codes left out."""
        return {each.kind for each in self.relied(place)} - {"codes"}

    def enrolled(self, place: Place) -> bool:
        """Relied on more than recovery codes."""
        return bool(self.kinds(place))

    def ready(self, place: Place) -> bool:
        """Has what is required there, now or from a date: 2FA, or a passkey."""
        return "key" in self.kinds(place) if place.keys_from is not None else self.enrolled(place)

    def usable(self, places: Sequence[Place]) -> set[int]:
        """What one of these workspaces would take now; without any: what is void nowhere."""
        here = [each for place in places for each in self.relied(place)]
        if not places:
            here = [each for each in self.things.values() if not each.void]
        return {each.id for each in here if not each.suspended}


@dataclass
class Visit:
    """A session: whose, and what it has shown."""

    who: Someone
    shown: list[Shown] = field(default_factory=list)

    def counting(self, place: Place, mate: Mate) -> list[Shown]:
        """What of it counts in a workspace now."""
        relied = {each.id for each in self.who.relied(place)}
        return [
            each
            for each in self.shown
            if each.n > mate.valid_after and (each.kind == "password" or each.thing in relied)
        ]

    def first(self, place: Place, mate: Mate) -> bool:
        """Whether a first factor counts there."""
        return any(each.first for each in self.counting(place, mate))

    def second(self, place: Place, mate: Mate) -> bool:
        """Whether a second factor counts there."""
        return any(each.kind != "password" for each in self.counting(place, mate))

    def mailbox(self, place: Place, mate: Mate, now: int) -> bool:
        """Whether the mailbox was shown for a first binding there: the reset's own ticket after a reset."""
        if self.who.relied(place):
            return False
        return any(
            each.kind == "mail"
            and each.n > mate.valid_after
            and now - each.at < HOUR
            and each.workspace in (None, place.id)
            and each.reset == mate.reset
            for each in self.shown
        )


def expected(visit: Visit, place: Place, now: int) -> str:
    """`allow`, `challenge`, `enrol` or `deny`: what the gate should say of a workspace."""
    mate = place.mates.get(visit.who.id)
    if mate is None:
        return "deny"
    if not visit.first(place, mate):
        return "challenge"
    if visit.second(place, mate):
        shown = {each.kind for each in visit.counting(place, mate)}
        if "key" in shown or not place.wants_key(mate, now):
            return "allow"
        return "enrol" if "codes" in shown or "key" not in visit.who.kinds(place) else "challenge"
    if visit.who.relied(place):
        return "challenge"
    return "enrol" if place.binds(mate, now) else "allow"


def leads_on(visit: Visit, place: Place, now: int) -> set[str]:
    """What is to be asked for where the gate says `challenge` to somebody whose first factor counts."""
    mate = place.mates[visit.who.id]
    kinds = {each.kind for each in visit.who.relied(place) if not each.suspended}
    if not place.wants_key(mate, now) or "key" not in visit.who.kinds(place):
        return kinds
    return kinds - {"app"} if not visit.second(place, mate) else kinds & {"key"}


def may_bind_in(visit: Visit, place: Place, now: int) -> bool:
    """Law 14: a first factor that counts, and a second one that counts or that workspace's mailbox.

    Where only a passkey is taken and there is one, that or a recovery code is the second one.
    """
    mate = place.mates.get(visit.who.id)
    if mate is None or not visit.first(place, mate):
        return False
    if not visit.who.relied(place):
        return visit.mailbox(place, mate, now)
    shown = {each.kind for each in visit.counting(place, mate)}
    phishable = place.wants_key(mate, now) and "key" in visit.who.kinds(place)
    return bool(shown & ({"key", "codes"} if phishable else {"app", "key", "codes"}))


def may_bind_alone(visit: Visit) -> bool:
    """The same for somebody in no workspace: a first factor, and what is bound and void nowhere."""
    bound = {each.id for each in visit.who.things.values() if not each.void}
    counting = [each for each in visit.shown if each.kind == "password" or each.thing in bound]
    return any(each.first for each in counting) and any(each.kind != "password" for each in counting)
