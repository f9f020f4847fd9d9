"""Not me: a link in a mail suspends what the mail is about, and never binds, unbinds or opens anything.

A mailbox alone is no weapon: whoever reads it can suspend what a mail of the last 72 hours is about. Each way back is
tried here: another second factor, the reset by an admin, the operator.
"""

import pytest

from nightlatch.access import decide
from nightlatch.actions import contesting, enrolment, kinds, losing, resets, second_step, tickets, unlock
from nightlatch.actions.by import operator
from nightlatch.actions.enrolment import Confirmed, HashedCode
from nightlatch.actions.proving import Proved, Wrong
from nightlatch.actions.tokens import hash_token, new_token
from nightlatch.budget import Counter
from nightlatch.decision import Allow, Challenge, Deny, Enrol
from nightlatch.facts import reach_of
from nightlatch.instants import HOUR, MINUTE, SECOND
from nightlatch.refusals import Code, Refused
from nightlatch.store import authenticators, guesses
from nightlatch.store.engine import Transaction
from nightlatch.vocabulary import Event, Method, Reason
from tests.support.events import events
from tests.support.letters import letters
from tests.support.lost import (
    bind_codes,
    is_open,
    link_about,
    not_me,
    press_not_me,
    show_code,
    show_recovery_code,
)
from tests.support.mails import link_in
from tests.support.tables import everything, rows
from tests.support.world import World


def test_looking_changes_nothing_however_often(world: World) -> None:
    ana = world.person("Ana")
    world.workspace("acme", owner=ana)
    app, _ = world.bind_totp(ana)
    token = link_about(world, ana, app)
    before = everything(world)
    for _ in range(3):
        seen = world.read(lambda tx: contesting.look(tx, token))
        assert (seen.email, seen.name, seen.method) == (ana.email, "Phone", Method.TOTP)
    assert everything(world) == before


def test_it_suspends_everywhere_and_ends_its_sessions_and_no_others(world: World) -> None:
    ana, dana = world.person("Ana"), world.person("Dana")
    acme = world.workspace("acme", owner=dana, member=ana)
    beta = world.workspace("beta", owner=ana)
    mine, mine_seed = world.bind_totp(ana)
    thiefs, thiefs_seed = world.bind_totp(ana)
    me, thief, half = world.signed_in(ana, mine), world.signed_in(ana, thiefs), world.session(ana)
    press_not_me(world, link_about(world, ana, thiefs))
    assert world.known(thief).session is None
    assert all(is_open(world, me, each) for each in (acme, beta))
    bound = world.known(me).facts.authenticator(thiefs)
    assert bound is not None
    assert bound.suspended.everywhere
    assert bound.lost.everywhere
    assert not bound.void, "still relied on"
    wrong = world.write(
        lambda tx: second_step.present_totp(tx, by=half, code=world.code(thiefs_seed), token=new_token())
    )
    assert isinstance(wrong, Wrong)
    half = show_code(world, half, mine_seed)
    assert is_open(world, half, acme)
    bound = world.known(half).facts.authenticator(thiefs)
    assert bound is not None
    assert bound.lost.everywhere, "a right code of another does not lift it by itself"
    (told,) = [each for each in events(world, subject=ana.id) if each.event is Event.AUTHENTICATOR_CONTESTED]
    assert told.workspace_id is None
    assert told.detail["sessions_ended"] == 1
    assert letters(world, "contested")


def test_a_link_works_once_and_72_hours(world: World) -> None:
    ana = world.person("Ana")
    app, _ = world.bind_totp(ana)
    used, old = link_about(world, ana, app), link_about(world, ana, app)
    press_not_me(world, used)
    with pytest.raises(Refused) as refused:
        press_not_me(world, used)
    assert refused.value.code is Code.ALREADY_USED
    world.wait(72 * HOUR)
    with pytest.raises(Refused) as refused:
        press_not_me(world, old)
    assert refused.value.code is Code.EXPIRED
    with pytest.raises(Refused):
        press_not_me(world, hash_token("made up"))


def test_nothing_becomes_bindable_and_nothing_opens(world: World) -> None:
    """Suspended is still relied on: no ticket, no enrolment, no workspace, mandate or not."""
    ana, dana = world.person("Ana"), world.person("Dana")
    app, _ = world.bind_totp(ana)
    acme = world.workspace("acme", owner=dana, member=ana)
    beta = world.workspace("beta", owner=dana, member=ana)
    world.require(acme)
    press_not_me(world, link_about(world, ana, app))
    half = world.session(ana)
    for workspace_id in (acme, beta):
        decision = world.opens(half, workspace_id)
        assert isinstance(decision, Challenge)
        assert (decision.reason, decision.methods) == (Reason.SUSPENDED, ())
        for action in (kinds.ASK_TICKET, kinds.ENROL, kinds.REPLACE):
            assert not isinstance(world.decides(half, action.at(workspace_id)), Allow | Enrol)
    with pytest.raises(Refused):
        world.write(lambda tx: tickets.send(tx, by=half, workspace_id=acme))
    for act in (losing.mark_lost, losing.found):
        with pytest.raises(Refused):
            world.write(lambda tx, act=act: act(tx, by=half, authenticator_id=app))  # type: ignore[misc]
    assert [each.id for each in rows(world, "authenticators")] == [app]


def test_the_link_that_lifts_failures_never_lifts_it(world: World) -> None:
    ana = world.person("Ana")
    world.workspace("acme", owner=ana)
    app, seed = world.bind_totp(ana)
    half = world.session(ana)

    def spent(tx: Transaction) -> None:
        guesses.keep(tx, Method.TOTP, str(ana.id), Counter(99, tx.now - HOUR))

    world.write(spent)
    wrong = world.write(lambda tx: second_step.present_totp(tx, by=half, code="000000", token=new_token()))
    assert isinstance(wrong, Wrong)
    assert wrong.suspended
    lift = hash_token(link_in(world, "second_factor_suspended").removeprefix("/lift/"))
    press_not_me(world, link_about(world, ana, app))
    with pytest.raises(Refused):
        world.write(lambda tx: second_step.ask_lift(tx, by=half))
    result = world.write(
        lambda tx: second_step.lift(tx, by=half, token_hash=lift, code=world.code(seed), token=new_token())
    )
    assert isinstance(result, Wrong)
    bound = world.known(half).facts.authenticator(app)
    assert bound is not None
    assert bound.suspended.everywhere


def test_recovery_codes_made_with_what_was_bound_go_the_same_way(world: World) -> None:
    """A thief who bound an app has the codes that came with it: they would bring it back."""
    ana = world.person("Ana")
    acme = world.workspace("acme", owner=ana)
    by = world.session(ana)
    world.write(lambda tx: tickets.send(tx, by=by, workspace_id=None))
    token_hash = hash_token(link_in(world, "ticket").removeprefix("/tickets/"))
    world.write(lambda tx: tickets.redeem(tx, by=by, token_hash=token_hash, number=None))
    pending = world.write(lambda tx: enrolment.begin(tx, by=by, name="", replaces=None, workspace_id=None))
    code = world.code(pending.seed)
    confirmed = world.write(
        lambda tx: enrolment.confirm(
            tx,
            by=by,
            enrolment_id=pending.id,
            code=code,
            codes=[HashedCode("s" * 4, "hash")],
            token=new_token(),
        )
    )
    assert isinstance(confirmed, Confirmed)
    assert confirmed.codes_kept
    press_not_me(world, not_me(world, "authenticator_bound"))
    facts = world.known(world.session(ana)).facts
    assert len(facts.authenticators) == 2
    assert all(each.lost.everywhere for each in facts.authenticators)
    decision = world.opens(world.session(ana), acme)
    assert isinstance(decision, Challenge)
    assert decision.reason is Reason.SUSPENDED


@pytest.mark.parametrize("kind", ["recovery_code_used"])
def test_a_mail_about_recovery_codes_suspends_that_set(world: World, kind: str) -> None:
    ana = world.person("Ana")
    acme = world.workspace("acme", owner=ana)
    _, seed = world.bind_totp(ana)
    world.wait(SECOND)
    _, codes = bind_codes(world, ana)
    thief = show_recovery_code(world, world.session(ana), codes[0].text)
    press_not_me(world, not_me(world, kind))
    assert world.known(thief).session is None
    me = show_code(world, world.session(ana), seed)
    assert is_open(world, me, acme)
    half = world.session(ana)
    with pytest.raises(AssertionError):
        show_recovery_code(world, half, codes[1].text)


def test_way_back_by_another_second_factor(world: World) -> None:
    """In a session to which everything is open that relies on it; mailed; older links about it are dead then."""
    ana = world.person("Ana")
    acme = world.workspace("acme", owner=ana)
    app, seed = world.bind_totp(ana)
    world.wait(SECOND)
    _, codes = bind_codes(world, ana)
    again = link_about(world, ana, app)
    press_not_me(world, link_about(world, ana, app))
    me = show_recovery_code(world, world.session(ana), codes[0].text)
    world.write(lambda tx: losing.found(tx, by=me, authenticator_id=app))
    assert letters(world, "authenticator_found")
    assert is_open(world, show_code(world, world.session(ana), seed), acme)
    with pytest.raises(Refused):
        press_not_me(world, again)


def test_it_takes_every_workspace_that_relies_on_it(world: World) -> None:
    """Law 7: what counts in one workspace alone brings nothing back in another."""
    ana, dana = world.person("Ana"), world.person("Dana")
    acme = world.workspace("acme", owner=dana, member=ana)
    beta = world.workspace("beta", owner=dana, member=ana)
    app, _ = world.bind_totp(ana)
    _acmes, acmes_seed = world.bind_totp(ana, reach_of(acme))
    press_not_me(world, link_about(world, ana, app))
    me = show_code(world, world.session(ana), acmes_seed)
    assert is_open(world, me, acme)
    assert not is_open(world, me, beta)
    with pytest.raises(Refused):
        world.write(lambda tx: losing.found(tx, by=me, authenticator_id=app))
    bound = world.known(me).facts.authenticator(app)
    assert bound is not None
    assert bound.lost.everywhere


def test_way_back_by_the_reset_of_an_admin(world: World) -> None:
    ana, dana = world.person("Ana"), world.person("Dana")
    acme = world.workspace("acme", owner=dana, member=ana)
    danas, _ = world.bind_totp(dana)
    app, _ = world.bind_totp(ana)
    world.require(acme)
    press_not_me(world, link_about(world, ana, app))
    admin = world.signed_in(dana, danas)
    (teammate,) = [each.id for each in rows(world, "teammates") if each.account_id == ana.id]
    done = world.write(
        lambda tx: resets.disable_two_factor(
            tx, by=admin, workspace_id=acme, teammate_id=teammate, reason="Contested", recognised_by="phone"
        )
    )
    half = world.session(ana)
    assert isinstance(world.opens(half, acme), Enrol)
    token_hash = hash_token(link_in(world, "reset").removeprefix("/tickets/"))
    world.write(lambda tx: tickets.redeem(tx, by=half, token_hash=token_hash, number=done.number))
    assert isinstance(world.decides(half, kinds.ENROL.at(acme)), Allow)


def test_way_back_by_the_operator(world: World) -> None:
    """Only if said so: giving new tries must not bring back what was lost."""
    ana = world.person("Ana")
    acme = world.workspace("acme", owner=ana)
    app, seed = world.bind_totp(ana)
    press_not_me(world, link_about(world, ana, app))

    def unlocked(*, lost: bool) -> None:
        world.write(
            lambda tx: unlock.account_unlock(
                tx, by=operator("Otto"), account_id=ana.id, reason="Called us", lost=lost
            )
        )

    unlocked(lost=False)
    assert isinstance(world.opens(world.session(ana), acme), Challenge)
    bound = world.known(world.session(ana)).facts.authenticator(app)
    assert bound is not None
    assert bound.lost.everywhere
    unlocked(lost=True)
    assert is_open(world, show_code(world, world.session(ana), seed), acme)


def test_a_mailbox_thief_suspends_and_no_more(world: World) -> None:
    """Every link that a mailbox ever gets like this, pressed: all is still bound, and the way back is there."""
    ana, dana = world.person("Ana"), world.person("Dana")
    acme = world.workspace("acme", owner=dana, member=ana)
    world.require(acme)
    app, seed = world.bind_totp(ana)
    world.wait(SECOND)
    set_id, codes = bind_codes(world, ana)
    me = show_recovery_code(world, world.session(ana), codes[0].text)
    before = {each.id for each in rows(world, "authenticators")}
    press_not_me(world, not_me(world, "recovery_code_used"))
    assert {each.id for each in rows(world, "authenticators")} == before == {app, set_id}
    assert world.known(me).session is None
    assert not list(rows(world, "tickets"))
    assert is_open(world, show_code(world, world.session(ana), seed), acme), (
        "the app was not what it was about"
    )


def test_a_removal_that_was_not_me_ends_every_session(world: World) -> None:
    """What is gone cannot be suspended: whoever took it away must sign in again."""
    from nightlatch.actions import authenticators as own

    ana = world.person("Ana")
    world.workspace("acme", owner=ana)
    app, seed = world.bind_totp(ana)
    other, _ = world.bind_totp(ana)
    thief = show_code(world, world.session(ana), seed)
    world.write(lambda tx: own.unbind(tx, by=thief, authenticator_id=other))
    press_not_me(world, not_me(world, "authenticator_unbound"))
    assert world.known(thief).session is None
    assert [each.id for each in rows(world, "authenticators")] == [app]


def test_suspended_after_failures_is_no_weapon(world: World) -> None:
    """A password thief's hundred wrong codes: open sessions go on; mail, password and code bring the person back."""
    ana = world.person("Ana")
    acme = world.workspace("acme", owner=ana)
    app, seed = world.bind_totp(ana)
    me, thief = show_code(world, world.session(ana), seed), world.session(ana)
    world.write(lambda tx: guesses.keep(tx, Method.TOTP, str(ana.id), Counter(99, tx.now - HOUR)))
    world.write(lambda tx: second_step.present_totp(tx, by=thief, code="000000", token=new_token()))
    assert is_open(world, me, acme), "what was open goes on"
    for action in (kinds.ENROL, kinds.ASK_TICKET):
        assert not isinstance(decide(world.known(thief).facts, action.at(acme)), Allow | Enrol | Deny)
    world.wait(MINUTE)
    lift = hash_token(link_in(world, "second_factor_suspended").removeprefix("/lift/"))
    half = world.session(ana)
    result = world.write(
        lambda tx: second_step.lift(tx, by=half, token_hash=lift, code=world.code(seed), token=new_token())
    )
    assert isinstance(result, Proved)
    bound = result.known.facts.authenticator(app)
    assert bound is not None
    assert not bound.suspended


def test_the_marks_of_the_store(world: World) -> None:
    """The marks of the store: contested stays where failures are lifted, and goes where it is found."""
    ana = world.person("Ana")
    app, _ = world.bind_totp(ana)

    def body(tx: Transaction) -> None:
        authenticators.contest(tx, app)
        authenticators.lift(tx, app)

    world.write(body)
    (row,) = rows(world, "authenticators")
    assert row.contested_at is not None
    assert row.suspended_at is not None
    world.write(lambda tx: authenticators.find(tx, app))
    (row,) = rows(world, "authenticators")
    assert row.contested_at is None
    assert row.suspended_at is None
