"""What should be true, in the words of the design, kept beside a real database by `life.py`.

Written from docs/architecture.md and nothing else: it shares no code with `nightlatch.access`. Order is told by a
counter of its own (`n`), never by an instant; what a person has bound is a `Thing`, what a session has shown a `Shown`.
"""

from dataclasses import dataclass, field

HOUR = 60 * 60 * 1_000_000


@dataclass
class Thing:
    """An authenticator that is bound: an app, or a set of recovery codes."""

    id: int
    kind: str
    everywhere: bool
    reaches: frozenset[int]
    seed: bytes | None = None
    void: set[int] = field(default_factory=set)
    accepted: set[int] = field(default_factory=set)
    suspended: bool = False


@dataclass(frozen=True)
class Shown:
    """One thing that a session has proved: `password`, `app`, `codes`, or `mail` (a ticket)."""

    kind: str
    n: int
    at: int
    thing: int | None = None
    workspace: int | None = None
    reset: int | None = None


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
    """A workspace: from when it requires 2FA, and when it said so."""

    id: int
    slug: str
    required_from: int | None = None
    announced_n: int = 0
    mates: dict[int, Mate] = field(default_factory=dict)
    former: dict[int, Mate] = field(default_factory=dict)
    """Who was here once: a return is the same row again."""

    def binds(self, mate: Mate, now: int) -> bool:
        """Whether it requires 2FA of this one now: no grace for who came after it was announced."""
        if self.required_from is None or now < mate.exempt_until:
            return False
        return self.required_from <= now or mate.joined_n > self.announced_n


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

    def enrolled(self, place: Place) -> bool:
        """Relied on more than recovery codes."""
        return any(each.kind == "app" for each in self.relied(place))


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
            if each.n > mate.valid_after
            and (each.kind == "password" or (each.kind in ("app", "codes") and each.thing in relied))
        ]

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
    counting = visit.counting(place, mate)
    if not any(each.kind == "password" for each in counting):
        return "challenge"
    if visit.who.relied(place):
        return "allow" if visit.second(place, mate) else "challenge"
    return "enrol" if place.binds(mate, now) else "allow"


def may_bind_in(visit: Visit, place: Place, now: int) -> bool:
    """Law 14: a first factor that counts, and a second one that counts or that workspace's mailbox."""
    mate = place.mates.get(visit.who.id)
    if mate is None or not any(each.kind == "password" for each in visit.counting(place, mate)):
        return False
    return visit.second(place, mate) or visit.mailbox(place, mate, now)


def may_bind_alone(visit: Visit) -> bool:
    """The same for somebody in no workspace: the password, and what is bound and void nowhere."""
    bound = {each.id for each in visit.who.things.values() if not each.void}
    kinds = {each.kind for each in visit.shown if each.kind == "password" or each.thing in bound}
    return "password" in kinds and bool(kinds & {"app", "codes"})
