"""What people do for themselves: they come, show what they have, set up, replace, and take away."""

from dataclasses import replace

from nightlatch import addresses
from nightlatch.actions import authenticators, enrolment, passkey_asking, second_step, sign_in, tickets
from nightlatch.actions.binding import Confirmed, HashedCode
from nightlatch.actions.by import By
from nightlatch.actions.passkey_asking import Purpose
from nightlatch.actions.proving import Proved
from nightlatch.actions.tickets import Redeemed
from nightlatch.actions.tokens import new_token
from nightlatch.authenticators.passkey_asking import from_base64url
from nightlatch.authenticators.recovery_code import CodeParts
from nightlatch.facts import EVERYWHERE, Facts
from nightlatch.instants import SECOND
from nightlatch.store import authenticators as store_authenticators
from nightlatch.store.engine import Transaction
from nightlatch.store.facts import read_account_facts
from nightlatch.vocabulary import Credential, Method
from tests.model.model import Place, Shown, Someone, Thing, Visit, may_bind_alone, may_bind_in
from tests.model.stage import DOOR, Stage
from tests.support import passkey_acts
from tests.support.letters import letter
from tests.support.passkeys import SITE, SoftPasskey
from tests.support.world import carried_on

KINDS = {Method.TOTP: "app", Method.PASSKEY: "key", Method.RECOVERY_CODE: "codes"}


class People(Stage):
    """Those who come and go on the stage."""

    # --- coming, and showing what one has ---

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
        return self._is_inside(who, done, Shown("password", self.tick(), self.now))

    def comes_by_key(self, who: Someone) -> int | None:
        """A whole sign-in by a passkey: by one that some workspace would take, and that verifies its user."""
        usable = self._usable(who)
        keys = who.of("key")
        for key in keys:
            assert key.soft is not None
            self.n += 1  # each try from a network of its own: wrong ones slow theirs down
            door = replace(DOOR, ip=f"203.0.{self.n % 250}.7")
            done = passkey_acts.sign_in(self.world, key.soft, by=door)
            right = key.id in usable and key.soft.verifies
            assert isinstance(done, Proved) == right, (
                "a passkey that counts nowhere, or was only touched, signs in"
            )
            if isinstance(done, Proved):
                self.seen["signed in by passkey"] += 1
                self._is_right(who)
                return self._is_inside(who, done, self._key_shown(key))
        return None

    def _is_inside(self, who: Someone, done: Proved, shown: Shown) -> int:
        by = By(
            "account", who.id, who.name, DOOR.ip, "test", done.token.hash, Credential.COOKIE, DOOR.browser
        )
        self.visits.append((Visit(who, [shown]), by))
        self.seen["signed in"] += 1
        return len(self.visits) - 1

    def _usable(self, who: Someone) -> set[int]:
        return who.usable([each for each in self.places if who.id in each.mates])

    def _key_shown(self, key: Thing) -> Shown:
        assert key.soft is not None
        return Shown("key", self.tick(), self.now, key.id, verified=key.soft.verifies)

    def _is_right(self, who: Someone) -> None:
        """A right second factor lifts what failures suspended."""
        for each in who.things.values():
            each.suspended = False

    def _has_shown(self, index: int, done: Proved | Confirmed, shown: Shown) -> None:
        visit, by = self.visits[index]
        visit.shown.append(shown)
        self.visits[index] = (visit, carried_on(by, done.token))

    def shows_app(self, index: int, which: int = 0) -> bool:
        """A code of one of the person's apps, a fresh one."""
        visit, by = self.visits[index]
        apps = visit.who.of("app")
        if not apps:
            return False
        app = apps[which % len(apps)]
        assert app.seed is not None
        self.world.wait(90 * SECOND)  # no step is ever taken twice
        code, token = self.world.code(app.seed), new_token()
        done = self.tries("code", lambda tx: second_step.present_totp(tx, by=by, code=code, token=token))
        if not isinstance(done, Proved):
            return False
        self._is_right(visit.who)
        self._has_shown(index, done, Shown("app", self.tick(), self.now, app.id))
        return True

    def shows_key(self, index: int, which: int = 0) -> bool:
        """One of the person's passkeys: just those are asked for that some workspace would take."""
        visit, by = self.visits[index]
        asked = self.tries(
            "passkey asked for",
            lambda tx: passkey_asking.ask_in_session(tx, by=by, site=SITE, purpose=Purpose.SECOND_STEP),
        )
        if asked is None:
            return False
        named = {from_base64url(each["id"]) for each in asked.options["allowCredentials"]}
        usable = self._usable(visit.who)
        keys = [each for each in visit.who.of("key") if each.soft and each.soft.credential_id in named]
        assert len(keys) == len(named)
        assert {each.id for each in keys} == {each.id for each in visit.who.of("key")} & usable
        key = keys[which % len(keys)]
        assert key.soft is not None
        done = passkey_acts.show(self.world, by, key.soft, asked)
        if not isinstance(done, Proved):
            assert not key.soft.verifies, "a passkey that was asked for is not taken"
            return False  # the session was idle: its first factor is due
        self.seen["passkey shown"] += 1
        self._is_right(visit.who)
        self._has_shown(index, done, self._key_shown(key))
        return True

    def shows_recovery_code(self, index: int, which: int = 0) -> bool:
        """One of a set, which is then used."""
        visit, by = self.visits[index]
        sets = [each for each in visit.who.of("codes") if each.codes]
        if not sets:
            return False
        of = sets[which % len(sets)]
        parts, token = CodeParts(of.codes[-1], "secret"), new_token()
        candidate = self.tries("code looked up", lambda tx: second_step.look_code(tx, by=by, parts=parts))
        if candidate is None or candidate.authenticator_id is None:
            return False
        done = self.tries(
            "recovery code",
            lambda tx: second_step.present_recovery_code(
                tx, by=by, parts=parts, candidate=candidate, right=True, token=token
            ),
        )
        if not isinstance(done, Proved):
            return False
        of.codes.pop()
        self._is_right(visit.who)
        self._has_shown(index, done, Shown("codes", self.tick(), self.now, of.id))
        return True

    def fully(self, who: Someone) -> By:
        """A session with all that the person can show."""
        index = self.comes(who)
        self.shows_app(index)
        if who.of("key"):
            self.shows_key(index)
        return self.visits[index][1]

    # --- binding, and taking away ---

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

    def enrols(
        self, index: int, place: Place | None, *, soft: SoftPasskey | None = None, replaces: int | None = None
    ) -> None:
        """Set-up of an app, or of a passkey (`soft`). Law 14: it reaches nothing that this session cannot bind in."""
        visit, by = self.visits[index]
        target = place.id if place is not None else None
        allowed = {each.id for each in self.places if may_bind_in(visit, each, self.now)}
        homeless = not any(visit.who.id in each.mates for each in self.places)
        alone = homeless and may_bind_alone(visit)
        made = (
            Thing(0, "app", False, frozenset())
            if soft is None
            else Thing(0, "key", False, frozenset(), soft=soft)
        )
        bind = self._app if soft is None else self._key
        done = bind(by, made, target, replaces)
        if done is None:
            return
        assert allowed or alone, "bound without the mailbox or a second factor"
        made.id = done.authenticator_id
        self._bound(visit, allowed, made, replaces)
        verified = soft is None or soft.verifies
        self._has_shown(index, done, Shown(made.kind, self.tick(), self.now, made.id, verified=verified))
        self.seen[f"{made.kind} bound"] += 1

    def _app(self, by: By, made: Thing, target: int | None, replaces: int | None) -> Confirmed | None:
        pending = self.tries(
            "begin",
            lambda tx: enrolment.begin(tx, by=by, name="", replaces=replaces, workspace_id=target),
        )
        if pending is None:
            return None
        made.seed = pending.seed
        code, token = self.world.code(pending.seed), new_token()
        done = self.tries(
            "confirm",
            lambda tx: enrolment.confirm(
                tx, by=by, enrolment_id=pending.id, code=code, codes=self._codes(), token=token
            ),
        )
        return done if isinstance(done, Confirmed) else None

    def _key(self, by: By, made: Thing, target: int | None, replaces: int | None) -> Confirmed | None:
        assert made.soft is not None
        asked = self.tries(
            "passkey begun",
            lambda tx: passkey_asking.ask_new(
                tx, by=by, site=SITE, name="", replaces=replaces, workspace_id=target
            ),
        )
        if asked is None:
            return None
        done = passkey_acts.bind(self.world, by, made.soft, asked, codes=self._codes())
        return done if isinstance(done, Confirmed) else None

    def _codes(self) -> list[HashedCode]:
        """A set of recovery codes, no two of which ever have the same selector."""
        self.n += 1
        return [HashedCode(f"{self.n}-{each}", "unusable") for each in range(10)]

    def _bound(self, visit: Visit, allowed: set[int], made: Thing, replaces: int | None) -> None:
        """The database's own word of what reaches where, taken over after it was held against what was allowed."""
        who = visit.who
        mine = {each.id for each in self.places if who.id in each.mates}
        kinds = {each.id: who.kinds(each) for each in self.places}
        facts = self.world.read(lambda tx: read_account_facts(tx, who.id))
        self._new_things(who, facts, made, allowed, mine)
        there = {each.id: each for each in facts.authenticators}
        for gone in [each for each in who.things.values() if each.id not in there]:
            assert gone.kind == "codes" or gone.id == replaces, "something went that nobody took away"
            del who.things[gone.id]
        if replaces is not None and replaces in there:
            newly = there[replaces].void - who.things[replaces].void
            assert newly <= allowed, "replaced where this session could not bind"
            who.things[replaces].void |= newly
        for place in self.places:
            if who.id in place.mates and (made.everywhere or place.id in made.reaches):
                place.mates[who.id].reset = None
            self.time_is_over(place, who, kinds[place.id])

    def _new_things(self, who: Someone, facts: Facts, made: Thing, allowed: set[int], mine: set[int]) -> None:
        for each in facts.authenticators:
            if each.id in who.things:
                continue
            if each.reach.everywhere:
                assert allowed == mine, "reaches a workspace that was left out"
            else:
                assert each.reach.workspaces <= allowed, "reaches more than this session could bind in"
            new = made if each.id == made.id else Thing(each.id, KINDS[each.method], False, frozenset())
            new.everywhere, new.reaches = each.reach.everywhere, each.reach.workspaces
            if new.kind == "codes":
                new.codes = [f"{self.n}-{number}" for number in range(10)]
            who.things[new.id] = new

    def time_is_over(self, place: Place, who: Someone, kinds: set[str]) -> None:
        """More time ends with an authenticator of a kind that was not there, where it is what is required."""
        if who.id in place.mates and who.kinds(place) != kinds and who.ready(place):
            place.mates[who.id].exempt_until = 0

    def takes_away(self, index: int, *kinds: str) -> bool:
        """One's own app or passkey: never the last that would do where a mandate is in force (sentence 10)."""
        visit, by = self.visits[index]
        who = visit.who
        found = who.of(*kinds or ("app", "key"))
        if not found:
            return False
        gone = found[0]
        demanding = [each for each in self.places if self._is_needed(who, gone, each)]
        before = {each.id: who.kinds(each) for each in self.places}
        done = self.does("unbind", lambda tx: authenticators.unbind(tx, by=by, authenticator_id=gone.id))
        if done:
            assert not demanding, "the last second factor that would do went where it is required"
            self.seen[f"{gone.kind} taken away"] += 1
            self._forget_gone(who)
            for place in self.places:
                self.time_is_over(place, who, before[place.id])
        return done

    def _is_needed(self, who: Someone, gone: Thing, place: Place) -> bool:
        mate = place.mates.get(who.id)
        if mate is None or not place.binds(mate, self.now) or gone not in who.relied(place):
            return False
        rest = [each for each in who.relied(place) if each is not gone]
        return not any(place.would_do(each.kind, mate, self.now) for each in rest)

    def _forget_gone(self, who: Someone) -> None:
        facts = self.world.read(lambda tx: read_account_facts(tx, who.id))
        there = {each.id for each in facts.authenticators}
        who.things = {id: each for id, each in who.things.items() if id in there}

    def is_suspended(self, who: Someone) -> None:
        """As after a hundred wrong codes: still relied on."""
        apps = who.of("app")

        def body(tx: Transaction) -> None:
            for each in apps:
                store_authenticators.suspend(tx, each.id, EVERYWHERE)

        self.world.write(body)
        for each in apps:
            each.suspended = True
        self.seen["suspended"] += len(apps)
