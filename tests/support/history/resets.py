"""2FA is turned off for people: at once, or by what waits; passkeys as well as apps."""

from nightlatch.actions import reset_ending, resets
from nightlatch.actions.by import By
from nightlatch.actions.reset_doing import finish_due
from nightlatch.instants import HOUR
from nightlatch.store.query import Row
from nightlatch.vocabulary import Method, Role
from tests.support.history.second_factors import SecondFactors
from tests.support.history.stage import OPERATOR
from tests.support.tables import rows


class Resets(SecondFactors):
    """In Acme and Beta."""

    def reset(self, by: By, target: Row, workspace_id: int) -> None:
        self.world.write(
            lambda tx: resets.disable_two_factor(
                tx,
                by=by,
                workspace_id=workspace_id,
                teammate_id=target.id,
                reason="Lost phone",
                recognised_by="phone",
                waive_number=target.role == Role.MEMBER and self.chance.random() < 0.3,
            )
        )

    def is_reset(self) -> None:
        workspace_id = self.chance.choice([self.acme, self.beta])
        owner = self.session(self.dana if workspace_id == self.acme else self.rosa)
        self.reset(owner, self.one(workspace_id, state="on"), workspace_id)

    def who_has_a_passkey_is_reset(self) -> None:
        """By the operator, at once: their passkey is void there."""
        (target,) = self.members(self.acme, account_id=self.keyholder()[0])
        self.reset(OPERATOR, target, self.acme)

    def is_reset_by_the_operator(self) -> None:
        self.reset(OPERATOR, self.one(self.acme, state="on"), self.acme)

    def a_reset_is_asked_for(self) -> None:
        """Of an owner or admin: it waits."""
        target = self.one(self.acme, state="on", role=self.chance.choice([Role.OWNER, Role.ADMIN]))
        self.reset(self.session(self.dana), target, self.acme)

    def what_waits_is_done(self) -> bool:
        """Days later, by the background task."""
        waits = [row for row in rows(self.world, "resets") if row.done_at is None and row.ended_at is None]
        self.end_of_day(73 * HOUR)
        while self.world.write(finish_due):
            pass
        return bool(waits)

    def what_waits_is_taken_back(self) -> None:
        self.a_reset_is_asked_for()
        by = self.session(self.dana)
        waits = [row for row in rows(self.world, "resets") if row.done_at is None and row.ended_at is None]
        asked = max(waits, key=lambda row: row.created_at)
        self.world.write(
            lambda tx: reset_ending.cancel(tx, by=by, workspace_id=asked.workspace_id, reset_id=asked.id)
        )

    def sets_up_again(self) -> None:
        """With what the reset's ticket proves."""
        account_id, proof = self.waited_for()
        self.set_up(account_id, proof)

    def sets_up_again_with_a_passkey(self) -> None:
        account_id, proof = self.waited_for()
        self.set_up_a_passkey(account_id, proof)

    def waited_for(self) -> tuple[int, tuple[Method, int | None, int | None]]:
        """Whose reset is done, and its ticket."""
        workspace_id = self.chance.choice([self.acme, self.beta])
        target = self.one(workspace_id, state="reset")
        (membership,) = [row for row in rows(self.world, "teammates") if row.id == target.id]
        return target.account_id, (Method.TICKET, workspace_id, membership.reset_id)
