"""A reset that waits ends (design section 6): by the person, by mail, by others inside, by what changes; done once."""

import secrets
from collections.abc import Callable
from functools import partial

import pytest

from nightlatch.actions import reset_ending, resets, second_step
from nightlatch.actions.proving import Proved
from nightlatch.actions.reset_doing import finish_due
from nightlatch.actions.tokens import new_token
from nightlatch.authenticators import recovery_code
from nightlatch.facts import EVERYWHERE, reach_of
from nightlatch.instants import DAY, HOUR, MINUTE
from nightlatch.refusals import Code, Refused
from nightlatch.store import authenticators
from nightlatch.store.engine import Transaction
from nightlatch.vocabulary import Event, Method, Role
from tests.support.letters import letter, letters
from tests.support.races import at_once
from tests.support.ranks import VISITOR, WEEK, Acme, refused
from tests.support.tables import everything, rows
from tests.support.world import World


@pytest.fixture
def acme(world: World) -> Acme:
    return Acme(world)


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
    "the requester is removed": (lambda acme: acme.remove("Otto", "Ada"), "requester"),
    "the target is removed": (lambda acme: acme.remove("Otto", "Olga"), "removed"),
    "the target leaves": (lambda acme: acme.leave("Olga"), "removed"),
    "the target is demoted": (lambda acme: acme.change("Otto", "Olga", Role.MEMBER), None),
}


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
