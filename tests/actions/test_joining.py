"""Accepting an invitation: once, by the invited address, in the role that was invited. Law 4; probes F23, F32, F33."""

from collections.abc import Callable

import pytest

from nightlatch.actions import invitations, joining, teammates
from nightlatch.actions.by import By, operator
from nightlatch.actions.joining import Accepted, Invitation, Joined, State
from nightlatch.actions.tokens import Token, new_token
from nightlatch.addresses import parse
from nightlatch.assurance import bind_reach
from nightlatch.decision import Allow, Challenge, Deny, Enrol
from nightlatch.facts import EVERYWHERE, reach_of
from nightlatch.instants import DAY, HOUR, MINUTE
from nightlatch.refusals import Code, Refused
from nightlatch.store import accounts
from nightlatch.store.engine import Transaction
from nightlatch.vocabulary import Credential, Event, Role
from tests.support.events import events
from tests.support.letters import letter
from tests.support.overtaking import overtaken
from tests.support.races import at_once
from tests.support.tables import everything, rows
from tests.support.world import Person, World

EVE = parse("Eve@Example.com")
VISITOR = By("visitor", None, "", "198.51.100.7", "test", None, Credential.NONE, b"browser")


class Acme:
    """A workspace and an invitation to it."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.dana, self.ben, self.ana = (world.person(name) for name in ("Dana", "Ben", "Ana"))
        self.id = world.workspace("acme", owner=self.dana, admin=self.ben, member=self.ana)

    def invite(self, email: str = EVE.display, *, by: By | None = None, role: Role = Role.MEMBER) -> bytes:
        """The hash of the mailed token."""
        inviter = self.world.session(self.dana) if by is None else by
        address = parse(email)
        self.world.write(
            lambda tx: invitations.invite(tx, by=inviter, workspace_id=self.id, pasted=[address], role=role)
        )
        return letter(self.world, "invitation", to=address.display).hash()

    def invitation_id(self) -> int:
        return int(rows(self.world, "invitations")[0].id)

    def look(self, token_hash: bytes) -> Invitation:
        return self.world.read(lambda tx: joining.look(tx, token_hash))

    def accept(self, token_hash: bytes, name: str = "Eve", by: By = VISITOR) -> tuple[Accepted, By]:
        """Accept with a new account; what came of it and the new session."""
        token = new_token()
        accepted = self.world.write(lambda tx: self.accepting(tx, token_hash, token, name, by))
        session = By(
            "account",
            accepted.account_id,
            name,
            "198.51.100.7",
            "test",
            accepted.token.hash,
            Credential.COOKIE,
        )
        return accepted, session

    def accepting(
        self, tx: Transaction, token_hash: bytes, token: Token, name: str = "Eve", by: By = VISITOR
    ) -> Accepted:
        return joining.accept_new(
            tx,
            by=by,
            token_hash=token_hash,
            name=name,
            password_hash="unusable",
            session_token=token,
            kind=Credential.COOKIE,
        )

    def join(self, token_hash: bytes, by: By) -> Joined:
        return self.world.write(lambda tx: joining.accept_existing(tx, by=by, token_hash=token_hash))

    def change_role(self, person: Person, role: Role) -> None:
        self._as_operator(
            lambda tx, teammate: teammates.change_role(
                tx,
                by=operator("Olga"),
                workspace_id=self.id,
                teammate_id=teammate,
                role=role,
                reason="test",
            ),
            person,
        )

    def remove(self, person: Person) -> None:
        self._as_operator(
            lambda tx, teammate: teammates.remove(
                tx, by=operator("Olga"), workspace_id=self.id, teammate_id=teammate, reason="test"
            ),
            person,
        )

    def _as_operator(self, act: Callable, person: Person) -> None:
        teammate = next(
            each.id
            for each in rows(self.world, "teammates")
            if (each.account_id, each.workspace_id) == (person.id, self.id)
        )
        self.world.write(lambda tx: act(tx, teammate))


@pytest.fixture
def acme(world: World) -> Acme:
    return Acme(world)


def refused(code: Code):
    return pytest.raises(Refused, match=f"^{code}:")


# --- looking ---


def test_looking_says_who_invites_where_and_changes_nothing(world, acme):
    token_hash = acme.invite(role=Role.ADMIN)
    before = everything(world)
    found = acme.look(token_hash)
    assert acme.look(token_hash) == found
    assert everything(world) == before
    assert (found.state, found.slug, found.workspace_name) == (State.OPEN, "acme", "Acme")
    assert (found.inviter, found.role, found.email) == ("Dana", Role.ADMIN, "Eve@Example.com")
    assert found.expires_at == letter(world, "invitation").values["expires"]
    assert not found.has_account
    assert found.required_from is None
    acme.accept(token_hash)


def test_looking_tells_its_holder_of_an_account(world, acme):
    assert acme.look(acme.invite(world.person("Old").email)).has_account


def test_every_dead_invitation_says_why(world, acme):
    assert acme.look(b"x" * 32) == Invitation(State.UNKNOWN)
    used = acme.invite("used@example.com")
    acme.accept(used)
    assert acme.look(used).state is State.USED
    old = acme.invite()
    world.wait(11 * MINUTE)
    danas = world.session(acme.dana)
    invitation_id = next(each.id for each in rows(world, "invitations") if each.token_hash == old)
    world.write(
        lambda tx: invitations.resend(tx, by=danas, workspace_id=acme.id, invitation_id=invitation_id)
    )
    assert acme.look(old).state is State.REPLACED
    new = letter(world, "invitation", to=EVE.display).hash()
    assert acme.look(new).state is State.OPEN
    world.write(
        lambda tx: invitations.revoke(tx, by=danas, workspace_id=acme.id, invitation_id=invitation_id)
    )
    assert acme.look(new).state is State.REVOKED
    late = acme.invite("late@example.com")
    world.wait(7 * DAY)
    assert acme.look(late).state is State.EXPIRED


# --- a new account ---


def test_a_new_account_is_in_with_its_password_and_its_mailbox(world, acme):
    accepted, eves = acme.accept(acme.invite(), "  Eve   Novák ")
    assert (accepted.workspace_id, accepted.slug) == (acme.id, "acme")
    known = world.known(eves)
    assert known.person is not None
    assert (known.person.name, known.person.email) == ("Eve Novák", "Eve@Example.com")
    assert isinstance(world.opens(eves, acme.id), Allow)
    teammate = known.facts.teammate(acme.id)
    assert teammate is not None
    assert teammate.role is Role.MEMBER
    assert bind_reach(known.facts) == EVERYWHERE
    row = next(each for each in rows(world, "standing") if each.account_id == accepted.account_id)
    assert (row.status, row.name, row.last_sign_in_at is not None) == ("active", "Eve Novák", True)
    assert len(rows(world, "standing")) == 4
    told = [each.event for each in events(world, subject=accepted.account_id)]
    assert told == [Event.ACCOUNT_CREATED, Event.INVITATION_ACCEPTED, Event.TEAMMATE_JOINED]
    assert [each.workspace_id for each in events(world, subject=accepted.account_id)] == [
        None,
        acme.id,
        acme.id,
    ]


def test_under_a_mandate_the_new_account_sets_up_in_one_flow(world, acme):
    world.require(acme.id)
    token_hash = acme.invite(by=operator("Olga"))
    assert acme.look(token_hash).required_from is not None
    accepted, eves = acme.accept(token_hash)
    decision = world.opens(eves, acme.id)
    assert isinstance(decision, Enrol)
    assert decision.needs is None
    row = next(each for each in rows(world, "standing") if each.account_id == accepted.account_id)
    assert row.last_sign_in_at is None
    world.wait(HOUR)
    decision = world.opens(eves, acme.id)
    assert isinstance(decision, Enrol)
    assert decision.needs == "mail"


def test_the_mailbox_counts_in_the_session_that_accepted_alone(world, acme):
    """Law 14."""
    world.require(acme.id)
    accepted, _ = acme.accept(acme.invite(by=operator("Olga")))
    later = world.session(Person(accepted.account_id, EVE.display, "Eve"))
    decision = world.opens(later, acme.id)
    assert isinstance(decision, Enrol)
    assert decision.needs == "mail"


@pytest.mark.parametrize("name", ["", "\x00Eve", "E\nve", "E\u202eve"])
def test_a_bad_name_spends_nothing(world, acme, name):
    token_hash = acme.invite()
    before = everything(world)
    with refused(Code.INVALID):
        acme.accept(token_hash, name)
    assert everything(world) == before


def test_an_address_that_has_an_account_gets_no_second_one(world, acme):
    token_hash = acme.invite(acme.world.person("Old").email.upper())
    before = everything(world)
    with refused(Code.CONFLICT):
        acme.accept(token_hash)
    assert everything(world) == before


# --- once, and only while it stands (F33) ---


def test_an_invitation_works_once(world, acme):
    token_hash = acme.invite()
    acme.accept(token_hash)
    before = everything(world)
    with refused(Code.ALREADY_USED):
        acme.accept(token_hash)
    assert everything(world) == before


def test_an_accepted_invitation_does_not_bring_a_removed_person_back(world, acme):
    token_hash = acme.invite()
    accepted, eves = acme.accept(token_hash)
    acme.remove(Person(accepted.account_id, EVE.display, "Eve"))
    with refused(Code.ALREADY_USED):
        acme.join(token_hash, eves)
    assert isinstance(world.opens(eves, acme.id), Deny)


def test_a_revoked_an_expired_and_an_older_link_are_refused(world, acme):
    danas = world.session(acme.dana)
    revoked = acme.invite("revoked@example.com")
    invitation_id = acme.invitation_id()
    world.write(
        lambda tx: invitations.revoke(tx, by=danas, workspace_id=acme.id, invitation_id=invitation_id)
    )
    old = acme.invite("old@example.com")
    world.wait(11 * MINUTE)
    invitation_id = next(each.id for each in rows(world, "invitations") if each.token_hash == old)
    world.write(
        lambda tx: invitations.resend(tx, by=danas, workspace_id=acme.id, invitation_id=invitation_id)
    )
    expired = letter(world, "invitation", to="old@example.com").hash()
    for token_hash in (revoked, old):
        with refused(Code.EXPIRED):
            acme.accept(token_hash)
    with refused(Code.NOT_FOUND):
        acme.accept(b"x" * 32)
    world.wait(7 * DAY)
    with refused(Code.EXPIRED):
        acme.accept(expired)
    assert len(rows(world, "accounts")) == 3


@pytest.mark.parametrize(
    "role, loses, stands",
    [
        (Role.MEMBER, "removed", False),
        (Role.MEMBER, Role.MEMBER, False),
        (Role.MEMBER, Role.ADMIN, True),
        (Role.OWNER, Role.ADMIN, False),
        (Role.ADMIN, Role.ADMIN, True),
    ],
)
def test_an_invitation_lives_by_the_right_of_its_sender(world, acme, role, loses, stands):
    """F32: nobody leaves a way in behind."""
    zoe = world.person("Zoe")
    token_hash = acme.invite(zoe.email, by=operator("Olga"), role=Role.OWNER)
    acme.join(token_hash, world.session(zoe))
    token_hash = acme.invite(by=world.session(zoe), role=role)
    if loses == "removed":
        acme.remove(zoe)
    else:
        acme.change_role(zoe, loses)
    if stands:
        assert acme.look(token_hash).state is State.OPEN
        acme.accept(token_hash)
        return
    assert acme.look(token_hash).state is State.REVOKED
    before = everything(world)
    with refused(Code.EXPIRED):
        acme.accept(token_hash)
    assert everything(world) == before


def test_the_operators_invitations_stand(world, acme):
    acme.accept(acme.invite(by=operator("Olga"), role=Role.OWNER))


@pytest.mark.race
def test_one_invitation_accepted_by_many_at_once_makes_one_account(world, acme):
    """Law 4."""
    for number in range(5):
        token_hash = acme.invite(f"eve{number}@example.com")
        done = at_once(*[lambda token_hash=token_hash: acme.accept(token_hash) for _ in range(8)])
        assert sum(not isinstance(each, Exception) for each in done) == 1
        assert {each.code for each in done if isinstance(each, Refused)} == {Code.ALREADY_USED}
    assert len(rows(world, "accounts")) == 3 + 5


def test_two_invitations_of_one_new_address_make_one_account(world, acme):
    """Each by its own workspace: the second comes while the first has not committed, and waits for it."""
    other = world.workspace("other", owner=acme.dana)
    danas = world.session(acme.dana)
    here = acme.invite()
    world.write(
        lambda tx: invitations.invite(tx, by=danas, workspace_id=other, pasted=[EVE], role=Role.MEMBER)
    )
    there = next(each.token_hash for each in rows(world, "invitations") if each.workspace_id == other)
    first, second = overtaken(
        world,
        lambda tx: acme.accepting(tx, here, new_token()),
        lambda tx: acme.accepting(tx, there, new_token()),
    )
    assert isinstance(first, Accepted)
    assert isinstance(second, Refused)
    assert second.code is Code.CONFLICT


# --- an account that is there already ---


def test_the_account_itself_joins(world, acme):
    old = world.person("Old")
    token_hash = acme.invite(old.email, role=Role.ADMIN)
    olds = world.session(old)
    joined = acme.join(token_hash, olds)
    assert (joined.workspace_id, joined.slug) == (acme.id, "acme")
    assert isinstance(world.opens(olds, acme.id), Allow)
    teammate = world.known(olds).facts.teammate(acme.id)
    assert teammate is not None
    assert teammate.role is Role.ADMIN
    assert [each.event for each in events(world, subject=old.id)] == [
        Event.INVITATION_ACCEPTED,
        Event.TEAMMATE_JOINED,
    ]


def test_joining_adds_nothing_to_what_is_bound(world, acme):
    """Reach: an authenticator of another workspace does not count here, and the invitation binds nothing."""
    old = world.person("Old")
    other = world.workspace("other", owner=old)
    app, _ = world.bind_totp(old, reach_of(other))
    world.require(acme.id)
    olds = world.signed_in(old, app)
    acme.join(acme.invite(old.email, by=operator("Olga")), olds)
    decision = world.opens(olds, acme.id)
    assert isinstance(decision, Enrol)
    assert decision.needs == "mail"
    assert acme.id not in bind_reach(world.known(olds).facts)
    assert isinstance(world.opens(olds, other), Allow)


def test_somebody_with_2fa_everywhere_is_told_to_the_workspace_as_secured(world, acme):
    old = world.person("Old")
    app, _ = world.bind_totp(old)
    world.require(acme.id)
    olds = world.signed_in(old, app)
    acme.join(acme.invite(old.email, by=operator("Olga")), olds)
    assert isinstance(world.opens(olds, acme.id), Allow)
    assert events(world, workspace=acme.id)[-1].event is Event.TEAMMATE_SECURED
    row = next(each for each in rows(world, "standing") if each.account_id == old.id)
    assert row.state == "on"


def test_a_session_that_has_shown_nothing_joins_nothing(world, acme):
    """The link alone never signs anybody in; the second step is not passed by it."""
    old = world.person("Old")
    world.workspace("other", owner=old)
    world.bind_totp(old)
    token_hash = acme.invite(old.email)
    with refused(Code.SECOND_FACTOR_REQUIRED):
        acme.join(token_hash, world.session(old))
    with refused(Code.SIGN_IN_REQUIRED):
        acme.join(token_hash, VISITOR)
    assert acme.look(token_hash).state is State.OPEN


def test_anothers_invitation_is_refused(world, acme):
    """F23, F33: the invitation is for one address; whoever holds its link and another account gets nowhere."""
    old, other = world.person("Old"), world.person("Other")
    token_hash = acme.invite(old.email)
    before = everything(world)
    with refused(Code.NOT_PERMITTED):
        acme.join(token_hash, world.session(other))
    fresh = acme.invite("fresh@example.com")
    with refused(Code.NOT_PERMITTED):
        acme.join(fresh, world.session(other))
    assert len(everything(world)["teammates"]) == len(before["teammates"])


def test_it_is_the_identity_that_counts_not_the_spelling(world, acme):
    old = world.person("Old")
    acme.join(acme.invite(old.email.upper()), world.session(old))


def test_a_former_address_does_not_accept(world, acme):
    old = world.person("Old")
    token_hash = acme.invite(old.email)
    key = parse(old.email).key
    world.write(lambda tx: accounts.set_email(tx, old.id, key, parse("new@example.com")))
    with refused(Code.NOT_PERMITTED):
        acme.join(token_hash, world.session(old))


def test_a_teammate_joins_no_second_time(world, acme):
    token_hash = acme.invite("annas-other@example.com", role=Role.OWNER)
    key = parse(acme.ana.email).key
    world.write(lambda tx: accounts.set_email(tx, acme.ana.id, key, parse("annas-other@example.com")))
    with refused(Code.CONFLICT):
        acme.join(token_hash, world.session(acme.ana))


def test_a_removed_teammate_returns_by_an_invitation_and_proves_anew(world, acme):
    anas = world.session(acme.ana)
    world.workspace("other", owner=acme.ana)
    acme.remove(acme.ana)
    assert isinstance(world.opens(anas, acme.id), Deny)
    acme.join(acme.invite(acme.ana.email, role=Role.ADMIN), anas)
    assert isinstance(world.opens(anas, acme.id), Challenge)  # what was proved before does not count any more
    again = world.session(acme.ana)
    assert isinstance(world.opens(again, acme.id), Allow)
    teammate = world.known(again).facts.teammate(acme.id)
    assert teammate is not None
    assert teammate.role is Role.ADMIN
    assert len([each for each in rows(world, "teammates") if each.account_id == acme.ana.id]) == 2
