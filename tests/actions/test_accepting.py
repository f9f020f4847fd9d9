"""A workspace accepts an authenticator of a teammate: who may, what it changes there, and nothing anywhere else."""

import pytest

from nightlatch.actions import accepting, resets
from nightlatch.actions.by import By
from nightlatch.decision import Allow, Challenge, Enrol
from nightlatch.facts import reach_of
from nightlatch.ids import to_text
from nightlatch.instants import MINUTE
from nightlatch.refusals import Code, Refused
from nightlatch.store import authenticators
from nightlatch.vocabulary import Event, Role
from tests.support.events import events
from tests.support.letters import letters
from tests.support.lost import bind_codes, is_open, show_code
from tests.support.tables import everything, rows
from tests.support.world import Person, World


class Two:
    """Ana is in Acme and Beta; her app reaches Acme alone. Beta has an owner, an admin, and another admin."""

    def __init__(self, world: World, role: Role = Role.MEMBER) -> None:
        self.world = world
        names = ("Ana", "Dana", "Otto", "Adam")
        self.ana, self.dana, self.otto, self.adam = map(world.person, names)
        self.acme = world.workspace("acme", owner=self.dana, member=self.ana)
        people: dict[str, list[Person]] = {"owner": [self.otto], "admin": [self.adam], "member": []}
        people[role] = [*people[role], self.ana]
        self.beta = world.workspace("beta", **people)
        self.app, self.seed = world.bind_totp(self.ana, reach_of(self.acme))
        self.owner = world.signed_in(self.otto, world.bind_totp(self.otto)[0])
        self.admin = world.signed_in(self.adam, world.bind_totp(self.adam)[0])
        self.teammate: int = next(
            each.id
            for each in rows(world, "teammates")
            if each.account_id == self.ana.id and each.workspace_id == self.beta
        )

    def accept(self, by: By, *, app: int | None = None, reason: str = "It is her phone") -> accepting.Offered:
        return self.world.write(
            lambda tx: accepting.accept(
                tx, by=by, workspace_id=self.beta, authenticator_id=app or self.app, reason=reason
            )
        )

    def look(self, by: By) -> accepting.Looked:
        return self.world.read(
            lambda tx: accepting.look(tx, by=by, workspace_id=self.beta, teammate_id=self.teammate)
        )


def test_from_then_on_it_is_asked_for_and_opens(world: World) -> None:
    two = Two(world)
    half = world.session(two.ana)
    assert is_open(world, half, two.beta), "nothing was relied on there, and nothing is required"
    accepted = two.accept(two.admin)
    assert (accepted.id, accepted.name) == (two.app, "Phone")
    assert isinstance(world.opens(half, two.beta), Challenge)
    me = show_code(world, half, two.seed)
    assert is_open(world, me, two.beta)
    told = [each.event for each in events(world, workspace=two.beta) if each.subject[1] == two.ana.id]
    assert told == [Event.AUTHENTICATOR_ACCEPTED, Event.TEAMMATE_SECURED]
    assert not list(events(world, workspace=two.acme)), "it is Beta's own affair"
    assert {each.to for each in letters(world, "authenticator_accepted")} == {two.ana.email}
    with pytest.raises(Refused):
        two.accept(two.admin)


def test_under_a_mandate_it_is_the_way_on(world: World) -> None:
    two = Two(world)
    world.require(two.beta)
    me = show_code(world, world.session(two.ana), two.seed)
    assert isinstance(world.opens(me, two.beta), Enrol)
    two.accept(two.admin)
    assert is_open(world, me, two.beta), "what it reaches now counts, acceptances included"


def test_what_was_void_by_a_reset_counts_again_for_newer_proofs(world: World) -> None:
    two = Two(world)
    world.write(lambda tx: authenticators.mark(tx, two.app, two.beta, "accepted_at", tx.now))
    old = show_code(world, world.session(two.ana), two.seed)
    world.write(
        lambda tx: resets.disable_two_factor(
            tx,
            by=two.admin,
            workspace_id=two.beta,
            teammate_id=two.teammate,
            reason="Lost",
            recognised_by="phone",
        )
    )
    assert [each.id for each in two.look(two.admin).offered] == [two.app]
    two.accept(two.admin)
    assert not is_open(world, old, two.beta), "a proof from before the reset stays dead"
    (row,) = [each for each in rows(world, "teammates") if each.id == two.teammate]
    assert row.reset_id is None
    assert not [each for each in rows(world, "tickets") if each.ended_at is None]
    world.wait(MINUTE)
    assert is_open(world, show_code(world, world.session(two.ana), two.seed), two.beta)


@pytest.mark.parametrize(
    "role, may_admin, may_owner",
    [(Role.MEMBER, True, True), (Role.ADMIN, False, True), (Role.OWNER, False, True)],
)
def test_the_rank_rule_of_resets_at_once(world: World, role: Role, may_admin: bool, may_owner: bool) -> None:
    two = Two(world, role)
    for by, may in ((two.admin, may_admin), (two.owner, may_owner)):
        assert (two.look(by).against is None) is may
        if not may:
            before = everything(world)
            with pytest.raises(Refused) as refused:
                two.accept(by)
            assert refused.value.code is Code.NOT_PERMITTED
            assert everything(world) == before
    assert two.accept(two.owner).id == two.app


def test_never_ones_own(world: World) -> None:
    two = Two(world, Role.OWNER)
    own, _ = world.bind_totp(two.ana, reach_of(two.beta))
    me = world.signed_in(two.ana, own)
    with pytest.raises(Refused) as refused:
        two.accept(me)
    assert refused.value.code is Code.NOT_PERMITTED


def test_only_what_is_offered_and_nothing_of_elsewhere(world: World) -> None:
    """A stranger's app, a set of codes, what is lost: refused as if it were not there; no other workspace is named."""
    two = Two(world)
    stranger = world.person("Sam")
    theirs, _ = world.bind_totp(stranger)
    set_id, _ = bind_codes(world, two.ana, reach_of(two.acme))
    lost, _ = world.bind_totp(two.ana, reach_of(two.acme))
    world.write(lambda tx: authenticators.contest(tx, lost))
    looked = two.look(two.admin)
    assert [each.id for each in looked.offered] == [two.app]
    assert "cme" not in str(looked)
    assert to_text(two.acme) not in str(looked)
    for id in (theirs, set_id, lost, 4711):
        with pytest.raises(Refused) as refused:
            two.accept(two.admin, app=id)
        assert refused.value.code is Code.NOT_FOUND


def test_a_reason_and_fresh_proof(world: World) -> None:
    two = Two(world)
    with pytest.raises(Refused) as refused:
        two.accept(two.admin, reason=" ")
    assert refused.value.code is Code.INVALID
    world.wait(11 * MINUTE)
    with pytest.raises(Refused) as refused:
        two.accept(two.admin)
    assert refused.value.code is Code.STEP_UP_REQUIRED


def test_what_acme_sees_is_as_before(world: World) -> None:
    """Law 7, the other way round: Beta's acceptance is nothing to Acme."""
    two = Two(world)
    half, me = world.session(two.ana), show_code(world, world.session(two.ana), two.seed)
    before = [world.opens(each, two.acme) for each in (half, me)]
    two.accept(two.admin)
    assert [world.opens(each, two.acme) for each in (half, me)] == before
    assert isinstance(before[1], Allow)
