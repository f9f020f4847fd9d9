"""More time for who lacks what Acme requires: asked for, agreed to, refused, ended."""

from nightlatch.actions import exceptions
from nightlatch.actions.by import By
from nightlatch.instants import DAY
from nightlatch.store.query import Row
from nightlatch.vocabulary import Method
from tests.support.history.people import People
from tests.support.history.second_factors import SecondFactors
from tests.support.history.stage import OPERATOR


class MoreTime(People, SecondFactors):
    """In Acme."""

    def asks_for_more_time(self, by: By, account_id: int) -> int:
        target = self.member(account_id)
        days = self.chance.randrange(1, 5)
        return self.world.write(
            lambda tx: exceptions.ask(
                tx,
                by=by,
                workspace_id=self.acme,
                teammate_id=target.id,
                reason="Waits for a phone",
                ends_at=tx.now + days * DAY,
            )
        ).id

    def without_two_factor(self) -> Row:
        """A member who needs more time: 2FA is required, and they have none."""
        if not self.required():
            self.mandate_now()
        if not self.members(self.acme, state="off", role="member"):
            self.joins_with_a_new_account()
        return self.one(self.acme, state="off", role="member")

    def member(self, account_id: int) -> Row:
        (found,) = self.members(self.acme, account_id=account_id)
        return found

    def approves(self, by: By, id: int) -> None:
        self.world.write(
            lambda tx: exceptions.approve(
                tx, by=by, workspace_id=self.acme, exception_id=id, reason="=It is true"
            )
        )

    def is_given_more_time(self) -> None:
        self.more_time_for(self.without_two_factor().account_id)

    def more_time_for(self, account_id: int) -> int:
        id = self.asks_for_more_time(OPERATOR, account_id)
        self.approves(self.session(self.dana), id)
        return id

    def is_given_more_time_by_the_operator(self) -> None:
        target = self.without_two_factor()
        self.approves(OPERATOR, self.asks_for_more_time(self.session(self.dana), target.account_id))

    def more_time_is_ended(self) -> None:
        id = self.more_time_for(self.without_two_factor().account_id)
        self.ends_more_time(id)

    def more_time_is_refused(self) -> None:
        target = self.without_two_factor()
        self.ends_more_time(self.asks_for_more_time(OPERATOR, target.account_id))

    def ends_more_time(self, id: int) -> None:
        by = self.session(self.dana)
        self.world.write(lambda tx: exceptions.end(tx, by=by, workspace_id=self.acme, exception_id=id))

    def sets_up_in_more_time(self) -> None:
        account_id = self.without_two_factor().account_id
        self.more_time_for(account_id)
        self.wait()
        self.set_up(account_id, (Method.TICKET, self.acme, None))
