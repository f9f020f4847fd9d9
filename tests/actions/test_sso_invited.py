"""Which invitations let a stranger in by single sign-on: those to be a member, in time, of somebody who still may."""

import pytest

from nightlatch.actions.proving import Proved
from nightlatch.actions.sso_outcomes import Turned, Why
from nightlatch.actions.tokens import new_token
from nightlatch.addresses import parse
from nightlatch.instants import DAY
from nightlatch.store import invitations, teammates
from nightlatch.vocabulary import Role
from tests.support.signing_on import Outcome, a_connection, a_domain, come, who
from tests.support.world import Person, World


class Acme:
    """Takes no strangers; Adam, an admin, invites one."""

    def __init__(self, world: World) -> None:
        self.world, self.adam = world, world.person("Adam")
        self.id = world.workspace("acme", owner=world.person("Dana"), admin=self.adam)
        self.okta = a_connection(world, self.id)
        a_domain(world, self.id, "corp.example")

    def invite(self, role: Role = Role.MEMBER, by: Person | None = None) -> None:
        inviter, address = by or self.adam, parse("new@corp.example")
        self.world.write(
            lambda tx: invitations.create(
                tx,
                workspace_id=self.id,
                address=address,
                role=role,
                invited_by=inviter.id,
                inviter=inviter.name,
                token_hash=new_token().hash,
            )
        )

    def come(self) -> Outcome:
        return come(self.world, self.okta, who("s-1", email="new@corp.example", email_verified=True))

    def refused(self) -> Why:
        outcome = self.come()
        assert isinstance(outcome, Turned)
        return outcome.why


@pytest.fixture
def acme(world: World) -> Acme:
    return Acme(world)


def test_to_be_a_member_it_lets_in(acme: Acme) -> None:
    assert acme.refused() is Why.NO_JOINING
    acme.invite()
    assert isinstance(acme.come(), Proved)


def test_to_be_an_admin_it_does_not(acme: Acme) -> None:
    acme.invite(Role.ADMIN)
    assert acme.refused() is Why.NO_JOINING


def test_nor_when_it_has_run_out(acme: Acme) -> None:
    acme.invite()
    acme.world.wait(8 * DAY)
    assert acme.refused() is Why.NO_JOINING


def test_nor_when_whoever_sent_it_may_not_any_more(acme: Acme) -> None:
    acme.invite()
    row = acme.world.read(lambda tx: teammates.by_account(tx, acme.adam.id, acme.id))
    assert row is not None
    acme.world.write(lambda tx: teammates.remove(tx, row.id))
    assert acme.refused() is Why.NO_JOINING
