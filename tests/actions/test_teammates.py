"""Roles, removing, leaving: by rank, with an owner left (law 8), biting at once (law 2). F30, F31, F34."""

import pytest

from nightlatch.actions import invitations, teammates
from nightlatch.actions.by import By, operator
from nightlatch.actions.tokens import new_token
from nightlatch.addresses import parse
from nightlatch.decision import Allow, Challenge, Deny, Enrol
from nightlatch.facts import reach_of
from nightlatch.instants import DAY, MINUTE
from nightlatch.refusals import Code, Refused
from nightlatch.store import accounts, tickets
from nightlatch.store import teammates as memberships
from nightlatch.vocabulary import Event, Role, TicketPurpose
from tests.support.events import events
from tests.support.letters import letter, letters
from tests.support.tables import broken, everything, rows
from tests.support.world import Person, World


class Acme:
    """Two owners, two admins, two members; nobody has 2FA yet."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.people = {
            name: world.person(name.title()) for name in ("dana", "otto", "ben", "bea", "ana", "abe")
        }
        dana, otto, ben, bea, ana, abe = self.people.values()
        self.id = world.workspace("acme", owner=[dana, otto], admin=[ben, bea], member=[ana, abe])

    def by(self, who: str) -> By:
        return self.world.session(self.people[who])

    def teammate(self, who: str) -> int:
        return self.teammate_of(self.people[who], self.id)

    def teammate_of(self, person: Person, workspace_id: int) -> int:
        return next(
            int(each.id)
            for each in rows(self.world, "teammates")
            if (each.account_id, each.workspace_id) == (person.id, workspace_id)
        )

    def role(self, who: str) -> str:
        return next(str(each.role) for each in rows(self.world, "teammates") if each.id == self.teammate(who))

    def change_role(self, by: By, who: str | int, role: Role, reason: str | None = None) -> bool:
        teammate_id = who if isinstance(who, int) else self.teammate(who)
        return self.world.write(
            lambda tx: teammates.change_role(
                tx, by=by, workspace_id=self.id, teammate_id=teammate_id, role=role, reason=reason
            )
        )

    def remove(self, by: By, who: str | int, reason: str | None = None) -> None:
        teammate_id = who if isinstance(who, int) else self.teammate(who)
        self.world.write(
            lambda tx: teammates.remove(
                tx, by=by, workspace_id=self.id, teammate_id=teammate_id, reason=reason
            )
        )

    def leave(self, by: By) -> None:
        self.world.write(lambda tx: teammates.leave(tx, by=by, workspace_id=self.id))

    def lone_owner(self) -> None:
        """Otto is a member, and has been for long."""
        self.change_role(operator("Olga"), "otto", Role.MEMBER, "test")
        self.world.wait(8 * DAY)


@pytest.fixture
def acme(world: World) -> Acme:
    return Acme(world)


def refused(code: Code):
    return pytest.raises(Refused, match=f"^{code}:")


# --- by rank ---

_MAY_CHANGE = {
    ("ben", "ana", Role.ADMIN): True,
    ("ben", "ana", Role.OWNER): False,
    ("ben", "bea", Role.MEMBER): True,
    ("ben", "dana", Role.MEMBER): False,
    ("ben", "dana", Role.OWNER): False,
    ("ben", "ben", Role.OWNER): False,
    ("ben", "ben", Role.MEMBER): True,
    ("dana", "ana", Role.OWNER): True,
    ("dana", "otto", Role.MEMBER): True,
    ("dana", "dana", Role.ADMIN): True,
    ("ana", "abe", Role.ADMIN): False,
    ("ana", "abe", Role.MEMBER): False,
    ("ana", "ana", Role.OWNER): False,
    ("ana", "ben", Role.MEMBER): False,
}


@pytest.mark.parametrize("who, whom, role", _MAY_CHANGE)
def test_nobody_grants_above_their_role_or_touches_a_higher_one(world, acme, who, whom, role):
    """F31."""
    by = acme.by(who)
    before = everything(world)
    if _MAY_CHANGE[who, whom, role]:
        acme.change_role(by, whom, role)
        assert acme.role(whom) == role
    else:
        with refused(Code.NOT_PERMITTED):
            acme.change_role(by, whom, role)
        assert everything(world) == before


@pytest.mark.parametrize(
    "who, whom, may",
    [
        ("ben", "ana", True),
        ("ben", "bea", True),
        ("ben", "dana", False),
        ("dana", "otto", True),
        ("dana", "ben", True),
        ("ana", "abe", False),
        ("ana", "dana", False),
    ],
)
def test_nobody_removes_a_person_above_them(world, acme, who, whom, may):
    """F31."""
    by = acme.by(who)
    before = everything(world)
    if may:
        acme.remove(by, whom)
        return
    with refused(Code.NOT_PERMITTED):
        acme.remove(by, whom)
    assert everything(world) == before


def test_a_role_of_the_last_seven_days_still_ranks(world, acme):
    acme.change_role(acme.by("dana"), "otto", Role.MEMBER)
    world.wait(7 * DAY - MINUTE)
    with refused(Code.NOT_PERMITTED):
        acme.remove(acme.by("ben"), "otto")
    with refused(Code.NOT_PERMITTED):
        acme.change_role(acme.by("ben"), "otto", Role.ADMIN)
    world.wait(2 * MINUTE)
    acme.remove(acme.by("ben"), "otto")


def test_a_role_that_is_theirs_already_is_no_change(world, acme):
    by = acme.by("ben")
    assert acme.change_role(by, "ana", Role.ADMIN)
    mails, told = len(letters(world)), len(events(world))
    assert not acme.change_role(by, "ana", Role.ADMIN)
    assert (len(letters(world)), len(events(world))) == (mails, told)


def test_roles_may_change_while_the_clock_stands_still(world, acme):
    def body(tx):
        teammate_id = acme_teammate
        for old, new in [(Role.MEMBER, Role.ADMIN), (Role.ADMIN, Role.OWNER), (Role.OWNER, Role.MEMBER)]:
            memberships.set_role(tx, teammate_id, old, new)
        return memberships.rank(tx, teammate_id, Role.MEMBER)

    acme_teammate = acme.teammate("ana")
    assert world.write(body) == Role.OWNER.rank


def test_power_over_others_takes_fresh_proof(world, acme):
    by = acme.by("dana")
    world.wait(11 * MINUTE)
    with refused(Code.STEP_UP_REQUIRED):
        acme.change_role(by, "ana", Role.ADMIN)
    with refused(Code.STEP_UP_REQUIRED):
        acme.remove(by, "ana")


def test_nobody_removes_themselves(world, acme):
    with refused(Code.NOT_PERMITTED) as told:
        acme.remove(acme.by("dana"), "dana")
    assert told.value.way_out is not None
    assert told.value.way_out.path == "/w/acme/leave"


# --- the right workspace (F30) ---


def test_an_admin_of_one_workspace_reaches_nobody_of_another(world, acme):
    zoe = world.person("Zoe")
    other = world.workspace("other", owner=zoe, member=acme.people["ana"])
    zoes, bens = world.session(zoe), acme.by("ben")
    there, before = acme.teammate_of(acme.people["ana"], other), everything(world)
    for attempt in (
        lambda: acme.remove(zoes, "ana"),
        lambda: acme.change_role(zoes, "ana", Role.OWNER),
        lambda: acme.remove(bens, there),
        lambda: acme.change_role(bens, there, Role.ADMIN),
        lambda: acme.remove(bens, 12345),
    ):
        with refused(Code.NOT_FOUND):
            attempt()
    assert everything(world) == before


def test_removing_somebody_of_two_workspaces_leaves_the_other_as_it_was(world, acme):
    ana = acme.people["ana"]
    other = world.workspace("other", owner=ana)
    app, _ = world.bind_totp(ana)
    anas = world.signed_in(ana, app)
    acme.remove(acme.by("ben"), "ana")
    assert isinstance(world.opens(anas, acme.id), Deny)
    assert isinstance(world.opens(anas, other), Allow)
    assert [each.workspace_id for each in rows(world, "standing") if each.account_id == ana.id] == [other]


# --- what ends (F34, law 2) ---


def test_a_removed_teammate_is_out_at_the_next_request(world, acme):
    anas, ana = acme.by("ana"), acme.people["ana"]
    assert isinstance(world.opens(anas, acme.id), Allow)
    acme.remove(acme.by("ben"), "ana")
    assert isinstance(world.opens(anas, acme.id), Deny)
    assert world.known(anas).person is not None  # the session lives on, for everything else
    assert not [each for each in rows(world, "standing") if each.account_id == ana.id]
    mail = letter(world, "teammate_removed")
    assert (mail.to, mail.values["workspace"], mail.values["by"]) == (ana.email, "Acme", "Ben")
    told = events(world, subject=ana.id)[-1]
    assert (told.event, told.workspace_id, told.actor[1]) == (
        Event.TEAMMATE_REMOVED,
        acme.id,
        acme.people["ben"].id,
    )


def test_tickets_and_ways_back_end_with_the_membership(world, acme):
    ana, bens = acme.people["ana"], acme.by("ben")
    other = world.workspace("other", owner=ana)
    here, there = new_token(), new_token()

    def tickets_for_both(tx):
        for token, workspace_id in ((here, acme.id), (there, other)):
            tickets.create(
                tx,
                token_hash=token.hash,
                account_id=ana.id,
                purpose=TicketPurpose.SELF_SERVICE,
                workspace_id=workspace_id,
            )

    world.write(tickets_for_both)
    second = parse("anas-second@example.com")
    world.write(
        lambda tx: invitations.invite(tx, by=bens, workspace_id=acme.id, pasted=[second], role=Role.MEMBER)
    )
    world.write(lambda tx: accounts.set_email(tx, ana.id, parse(ana.email).key, second))
    acme.remove(bens, "ana")
    ended = {each.workspace_id: each.ended_at is not None for each in rows(world, "tickets")}
    assert ended == {acme.id: True, other: False}
    assert [each.revoked_at is not None for each in rows(world, "invitations")] == [True]
    assert "invited" not in {each.status for each in rows(world, "standing")}


def test_a_reset_outlives_the_membership(world, acme):
    """Law 14: who was reset and not yet set up again comes back by that reset's ticket alone, or a new one's."""
    ana = acme.people["ana"]
    world.bind_totp(ana, reach_of(acme.id))

    def reset(tx):
        memberships.begin_reset(tx, teammate_id, 77)

    teammate_id = acme.teammate("ana")
    world.write(reset)
    acme.remove(acme.by("ben"), "ana")
    world.write(lambda tx: memberships.join(tx, workspace_id=acme.id, account_id=ana.id, role=Role.MEMBER))
    teammate = world.known(world.session(ana)).facts.teammate(acme.id)
    assert teammate is not None
    assert teammate.reset == 77


def test_a_change_of_role_bites_at_once_and_is_told(world, acme):
    bens = acme.by("ben")
    acme.change_role(acme.by("dana"), "ben", Role.MEMBER)
    with refused(Code.NOT_PERMITTED):
        acme.remove(bens, "ana")
    mail = letter(world, "role_changed")
    assert (mail.to, mail.values["role"], mail.values["by"]) == (acme.people["ben"].email, "member", "Dana")
    told = events(world, subject=acme.people["ben"].id)[-1]
    assert told.event is Event.TEAMMATE_ROLE_CHANGED
    assert (told.detail["role"], told.detail["former_role"]) == ("member", "admin")
    row = next(each for each in rows(world, "standing") if each.account_id == acme.people["ben"].id)
    assert (row.role, row.role_order) == ("member", 2)


def test_no_change_without_its_event(world, acme):
    """Law 6."""
    by = acme.by("dana")
    before = everything(world)
    with broken(world, "audit_events"):
        for attempt in (
            lambda: acme.change_role(by, "ana", Role.ADMIN),
            lambda: acme.remove(by, "ana"),
            lambda: acme.leave(by),
        ):
            with pytest.raises(Exception, match=r"broken|nothing was done"):
                attempt()
    assert everything(world) == before


# --- leaving ---


def test_leaving_ends_the_membership_and_nothing_else(world, acme):
    anas = acme.by("ana")
    acme.leave(anas)
    assert isinstance(world.opens(anas, acme.id), Deny)
    assert world.known(anas).person is not None
    assert events(world, subject=acme.people["ana"].id)[-1].event is Event.TEAMMATE_LEFT
    with refused(Code.NOT_FOUND):
        acme.leave(anas)


def test_leaving_needs_every_workspace_to_be_open(world, acme):
    ana = acme.people["ana"]
    other = world.workspace("other", owner=ana)
    world.bind_totp(ana, reach_of(other))
    anas = world.session(ana)
    assert isinstance(world.opens(anas, acme.id), Allow)
    assert isinstance(world.opens(anas, other), Challenge)
    with refused(Code.SECOND_FACTOR_REQUIRED):
        acme.leave(anas)
    abes = acme.by("abe")
    world.require(acme.id)
    assert isinstance(world.opens(abes, acme.id), Enrol)
    with refused(Code.ENROLMENT_REQUIRED):
        acme.leave(abes)


# --- somebody can always open (law 8) ---


def test_no_workspace_loses_its_last_owner(world, acme):
    acme.lone_owner()
    danas = acme.by("dana")
    with refused(Code.LAST_OWNER) as told:
        acme.leave(danas)
    assert told.value.way_out is not None
    assert told.value.way_out.path == "/w/acme/settings/team"
    with refused(Code.LAST_OWNER):
        acme.change_role(danas, "dana", Role.ADMIN)
    with refused(Code.LAST_OWNER):
        acme.remove(operator("Olga"), "dana", "test")
    with refused(Code.LAST_OWNER):
        acme.change_role(operator("Olga"), "dana", Role.MEMBER, "test")
    acme.change_role(danas, "ben", Role.OWNER)
    acme.leave(danas)


@pytest.mark.parametrize("scheduled", [False, True])
def test_a_mandated_or_scheduled_workspace_keeps_an_owner_who_has_2fa(world, acme, scheduled):
    dana, otto = acme.people["dana"], acme.people["otto"]
    app, _ = world.bind_totp(dana)
    world.require(acme.id, world.clock.now() + DAY if scheduled else None)
    danas = world.signed_in(dana, app)
    ends = [
        lambda: acme.leave(danas),
        lambda: acme.change_role(danas, "dana", Role.MEMBER),
        lambda: acme.remove(operator("Olga"), "dana", "test"),
    ]
    for end in ends:
        with refused(Code.LAST_OWNER):
            end()
    world.bind_totp(otto, reach_of(world.workspace("other", owner=otto)))  # counts there alone
    for end in ends:
        with refused(Code.LAST_OWNER):
            end()
    world.bind_totp(otto)
    acme.leave(danas)


def test_an_owner_without_2fa_may_go_while_another_has_it(world, acme):
    app, _ = world.bind_totp(acme.people["dana"])
    world.require(acme.id)
    acme.remove(world.signed_in(acme.people["dana"], app), "otto")


# --- the operator ---


def test_the_operator_says_why_and_every_owner_is_told_first(world, acme):
    with refused(Code.INVALID):
        acme.remove(operator("Olga"), "ana")
    with refused(Code.INVALID):
        acme.change_role(operator("Olga"), "ana", Role.ADMIN, "  ")
    acme.remove(operator("Olga"), "ana", "left the company")
    told = letters(world, "break_glass")
    assert {each.to for each in told} == {acme.people["dana"].email, acme.people["otto"].email}
    assert {(each.values["operator"], each.values["reason"]) for each in told} == {
        ("Olga", "left the company")
    }
    assert events(world)[-1].detail["reason"] == "left the company"
