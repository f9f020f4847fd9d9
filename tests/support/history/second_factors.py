"""Apps and passkeys, by the real journeys: set up, shown, replaced, taken away."""

from nightlatch.actions import authenticators, enrolment
from nightlatch.actions.binding import Confirmed, HashedCode
from nightlatch.actions.by import By
from nightlatch.actions.proving import Proved
from nightlatch.actions.tokens import new_token
from nightlatch.assurance import relied
from nightlatch.facts import EVERYWHERE
from nightlatch.store import authenticators as store_authenticators
from nightlatch.store import standing
from nightlatch.store.engine import Transaction
from nightlatch.store.facts import read_account_facts
from nightlatch.store.query import Row
from nightlatch.vocabulary import Method
from tests.support import passkey_acts
from tests.support.history.mandates import Mandates
from tests.support.history.stage import Nobody
from tests.support.passkeys import SoftPasskey
from tests.support.tables import rows


class SecondFactors(Mandates):
    """People's own."""

    def set_up(
        self, account_id: int, *proofs: tuple[Method, int | None, int | None], replaces: int | None = None
    ) -> None:
        """An authenticator app by the real journey, from a session that has shown the mailbox by `proofs`."""
        by, workspace_id = self._at_the_mailbox(account_id, proofs)
        pending = self.world.write(
            lambda tx: enrolment.begin(tx, by=by, name="", replaces=replaces, workspace_id=workspace_id)
        )
        code, token = self.world.code(pending.seed), new_token()
        codes = [HashedCode(f"{number:04d}", "unusable") for number in range(10)]
        confirmed = self.world.write(
            lambda tx: enrolment.confirm(
                tx, by=by, enrolment_id=pending.id, code=code, codes=codes, token=token
            )
        )
        assert isinstance(confirmed, Confirmed)

    def set_up_a_passkey(
        self, account_id: int, *proofs: tuple[Method, int | None, int | None], replaces: int | None = None
    ) -> None:
        """The same of a passkey, which signs for real."""
        by, workspace_id = self._at_the_mailbox(account_id, proofs)
        asked = passkey_acts.ask_new(self.world, by, replaces=replaces, workspace_id=workspace_id)
        soft = SoftPasskey()
        confirmed = passkey_acts.bind(self.world, by, soft, asked)
        assert isinstance(confirmed, Confirmed)
        self.softs[confirmed.authenticator_id] = soft

    def _at_the_mailbox(
        self, account_id: int, proofs: tuple[tuple[Method, int | None, int | None], ...]
    ) -> tuple[By, int | None]:
        """A session, and the workspace that it sets up for."""
        shown = proofs or ((Method.INVITATION, None, None),)
        return self.session(account_id, *shown), shown[0][1]

    def sets_up(self) -> None:
        self.set_up(self.without())

    def sets_up_with_a_passkey(self) -> None:
        self.set_up_a_passkey(self.without())

    def without(self) -> int:
        """An account without 2FA in Acme, or in Beta."""
        account_id: int = self.one(
            self.chance.choice([self.acme, self.acme, self.beta]), state="off"
        ).account_id
        return account_id

    def adds_a_passkey(self) -> None:
        """Beside what they have."""
        self.set_up_a_passkey(self.one(self.acme, state="on").account_id)

    def bound(self, account_id: int, method: Method) -> list[Row]:
        """What somebody has of a method, the oldest first. Raises Nobody."""
        found = [
            row
            for row in rows(self.world, "authenticators")
            if row.account_id == account_id and row.method == method
        ]
        if not found:
            raise Nobody
        return sorted(found, key=lambda row: row.bound_at)

    def keyholder(self) -> tuple[int, int]:
        """Somebody who has a passkey in Acme, and its id. Raises Nobody."""
        found = [row for row in self.members(self.acme, state="on") if Method.PASSKEY in row.methods.split()]
        account_id = self.chosen(found).account_id
        facts = self.world.read(lambda tx: read_account_facts(tx, account_id))
        (key, *_) = (
            row.id
            for row in self.bound(account_id, Method.PASSKEY)
            if any(each.id == row.id and relied(each, self.acme) for each in facts.authenticators)
        )
        return account_id, key

    def comes_by_a_passkey(self) -> None:
        """A whole sign-in by it, signed for real."""
        _, key = self.keyholder()
        assert isinstance(passkey_acts.sign_in(self.world, self.softs[key]), Proved)

    def takes_the_app_away(self) -> None:
        account_id = self.one(self.acme, state="on").account_id
        self.takes_away(account_id, self.bound(account_id, Method.TOTP)[0].id)

    def takes_the_passkey_away(self) -> None:
        self.takes_away(*self.keyholder())

    def takes_away(self, account_id: int, gone: int) -> None:
        """Where nothing is required any more."""
        if self.required():
            self.mandate_off()
        by = self.session(account_id)
        self.world.write(lambda tx: authenticators.unbind(tx, by=by, authenticator_id=gone))

    def replaces_the_app(self) -> None:
        account_id = self.one(self.acme, state="on").account_id
        self.set_up(account_id, replaces=self.bound(account_id, Method.TOTP)[-1].id)

    def takes_a_passkey_for_the_app(self) -> None:
        account_id = self.one(self.acme, state="on").account_id
        self.set_up_a_passkey(account_id, replaces=self.bound(account_id, Method.TOTP)[0].id)

    def takes_an_app_for_the_passkey(self) -> None:
        account_id, key = self.keyholder()
        self.set_up(account_id, replaces=key)

    def is_suspended(self) -> None:
        """As after a hundred wrong codes: it is 2FA all the same."""
        account_id = self.one(self.acme, state="on").account_id
        app = self.bound(account_id, Method.TOTP)[0]

        def body(tx: Transaction) -> None:
            store_authenticators.suspend(tx, app.id, EVERYWHERE)
            standing.refresh(tx, account_id)

        self.world.write(body)
