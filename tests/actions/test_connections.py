"""Connections and their rules: who may change them, what a change does at once, and the emergency door of owners."""

from typing import Any

import pytest
from sqlalchemy import bindparam, select

from nightlatch.access import decide, decide_workspace
from nightlatch.actions import authenticators, connection_rule, connections, kinds, sso_required, teammates
from nightlatch.actions.by import By
from nightlatch.actions.sso_outcomes import Way, Why
from nightlatch.audit.rebuilding import rebuild
from nightlatch.decision import Allow, Challenge, Deny, Enrol
from nightlatch.instants import DAY, HOUR, MINUTE
from nightlatch.policy import Acceptance, SsoRule, Told
from nightlatch.refusals import Code, Refused
from nightlatch.store import connections as stored
from nightlatch.store import events as stored_events
from nightlatch.store import standing
from nightlatch.store import teammates as memberships
from nightlatch.store.query import Query
from nightlatch.store.schema import accounts as accounts_table
from nightlatch.store.schema import standing as table
from nightlatch.vocabulary import Event, Method, Reason, Role
from tests.support.events import events
from tests.support.letters import letters
from tests.support.signing_on import a_connection, by_of, come, connected, rule, who
from tests.support.world import Person, World

_STATE = Query(
    select(table.c.state, table.c.methods).where(
        table.c.account_id == bindparam("account_id"), table.c.workspace_id == bindparam("workspace_id")
    )
)
MFA = Told(amr=frozenset({"mfa"}))


class Acme:
    """Requires 2FA; Dana owns it, Bea is an admin, both with 2FA. Ana is a member without, known to the provider."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.dana, self.bea, self.ana = (world.person(name) for name in ("Dana", "Bea", "Ana"))
        self.id = world.workspace("acme", owner=self.dana, admin=self.bea, member=self.ana)
        self.apps = {each.id: world.bind_totp(each)[0] for each in (self.dana, self.bea)}
        world.require(self.id)
        self.okta = a_connection(world, self.id)
        connected(world, self.ana, self.okta)

    def by(self, person: Person) -> By:
        return self.world.signed_in(person, self.apps[person.id])

    def do(self, work: Any, by: By | None = None, **more: Any) -> Any:
        who = by or self.by(self.dana)
        return self.world.write(lambda tx: work(tx, by=who, workspace_id=self.id, **more))

    def state(self, person: Person) -> tuple[str, str]:
        """What the Teammates table keeps of somebody."""
        row = self.world.read(lambda tx: tx.one(_STATE, account_id=person.id, workspace_id=self.id))
        assert row is not None
        return row.state, row.methods


@pytest.fixture
def acme(world: World) -> Acme:
    return Acme(world)


def refused(work: Any) -> Refused:
    with pytest.raises(Refused) as found:
        work()
    return found.value


# --- adding and changing ---


def test_adding_and_changing_is_told_and_keeps_the_secret(acme: Acme) -> None:
    made = acme.do(
        connections.add, kind="oidc", name="Entra", issuer="https://login.example/v2.0", secret="hush"
    )
    assert (made.ready, made.has_secret) == (False, True)
    changed = acme.do(connections.change, connection_id=made.id, client_id="id-1", secret=None, joins=True)
    assert (changed.ready, changed.has_secret, changed.joins) == (True, True, True)
    row = acme.world.read(lambda tx: stored.by_id(tx, made.id))
    assert row is not None
    assert acme.world.read(lambda tx: stored.secret_of(tx, row)) == "hush"
    told = events(acme.world, workspace=acme.id)
    assert [each.event for each in told][-2:] == [Event.CONNECTION_ADDED, Event.CONNECTION_CHANGED]
    assert told[-1].detail["changed"] == ["client_id", "joins"]
    assert "hush" not in str(told)
    assert len(letters(acme.world, "connection_changed")) == 2
    again = lambda: acme.do(connections.add, kind="oidc", name="E", issuer="https://login.example/v2.0")  # noqa: E731
    assert refused(again).code is Code.CONFLICT


def test_a_connection_that_people_come_by_keeps_its_client_id(acme: Acme) -> None:
    """Whoever came by it would count as having come, and nobody could: where it is required, nobody but owners."""
    for given in ("", "  "):
        found = refused(
            lambda given=given: acme.do(connections.change, connection_id=acme.okta, client_id=given)
        )
        assert (found.code, found.errors[0].field) == (Code.INVALID, "client_id")
    begun = acme.do(connections.add, kind="oidc", name="Entra", issuer="https://login.example/v2.0")
    assert acme.do(connections.change, connection_id=begun.id, client_id="", joins=True).joins


def test_members_and_stale_admins_change_nothing(acme: Acme) -> None:
    member = by_of(come(acme.world, acme.okta, who("Ana")))
    add: dict[str, Any] = {"kind": "oidc", "name": "X", "issuer": "https://x.example"}
    assert refused(lambda: acme.do(connections.add, member, **add)).code is Code.ENROLMENT_REQUIRED
    admin = acme.by(acme.bea)
    acme.world.wait(11 * MINUTE)
    assert refused(lambda: acme.do(connections.add, admin, **add)).code is Code.STEP_UP_REQUIRED
    assert acme.do(connections.add, acme.by(acme.bea), **add).name == "X"


def test_a_connection_of_another_workspace_is_none(acme: Acme) -> None:
    eve = acme.world.person("Eve")
    beta = acme.world.workspace("beta", owner=eve)
    by = acme.world.session(eve)
    for work in (connections.remove, connections.change):
        failed = refused(
            lambda work=work: acme.world.write(
                lambda tx: work(tx, by=by, workspace_id=beta, connection_id=acme.okta)
            )
        )
        assert failed.code is Code.NOT_FOUND


# --- rules ---


def test_a_rule_bites_the_next_request_and_stands_in_the_table(acme: Acme) -> None:
    world = acme.world
    accept: dict[str, Any] = {"connection_id": acme.okta, "rule": SsoRule.ACCEPT, "second": ["mfa"]}
    acme.do(connection_rule.set_rule, **accept)
    session = by_of(come(world, acme.okta, who("Ana", told=MFA)))
    assert isinstance(decide_workspace(world.known(session).facts, acme.id), Allow)
    assert acme.state(acme.ana) == ("sso", "sso")
    acme.do(connection_rule.set_rule, connection_id=acme.okta, rule=SsoRule.ASK)
    assert isinstance(decide_workspace(world.known(session).facts, acme.id), Enrol)
    assert acme.state(acme.ana) == ("off", "")
    acme.do(connection_rule.set_rule, **accept)
    come(world, acme.okta, who("Ana", told=MFA))
    assert acme.state(acme.ana) == ("sso", "sso")
    come(world, acme.okta, who("Ana"))  # this time without a second step there
    assert acme.state(acme.ana) == ("off", "")
    told = [each for each in events(world) if each.event is Event.CONNECTION_RULE_CHANGED]
    assert [each.detail["rule"] for each in told] == ["accept", "ask", "accept"]
    assert told[0].detail["second"] == ["mfa"]


@pytest.mark.parametrize("how", ["removed", "gone", "disconnected"])
def test_by_sso_ends_with_what_it_rests_on(acme: Acme, how: str) -> None:
    from nightlatch.actions import sso_linking

    world = acme.world
    rule(world, acme.okta, Acceptance(SsoRule.EXEMPT, exempt_until=world.clock.now() + DAY))
    session = by_of(come(world, acme.okta, who("Ana", auth_time=world.clock.now())))
    assert acme.state(acme.ana) == ("sso", "sso")
    if how == "removed":
        acme.do(connections.remove, connection_id=acme.okta)
        assert isinstance(decide_workspace(world.known(session).facts, acme.id), Challenge)
    elif how == "disconnected":
        world.write(lambda tx: sso_linking.disconnect(tx, by=session, connection_id=acme.okta))
    else:
        row = world.read(lambda tx: memberships.by_account(tx, acme.ana.id, acme.id))
        assert row is not None
        world.write(lambda tx: memberships.remove(tx, row.id))
        world.write(
            lambda tx: memberships.join(tx, workspace_id=acme.id, account_id=acme.ana.id, role=Role.MEMBER)
        )
        world.write(lambda tx: standing.refresh(tx, acme.ana.id))
    assert acme.state(acme.ana) == ("off", "")


def test_an_exemption_is_an_owners_and_ends(acme: Acme) -> None:
    world, end = acme.world, acme.world.clock.now() + 89 * DAY
    exempt: dict[str, Any] = {"connection_id": acme.okta, "rule": SsoRule.EXEMPT}
    set_rule = connection_rule.set_rule
    assert (
        refused(lambda: acme.do(set_rule, acme.by(acme.bea), **exempt, exempt_until=end)).code
        is Code.NOT_PERMITTED
    )
    assert refused(lambda: acme.do(set_rule, **exempt)).errors[0].field == "exempt_until"
    assert refused(lambda: acme.do(set_rule, **exempt, exempt_until=end + 2 * DAY)).code is Code.INVALID
    shown = acme.do(set_rule, **exempt, exempt_until=end)
    assert shown.exempt_by == "Dana"
    assert acme.do(set_rule, acme.by(acme.bea), connection_id=acme.okta, rule=SsoRule.ASK).exempt_by is None
    assert world.clock.now() < end


def test_an_exemption_that_is_over_leaves_the_table(acme: Acme) -> None:
    world = acme.world
    rule(world, acme.okta, Acceptance(SsoRule.EXEMPT, exempt_until=world.clock.now() + HOUR))
    come(world, acme.okta, who("Ana"))
    assert not world.read(connection_rule.exemption_waits)
    world.wait(HOUR)
    assert world.read(connection_rule.exemption_waits)
    assert world.write(connection_rule.end_exemption)
    assert acme.state(acme.ana) == ("off", "")
    assert not world.read(connection_rule.exemption_waits)


@pytest.mark.parametrize(
    "given",
    [
        {"second": []},
        {"second": ["two words"]},
        {"second": ["x" * 201]},
        {"second": [str(each) for each in range(21)]},
        {"second": ["mfa"], "max_age": MINUTE - 1},
    ],
)
def test_a_rule_that_accepts_lists_what(acme: Acme, given: dict[str, Any]) -> None:
    work = lambda: acme.do(  # noqa: E731
        connection_rule.set_rule, connection_id=acme.okta, rule=SsoRule.ACCEPT, **given
    )
    assert refused(work).code is Code.INVALID


# --- requiring it ---


def test_it_is_required_of_everybody_but_owners(acme: Acme) -> None:
    world = acme.world
    connected(world, acme.bea, acme.okta)
    owner, admin = acme.by(acme.dana), acme.by(acme.bea)
    assert acme.do(sso_required.require, owner, required=True)
    assert not acme.do(sso_required.require, owner, required=True)
    shut = decide_workspace(world.known(admin).facts, acme.id)
    assert isinstance(shut, Challenge)
    assert (shut.reason, shut.methods) == (Reason.FIRST_FACTOR, (Method.PROVIDER,))
    assert isinstance(decide_workspace(world.known(owner).facts, acme.id), Allow)
    outcome = come(world, acme.okta, who("Bea"), Way.STEP_UP, admin)
    assert isinstance(decide_workspace(world.known(by_of(outcome)).facts, acme.id), Allow)
    failed = refused(lambda: acme.do(connections.remove, connection_id=acme.okta))
    assert failed.code is Code.CONFLICT  # the only way to it
    acme.do(sso_required.require, required=False)
    assert isinstance(decide_workspace(world.known(acme.by(acme.bea)).facts, acme.id), Allow)


def test_who_is_not_connected_yet_connects_with_all_that_else_opens_it(acme: Acme) -> None:
    world = acme.world
    acme.do(sso_required.require, required=True)
    admin = acme.by(acme.bea)
    turned = come(world, acme.okta, who("bea@okta"), Way.STEP_UP, admin)
    assert getattr(turned, "why", None) is Why.NOT_CONNECTED
    half = world.session(acme.bea)
    assert refused(lambda: come(world, acme.okta, who("bea@okta"), Way.LINK, half)).code is (
        Code.SECOND_FACTOR_REQUIRED
    )
    come(world, acme.okta, who("bea@okta"), Way.LINK, admin)
    assert by_of(come(world, acme.okta, who("bea@okta"))).id == acme.bea.id


def test_nobody_shuts_the_emergency_door(acme: Acme) -> None:
    world = acme.world
    empty = world.workspace("empty", owner=acme.dana)
    by = acme.by(acme.dana)
    nothing = refused(
        lambda: world.write(lambda tx: sso_required.require(tx, by=by, workspace_id=empty, required=True))
    )
    assert nothing.code is Code.CONFLICT  # no connection
    acme.do(sso_required.require, required=True)
    rosa = world.person("Rosa")
    world.write(lambda tx: memberships.join(tx, workspace_id=acme.id, account_id=rosa.id, role=Role.OWNER))
    row = world.read(lambda tx: memberships.by_account(tx, acme.dana.id, acme.id))
    assert row is not None
    last = refused(lambda: acme.do(teammates.change_role, teammate_id=row.id, role=Role.ADMIN))
    assert last.code is Code.LAST_OWNER  # Rosa is an owner, without 2FA
    acme.do(sso_required.require, required=False)
    session = acme.by(acme.dana)
    world.write(
        lambda tx: tx.run(
            Query(
                accounts_table.update().values(password_hash=None).where(accounts_table.c.id == acme.dana.id)
            )
        )
    )
    none = refused(lambda: acme.do(sso_required.require, session, required=True))
    assert none.code is Code.NOT_ENROLLED


def test_the_owner_who_comes_in_otherwise_keeps_what_that_takes(acme: Acme) -> None:
    """Without a mandate, too: a password and 2FA open when the provider is down."""
    world = acme.world
    acme.do(sso_required.require, required=True)
    world.unrequire(acme.id)

    def unbind() -> None:
        by, mine = acme.by(acme.dana), acme.apps[acme.dana.id]
        world.write(lambda tx: authenticators.unbind(tx, by=by, authenticator_id=mine))

    assert refused(unbind).code is Code.LAST_OWNER
    rosa = world.person("Rosa")
    world.write(lambda tx: memberships.join(tx, workspace_id=acme.id, account_id=rosa.id, role=Role.OWNER))
    assert refused(unbind).code is Code.LAST_OWNER  # Rosa has no 2FA
    world.bind_totp(rosa)
    unbind()


def test_the_emergency_door_is_told_once_a_session(acme: Acme) -> None:
    from nightlatch.actions.proving import accept
    from nightlatch.actions.tokens import new_token

    world = acme.world
    acme.do(sso_required.require, required=True)

    def opened(by: By) -> None:
        world.write(lambda tx: accept(tx, by, world_known(tx, by), new_token()))

    def world_known(tx: Any, by: By) -> Any:
        from nightlatch.actions.guard import known

        return known(tx, by)

    opened(acme.by(acme.dana))
    assert len([each for each in events(world) if each.event is Event.SSO_BYPASSED]) == 1
    assert [each.to for each in letters(world, "sso_bypassed")] == [acme.dana.email]
    connected(world, acme.dana, acme.okta)
    come(world, acme.okta, who("Dana"))
    assert len(letters(world, "sso_bypassed")) == 1


# --- API tokens ---


def test_a_token_lives_by_the_rule_too(acme: Acme) -> None:
    from nightlatch.actions.tokens import new_api_token
    from nightlatch.store import api_tokens
    from nightlatch.store.session_facts import read_known
    from nightlatch.vocabulary import Credential, Scope

    world, token = acme.world, new_api_token()
    world.write(
        lambda tx: api_tokens.create(
            tx,
            token_hash=token.hash,
            name="cron",
            scopes=list(Scope),
            expires_at=tx.now + DAY,
            account_id=acme.ana.id,
            good_in=[acme.id],
        )
    )

    def decision() -> Any:
        facts = world.read(lambda tx: read_known(tx, token.hash, Credential.TOKEN)).facts
        return decide(facts, kinds.READ_WORKSPACE.at(acme.id))

    assert isinstance(decision(), Enrol)
    rule(world, acme.okta, Acceptance(SsoRule.EXEMPT, exempt_until=world.clock.now() + HOUR))
    come(world, acme.okta, who("Ana"))
    assert isinstance(decision(), Allow)
    world.wait(HOUR)
    assert isinstance(decision(), Enrol)
    assert not isinstance(decision(), Deny)


# --- evidence ---


def test_evidence_says_who_came_by_sso_and_until_when(acme: Acme) -> None:
    world = acme.world

    def told() -> str | None:
        found = rebuild(
            world.read(lambda tx: stored_events.forward(tx, acme.id, after=0, most=1000)), world.clock.now()
        )
        (ana,) = [each for each in found.teammates if each.account == acme.ana.id]
        return ana.state

    rule(world, acme.okta, Acceptance(SsoRule.ACCEPT, second=frozenset({"mfa"})))
    come(world, acme.okta, who("Ana", told=MFA))
    assert told() == "sso"
    come(world, acme.okta, who("Ana"))
    assert told() != "sso"
    come(world, acme.okta, who("Ana", told=MFA))
    acme.do(connection_rule.set_rule, connection_id=acme.okta, rule=SsoRule.ASK)
    assert told() != "sso"
