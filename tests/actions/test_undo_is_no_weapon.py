"""The link that takes a change of e-mail back, in a thief's hands: the old mailbox alone opens and binds nothing.

What it can do is to end sessions and give the old address back. The way back is the sign-in as ever, with the second
step, and the change once more.
"""

import pytest

from nightlatch import addresses
from nightlatch.actions import emails, kinds, passwords, tickets
from nightlatch.actions.by import By
from nightlatch.decision import Allow, Challenge, Deny, Enrol
from nightlatch.refusals import Refused
from tests.support.letters import letter
from tests.support.lost import VISITOR, is_open, show_code
from tests.support.tables import rows
from tests.support.world import Person, World


def changed(world: World, me: By, email: str) -> None:
    """The address is changed, and the new mailbox confirms."""
    world.write(lambda tx: emails.request_change(tx, by=me, address=addresses.parse(email)))
    token_hash = letter(world, "email_confirm").hash()
    world.write(lambda tx: emails.confirm(tx, by=VISITOR, token_hash=token_hash))


@pytest.fixture
def ana(world: World) -> Person:
    return world.person("Ana")


def test_the_old_mailbox_alone_gets_nowhere_and_the_person_goes_on(world: World, ana: Person) -> None:
    acme = world.workspace("acme", owner=ana)
    world.require(acme)
    app, seed = world.bind_totp(ana)
    me = show_code(world, world.session(ana), seed)
    changed(world, me, "new@example.com")
    undo = letter(world, "email_changed").hash("undo_link")
    bound = [each.id for each in rows(world, "authenticators")]
    world.write(lambda tx: emails.undo(tx, by=VISITOR, token_hash=undo))
    assert world.known(me).session is None
    assert [each.id for each in rows(world, "authenticators")] == bound == [app]

    # The thief, who reads the old mailbox, chooses a new password by mail, and stands before the second step.
    address = addresses.parse(ana.email)
    world.write(lambda tx: passwords.request_reset(tx, by=VISITOR, address=address))
    reset = letter(world, "password_reset").hash()
    world.write(lambda tx: passwords.finish_reset(tx, by=VISITOR, token_hash=reset, password_hash="theirs"))
    thief = world.session(ana)
    assert isinstance(world.opens(thief, acme), Challenge)
    for action in (kinds.ENROL.at(acme), kinds.ASK_TICKET.at(acme), kinds.CHANGE_EMAIL):
        assert not isinstance(world.decides(thief, action), Allow | Enrol | Deny)
    with pytest.raises(Refused):
        world.write(lambda tx: tickets.send(tx, by=thief, workspace_id=acme))
    with pytest.raises(Refused):
        world.write(lambda tx: emails.undo(tx, by=VISITOR, token_hash=undo))

    # The person: a password by the mailbox that the account has now would do, too; the second step is theirs alone.
    world.wait(60_000_000)
    me = show_code(world, world.session(ana), seed)
    assert is_open(world, me, acme)
    changed(world, me, "newer@example.com")
    assert {each.email for each in rows(world, "accounts")} == {"newer@example.com"}
