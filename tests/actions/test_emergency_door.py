"""Where single sign-on is required, owners keep a password and 2FA as the emergency door: what it takes, and that the
last owner who has both keeps both, whichever way somebody goes about it. Without a mandate, which guards 2FA by itself.
"""

import re
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from nightlatch.access import decide_workspace
from nightlatch.actions import resets, sso_required, teammates
from nightlatch.actions.by import By, operator
from nightlatch.actions.reset_doing import finish_due
from nightlatch.decision import Allow, Challenge, Enrol
from nightlatch.ids import to_text
from nightlatch.instants import DAY, HOUR
from nightlatch.refusals import Code, Refused
from nightlatch.store import authenticators, identities, sessions
from nightlatch.store import resets as stored_resets
from nightlatch.store import teammates as memberships
from nightlatch.store.engine import Transaction
from nightlatch.store.session_facts import read_known
from nightlatch.vocabulary import Method, Reason, Role
from tests.support.signing_on import a_connection, by_of, come, connected, who
from tests.support.world import Person, World
from tests.web.team import Team


class Acme:
    """Olga and Otto own it; Olga has 2FA, Otto none. Ada is an admin with 2FA. Single sign-on is required."""

    def __init__(self, world: World) -> None:
        self.team, self.world = Team.of(world), world
        self.olga, self.ada = (self.team.person(name, two_factor=True) for name in ("Olga", "Ada"))
        self.otto = self.team.person("Otto")
        self.id = world.workspace("acme", owner=[self.olga, self.otto], admin=self.ada)
        self.okta = a_connection(world, self.id)
        for person in (self.ada, self.otto):
            connected(world, person, self.okta)
        olga = self.by(self.olga)
        world.write(lambda tx: sso_required.require(tx, by=olga, workspace_id=self.id, required=True))
        world.wait(8 * DAY)

    def by(self, person: Person) -> By:
        """By password and app."""
        return self.world.signed_in(person, self.world.read(lambda tx: bound(tx, person)))

    def by_provider(self, person: Person) -> By:
        """By the connection, in this moment, and then with their app, if they have one."""
        told = self.world.clock.now()
        by = by_of(come(self.world, self.okta, who(person.name, auth_time=told)))

        def show(tx: Transaction) -> None:
            session = read_known(tx, by.token_hash, by.credential).session
            assert session is not None
            if person.id in self.team.seeds:
                sessions.add_proof(tx, session.id, Method.TOTP, authenticator_id=bound(tx, person))

        self.world.write(show)
        return by

    def row(self, person: Person) -> int:
        row = self.world.read(lambda tx: memberships.by_account(tx, person.id, self.id))
        assert row is not None
        return int(row.id)

    def reset(self, by: By, person: Person) -> resets.ResetDone:
        target = self.row(person)
        return self.world.write(
            lambda tx: resets.disable_two_factor(
                tx, by=by, workspace_id=self.id, teammate_id=target, reason="Lost", recognised_by="By voice"
            )
        )

    def opens(self, by: By) -> Any:
        return decide_workspace(self.world.known(by).facts, self.id)


def bound(tx: Transaction, person: Person) -> int:
    """Their app."""
    return int(authenticators.of_account(tx, person.id)[0].id)


@pytest.fixture
def acme(world: World) -> Acme:
    return Acme(world)


def refused(work: Callable[[], Any]) -> Code:
    with pytest.raises(Refused) as found:
        work()
    assert found.value.way_out is not None
    return found.value.code


# --- what it takes ---


def test_the_door_takes_2fa(acme: Acme) -> None:
    """A stolen password of an owner who has no 2FA opens nothing: they come by the provider."""
    assert isinstance(acme.opens(acme.by(acme.olga)), Allow)
    shut = acme.opens(acme.world.session(acme.otto))
    assert isinstance(shut, Challenge)
    assert (shut.reason, shut.methods) == (Reason.FIRST_FACTOR, (Method.PROVIDER,))
    assert isinstance(acme.opens(by_of(come(acme.world, acme.okta, who("Otto")))), Allow)


def test_an_owner_without_2fa_is_led_to_the_provider_and_connects(acme: Acme) -> None:
    acme.world.write(lambda tx: identities.disconnect(tx, acme.okta, acme.otto.id))
    visitor = acme.team.visitor(acme.otto)
    page = visitor.open("/w/acme")
    assert page.path.startswith("/step-up"), page.path
    page = visitor.open(page.read.links["Connect with Okta"])
    assert f"/sso/{to_text(acme.okta)}/connect" in page.actions


def test_after_a_reset_the_ticket_opens_the_way_to_2fa_again(acme: Acme) -> None:
    """The operator's way for an owner who lost their phone while the provider is down."""
    acme.reset(operator("Op"), acme.olga)
    found = acme.opens(acme.world.session(acme.olga))
    assert isinstance(found, Enrol)
    assert found.reason is Reason.RESET


# --- the last owner who has it keeps it ---


def test_not_by_the_settings_nor_by_the_api(acme: Acme) -> None:
    visitor = acme.team.visitor(acme.olga)
    page = visitor.open("/settings/user")
    remove = next(
        link for link in page.read.links.values() if re.search(r"/authenticators/\w+/remove$", link)
    )
    visitor.open(remove)
    page = visitor.submit(remove)
    assert page.status == 409
    assert "single sign-on" in page.text
    client = acme.team.client(acme.olga)
    (bound,) = [each["id"] for each in client.get("/api/v1/me/authenticators").json["items"]]
    acme.team.step_up(client, acme.olga)
    assert client.ask("DELETE", f"/api/v1/me/authenticators/{bound}").code == "last_owner"


def test_not_by_another_owner_or_admin(acme: Acme) -> None:
    """At the request, and again when it is due."""
    ada = acme.by_provider(acme.ada)
    assert refused(lambda: acme.reset(ada, acme.olga)) is Code.LAST_OWNER
    assert refused(lambda: acme.reset(acme.by_provider(acme.otto), acme.olga)) is Code.LAST_OWNER
    acme.team.secure(acme.otto)
    asked = acme.reset(ada, acme.olga)
    assert not asked.done
    acme.world.write(lambda tx: authenticators.unbind(tx, bound(tx, acme.otto), acme.otto.id))
    acme.world.wait(73 * HOUR)
    while acme.world.write(finish_due):
        pass
    row = acme.world.read(lambda tx: stored_resets.by_id(tx, asked.reset_id))
    assert row is not None
    assert row.ended_by == "last_owner"
    assert isinstance(acme.opens(acme.by(acme.olga)), Allow)


def test_not_by_leaving_demoting_or_removing(acme: Acme) -> None:
    """Another owner is there in each case, who has no 2FA."""
    olga, row, otto = acme.by(acme.olga), acme.row(acme.olga), acme.by_provider(acme.otto)
    here: dict[str, Any] = {"workspace_id": acme.id}
    works: list[Callable[[Transaction], Any]] = [
        lambda tx: teammates.leave(tx, by=olga, **here),
        lambda tx: teammates.change_role(tx, by=olga, teammate_id=row, role=Role.ADMIN, **here),
        lambda tx: teammates.remove(tx, by=otto, teammate_id=row, **here),
        lambda tx: teammates.remove(tx, by=operator("Op"), teammate_id=row, reason="Gone", **here),
    ]
    for work in works:
        assert refused(partial(acme.world.write, work)) is Code.LAST_OWNER


def test_who_owns_alone_is_reset_by_an_admin_who_opens(acme: Acme) -> None:
    """As under a mandate: there is nobody else who could set up, and who asks comes in by the provider."""
    otto, olga = acme.row(acme.otto), acme.by(acme.olga)
    acme.world.write(
        lambda tx: teammates.change_role(
            tx, by=olga, workspace_id=acme.id, teammate_id=otto, role=Role.MEMBER
        )
    )
    assert not acme.reset(acme.by_provider(acme.ada), acme.olga).done
