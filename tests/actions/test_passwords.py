"""Forgotten and changed passwords: the mailbox gives a new password, and nothing else."""

from dataclasses import replace
from functools import partial

import pytest

from nightlatch import addresses
from nightlatch.actions import emails, enrolment, passwords, second_step, sign_in
from nightlatch.actions.by import By
from nightlatch.actions.proving import Wrong
from nightlatch.actions.tokens import hash_token, new_token
from nightlatch.authenticators.password import Kind, problem
from nightlatch.budget import Counter
from nightlatch.decision import Allow, Challenge
from nightlatch.instants import HOUR, MINUTE, SECOND
from nightlatch.refusals import Code, Refused
from nightlatch.store import accounts, guesses
from nightlatch.vocabulary import Event, Method
from tests.support.events import events
from tests.support.letters import letter, letters
from tests.support.races import at_once
from tests.support.tables import everything, rows
from tests.support.world import Person, World

VISITOR = By("visitor", None, "", "198.51.100.7", "test")


def ask(world: World, email: str) -> None:
    world.write(lambda tx: passwords.request_reset(tx, by=VISITOR, address=addresses.parse(email)))


def finish(world: World, token_hash: bytes, password_hash: str = "new") -> None:
    world.write(
        lambda tx: passwords.finish_reset(tx, by=VISITOR, token_hash=token_hash, password_hash=password_hash)
    )


def refused(world: World, token_hash: bytes) -> Code:
    before = everything(world)
    with pytest.raises(Refused) as refusal:
        finish(world, token_hash)
    assert refusal.value.way_out is not None
    assert everything(world) == before
    return refusal.value.code


def stored(world: World, person: Person) -> str | None:
    row = world.read(lambda tx: accounts.by_id(tx, person.id))
    assert row is not None
    kept: str | None = row.password_hash
    return kept


def test_an_unknown_address_gets_the_same_answer_and_no_mail(world: World) -> None:
    ana = world.person("Ana")
    ask(world, "nobody@example.org")
    assert not letters(world)
    assert not events(world)
    ask(world, ana.email.upper())
    assert [each.to for each in letters(world)] == [ana.email]  # as it is stored, not as it was typed
    assert len(rows(world, "links")) == 2  # either way something is written: the commit takes its time


def test_a_reset_never_signs_in_and_never_touches_the_second_step(world: World) -> None:
    """F04."""
    ana = world.person("Ana")
    app, seed = world.bind_totp(ana)
    acme = world.workspace("acme", owner=ana)
    thief = world.signed_in(ana, app)
    half = world.session(ana)
    wrong = "000000" if world.code(seed) != "000000" else "000001"
    answer = world.write(lambda tx: second_step.present_totp(tx, by=half, code=wrong, token=new_token()))
    assert isinstance(answer, Wrong)
    ask(world, ana.email)
    finish(world, letter(world, "password_reset").hash())
    assert stored(world, ana) == "new"
    assert world.known(thief).session is None
    assert world.known(half).session is None
    assert not [each for each in rows(world, "sessions") if each.ended_at is None]
    after = world.session(ana)
    assert isinstance(world.opens(after, acme), Challenge)
    counter = world.read(lambda tx: guesses.peek(tx, Method.TOTP, str(ana.id)))
    assert counter.failures == 1
    assert [each.event for each in events(world)][-1] == Event.PASSWORD_RESET


def test_strangers_wrong_passwords_do_not_keep_the_browser_of_the_link_waiting(world: World) -> None:
    """Law 5 c: a hundred in a row ask unknown browsers for a mailed link, and this was one."""
    ana = world.person("Ana")
    here, address = replace(VISITOR, browser=b"here"), addresses.parse(ana.email)
    world.write(lambda tx: guesses.keep(tx, "password", ana.email, Counter(100, tx.now)))
    assert world.read(lambda tx: sign_in.look(tx, by=here, address=address)).wait is not None
    ask(world, ana.email)
    link = letter(world, "password_reset").hash()
    world.write(lambda tx: passwords.finish_reset(tx, by=here, token_hash=link, password_hash="new"))
    assert world.read(lambda tx: sign_in.look(tx, by=here, address=address)).wait is None
    assert world.read(lambda tx: sign_in.look(tx, by=VISITOR, address=address)).wait is not None


def test_every_address_is_told(world: World) -> None:
    ana = world.person("Ana")
    anas, new = world.session(ana), addresses.parse("ana.new@example.org")
    world.write(lambda tx: emails.request_change(tx, by=anas, address=new))
    link = letter(world, "email_confirm").hash()
    world.write(lambda tx: emails.confirm(tx, by=VISITOR, token_hash=link))
    ask(world, new.display)
    finish(world, letter(world, "password_reset").hash())
    assert {each.to for each in letters(world, "password_reset_done")} == {new.display, ana.email}


def test_a_link_works_once_even_for_many_at_once(world: World) -> None:
    ana = world.person("Ana")
    ask(world, ana.email)
    link = letter(world, "password_reset").hash()
    results = at_once(*[lambda: finish(world, link)] * 8)
    assert results.count(None) == 1
    assert {each.code for each in results if isinstance(each, Refused)} == {Code.ALREADY_USED}
    assert len(letters(world, "password_reset_done")) == 1


def test_a_link_works_for_an_hour(world: World) -> None:
    """F05."""
    ana = world.person("Ana")
    ask(world, ana.email)
    link = letter(world, "password_reset").hash()
    world.wait(HOUR - 10 * SECOND)
    before = everything(world)
    assert world.read(lambda tx: passwords.look_reset(tx, link)).email == ana.email
    assert everything(world) == before
    world.wait(11 * SECOND)
    assert refused(world, link) is Code.EXPIRED
    assert refused(world, hash_token("never was one")) is Code.EXPIRED
    assert stored(world, ana) == "unusable"


def test_three_mails_an_hour_and_the_newest_works(world: World) -> None:
    ana = world.person("Ana")
    for _ in range(5):
        ask(world, ana.email)
    sent = letters(world, "password_reset")
    assert len(sent) == 3
    assert refused(world, sent[0].hash()) is Code.EXPIRED
    finish(world, sent[-1].hash())
    world.wait(HOUR)
    ask(world, ana.email)
    assert len(letters(world, "password_reset")) == 4


def test_a_reset_ends_what_the_old_password_began(world: World) -> None:
    """F06: a pending change of the address dies; pending enrolments and other links too."""
    ana = world.person("Ana")
    thief = world.session(ana, Method.PASSWORD, Method.TICKET)
    world.write(lambda tx: enrolment.begin(tx, by=thief, name="Mine", replaces=None, workspace_id=None))
    evil = addresses.parse("evil@example.org")
    world.write(lambda tx: emails.request_change(tx, by=thief, address=evil))
    ask(world, ana.email)
    finish(world, letter(world, "password_reset").hash())
    assert not rows(world, "enrolments")
    link = letter(world, "email_confirm").hash()
    with pytest.raises(Refused) as refusal:
        world.write(lambda tx: emails.confirm(tx, by=VISITOR, token_hash=link))
    assert refusal.value.code is Code.EXPIRED


def change(world: World, by: By, password_hash: str = "new") -> By:
    """Change the password; the session under its new token."""
    changed = world.write(
        lambda tx: passwords.change(tx, by=by, password_hash=password_hash, session_token=new_token())
    )
    assert changed.known.session is not None
    return replace(by, token_hash=changed.token.hash)


def test_changing_it_ends_every_other_session_and_renews_this_one(world: World) -> None:
    ana = world.person("Ana")
    app, _ = world.bind_totp(ana)
    acme = world.workspace("acme", owner=ana)
    mine, other = world.signed_in(ana, app), world.signed_in(ana, app)
    renewed = change(world, mine)
    assert stored(world, ana) == "new"
    assert world.known(mine).session is None  # the old token is dead
    assert world.known(other).session is None
    assert isinstance(world.opens(renewed, acme), Allow)
    proofs = world.known(renewed).facts.proofs
    assert [each.method for each in proofs] == [Method.TOTP, Method.PASSWORD]
    assert letter(world, "password_changed").to == ana.email
    last = events(world)[-1]
    assert (last.event, last.detail) == (Event.PASSWORD_CHANGED, {"sessions_ended": 1})


def test_changing_it_ends_others_enrolments_and_keeps_one_s_own(world: World) -> None:
    ana = world.person("Ana")
    mine = world.session(ana, Method.PASSWORD, Method.TICKET)
    other = world.session(ana, Method.PASSWORD, Method.TICKET)
    for by in (mine, other):
        world.write(partial(enrolment.begin, by=by, name="", replaces=None, workspace_id=None))
    ask(world, ana.email)
    evil = addresses.parse("evil@example.org")
    world.write(lambda tx: emails.request_change(tx, by=other, address=evil))
    renewed = change(world, mine)
    assert world.read(lambda tx: enrolment.current(tx, by=renewed)) is not None
    assert len(rows(world, "enrolments")) == 1
    for kind, look in (("password_reset", passwords.look_reset), ("email_confirm", emails.look_confirm)):
        link = letter(world, kind).hash()
        with pytest.raises(Refused):
            world.read(partial(look, token_hash=link))


def test_changing_it_takes_fresh_proof_of_the_second_step(world: World) -> None:
    ana = world.person("Ana")
    app, _ = world.bind_totp(ana)
    world.workspace("acme", owner=ana)
    mine, half = world.signed_in(ana, app), world.session(ana)
    with pytest.raises(Refused) as refusal:
        change(world, half)
    assert refusal.value.code is Code.SECOND_FACTOR_REQUIRED
    world.wait(11 * MINUTE)
    with pytest.raises(Refused) as refusal:
        change(world, mine)
    assert refusal.value.code is Code.STEP_UP_REQUIRED
    assert stored(world, ana) == "unusable"


def test_of_two_sessions_that_change_it_at_once_one_is_left(world: World) -> None:
    ana = world.person("Ana")
    first, second = world.session(ana), world.session(ana)
    results = at_once(lambda: change(world, first, "first"), lambda: change(world, second, "second"))
    won = [each for each in results if isinstance(each, By)]
    assert len(won) == 1
    assert stored(world, ana) == ("first" if isinstance(results[0], By) else "second")
    assert world.known(won[0]).session is not None


def test_the_words_that_anybody_knows(world: World) -> None:
    ana = world.person("Anastasia")
    world.workspace("watchmakers", owner=ana)
    words = world.read(lambda tx: passwords.words_for(tx, ana.id))
    found = problem("watchmakersanastasia", words)
    assert found is not None
    assert found.kind is Kind.PERSONAL
    assert world.read(lambda tx: passwords.words_for(tx, 1)) == ()
