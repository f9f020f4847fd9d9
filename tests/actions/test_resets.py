"""Disabling 2FA for somebody who is locked out: in one workspace, by rank, and nothing anywhere else."""

from functools import partial
from typing import Any

import pytest

from nightlatch import addresses
from nightlatch.access import decide
from nightlatch.actions import emails, enrolment, kinds, resets, second_step, teammates, tickets
from nightlatch.actions.by import By, operator
from nightlatch.actions.enrolment import Confirmed
from nightlatch.actions.proving import Proved
from nightlatch.actions.tickets import Redeemed, WrongNumber
from nightlatch.actions.tokens import new_token
from nightlatch.assurance import relied_on
from nightlatch.decision import Allow, Challenge, Decision, Enrol
from nightlatch.facts import reach_of
from nightlatch.instants import DAY, HOUR, MINUTE
from nightlatch.refusals import Code, Refused
from nightlatch.store import authenticators, standing
from nightlatch.store import teammates as store_teammates
from nightlatch.store.facts import read_account_facts
from nightlatch.vocabulary import Event, Method, Reason, Role
from tests.support.events import Told, events
from tests.support.letters import letter, letters
from tests.support.races import at_once
from tests.support.tables import everything, rows
from tests.support.world import Person, World

VISITOR = By("visitor", None, "", "198.51.100.7", "test")


class Acme:
    """An owner, an admin and a locked-out member, all with 2FA, in a workspace that requires it."""

    def __init__(self, world: World, slug: str = "acme") -> None:
        self.world = world
        self.dana, self.adam, self.ana = map(world.person, ("Dana", "Adam", "Ana"))
        self.id = world.workspace(slug, owner=self.dana, admin=self.adam, member=self.ana)
        self.app, _ = world.bind_totp(self.dana)
        self.adams_app, _ = world.bind_totp(self.adam)
        self.anas_app, self.anas_seed = world.bind_totp(self.ana)
        world.require(self.id)
        self.owner = world.signed_in(self.dana, self.app)
        self.admin = world.signed_in(self.adam, self.adams_app)

    def teammate(self, person: Person, workspace_id: int | None = None) -> int:
        (found,) = [
            each.id
            for each in rows(self.world, "teammates")
            if each.account_id == person.id and each.workspace_id == (workspace_id or self.id)
        ]
        return int(found)

    def reset(self, by: By | None = None, person: Person | None = None, **values: Any) -> resets.ResetDone:
        complete = {
            "workspace_id": self.id,
            "reason": "Lost phone",
            "recognised_by": "By voice",
            **values,
        }
        if "teammate_id" not in values:
            complete["teammate_id"] = self.teammate(person or self.ana, complete["workspace_id"])
        return self.world.write(lambda tx: resets.disable_two_factor(tx, by=by or self.admin, **complete))

    def join(self, name: str, role: Role = Role.MEMBER) -> Person:
        """Another teammate, without 2FA."""
        person = self.world.person(name)
        self.world.write(
            lambda tx: store_teammates.join(tx, workspace_id=self.id, account_id=person.id, role=role)
        )
        return person

    def renew(self, by: By | None = None) -> resets.ResetDone:
        target = self.teammate(self.ana)
        return self.world.write(
            lambda tx: resets.renew(tx, by=by or self.admin, workspace_id=self.id, teammate_id=target)
        )

    def redeem(self, by: By, number: str | None, token_hash: bytes | None = None) -> Redeemed | WrongNumber:
        link = token_hash or letter(self.world, "reset").hash()
        return self.world.write(lambda tx: tickets.redeem(tx, by=by, token_hash=link, number=number))

    def refused(self, code: Code, *arguments: Any, **values: Any) -> Refused:
        """A reset is refused, and nothing happened."""
        before = everything(self.world)
        with pytest.raises(Refused) as refusal:
            self.reset(*arguments, **values)
        assert refusal.value.code is code
        assert refusal.value.way_out is not None or refusal.value.errors
        assert everything(self.world) == before
        return refusal.value


@pytest.fixture
def acme(world: World) -> Acme:
    return Acme(world)


# --- what it does in the workspace ---


def test_what_the_workspace_relied_on_is_void_and_sessions_end_there(acme: Acme) -> None:
    world = acme.world
    anas = world.signed_in(acme.ana, acme.anas_app)
    assert isinstance(world.opens(anas, acme.id), Allow)
    done = acme.reset()
    decision = world.opens(anas, acme.id)
    assert isinstance(decision, Challenge)
    assert decision.reason is Reason.FIRST_FACTOR
    again = world.session(acme.ana)
    decision = world.opens(again, acme.id)
    assert decision == Enrol(Reason.RESET, "mail", acme.id)
    assert done.number is not None
    assert len(done.number) == 8
    assert done.number.isascii()
    assert done.number.isdigit()
    assert authenticator_ids(world, acme.ana) == [acme.anas_app]  # void here, still bound


def authenticator_ids(world: World, person: Person) -> list[int]:
    return [each.id for each in world.read(lambda tx: authenticators.of_account(tx, person.id))]


def test_the_old_code_opens_nothing_there(acme: Acme) -> None:
    world = acme.world
    acme.reset()
    half = world.session(acme.ana)
    with pytest.raises(Refused):
        world.write(
            lambda tx: second_step.present_totp(
                tx, by=half, code=world.code(acme.anas_seed), token=new_token()
            )
        )


def test_accepted_authenticators_and_recovery_codes_are_void_too(acme: Acme) -> None:
    world = acme.world
    other = world.workspace("other", owner=acme.ana)
    accepted, _ = world.bind_totp(acme.ana, reach_of(other))

    def more(tx: Any) -> int:
        authenticators.mark(tx, accepted, acme.id, "accepted_at", tx.now)
        return authenticators.bind(
            tx, account_id=acme.ana.id, method=Method.RECOVERY_CODE, name="Codes", reach=reach_of(acme.id)
        )

    world.write(more)
    acme.reset()
    assert isinstance(world.opens(world.session(acme.ana), acme.id), Enrol)
    assert isinstance(world.opens(world.signed_in(acme.ana, accepted), acme.id), Enrol)
    assert isinstance(world.opens(world.signed_in(acme.ana, accepted), other), Allow)


def test_only_the_ticket_with_its_number_leads_back(acme: Acme) -> None:
    """Laws 4 and 14: the whole way, to an open workspace."""
    world = acme.world
    done = acme.reset()
    anas = world.session(acme.ana)
    wrong = "00000000" if done.number != "00000000" else "00000001"
    answer = acme.redeem(anas, wrong)
    assert answer == WrongNumber(4)
    answer = acme.redeem(anas, None)
    assert answer == WrongNumber(3)
    assert acme.redeem(anas, done.number) == Redeemed(acme.id, "acme")
    with pytest.raises(Refused):
        acme.redeem(world.session(acme.ana), done.number)
    pending = world.write(
        lambda tx: enrolment.begin(tx, by=anas, name="New phone", replaces=None, workspace_id=acme.id)
    )
    made = world.write(
        lambda tx: enrolment.confirm(
            tx, by=anas, enrolment_id=pending.id, code=world.code(pending.seed), codes=[], token=new_token()
        )
    )
    assert isinstance(made, Confirmed)
    bound = By("account", acme.ana.id, "Ana", token_hash=made.token.hash, credential=anas.credential)
    assert isinstance(world.opens(bound, acme.id), Allow)
    assert Event.RESET_COMPLETED in [each.event for each in events(world, workspace=acme.id)]


def test_the_number_is_in_no_mail_and_in_no_row(acme: Acme) -> None:
    done = acme.reset()
    assert done.number is not None
    assert done.number not in repr(done)
    assert not [each for each in letters(acme.world) if done.number in repr(each)]
    assert done.number not in repr(everything(acme.world))


def test_five_wrong_numbers_kill_the_ticket_and_the_admin_renews_both(acme: Acme) -> None:
    world = acme.world
    first = acme.reset()
    anas = world.session(acme.ana)
    old = letter(world, "reset").hash()
    for _ in range(5):
        acme.redeem(anas, "not it")
    for number in (first.number, "not it"):
        with pytest.raises(Refused) as refusal:
            acme.redeem(anas, number, old)
        assert refusal.value.way_out is not None
    second = acme.renew()
    assert second.reset_id == first.reset_id
    assert second.number != first.number
    new = letter(world, "reset").hash()
    assert new != old
    assert isinstance(acme.redeem(anas, first.number, new), WrongNumber)
    with pytest.raises(Refused):
        acme.redeem(anas, second.number, old)
    assert isinstance(acme.redeem(anas, second.number, new), Redeemed)
    assert Event.TEAMMATE_RESET_RENEWED in [each.event for each in events(world, workspace=acme.id)]


def test_of_many_with_the_right_number_one_redeems(acme: Acme) -> None:
    done = acme.reset()
    sessions = [acme.world.session(acme.ana) for _ in range(6)]
    results = at_once(*[partial(acme.redeem, by, done.number) for by in sessions])
    assert len([each for each in results if isinstance(each, Redeemed)]) == 1


def test_nothing_is_renewed_where_nothing_is_under_way(acme: Acme) -> None:
    with pytest.raises(Refused) as refusal:
        acme.renew()
    assert refusal.value.code is Code.CONFLICT
    acme.reset()
    for _ in range(9):
        acme.renew()
    with pytest.raises(Refused) as refusal:
        acme.renew()
    assert refusal.value.code is Code.TOO_MANY_ATTEMPTS


def test_an_owner_may_waive_the_number(acme: Acme) -> None:
    acme.refused(Code.NOT_PERMITTED, waive_number=True)
    done = acme.reset(acme.owner, waive_number=True)
    assert done.number is None
    assert [each.detail["number_waived"] for each in told(acme.world, Event.TEAMMATE_RESET)] == [True]
    assert letter(acme.world, "reset").values["number"] is False
    assert acme.renew().number is None
    assert isinstance(acme.redeem(acme.world.session(acme.ana), None), Redeemed)


def told(world: World, event: Event) -> list[Told]:
    return [each for each in events(world) if each.event is event]


def test_the_operator_may_waive_it_for_members_and_the_owners_are_told(acme: Acme) -> None:
    acme.refused(Code.NOT_PERMITTED, operator("Otto"), acme.adam, waive_number=True)
    assert acme.reset(operator("Otto"), waive_number=True).number is None
    assert "works without a number" in letter(acme.world, "break_glass", to=acme.dana.email).values["what"]
    assert letter(acme.world, "reset").values["number"] is False


def test_nobody_waives_it_for_somebody_who_was_an_admin_lately(acme: Acme) -> None:
    adams = acme.teammate(acme.adam)
    acme.world.write(
        lambda tx: teammates.change_role(
            tx, by=acme.owner, workspace_id=acme.id, teammate_id=adams, role=Role.MEMBER
        )
    )
    acme.refused(Code.NOT_PERMITTED, operator("Otto"), acme.adam, waive_number=True)
    assert acme.reset(operator("Otto"), acme.adam).number is not None


def test_what_was_begun_for_this_workspace_dies(acme: Acme) -> None:
    world = acme.world
    here, there = world.signed_in(acme.ana, acme.anas_app), world.signed_in(acme.ana, acme.anas_app)
    for by, workspace_id in ((here, acme.id), (there, None)):
        world.write(partial(enrolment.begin, by=by, name="", replaces=None, workspace_id=workspace_id))
    acme.reset()
    assert world.read(lambda tx: enrolment.current(tx, by=here)) is None
    pending = world.read(lambda tx: enrolment.current(tx, by=there))
    assert pending is not None
    with pytest.raises(Refused):  # it is still there, and reaches nothing
        world.write(
            lambda tx: enrolment.confirm(
                tx,
                by=there,
                enrolment_id=pending.id,
                code=world.code(pending.seed),
                codes=[],
                token=new_token(),
            )
        )


@pytest.mark.race
def test_what_is_bound_at_the_same_moment_does_not_outlive_it(world: World) -> None:
    for _ in range(10):
        _binds_while_reset(world)


def _binds_while_reset(world: World) -> None:
    acme = Acme(world, slug=f"acme-{new_token().text[:6].lower()}")
    anas = world.signed_in(acme.ana, acme.anas_app)
    pending = world.write(lambda tx: enrolment.begin(tx, by=anas, name="", replaces=None, workspace_id=None))
    code = world.code(pending.seed)
    results = at_once(
        lambda: world.write(
            lambda tx: enrolment.confirm(
                tx, by=anas, enrolment_id=pending.id, code=code, codes=[], token=new_token()
            )
        ),
        lambda: acme.reset(),
    )
    assert isinstance(results[1], resets.ResetDone), results
    facts = world.read(lambda tx: read_account_facts(tx, acme.ana.id))
    assert not relied_on(facts, acme.id), results


def test_it_is_told_at_every_address_and_the_link_goes_to_the_present_one(acme: Acme) -> None:
    """Law 13."""
    world = acme.world
    anas, new = world.signed_in(acme.ana, acme.anas_app), addresses.parse("ana.new@example.org")
    world.write(lambda tx: emails.request_change(tx, by=anas, address=new))
    link = letter(world, "email_confirm").hash()
    world.write(lambda tx: emails.confirm(tx, by=VISITOR, token_hash=link))
    acme.reset()
    sent, notice = letter(world, "reset"), letter(world, "reset_notice")
    assert (sent.to, notice.to) == (new.display, acme.ana.email)
    assert "link" not in notice.values
    assert sent.values["by"] == notice.values["by"] == "Adam"
    assert sent.values["reason"] == "Lost phone"


def test_it_is_two_events_of_the_workspace(acme: Acme) -> None:
    acme.reset()
    reset, unsecured = events(acme.world)
    assert (reset.event, unsecured.event) == (Event.TEAMMATE_RESET, Event.TEAMMATE_UNSECURED)
    assert reset.workspace_id == unsecured.workspace_id == acme.id
    assert reset.subject == ("account", acme.ana.id, "Ana")
    assert reset.detail["reason"] == "Lost phone"
    assert reset.detail["recognised_by"] == "By voice"


def test_the_table_shows_it(acme: Acme) -> None:
    acme.reset()
    (row,) = [each for each in rows(acme.world, "standing") if each.account_id == acme.ana.id]
    assert (row.state, row.methods) == ("reset", "")


# --- by whom, of whom ---


def test_nobody_resets_themself(acme: Acme) -> None:
    assert "their own" in acme.refused(Code.NOT_PERMITTED, acme.admin, acme.adam).detail


def test_an_admin_is_not_reset_by_an_admin(acme: Acme) -> None:
    """F31; all the ranks: tests/actions/test_resets_by_rank.py."""
    eve = acme.join("Eve", Role.ADMIN)
    acme.world.bind_totp(eve)
    refusal = acme.refused(Code.NOT_PERMITTED, acme.admin, eve)
    assert refusal.way_out is not None
    assert "owner" in refusal.way_out.path


def test_rank_is_the_highest_of_the_last_seven_days(acme: Acme) -> None:
    """An owner who demotes an admin first has not made them a member yet."""
    world = acme.world
    target = acme.teammate(acme.adam)
    world.write(
        lambda tx: teammates.change_role(
            tx, by=acme.owner, workspace_id=acme.id, teammate_id=target, role=Role.MEMBER
        )
    )
    acme.refused(Code.NOT_PERMITTED, acme.admin, acme.adam)
    eve = acme.join("Eve", Role.ADMIN)
    eves, _ = world.bind_totp(eve)
    acme.refused(Code.NOT_PERMITTED, world.signed_in(eve, eves), acme.adam)
    world.wait(7 * DAY + HOUR)
    acme.owner = world.signed_in(acme.dana, acme.app)
    assert acme.reset(acme.owner, acme.adam).number is not None


def test_members_and_strangers_reset_nobody(acme: Acme) -> None:
    world = acme.world
    ben = world.person("Ben")
    app, _ = world.bind_totp(ben)
    other = world.workspace("other", owner=ben)
    acme.refused(Code.NOT_FOUND, world.signed_in(ben, app))
    acme.refused(
        Code.NOT_FOUND, world.signed_in(ben, app), workspace_id=other, teammate_id=acme.teammate(acme.ana)
    )
    mia = acme.join("Mia")
    mias, _ = world.bind_totp(mia)
    acme.refused(Code.NOT_PERMITTED, world.signed_in(mia, mias))


def test_it_takes_fresh_proof_a_reason_and_how_the_person_was_recognised(acme: Acme) -> None:
    acme.refused(Code.INVALID, reason=" \n ")
    acme.refused(Code.INVALID, recognised_by="")
    acme.refused(Code.INVALID, reason="x" * 301)
    acme.world.wait(11 * MINUTE)
    acme.refused(Code.STEP_UP_REQUIRED)


def test_there_must_be_something_to_turn_off(acme: Acme) -> None:
    acme.refused(Code.NOT_ENROLLED, None, acme.join("Nora"))
    acme.reset()
    acme.refused(Code.CONFLICT)


def test_ten_an_hour(acme: Acme) -> None:
    members = [acme.join(f"Member{number}") for number in range(11)]
    for member in members:
        acme.world.bind_totp(member)
    for member in members[:10]:
        acme.reset(None, member)
    refusal = acme.refused(Code.TOO_MANY_ATTEMPTS, None, members[10])
    assert refusal.retry_at is not None
    acme.reset(acme.owner, members[10])


def test_the_operator_resets_anybody_and_every_owner_is_told(acme: Acme) -> None:
    world = acme.world
    acme.refused(Code.INVALID, operator("Otto"), acme.dana, reason="")
    done = acme.reset(operator("Otto"), acme.dana, recognised_by="")
    assert done.number is not None
    (told,) = letters(world, "break_glass")
    assert told.to == acme.dana.email
    assert "Dana" in told.values["what"]
    assert letter(world, "reset").values["by"] == "Otto"
    danas = world.session(acme.dana)
    assert isinstance(acme.redeem(danas, "not it"), WrongNumber)
    assert isinstance(acme.redeem(danas, done.number), Redeemed)


# --- nothing anywhere else (law 7) ---

_IN_A_WORKSPACE = [
    kinds.PRESENT_SECOND,
    kinds.USE,
    kinds.INVITE,
    kinds.CHANGE_ROLE,
    kinds.CHANGE_POLICY,
    kinds.DISABLE_TWO_FACTOR,
    kinds.ASK_TICKET,
    kinds.ENROL,
    kinds.REPLACE,
]


def _decisions(world: World, by: By, workspace_id: int) -> list[Decision]:
    facts = world.known(by).facts
    return [decide(facts, each.at(workspace_id)) for each in _IN_A_WORKSPACE]


def _about(world: World, workspace_id: int) -> dict[str, list[Any]]:
    """Every row that names a workspace."""
    tables = (
        "teammates",
        "standing",
        "tickets",
        "resets",
        "authenticator_workspaces",
        "audit_events",
        "outbox",
    )
    return {
        table: [each for each in rows(world, table) if each.workspace_id == workspace_id] for table in tables
    }


def test_another_workspace_s_decisions_and_rows_are_the_same(acme: Acme) -> None:
    """Law 7: the account that is reset in A is as open, and as closed, in B as it was."""
    world = acme.world
    beta = world.workspace("beta", owner=acme.ana)
    world.require(beta)
    only_beta, _ = world.bind_totp(acme.ana, reach_of(beta))
    sessions = [
        world.session(acme.ana),
        world.signed_in(acme.ana, acme.anas_app),
        world.signed_in(acme.ana, only_beta),
    ]
    before = [_decisions(world, by, beta) for by in sessions], _about(world, beta)
    assert [isinstance(each[1], Allow) for each in before[0]] == [False, True, True]
    acme.reset()
    after = [_decisions(world, by, beta) for by in sessions], _about(world, beta)
    assert after == before
    for by in sessions[1:]:
        assert not isinstance(world.opens(by, acme.id), Allow)


def test_the_old_phone_still_signs_in_to_the_other_workspace(acme: Acme) -> None:
    world = acme.world
    beta = world.workspace("beta", owner=acme.ana)
    acme.reset()
    half, code = world.session(acme.ana), world.code(acme.anas_seed)
    proved = world.write(lambda tx: second_step.present_totp(tx, by=half, code=code, token=new_token()))
    assert isinstance(proved, Proved)
    by = By("account", acme.ana.id, "Ana", token_hash=proved.token.hash, credential=half.credential)
    assert isinstance(world.opens(by, beta), Allow)
    assert isinstance(world.opens(by, acme.id), Enrol)


def test_its_ticket_binds_in_its_own_workspace_alone(acme: Acme) -> None:
    world = acme.world
    beta = world.workspace("beta", owner=acme.ana)
    world.require(beta)
    begun = acme.reset()
    anas = world.session(acme.ana)
    acme.redeem(anas, begun.number)
    pending = world.write(
        lambda tx: enrolment.begin(tx, by=anas, name="Thief's", replaces=None, workspace_id=acme.id)
    )
    done = world.write(
        lambda tx: enrolment.confirm(
            tx, by=anas, enrolment_id=pending.id, code=world.code(pending.seed), codes=[], token=new_token()
        )
    )
    assert isinstance(done, Confirmed)
    by = By("account", acme.ana.id, "Ana", token_hash=done.token.hash, credential=anas.credential)
    assert isinstance(world.opens(by, acme.id), Allow)
    assert isinstance(world.opens(by, beta), Challenge)


def test_an_admin_of_one_workspace_does_not_reach_another_s_people(acme: Acme) -> None:
    """F30."""
    world = acme.world
    ben = world.person("Ben")
    world.bind_totp(ben)
    beta = world.workspace("beta", owner=world.person("Bea"), member=ben)
    target = acme.teammate(ben, beta)
    acme.refused(Code.NOT_FOUND, acme.admin, ben, workspace_id=beta)
    acme.refused(Code.NOT_FOUND, acme.admin, acme.ana, teammate_id=target)


def test_rank_is_that_of_the_workspace(acme: Acme) -> None:
    """Owner elsewhere, member here: the admin here resets here, and there nothing changes (F30's safe rule)."""
    beta = acme.world.workspace("beta", owner=acme.ana)
    acme.reset()
    assert isinstance(acme.world.opens(acme.world.signed_in(acme.ana, acme.anas_app), beta), Allow)


def test_a_projection_recomputed_says_the_same(acme: Acme) -> None:
    acme.reset()
    before = rows(acme.world, "standing")
    acme.world.write(lambda tx: standing.refresh(tx, acme.ana.id))
    assert sorted(rows(acme.world, "standing")) == sorted(before)
