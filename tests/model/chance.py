"""Who, where and when, by chance; and what people do for themselves."""

import random
from collections.abc import Callable

from nightlatch.instants import HOUR, MINUTE
from nightlatch.vocabulary import Role
from tests.model.life import Life
from tests.model.model import Place, Someone
from tests.support.passkeys import SoftPasskey
from tests.support.world import World


class Chance:
    """One life, and what decides in it."""

    def __init__(self, world: World, chance: random.Random) -> None:
        self.life = Life(world)
        self.chance = chance
        self.life.begin()
        self.told: list[str] = []

    # --- who and where ---

    def one(self) -> Someone:
        return self.chance.choice(self.life.people)

    def place(self) -> Place:
        return self.chance.choice(self.life.places)

    def visit(self) -> int | None:
        return self.chance.randrange(len(self.life.visits)) if self.life.visits else None

    def there(self, place: Place, wanted: Callable[[Someone], bool]) -> Someone | None:
        """Somebody of a workspace of whom it is true."""
        found = [each for each in self.life.people if each.id in place.mates and wanted(each)]
        return self.chance.choice(found) if found else None

    def owner(self, place: Place) -> Someone:
        """An owner who has 2FA there, else any owner."""

        def owns(each: Someone) -> bool:
            return place.mates[each.id].role == Role.OWNER

        found = self.there(place, lambda each: owns(each) and each.ready(place)) or self.there(place, owns)
        assert found is not None, "a workspace without any owner"
        return found

    def manager(self, place: Place, *but: Someone) -> Someone | None:
        """An owner or admin, with what is required there if there is one."""

        def manages(each: Someone) -> bool:
            return place.mates[each.id].role != Role.MEMBER and each not in but

        return self.there(place, lambda each: manages(each) and each.ready(place)) or self.there(
            place, manages
        )

    # --- people ---

    def somebody_comes(self) -> None:
        self.life.comes(self.one())

    def comes_by_a_passkey(self) -> None:
        self.life.comes_by_key(self.one())

    def shows_a_code(self) -> None:
        index = self.visit()
        if index is not None:
            self.life.shows_app(index, self.chance.randrange(5))

    def shows_a_passkey(self) -> None:
        index = self.visit()
        if index is not None:
            self.life.shows_key(index, self.chance.randrange(5))

    def shows_a_recovery_code(self) -> None:
        """And sets up something new by it."""
        index = self.visit()
        if index is not None and self.life.shows_recovery_code(index, self.chance.randrange(5)):
            self.life.enrols(index, self.chance.choice([None, *self.life.places]), soft=self.something())

    def something(self) -> SoftPasskey | None:
        """What is set up: an app (None), or a passkey, which verifies its user, as most do, or is only touched."""
        chance = self.chance.random()
        return None if chance < 0.5 else SoftPasskey(verifies=chance < 0.85)

    def asks_for_the_link(self) -> None:
        index, place = self.visit(), self.place()
        if index is not None:
            self.life.asks_mail(index, place)

    def enrols(self) -> None:
        index = self.visit()
        if index is not None:
            self.life.enrols(index, self.chance.choice([None, *self.life.places]), soft=self.something())

    def sets_up(self, place: Place | None = None, who: Someone | None = None) -> None:
        """At one go: in, the link, the app or passkey."""
        place = place or self.place()
        who = who or self.there(place, lambda each: not each.enrolled(place))
        if who is not None:
            index = self.life.comes(who)
            self.life.asks_mail(index, place)
            self.life.enrols(index, place, soft=self.something())

    def sets_up_again(self) -> None:
        """Whom a reset waits for."""
        for place in self.life.places:
            waiting = self.there(place, lambda each: place.mates[each.id].reset is not None)  # noqa: B023
            if waiting is not None:
                self.sets_up(place, waiting)

    def gets_a_passkey(self, place: Place | None = None, who: Someone | None = None) -> None:
        """Beside what they have; more often an owner, without whom none is ever required."""
        place = place or self.place()
        who = who or self.chance.choice([self.owner(place), self.one()])
        if "key" not in who.kinds(place):
            self.life.fully(who)
            self.life.enrols(len(self.life.visits) - 1, None, soft=SoftPasskey())

    def replaces(self) -> None:
        who = self.one()
        old = who.of("app", "key")
        if old:
            self.life.fully(who)
            index = len(self.life.visits) - 1
            self.life.enrols(index, None, soft=self.something(), replaces=self.chance.choice(old).id)

    def takes_away(self) -> None:
        self.life.fully(self.one())
        self.life.takes_away(len(self.life.visits) - 1, *self.chance.choice([(), ("app",), ("key",)]))

    def is_suspended(self) -> None:
        self.life.is_suspended(self.one())

    def leaves(self) -> None:
        self.life.fully(self.one())
        self.life.leaves(len(self.life.visits) - 1, self.place())

    def comes_back(self) -> None:
        """Or comes for the first time. What they showed before counts there no more, and a passkey that is only touched
        afterwards is no first factor."""
        place = self.place()
        away = [each for each in self.life.people if each.id not in place.mates]
        if away:
            self.life.fully(self.chance.choice(away))
            index = len(self.life.visits) - 1
            if self.chance.random() < 0.5:
                self.life.enrols(index, None, soft=SoftPasskey(verifies=False))
            self.life.returns(place, index, self.life.fully(self.owner(place)))
            if self.chance.random() < 0.7:
                self.life.shows_key(index, -1)

    def looks_for_a_way_on(self) -> None:
        for each in self.life.people:
            self.life.way_on(each)

    # --- time ---

    def minutes_pass(self) -> None:
        self.life.world.wait(self.chance.randrange(1, 60) * MINUTE)

    def hours_pass(self) -> None:
        self.life.world.wait(self.chance.randrange(1, 30) * HOUR)

    def a_backup_is_put_back(self) -> None:
        self.life.is_restored()
