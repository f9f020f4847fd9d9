"""What a workspace does with its people: the mandate, resets, acceptance, more time, removal, roles."""

from functools import partial

from nightlatch import addresses
from nightlatch.actions import (
    accepting,
    exceptions,
    invitations,
    joining,
    mandate,
    reset_doing,
    reset_ending,
    resets,
    teammates,
)
from nightlatch.actions.by import By
from nightlatch.actions.mandate import Policy
from nightlatch.instants import DAY, HOUR
from nightlatch.policy import ManagedBy, ProofStrength
from nightlatch.store import resets as store_resets
from nightlatch.store import workspaces as store_workspaces
from nightlatch.vocabulary import Role
from tests.model.model import Mate, Place, Someone, Thing
from tests.model.people import People
from tests.model.stage import OPERATOR, Waiting
from tests.support.letters import letter

DELAYS = {Role.ADMIN: 24 * HOUR, Role.OWNER: 72 * HOUR}


class Governed(People):
    """People, and those who run their workspaces."""

    # --- workspaces ---

    def policy(self, place: Place, by: By, *, required: bool, at: int | None = None) -> None:
        what = "off" if not required else "now" if at is None else "later"
        self._policy(place, by, f"mandate {what}", required=required, at=at)

    def passkeys(self, place: Place, by: By, *, alone: bool, at: int | None = None) -> None:
        """What the second step must be, where 2FA is required or will be: a passkey, or any."""
        what = "off" if not alone else "now" if at is None else "later"
        strength = ProofStrength.PHISHING_RESISTANT if alone else ProofStrength.ANY
        required = place.required_from
        self._policy(
            place,
            by,
            f"passkeys {what}",
            required=required is not None,
            at=required if required is not None and required > self.now else None,
            strength=strength,
            strength_from=at,
        )

    def _policy(
        self,
        place: Place,
        by: By,
        what: str,
        *,
        required: bool,
        at: int | None,
        strength: ProofStrength | None = None,
        strength_from: int | None = None,
    ) -> None:
        row = self.world.read(lambda tx: store_workspaces.by_id(tx, place.id))
        assert row is not None
        done = self.apart_from(
            place,
            lambda: self.tries(
                what,
                lambda tx: mandate.change_policy(
                    tx,
                    by=by,
                    workspace_id=place.id,
                    required=required,
                    required_from=at,
                    managed_by=ManagedBy.ADMINS,
                    if_revision=row.revision,
                    reason="An audit",
                    strength=strength,
                    strength_from=strength_from,
                ),
            ),
        )
        if done is not None:
            self._is_set(place, done)

    def _is_set(self, place: Place, done: Policy) -> None:
        """What is in force is never put off, nor given up and announced anew for a later day."""
        now, was, keys_were = self.now, place.required_from, place.keys_from
        _not_put_off(now, was, done.required_from, place.given_up_at)
        if was is not None and was <= now and keys_were is not None and keys_were <= now:
            _not_put_off(now, keys_were, done.resistant_from, None)
            if done.resistant_from is None:
                place.keys_given_up_at = now
        if keys_were is None:
            _not_put_off(now, None, done.resistant_from, place.keys_given_up_at)
        if was is not None and was <= now and done.required_from is None:
            place.given_up_at = now
        if done.required_from is not None and was is None:
            place.announced_n = self.tick()
        if done.resistant_from is not None and keys_were is None:
            place.keys_announced_n = self.tick()
        place.required_from, place.keys_from = done.required_from, done.resistant_from
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
        if [id for id, mate in place.mates.items() if mate.role == Role.OWNER] == [who.id]:
            place.on_the_way_back = True
            self.seen["the sole owner is on the way back"] += 1

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
        """A workspace relies on an app or a passkey that does not reach it, or was void in it."""
        for each in who.of("app", "key"):
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
                kinds = who.kinds(place)
                each.void.discard(place.id)
                each.accepted.add(place.id)
                self.seen[f"{each.kind} accepted"] += 1
                place.mates[who.id].reset = None
                self.time_is_over(place, who, kinds)

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


def _not_put_off(now: int, was: int | None, to: int | None, given_up_at: int | None) -> None:
    if was is not None and was <= now:
        assert to in (None, was), "put off while in force"
    elif was is None and to is not None and to > now and given_up_at is not None:
        assert now - given_up_at >= 30 * DAY, "put off by giving it up"
