"""The play: announced today, required in two weeks, watched for six. What each person does follows from their habits.

Time is a queue of appointments; an hour passes between two rounds of mail. Everything that opens, asks or refuses is
the real system's answer at that moment.
"""

import heapq
import itertools
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from nightlatch.actions import mandate, resets, teammates
from nightlatch.actions.by import By, operator
from nightlatch.addresses import Address, parse
from nightlatch.facts import EVERYWHERE
from nightlatch.ids import new_id, to_text
from nightlatch.instants import DAY, HOUR, MINUTE, Duration, Instant
from nightlatch.policy import ManagedBy
from nightlatch.simulation.cast import Character, cast
from nightlatch.simulation.town import Mail, Town
from nightlatch.store import accounts, authenticators, standing, workspaces
from nightlatch.store import teammates as store_teammates
from nightlatch.store.engine import Transaction
from nightlatch.vocabulary import Method, Role

BEGINS: Instant = 1_767_600_000 * 1_000_000
"""Monday, 5 January 2026, 08:00 UTC."""
NOTICE: Duration = 14 * DAY
LENGTH: Duration = 42 * DAY
ADMINS = 4


@dataclass
class Person:
    """A character on the stage."""

    character: Character
    account: tuple[int, str, Address]
    teammate_id: int
    seed: bytes | None = None
    app_id: int | None = None
    has_phone: bool = True
    codes_used: int = 0
    mails: int = 0
    number: str | None = None
    """What an admin read out to them, after a reset."""
    shut_since: Instant | None = None
    shut_why: str = ""
    asked_admin: bool = False
    gone: bool = False

    @property
    def email(self) -> str:
        """Where their mail goes."""
        return self.account[2].display


@dataclass
class Day:
    """How things stood at the end of a day."""

    number: int
    set_up: int
    not_set_up: int
    shut_out: int

    @property
    def everybody(self) -> int:
        """All of them."""
        return self.set_up + self.not_set_up + self.shut_out


@dataclass
class Told:
    """What came of it."""

    people: int
    seed: int
    days: list[Day] = field(default_factory=list)
    shut_out: list[tuple[str, Duration]] = field(default_factory=list)
    """Why, and for how long, each time somebody could not work for more than an hour."""
    set_up_on_the_spot: int = 0
    """Led to set-up at a click, and in within the hour."""
    mails: Counter[str] = field(default_factory=Counter)
    most_mails: int = 0
    tries: Counter[str] = field(default_factory=Counter)
    """What the thieves tried, and what came of it."""
    below_policy: int = 0
    """Visits that were let in though they had shown less than was required: must be none."""


class Play:
    """One company, from the announcement on."""

    def __init__(self, folder: Path, people: int, seed: int) -> None:
        self.chance = random.Random(seed)  # noqa: S311 (a play, no secret)
        self.told = Told(people, seed)
        self.people: dict[str, Person] = {}
        self.town = Town(folder, BEGINS, self._deaf)
        self._queue: list[tuple[Instant, int, Callable[[], None]]] = []
        self._order = itertools.count()
        self._populate(people)
        self._announce()

    def day(self, number: int) -> None:
        """The `number`th day, from 1 on, hour by hour."""
        start = BEGINS + (number - 1) * DAY
        for hour in range(1, 25):
            self._until(start + hour * HOUR)
        self._count(number)

    def end(self) -> Told:
        """What came of it; the database is let go of."""
        for person in self.people.values():
            self._in(person)
        self.town.close()
        return self.told

    # --- the stage ---

    def _populate(self, people: int) -> None:
        """Two owners and four admins, who have 2FA already, and everybody else, who has not."""
        self.workspace = self.town.store.write_now(lambda tx: workspaces.create(tx, slug="acme", name="Acme"))
        managers = ["Olivia", "Omar", *(f"Admin {number}" for number in range(1, ADMINS + 1))]
        roles = [Role.OWNER, Role.OWNER, *[Role.ADMIN] * ADMINS]
        characters = cast(people + len(managers), LENGTH, NOTICE, self.chance)
        names = [*managers, *(f"Person {number}" for number in range(1, people + 1))]
        self.managers: list[Person] = []
        for start in range(0, len(names), 500):
            chunk = list(zip(characters, names, strict=True))[start : start + 500]
            made = self.town.store.write_now(partial(self._make_all, chunk=chunk, roles=roles))
            for person in made:
                self.people[person.email] = person
        self.managers = list(self.people.values())[: len(managers)]
        for person in self.people.values():
            if person not in self.managers[:2]:
                self._plan(person)

    def _make_all(
        self, tx: Transaction, chunk: list[tuple[Character, str]], roles: list[Role]
    ) -> list[Person]:
        return [self._make(tx, character, name, roles) for character, name in chunk]

    def _make(self, tx: Transaction, character: Character, name: str, roles: list[Role]) -> Person:
        address = parse(f"{name.replace(' ', '.').lower()}@acme.example")
        role = roles[character.number] if character.number < len(roles) else Role.MEMBER
        account_id = accounts.create(tx, name=name, address=address, password_hash="said to match")
        teammate_id = store_teammates.join(tx, workspace_id=self.workspace, account_id=account_id, role=role)
        person = Person(character, (account_id, name, address), teammate_id)
        if role is not Role.MEMBER:
            person.seed = self.chance.randbytes(20)
            person.app_id = new_id()
            authenticators.bind(
                tx,
                id=person.app_id,
                account_id=account_id,
                method=Method.TOTP,
                name="Phone",
                reach=EVERYWHERE,
                sealed=tx.keys.seal("authenticators", to_text(person.app_id), person.seed),
            )
        standing.refresh(tx, account_id)
        return person

    def _plan(self, person: Person) -> None:
        """What their character says will happen to them."""
        character = person.character
        self._at(BEGINS + character.works_from, partial(self._works, person))
        if character.loses_phone_at is not None and person not in self.managers:
            self._at(BEGINS + character.loses_phone_at, partial(self._loses_phone, person))
        if character.password_stolen_at is not None:
            self._at(BEGINS + character.password_stolen_at, partial(self._password_thief, person))
        if character.mailbox_stolen_at is not None:
            self._at(BEGINS + character.mailbox_stolen_at, partial(self._mailbox_thief, person))

    def _announce(self) -> None:
        by = self._manager(self.managers[0])
        row = self.town.store.read_now(lambda tx: workspaces.by_id(tx, self.workspace))
        done = self.town.does(
            lambda tx: mandate.change_policy(
                tx,
                by=by,
                workspace_id=self.workspace,
                required=True,
                required_from=BEGINS + NOTICE,
                managed_by=ManagedBy.ADMINS,
                if_revision=row.revision if row is not None else 0,
                reason=None,
            )
        )
        if done is None:
            raise RuntimeError("the mandate could not be announced")
        for number, days in enumerate((10, 20)):
            self._at(BEGINS + days * DAY, partial(self._leaves, self.managers[-1 - number]))

    def _leaves(self, admin: Person) -> None:
        admin.gone = True
        self.town.does(
            lambda tx: teammates.remove(
                tx,
                by=operator("Nadia"),
                workspace_id=self.workspace,
                teammate_id=admin.teammate_id,
                reason="Left",
            )
        )

    # --- time ---

    def _at(self, when: Instant, what: Callable[[], None]) -> None:
        heapq.heappush(self._queue, (when, next(self._order), what))

    def _until(self, end: Instant) -> None:
        """Everything up to an instant, then the mail."""
        while self._queue and self._queue[0][0] <= end:
            when, _, what = heapq.heappop(self._queue)
            self.town.now = max(self.town.now, when)
            what()
        self.town.now = max(self.town.now, end)
        self._deliver()

    def _deliver(self) -> list[Mail]:
        """The mails that leave now; each is read after its reader's own time, at once by who waits for it."""
        arrived = self.town.mail_round()
        for mail in arrived:
            self.told.mails[mail.subject] += 1
            person = self.people.get(mail.to)
            if person is not None and not person.gone:
                person.mails += 1
                self.told.most_mails = max(self.told.most_mails, person.mails)
                delay = 5 * MINUTE if person.shut_since is not None else person.character.reads_after
                self._at(self.town.now + delay, partial(self._reads, person, mail))
        return arrived

    def _deaf(self, email: str) -> bool:
        person = self.people.get(email)
        return person is not None and self.town.now < BEGINS + person.character.mail_works_from

    def _count(self, day: int) -> None:
        here = [each for each in self.people.values() if not each.gone]
        ready = sum(each.seed is not None for each in here)
        out = sum(each.shut_since is not None for each in here)
        self.told.days.append(Day(day, ready, len(here) - ready - out, out))

    # --- what people do ---

    def _manager(self, who: Person) -> By:
        by = self.town.visits(who.account)
        done = self.town.shows_code(by, who.seed) if by is not None and who.seed is not None else None
        if done is None:
            raise RuntimeError("a manager could not sign in")
        return done

    def _works(self, person: Person) -> None:
        if person.gone:
            return
        self._at(self.town.now + person.character.works_every, partial(self._works, person))
        by = self.town.visits(person.account)
        if by is None:
            return
        if self.town.asks_second(by, self.workspace):
            by = self._second(person, by)
        if by is not None and self.town.opens(by, self.workspace):
            self._let_in(person)
            return
        if by is None:
            self._is_shut(person, "lost phone")
            self._asks_admin(person)
        elif person.number is None:
            self._is_shut(person, "the mailed link")
            self._asks_link(by)

    def _second(self, person: Person, by: By) -> By | None:
        """A code from the app; with the phone gone, a recovery code, and a new phone at once."""
        if person.has_phone and person.seed is not None:
            return self.town.shows_code(by, person.seed)
        if not person.character.keeps_codes or person.codes_used >= 10:
            return None
        shown = self.town.shows_recovery_code(by, person.codes_used)
        person.codes_used += 1
        if shown is None:
            return None
        made = self.town.sets_up(shown, self.workspace, replaces=person.app_id)
        if made is not None:
            by, person.seed, person.app_id = made
            person.has_phone = True
            return by
        return shown

    def _reads(self, person: Person, mail: Mail) -> None:
        """A mail with a link to set up: done where that is their habit by now, or where nothing opens without it."""
        ready = person.seed is not None and person.has_phone
        if mail.link is None or "password-reset" in mail.link or ready or person.gone:
            return
        if person.shut_since is None and person.mails < person.character.mails_needed:
            return
        by = self.town.visits(person.account)
        if by is None:
            return
        if not self.town.uses_link(by, mail.link, person.number):
            self._asks_link(by)  # it came too late: the page sends a fresh one
            if person.shut_since is None:
                person.mails = person.character.mails_needed
            return
        made = self.town.sets_up(by, self.workspace)
        if made is not None:
            by, person.seed, person.app_id = made
            person.has_phone, person.number, person.asked_admin, person.codes_used = True, None, False, 0
            if self.town.opens(by, self.workspace):
                self._let_in(person)

    def _asks_link(self, by: By) -> None:
        if self.town.asks_link(by, self.workspace):
            self._at(self.town.now + MINUTE, self._mail_leaves)

    def _mail_leaves(self) -> None:
        self._deliver()

    def _loses_phone(self, person: Person) -> None:
        person.has_phone = person.seed is None

    def _asks_admin(self, person: Person) -> None:
        """An admin calls them back within a day or so, and resets them."""
        if not person.asked_admin:
            person.asked_admin = True
            self._at(self.town.now + self.chance.randrange(1, 26) * HOUR, partial(self._is_reset, person))

    def _is_reset(self, person: Person) -> None:
        able = [each for each in self.managers if not each.gone]
        by = self._manager(self.chance.choice(able))
        done = self.town.does(
            lambda tx: resets.disable_two_factor(
                tx,
                by=by,
                workspace_id=self.workspace,
                teammate_id=person.teammate_id,
                reason="Lost phone",
                recognised_by="phone",
            )
        )
        if done is None:  # ten an hour by one admin: the next one tries in an hour
            self._at(self.town.now + HOUR, partial(self._is_reset, person))
            return
        person.number, person.seed = done.number, None

    # --- being shut out ---

    def _is_shut(self, person: Person, why: str) -> None:
        if person.shut_since is None:
            deaf = self._deaf(person.email)
            person.shut_since, person.shut_why = self.town.now, "mailbox takes nothing" if deaf else why

    def _let_in(self, person: Person) -> None:
        if self.town.now >= BEGINS + NOTICE and person.seed is None:
            self.told.below_policy += 1
        self._in(person)

    def _in(self, person: Person) -> None:
        if person.shut_since is None:
            return
        lasted = self.town.now - person.shut_since
        if lasted > HOUR:
            self.told.shut_out.append((person.shut_why, lasted))
        else:
            self.told.set_up_on_the_spot += 1
        person.shut_since = None

    # --- thieves ---

    def _password_thief(self, person: Person) -> None:
        """Somebody elsewhere knows the password, and nothing else."""
        by = self.town.visits(person.account, ip="203.0.113.66")
        inside = by is not None and self.town.opens(by, self.workspace)
        required = self.town.now >= BEGINS + NOTICE
        if inside and (required or person.seed is not None):
            self.told.below_policy += 1
        outcome = "let in: nothing was required yet, nothing set up" if inside else "stopped"
        self.told.tries[f"password alone: {outcome}"] += 1

    def _mailbox_thief(self, person: Person) -> None:
        """Somebody reads the mailbox: makes a new password by it, and tries every link that comes."""
        if person.gone or not self.town.resets_password(person.email, self._deliver):
            return
        by = self.town.visits(person.account, ip="203.0.113.99")
        if by is None:
            return
        was_set_up = person.seed is not None
        if was_set_up and self.town.opens(by, self.workspace):
            self.told.below_policy += 1
        if not self.town.opens(by, self.workspace) and self.town.asks_link(by, self.workspace):
            for mail in self._deliver():
                if mail.to == person.email and mail.link is not None:
                    self.town.uses_link(by, mail.link)
        made = None if self.town.opens(by, self.workspace) else self.town.sets_up(by, self.workspace)
        inside = made is not None or self.town.opens(by, self.workspace)
        if inside and was_set_up:
            self.told.below_policy += 1
        outcome = "as somebody who never set up: in" if inside else "stopped"
        self.told.tries[f"mailbox alone: {outcome}"] += 1
        if made is not None:
            person.gone = (
                True  # the person finds a stranger's 2FA on the account: an admin's matter, not played on
            )
