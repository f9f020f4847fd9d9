"""Resets by rank (design section 6): who, of whom, how long it waits, who agrees. Their end: test_resets_ending.py."""

from functools import partial

import pytest

from nightlatch.actions import reset_looking, resets, tickets
from nightlatch.actions.by import operator
from nightlatch.actions.tickets import Redeemed, WrongNumber
from nightlatch.decision import Allow
from nightlatch.instants import HOUR, MINUTE
from nightlatch.refusals import Code, Refused
from nightlatch.store import authenticators
from nightlatch.vocabulary import Event, Role
from tests.support.letters import letter, letters
from tests.support.ranks import WEEK, Acme, refused
from tests.support.tables import everything
from tests.support.world import World


@pytest.fixture
def acme(world: World) -> Acme:
    return Acme(world)


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


# --- law 8 ---


def test_a_sole_owner_is_reset_by_an_admin_after_72_hours(acme: Acme) -> None:
    """Docs: decisions/0017. Then that admin, who has 2FA, can still open."""
    acme.remove("Olga", "Otto")
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
