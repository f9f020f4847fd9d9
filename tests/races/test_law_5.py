"""Law 5, raced: a guess is charged, judged and recorded in one commit, whatever comes beside it.

Each runs with threads on one store, and with two processes, on SQLite and on PostgreSQL. F15 to F22.
"""

from collections import Counter
from dataclasses import replace
from functools import partial

import pytest

from nightlatch.actions.by import By
from nightlatch.actions.proving import Wrong
from nightlatch.authenticators import recovery_code
from nightlatch.budget import PASSWORD_KNOWN_BROWSER, PASSWORD_UNKNOWN_BROWSER, SECOND_STEP
from nightlatch.instants import SECOND
from nightlatch.store import guesses, sessions
from nightlatch.vocabulary import Event, Method
from tests.races import setting, tries
from tests.races.arena import Arena, StillWorld
from tests.support.events import events
from tests.support.tables import rows
from tests.support.world import Person, World, from_elsewhere

pytestmark = [pytest.mark.race, pytest.mark.slow]
GUESSES = 200


def doors(world: StillWorld, person: Person, app: int) -> list[By]:
    """Sessions at the second step, and open ones at the step-up page, each from another network."""
    waiting = [world.session(person, ip=f"192.0.{number}.1") for number in range(12)]
    stepping_up = [from_elsewhere(world.signed_in(person, app), f"203.0.{number}.1") for number in range(8)]
    return waiting + stepping_up


def failures(world: StillWorld, door: str, subject: str) -> int:
    """What the counter says."""
    return world.read(lambda tx: guesses.peek(tx, door, subject)).failures


# --- the second step ---


def test_of_two_hundred_wrong_codes_five_are_judged(arena: Arena) -> None:
    """F15, F17, F19, F21: whatever the door, the sign-in or the address, it is one budget."""
    world = arena.world
    ana = world.person("Ana")
    world.workspace("acme", owner=ana)
    app, seed = world.bind_totp(ana)
    by, bad = doors(world, ana, app), setting.wrong_code(world, seed)
    told = arena.race([partial(tries.code, by=by[each % len(by)], text=bad) for each in range(GUESSES)])
    assert told == {"Wrong": SECOND_STEP.free, "Wait": GUESSES - SECOND_STEP.free}
    assert failures(world, Method.TOTP, str(ana.id)) == SECOND_STEP.free
    happened = Counter(each.event for each in events(world, subject=ana.id))
    assert happened[Event.SECOND_STEP_FAILED] == SECOND_STEP.free


def test_of_two_hundred_wrong_recovery_codes_five_are_judged(arena: Arena) -> None:
    """All had been looked up and hashed while the budget was whole: only the commit counts."""
    world = arena.world
    ana = world.person("Ana")
    world.workspace("acme", owner=ana)
    app, _ = world.bind_totp(ana)
    parts = recovery_code.canonical(setting.wrong_recovery(setting.bind_codes(world, ana)[0]))
    by = doors(world, ana, app)
    candidate = tries.look_code(world.store, by[0], parts)
    assert candidate.wait is None
    told = arena.race(
        [
            partial(
                tries.judged_recovery, by=by[each % len(by)], parts=parts, candidate=candidate, right=False
            )
            for each in range(GUESSES)
        ]
    )
    assert told == {"Wrong": SECOND_STEP.free, "Wait": GUESSES - SECOND_STEP.free}
    assert failures(world, Method.RECOVERY_CODE, str(ana.id)) == SECOND_STEP.free
    assert failures(world, Method.TOTP, str(ana.id)) == 0, "each method has its own"


def test_nothing_gives_a_fresh_budget_for_codes(arena: Arena) -> None:
    """F16, F18, F20: a restart, a new sign-in, another door or address; not even the right code is judged."""
    world = arena.world
    ana = world.person("Ana")
    world.workspace("acme", owner=ana)
    app, seed = world.bind_totp(ana)
    bad = setting.wrong_code(world, seed)
    told = arena.race([partial(tries.code, by=world.session(ana), text=bad) for _ in range(SECOND_STEP.free)])
    assert told == {"Wrong": SECOND_STEP.free}
    world.reopen()
    fresh = [
        world.session(ana),
        world.session(ana, ip="203.0.113.99"),
        world.signed_in(ana, app),
        from_elsewhere(world.signed_in(ana, app), "2001:db8::1"),
    ]
    works = [partial(tries.code, by=by, text=text) for by in fresh for text in (bad, world.code(seed))]
    assert arena.race(works * 5) == {"Wait": 40}
    password = tries.password(world.store, setting.elsewhere(1), ana.email, right=True)
    assert type(password).__name__ == "Proved", "the password's budget is another"
    assert arena.race(works) == {"Wait": 8}, "and its success clears only its own"


def test_after_the_wait_one_guess_is_judged_and_the_wait_doubles(arena: Arena) -> None:
    world = arena.world
    ana = world.person("Ana")
    world.workspace("acme", owner=ana)
    app, seed = world.bind_totp(ana)
    by, bad = doors(world, ana, app), setting.wrong_code(world, seed)
    works = [partial(tries.code, by=each, text=bad) for each in by] * 2
    assert arena.race(works)["Wrong"] == 5
    for wait in (30, 60, 120):
        world.wait((wait - 1) * SECOND)
        assert arena.race(works) == {"Wait": len(works)}
        world.wait(1 * SECOND)
        assert arena.race(works) == {"Wrong": 1, "Wait": len(works) - 1}
    world.wait(240 * SECOND)
    told = arena.race([*works, *[partial(tries.code, by=each, text=world.code(seed)) for each in by]])
    assert told["Proved"] <= 1
    assert told["Proved"] + told["Wrong"] >= 1
    assert told["Wrong"] <= 1 + SECOND_STEP.free


def test_two_hundred_wrong_numbers_are_five_and_kill_the_ticket(arena: Arena) -> None:
    """The number that an admin reads out (design section 6)."""
    world = arena.world
    dana, ana = world.person("Dana"), world.person("Ana")
    acme = world.workspace("acme", owner=dana, member=ana)
    app, _ = world.bind_totp(dana)
    world.bind_totp(ana)
    number, token_hash = setting.reset(world, world.signed_in(dana, app), acme, ana)
    bad = f"{(int(number) + 1) % 10**8:08d}"
    by = [world.session(ana, ip=f"192.0.{each}.1") for each in range(10)]
    works = [
        partial(tries.redeem, by=by[each % 10], token_hash=token_hash, number=bad) for each in range(GUESSES)
    ]
    told = arena.race(works)
    assert told == {"WrongNumber": 5, "expired": GUESSES - 5}
    right = partial(tries.redeem, by=by[0], token_hash=token_hash, number=number)
    assert arena.race([right]) == {"expired": 1}


# --- the password ---


def test_of_two_hundred_wrong_passwords_five_are_judged(arena: Arena) -> None:
    """From as many unknown browsers and networks, at the sign-in page and at the step-up page (F15, F19)."""
    world = arena.world
    ana = world.person("Ana", password_hash="hash")
    stepping_up = [replace(world.session(ana), browser=None) for _ in range(10)]
    candidate = tries.look(world.store, setting.VISITOR, ana.email)
    assert candidate.wait is None
    works = [
        partial(tries.judged_password, by=setting.elsewhere(each), candidate=candidate, right=False)
        for each in range(GUESSES // 2)
    ]
    works += [
        partial(tries.judged_again, by=stepping_up[each % 10], candidate=candidate, right=False)
        for each in range(GUESSES // 4)
    ]
    works += [
        partial(tries.password, by=setting.elsewhere(each), email=ana.email.upper(), right=False)
        for each in range(GUESSES // 4)
    ]
    free = PASSWORD_UNKNOWN_BROWSER.free
    assert arena.race(works) == {"Wrong": free, "Wait": GUESSES - free}
    assert failures(world, "password", ana.email) == free


def test_of_two_hundred_passwords_for_an_address_that_nobody_has_five_are_judged(arena: Arena) -> None:
    """F41: there is no account and no row to lock, and it is counted all the same."""
    world = arena.world
    email = "nobody@example.com"
    candidate = tries.look(world.store, setting.VISITOR, email)
    works = [
        partial(tries.judged_password, by=setting.elsewhere(each), candidate=candidate, right=False)
        for each in range(GUESSES)
    ]
    free = PASSWORD_UNKNOWN_BROWSER.free
    assert arena.race(works) == {"Wrong": free, "Wait": GUESSES - free}
    counted = [row for row in rows(world, "guesses") if row.door == "password"]
    assert [(row.subject, row.failures) for row in counted] == [(email, free)]


def test_a_known_browser_has_its_own_ten_beside_the_five(arena: Arena) -> None:
    """F22: hammering from elsewhere does not shut out the browser that has signed in before."""
    world = arena.world
    ana = world.person("Ana", password_hash="hash")
    world.workspace("acme", owner=ana)
    home = replace(setting.VISITOR, ip="192.0.2.200")
    assert type(tries.password(world.store, home, ana.email, right=True)).__name__ == "Proved"
    works = [
        partial(tries.password, by=setting.elsewhere(each), email=ana.email, right=False)
        for each in range(GUESSES // 2)
    ]
    works += [partial(tries.password, by=home, email=ana.email, right=False) for _ in range(GUESSES // 2)]
    judged = PASSWORD_UNKNOWN_BROWSER.free + PASSWORD_KNOWN_BROWSER.free
    assert arena.race(works) == {"Wrong": judged, "Wait": GUESSES - judged}
    assert failures(world, "password", ana.email) == PASSWORD_UNKNOWN_BROWSER.free


def test_nothing_gives_a_fresh_budget_for_passwords(arena: Arena) -> None:
    """F16, F20: a restart, another spelling, another address; not even the right one is judged."""
    world = arena.world
    ana = world.person("Ana", password_hash="hash")
    works = [
        partial(tries.password, by=setting.elsewhere(each), email=email, right=right)
        for each in range(5)
        for email in (ana.email, ana.email.upper())
        for right in (True, False)
    ]
    first = arena.race([partial(tries.password, by=setting.VISITOR, email=ana.email, right=False)] * 50)
    assert first == {"Wrong": 5, "Wait": 45}
    world.reopen()
    assert arena.race(works) == {"Wait": 20}
    world.wait(30 * SECOND)
    assert arena.race([works[1]] * 50) == {"Wrong": 1, "Wait": 49}


def test_a_verdict_on_an_old_password_opens_nothing_after_a_reset(arena: Arena) -> None:
    """The password is reset while fifty were just found right: a session that began before is ended by it (F04)."""
    world = arena.world
    ana = world.person("Ana", password_hash="old hash")
    link = setting.reset_link(world, ana)
    candidate = tries.look(world.store, setting.VISITOR, ana.email)
    works = [
        partial(tries.judged_password, by=setting.elsewhere(each), candidate=candidate, right=True)
        for each in range(50)
    ]
    reset = partial(tries.finish_reset, by=setting.VISITOR, token_hash=link, password_hash="new hash")
    told = arena.race([*works[:25], reset, *works[25:]])
    assert told["NoneType"] == 1
    assert told["Proved"] + told["Changed: "] == 50
    assert world.read(lambda tx: sessions.of_account(tx, ana.id)) == []


# --- mails that others can ask for ---


def test_links_by_mail_are_limited_however_many_ask_at_once(arena: Arena) -> None:
    """Each link that is mailed is another try, or another mail in somebody's inbox."""
    world = arena.world
    ana = world.person("Ana")
    acme = world.workspace("acme", owner=world.person("Dana"), member=ana)
    world.require(acme)
    by = [world.session(ana) for _ in range(10)]
    told = arena.race(
        [partial(tries.request_reset, by=setting.elsewhere(each), email=ana.email) for each in range(30)]
        + [partial(tries.ask_unblock, by=setting.elsewhere(each), email=ana.email) for each in range(30)]
        + [partial(tries.send_ticket, by=by[each % 10], workspace_id=acme) for each in range(30)]
    )
    assert told == {"NoneType": 60, "Sent": 5, "too_many_attempts": 25}
    sent = Counter(row.kind for row in rows(world, "outbox"))
    assert sent == {"password_reset": 3, "sign_in_unblock": 3, "ticket": 5}
    alive = [row for row in rows(world, "links") if row.ended_at is None]
    assert Counter(row.purpose for row in alive if row.account_id is not None) == {
        "password_reset": 1,
        "unblock": 1,
    }, "the newest alone works"


def test_a_suspension_is_lifted_by_no_more_tries_than_mails(arena: Arena) -> None:
    """NIST 3.2.2: at a hundred failures a code needs a mailed link; right or wrong, a link is one try."""
    world = arena.world
    ana = world.person("Ana")
    world.workspace("acme", owner=ana)
    _, seed = world.bind_totp(ana)
    setting.suspend(world, world.session(ana), seed)
    by, bad = [world.session(ana) for _ in range(10)], setting.wrong_code(world, seed)
    told = arena.race([partial(tries.ask_lift, by=by[each % 10]) for each in range(30)])
    assert told == {"NoneType": 2, "too_many_attempts": 28}, "three an hour, with the one that told of it"
    links = setting.lift_links(world)
    assert len(links) == 3
    works = [
        partial(tries.lift, by=by[each % 10], token_hash=link, text=bad)
        for link in links
        for each in range(20)
    ]
    assert arena.race(works) == {"Wrong": 1, "expired": 59}, "the newest link alone works, once"


def test_a_verdict_on_recovery_codes_that_were_voided_meanwhile_is_not_used(world: World) -> None:
    """They were hashed while an admin turned off 2FA: what is no longer relied on proves nothing, and is charged."""
    dana, ana = world.person("Dana"), world.person("Ana")
    acme = world.workspace("acme", owner=dana, member=ana)
    app, _ = world.bind_totp(dana)
    world.bind_totp(ana)
    text = setting.bind_codes(world, ana)[0]
    by, parts = world.session(ana), recovery_code.canonical(text)
    candidate = tries.look_code(world.store, by, parts)
    assert candidate.hash is not None
    setting.reset(world, world.signed_in(dana, app), acme, ana)
    told = tries.judged_recovery(world.store, by, parts, candidate, right=True)
    assert isinstance(told, Wrong)
    assert world.read(lambda tx: guesses.peek(tx, Method.RECOVERY_CODE, str(ana.id))).failures == 1
    assert all(row.used_at is None for row in rows(world, "recovery_codes"))
