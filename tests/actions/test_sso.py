"""Single sign-on, whatever the protocol: who comes in, who does not, and where what was shown counts."""

from dataclasses import replace

import pytest

from nightlatch.access import decide_workspace
from nightlatch.actions import sso, sso_arriving, sso_linking, sso_reports
from nightlatch.actions.proving import Proved
from nightlatch.actions.sso_outcomes import Linked, Reported, Turned, Way, Why
from nightlatch.actions.tokens import new_token
from nightlatch.budget import WAYS, Counter
from nightlatch.decision import Allow, Challenge, Enrol
from nightlatch.instants import DAY, HOUR, MINUTE, SECOND
from nightlatch.policy import Acceptance, SsoRule, Told
from nightlatch.refusals import Code, Refused
from nightlatch.sources import source_of
from nightlatch.store import connections, guesses, identities, invitations, sso_flows, teammates
from nightlatch.store.sso_flows import Flow
from nightlatch.vocabulary import Event, Method, Reason, Role
from tests.support.events import events
from tests.support.letters import letters
from tests.support.signing_on import (
    VISITOR,
    a_connection,
    a_domain,
    begin,
    by_of,
    come,
    connected,
    rule,
    spend,
    who,
)
from tests.support.world import World

MFA = Told(amr=frozenset({"mfa", "pwd"}))
ACCEPT = Acceptance(SsoRule.ACCEPT, second=frozenset({"mfa"}))


class Acme:
    """Dana owns it, Ana is a member; both are known to its provider. Ana is in Beta, too, which has a provider of its
    own."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.dana, self.ana = world.person("Dana"), world.person("Ana")
        self.id = world.workspace("acme", owner=self.dana, member=self.ana)
        self.beta = world.workspace("beta", owner=[self.dana, self.ana])
        self.okta = a_connection(world, self.id)
        self.betas = a_connection(world, self.beta, name="Beta")
        for person in (self.dana, self.ana):
            connected(world, person, self.okta)

    def decision(self, outcome, workspace=None):
        return decide_workspace(self.world.known(by_of(outcome)).facts, workspace or self.id)


@pytest.fixture
def acme(world: World) -> Acme:
    return Acme(world)


def why(outcome) -> Why:
    assert isinstance(outcome, Turned), outcome
    return outcome.why


def arrive(world, flow, by, subject="Ana"):
    """They came back, by this session."""
    assert isinstance(flow, Flow)
    token = new_token()
    return world.write(
        lambda tx: sso_arriving.finish(tx, by=by, flow=flow, identity=who(subject), token=token)
    )


# --- ways ---


def test_a_way_back_works_once_in_its_browser_and_its_time(acme):
    world, begun = acme.world, begin(acme.world, acme.okta)
    assert why(spend(world, begun, cookie=b"another" * 5)) is Why.OTHER_BROWSER
    assert isinstance(spend(world, begun), Flow)
    assert why(spend(world, begun)) is Why.USED
    late = begin(world, acme.okta)
    world.wait(10 * MINUTE)
    assert why(spend(world, late)) is Why.EXPIRED
    assert [each.detail["why"] for each in events(world) if each.event is Event.SSO_REFUSED] == [
        "other_browser",
        "used",
    ]


def test_a_network_that_only_begins_ways_waits_until_somebody_comes_in(acme):
    """Each is a row for ten minutes; a company's people behind one address come in all the time."""
    source = source_of(VISITOR.ip)
    full = Counter(WAYS.free, acme.world.clock.now())
    acme.world.write(lambda tx: guesses.keep(tx, "sso", source, full))
    with pytest.raises(Refused) as refused:
        begin(acme.world, acme.okta)
    assert refused.value.code is Code.TOO_MANY_ATTEMPTS
    begin(acme.world, acme.okta, by=replace(VISITOR, ip="198.51.100.1"))  # another network
    acme.world.wait(SECOND)
    come(acme.world, acme.okta, who("nobody"))
    assert acme.world.read(lambda tx: guesses.peek(tx, "sso", source)).failures == WAYS.free + 1
    acme.world.wait(2 * SECOND)
    come(acme.world, acme.okta, who("Ana"))
    assert acme.world.read(lambda tx: guesses.peek(tx, "sso", source)).failures == 0


def test_a_state_of_another_connection_is_none(acme):
    begun = begin(acme.world, acme.betas)
    mixed = type(begun)(acme.okta, begun.state, begun.cookie)
    assert why(spend(acme.world, mixed)) is Why.NOT_KNOWN
    assert isinstance(spend(acme.world, begun), Flow)  # and is not spent by it


# --- signing in ---


def test_who_is_connected_comes_in_there_and_nowhere_else(acme):
    outcome = come(acme.world, acme.okta, who("Ana"))
    assert isinstance(outcome, Proved)
    assert isinstance(acme.decision(outcome), Allow)
    elsewhere = acme.decision(outcome, acme.beta)
    assert isinstance(elsewhere, Challenge)
    assert elsewhere.reason is Reason.FIRST_FACTOR


def test_under_a_mandate_the_rule_says_what_it_counts_for_live(acme):
    acme.world.require(acme.id)
    outcome = come(acme.world, acme.okta, who("Ana", told=MFA))
    assert isinstance(acme.decision(outcome), Enrol)
    rule(acme.world, acme.okta, ACCEPT)
    assert isinstance(acme.decision(outcome), Allow)
    rule(acme.world, acme.okta, Acceptance(SsoRule.ACCEPT, second=frozenset({"hwk"})))
    assert isinstance(acme.decision(outcome), Enrol)
    until = acme.world.clock.now() + HOUR
    rule(acme.world, acme.okta, Acceptance(SsoRule.EXEMPT, exempt_until=until))
    assert isinstance(acme.decision(outcome), Allow)
    acme.world.wait(HOUR)
    assert isinstance(acme.decision(outcome), Enrol)


def test_what_the_provider_says_of_another_workspace_counts_for_nothing(acme):
    acme.world.require(acme.beta)
    rule(acme.world, acme.okta, ACCEPT)
    outcome = come(acme.world, acme.okta, who("Ana", told=MFA))
    assert isinstance(acme.decision(outcome), Allow)
    assert isinstance(acme.decision(outcome, acme.beta), Challenge)


def test_a_removed_connection_ends_what_was_shown_by_it(acme):
    outcome = come(acme.world, acme.okta, who("Ana"))
    acme.world.write(lambda tx: connections.remove(tx, acme.okta))
    assert isinstance(acme.decision(outcome), Challenge)


# --- strangers ---


def stranger(acme, *, email="new@corp.example", verified=True, subject="s-1", at=None):
    identity = who(subject, email=email, email_verified=verified, name="New One", auth_time=at)
    return come(acme.world, acme.okta, identity)


def joining(acme) -> None:
    acme.world.write(
        lambda tx: connections.change(
            tx, acme.okta, name="Okta", client_id="nightlatch", settings={}, joins_from=tx.now
        )
    )


def test_strangers_join_as_members_only_where_all_of_it_holds(acme):
    assert why(stranger(acme, verified=False)) is Why.NOT_VERIFIED
    assert why(stranger(acme, email=None)) is Why.NO_EMAIL
    assert why(stranger(acme)) is Why.OTHER_DOMAIN
    a_domain(acme.world, acme.beta, "corp.example")
    assert why(stranger(acme)) is Why.OTHER_DOMAIN  # it is Beta's
    a_domain(acme.world, acme.id, "acme.example")
    assert why(stranger(acme, email="new@acme.example")) is Why.NO_JOINING
    joining(acme)
    outcome = stranger(acme, email="new@acme.example")
    known = acme.world.known(by_of(outcome))
    assert known.person is not None
    assert known.person.passwordless
    (mate,) = known.facts.teammates
    assert (mate.workspace, mate.role) == (acme.id, Role.MEMBER)
    again = stranger(acme, email="other@acme.example")
    assert by_of(again).id == by_of(outcome).id  # by its subject, whatever the address


@pytest.mark.parametrize("verified", [True, False])
def test_an_address_alone_joins_nobody_to_an_account(acme, verified):
    joining(acme)
    a_domain(acme.world, acme.id, "example.com")
    turned = stranger(acme, email=acme.ana.email, verified=verified)
    assert why(turned) is Why.HAS_ACCOUNT
    assert turned.way_out is not None
    outsider = acme.world.person("Out")
    expected = Why.HAS_ACCOUNT if verified else Why.NOT_VERIFIED  # strangers' accounts are not told of
    assert why(stranger(acme, email=outsider.email, verified=verified)) is expected


def test_somebody_removed_comes_back_by_an_invitation_alone(acme):
    world = acme.world
    joining(acme)
    a_domain(world, acme.id, "corp.example")
    first = by_of(stranger(acme))

    def remove(tx):
        row = teammates.by_account(tx, first.id or 0, acme.id)
        assert row is not None
        teammates.remove(tx, row.id)

    world.write(remove)
    assert why(stranger(acme)) is Why.REMOVED
    assert why(stranger(acme, subject="s-2")) is Why.REMOVED  # nor as somebody new with the same address

    def invite(role):
        from nightlatch.actions.tokens import new_token
        from nightlatch.addresses import parse

        world.write(
            lambda tx: invitations.create(
                tx,
                workspace_id=acme.id,
                address=parse("new@corp.example"),
                role=role,
                token_hash=new_token().hash,
                invited_by=acme.dana.id,
                inviter="Dana",
            )
        )

    invite(Role.MEMBER)
    assert by_of(stranger(acme)).id == first.id
    assert world.read(lambda tx: invitations.pending_for(tx, acme.id, "new@corp.example")) is None


# --- connecting ---


def test_connecting_takes_the_whole_proof_fresh(acme):
    world, ana = acme.world, acme.ana
    app, _ = world.bind_totp(ana)
    half = world.session(ana)
    with pytest.raises(Refused) as refused:
        begin(world, acme.betas, Way.LINK, half)
    assert refused.value.code is Code.SECOND_FACTOR_REQUIRED
    full = world.signed_in(ana, app)
    world.wait(11 * MINUTE)
    with pytest.raises(Refused) as refused:
        begin(world, acme.betas, Way.LINK, full)
    assert refused.value.code is Code.STEP_UP_REQUIRED
    outcome = come(world, acme.betas, who("ana@beta"), Way.LINK, world.signed_in(ana, app))
    assert isinstance(outcome, Linked)
    assert letters(world, "sso_connected")
    assert by_of(come(world, acme.betas, who("ana@beta"))).id == ana.id


def test_an_identity_belongs_to_one_account_and_an_account_has_one(acme):
    world = acme.world
    assert why(come(world, acme.okta, who("Dana"), Way.LINK, world.session(acme.ana))) is Why.TAKEN
    assert why(come(world, acme.okta, who("x"), Way.LINK, world.session(acme.ana))) is Why.CONNECTED_OTHERWISE


def test_a_stranger_to_the_workspace_connects_nothing(acme):
    eve = acme.world.person("Eve")
    acme.world.workspace("eves", owner=eve)
    with pytest.raises(Refused) as refused:
        begin(acme.world, acme.okta, Way.LINK, acme.world.session(eve))
    assert refused.value.code is Code.NOT_FOUND


def test_the_only_way_into_an_account_is_kept(acme):
    joining(acme)
    a_domain(acme.world, acme.id, "acme.example")
    hers = by_of(stranger(acme, email="new@acme.example", at=acme.world.clock.now()))
    with pytest.raises(Refused) as refused:
        acme.world.write(lambda tx: sso_linking.disconnect(tx, by=hers, connection_id=acme.okta))
    assert refused.value.code is Code.CONFLICT


def test_no_sign_in_is_later_than_now(acme):
    """A provider's clock may be a minute ahead; what came by it is no fresher for that."""
    came = come(acme.world, acme.okta, who("Ana", auth_time=acme.world.clock.now() + MINUTE))
    facts = acme.world.known(by_of(came)).facts
    assert [each.at <= facts.now for each in facts.proofs] == [True]


def test_disconnecting_ends_what_was_shown_by_it(acme):
    world = acme.world
    outcome = come(world, acme.okta, who("Ana"))
    own = world.session(acme.ana)
    world.write(lambda tx: sso_linking.disconnect(tx, by=own, connection_id=acme.okta))
    assert isinstance(acme.decision(outcome), Challenge)
    assert letters(world, "sso_disconnected")
    assert why(come(world, acme.okta, who("Ana"))) is Why.NO_EMAIL
    assert world.read(lambda tx: identities.of_account(tx, acme.okta, acme.ana.id)) is None


# --- stepping up ---


def test_stepping_up_takes_the_same_person_and_a_fresh_sign_in(acme):
    world = acme.world
    session = by_of(come(world, acme.okta, who("Ana")))
    now = world.clock.now()
    assert why(come(world, acme.okta, who("Dana"), Way.STEP_UP, session)) is Why.OTHER_PERSON
    assert why(come(world, acme.okta, who("new"), Way.STEP_UP, session)) is Why.NOT_CONNECTED
    stale = who("Ana", auth_time=now - 2 * MINUTE)
    assert why(come(world, acme.okta, stale, Way.STEP_UP, session, fresh=True)) is Why.NOT_FRESH
    assert why(come(world, acme.okta, who("Ana"), Way.STEP_UP, session, fresh=True)) is Why.NOT_FRESH
    good = who("Ana", auth_time=world.clock.now())
    outcome = come(world, acme.okta, good, Way.STEP_UP, session, fresh=True)
    assert isinstance(outcome, Proved)
    proof = next(each for each in world.known(by_of(outcome)).facts.proofs if each.method is Method.PROVIDER)
    assert proof.at == good.auth_time
    assert world.known(session).session is None  # the session has a new token


def test_a_way_belongs_to_the_session_that_began_it(acme):
    world = acme.world
    one, other = world.session(acme.ana), world.session(acme.ana)
    flow = spend(world, begin(world, acme.okta, Way.STEP_UP, one))
    assert isinstance(flow, Flow)
    from nightlatch.actions import sso_arriving
    from nightlatch.actions.tokens import new_token

    for by in (other, VISITOR):
        turned = world.write(
            lambda tx, by=by: sso_arriving.finish(
                tx, by=by, flow=flow, identity=who("Ana"), token=new_token()
            )
        )
        assert why(turned) is Why.OTHER_SESSION


def test_a_test_signs_nobody_in(acme):
    world, before = acme.world, acme.world.session(acme.dana)
    outcome = come(world, acme.okta, who("Ana", told=MFA), Way.TEST, before)
    assert isinstance(outcome, Reported)
    known = world.known(before)
    assert [each.method for each in known.facts.proofs] == [Method.PASSWORD]
    with pytest.raises(Refused):
        begin(world, acme.okta, Way.TEST, world.session(acme.ana))


def test_a_report_is_for_the_session_that_ran_the_test_and_for_its_connection(acme):
    world, hers, another = acme.world, acme.world.session(acme.dana), acme.world.session(acme.dana)
    outcome = come(world, acme.okta, who("Ana", told=MFA), Way.TEST, hers)
    assert isinstance(outcome, Reported)
    flow_id = outcome.flow_id

    def reads(by, connection_id):
        session = world.known(by).session
        return world.read(
            lambda tx: sso_reports.read(
                tx, flow_id=flow_id, connection_id=connection_id, session_id=session.id
            )
        )

    told = reads(hers, acme.okta)
    assert (told["subject"], told["who"], told["amr"]) == ("Ana", "Ana", ["mfa", "pwd"])
    for by, connection_id in ((another, acme.okta), (hers, acme.betas)):
        with pytest.raises(Refused) as refused:
            reads(by, connection_id)
        assert refused.value.code is Code.NOT_FOUND
    world.wait(HOUR)
    with pytest.raises(Refused):
        reads(hers, acme.okta)


def test_a_test_that_comes_back_to_another_session_brings_nothing(acme):
    world, hers, another = acme.world, acme.world.session(acme.dana), acme.world.session(acme.dana)
    flow = spend(world, begin(world, acme.okta, Way.TEST, hers), another)
    assert why(arrive(world, flow, another)) is Why.OTHER_SESSION


def test_whoever_may_not_test_any_more_is_told_nothing(acme):
    world, hers = acme.world, acme.world.session(acme.dana)
    flow = spend(world, begin(world, acme.okta, Way.TEST, hers), hers)
    world.require(acme.id)
    with pytest.raises(Refused) as refused:
        arrive(world, flow, hers)
    assert refused.value.code is Code.ENROLMENT_REQUIRED


def test_an_account_is_connected_in_the_session_that_began_it_and_while_that_may(acme):
    world, eve = acme.world, acme.world.person("Eve")
    world.write(lambda tx: teammates.join(tx, workspace_id=acme.id, account_id=eve.id, role=Role.MEMBER))
    hers, another = world.session(eve), world.session(eve)
    flow = spend(world, begin(world, acme.okta, Way.LINK, hers), another)
    assert why(arrive(world, flow, another, "Eve")) is Why.OTHER_SESSION
    flow = spend(world, begin(world, acme.okta, Way.LINK, hers), hers)
    world.require(acme.id)
    with pytest.raises(Refused) as refused:
        arrive(world, flow, hers, "Eve")
    assert refused.value.code is Code.ENROLMENT_REQUIRED
    assert world.read(lambda tx: identities.of_account(tx, acme.okta, eve.id)) is None


def test_a_test_that_failed_says_what_happened_and_refuses_nobody(acme):
    world, hers = acme.world, acme.world.session(acme.dana)
    flow = spend(world, begin(world, acme.okta, Way.TEST, hers), hers)
    assert isinstance(flow, Flow)
    came = world.write(
        lambda tx: sso.failed(tx, by=hers, flow=flow, code="invalid_client", detail="The secret is wrong.")
    )
    assert isinstance(came, Reported)
    session = world.known(hers).session
    told = world.read(
        lambda tx: sso_reports.read(tx, flow_id=came.flow_id, connection_id=acme.okta, session_id=session.id)
    )
    assert told == {"code": "invalid_client", "detail": "The secret is wrong."}
    assert Event.SSO_REFUSED not in {each.event for each in events(world)}


def test_a_used_assertion_is_remembered_as_long_as_it_could_be_used(acme):
    def first(digest):
        until = acme.world.clock.now() + HOUR
        return acme.world.write(
            lambda tx: sso_flows.spend_once(
                tx, connection_id=acme.okta, assertion_hash=digest, expires_at=until
            )
        )

    assert first(b"one")
    acme.world.write(sso_flows.prune)
    assert not first(b"one")
    acme.world.wait(HOUR + SECOND)
    acme.world.write(sso_flows.prune)
    assert first(b"one")


def test_flows_do_not_outlive_the_day(acme):
    begun = begin(acme.world, acme.okta)
    acme.world.wait(DAY)
    acme.world.write(sso_flows.prune)
    assert acme.world.read(lambda tx: sso_flows.by_state(tx, begun.state.hash)) is None
