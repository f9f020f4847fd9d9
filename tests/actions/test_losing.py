"""Marking one's own authenticator as lost with any other second factor, and using it again."""

from dataclasses import replace

import pytest

from nightlatch.actions import authenticators as own
from nightlatch.actions import kinds, losing, second_step
from nightlatch.actions.by import By
from nightlatch.actions.proving import Wrong
from nightlatch.actions.tokens import new_token
from nightlatch.decision import Allow, Challenge, Deny
from nightlatch.facts import reach_of
from nightlatch.instants import HOUR, MINUTE
from nightlatch.refusals import Code, Refused
from nightlatch.store.facts import read_account_facts
from nightlatch.vocabulary import Event, Reason
from tests.support.events import events
from tests.support.letters import letters
from tests.support.lost import bind_codes, is_open, show_code, show_recovery_code
from tests.support.tables import everything
from tests.support.world import World


def lose(world: World, by: By, id: int) -> None:
    world.write(lambda tx: losing.mark_lost(tx, by=by, authenticator_id=id))


def test_with_a_recovery_code_the_phone_is_suspended_at_once(world: World) -> None:
    """Its earlier proofs die, whoever holds the phone and the password stands before a closed door, and it is told."""
    ana = world.person("Ana")
    acme = world.workspace("acme", owner=ana)
    app, seed = world.bind_totp(ana)
    _, codes = bind_codes(world, ana)
    finder = show_code(world, world.session(ana), seed)
    me = show_recovery_code(world, world.session(ana), codes[0].text)
    lose(world, me, app)
    assert not is_open(world, finder, acme)
    assert is_open(world, me, acme)
    world.wait(MINUTE)
    half = world.session(ana)
    with pytest.raises(Refused):
        show_code(world, half, seed)
    assert isinstance(world.opens(half, acme), Challenge)
    assert letters(world, "authenticator_lost")
    assert Event.AUTHENTICATOR_LOST in {each.event for each in events(world, subject=ana.id)}
    assert world.known(me).facts.authenticator(app) is not None, "removal is another thing"


def test_what_is_marked_is_not_proof_for_itself(world: World) -> None:
    """A thief with the phone alone cannot mark it, nor anything else be marked by what was shown long ago."""
    ana = world.person("Ana")
    world.workspace("acme", owner=ana)
    app, seed = world.bind_totp(ana)
    me = show_code(world, world.session(ana), seed)
    before = everything(world)
    with pytest.raises(Refused) as refused:
        lose(world, me, app)
    assert refused.value.code is Code.CONFLICT
    assert everything(world) == before
    _, codes = bind_codes(world, ana)
    with pytest.raises(Refused) as refused:
        lose(world, me, app)
    assert refused.value.code is Code.STEP_UP_REQUIRED
    assert isinstance(refused.value.decision, Challenge)
    assert refused.value.decision.reason is Reason.FRESHNESS
    me = show_recovery_code(world, me, codes[0].text)
    world.wait(31 * MINUTE)
    with pytest.raises(Refused) as refused:
        lose(world, me, app)
    assert refused.value.code is Code.STEP_UP_REQUIRED


def test_for_24_hours_the_limits_of_a_recovery_code_hold(world: World) -> None:
    ana, dana = world.person("Ana"), world.person("Dana")
    acme = world.workspace("acme", owner=ana, member=dana)
    lost, _ = world.bind_totp(ana)
    other, other_seed = world.bind_totp(ana)
    me = show_code(world, world.session(ana), other_seed)
    weighty = (kinds.CHANGE_POLICY.at(acme), kinds.CHANGE_EMAIL, kinds.CHANGE_ROLE.at(acme))
    assert all(isinstance(world.decides(me, each), Allow) for each in weighty)
    lose(world, me, lost)
    for each in weighty:
        decision = world.decides(me, each)
        assert isinstance(decision, Deny)
        assert decision.reason is Reason.RECOVERY_LIMIT
    world.wait(MINUTE)
    world.write(lambda tx: own.unbind(tx, by=me, authenticator_id=lost))
    assert isinstance(world.decides(me, weighty[0]), Deny), "also when what was lost is gone"
    world.wait(24 * HOUR)
    me = show_code(world, world.session(ana), other_seed)
    assert all(isinstance(world.decides(me, each), Allow) for each in weighty)
    assert other


def test_only_where_this_session_is_open(world: World) -> None:
    """Law 7: what counts in Acme alone marks it as lost in Acme alone; Beta's own proofs of it go on."""
    ana, dana = world.person("Ana"), world.person("Dana")
    acme = world.workspace("acme", owner=dana, member=ana)
    beta = world.workspace("beta", owner=dana, member=ana)
    app, seed = world.bind_totp(ana)
    acmes, acmes_seed = world.bind_totp(ana, reach_of(acme))
    third, _ = world.bind_totp(ana)
    old = show_code(world, world.session(ana), seed)
    me = show_code(world, world.session(ana), acmes_seed)
    lose(world, me, app)
    assert not is_open(world, old, acme)
    assert is_open(world, old, beta)
    world.wait(MINUTE)
    finder = show_code(world, world.session(ana), seed)
    assert is_open(world, finder, beta)
    assert not is_open(world, finder, acme), "a new code of it, taken for Beta, does not open Acme"
    facts = world.read(lambda tx: read_account_facts(tx, ana.id))
    limited = {each.id for each in facts.authenticators if each.limited_until}
    assert limited == {acmes}, "what also counts in Beta keeps its weight there"
    assert third
    world.write(lambda tx: losing.found(tx, by=me, authenticator_id=app))
    assert not is_open(world, old, acme), "what died stays dead"
    world.wait(MINUTE)
    assert is_open(world, show_code(world, world.session(ana), seed), acme)


def test_what_is_lost_everywhere_is_lost_in_what_is_joined_later(world: World) -> None:
    ana, dana = world.person("Ana"), world.person("Dana")
    world.workspace("acme", owner=dana, member=ana)
    app, seed = world.bind_totp(ana)
    _, codes = bind_codes(world, ana)
    finder = show_code(world, world.session(ana), seed)
    me = show_recovery_code(world, world.session(ana), codes[0].text)
    lose(world, me, app)
    beta = world.workspace("beta", owner=dana, member=ana)
    assert not is_open(world, finder, beta)
    assert is_open(world, me, beta)


def test_without_any_workspace(world: World) -> None:
    ana = world.person("Ana")
    app, seed = world.bind_totp(ana)
    _, codes = bind_codes(world, ana)
    finder = show_code(world, world.session(ana), seed)
    me = show_recovery_code(world, world.session(ana), codes[0].text)
    lose(world, me, app)
    assert isinstance(world.decides(finder, kinds.READ_ACCOUNT), Challenge)
    assert isinstance(world.decides(me, kinds.READ_ACCOUNT), Allow)


def test_nobody_marks_what_is_anothers_or_a_set_of_codes(world: World) -> None:
    ana, dana = world.person("Ana"), world.person("Dana")
    world.workspace("acme", owner=dana, member=ana)
    danas, _ = world.bind_totp(dana)
    _, seed = world.bind_totp(ana)
    set_id, _ = bind_codes(world, ana)
    me = show_code(world, world.session(ana), seed)
    for id in (danas, set_id, 4711):
        with pytest.raises(Refused) as refused:
            lose(world, me, id)
        assert refused.value.code is Code.NOT_FOUND
    half = world.session(ana)
    with pytest.raises(Refused) as refused:
        lose(world, half, danas)
    assert refused.value.code is Code.SECOND_FACTOR_REQUIRED


def test_used_again_takes_another_second_factor(world: World) -> None:
    ana = world.person("Ana")
    acme = world.workspace("acme", owner=ana)
    app, seed = world.bind_totp(ana)
    _, codes = bind_codes(world, ana)
    me = show_recovery_code(world, world.session(ana), codes[0].text)
    with pytest.raises(Refused) as refused:
        world.write(lambda tx: losing.found(tx, by=me, authenticator_id=app))
    assert refused.value.code is Code.CONFLICT
    lose(world, me, app)
    world.write(lambda tx: losing.found(tx, by=me, authenticator_id=app))
    world.wait(MINUTE)
    assert is_open(world, show_code(world, world.session(ana), seed), acme)


def test_unbinding_what_another_workspace_accepted_needs_that_workspace(world: World) -> None:
    """Law 7: else who is in Acme alone could take away what Beta relies on."""
    from nightlatch.store import authenticators

    ana, dana = world.person("Ana"), world.person("Dana")
    acme = world.workspace("acme", owner=dana, member=ana)
    beta = world.workspace("beta", owner=dana, member=ana)
    accepted, _ = world.bind_totp(ana, reach_of(acme))
    acmes, acmes_seed = world.bind_totp(ana, reach_of(acme))
    world.write(lambda tx: authenticators.mark(tx, accepted, beta, "accepted_at", tx.now))
    me = show_code(world, world.session(ana), acmes_seed)
    assert is_open(world, me, acme)
    assert not is_open(world, me, beta)
    assert isinstance(world.decides(me, replace(kinds.CHANGE_AUTHENTICATOR, reach=reach_of(acme))), Allow)
    with pytest.raises(Refused):
        world.write(lambda tx: own.unbind(tx, by=me, authenticator_id=accepted))
    assert acmes


def test_a_wrong_code_of_what_is_lost_is_charged(world: World) -> None:
    """Whoever guesses on has no more tries than before."""
    ana = world.person("Ana")
    world.workspace("acme", owner=ana)
    lost, lost_seed = world.bind_totp(ana)
    _, seed = world.bind_totp(ana)
    me = show_code(world, world.session(ana), seed)
    lose(world, me, lost)
    world.wait(MINUTE)
    half = world.session(ana)
    code = world.code(lost_seed)
    wrong = world.write(lambda tx: second_step.present_totp(tx, by=half, code=code, token=new_token()))
    assert isinstance(wrong, Wrong)
