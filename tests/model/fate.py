"""What happens next, by chance: who does it, where, and when. Some of it is on purpose, where laws would give way."""

from collections.abc import Callable

from nightlatch.instants import DAY, HOUR
from nightlatch.vocabulary import Role
from tests.model.chance import Chance
from tests.model.model import Place, Someone
from tests.model.stage import OPERATOR


class Fate(Chance):
    """One life, act by act."""

    def step(self) -> None:
        acts, weights = zip(*self.acts(), strict=True)
        act: Callable[[], None] = self.chance.choices(acts, weights)[0]
        self.told.append(act.__name__)
        act()
        self.life.holds()

    def acts(self) -> list[tuple[Callable[[], None], int]]:
        """What can happen, and how often."""
        return [
            (self.somebody_comes, 2),
            (self.comes_by_a_passkey, 4),
            (self.shows_a_code, 3),
            (self.shows_a_passkey, 4),
            (self.shows_a_recovery_code, 3),
            (self.asks_for_the_link, 3),
            (self.enrols, 3),
            (self.sets_up, 8),
            (self.sets_up_again, 8),
            (self.gets_a_passkey, 5),
            (self.replaces, 4),
            (self.takes_away, 3),
            (self.is_suspended, 3),
            (self.leaves, 1),
            (self.comes_back, 5),
            (self.mandate_now, 4),
            (self.mandate_later, 3),
            (self.mandate_off, 2),
            (self.passkeys_now, 5),
            (self.passkeys_later, 4),
            (self.any_second_step, 4),
            (self.is_reset, 6),
            (self.is_reset_by_anybody, 2),
            (self.is_reset_by_the_operator, 1),
            (self.a_manager_is_reset, 6),
            (self.resets_come_due, 4),
            (self.a_reset_is_approved, 4),
            (self.a_reset_is_stopped, 1),
            (self.something_is_accepted, 8),
            (self.is_given_more_time, 6),
            (self.is_removed, 3),
            (self.has_another_role, 3),
            (self.loses_a_role_and_is_reset, 3),
            (self.the_owners_are_tempted, 7),
            (self.somebody_is_tempted, 3),
            (self.it_is_turned_on_without_owners, 3),
            (self.passkeys_are_required_without_owners, 2),
            (self.the_last_ready_owner_is_sent_away, 5),
            (self.minutes_pass, 4),
            (self.hours_pass, 2),
            (self.the_clock_is_set_back, 1),
            (self.a_backup_is_put_back, 1),
            (self.looks_for_a_way_on, 4),
        ]

    # --- admins and the operator ---

    def mandate_now(self) -> None:
        place = self.place()
        who = self.chance.choice([self.owner(place), self.owner(place), self.one()])
        self.life.policy(place, self.life.fully(who), required=True)

    def mandate_later(self, place: Place | None = None) -> None:
        place = place or self.place()
        at = self.life.now + self.chance.randrange(1, 60) * HOUR
        self.life.policy(place, self.life.fully(self.owner(place)), required=True, at=at)

    def mandate_off(self) -> None:
        """And, sometimes, on again from a date, which what was in force is refused for a while."""
        place = self.place()
        by = OPERATOR if self.chance.random() < 0.3 else self.life.fully(self.owner(place))
        self.life.policy(place, by, required=False)
        if self.chance.random() < 0.4:
            self.mandate_later(place)

    def passkeys_now(self) -> None:
        self.passkeys_alone(None)

    def passkeys_later(self) -> None:
        self.passkeys_alone(self.life.now + self.chance.randrange(1, 60) * HOUR)

    def passkeys_alone(self, at: int | None) -> None:
        """Mostly by an owner who has one; or tried by somebody who has none."""
        place = self.place()
        if self.chance.random() < 0.2:
            without = self.there(place, lambda each: "key" not in each.kinds(place))
            if without is not None and place.mates[without.id].role != Role.MEMBER:
                self.life.passkeys(place, self.life.fully(without), alone=True, at=at)
        who = self.chance.choice([self.owner(place), self.owner(place), self.one()])
        if self.chance.random() < 0.7:
            self.gets_a_passkey(place, who)
        by = self.life.fully(who)
        if place.required_from is None:
            self.life.policy(place, by, required=True)
        self.life.passkeys(place, by, alone=True, at=at)
        self.life.way_on(self.one())

    def any_second_step(self) -> None:
        """Again; and, sometimes, passkeys from a date, as with the mandate."""
        place = self.place()
        by = OPERATOR if self.chance.random() < 0.3 else self.life.fully(self.owner(place))
        self.life.passkeys(place, by, alone=False)
        if place.required_from is not None and self.chance.random() < 0.8:
            owner = self.owner(place)
            self.gets_a_passkey(place, owner)
            at = self.life.now + self.chance.randrange(1, 60) * HOUR
            self.life.passkeys(place, self.life.fully(owner), alone=True, at=at)

    def is_reset(self) -> None:
        place = self.place()
        who = self.there(
            place, lambda each: each.enrolled(place) and place.mates[each.id].role == Role.MEMBER
        )
        if who is not None:
            self.life.resets(place, who, self.life.fully(self.owner(place)))

    def is_reset_by_anybody(self) -> None:
        self.life.resets(self.place(), self.one(), self.life.fully(self.one()))

    def is_reset_by_the_operator(self) -> None:
        place = self.place()
        who = self.there(place, lambda each: place.mates[each.id].role != Role.OWNER)
        if who is not None:  # break-glass may leave nobody who can open: law 8 is about what people do
            self.life.resets(place, who, OPERATOR)

    def a_manager_is_reset(self) -> None:
        place = self.place()
        who = self.manager(place)
        by = self.manager(place, *[who] if who is not None else [])
        if who is not None and by is not None:
            self.life.resets(place, who, self.life.fully(by))
            self.chance.choice([self.minutes_pass, self.resets_come_due, self.a_reset_is_approved])()

    def resets_come_due(self) -> None:
        self.life.world.wait(self.chance.choice([1, 30, 80]) * HOUR)
        self.life.resets_come_due()

    def a_reset_is_approved(self) -> None:
        for waits in list(self.life.waiting.values()):
            for each in self.life.people:
                if each is not waits.who and waits.place.mates.get(each.id) is not None:
                    self.life.approves(self.life.fully(each))

    def a_reset_is_stopped(self) -> None:
        self.life.stops(self.life.fully(self.one()))

    def something_is_accepted(self) -> None:
        """Of who has an app or a passkey, and nothing that this workspace relies on."""
        for place in self.life.places:
            who = self.there(place, lambda each: not each.enrolled(place) and bool(each.of("app", "key")))  # noqa: B023
            if who is not None:
                by = self.chance.choice([self.owner(place), self.owner(place), self.one(), who])
                self.life.accepts(place, who, self.life.fully(by))

    def is_given_more_time(self) -> None:
        """Whom a mandate, or its strength, binds now or soon; they come in the time that they were given."""
        for place in self.life.places:
            if place.required_from is None and self.chance.random() < 0.5:
                at = self.life.now + 10 * DAY
                self.life.policy(place, self.life.fully(self.owner(place)), required=True, at=at)
            who = self.without_it(place)
            others = [who] if who is not None else []
            asks = self.chance.choice([self.manager(place, *others), None])
            agrees = self.chance.choice([self.manager(place, *others, *([asks] if asks else [])), self.one()])
            if who is None or agrees is None:
                continue
            until = self.life.now + self.chance.randrange(1, 40 * 24) * HOUR
            asking = self.life.fully(asks) if asks is not None else OPERATOR
            self.life.is_excepted(place, who, asking, self.life.fully(agrees), until)
            begins = place.required_from
            if begins is not None and self.life.now < begins < until and self.chance.random() < 0.3:
                self.life.world.wait(begins - self.life.now)
            self.life.fully(who)

    def without_it(self, place: Place) -> Someone | None:
        """A member without what is required; sometimes a manager, who takes theirs off for it."""
        if self.chance.random() < 0.3:
            manager = self.manager(place)
            if manager is not None:
                self.gives_up_all(place, manager)
                return manager
        return self.there(
            place, lambda each: place.mates[each.id].role == Role.MEMBER and not each.ready(place)
        )

    def is_removed(self) -> None:
        place = self.place()
        by = self.chance.choice([self.owner(place), self.one()])
        self.life.removes(place, self.one(), self.life.fully(by))

    def has_another_role(self) -> None:
        place = self.place()
        by = self.chance.choice([self.owner(place), self.one()])
        self.life.role(place, self.one(), self.chance.choice(list(Role)), self.life.fully(by))

    def loses_a_role_and_is_reset(self) -> None:
        """Rank is the highest role of the last seven days: who was an admin yesterday is no member today."""
        place = self.place()
        who = self.there(
            place, lambda each: each.enrolled(place) and place.mates[each.id].role != Role.MEMBER
        )
        by = self.life.fully(self.owner(place))
        if who is not None:
            self.life.role(place, who, Role.MEMBER, by)
            self.life.resets(place, who, by)

    def the_owners_are_tempted(self) -> None:
        """Law 8, on purpose: one owner after the other tries to go, or is to go, until nobody could open."""
        place = self.place()
        for who in [each for each in self.life.people if each.id in place.mates]:
            if place.mates[who.id].role == Role.OWNER:
                self.chance.choice(
                    [
                        self.is_sent_away,
                        self.steps_down,
                        self.goes,
                        self.gives_up_all,
                        self.gives_up_the_passkey,
                        self.takes_an_app_for_the_passkey,
                        self.is_to_be_reset,
                    ]
                )(place, who)
                self.life.holds()

    def somebody_is_tempted(self) -> None:
        """To go without the passkey that is required."""
        for place in self.life.places:
            who = self.there(place, lambda each: bool(each.of("key")) and each.ready(place))  # noqa: B023
            if who is not None:
                self.chance.choice([self.gives_up_the_passkey, self.takes_an_app_for_the_passkey])(place, who)

    def takes_an_app_for_the_passkey(self, place: Place, who: Someone) -> None:
        """In its place."""
        keys = who.of("key")
        if keys:
            self.life.fully(who)
            self.life.enrols(len(self.life.visits) - 1, None, replaces=self.chance.choice(keys).id)

    def is_sent_away(self, place: Place, who: Someone) -> None:
        by = self.there(place, lambda each: each is not who and place.mates[each.id].role == Role.OWNER)
        if by is not None:
            self.life.removes(place, who, self.life.fully(by))

    def steps_down(self, place: Place, who: Someone) -> None:
        self.life.role(place, who, self.chance.choice([Role.ADMIN, Role.MEMBER]), self.life.fully(who))

    def goes(self, place: Place, who: Someone) -> None:
        self.life.fully(who)
        self.life.leaves(len(self.life.visits) - 1, place)

    def gives_up_all(self, place: Place, who: Someone) -> None:
        """App and passkey, or as much of it as they may."""
        self.life.fully(who)
        while self.life.takes_away(len(self.life.visits) - 1):
            pass

    def gives_up_the_passkey(self, place: Place, who: Someone) -> None:
        self.life.fully(who)
        while self.life.takes_away(len(self.life.visits) - 1, "key"):
            pass

    def is_to_be_reset(self, place: Place, who: Someone) -> None:
        by = self.manager(place, who)
        if by is not None:
            self.life.resets(place, who, self.life.fully(by))

    def it_is_turned_on_without_owners(self) -> None:
        """By an admin who has 2FA, where none of the owners has it any more."""
        place = self.place()
        if place.required_from is None:
            for who in [each for each in self.life.people if each.id in place.mates]:
                if place.mates[who.id].role == Role.OWNER:
                    self.gives_up_all(place, who)
            by = self.there(
                place, lambda each: each.enrolled(place) and place.mates[each.id].role == Role.ADMIN
            )
            if by is not None:
                self.life.policy(place, self.life.fully(by), required=True)

    def passkeys_are_required_without_owners(self) -> None:
        """By an admin who has one, where no owner has one any more."""
        place = self.place()
        by = self.there(place, lambda each: place.mates[each.id].role == Role.ADMIN)
        if place.required_from is None or place.keys_from is not None or by is None:
            return
        self.gets_a_passkey(place, by)
        for who in [each for each in self.life.people if each.id in place.mates]:
            if place.mates[who.id].role == Role.OWNER:
                self.gives_up_the_passkey(place, who)
        self.life.passkeys(place, self.life.fully(by), alone=True)

    def the_last_ready_owner_is_sent_away(self) -> None:
        """Before the date, by an owner who gives up their own 2FA: removed, or reset by what was asked for before."""
        place = self.place()
        owners = [each for each in self.life.people if each.id in place.mates]
        owners = [each for each in owners if place.mates[each.id].role == Role.OWNER]
        if len(owners) < 2:
            return
        if (
            place.required_from is not None
        ):  # a date can only be said anew when this was given up for long enough
            self.life.policy(place, OPERATOR, required=False)
            self.life.world.wait(31 * DAY)
        by, *others = self.chance.sample(owners, len(owners))
        date = self.life.now + 20 * DAY
        self.life.policy(place, self.life.fully(self.owner(place)), required=True, at=date)
        asked = self.chance.random() < 0.7
        if asked:
            for who in others:
                self.life.resets(place, who, self.life.fully(by))
        self.gives_up_all(place, by)
        if asked:
            self.life.world.wait(80 * HOUR)
            self.life.resets_come_due()
        for who in others:
            self.life.holds()
            self.life.removes(place, who, self.life.fully(by))

    def the_clock_is_set_back(self) -> None:
        """And put right again: what a decision sees never goes back (law 12)."""
        back = self.chance.randrange(1, 8) * DAY
        self.life.world.wait(-back)
        self.life.holds()
        for act in self.chance.sample([self.sets_up, self.shows_a_code, self.mandate_now, self.is_reset], 2):
            act()
            self.life.holds()
        self.life.world.wait(back)
