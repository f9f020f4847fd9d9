"""Changing one's e-mail: the new mailbox confirms, the old one undoes."""

import pytest

from nightlatch import addresses
from nightlatch.actions import emails, kinds, mailing, passwords
from nightlatch.actions.by import By
from nightlatch.actions.tokens import hash_token, new_token
from nightlatch.decision import Allow, Challenge
from nightlatch.instants import DAY, HOUR, MINUTE, SECOND
from nightlatch.refusals import Code, Refused
from nightlatch.store import accounts
from nightlatch.store.engine import Transaction
from nightlatch.store.query import Row
from nightlatch.vocabulary import Event
from tests.support.events import events
from tests.support.letters import letter, letters
from tests.support.races import at_once
from tests.support.tables import everything, rows
from tests.support.world import Person, World

VISITOR = By("visitor", None, "", "198.51.100.7", "test")
NEW = addresses.parse("Ana.New@example.org")


def ask(world: World, by: By, address: addresses.Address = NEW) -> emails.EmailChange:
    return world.write(lambda tx: emails.request_change(tx, by=by, address=address))


def confirm(world: World, token_hash: bytes) -> None:
    world.write(lambda tx: emails.confirm(tx, by=VISITOR, token_hash=token_hash))


def undo(world: World, token_hash: bytes) -> str:
    return world.write(lambda tx: emails.undo(tx, by=VISITOR, token_hash=token_hash))


def change(world: World, person: Person, address: addresses.Address) -> bytes:
    """A whole change; the hash of the undo link in the mailbox that was replaced last."""
    old = account(world, person).email
    ask(world, world.session(person), address)
    confirm(world, letter(world, "email_confirm", to=address.display).hash())
    return letter(world, "email_changed", to=old).hash("undo_link")


def account(world: World, person: Person) -> Row:
    row = world.read(lambda tx: accounts.by_id(tx, person.id))
    assert row is not None
    return row


def settled(world: World, person: Person) -> str:
    def body(tx: Transaction) -> str:
        row = accounts.by_id(tx, person.id)
        assert row is not None
        return mailing.settled_address(tx, row)

    return world.read(body)


def refused(world: World, code: Code, token_hash: bytes) -> None:
    with pytest.raises(Refused) as refusal:
        confirm(world, token_hash)
    assert refusal.value.code is code
    assert refusal.value.way_out is not None


def test_the_new_mailbox_confirms_and_the_old_one_is_told(world: World) -> None:
    ana = world.person("Ana")
    waiting = ask(world, world.session(ana))
    link, notice = letter(world, "email_confirm"), letter(world, "email_changing")
    assert (link.to, notice.to) == (NEW.display, ana.email)
    assert "link" not in notice.values
    assert waiting.email == NEW.display
    assert account(world, ana).email == ana.email
    confirm(world, link.hash())
    assert account(world, ana).email == NEW.display
    assert world.read(lambda tx: accounts.by_email(tx, addresses.parse(ana.email).key)) is None
    by_new = world.read(lambda tx: accounts.by_email(tx, NEW.key))
    assert by_new is not None
    assert by_new.id == ana.id
    assert letter(world, "email_changed").to == ana.email
    names = [each.event for each in events(world, subject=ana.id)]
    assert names == [Event.EMAIL_CHANGE_REQUESTED, Event.EMAIL_CHANGED]


def test_the_teammates_table_shows_the_new_address(world: World) -> None:
    ana = world.person("Ana")
    world.workspace("acme", member=ana)
    change(world, ana, NEW)
    assert [each.email for each in rows(world, "standing")] == [NEW.display]


def test_nobody_learns_whether_an_address_has_an_account(world: World) -> None:
    ana, ben = world.person("Ana"), world.person("Ben")
    anas = world.session(ana)
    taken, free = ask(world, anas, addresses.parse(ben.email)), ask(world, anas, NEW)
    assert taken.expires_at - taken.requested_at == free.expires_at - free.requested_at
    assert not letters(world, to=ben.email)
    assert [each.to for each in letters(world, "email_changing")] == [ana.email, ana.email]
    limit = [ask_code(world, anas, addresses.parse(ben.email)) for _ in range(4)]
    assert limit == [None, None, None, Code.TOO_MANY_ATTEMPTS]


def ask_code(world: World, by: By, address: addresses.Address) -> Code | None:
    try:
        ask(world, by, address)
    except Refused as refusal:
        return refusal.code
    return None


def test_one_s_own_address_is_no_change(world: World) -> None:
    ana = world.person("Ana")
    with pytest.raises(Refused) as refusal:
        ask(world, world.session(ana), addresses.parse(ana.email.upper()))
    assert refusal.value.code is Code.INVALID


def test_a_newer_change_kills_the_older_link(world: World) -> None:
    ana = world.person("Ana")
    anas = world.session(ana)
    ask(world, anas)
    first = letter(world, "email_confirm").hash()
    ask(world, anas, addresses.parse("other@example.org"))
    refused(world, Code.EXPIRED, first)
    confirm(world, letter(world, "email_confirm", to="other@example.org").hash())
    assert account(world, ana).email == "other@example.org"


def test_a_cancelled_change_is_dead(world: World) -> None:
    ana = world.person("Ana")
    anas = world.session(ana)
    ask(world, anas)
    assert world.read(lambda tx: emails.pending(tx, by=anas)) is not None
    world.write(lambda tx: emails.cancel(tx, by=anas))
    assert world.read(lambda tx: emails.pending(tx, by=anas)) is None
    refused(world, Code.EXPIRED, letter(world, "email_confirm").hash())
    assert [each.event for each in events(world)][-1] == Event.EMAIL_CHANGE_CANCELLED


def test_it_takes_fresh_proof(world: World) -> None:
    ana = world.person("Ana")
    app, _ = world.bind_totp(ana)
    acme = world.workspace("acme", owner=ana)
    anas = world.signed_in(ana, app)
    world.wait(11 * MINUTE)
    assert isinstance(world.opens(anas, acme), Allow)
    with pytest.raises(Refused) as refusal:
        ask(world, anas)
    assert refusal.value.code is Code.STEP_UP_REQUIRED
    assert not letters(world)


def test_opening_a_link_changes_nothing(world: World) -> None:
    ana = world.person("Ana")
    ask(world, world.session(ana))
    confirm_hash = letter(world, "email_confirm").hash()
    before = everything(world)
    shown = world.read(lambda tx: emails.look_confirm(tx, confirm_hash))
    assert everything(world) == before
    assert shown.new_email == NEW.display
    assert ana.email not in repr(shown)  # its reader may be a stranger
    confirm(world, confirm_hash)
    undo_hash = letter(world, "email_changed").hash("undo_link")
    before = everything(world)
    assert world.read(lambda tx: emails.look_undo(tx, undo_hash)).old_email == ana.email
    assert everything(world) == before


def test_a_confirm_link_works_once_and_for_a_day(world: World) -> None:
    ana = world.person("Ana")
    ask(world, world.session(ana))
    first = letter(world, "email_confirm").hash()
    confirm(world, first)
    refused(world, Code.ALREADY_USED, first)
    ask(world, world.session(ana), addresses.parse("late@example.org"))
    world.wait(DAY)
    refused(world, Code.EXPIRED, letter(world, "email_confirm").hash())
    refused(world, Code.EXPIRED, hash_token("never was one"))
    assert account(world, ana).email == NEW.display


def test_a_link_of_another_kind_is_no_link(world: World) -> None:
    ana = world.person("Ana")
    world.write(lambda tx: passwords.request_reset(tx, by=VISITOR, address=addresses.parse(ana.email)))
    refused(world, Code.EXPIRED, letter(world, "password_reset").hash())


def test_of_many_confirmations_one_succeeds(world: World) -> None:
    ana = world.person("Ana")
    ask(world, world.session(ana))
    link = letter(world, "email_confirm").hash()
    results = at_once(*[lambda: confirm(world, link)] * 8)
    assert results.count(None) == 1
    assert {each.code for each in results if isinstance(each, Refused)} == {Code.ALREADY_USED}
    assert len(letters(world, "email_changed")) == 1


def test_an_address_that_was_taken_meanwhile_is_refused(world: World) -> None:
    ana = world.person("Ana")
    ask(world, world.session(ana))
    world.write(lambda tx: accounts.create(tx, name="Ada", address=NEW, password_hash=None))
    link = letter(world, "email_confirm").hash()
    before = everything(world)
    refused(world, Code.CONFLICT, link)
    assert everything(world) == before
    assert account(world, ana).email == ana.email


def test_two_people_who_confirm_one_address_at_once(world: World) -> None:
    ana, ben = world.person("Ana"), world.person("Ben")
    for person in (ana, ben):
        ask(world, world.session(person))
    first, second = (each.hash() for each in letters(world, "email_confirm"))
    results = at_once(lambda: confirm(world, first), lambda: confirm(world, second))
    assert results.count(None) == 1
    assert [each.code for each in results if isinstance(each, Refused)] == [Code.CONFLICT]


def test_reset_links_in_the_old_mailbox_die_with_it(world: World) -> None:
    """F06."""
    ana = world.person("Ana")
    world.write(lambda tx: passwords.request_reset(tx, by=VISITOR, address=addresses.parse(ana.email)))
    change(world, ana, NEW)
    link = letter(world, "password_reset").hash()
    with pytest.raises(Refused) as refusal:
        world.read(lambda tx: passwords.look_reset(tx, link))
    assert refusal.value.code is Code.EXPIRED
    change(world, ana, addresses.parse(ana.email))
    with pytest.raises(Refused):  # not even when the address is the account's again
        world.read(lambda tx: passwords.look_reset(tx, link))


def test_the_old_mailbox_takes_the_change_back(world: World) -> None:
    ana = world.person("Ana")
    app, _ = world.bind_totp(ana)
    thief = world.signed_in(ana, app)
    ask(world, thief)
    confirm(world, letter(world, "email_confirm").hash())
    world.wait(6 * DAY)
    world.write(lambda tx: passwords.request_reset(tx, by=VISITOR, address=NEW))
    other = world.session(ana)
    assert undo(world, letter(world, "email_changed").hash("undo_link")) == ana.email
    assert account(world, ana).email == ana.email
    assert world.read(lambda tx: accounts.by_email(tx, NEW.key)) is None
    assert world.known(other).session is None
    assert {each.to for each in letters(world, "email_undone")} == {ana.email, NEW.display}
    assert world.known(world.session(ana)).facts.authenticators  # a mailbox alone unbinds nothing
    reset_link = letter(world, "password_reset").hash()
    with pytest.raises(Refused):
        world.read(lambda tx: passwords.look_reset(tx, reset_link))
    assert [each.event for each in events(world)][-1] == Event.EMAIL_CHANGE_UNDONE


def test_undoing_ends_what_is_under_way(world: World) -> None:
    ana = world.person("Ana")
    link = change(world, ana, NEW)
    ask(world, world.session(ana), addresses.parse("third@example.org"))
    undo(world, link)
    refused(world, Code.EXPIRED, letter(world, "email_confirm", to="third@example.org").hash())
    assert account(world, ana).email == ana.email


def test_an_undo_link_works_once_and_for_seven_days(world: World) -> None:
    ana, ben = world.person("Ana"), world.person("Ben")
    anas = change(world, ana, NEW)
    results = at_once(*[lambda: undo(world, anas)] * 6)
    assert results.count(ana.email) == 1
    assert {each.code for each in results if isinstance(each, Refused)} == {Code.ALREADY_USED}
    bens = change(world, ben, addresses.parse("ben.new@example.org"))
    world.wait(7 * DAY - 10 * SECOND)
    world.read(lambda tx: emails.look_undo(tx, bens))
    world.wait(11 * SECOND)
    with pytest.raises(Refused) as refusal:
        undo(world, bens)
    assert refusal.value.code is Code.EXPIRED


def test_the_first_mailbox_outlasts_a_second_change(world: World) -> None:
    """A thief who changes the address twice does not shake off the first one, which is told each time."""
    ana = world.person("Ana")
    change(world, ana, NEW)
    world.wait(DAY)
    second = change(world, ana, addresses.parse("third@example.org"))
    told = letters(world, "email_changed", to=ana.email)
    assert [each.values["new"] for each in told] == [NEW.display, "third@example.org"]
    assert told[0].values["expires"] == told[1].values["expires"]
    assert undo(world, told[1].hash("undo_link")) == ana.email
    for dead in (second, told[0].hash("undo_link")):
        with pytest.raises(Refused):
            undo(world, dead)
    assert account(world, ana).email == ana.email


def test_a_second_change_gives_the_first_mailbox_no_more_time(world: World) -> None:
    ana = world.person("Ana")
    change(world, ana, NEW)
    world.wait(6 * DAY)
    change(world, ana, addresses.parse("third@example.org"))
    again = letters(world, "email_changed", to=ana.email)[1].hash("undo_link")
    world.wait(DAY + HOUR)
    with pytest.raises(Refused) as refusal:
        undo(world, again)
    assert refusal.value.code is Code.EXPIRED
    second = letter(world, "email_changed", to=NEW.display).hash("undo_link")
    assert undo(world, second) == NEW.display


def test_undoing_only_the_later_change_leaves_the_earlier(world: World) -> None:
    ana = world.person("Ana")
    first = change(world, ana, NEW)
    second = change(world, ana, addresses.parse("third@example.org"))
    assert undo(world, second) == NEW.display
    assert settled(world, ana) == ana.email
    assert undo(world, first) == ana.email
    assert settled(world, ana) == ana.email


def test_an_address_that_is_somebody_s_now_is_not_given_back(world: World) -> None:
    ana = world.person("Ana")
    link = change(world, ana, NEW)
    address = addresses.parse(ana.email)
    world.write(lambda tx: accounts.create(tx, name="Ada", address=address, password_hash=None))
    with pytest.raises(Refused) as refusal:
        undo(world, link)
    assert refusal.value.code is Code.CONFLICT
    assert account(world, ana).email == NEW.display


def test_tickets_go_to_the_settled_address(world: World) -> None:
    """Law 14: as it was before any change of the last 7 days; an undone change no longer counts."""
    ana = world.person("Ana")
    link = change(world, ana, NEW)
    assert settled(world, ana) == ana.email
    world.wait(6 * DAY)
    assert settled(world, ana) == ana.email
    undo(world, link)
    assert settled(world, ana) == ana.email
    change(world, ana, addresses.parse("third@example.org"))
    world.wait(7 * DAY + HOUR)
    assert settled(world, ana) == "third@example.org"


def test_a_session_that_must_do_more_changes_no_address(world: World) -> None:
    ana = world.person("Ana")
    world.bind_totp(ana)
    world.workspace("acme", owner=ana)
    half = world.session(ana)
    assert isinstance(world.decides(half, kinds.CHANGE_EMAIL), Challenge)
    with pytest.raises(Refused) as refusal:
        ask(world, half)
    assert refusal.value.code is Code.SECOND_FACTOR_REQUIRED


def test_nobody_without_a_session_asks_for_a_change(world: World) -> None:
    stranger = By("account", None, "", token_hash=new_token().hash)
    with pytest.raises(Refused) as refusal:
        ask(world, stranger)
    assert refusal.value.code is Code.SIGN_IN_REQUIRED
