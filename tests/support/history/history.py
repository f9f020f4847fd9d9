"""All of it together: how it begins, and everything that can happen."""

from collections.abc import Callable

from nightlatch.actions import restored, workspaces
from nightlatch.actions.people import App
from nightlatch.instants import DAY, HOUR
from nightlatch.vocabulary import Role
from tests.support.history.more_time import MoreTime
from tests.support.history.product import Product
from tests.support.history.resets import Resets
from tests.support.history.stage import OPERATOR
from tests.support.product import register
from tests.support.tables import rows


class History(MoreTime, Resets, Product):
    """Three workspaces, for some weeks."""

    def begin(self) -> None:
        """Dana makes Acme, Rosa makes Beta; the product tells of its first people.

        It begins at nine in the morning, and ids, which differ each time, put nobody in an order.
        """
        self.world.wait(DAY - self.world.clock.now() % DAY + 9 * HOUR)
        app_id, _ = register(self.world)
        self.app = App(app_id, "acme", "Acme Notes", {}, "https://app.acme.example/back")
        self.dana, self.rosa = self.world.person("Dana").id, self.world.person("Rosa").id
        for owner, slug in ((self.dana, "acme"), (self.rosa, "beta")):
            self.set_up(owner)
            self.ids.append(self.makes(owner, slug))
        self.acme, self.beta = self.ids
        for _ in range(6):
            self.joins_with_a_new_account()
        self.product_says("first", Role.OWNER)
        (self.notes,) = {row.id for row in rows(self.world, "workspaces")} - set(self.ids)
        self.ids.append(self.notes)
        self.set_up_a_passkey(self.dana)
        # From the day they were in force and turned off they are only required at once.
        self.act(self.mandate_later)
        self.act(self.passkeys_later)

    def makes(self, owner: int, slug: str) -> int:
        by = self.session(owner)
        made = self.world.write(
            lambda tx: workspaces.create(tx, by=by, name=slug.title(), slug=slug, sign_up_open=True)
        )
        return made.workspace_id

    def a_backup_is_put_back(self) -> None:
        self.world.write(lambda tx: restored.after_restore(tx, by=OPERATOR))
        self.restores += 1

    def play(self) -> None:
        """Everything that can happen, once, in an order of chance; hours pass before each."""
        acts = self.acts()
        self.chance.shuffle(acts)
        for act in acts:
            self.wait()
            self.act(act)

    def acts(self) -> list[Callable[[], object]]:
        """All of it. What makes the others more interesting is in it more than once."""
        return [
            self.joins_with_a_new_account,
            self.joins_with_an_account,
            self.joins_with_an_account,
            self.leaves,
            self.is_removed,
            self.is_removed_by_the_operator,
            self.has_another_role,
            self.has_another_role,
            self.sets_up,
            self.sets_up,
            self.sets_up,
            self.sets_up_with_a_passkey,
            self.sets_up_with_a_passkey,
            self.adds_a_passkey,
            self.adds_a_passkey,
            self.comes_by_a_passkey,
            self.takes_the_app_away,
            self.takes_the_passkey_away,
            self.replaces_the_app,
            self.takes_a_passkey_for_the_app,
            self.takes_an_app_for_the_passkey,
            self.is_reset,
            self.is_reset,
            self.who_has_a_passkey_is_reset,
            self.is_reset_by_the_operator,
            self.a_reset_is_asked_for,
            self.a_reset_is_asked_for,
            self.what_waits_is_done,
            self.what_waits_is_taken_back,
            self.sets_up_again,
            self.sets_up_again,
            self.sets_up_again_with_a_passkey,
            self.is_suspended,
            self.is_given_more_time,
            self.is_given_more_time,
            self.is_given_more_time_by_the_operator,
            self.more_time_is_ended,
            self.more_time_is_refused,
            self.sets_up_in_more_time,
            self.mandate_now,
            self.mandate_later,
            self.mandate_off,
            self.mandate_off_by_the_operator,
            self.passkeys_now,
            self.passkeys_later,
            self.any_second_step,
            self.managed_by_others,
            self.has_another_name,
            self.has_another_address,
            self.takes_the_address_back,
            self.a_backup_is_put_back,
            self.product_brings_somebody,
            self.product_brings_somebody,
            self.product_says_more,
            self.product_says_more,
            self.product_drops_somebody,
            self.product_forgets_somebody,
            self.product_renames_the_workspace,
            self.products_person_sets_up,
        ]
