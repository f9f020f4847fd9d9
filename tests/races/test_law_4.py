"""Law 4, raced: a TOTP step, a recovery code, a ticket, an invitation, a mailed link are spent once.

Each runs with threads on one store, and with two processes, on SQLite and on PostgreSQL. F13, F14, F27, F33.
"""

from collections import Counter
from functools import partial

import pytest

from nightlatch.authenticators import recovery_code
from nightlatch.budget import SECOND_STEP
from nightlatch.refusals import Code
from nightlatch.store import accounts
from nightlatch.vocabulary import Event, Method
from tests.races import setting, tries
from tests.races.arena import Arena
from tests.support.events import events
from tests.support.letters import letter, letters
from tests.support.tables import rows

pytestmark = [pytest.mark.race, pytest.mark.slow]
TRIES = 50
FREE = SECOND_STEP.free


def test_one_right_code_on_ten_sign_ins_is_one_success(arena: Arena) -> None:
    """F13: also at the step-up door. Whoever comes second is judged a replay, and charged."""
    world = arena.world
    ana = world.person("Ana")
    world.workspace("acme", owner=ana)
    app, seed = world.bind_totp(ana)
    doors = [world.session(ana, ip=f"192.0.{number}.1") for number in range(7)]
    doors += [world.signed_in(ana, app) for _ in range(3)]
    told = arena.race(
        [partial(tries.code, by=doors[each % 10], text=world.code(seed)) for each in range(TRIES)]
    )
    assert told["Proved"] == 1
    assert told["Wrong"] <= FREE
    assert told.keys() <= {"Proved", "Wrong", "Wait", Code.SIGN_IN_REQUIRED}, "a spent token is nobody's"
    happened = Counter(each.event for each in events(world, subject=ana.id))
    assert happened[Event.SIGN_IN_SUCCEEDED] + happened[Event.STEP_UP_SUCCEEDED] == 1
    assert happened[Event.SECOND_STEP_FAILED] == told["Wrong"]


def test_the_three_codes_of_a_moment_are_three_successes_at_most(arena: Arena) -> None:
    """F14: each step once, and none below one that was accepted."""
    world = arena.world
    ana = world.person("Ana")
    world.workspace("acme", owner=ana)
    _, seed = world.bind_totp(ana)
    told = arena.race(
        [
            partial(tries.code, by=world.session(ana), text=world.code(seed, steps))
            for steps in (1, 0, -1)
            for _ in range(TRIES // 3)
        ]
    )
    assert 1 <= told["Proved"] <= 3
    assert told["Wrong"] <= FREE * 3, "a success gives the tries back"


def test_one_recovery_code_is_one_success(arena: Arena) -> None:
    """F27: all of them were looked up and judged right before the first was recorded."""
    world = arena.world
    ana = world.person("Ana")
    world.workspace("acme", owner=ana)
    world.bind_totp(ana)
    text = setting.bind_codes(world, ana)[4]
    parts = recovery_code.canonical(text)
    sessions = [world.session(ana) for _ in range(10)]
    candidate = tries.look_code(world.store, sessions[0], parts)
    works = [
        partial(tries.judged_recovery, by=sessions[each % 10], parts=parts, candidate=candidate, right=True)
        for each in range(TRIES - 10)
    ]
    works += [partial(tries.recovery, by=sessions[each], text=text) for each in range(10)]
    told = arena.race(works)
    assert told["Proved"] == 1
    assert told["Wrong"] <= FREE
    assert told.keys() <= {"Proved", "Wrong", "Wait", Code.SIGN_IN_REQUIRED}
    assert sum(row.used_at is not None for row in rows(world, "recovery_codes")) == 1
    assert len(letters(world, "recovery_code_used")) == 1


def test_one_ticket_is_redeemed_once(arena: Arena) -> None:
    world = arena.world
    ana = world.person("Ana")
    acme = world.workspace("acme", owner=world.person("Dana"), member=ana)
    world.require(acme)
    sessions = [world.session(ana) for _ in range(5)]
    token_hash = setting.mailed_ticket(world, sessions[0], acme)
    told = arena.race(
        [partial(tries.redeem, by=sessions[each % 5], token_hash=token_hash) for each in range(TRIES)]
    )
    assert told == {"Redeemed": 1, Code.ALREADY_USED: TRIES - 1}
    assert sum(row.method == Method.TICKET for row in rows(world, "proofs")) == 1


def test_one_pending_enrolment_is_confirmed_once_and_its_code_opens_nothing(arena: Arena) -> None:
    """F14, F24: the confirming code, shown at the same moment as a second step elsewhere, is spent either way."""
    world = arena.world
    ana = world.person("Ana")
    world.workspace("acme", owner=ana)
    by, other = world.session(ana), world.session(ana)
    pending = setting.pending_enrolment(world, by)
    code = world.code(pending.seed)
    confirm = partial(tries.confirm_enrolment, by=by, enrolment_id=pending.id, text=code)
    told = arena.race([confirm, partial(tries.code, by=other, text=code)] * (TRIES // 2))
    assert told["Confirmed"] == 1
    assert "Proved" not in told
    assert len(world.seeds(ana)) == 1
    assert len(letters(world, "authenticator_bound")) == 1


def test_one_invitation_makes_one_account(arena: Arena) -> None:
    world = arena.world
    dana = world.person("Dana")
    acme = world.workspace("acme", owner=dana)
    token_hash = setting.invitation(world, world.session(dana), acme, "eve@example.com")
    told = arena.race(
        [
            partial(tries.accept_new, by=setting.VISITOR, token_hash=token_hash, name=f"Eve {each}")
            for each in range(TRIES)
        ]
    )
    assert told == {"Accepted": 1, Code.ALREADY_USED: TRIES - 1}
    assert len(rows(world, "accounts")) == len(rows(world, "identities")) == 2
    assert len(rows(world, "teammates")) == 2


def test_two_invitations_of_one_address_make_one_account(arena: Arena) -> None:
    """Whoever holds both links: one account; the other workspace is joined by signing in."""
    world = arena.world
    dana = world.person("Dana")
    places = [world.workspace(slug, owner=dana) for slug in ("acme", "bolt")]
    by = world.session(dana)
    hashes = [setting.invitation(world, by, place, "eve@example.com") for place in places]
    told = arena.race(
        [
            partial(tries.accept_new, by=setting.VISITOR, token_hash=hashes[each % 2], name="Eve")
            for each in range(TRIES)
        ]
    )
    assert told["Accepted"] == 1
    assert told.keys() <= {"Accepted", Code.ALREADY_USED, Code.CONFLICT}
    assert len(rows(world, "accounts")) == 2


def test_one_invitation_is_joined_once(arena: Arena) -> None:
    world = arena.world
    dana, ana = world.person("Dana"), world.person("Ana")
    acme = world.workspace("acme", owner=dana)
    sessions = [world.session(ana) for _ in range(5)]
    token_hash = setting.invitation(world, world.session(dana), acme, ana.email)
    told = arena.race(
        [
            partial(tries.accept_existing, by=sessions[each % 5], token_hash=token_hash)
            for each in range(TRIES)
        ]
    )
    assert told == {"Joined": 1, Code.ALREADY_USED: TRIES - 1}
    joined = [each for each in events(world, workspace=acme) if each.event is Event.TEAMMATE_JOINED]
    assert len(joined) == 1


def test_one_password_reset_link_resets_once(arena: Arena) -> None:
    """And the hash that is kept is that of the one who was told so: the others' passwords are nobody's."""
    world = arena.world
    ana = world.person("Ana")
    token_hash = setting.reset_link(world, ana)
    told = arena.race(
        [
            partial(
                tries.finish_reset, by=setting.VISITOR, token_hash=token_hash, password_hash=f"hash {each}"
            )
            for each in range(TRIES)
        ]
    )
    assert told == {"NoneType": 1, Code.ALREADY_USED: TRIES - 1}
    assert len(letters(world, "password_reset_done")) == 1


def test_one_unblock_link_lets_one_browser_in(arena: Arena) -> None:
    world = arena.world
    ana = world.person("Ana")
    token_hash = setting.unblock_link(world, ana)
    told = arena.race(
        [partial(tries.unblock, by=setting.elsewhere(each), token_hash=token_hash) for each in range(TRIES)]
    )
    assert told == {"str": 1, Code.EXPIRED: TRIES - 1}
    assert len(rows(world, "browsers")) == 1


def test_an_email_change_is_confirmed_once_and_undone_once(arena: Arena) -> None:
    world = arena.world
    ana = world.person("Ana")
    token_hash = setting.confirm_link(world, world.session(ana), "ana.new@example.com")
    confirm = partial(tries.confirm_email, by=setting.VISITOR, token_hash=token_hash)
    told = arena.race([confirm] * TRIES)
    assert told == {"NoneType": 1, Code.ALREADY_USED: TRIES - 1}
    token_hash = letter(world, "email_changed", to=ana.email).hash("undo_link")
    told = arena.race([partial(tries.undo_email, by=setting.VISITOR, token_hash=token_hash)] * TRIES)
    assert told == {"str": 1, Code.ALREADY_USED: TRIES - 1}
    holder = world.read(lambda tx: accounts.by_id(tx, ana.id))
    assert holder is not None
    assert holder.email == ana.email
