"""The operator gives a person their tries back, past all owners, who are told."""

import pytest

from nightlatch.actions import second_step, unlock
from nightlatch.actions.by import By, operator
from nightlatch.actions.proving import Proved
from nightlatch.actions.tokens import new_token
from nightlatch.budget import FRESH, Counter
from nightlatch.decision import Challenge
from nightlatch.facts import EVERYWHERE
from nightlatch.refusals import Code, Refused
from nightlatch.store import authenticators, guesses
from nightlatch.store.engine import Transaction
from nightlatch.vocabulary import Event, Method, Reason
from tests.support.events import events
from tests.support.letters import letters
from tests.support.tables import everything, rows
from tests.support.world import Person, World


def account_unlock(world: World, person: Person, by: By | None = None, reason: str = "Called us") -> None:
    world.write(
        lambda tx: unlock.account_unlock(tx, by=by or operator("Otto"), account_id=person.id, reason=reason)
    )


def lock_out(world: World, person: Person, app: int) -> None:
    """A hundred wrong codes, and as many wrong passwords from everywhere."""

    def body(tx: Transaction) -> None:
        spent = Counter(100, tx.now)
        for method in (Method.TOTP, Method.RECOVERY_CODE):
            guesses.keep(tx, method, str(person.id), spent)
        guesses.keep(tx, "password", person.email, spent)
        guesses.keep(tx, "password_known", f"{person.email} ab", spent)
        guesses.keep(tx, "password_known", f"{person.email}x ab", spent)
        authenticators.suspend(tx, app, EVERYWHERE)

    world.write(body)


def test_it_lifts_the_suspension_and_clears_the_counters(world: World) -> None:
    ana = world.person("Ana")
    app, seed = world.bind_totp(ana)
    acme = world.workspace("acme", owner=ana)
    lock_out(world, ana, app)
    half = world.session(ana)
    decision = world.opens(half, acme)
    assert isinstance(decision, Challenge)
    assert decision.reason is Reason.SUSPENDED
    account_unlock(world, ana)
    left = {(each.door, each.subject) for each in rows(world, "guesses")}
    assert left == {("password_known", f"{ana.email}x ab")}  # somebody else's
    code = world.code(seed)
    proved = world.write(lambda tx: second_step.present_totp(tx, by=half, code=code, token=new_token()))
    assert isinstance(proved, Proved)


def test_it_opens_nothing_by_itself(world: World) -> None:
    ana = world.person("Ana")
    app, _ = world.bind_totp(ana)
    acme = world.workspace("acme", owner=ana)
    lock_out(world, ana, app)
    half = world.session(ana)
    account_unlock(world, ana)
    assert isinstance(world.opens(half, acme), Challenge)
    assert world.read(lambda tx: guesses.peek(tx, Method.TOTP, str(ana.id))) == FRESH


def test_the_owners_of_every_workspace_are_told(world: World) -> None:
    ana, dana, bea = map(world.person, ("Ana", "Dana", "Bea"))
    world.workspace("acme", owner=dana, member=ana)
    world.workspace("beta", owner=bea, member=ana)
    account_unlock(world, ana)
    assert {each.to for each in letters(world, "break_glass")} == {dana.email, bea.email}
    last = events(world)[-1]
    assert (last.event, last.actor, last.workspace_id) == (
        Event.ACCOUNT_UNLOCKED,
        ("operator", None, "Otto"),
        None,
    )
    assert last.detail == {"reason": "Called us"}


def test_only_the_operator_and_only_with_a_reason(world: World) -> None:
    ana, dana = world.person("Ana"), world.person("Dana")
    app, _ = world.bind_totp(dana)
    world.workspace("acme", owner=dana, member=ana)
    danas = world.signed_in(dana, app)
    before = everything(world)
    for by, reason, code in ((danas, "x", Code.NOT_FOUND), (operator("Otto"), " ", Code.INVALID)):
        with pytest.raises(Refused) as refusal:
            account_unlock(world, ana, by, reason)
        assert refusal.value.code is code
    with pytest.raises(Refused):
        account_unlock(world, Person(1, "nobody@example.org", "Nobody"))
    assert everything(world) == before
