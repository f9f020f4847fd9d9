"""Passkeys that are lost, contested, removed, reset or required; and suspended apps beside them."""

from dataclasses import replace

import pytest

from nightlatch.actions import (
    authenticators,
    contesting,
    losing,
)
from nightlatch.actions.not_me import not_me_link
from nightlatch.actions.passkey_asking import Purpose
from nightlatch.actions.proving import Proved, Wrong
from nightlatch.actions.tokens import hash_token
from nightlatch.refusals import Code, Refused
from nightlatch.store import authenticators as stored
from nightlatch.vocabulary import Method
from tests.support.events import details
from tests.support.lost import hundredth_wrong_code
from tests.support.passkey_acts import (
    VISITOR,
    ask,
    ask_sign_in,
    bound,
    enrolled,
    show,
    sign_in,
)
from tests.support.tables import rows
from tests.support.world import World, carried_on


def test_lost_contested_and_removed_ones_open_nothing(world: World):
    ana = world.person("Ana")
    world.workspace("acme", owner=ana)
    app, _ = world.bind_totp(ana)
    soft, by = bound(world, ana, world.signed_in(ana, app))
    key = next(row.id for row in rows(world, "authenticators") if row.method == "passkey")
    by = world.signed_in(ana, app)
    world.write(lambda tx: losing.mark_lost(tx, by=by, authenticator_id=key))
    assert sign_in(world, soft) == Wrong()
    assert details(world, "sign_in.failed")[-1]["check"] == "not_usable"
    with pytest.raises(Refused):
        ask(world, world.session(ana))
    assert len(ask_sign_in(world, ana.email).options["allowCredentials"]) in (1, 2)
    world.write(lambda tx: losing.found(tx, by=by, authenticator_id=key))
    assert isinstance(sign_in(world, soft), Proved)
    by = world.signed_in(ana, app)
    # what is as strong as the strongest is asked for: the passkey itself
    fresh = show(world, by, soft, purpose=Purpose.STEP_UP)
    assert isinstance(fresh, Proved)
    by = carried_on(by, fresh.token)
    world.write(lambda tx: authenticators.unbind(tx, by=by, authenticator_id=key))
    assert rows(world, "passkeys") == []
    assert sign_in(world, soft) == Wrong()


def test_the_last_one_where_it_is_required_stays(world: World):
    ana, ben = world.person("Ana"), world.person("Ben")
    acme = world.workspace("acme", owner=ben, member=ana)
    world.require(acme)
    _soft, by = bound(world, ana, world.session(ana, Method.PASSWORD, Method.INVITATION))
    (key,) = [row.id for row in rows(world, "authenticators") if row.method == "passkey"]
    with pytest.raises(Refused) as refused:
        world.write(lambda tx: authenticators.unbind(tx, by=by, authenticator_id=key))
    assert refused.value.code is Code.MANDATED


def test_a_right_passkey_lifts_a_suspended_app(world: World):
    ana = world.person("Ana")
    world.workspace("acme", owner=ana)
    app, _ = world.bind_totp(ana)
    soft, _ = bound(world, ana, world.signed_in(ana, app))
    hundredth_wrong_code(world, ana, world.session(ana))
    assert isinstance(sign_in(world, soft), Proved)
    assert [row.suspended_at for row in rows(world, "authenticators") if row.method == "totp"] == [None]


def test_a_passkey_may_be_the_first_factor_of_a_suspension(world: World):
    """Wrong codes in a session that began with a passkey suspend the app where that passkey reaches: everywhere."""
    ana = world.person("Ana")
    world.workspace("acme", owner=ana)
    app, _ = world.bind_totp(ana)
    soft, _ = bound(world, ana, world.signed_in(ana, app))
    result = sign_in(world, soft)
    assert isinstance(result, Proved)
    assert {each.method for each in result.known.facts.proofs} == {Method.PASSKEY}
    inside = replace(world.session(ana), token_hash=result.token.hash)
    hundredth_wrong_code(world, ana, inside)


def test_not_me_contests_a_passkey(world: World):
    ana = world.person("Ana")
    world.workspace("acme", owner=ana)
    soft, _by = enrolled(world, ana)
    (key,) = [row.id for row in rows(world, "authenticators") if row.method == "passkey"]
    path = world.write(lambda tx: not_me_link(tx, ana.id, key))
    world.write(lambda tx: contesting.contest(tx, by=VISITOR, token_hash=hash_token(path.rpartition("/")[2])))
    assert sign_in(world, soft) == Wrong()


def test_a_reset_voids_it(world: World):
    ana, dana = world.person("Ana"), world.person("Dana")
    acme = world.workspace("acme", owner=dana, member=ana)
    soft, _by = bound(world, ana, world.session(ana, Method.PASSWORD, Method.INVITATION))
    (key,) = [row.id for row in rows(world, "authenticators") if row.method == "passkey"]
    world.write(lambda tx: stored.mark(tx, key, acme, "void_at", tx.now))
    assert sign_in(world, soft) == Wrong()
