"""The mailed link that lets a browser try a password again."""

import pytest

from nightlatch.actions import sign_in
from nightlatch.actions.by import By
from nightlatch.addresses import parse
from nightlatch.refusals import Refused
from tests.support.letters import letter, letters
from tests.support.tables import rows
from tests.support.world import World


def test_asking_for_it_does_the_same_work_for_any_address(world: World) -> None:
    """F41: a row is written either way, so that the commit takes its time, and the limit is no other answer."""
    ana = world.person("Ana")
    visitor = By("visitor", None, "", "192.0.2.9", "test")
    for number, email in enumerate(["nobody@example.org", *[ana.email.upper()] * 4], 1):
        world.write(lambda tx, email=email: sign_in.ask_unblock(tx, by=visitor, address=parse(email)))  # type: ignore[misc]
        assert len(rows(world, "links")) == number
    assert [each.to for each in letters(world)] == [ana.email] * 3
    newest = letter(world, "sign_in_unblock").hash()
    assert world.read(lambda tx: sign_in.look_unblock(tx, token_hash=newest)) == ana.email
    [nobodys] = [each for each in rows(world, "links") if each.email_key == "nobody@example.org"]
    with pytest.raises(Refused):
        world.write(lambda tx: sign_in.unblock(tx, by=visitor, token_hash=nobodys.token_hash))
