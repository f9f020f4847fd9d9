"""Passkeys are bound by law 14 like any authenticator: by whom, once, and by what name."""

from dataclasses import replace
from functools import partial

import pytest

from nightlatch.actions import (
    authenticators,
    enrolment,
    kinds,
)
from nightlatch.actions.binding import Confirmed
from nightlatch.actions.passkey_asking import Asked
from nightlatch.actions.passkey_enrolment import NotMade
from nightlatch.actions.proving import Proved
from nightlatch.actions.tokens import new_token
from nightlatch.assurance import aal
from nightlatch.authenticators.passkey_asking import from_base64url, to_base64url
from nightlatch.decision import Allow, Enrol
from nightlatch.instants import MINUTE
from nightlatch.refusals import Code, Refused
from nightlatch.vocabulary import Credential, Method
from tests.support.events import details
from tests.support.passkey_acts import (
    VISITOR,
    ask,
    ask_new,
    bind,
    bound,
    enrolled,
    sign_in,
)
from tests.support.passkeys import SoftPasskey
from tests.support.races import at_once
from tests.support.tables import rows
from tests.support.world import World, carried_on


def test_the_first_takes_the_mailbox(world: World):
    ana = world.person("Ana")
    acme = world.workspace("acme", owner=ana)
    by = world.session(ana)
    with pytest.raises(Refused) as refused:
        ask_new(world, by)
    assert refused.value.code is Code.MAIL_PROOF_REQUIRED
    with_mail = world.session(ana, Method.PASSWORD, Method.INVITATION)
    soft = SoftPasskey()
    result = bind(world, with_mail, soft)
    assert isinstance(result, Confirmed)
    assert (result.method, result.first, result.codes_kept) == (Method.PASSKEY, True, True)
    now = carried_on(with_mail, result.token)
    assert world.opens(now, acme) == Allow()
    (shown,) = [each for each in rows(world, "outbox") if each.kind == "authenticator_bound"]
    assert shown.address == ana.email
    assert details(world, "authenticator.bound")[0]["method"] == "passkey"
    (standing,) = [each for each in rows(world, "standing") if each.account_id == ana.id]
    assert (standing.state, standing.methods) == ("on", "passkey")


def test_a_mandate_is_satisfied_by_a_passkey_alone(world: World):
    ana = world.person("Ana")
    acme = world.workspace("acme", owner=ana)
    world.require(acme)
    by = world.session(ana, Method.PASSWORD, Method.INVITATION)
    assert isinstance(world.opens(by, acme), Enrol)
    soft, _ = bound(world, ana, by)
    result = sign_in(world, soft)
    assert isinstance(result, Proved)
    (proof,) = result.known.facts.proofs
    assert (proof.method, proof.verified) == (Method.PASSKEY, True)
    assert aal(result.known.facts, acme) == 2
    inside = replace(VISITOR, token_hash=result.token.hash, credential=Credential.COOKIE)
    assert world.opens(inside, acme) == Allow()


def test_its_challenge_is_its_own_sessions_and_once(world: World):
    ana = world.person("Ana")
    world.workspace("acme", owner=ana)
    app, _ = world.bind_totp(ana)
    by, elsewhere = world.signed_in(ana, app), world.signed_in(ana, app)
    asked = ask_new(world, by)
    for stranger in (elsewhere, world.session(world.person("Eve"))):
        with pytest.raises(Refused) as refused:
            bind(world, stranger, SoftPasskey(), asked)
        assert refused.value.code is Code.EXPIRED
    soft = SoftPasskey()
    result = bind(world, by, soft, asked)
    assert isinstance(result, Confirmed)
    with pytest.raises(Refused):
        bind(world, carried_on(by, result.token), SoftPasskey(), asked)
    unknown = Asked(asked.options | {"challenge": to_base64url(b"x" * 32)}, 0)
    late = ask_new(world, carried_on(by, result.token))
    shown = ask(world, carried_on(by, result.token))
    world.wait(10 * MINUTE)
    for each in (unknown, late, shown):
        with pytest.raises(Refused) as refused:
            bind(
                world,
                carried_on(by, result.token),
                SoftPasskey(),
                Asked({**late.options, "challenge": each.options["challenge"]}, 0),
            )
        assert refused.value.code is Code.EXPIRED


def test_a_lie_spends_the_challenge_and_binds_nothing(world: World):
    ana = world.person("Ana")
    world.workspace("acme", owner=ana)
    app, _ = world.bind_totp(ana)
    by = world.signed_in(ana, app)
    asked = ask_new(world, by)
    assert bind(world, by, SoftPasskey(), asked, origin="https://evil.example") == NotMade("origin")
    with pytest.raises(Refused):
        bind(world, by, SoftPasskey(), asked)
    assert rows(world, "passkeys") == []


def test_a_credential_id_is_unknown_for_anybody(world: World):
    ana, ben = world.person("Ana"), world.person("Ben")
    world.workspace("acme", owner=[ana, ben])
    soft, hers = enrolled(world, ana)
    thief = SoftPasskey(credential_id=soft.credential_id)
    app, _ = world.bind_totp(ben)
    result = bind(world, world.signed_in(ben, app), thief)
    assert isinstance(result, NotMade)
    assert result.known
    assert bind(world, hers, SoftPasskey(credential_id=soft.credential_id)) == NotMade("known")
    assert len(rows(world, "passkeys")) == 1


@pytest.mark.race
def test_of_two_people_who_bind_it_at_once_one_has_it(world: World):
    """On PostgreSQL both may look before either has written; the slower runs again, and is told."""
    people = [world.person("Ana"), world.person("Ben")]
    world.workspace("acme", owner=people)
    sessions = [world.signed_in(each, world.bind_totp(each)[0]) for each in people]
    for _ in range(8):
        soft = SoftPasskey()
        asked = [ask_new(world, by) for by in sessions]
        results = at_once(
            *(partial(bind, world, by, soft, each) for by, each in zip(sessions, asked, strict=True))
        )
        ((had, token),) = [
            (which, each.token) for which, each in enumerate(results) if isinstance(each, Confirmed)
        ]
        assert results[1 - had] == NotMade("known"), results
        sessions[had] = carried_on(sessions[had], token)


def test_what_is_bound_is_not_made_twice_on_one_device(world: World):
    ana = world.person("Ana")
    world.workspace("acme", owner=ana)
    soft, by = enrolled(world, ana)
    (shown,) = ask_new(world, by).options["excludeCredentials"]
    assert from_base64url(shown["id"]) == soft.credential_id
    assert shown["transports"] == ["hybrid", "internal"]


def test_the_user_handle_is_random_and_stays(world: World):
    ana, ben = world.person("Ana"), world.person("Ben")
    world.workspace("acme", owner=[ana, ben])
    app, _ = world.bind_totp(ana)
    by = world.signed_in(ana, app)
    first, second = (ask_new(world, by).options["user"]["id"] for _ in range(2))
    assert first == second
    assert len(from_base64url(first)) == 64
    other, _ = world.bind_totp(ben)
    assert ask_new(world, world.signed_in(ben, other)).options["user"]["id"] != first


def test_a_name_given_or_made_of_the_browser(world: World):
    ana = world.person("Ana")
    world.workspace("acme", owner=ana)
    app, _ = world.bind_totp(ana)
    by = replace(world.signed_in(ana, app), user_agent="Mozilla/5.0 (iPhone; ...) Safari/605")
    result = bind(world, by, SoftPasskey(), ask_new(world, by, name="  My  phone "))
    assert result.name == "My phone"
    by = carried_on(by, result.token)
    result = bind(world, by, SoftPasskey())
    assert result.name == "Passkey, Safari on iPhone"
    by = carried_on(by, result.token)
    world.write(
        lambda tx: authenticators.rename(
            tx, by=by, authenticator_id=result.authenticator_id, name="The blue one"
        )
    )
    listed = world.read(lambda tx: authenticators.own(tx, by=by))
    assert "The blue one" in [each.name for each in listed]
    assert details(world, "authenticator.renamed")[0]["former_name"] == "Passkey, Safari on iPhone"


def test_a_passkey_in_place_of_an_app_and_an_app_in_place_of_a_passkey(world: World):
    ana = world.person("Ana")
    acme = world.workspace("acme", owner=ana)
    world.require(acme)
    app, _ = world.bind_totp(ana)
    by = world.signed_in(ana, app)
    result = bind(world, by, SoftPasskey(), ask_new(world, by, replaces=app))
    assert isinstance(result, Confirmed)
    assert result.replaced == "Phone"
    by = carried_on(by, result.token)
    assert {row.method for row in rows(world, "authenticators")} == {"passkey", "recovery_code"}
    pending = world.write(
        lambda tx: enrolment.begin(tx, by=by, name="App", replaces=result.authenticator_id, workspace_id=None)
    )
    done = world.write(
        lambda tx: enrolment.confirm(
            tx, by=by, enrolment_id=pending.id, code=world.code(pending.seed), codes=[], token=new_token()
        )
    )
    assert isinstance(done, Confirmed)
    assert {row.method for row in rows(world, "authenticators")} == {"totp", "recovery_code"}
    assert rows(world, "passkeys") == []
    assert world.opens(carried_on(by, done.token), acme) == Allow()


def test_bound_with_a_recovery_code_it_is_limited(world: World):
    ana = world.person("Ana")
    acme = world.workspace("acme", owner=ana)
    _soft, _by = enrolled(world, ana)
    codes = next(row.id for row in rows(world, "authenticators") if row.method == "recovery_code")
    recovering = world.session(ana, Method.PASSWORD, Method.RECOVERY_CODE, authenticator=codes)
    key = next(row.id for row in rows(world, "authenticators") if row.method == "passkey")
    result = bind(world, recovering, SoftPasskey(), ask_new(world, recovering, replaces=key))
    assert isinstance(result, Confirmed)
    row = next(each for each in rows(world, "authenticators") if each.id == result.authenticator_id)
    assert row.limited_until is not None
    now = carried_on(recovering, result.token)
    assert not isinstance(world.decides(now, kinds.CHANGE_POLICY.at(acme)), Allow)
