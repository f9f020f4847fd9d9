"""A workspace to turn the switch in, by the real action."""

from typing import Any

import pytest

from nightlatch.actions import mandate
from nightlatch.actions.by import By, operator
from nightlatch.actions.mandate import Policy
from nightlatch.ids import new_id
from nightlatch.instants import Instant
from nightlatch.refusals import Code, Refused
from nightlatch.store import exceptions
from nightlatch.store.engine import Transaction
from tests.support.tables import everything
from tests.support.world import Person, World


class Acme:
    """An owner and an admin with 2FA, an owner and a member without."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.dana, self.olga, self.adam, self.ana = map(world.person, ("Dana", "Olga", "Adam", "Ana"))
        self.id = world.workspace("acme", owner=[self.dana, self.olga], admin=self.adam, member=self.ana)
        self.app, _ = world.bind_totp(self.dana)
        self.adams_app, _ = world.bind_totp(self.adam)
        self.owner = world.signed_in(self.dana, self.app)
        self.admin = world.signed_in(self.adam, self.adams_app)

    def policy(self, by: By | None = None) -> Policy:
        return self.world.read(
            lambda tx: mandate.read_policy(tx, by=by or operator("Op"), workspace_id=self.id)
        )

    def change(self, by: By | None = None, **values: Any) -> Policy:
        """Change what is named; the rest as it is."""
        now = self.policy()
        complete = {
            "required": now.required,
            "required_from": now.required_from,
            "managed_by": now.managed_by,
            "if_revision": now.revision,
            "reason": None,
            **values,
        }
        return self.world.write(
            lambda tx: mandate.change_policy(tx, by=by or self.owner, workspace_id=self.id, **complete)
        )

    def on(self, by: By | None = None, since: int | None = None, **values: Any) -> Policy:
        return self.change(by, required=True, required_from=since, **values)

    def off(self, by: By | None = None, reason: str | None = "Enough", **values: Any) -> Policy:
        return self.change(by, required=False, required_from=None, reason=reason, **values)

    def refused(self, code: Code, *arguments: Any, **values: Any) -> Refused:
        """`on`, `off` or `change`, whose name comes first, is refused, and nothing happened."""
        verb, *rest = arguments
        before = everything(self.world)
        with pytest.raises(Refused) as refusal:
            getattr(self, verb)(*rest, **values)
        assert refusal.value.code is code
        assert refusal.value.way_out is not None or refusal.value.errors
        assert everything(self.world) == before
        return refusal.value


def exempt(world: World, workspace_id: int, person: Person, *, until: Instant, approved: bool = True) -> None:
    """An exception, without asking anybody."""

    def body(tx: Transaction) -> None:
        id = new_id()
        exceptions.ask(
            tx,
            id=id,
            workspace_id=workspace_id,
            account_id=person.id,
            reason="Abroad",
            ends_at=until,
            requested_by=None,
            requester="Adam",
        )
        if approved:
            exceptions.approve(tx, id, approved_by=None, approver="Dana")
            exceptions.exempt(tx, workspace_id, person.id, until)

    world.write(body)
