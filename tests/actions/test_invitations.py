"""Inviting: who may, whom it reaches, how many mails it sends. Probes F30, F31, F32; law 4 for resending."""

from collections.abc import Sequence
from functools import partial

import pytest

from nightlatch.actions import invitations
from nightlatch.actions.by import By, operator
from nightlatch.actions.invitations import Invited, Outcome
from nightlatch.addresses import Address, parse
from nightlatch.facts import EVERYWHERE
from nightlatch.instants import DAY, HOUR, MINUTE
from nightlatch.refusals import Code, Refused
from nightlatch.store import authenticators, standing
from nightlatch.vocabulary import Event, Method, Role
from tests.support.events import events
from tests.support.letters import letter, letters
from tests.support.races import at_once
from tests.support.tables import everything, rows
from tests.support.world import Person, World

EVE = parse("Eve@Example.com")


class Acme:
    """A workspace of an owner with 2FA, an admin and a member, and somebody who is in none of it."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.dana, self.ben, self.ana = (world.person(name) for name in ("Dana", "Ben", "Ana"))
        self.id = world.workspace("acme", owner=self.dana, admin=self.ben, member=self.ana)

    def invite(
        self, by: By, *pasted: Address, role: Role = Role.MEMBER, workspace_id: int | None = None
    ) -> Invited:
        wanted = self.id if workspace_id is None else workspace_id
        return self.world.write(
            lambda tx: invitations.invite(tx, by=by, workspace_id=wanted, pasted=pasted, role=role)
        )

    def outcomes(self, by: By, *pasted: Address, role: Role = Role.MEMBER) -> list[Outcome]:
        return [each.outcome for each in self.invite(by, *pasted, role=role).results]

    def resend(self, by: By, invitation_id: int, workspace_id: int | None = None) -> None:
        wanted = self.id if workspace_id is None else workspace_id
        self.world.write(
            lambda tx: invitations.resend(tx, by=by, workspace_id=wanted, invitation_id=invitation_id)
        )

    def revoke(self, by: By, invitation_id: int, workspace_id: int | None = None) -> None:
        wanted = self.id if workspace_id is None else workspace_id
        self.world.write(
            lambda tx: invitations.revoke(tx, by=by, workspace_id=wanted, invitation_id=invitation_id)
        )

    def standing(self) -> Sequence[tuple[str, str]]:
        return [(each.email, each.role) for each in rows(self.world, "standing") if each.status == "invited"]


@pytest.fixture
def acme(world: World) -> Acme:
    return Acme(world)


def refused(code: Code):
    return pytest.raises(Refused, match=f"^{code}:")


def pending_id(acme: Acme, *, by: Person, address: Address = EVE, role: Role = Role.MEMBER) -> int:
    result = acme.invite(acme.world.session(by), address, role=role).results[0]
    assert result.invitation_id is not None
    return result.invitation_id


def test_each_address_gets_its_own_link_once(world, acme):
    fay = parse("fay@example.com")
    sent = acme.invite(world.session(acme.ben), EVE, fay, parse("EVE@example.com"))
    assert [(each.address, each.outcome) for each in sent.results] == [
        (EVE, Outcome.SENT),
        (fay, Outcome.SENT),
    ]
    assert sent.sent == 2
    found = letters(world, "invitation")
    assert sorted(each.to for each in found) == ["Eve@Example.com", "fay@example.com"]
    assert len({each.token() for each in found}) == 2
    for each in found:
        assert each.values["inviter"] == "Ben"
        assert each.values["workspace"] == "Acme"
        assert each.values["role"] == "member"
    assert sorted(acme.standing()) == [("Eve@Example.com", "member"), ("fay@example.com", "member")]
    told = [each for each in events(world, workspace=acme.id) if each.event is Event.INVITATION_SENT]
    assert [each.subject for each in told] == [
        ("address", None, "Eve@Example.com"),
        ("address", None, "fay@example.com"),
    ]
    assert all(each.actor[1] == acme.ben.id for each in told)
    assert all(
        found[0].token() not in str(each) and found[0].hash().hex() not in str(each) for each in events(world)
    )


def test_no_link_is_told_to_whoever_invites(world, acme):
    assert acme.invite(world.session(acme.dana), EVE).results[0].token is None


def test_the_operator_is_told_the_link_of_a_new_address_alone(world, acme):
    results = acme.invite(operator("Olga"), EVE, parse(world.person("Old").email)).results
    assert [each.outcome for each in results] == [Outcome.SENT, Outcome.SENT]
    new, known = results
    assert new.token is not None
    assert new.token.hash == letter(world, "invitation", to=EVE.display).hash()
    assert known.token is None


def test_who_is_there_already_gets_no_mail(world, acme):
    bens = world.session(acme.ben)
    acme.invite(bens, EVE)
    results = acme.invite(bens, EVE, parse(acme.ana.email)).results
    assert [each.outcome for each in results] == [Outcome.ALREADY_INVITED, Outcome.ALREADY_TEAMMATE]
    assert results[0].invitation_id == rows(world, "invitations")[0].id
    assert len(letters(world, "invitation")) == 1


def test_an_invitation_that_ran_out_makes_room_for_a_new_one(world, acme):
    first = pending_id(acme, by=acme.dana, role=Role.MEMBER)
    world.wait(7 * DAY)
    again = acme.invite(world.session(acme.ben), EVE, role=Role.MEMBER).results[0]
    assert again.outcome is Outcome.SENT
    assert again.invitation_id != first
    assert len(acme.standing()) == 1


@pytest.mark.parametrize("number", [0, 501])
def test_1_to_500_addresses_at_a_time(world, acme, number):
    many = [parse(f"person{each}@example.com") for each in range(number)]
    with refused(Code.INVALID):
        acme.invite(world.session(acme.ben), *many)


def test_500_addresses_are_invited_in_one_go(world, acme):
    many = [parse(f"person{each}@example.com") for each in range(500)]
    assert acme.invite(world.session(acme.ben), *many).sent == 500


# --- who may ---


@pytest.mark.parametrize("role", list(Role))
def test_a_member_invites_nobody(world, acme, role):
    """F32: the right to read is not the right to invite."""
    anas = world.session(acme.ana)
    before = everything(world)
    with refused(Code.NOT_PERMITTED):
        acme.invite(anas, EVE, role=role)
    assert everything(world) == before


@pytest.mark.parametrize(
    "who, role, may",
    [
        ("ben", Role.MEMBER, True),
        ("ben", Role.ADMIN, True),
        ("ben", Role.OWNER, False),
        ("dana", Role.OWNER, True),
    ],
)
def test_nobody_invites_above_their_own_role(world, acme, who, role, may):
    """F31, F32."""
    by = world.session(getattr(acme, who))
    if may:
        assert acme.outcomes(by, EVE, role=role) == [Outcome.SENT]
    else:
        with refused(Code.NOT_PERMITTED):
            acme.invite(by, EVE, role=role)
        assert not letters(world)


def test_handing_out_power_takes_fresh_proof(world, acme):
    bens = world.session(acme.ben)
    world.wait(11 * MINUTE)
    assert acme.outcomes(bens, EVE) == [Outcome.SENT]
    with refused(Code.STEP_UP_REQUIRED):
        acme.invite(bens, parse("fay@example.com"), role=Role.ADMIN)


def test_a_recovery_code_hands_out_no_power(world, acme):
    world.bind_totp(acme.dana)
    codes = world.write(
        lambda tx: authenticators.bind(
            tx, account_id=acme.dana.id, method=Method.RECOVERY_CODE, name="Codes", reach=EVERYWHERE
        )
    )
    danas = world.session(acme.dana, Method.PASSWORD, Method.RECOVERY_CODE, authenticator=codes)
    with refused(Code.NOT_PERMITTED):
        acme.invite(danas, EVE, role=Role.OWNER)
    assert acme.outcomes(danas, EVE) == [Outcome.SENT]


def test_nobody_acts_in_a_workspace_that_is_not_theirs(world, acme):
    """F30: an admin elsewhere, who knows the ids, is told nothing; an invitation of another workspace is not found."""
    zoe = world.person("Zoe")
    other = world.workspace("other", owner=zoe)
    zoes = world.session(zoe)
    theirs = pending_id(acme, by=acme.dana)
    before = everything(world)
    for attempt in (
        lambda: acme.invite(zoes, EVE),
        lambda: acme.resend(zoes, theirs),
        lambda: acme.revoke(zoes, theirs),
        lambda: acme.resend(zoes, theirs, workspace_id=other),
        lambda: acme.revoke(zoes, theirs, workspace_id=other),
    ):
        with refused(Code.NOT_FOUND):
            attempt()
    assert everything(world) == before


def test_a_closed_workspace_invites_nobody(world, acme):
    bens = world.session(acme.ben)
    world.require(acme.id)
    with refused(Code.ENROLMENT_REQUIRED):
        acme.invite(bens, EVE)


# --- again, and back ---


def test_sending_again_replaces_the_link_and_takes_it_over(world, acme):
    invitation_id = pending_id(acme, by=acme.dana)
    world.wait(11 * MINUTE)
    acme.resend(world.session(acme.ben), invitation_id)
    first, second = letters(world, "invitation")
    assert first.token() != second.token()
    assert second.values["inviter"] == "Ben"
    row = rows(world, "invitations")[0]
    assert (row.token_hash, row.former_hash, row.sends) == (second.hash(), first.hash(), 2)
    assert row.invited_by == acme.ben.id
    assert row.expires_at == second.values["expires"]
    assert events(world)[-1].event is Event.INVITATION_RESENT


def test_sending_again_asks_for_the_right_to_invite_to_that_role(world, acme):
    invitation_id = pending_id(acme, by=acme.dana, role=Role.OWNER)
    world.wait(11 * MINUTE)
    with refused(Code.NOT_PERMITTED):
        acme.resend(world.session(acme.ben), invitation_id)
    with refused(Code.NOT_PERMITTED):
        acme.revoke(world.session(acme.ben), invitation_id)
    with refused(Code.NOT_PERMITTED):
        acme.revoke(world.session(acme.ana), invitation_id)
    acme.resend(world.session(acme.dana), invitation_id)


def test_a_revoked_invitation_is_gone(world, acme):
    invitation_id = pending_id(acme, by=acme.dana)
    acme.revoke(world.session(acme.ben), invitation_id)
    assert acme.standing() == []
    assert events(world)[-1].event is Event.INVITATION_REVOKED
    with refused(Code.NOT_FOUND):
        acme.revoke(world.session(acme.ben), invitation_id)
    world.wait(11 * MINUTE)
    with refused(Code.NOT_FOUND):
        acme.resend(world.session(acme.ben), invitation_id)


# --- limits ---


def test_an_invitation_is_sent_again_at_most_once_in_ten_minutes(world, acme):
    invitation_id = pending_id(acme, by=acme.dana)
    world.wait(9 * MINUTE)
    with refused(Code.TOO_MANY_ATTEMPTS) as told:
        acme.resend(world.session(acme.dana), invitation_id)
    assert told.value.retry_at == rows(world, "invitations")[0].sent_at + 10 * MINUTE
    world.wait(1 * MINUTE)
    acme.resend(world.session(acme.dana), invitation_id)


def test_an_address_gets_three_invitation_mails_a_day_over_all_workspaces(world, acme):
    zoe = world.person("Zoe")
    others = [world.workspace(f"other-{number}", owner=zoe) for number in range(3)]
    zoes = world.session(zoe)
    for other in others[:2]:
        assert acme.invite(zoes, EVE, workspace_id=other).sent == 1
    invitation_id = pending_id(acme, by=acme.dana)
    assert acme.invite(zoes, EVE, parse("fay@example.com"), workspace_id=others[2]).sent == 1
    assert [each.to for each in letters(world, "invitation")].count(EVE.display) == 3
    world.wait(HOUR)
    with refused(Code.TOO_MANY_ATTEMPTS) as told:
        acme.resend(world.session(acme.dana), invitation_id)
    first = min(each.created_at for each in rows(world, "outbox"))
    assert told.value.retry_at == first + DAY
    world.wait(23 * HOUR)
    acme.resend(world.session(acme.dana), invitation_id)


def test_taking_back_gives_no_fresh_budget(world, acme):
    danas = world.session(acme.dana)
    for _ in range(3):
        acme.revoke(danas, pending_id(acme, by=acme.dana))
    assert acme.outcomes(danas, EVE) == [Outcome.LIMITED]
    assert acme.standing() == []


def test_a_workspace_sends_a_thousand_a_day(world, acme, monkeypatch):
    monkeypatch.setattr(invitations, "MAILS_OF_A_WORKSPACE_A_DAY", 5)
    bens = world.session(acme.ben)
    four = [parse(f"a{number}@example.com") for number in range(4)]
    assert acme.invite(bens, *four).sent == 4
    sent = acme.invite(bens, parse("b@example.com"), parse("c@example.com"))
    assert [each.outcome for each in sent.results] == [Outcome.SENT, Outcome.LIMITED]
    with refused(Code.TOO_MANY_ATTEMPTS) as told:
        acme.invite(bens, parse("d@example.com"))
    assert told.value.retry_at == min(each.created_at for each in rows(world, "outbox")) + DAY
    with refused(Code.TOO_MANY_ATTEMPTS):
        world.wait(11 * MINUTE)
        acme.resend(bens, sent.results[0].invitation_id or 0)
    assert acme.invite(operator("Olga"), parse("d@example.com")).sent == 1


@pytest.mark.race
def test_parallel_invitations_keep_the_limits(world, acme):
    """Many workspaces at once, in whatever order, still send one address three mails."""
    zoe = world.person("Zoe")
    others = [world.workspace(f"other-{number}", owner=zoe) for number in range(6)]
    zoes = world.session(zoe)
    many = [parse(f"person{number}@example.com") for number in range(40)]
    done = at_once(
        *(
            lambda other=each, turn=number: (
                acme.invite(zoes, *(many[turn:] + many[:turn]), workspace_id=other).sent
            )
            for number, each in enumerate(others)
        )
    )
    assert sum(each for each in done if isinstance(each, int)) == 3 * 40, done
    for each in many:
        assert len(letters(world, "invitation", to=each.display)) == 3


@pytest.mark.race
def test_two_admins_who_invite_the_same_address_invite_it_once(world, acme):
    danas, bens = world.session(acme.dana), world.session(acme.ben)
    for number in range(10):
        address = parse(f"person{number}@example.com")
        done = at_once(*(partial(acme.outcomes, by, address) for by in (danas, bens)))
        assert sorted(map(str, done)) == sorted(map(str, [[Outcome.ALREADY_INVITED], [Outcome.SENT]]))


def test_the_table_is_what_a_recount_gives(world, acme):
    acme.invite(world.session(acme.dana), EVE)
    numbers = world.read(lambda tx: standing.counts(tx, acme.id))
    assert sorted((each.status, each.role_order, each.number) for each in numbers) == [
        ("active", 0, 1),
        ("active", 1, 1),
        ("active", 2, 1),
        ("invited", 2, 1),
    ]
