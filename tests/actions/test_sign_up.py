"""Signing up where it is open: any address is answered alike, and only its own mailbox makes an account of it."""

from typing import Any

import pytest

from nightlatch.actions import enrolment, kinds, sign_up, workspaces
from nightlatch.actions.by import By
from nightlatch.actions.sign_up import SignedUp
from nightlatch.actions.tokens import Token, new_token
from nightlatch.addresses import parse
from nightlatch.decision import Allow
from nightlatch.facts import EVERYWHERE
from nightlatch.instants import DAY, HOUR, MINUTE
from nightlatch.refusals import Code, Refused
from nightlatch.store import accounts
from nightlatch.store.housekeeping import tidy
from nightlatch.vocabulary import Credential, Event
from tests.support.events import events
from tests.support.letters import letter, letters
from tests.support.races import at_once
from tests.support.tables import everything, rows
from tests.support.world import Person, World


def visitor(ip: str = "192.0.2.9") -> By:
    return By("visitor", None, "", ip, "test")


def ask(world: World, email: str, ip: str = "192.0.2.9") -> None:
    world.write(lambda tx: sign_up.request(tx, by=visitor(ip), address=parse(email)))


def finish(world: World, token_hash: bytes, token: Token | None = None, name: str = "Eve") -> SignedUp:
    given = token or new_token()
    return world.write(
        lambda tx: sign_up.finish(
            tx,
            by=visitor(),
            token_hash=token_hash,
            name=name,
            password_hash="hash",
            session_token=given,
            kind=Credential.COOKIE,
        )
    )


def refused(world: World, code: Code, work: Any) -> Refused:
    """It is refused, and nothing happened."""
    before = everything(world)
    with pytest.raises(Refused) as refusal:
        work()
    assert refusal.value.code is code
    assert everything(world) == before
    return refusal.value


def session_of(world: World, done: SignedUp, token: Token) -> By:
    return By("account", done.account_id, "Eve", "192.0.2.9", "test", done.token.hash, Credential.COOKIE)


def test_the_link_makes_an_account_of_its_address_and_signs_it_in(world: World) -> None:
    ask(world, "Eve@Example.com")
    mail = letter(world, "sign_up")
    assert (mail.to, mail.account_id) == (parse("Eve@Example.com").display, None)
    assert not rows(world, "accounts"), "asking makes nothing but a mail"
    assert world.read(lambda tx: sign_up.look(tx, mail.hash())).email == mail.to
    token = new_token()
    done = finish(world, mail.hash(), token, "  Eve   Adams ")
    row = world.read(lambda tx: accounts.by_email(tx, "eve@example.com"))
    assert row is not None
    assert (row.id, row.name, row.email, row.password_hash) == (done.account_id, "Eve Adams", mail.to, "hash")
    by = session_of(world, done, token)
    assert isinstance(world.decides(by, kinds.CREATE_WORKSPACE), Allow)
    assert [(each.event, each.detail.get("how")) for each in events(world)] == [
        (Event.SIGN_UP_REQUESTED, None),
        (Event.ACCOUNT_CREATED, "sign_up"),
    ]


def test_in_that_session_the_mailbox_counts_for_the_first_binding(world: World) -> None:
    """Law 14, as for an invitation that made the account: at once, or in the workspace that it then makes."""
    ask(world, "eve@example.com")
    token = new_token()
    by = session_of(world, finish(world, letter(world, "sign_up").hash(), token), token)
    assert isinstance(world.decides(by, kinds.ENROL), Allow)
    made = world.write(lambda tx: workspaces.create(tx, by=by, name="Acme", slug="acme", sign_up_open=True))
    pending = world.write(
        lambda tx: enrolment.begin(tx, by=by, name="", replaces=None, workspace_id=made.workspace_id)
    )
    bound = world.write(
        lambda tx: enrolment.confirm(
            tx, by=by, enrolment_id=pending.id, code=world.code(pending.seed), codes=[], token=new_token()
        )
    )
    assert isinstance(bound, enrolment.Confirmed)
    assert [each.reach for each in bound.known.facts.authenticators] == [EVERYWHERE]


def test_the_mailbox_counts_in_no_other_session_and_for_an_hour(world: World) -> None:
    ask(world, "eve@example.com")
    token = new_token()
    done = finish(world, letter(world, "sign_up").hash(), token)
    by = session_of(world, done, token)
    [row] = rows(world, "accounts")
    other = world.session(Person(row.id, row.email, row.name))
    assert not isinstance(world.decides(other, kinds.ENROL), Allow)
    world.wait(HOUR)
    assert not isinstance(world.decides(by, kinds.ENROL), Allow)


def test_a_known_address_gets_another_mail_and_the_same_work_is_done(world: World) -> None:
    """F41."""
    ana = world.person("Ana")
    ask(world, ana.email.upper())
    ask(world, "nobody@example.org")
    assert [(each.kind, each.to) for each in letters(world)] == [
        ("sign_up_known", ana.email),
        ("sign_up", "nobody@example.org"),
    ]
    assert [each.email for each in rows(world, "links") if each.email_key == ana.email] == [None]
    assert len(rows(world, "links")) == 2
    assert [each.event for each in events(world)] == [Event.SIGN_UP_REQUESTED] * 2
    assert "link" not in letter(world, "sign_up_known").values


def test_three_mails_a_day_to_one_address_known_or_not(world: World) -> None:
    ana = world.person("Ana")
    for email, kind in ((ana.email, "sign_up_known"), ("eve@example.com", "sign_up")):
        for _ in range(5):
            ask(world, email)
        assert len(letters(world, kind)) == 3
    assert len(rows(world, "links")) == 10, "the commit takes its time each time"
    newest = letter(world, "sign_up").hash()
    assert world.read(lambda tx: sign_up.look(tx, newest)).email == "eve@example.com"
    world.wait(DAY)
    ask(world, "eve@example.com")
    assert len(letters(world, "sign_up")) == 4


def test_a_newer_link_kills_the_older(world: World) -> None:
    ask(world, "eve@example.com")
    older = letter(world, "sign_up").hash()
    ask(world, "eve@example.com")
    refused(world, Code.EXPIRED, lambda: finish(world, older))
    finish(world, letter(world, "sign_up").hash())


def test_a_link_works_once_and_for_a_day(world: World) -> None:
    ask(world, "eve@example.com")
    link = letter(world, "sign_up").hash()
    refused(world, Code.INVALID, lambda: finish(world, link, name=" "))
    finish(world, link)
    refused(world, Code.ALREADY_USED, lambda: finish(world, link))
    ask(world, "max@example.com")
    late = letter(world, "sign_up", to="max@example.com").hash()
    world.wait(DAY)
    refused(world, Code.EXPIRED, lambda: finish(world, late))
    refused(world, Code.EXPIRED, lambda: finish(world, new_token().hash))


def test_an_address_that_has_an_account_by_then_is_refused(world: World) -> None:
    ask(world, "eve@example.com")
    link = letter(world, "sign_up").hash()
    world.write(
        lambda tx: accounts.create(tx, name="Eve", address=parse("eve@example.com"), password_hash=None)
    )
    refused(world, Code.CONFLICT, lambda: finish(world, link))


def test_one_link_makes_one_account_however_often_it_is_pressed(world: World) -> None:
    ask(world, "eve@example.com")
    link = letter(world, "sign_up").hash()

    def press() -> str:
        try:
            finish(world, link)
        except Refused as refusal:
            return refusal.code
        return "made"

    assert [each for each in at_once(*[press] * 8) if each == "made"] == ["made"]
    assert len(rows(world, "accounts")) == 1


def test_whoever_asks_for_many_from_one_network_waits(world: World) -> None:
    for number in range(20):
        ask(world, f"person{number}@example.com", f"192.0.2.{number}")
    waits = refused(world, Code.TOO_MANY_ATTEMPTS, lambda: ask(world, "one.more@example.com"))
    assert waits.retry_at is not None
    ana = world.person("Ana")
    refused(world, Code.TOO_MANY_ATTEMPTS, lambda: ask(world, ana.email))
    ask(world, "elsewhere@example.com", "198.51.100.7")
    world.wait(MINUTE)
    ask(world, "one.more@example.com")
    refused(world, Code.TOO_MANY_ATTEMPTS, lambda: ask(world, "another@example.com"))
    world.wait(DAY + MINUTE)
    world.write(tidy)
    assert not [each for each in rows(world, "guesses") if each.door == "sign_up"]
    for number in range(20):
        ask(world, f"later{number}@example.com")


def test_ten_workspaces_a_day(world: World) -> None:
    eve, ana = world.person("Eve"), world.person("Ana")
    by = world.session(eve)

    def make(number: int) -> None:
        world.write(
            lambda tx: workspaces.create(tx, by=by, name="Acme", slug=f"acme-{number}", sign_up_open=True)
        )

    for number in range(10):
        make(number)
    waits = refused(world, Code.TOO_MANY_ATTEMPTS, lambda: make(10))
    assert waits.retry_at is not None
    assert world.clock.now() < waits.retry_at <= world.clock.now() + DAY
    others = world.session(ana)
    world.write(lambda tx: workspaces.create(tx, by=others, name="Bolt", slug="bolt", sign_up_open=True))
    world.wait(DAY)
    by = world.session(eve)
    make(10)
