"""A whole life: what people and workspaces do, a backup put back now and then, and what holds at every moment."""

from functools import partial

import pytest

from nightlatch.access import decide, decide_workspace
from nightlatch.actions import kinds, restored, second_step
from nightlatch.actions.proving import Proved
from nightlatch.actions.tokens import new_token
from nightlatch.decision import Allow, Challenge, Enrol
from nightlatch.instants import SECOND
from nightlatch.refusals import Code, Refused
from nightlatch.store import teammates as store_teammates
from nightlatch.vocabulary import Role
from tests.model.governing import Governed
from tests.model.model import Someone, expected, leads_on
from tests.model.people import KINDS
from tests.model.stage import DOOR, OPERATOR, said
from tests.support import passkey_acts

KEPT = 8
"""Sessions that are looked at."""


class Life(Governed):
    """Alder and Birch for some months."""

    def is_restored(self) -> None:
        """A backup is put back: sessions are over, and neither code nor challenge of before opens anything (law 11)."""
        self.world.wait(90 * SECOND)
        codes = [
            (who, self.world.code(each.seed)) for who in self.people for each in who.of("app") if each.seed
        ]
        keys = [each.soft for who in self.people for each in who.of("key")]
        asked = passkey_acts.ask_sign_in(self.world, by=DOOR) if keys else None
        self.tries("restore", lambda tx: restored.after_restore(tx, by=OPERATOR))
        assert all(each.account is None for each in self.facts())
        self.visits = []
        for who, code in codes:
            _, by = self.visits[self.comes(who)]
            show = partial(second_step.present_totp, by=by, code=code, token=new_token())
            assert not isinstance(self.tries("code of before", show), Proved), "a code of before the restore"
        if asked is not None and keys[0] is not None:
            with pytest.raises(Refused) as refusal:
                passkey_acts.sign_in(self.world, keys[0], asked, DOOR)
            assert refusal.value.code is Code.EXPIRED, "a challenge of before the restore"

    # --- what holds at every moment ---

    def holds(self) -> None:
        """What waited; and laws 2, 3 and 8, for every session and workspace. What is over is forgotten."""
        self.settles()
        self.visits = self.visits[-KEPT:]
        alive = []
        for (visit, by), facts in zip(self.visits, self.facts(), strict=True):
            if facts.account is None:
                continue
            alive.append((visit, by))
            if facts.idle:
                continue  # the first factor resumes it: it is asked for, whatever it has shown
            for place in self.places:
                answer = said(facts, place)
                self.seen[f"said {answer}"] += 1
                assert answer == expected(visit, place, facts.now), (visit.who.name, place.slug)
                if answer == "allow" and place.spares(visit.who, facts.now):
                    self.seen["let in by more time"] += 1
        self.visits = alive
        for place in self.places:
            if place.required_from is not None:
                owners = [id for id, mate in place.mates.items() if mate.role == Role.OWNER]
                enrolled = self.world.read(lambda tx, id=place.id: store_teammates.enrolled_owners(tx, id))  # type: ignore[misc]
                by_model = [each.id for each in self.people if each.id in owners and each.ready(place)]
                assert sorted(enrolled) == sorted(by_model)
                if enrolled:
                    place.on_the_way_back = False
                assert enrolled or place.on_the_way_back, f"nobody can open {place.slug} (law 8)"

    def way_on(self, who: Someone) -> None:
        """Law 9, for somebody who signs in now, with the password alone and with all they have: in, or a factor to show
        that they have, or set-up, whose link may be asked for, or which what was just shown lets begin."""
        index = self.comes(who)
        self._leads_on(index)
        self.shows_app(index)
        self._leads_on(index)
        if who.of("key"):
            self.shows_key(index)
            self._leads_on(index)

    def _leads_on(self, index: int) -> None:
        visit, by = self.visits[index]
        facts = self.world.known(by).facts
        for place in self.places:
            mate = place.mates.get(visit.who.id)
            if mate is None:
                continue
            answer = decide_workspace(facts, place.id)
            if isinstance(answer, Enrol):
                begins = kinds.ENROL if visit.who.relied(place) else kinds.ASK_TICKET
                assert isinstance(decide(facts, begins.at(place.id)), Allow)
                self.seen["led to a passkey" if visit.who.relied(place) else "led to set-up"] += 1
            elif isinstance(answer, Challenge) and visit.first(place, mate):
                asked = {KINDS[each] for each in answer.methods}
                assert asked == leads_on(visit, place, facts.now), "not what they have is asked for"
