"""Alerts: sign-ins that stop at the second step, new browsers; on both databases."""

from dataclasses import replace

import pytest

from nightlatch.actions import alerts, second_step, sign_in
from nightlatch.actions import sessions as own_sessions
from nightlatch.actions.by import By
from nightlatch.actions.proving import Proved
from nightlatch.actions.tokens import hash_token, new_token
from nightlatch.addresses import parse
from nightlatch.instants import DAY, HOUR, MINUTE
from nightlatch.store.session_facts import PENDING_LIMIT
from nightlatch.vocabulary import Credential
from tests.support.letters import Letter, letters
from tests.support.world import Person, World

KIND = "second_step_missing"


def visitor(browser: str | None = "laptop", ip: str = "192.0.2.7") -> By:
    return By(
        "visitor",
        None,
        "",
        ip,
        "Mozilla/5.0 (Windows NT 10.0) Firefox/140.0",
        browser=hash_token(browser) if browser is not None else None,
    )


def enter_password(world: World, person: Person, by: By | None = None) -> By:
    """The right password; a session that waits for the second step, if there is one."""
    by, token = by or visitor(), new_token()
    candidate = world.read(lambda tx: sign_in.look(tx, by=by, address=parse(person.email)))
    kind = Credential.COOKIE if by.browser is not None else Credential.BEARER
    done = world.write(
        lambda tx: sign_in.sign_in(tx, by=by, candidate=candidate, right=True, kind=kind, token=token)
    )
    assert isinstance(done, Proved)
    return replace(
        by, kind="account", id=person.id, name=person.name, token_hash=done.token.hash, credential=kind
    )


def enter_code(world: World, by: By, seed: bytes) -> By:
    token, code = new_token(), world.code(seed)
    done = world.write(lambda tx: second_step.present_totp(tx, by=by, code=code, token=token))
    assert isinstance(done, Proved)
    world.wait(31_000_000)  # the next code is another one
    return replace(by, token_hash=done.token.hash)


def rounds(world: World) -> None:
    """What the background task does."""
    while world.read(alerts.half_done_waits) and world.write(lambda tx: alerts.tell_half_done(tx)):
        pass


def mails(world: World, kind: str = KIND) -> list[Letter]:
    return letters(world, kind)


@pytest.fixture
def ana(world: World) -> Person:
    return world.person("Ana")


@pytest.fixture
def seed(world: World, ana: Person) -> bytes:
    return world.bind_totp(ana)[1]


# --- the right password, and no second step ---


def test_a_sign_in_that_stops_at_the_second_step_is_told_once(world: World, ana: Person, seed: bytes) -> None:
    began = world.clock.now()
    enter_password(world, ana)
    rounds(world)
    assert mails(world) == []
    world.wait(PENDING_LIMIT + MINUTE)
    rounds(world)
    rounds(world)
    (told,) = mails(world)
    assert told.to == ana.email
    assert told.values["where"] == "192.0.2.7"
    assert told.values["agent"] == "Firefox on Windows"
    assert abs(told.values["when"] - began) < MINUTE
    assert not any(name.endswith("link") for name in told.values)


def test_one_that_was_given_up_by_signing_out_is_told_too(world: World, ana: Person, seed: bytes) -> None:
    by = enter_password(world, ana)
    world.write(lambda tx: sign_in.sign_out(tx, by=by))
    world.wait(PENDING_LIMIT + MINUTE)
    rounds(world)
    assert len(mails(world)) == 1


def test_one_that_was_completed_is_not(world: World, ana: Person, seed: bytes) -> None:
    enter_code(world, enter_password(world, ana), seed)
    world.wait(PENDING_LIMIT + MINUTE)
    rounds(world)
    assert mails(world) == []


def test_nor_one_after_which_the_same_browser_signed_in(world: World, ana: Person, seed: bytes) -> None:
    enter_password(world, ana)
    world.wait(5 * MINUTE)
    enter_code(world, enter_password(world, ana), seed)
    world.wait(PENDING_LIMIT)
    rounds(world)
    assert mails(world) == []


def test_but_another_browser_that_signs_in_silences_nothing(world: World, ana: Person, seed: bytes) -> None:
    enter_password(world, ana, visitor("the thief's"))
    enter_code(world, enter_password(world, ana, visitor("laptop")), seed)
    world.wait(PENDING_LIMIT + MINUTE)
    rounds(world)
    assert len(mails(world)) == 1


def test_nor_does_a_sign_in_before_it(world: World, ana: Person, seed: bytes) -> None:
    """The person's own browser in a thief's hands: it signed in before, and this time it cannot."""
    enter_code(world, enter_password(world, ana), seed)
    world.wait(HOUR)
    enter_password(world, ana)
    world.wait(PENDING_LIMIT + MINUTE)
    rounds(world)
    assert len(mails(world)) == 1


def test_many_are_told_once_a_day(world: World, ana: Person, seed: bytes) -> None:
    for _ in range(7):
        enter_password(world, ana)
    world.wait(PENDING_LIMIT + MINUTE)
    rounds(world)
    assert len(mails(world)) == 1
    world.wait(DAY)
    enter_password(world, ana)
    world.wait(PENDING_LIMIT + MINUTE)
    rounds(world)
    assert len(mails(world)) == 2


def test_without_a_second_factor_there_is_nothing_to_tell(world: World, ana: Person) -> None:
    enter_password(world, ana)
    world.wait(PENDING_LIMIT + MINUTE)
    assert not world.read(alerts.half_done_waits)


def test_a_program_that_keeps_no_cookies_is_told_of_as_well(world: World, ana: Person, seed: bytes) -> None:
    enter_password(world, ana, visitor(None))
    world.wait(PENDING_LIMIT + MINUTE)
    rounds(world)
    assert len(mails(world)) == 1


def test_two_workers_at_once_tell_it_once(world: World, ana: Person, seed: bytes) -> None:
    enter_password(world, ana)
    world.wait(PENDING_LIMIT + MINUTE)
    world.write(lambda tx: alerts.tell_half_done(tx))
    world.write(lambda tx: alerts.tell_half_done(tx))
    assert len(mails(world)) == 1


# --- a new browser ---


def test_the_first_sign_in_of_an_account_is_no_news(world: World, ana: Person, seed: bytes) -> None:
    enter_code(world, enter_password(world, ana), seed)
    assert mails(world, "new_browser") == []


def test_a_full_sign_in_in_another_browser_is_told_once(world: World, ana: Person, seed: bytes) -> None:
    enter_code(world, enter_password(world, ana), seed)
    half = enter_password(world, ana, visitor("another"))
    assert mails(world, "new_browser") == []
    enter_code(world, half, seed)
    enter_code(world, enter_password(world, ana, visitor("another")), seed)
    (told,) = mails(world, "new_browser")
    assert told.to == ana.email
    assert told.values["not_me_link"].startswith("/not-me/")


def test_not_me_in_that_mail_suspends_what_was_shown(world: World, ana: Person, seed: bytes) -> None:
    from nightlatch.actions import contesting

    enter_code(world, enter_password(world, ana), seed)
    thief = enter_code(world, enter_password(world, ana, visitor("another")), seed)
    (told,) = mails(world, "new_browser")
    found = world.read(lambda tx: contesting.look(tx, told.hash("not_me_link")))
    assert found.method == "totp"
    world.write(lambda tx: contesting.contest(tx, by=visitor(), token_hash=told.hash("not_me_link")))
    assert world.known(thief).session is None


def test_without_2fa_a_new_browser_is_told_as_well(world: World, ana: Person) -> None:
    enter_password(world, ana)
    enter_password(world, ana, visitor("another"))
    assert len(mails(world, "new_browser")) == 1


def test_a_program_is_known_by_its_network_and_name(world: World, ana: Person) -> None:
    enter_password(world, ana)
    for _ in range(3):
        enter_password(world, ana, visitor(None, "198.51.100.4"))
    enter_password(world, ana, visitor(None, "198.51.100.9"))  # the same network
    assert len(mails(world, "new_browser")) == 1
    enter_password(world, ana, visitor(None, "203.0.113.4"))
    assert len(mails(world, "new_browser")) == 2


def test_what_is_live_goes_on_while_chores_run(world: World, ana: Person, seed: bytes) -> None:
    by = enter_code(world, enter_password(world, ana), seed)
    world.wait(PENDING_LIMIT + MINUTE)
    rounds(world)
    assert [each.current for each in world.read(lambda tx: own_sessions.own(tx, by=by))] == [True]
