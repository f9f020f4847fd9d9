"""What Acme requires, and from when: 2FA, or passkeys alone."""

from nightlatch.actions import mandate
from nightlatch.actions.by import By
from nightlatch.instants import HOUR, MINUTE, Instant
from nightlatch.policy import ManagedBy, ProofStrength
from nightlatch.store import workspaces as store_workspaces
from nightlatch.store.query import Row
from tests.support.history.stage import OPERATOR, Stage


class Mandates(Stage):
    """Acme's."""

    def policy(self, by: By, **values: object) -> None:
        row = self.of_acme()
        complete = {
            "required": row.required_from is not None,
            "required_from": row.required_from,
            "managed_by": ManagedBy(row.managed_by),
            "reason": "An audit",
            **values,
        }
        self.world.write(
            lambda tx: mandate.change_policy(
                tx, by=by, workspace_id=self.acme, if_revision=row.revision, **complete
            )
        )

    def required(self) -> bool:
        return self.of_acme().required_from is not None

    def of_acme(self) -> Row:
        row = self.world.read(lambda tx: store_workspaces.by_id(tx, self.acme))
        assert row is not None
        return row

    def mandate_now(self) -> None:
        self.policy(self.session(self.dana), required=True, required_from=None)

    def mandate_later(self) -> None:
        at = self.world.clock.now() + self.chance.randrange(1, 72) * 60 * MINUTE
        self.policy(self.session(self.dana), required=True, required_from=at)

    def mandate_off(self) -> None:
        self.policy(self.session(self.dana), required=False)

    def mandate_off_by_the_operator(self) -> None:
        self.policy(OPERATOR, required=False)

    def managed_by_others(self) -> None:
        self.policy(self.session(self.dana), managed_by=self.chance.choice(list(ManagedBy)))

    def passkeys_now(self) -> None:
        if not self.required():
            self.mandate_now()
        self.passkeys(None)

    def passkeys_later(self) -> None:
        self.passkeys(self.world.clock.now() + self.chance.randrange(1, 72) * HOUR)

    def passkeys(self, since: Instant | None) -> None:
        """Passkeys alone: said by Dana, who has one."""
        by, strength = self.session(self.dana), ProofStrength.PHISHING_RESISTANT
        self.policy(by, required=True, strength=strength, strength_from=since)

    def any_second_step(self) -> None:
        """Again."""
        if self.of_acme().resistant_from is None:
            self.act(self.passkeys_now)
        self.policy(self.session(self.dana), strength=ProofStrength.ANY)
