"""Service accounts: of one workspace, answered for by a teammate, exempt from the mandate and from nothing else."""

from typing import Any

import pytest

from nightlatch.access import decide
from nightlatch.actions import kinds, service_accounts, teammates
from nightlatch.actions.api_tokens import Made
from nightlatch.actions.by import By
from nightlatch.actions.service_accounts import ServiceAccount
from nightlatch.actions.tokens import hash_token
from nightlatch.addresses import parse
from nightlatch.decision import Action, Allow, Decision, Deny
from nightlatch.instants import HOUR
from nightlatch.refusals import Code, Refused
from nightlatch.store import teammates as memberships
from nightlatch.store.known import Known
from nightlatch.store.session_facts import read_known
from nightlatch.vocabulary import Credential, Event, Reason, Role, Scope
from tests.support.events import Told, events
from tests.support.letters import letters
from tests.support.tables import rows
from tests.support.world import Person, World


class Acme:
    """Requires 2FA; Dana owns it, Bea and Kim are admins, Ana is a member. All have 2FA."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.dana, self.bea, self.kim, self.ana = (
            world.person(name) for name in ("Dana", "Bea", "Kim", "Ana")
        )
        self.id = world.workspace("acme", owner=self.dana, admin=[self.bea, self.kim], member=self.ana)
        self.beta = world.workspace("beta", owner=[self.dana, self.bea])
        self.apps = {each.id: world.bind_totp(each)[0] for each in (self.dana, self.bea, self.kim, self.ana)}
        world.require(self.id)

    def by(self, person: Person) -> By:
        return self.world.signed_in(person, self.apps[person.id])

    def teammate(self, person: Person) -> int:
        row = self.world.read(lambda tx: memberships.by_account(tx, person.id, self.id))
        assert row is not None
        return int(row.id)

    def do(self, work: Any, by: By | None = None, **more: Any) -> Any:
        """One of the actions, by Dana unless said otherwise."""
        who, given = by or self.by(self.dana), {"workspace_id": self.id, **more}
        return self.world.write(lambda tx: work(tx, by=who, **given))

    def add(self, **more: Any) -> ServiceAccount:
        added: ServiceAccount = self.do(service_accounts.add, **{"name": "Robot", **more})
        return added

    def token(self, service: ServiceAccount, *scopes: Scope, **more: Any) -> Made:
        given = {"service_id": service.id, "name": "cron", "scopes": list(scopes or Scope), **more}
        made: Made = self.do(service_accounts.make_token, **given)
        return made

    def known(self, made: Made) -> Known:
        return self.world.read(lambda tx: read_known(tx, hash_token(made.token.text), Credential.TOKEN))

    def decides(self, made: Made, action: Action) -> Decision:
        return decide(self.known(made).facts, action)

    def read(self, service: ServiceAccount) -> ServiceAccount:
        return self.world.read(lambda tx: service_accounts.read(tx, self.id, service.id))[0]

    def remove(self, person: Person) -> None:
        by, teammate_id = self.by(self.dana), self.teammate(person)
        self.world.write(
            lambda tx: teammates.remove(tx, by=by, workspace_id=self.id, teammate_id=teammate_id)
        )

    def told(self, event: Event) -> list[Told]:
        return [each for each in events(self.world) if each.event is event]


@pytest.fixture
def acme(world: World) -> Acme:
    return Acme(world)


def refused(code: Code):
    return pytest.raises(Refused, match=f"^{code}:")


def test_a_machine_reads_in_its_workspace_whatever_that_requires(acme: Acme):
    """Its scopes say all that it may; there is no role, no proof, no other workspace."""
    made = acme.token(acme.add(), Scope.TEAMMATES, Scope.AUDIT)
    facts = acme.known(made).facts
    assert facts.account is None
    assert facts.proofs == ()
    assert [(each.workspace, each.role) for each in facts.teammates] == [(acme.id, Role.MEMBER)]
    for action in (kinds.SEE_TEAM, kinds.READ_AUDIT):
        assert isinstance(acme.decides(made, action.at(acme.id)), Allow)
        assert acme.decides(made, action.at(acme.beta)) == Deny(Reason.NOT_A_TEAMMATE)
    for action in (kinds.READ_EVIDENCE, kinds.SEE_POLICY, kinds.USE, kinds.INVITE, kinds.MANAGE_SERVICES):
        assert acme.decides(made, action.at(acme.id)) == Deny(Reason.SCOPE)


def test_who_may_add_one(acme: Acme):
    """Owners and admins, with fresh proof; of a member and of others it is refused."""
    acme.add(by=acme.by(acme.bea))
    with refused(Code.NOT_PERMITTED):
        acme.add(by=acme.by(acme.ana))
    by = acme.by(acme.dana)
    acme.world.wait(HOUR)
    with refused(Code.STEP_UP_REQUIRED):
        acme.add(by=by)
    with refused(Code.NOT_FOUND):
        acme.add(by=acme.by(acme.kim), workspace_id=acme.beta)


def test_the_sponsor_is_a_teammate_and_is_told(acme: Acme):
    """Whoever adds it, unless said otherwise."""
    assert acme.read(acme.add()).sponsor.name == "Dana"
    assert not letters(acme.world, "service_account_sponsor")
    assert acme.read(acme.add(sponsor=acme.teammate(acme.ana))).sponsor.name == "Ana"
    (mail,) = letters(acme.world, "service_account_sponsor")
    assert mail.to == acme.ana.email
    assert acme.read(acme.add(sponsor=parse(acme.kim.email))).sponsor.name == "Kim"
    stranger = acme.world.person("Otto")
    for nobody in (4711, parse(stranger.email)):
        with refused(Code.INVALID):
            acme.add(sponsor=nobody)


@pytest.mark.parametrize("way", ["removed", "left"])
def test_it_is_suspended_with_its_sponsor_and_resumed_by_another(acme: Acme, way: str):
    """In the same transaction; the owners and admins who stay are mailed; the same tokens work again."""
    service = acme.add(sponsor=acme.teammate(acme.bea))
    made, other = acme.token(service), acme.token(acme.add(name="Other"))
    see = kinds.SEE_TEAM.at(acme.id)
    if way == "removed":
        acme.remove(acme.bea)
    else:
        acme.do(teammates.leave, by=acme.by(acme.bea))
    assert acme.decides(made, see) == Deny(Reason.SPONSOR)
    assert isinstance(acme.decides(other, see), Allow)
    shown = acme.read(service)
    assert shown.suspended_at is not None
    assert shown.sponsor.gone
    mails = letters(acme.world, "service_account_suspended")
    assert {each.to for each in mails} == {acme.dana.email, acme.kim.email}
    assert len(acme.told(Event.SERVICE_ACCOUNT_SUSPENDED)) == 1
    with refused(Code.CONFLICT):
        acme.token(service)
    acme.do(service_accounts.change, service_id=service.id, sponsor=acme.teammate(acme.kim))
    assert isinstance(acme.decides(made, see), Allow)
    (resumed,) = acme.told(Event.SERVICE_ACCOUNT_RESUMED)
    assert (resumed.detail["sponsor"], resumed.detail["former_sponsor"]) == ("Kim", "Bea")


def test_a_sponsor_who_returns_does_not_resume_it(acme: Acme):
    """Somebody names them again, or does not."""
    service = acme.add(sponsor=acme.teammate(acme.ana))
    made = acme.token(service)
    acme.remove(acme.ana)
    acme.world.write(
        lambda tx: memberships.join(tx, workspace_id=acme.id, account_id=acme.ana.id, role=Role.MEMBER)
    )
    assert acme.decides(made, kinds.SEE_TEAM.at(acme.id)) == Deny(Reason.SPONSOR)


def test_no_path_past_the_transaction_leaves_it_working(acme: Acme):
    """The membership itself is compared, should a way be found to end one without suspending anything."""
    service = acme.add(sponsor=acme.teammate(acme.ana))
    made, teammate_id = acme.token(service), acme.teammate(acme.ana)
    acme.world.write(lambda tx: memberships.remove(tx, teammate_id))
    assert acme.read(service).suspended_at is None
    assert acme.decides(made, kinds.SEE_TEAM.at(acme.id)) == Deny(Reason.SPONSOR)


def test_removed_it_is_nobody(acme: Acme):
    """With all its tokens; ending asks for no fresh proof."""
    service = acme.add()
    made, by = acme.token(service), acme.by(acme.bea)
    acme.world.wait(HOUR)
    acme.do(service_accounts.remove, by=by, service_id=service.id)
    assert acme.known(made).token is None
    with refused(Code.NOT_FOUND):
        acme.do(service_accounts.remove, service_id=service.id)
    assert not acme.world.read(lambda tx: service_accounts.every(tx, acme.id))
    (told,) = acme.told(Event.SERVICE_ACCOUNT_REMOVED)
    assert told.detail["tokens_ended"] == 1


def test_one_token_is_ended(acme: Acme):
    service = acme.add()
    one, two = acme.token(service), acme.token(service)
    with refused(Code.NOT_FOUND):
        acme.do(service_accounts.end_token, service_id=acme.add(name="Other").id, token_id=one.shown.id)
    acme.do(service_accounts.end_token, service_id=service.id, token_id=one.shown.id)
    assert acme.known(one).token is None
    assert acme.known(two).token is not None
    assert all(row.account_id is None for row in rows(acme.world, "tokens"))


def test_no_other_workspace_reaches_it(acme: Acme):
    """Law 7: the same owner, by way of Beta."""
    service = acme.add()
    made = acme.token(service)
    for work, more in (
        (service_accounts.change, {"name": "Mine"}),
        (service_accounts.remove, {}),
        (service_accounts.make_token, {"name": "x", "scopes": list(Scope)}),
        (service_accounts.end_token, {"token_id": made.shown.id}),
    ):
        with refused(Code.NOT_FOUND):
            acme.do(work, workspace_id=acme.beta, service_id=service.id, **more)


def test_another_name(acme: Acme):
    service = acme.add()
    acme.do(service_accounts.change, service_id=service.id, name="Auditor", sponsor=acme.teammate(acme.kim))
    shown = acme.read(service)
    assert (shown.name, shown.sponsor.name, shown.suspended_at) == ("Auditor", "Kim", None)
    assert len(acme.told(Event.SERVICE_ACCOUNT_CHANGED)) == 2


def test_the_most_of_them(acme: Acme, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(service_accounts, "MOST_IN_A_WORKSPACE", 1)
    acme.add()
    with refused(Code.CONFLICT):
        acme.add()
