"""Resets by rank (design section 6): who, of whom, how long it waits, who agrees, what stops it."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

import pytest

from nightlatch.actions import reset_ending, reset_looking, resets, second_step, teammates, tickets
from nightlatch.actions.by import By, operator
from nightlatch.actions.proving import Proved
from nightlatch.actions.reset_doing import finish_due
from nightlatch.actions.resets import ResetDone
from nightlatch.actions.tickets import Redeemed, WrongNumber
from nightlatch.actions.tokens import new_token
from nightlatch.authenticators import recovery_code
from nightlatch.decision import Allow, Enrol
from nightlatch.facts import EVERYWHERE, reach_of
from nightlatch.instants import DAY, HOUR, MINUTE
from nightlatch.refusals import Code, Refused
from nightlatch.store import authenticators, standing
from nightlatch.store import resets as store_resets
from nightlatch.store import teammates as store_teammates
from nightlatch.store.engine import Transaction
from nightlatch.store.query import Row
from nightlatch.vocabulary import Event, Method, Role
from tests.support.events import events
from tests.support.letters import letter, letters
from tests.support.races import at_once
from tests.support.tables import everything, rows
from tests.support.world import Person, World

VISITOR = By("visitor", None, "", "198.51.100.7", "test")
WEEK = 8 * DAY


@dataclass
class Acme:
    """Two owners, two admins and two members, all with 2FA, all there for more than a week; 2FA is required."""

    world: World
    people: dict[str, Person] = field(default_factory=dict)
    apps: dict[str, int] = field(default_factory=dict)
    seeds: dict[str, bytes] = field(default_factory=dict)
    id: int = 0

    def __post_init__(self) -> None:
        for name in ("Olga", "Otto", "Ada", "Abe", "Mia", "Max"):
            self.people[name] = self.world.person(name)
            self.apps[name], self.seeds[name] = self.world.bind_totp(self.people[name])
        self.id = self.world.workspace("acme", owner=self.of("Olga", "Otto"), admin=self.of("Ada", "Abe"))
        for name in ("Mia", "Max"):
            self.join(name, Role.MEMBER)
        self.world.require(self.id)
        self.world.wait(WEEK)

    def of(self, *names: str) -> list[Person]:
        return [self.people[name] for name in names]

    def join(self, name: str, role: Role, brought_in_by: str | None = None) -> None:
        """Another teammate, with 2FA."""
        if name not in self.people:
            self.people[name] = self.world.person(name)
            self.apps[name], self.seeds[name] = self.world.bind_totp(self.people[name])
        person, inviter = self.people[name], self.people[brought_in_by].id if brought_in_by else None

        def body(tx: Transaction) -> None:
            store_teammates.join(
                tx, workspace_id=self.id, account_id=person.id, role=role, brought_in_by=inviter
            )
            standing.refresh(tx, person.id)

        self.world.write(body)

    def by(self, name: str) -> By:
        return self.world.signed_in(self.people[name], self.apps[name])

    def teammate(self, name: str) -> int:
        row = self.world.read(lambda tx: store_teammates.by_account(tx, self.people[name].id, self.id))
        assert row is not None
        return int(row.id)

    def ask(self, who: str | By, of: str) -> ResetDone:
        by = self.by(who) if isinstance(who, str) else who
        target = self.teammate(of)
        return self.world.write(
            lambda tx: resets.disable_two_factor(
                tx,
                by=by,
                workspace_id=self.id,
                teammate_id=target,
                reason="Lost phone",
                recognised_by="By voice",
            )
        )

    def approve(self, who: str, asked: ResetDone) -> ResetDone:
        by = self.by(who)
        return self.world.write(
            lambda tx: resets.approve(tx, by=by, workspace_id=self.id, reset_id=asked.reset_id)
        )

    def cancel(self, who: str, asked: ResetDone) -> str:
        by = self.by(who)
        return self.world.write(
            lambda tx: reset_ending.cancel(tx, by=by, workspace_id=self.id, reset_id=asked.reset_id)
        )

    def stop_own(self, who: str) -> None:
        by = self.by(who)
        self.world.write(lambda tx: reset_ending.stop_own(tx, by=by, workspace_id=self.id))

    def stop_by_mail(self, who: str) -> str:
        """By the newest link that they were mailed."""
        link = letter(self.world, "reset_waiting", to=self.people[who].email).hash()
        return self.world.write(lambda tx: reset_ending.stop(tx, by=VISITOR, token_hash=link)).state

    def code(self, who: str) -> None:
        """They sign in and show a code of their app."""
        half = self.world.session(self.people[who])
        code = self.world.code(self.seeds[who])
        shown = self.world.write(
            lambda tx: second_step.present_totp(tx, by=half, code=code, token=new_token())
        )
        assert isinstance(shown, Proved)

    def change(self, by: str, of: str, role: Role) -> None:
        actor, target = self.by(by), self.teammate(of)
        self.world.write(
            lambda tx: teammates.change_role(
                tx, by=actor, workspace_id=self.id, teammate_id=target, role=role
            )
        )

    def chore(self) -> None:
        while self.world.write(finish_due):
            pass

    def is_on(self, who: str) -> bool:
        """Whether the workspace relies on something of theirs: a password alone is asked for a code."""
        decision = self.world.opens(self.world.session(self.people[who]), self.id)
        assert not isinstance(decision, Allow)
        return not isinstance(decision, Enrol)

    def row(self, asked: ResetDone) -> Row:
        return self.world.read(lambda tx: store_resets.by_id(tx, asked.reset_id))

    def told(self) -> list[Event]:
        areas = ("teammate.reset", "teammate.unsecured")
        return [each.event for each in events(self.world, workspace=self.id) if each.event.startswith(areas)]


@pytest.fixture
def acme(world: World) -> Acme:
    return Acme(world)


def refused(code: Code, act: Callable[[], object]) -> Refused:
    with pytest.raises(Refused) as refusal:
        act()
    assert refusal.value.code is code, refusal.value.detail
    assert refusal.value.way_out is not None
    return refusal.value


# --- rank x requester ---

NAMES = {Role.OWNER: ("Olga", "Otto"), Role.ADMIN: ("Ada", "Abe"), Role.MEMBER: ("Mia", "Max")}
WAITS = {
    (Role.OWNER, Role.OWNER): 72 * HOUR,
    (Role.ADMIN, Role.OWNER): 72 * HOUR,
    (Role.OWNER, Role.ADMIN): 24 * HOUR,
    (Role.OWNER, Role.MEMBER): 0,
    (Role.ADMIN, Role.MEMBER): 0,
}
"""Requester and target; any other pair is refused."""


@pytest.mark.parametrize("target", list(Role))
@pytest.mark.parametrize("requester", list(Role))
def test_who_may_ask_for_whom_and_how_long_it_waits(acme: Acme, requester: Role, target: Role) -> None:
    who, of = NAMES[requester][0], NAMES[target][1]
    before = everything(acme.world)
    wait = WAITS.get((requester, target))
    if wait is None:
        refused(Code.NOT_PERMITTED, partial(acme.ask, acme.by(who), of))
        return
    asked = acme.ask(who, of)
    assert asked.done == (wait == 0)
    assert acme.is_on(of) == (wait > 0)
    assert asked.number is not None
    assert before
    row = acme.row(asked)
    assert (row.effective_at - row.created_at, row.rank) == (wait, target.rank)
    if not wait:
        return
    acme.world.wait(wait - HOUR)
    acme.chore()
    assert acme.is_on(of)
    acme.world.wait(HOUR + MINUTE)
    acme.chore()
    assert not acme.is_on(of)
    assert acme.told() == [Event.TEAMMATE_RESET_REQUESTED, Event.TEAMMATE_RESET, Event.TEAMMATE_UNSECURED]
    assert letter(acme.world, "reset").to == acme.people[of].email


@pytest.mark.parametrize("who", ["Olga", "Ada"])
def test_never_oneself(acme: Acme, who: str) -> None:
    refused(Code.NOT_PERMITTED, lambda: acme.ask(who, who))


def test_the_operator_is_never_kept_waiting_and_ends_what_waits(acme: Acme) -> None:
    asked = acme.ask("Ada", "Olga")
    assert acme.ask(operator("Root"), "Olga").done
    assert not acme.is_on("Olga")
    assert acme.row(asked).ended_by == "replaced"
    acme.world.wait(WEEK)
    acme.chore()
    assert acme.row(asked).done_at is None


def test_rank_is_remembered_for_seven_days(acme: Acme) -> None:
    acme.change("Olga", "Otto", Role.MEMBER)
    assert acme.row(acme.ask("Ada", "Otto")).rank == Role.OWNER.rank
    acme.code("Otto")
    acme.change("Olga", "Abe", Role.MEMBER)
    refused(Code.NOT_PERMITTED, lambda: acme.ask("Ada", "Abe"))
    acme.world.wait(WEEK)
    assert acme.ask("Ada", "Abe").done


def test_one_request_at_a_time(acme: Acme) -> None:
    acme.ask("Ada", "Olga")
    refused(Code.CONFLICT, lambda: acme.ask("Otto", "Olga"))


def test_ten_an_hour_counts_what_waits(acme: Acme) -> None:
    for _ in range(10):
        acme.cancel("Otto", acme.ask("Otto", "Olga"))
    refused(Code.TOO_MANY_ATTEMPTS, lambda: acme.ask("Otto", "Olga"))
    assert not acme.ask("Ada", "Olga").done


# --- who is told ---


def test_it_is_announced_to_the_person_with_a_link_and_to_every_owner(acme: Acme) -> None:
    asked = acme.ask("Ada", "Olga")
    (mine,) = letters(acme.world, "reset_waiting")
    assert (mine.to, mine.values["by"], mine.values["expires"]) == (
        acme.people["Olga"].email,
        "Ada",
        acme.row(asked).effective_at,
    )
    assert [each.to for each in letters(acme.world, "reset_waiting_owner")] == [acme.people["Otto"].email]
    assert asked.number is not None
    assert asked.number not in repr(everything(acme.world))


def test_all_concerned_hear_how_it_ended(acme: Acme) -> None:
    acme.cancel("Otto", acme.ask("Ada", "Olga"))
    told = {each.to: each.values["name"] for each in letters(acme.world, "reset_ended")}
    assert told == {
        acme.people["Olga"].email: None,
        acme.people["Otto"].email: "Olga",
        acme.people["Ada"].email: "Olga",
    }


# --- a second owner ---


def test_a_second_owner_shortens_it(acme: Acme) -> None:
    asked = acme.ask("Ada", "Olga")
    done = acme.approve("Otto", asked)
    assert (done.done, done.number) == (True, None)
    assert not acme.is_on("Olga")
    assert acme.told() == [
        Event.TEAMMATE_RESET_REQUESTED,
        Event.TEAMMATE_RESET_APPROVED,
        Event.TEAMMATE_RESET,
        Event.TEAMMATE_UNSECURED,
    ]
    assert {each.to for each in letters(acme.world, "reset_done")} == {
        acme.people["Otto"].email,
        acme.people["Ada"].email,
    }
    refused(Code.CONFLICT, lambda: acme.approve("Otto", asked))


def test_who_is_no_second_owner(acme: Acme) -> None:
    """Not who asked, nor the person, nor an admin, nor whoever the requester brought in, nor an owner of yesterday."""
    acme.join("Ivan", Role.OWNER, brought_in_by="Otto")
    acme.join("Guy", Role.MEMBER)
    acme.change("Otto", "Guy", Role.OWNER)
    acme.world.wait(WEEK)
    acme.join("New", Role.OWNER)
    acme.change("Olga", "Abe", Role.OWNER)
    asked = acme.ask("Otto", "Olga")
    before = everything(acme.world)
    for who in ("Otto", "Olga", "Ada", "Ivan", "Guy", "New", "Abe"):
        by = acme.by(who)
        refused(
            Code.NOT_PERMITTED,
            lambda by=by: acme.world.write(  # type: ignore[misc]
                lambda tx: resets.approve(tx, by=by, workspace_id=acme.id, reset_id=asked.reset_id)
            ),
        )
    assert before
    assert acme.is_on("Olga")
    acme.world.wait(71 * HOUR)
    refused(Code.NOT_PERMITTED, lambda: acme.approve("New", asked))


def test_whoever_somebody_else_brought_in_may_approve_after_a_week(acme: Acme) -> None:
    acme.join("Ivan", Role.OWNER, brought_in_by="Olga")
    acme.change("Olga", "Abe", Role.OWNER)
    acme.world.wait(WEEK)
    acme.approve("Ivan", acme.ask("Otto", "Olga"))
    assert not acme.is_on("Olga")


def test_who_returns_or_steps_up_again_begins_anew(acme: Acme) -> None:
    acme.change("Olga", "Otto", Role.ADMIN)
    acme.change("Olga", "Otto", Role.OWNER)
    asked = acme.ask("Ada", "Olga")
    refused(Code.NOT_PERMITTED, lambda: acme.approve("Otto", asked))


# --- the person's own second step ---


def recovery(acme: Acme, who: str) -> None:
    """A recovery code of theirs, at sign-in."""
    parts = recovery_code.canonical(recovery_code.generate(secrets.token_bytes)[0].text)
    person, half = acme.people[who], acme.world.session(acme.people[who])

    def bind(tx: Transaction) -> int:
        set_id = authenticators.bind(
            tx, account_id=person.id, method=Method.RECOVERY_CODE, name="Codes", reach=EVERYWHERE
        )
        authenticators.add_codes(tx, set_id, [(parts.selector, "hash")])
        return set_id

    acme.world.write(bind)
    candidate = acme.world.read(lambda tx: second_step.look_code(tx, by=half, parts=parts))
    shown = acme.world.write(
        lambda tx: second_step.present_recovery_code(
            tx, by=half, parts=parts, candidate=candidate, right=True, token=new_token()
        )
    )
    assert isinstance(shown, Proved)


STEPS: dict[str, Callable[[Acme, str], None]] = {
    "app": Acme.code,
    "inside": Acme.stop_own,
}


@pytest.mark.parametrize("step", list(STEPS))
@pytest.mark.parametrize("who, of", [("Otto", "Olga"), ("Ada", "Olga"), ("Olga", "Abe")])
def test_it_is_cancelled_once_and_the_next_needs_a_second_owner(
    acme: Acme, step: str, who: str, of: str
) -> None:
    first = acme.ask(who, of)
    STEPS[step](acme, of)
    assert acme.row(first).ended_by == "second_step"
    acme.world.wait(WEEK)
    acme.chore()
    assert acme.is_on(of)
    if who == "Otto":
        refused(Code.NOT_PERMITTED, lambda: acme.ask(who, of))  # nobody could approve it
        acme.join("Third", Role.OWNER)
        acme.world.wait(WEEK)
    second = acme.ask(who, of)
    assert (second.done, second.effective_at) == (False, None)
    acme.code(of)
    assert acme.row(second).ended_at is None, "the phone may be stolen"
    if step == "inside":
        refused(Code.CONFLICT, lambda: acme.stop_own(of))
    acme.world.wait(6 * DAY)
    acme.chore()
    assert acme.is_on(of), "time alone does not do it"
    acme.approve("Third" if who == "Otto" else "Otto", second)
    assert not acme.is_on(of)


def test_after_thirty_days_it_begins_anew(acme: Acme) -> None:
    acme.ask("Ada", "Olga")
    acme.code("Olga")
    acme.world.wait(31 * DAY)
    asked = acme.ask("Ada", "Olga")
    assert asked.effective_at is not None
    acme.code("Olga")
    assert acme.row(asked).ended_by == "second_step"


def test_one_that_nobody_approves_is_over_after_seven_days(acme: Acme) -> None:
    acme.ask("Ada", "Olga")
    acme.code("Olga")
    asked = acme.ask("Ada", "Olga")
    acme.world.wait(WEEK)
    acme.chore()
    assert acme.row(asked).ended_by == "lapsed"
    refused(Code.CONFLICT, lambda: acme.approve("Otto", asked))
    assert acme.is_on("Olga")


def test_it_holds_for_one_who_became_a_member(acme: Acme) -> None:
    """Whoever stopped one as an admin is not turned off at once as a member."""
    acme.ask("Olga", "Abe")
    acme.code("Abe")
    acme.change("Olga", "Abe", Role.MEMBER)
    acme.world.wait(WEEK)
    asked = acme.ask("Ada", "Abe")
    assert not asked.done
    acme.approve("Otto", asked)
    assert not acme.is_on("Abe")


def test_a_code_that_does_not_count_there_cancels_nothing(acme: Acme) -> None:
    """Law 7: what was bound for another workspace says nothing about this one."""
    world = acme.world
    beta = world.workspace("beta", owner=acme.people["Olga"])
    only_beta, seed = world.bind_totp(acme.people["Olga"], reach_of(beta))
    asked = acme.ask("Ada", "Olga")
    half, code = world.session(acme.people["Olga"]), world.code(seed)
    shown = world.write(lambda tx: second_step.present_totp(tx, by=half, code=code, token=new_token()))
    assert isinstance(shown, Proved)
    assert only_beta
    assert acme.row(asked).ended_at is None
    acme.code("Olga")
    assert acme.row(asked).ended_by == "second_step"


def test_a_recovery_code_cancels_it_too(acme: Acme) -> None:
    asked = acme.ask("Ada", "Olga")
    recovery(acme, "Olga")
    assert acme.row(asked).ended_by == "second_step"


def test_a_code_after_its_instant_comes_too_late(acme: Acme) -> None:
    """The instant counts, not when the background task comes round."""
    asked = acme.ask("Ada", "Olga")
    acme.world.wait(72 * HOUR + MINUTE)
    acme.code("Olga")
    assert acme.row(asked).ended_at is None
    acme.chore()
    assert not acme.is_on("Olga")


# --- the mailed page ---


def test_the_mailed_page_stops_it_once_in_seven_days(acme: Acme) -> None:
    first = acme.ask("Ada", "Olga")
    link = letter(acme.world, "reset_waiting").hash()
    before = everything(acme.world)
    for _ in range(3):
        assert acme.world.read(lambda tx: reset_ending.look_stop(tx, token_hash=link)).state == "waits"
    assert everything(acme.world) == before
    assert acme.stop_by_mail("Olga") == "waits"
    assert acme.row(first).ended_by == "mail"
    assert acme.told()[-1] == Event.TEAMMATE_RESET_STOPPED
    assert acme.stop_by_mail("Olga") == "ended"
    second = acme.ask("Ada", "Olga")
    assert second.effective_at is not None, "a mailbox alone does not make it harder"
    assert acme.stop_by_mail("Olga") == "once"
    assert acme.row(second).ended_at is None
    acme.cancel("Ada", second)
    acme.world.wait(WEEK)
    third = acme.ask("Ada", "Olga")
    assert acme.stop_by_mail("Olga") == "waits"
    assert acme.row(third).ended_by == "mail"


def test_it_says_when_it_is_too_late(acme: Acme) -> None:
    acme.ask("Ada", "Olga")
    acme.world.wait(72 * HOUR)
    assert acme.stop_by_mail("Olga") == "done"
    acme.chore()
    assert acme.stop_by_mail("Olga") == "done"
    refused_link = new_token().hash
    with pytest.raises(Refused):
        acme.world.write(lambda tx: reset_ending.stop(tx, by=VISITOR, token_hash=refused_link))


# --- withdrawing and stopping inside ---


def test_who_may_stop_it_inside(acme: Acme) -> None:
    asked = acme.ask("Ada", "Olga")
    for who, code in (("Abe", Code.NOT_PERMITTED), ("Mia", Code.NOT_PERMITTED), ("Olga", Code.NOT_PERMITTED)):
        refused(code, partial(acme.cancel, who, asked))
    assert acme.cancel("Ada", asked) == "withdrawn"
    assert acme.told()[-1] == Event.TEAMMATE_RESET_CANCELLED
    again = acme.ask("Ada", "Olga")
    assert acme.cancel("Otto", again) == "owner"
    assert acme.told()[-1] == Event.TEAMMATE_RESET_STOPPED
    refused(Code.CONFLICT, lambda: acme.cancel("Otto", again))


def test_another_workspace_s_people_reach_none_of_it(acme: Acme) -> None:
    world = acme.world
    bea = world.person("Bea")
    beta = world.workspace("beta", owner=bea)
    bea_by = world.signed_in(bea, world.bind_totp(bea)[0])
    asked = acme.ask("Ada", "Olga")
    for workspace_id in (acme.id, beta):
        for act in (resets.approve, reset_ending.cancel):
            with pytest.raises(Refused) as refusal:
                world.write(
                    lambda tx, act=act, workspace_id=workspace_id: act(  # type: ignore[misc]
                        tx, by=bea_by, workspace_id=workspace_id, reset_id=asked.reset_id
                    )
                )
            assert refusal.value.code is Code.NOT_FOUND


# --- what changes while it waits ---

CHANGES: dict[str, tuple[Callable[[Acme], None], str | None]] = {
    "the requester is demoted": (lambda acme: acme.change("Otto", "Ada", Role.MEMBER), "requester"),
    "the requester is promoted": (lambda acme: acme.change("Otto", "Ada", Role.OWNER), None),
    "the requester is removed": (lambda acme: remove(acme, "Otto", "Ada"), "requester"),
    "the target is removed": (lambda acme: remove(acme, "Otto", "Olga"), "removed"),
    "the target leaves": (lambda acme: leave(acme, "Olga"), "removed"),
    "the target is demoted": (lambda acme: acme.change("Otto", "Olga", Role.MEMBER), None),
}


def remove(acme: Acme, by: str, of: str) -> None:
    actor, target = acme.by(by), acme.teammate(of)
    acme.world.write(lambda tx: teammates.remove(tx, by=actor, workspace_id=acme.id, teammate_id=target))


def leave(acme: Acme, who: str) -> None:
    actor = acme.by(who)
    acme.world.write(lambda tx: teammates.leave(tx, by=actor, workspace_id=acme.id))


@pytest.mark.parametrize("change", list(CHANGES))
def test_what_changes_while_it_waits(acme: Acme, change: str) -> None:
    act, why = CHANGES[change]
    asked = acme.ask("Ada", "Olga")
    act(acme)
    assert acme.row(asked).ended_by == why
    acme.world.wait(73 * HOUR)
    acme.chore()
    assert (acme.row(asked).done_at is not None) == (why is None)
    assert not [each for each in rows(acme.world, "teammates") if each.waiting_reset_id is not None]


def test_an_admin_who_becomes_an_owner_is_asked_for_anew(acme: Acme) -> None:
    asked = acme.ask("Otto", "Abe")
    acme.change("Olga", "Abe", Role.OWNER)
    assert acme.row(asked).ended_by == "role"


def test_an_owner_who_asked_for_an_admin_and_becomes_an_admin(acme: Acme) -> None:
    asked, other = acme.ask("Otto", "Abe"), acme.ask("Otto", "Olga")
    acme.change("Olga", "Otto", Role.ADMIN)
    assert acme.row(asked).ended_by == "requester"
    assert acme.row(other).ended_by is None, "an admin may ask for an owner"


def test_nothing_is_left_to_turn_off(acme: Acme) -> None:
    asked = acme.ask("Ada", "Olga")
    acme.world.unrequire(acme.id)
    person = acme.people["Olga"]
    acme.world.write(lambda tx: authenticators.unbind(tx, acme.apps["Olga"], person.id))
    acme.world.wait(73 * HOUR)
    acme.chore()
    assert acme.row(asked).ended_by == "nothing"


# --- law 8 ---


def test_a_sole_owner_is_reset_by_an_admin_after_72_hours(acme: Acme) -> None:
    """Docs: decisions/0017. Then that admin, who has 2FA, can still open."""
    remove(acme, "Olga", "Otto")
    asked = acme.ask("Ada", "Olga")
    acme.world.wait(73 * HOUR)
    acme.chore()
    assert acme.row(asked).done_at is not None
    assert isinstance(acme.world.opens(acme.by("Ada"), acme.id), Allow)


def test_the_only_enrolled_owner_is_not_reset_while_another_owner_could_set_up(acme: Acme) -> None:
    """At the request, and again when it is due."""
    asked = acme.ask("Ada", "Olga")
    otto = acme.people["Otto"]
    acme.world.write(lambda tx: authenticators.unbind(tx, acme.apps["Otto"], otto.id))
    acme.world.wait(73 * HOUR)
    acme.chore()
    assert acme.row(asked).ended_by == "last_owner"
    refused(Code.LAST_OWNER, lambda: acme.ask("Ada", "Olga"))
    acme.world.unrequire(acme.id)
    assert not acme.ask("Ada", "Olga").done


def test_two_owners_who_ask_for_each_other_never_leave_nobody(acme: Acme) -> None:
    first, second = acme.ask("Otto", "Olga"), acme.ask("Olga", "Otto")
    acme.world.wait(73 * HOUR)
    acme.chore()
    assert sorted([acme.row(first).ended_by or "", acme.row(second).ended_by or ""]) == ["", "last_owner"]
    assert acme.is_on("Olga") != acme.is_on("Otto")


# --- once ---


def test_it_is_done_once_whoever_comes(acme: Acme) -> None:
    """The background tasks of several processes, an approval, and somebody who looks, all at the same moment."""
    asked = acme.ask("Ada", "Olga")
    acme.world.wait(73 * HOUR)
    approve = partial(resets.approve, by=acme.by("Otto"), workspace_id=acme.id, reset_id=asked.reset_id)
    look = partial(resets.lookup_due, workspace_id=acme.id)
    at_once(
        *[partial(acme.world.write, body) for body in (finish_due, finish_due, approve, look, finish_due)]
    )
    assert acme.told().count(Event.TEAMMATE_RESET) == 1
    assert len(letters(acme.world, "reset")) == 1


def test_a_code_and_the_clock_at_the_same_moment(acme: Acme) -> None:
    asked = acme.ask("Ada", "Olga")
    half, code = acme.world.session(acme.people["Olga"]), acme.world.code(acme.seeds["Olga"])
    step = partial(second_step.present_totp, by=half, code=code, token=new_token())
    approve = partial(resets.approve, by=acme.by("Otto"), workspace_id=acme.id, reset_id=asked.reset_id)
    at_once(*[partial(acme.world.write, body) for body in (step, approve)])
    row = acme.row(asked)
    assert (row.done_at is None) != (row.ended_at is None)
    assert acme.is_on("Olga") == (row.done_at is None)


def test_the_clock_backwards_does_not_do_it_twice_or_early(acme: Acme) -> None:
    asked = acme.ask("Ada", "Olga")
    acme.world.wait(40 * HOUR)
    acme.chore()
    acme.world.wait(-39 * HOUR)
    acme.chore()
    assert acme.is_on("Olga")
    acme.world.wait(72 * HOUR)
    acme.chore()
    assert not acme.is_on("Olga")
    acme.world.wait(-30 * HOUR)
    acme.chore()
    assert acme.told().count(Event.TEAMMATE_RESET) == 1
    assert acme.row(asked).done_at is not None


# --- the number, and what is shown ---


def test_the_number_works_from_when_it_is_done_and_a_renewed_one_after(acme: Acme) -> None:
    world, asked = acme.world, acme.ask("Ada", "Olga")
    assert not letters(world, "reset")
    target, by = acme.teammate("Olga"), acme.by("Ada")
    refused(
        Code.CONFLICT,
        lambda: world.write(lambda tx: resets.renew(tx, by=by, workspace_id=acme.id, teammate_id=target)),
    )
    acme.approve("Otto", asked)
    olga = world.session(acme.people["Olga"])

    def redeem(number: str | None) -> Redeemed | WrongNumber:
        link = letter(world, "reset").hash()
        return world.write(lambda tx: tickets.redeem(tx, by=olga, token_hash=link, number=number))

    by = acme.by("Ada")
    new = world.write(lambda tx: resets.renew(tx, by=by, workspace_id=acme.id, teammate_id=target))
    assert isinstance(redeem(asked.number), WrongNumber)
    assert isinstance(redeem(new.number), Redeemed)


def test_what_waits_is_shown_to_those_who_may_do_something(acme: Acme) -> None:
    acme.ask("Ada", "Olga")

    def seen(who: str) -> reset_looking.Waits:
        by = acme.by(who)
        (found,) = acme.world.read(lambda tx: reset_looking.waiting(tx, by=by, workspace_id=acme.id))
        return found

    shown = {who: seen(who) for who in ("Olga", "Otto", "Ada", "Abe")}
    assert {who: (each.may_stop, each.against_approval is None) for who, each in shown.items()} == {
        "Olga": (False, False),
        "Otto": (True, True),
        "Ada": (True, False),
        "Abe": (False, False),
    }
    mia = acme.by("Mia")
    with pytest.raises(Refused):
        acme.world.read(lambda tx: reset_looking.waiting(tx, by=mia, workspace_id=acme.id))
    olga = acme.by("Olga")
    own = acme.world.read(lambda tx: reset_looking.own(tx, by=olga, workspace_id=acme.id))
    assert own is not None
    assert own.requester == "Ada"
