"""Further addresses for notices: confirmed first, told of everything, and never a way in. On both databases."""

import pytest

from nightlatch.actions import (
    emails,
    notify_addresses,
    passwords,
    second_step,
    sign_in,
    tickets,
)
from nightlatch.actions.by import SYSTEM, By, operator
from nightlatch.actions.mailing import every_address, mail_account, settled_address
from nightlatch.addresses import parse
from nightlatch.instants import HOUR
from nightlatch.mail.messages import is_link, needs_link
from nightlatch.mail.messages.sorts import MAILS, Sort
from nightlatch.refusals import Code, Refused
from nightlatch.store import accounts
from nightlatch.vocabulary import Event, Method
from tests.support.events import events
from tests.support.letters import letter, letters
from tests.support.world import Person, World

ELSEWHERE = parse("safe@elsewhere.example")
STRANGER = By("visitor", None, "")


@pytest.fixture
def ana(world: World) -> Person:
    return world.person("Ana")


def session(world: World, person: Person) -> By:
    return world.session(person)


def add(world: World, by: By, email: str = ELSEWHERE.display) -> None:
    address = parse(email)
    world.write(lambda tx: notify_addresses.add(tx, by=by, address=address))


def confirm(world: World, email: str = ELSEWHERE.display) -> None:
    hash = letter(world, "notify_confirm", to=email).hash()
    world.write(lambda tx: notify_addresses.confirm(tx, by=STRANGER, token_hash=hash))


def told(world: World, kind: str) -> list[str]:
    return sorted(each.to for each in letters(world, kind))


def test_nothing_goes_there_before_its_mailbox_confirms(world: World, ana: Person) -> None:
    by = session(world, ana)
    add(world, by)
    assert told(world, "notify_added") == [ana.email]
    account = world.read(lambda tx: accounts.by_id(tx, ana.id))
    world.write(lambda tx: mail_account(tx, "password_changed", account, by=SYSTEM))
    assert told(world, "password_changed") == [ana.email]
    for _ in range(3):  # looking changes nothing
        hash = letter(world, "notify_confirm").hash()
        found = world.read(lambda tx, hash=hash: notify_addresses.look_confirm(tx, hash))  # type: ignore[misc]
        assert found.email == ELSEWHERE.display
        assert ana.email not in found.account_email
    confirm(world)
    world.write(lambda tx: mail_account(tx, "password_changed", account, by=SYSTEM))
    assert told(world, "password_changed") == sorted([ana.email, ana.email, ELSEWHERE.display])
    assert letter(world, "password_changed", to=ELSEWHERE.display).values["copy_of"] == ana.email
    with pytest.raises(Refused):
        confirm(world)


def test_adding_and_removing_ask_for_fresh_proof(world: World, ana: Person) -> None:
    by = session(world, ana)
    world.wait(HOUR)
    for act in (
        lambda tx: notify_addresses.add(tx, by=by, address=ELSEWHERE),
        lambda tx: notify_addresses.set_all(tx, by=by, wanted=[ELSEWHERE]),
    ):
        with pytest.raises(Refused) as refused:
            world.write(act)
        assert refused.value.code is Code.STEP_UP_REQUIRED
    assert world.read(lambda tx: notify_addresses.own(tx, by=by)) == []


def test_at_most_two_and_never_ones_own(world: World, ana: Person) -> None:
    by = session(world, ana)
    add(world, by, "one@elsewhere.example")
    add(world, by, "two@elsewhere.example")
    for email in ("three@elsewhere.example", "TWO@elsewhere.example", ana.email.upper()):
        with pytest.raises(Refused) as refused:
            add(world, by, email)
        assert refused.value.code is Code.INVALID
    with pytest.raises(Refused):
        world.write(
            lambda tx: notify_addresses.set_all(
                tx, by=by, wanted=[parse(f"{n}@elsewhere.example") for n in "abc"]
            )
        )
    assert len(world.read(lambda tx: notify_addresses.own(tx, by=by))) == 2


def test_removal_is_told_to_everybody_the_removed_one_included(world: World, ana: Person) -> None:
    by = session(world, ana)
    add(world, by)
    confirm(world)
    world.write(lambda tx: notify_addresses.set_all(tx, by=by, wanted=[]))
    assert told(world, "notify_removed") == sorted([ana.email, ELSEWHERE.display])
    account = world.read(lambda tx: accounts.by_id(tx, ana.id))
    world.write(lambda tx: mail_account(tx, "password_changed", account, by=SYSTEM))
    assert told(world, "password_changed") == [ana.email]
    names = [each.event for each in events(world) if each.event.startswith("notify_address")]
    assert sorted(names) == sorted(
        [Event.NOTIFY_ADDRESS_ADDED, Event.NOTIFY_ADDRESS_CONFIRMED, Event.NOTIFY_ADDRESS_REMOVED]
    )


def test_one_that_never_confirmed_is_told_nothing_when_it_goes(world: World, ana: Person) -> None:
    by = session(world, ana)
    add(world, by)
    world.write(lambda tx: notify_addresses.set_all(tx, by=by, wanted=[]))
    assert told(world, "notify_removed") == [ana.email]
    with pytest.raises(Refused):
        confirm(world)


def test_a_new_password_ends_what_waits_for_confirmation(world: World, ana: Person) -> None:
    add(world, session(world, ana))
    hash = letter(world, "notify_confirm").hash()
    world.write(lambda tx: passwords.request_reset(tx, by=STRANGER, address=parse(ana.email)))
    reset = letter(world, "password_reset").hash()
    world.write(lambda tx: passwords.finish_reset(tx, by=STRANGER, token_hash=reset, password_hash="another"))
    with pytest.raises(Refused) as refused:
        world.write(lambda tx: notify_addresses.confirm(tx, by=STRANGER, token_hash=hash))
    assert refused.value.code is Code.EXPIRED


def test_confirm_mails_are_limited_by_account_and_by_address(world: World, ana: Person) -> None:
    by = session(world, ana)
    for _ in range(notify_addresses.ASKED_A_DAY):
        add(world, by)
        id = world.read(lambda tx: notify_addresses.own(tx, by=by))[0].id
        world.write(lambda tx, id=id: notify_addresses.remove(tx, by=by, id=id))  # type: ignore[misc]
    assert len(letters(world, "notify_confirm")) == notify_addresses.CONFIRM_MAILS_A_DAY
    with pytest.raises(Refused) as refused:
        add(world, by)
    assert refused.value.code is Code.TOO_MANY_ATTEMPTS


# --- never a way in ---


def test_no_ticket_reset_or_undo_link_ever_goes_there(world: World, ana: Person) -> None:
    """Everything that mails a link, done to one person with a further address: what goes there opens nothing."""
    dana = world.person("Dana")
    acme = world.workspace("acme", owner=dana, member=ana)
    app, _ = world.bind_totp(dana)
    by = session(world, ana)
    add(world, by)
    confirm(world)
    world.require(acme)
    world.write(lambda tx: passwords.request_reset(tx, by=STRANGER, address=parse(ana.email)))
    world.write(lambda tx: sign_in.ask_unblock(tx, by=STRANGER, address=parse(ana.email)))
    world.write(lambda tx: passwords.request_reset(tx, by=STRANGER, address=ELSEWHERE))
    world.write(lambda tx: sign_in.ask_unblock(tx, by=STRANGER, address=ELSEWHERE))
    world.write(lambda tx: tickets.send(tx, by=by, workspace_id=acme))
    world.unrequire(acme)
    world.write(lambda tx: emails.request_change(tx, by=by, address=parse("ana.new@example.org")))
    change = letter(world, "email_confirm").hash()
    world.write(lambda tx: emails.confirm(tx, by=STRANGER, token_hash=change))
    bound, _ = world.bind_totp(ana)
    account = world.read(lambda tx: accounts.by_id(tx, ana.id))
    known = world.known(world.session(ana))
    world.write(lambda tx: second_step._suspend(tx, operator("x"), known, Method.TOTP))
    admin = world.signed_in(dana, app)
    del admin, bound
    assert world.read(lambda tx: every_address(tx, account)) == ["ana.new@example.org", ana.email]
    assert world.read(lambda tx: settled_address(tx, account)) == ana.email
    there = letters(world, to=ELSEWHERE.display)
    kinds = {each.kind for each in there}
    assert {"email_changing", "email_changed", "second_factor_suspended"} <= kinds
    assert kinds <= {kind for kind, sort in MAILS.items() if sort is Sort.SECURITY} | {"notify_confirm"}
    for each in there:
        if each.kind != "notify_confirm":
            assert not [name for name in each.values if is_link(name)], each.kind
            assert each.values["copy_of"]
    for kind in ("ticket", "password_reset", "sign_in_unblock", "email_confirm"):
        assert ELSEWHERE.display not in told(world, kind)


def test_it_signs_nobody_in(world: World, ana: Person) -> None:
    add(world, session(world, ana))
    confirm(world)
    candidate = world.read(lambda tx: sign_in.look(tx, by=STRANGER, address=ELSEWHERE))
    assert candidate.account_id is None


def test_second_factor_suspended_tells_every_address(world: World, ana: Person) -> None:
    by = session(world, ana)
    add(world, by)
    confirm(world)
    world.bind_totp(ana)
    known = world.known(world.session(ana))
    world.write(lambda tx: second_step._suspend(tx, operator("x"), known, Method.TOTP))
    mails = {each.to: each for each in letters(world, "second_factor_suspended")}
    assert mails.keys() == {ana.email, ELSEWHERE.display}
    assert mails[ana.email].values["lift_link"].startswith("/lift/")
    assert "lift_link" not in mails[ELSEWHERE.display].values


@pytest.mark.parametrize("kind", sorted(kind for kind, sort in MAILS.items() if sort is Sort.SECURITY))
def test_a_security_notice_can_be_copied_without_its_link(kind: str) -> None:
    """Those that cannot go to one address alone, or to whoever manages a workspace."""
    alone = {
        "reset",
        "exception_given",
        "exception_over",
        "service_account_suspended",
        "help_requested",
        "help_contested",
        "reset_waiting_owner",
        "reset_done",
        "connection_changed",
        "domain_missing",
        "sso_bypassed",
    }
    assert needs_link(kind) == (kind in alone)
