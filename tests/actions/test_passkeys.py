"""Passkeys as actions: bound by law 14, shown as whole sign-in, second step and step-up, each lie refused."""

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import update

from nightlatch import addresses
from nightlatch.access import Allow, Challenge, Enrol
from nightlatch.actions import (
    authenticators,
    contesting,
    enrolment,
    kinds,
    losing,
    passkey_asking,
    passkeys,
    second_step,
)
from nightlatch.actions.binding import Confirmed
from nightlatch.actions.by import By
from nightlatch.actions.not_me import not_me_link
from nightlatch.actions.passkey_asking import Asked, Purpose
from nightlatch.actions.passkey_enrolment import NotMade
from nightlatch.actions.proving import Proved, Wait, Wrong
from nightlatch.actions.tokens import hash_token, new_token
from nightlatch.assurance import aal, counting
from nightlatch.authenticators import passkey_answers
from nightlatch.authenticators import passkey_asking as shapes
from nightlatch.authenticators.passkey_asking import from_base64url, to_base64url
from nightlatch.budget import Counter
from nightlatch.instants import HOUR, MINUTE
from nightlatch.refusals import Code, Refused
from nightlatch.store import authenticators as stored
from nightlatch.store import guesses, housekeeping, restored, sessions
from nightlatch.store.query import Query
from nightlatch.store.schema import accounts
from nightlatch.vocabulary import Credential, Method
from tests.support.events import events as all_events
from tests.support.passkey_acts import ask_new, bind
from tests.support.passkeys import SITE, SoftPasskey
from tests.support.product import register
from tests.support.races import at_once
from tests.support.tables import rows
from tests.support.world import Person, World, carried_on

VISITOR = By("visitor", None, "", "192.0.2.1", "Firefox", None, Credential.NONE, hash_token("browser"))


def bound(world: World, person: Person, by: By, **habits: Any) -> tuple[SoftPasskey, By]:
    """A passkey of a person, and the session that bound it."""
    soft = SoftPasskey(**habits)
    result = bind(world, by, soft)
    assert isinstance(result, Confirmed), result
    return soft, carried_on(by, result.token)


def enrolled(world: World, person: Person, **habits: Any) -> tuple[SoftPasskey, By]:
    """Somebody with a passkey, by way of an authenticator app."""
    app, _ = world.bind_totp(person)
    return bound(world, person, world.signed_in(person, app), **habits)


def ask(world: World, by: By, purpose: Purpose = Purpose.SECOND_STEP) -> Asked:
    return world.write(lambda tx: passkey_asking.ask_in_session(tx, by=by, site=SITE, purpose=purpose))


def show(
    world: World,
    by: By,
    soft: SoftPasskey,
    asked: Asked | None = None,
    purpose: Purpose = Purpose.SECOND_STEP,
    **lies: Any,
) -> Proved | Wrong:
    answer = passkey_answers.read_shown(soft.show((asked or ask(world, by, purpose)).options, **lies))
    return world.write(
        lambda tx: passkeys.show(tx, by=by, site=SITE, answer=answer, purpose=purpose, token=new_token())
    )


def ask_sign_in(world: World, email: str | None = None, by: By = VISITOR) -> Asked:
    address = addresses.parse(email) if email is not None else None
    return world.write(lambda tx: passkey_asking.ask_sign_in(tx, by=by, site=SITE, address=address))


def sign_in(
    world: World, soft: SoftPasskey, asked: Asked | None = None, by: By = VISITOR, **lies: Any
) -> Proved | Wrong | Wait:
    answer = passkey_answers.read_shown(soft.show((asked or ask_sign_in(world, by=by)).options, **lies))
    return world.write(
        lambda tx: passkeys.sign_in(
            tx, by=by, site=SITE, answer=answer, kind=Credential.COOKIE, token=new_token()
        )
    )


def events(world: World, name: str) -> list[dict[str, Any]]:
    return [each.detail for each in all_events(world) if each.event == name]


# --- binding ---


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
    assert events(world, "authenticator.bound")[0]["method"] == "passkey"
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
    assert events(world, "authenticator.renamed")[0]["former_name"] == "Passkey, Safari on iPhone"


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
    token = new_token()
    done = world.write(
        lambda tx: enrolment.confirm(
            tx, by=by, enrolment_id=pending.id, code=world.code(pending.seed), codes=[], token=token
        )
    )
    assert isinstance(done, Confirmed)
    assert {row.method for row in rows(world, "authenticators")} == {"totp", "recovery_code"}
    assert rows(world, "passkeys") == []
    assert world.opens(carried_on(by, token), acme) == Allow()


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


# --- showing ---


def test_second_step(world: World):
    ana = world.person("Ana")
    acme = world.workspace("acme", owner=ana)
    soft, _ = enrolled(world, ana)
    half = world.session(ana)
    assert isinstance(world.opens(half, acme), Challenge)
    result = show(world, half, soft)
    assert isinstance(result, Proved)
    assert world.opens(carried_on(half, result.token), acme) == Allow()
    assert events(world, "sign_in.succeeded")[-1]["method"] == "passkey"


def test_one_that_was_only_touched_is_a_second_factor_alone(world: World):
    ana = world.person("Ana")
    acme = world.workspace("acme", owner=ana)
    soft, _ = enrolled(world, ana, verifies=False)
    half = world.session(ana)
    result = show(world, half, soft)
    assert isinstance(result, Proved)
    assert world.opens(carried_on(half, result.token), acme) == Allow()
    assert not [
        each for each in counting(result.known.facts, acme) if each.method is Method.PASSKEY and each.verified
    ]
    assert isinstance(sign_in(world, soft), Wrong)
    assert events(world, "sign_in.failed")[-1]["check"] == "user_verification"


def test_a_stranger_cannot_show_it(world: World):
    with pytest.raises(Refused) as refused:
        ask(world, VISITOR)
    assert refused.value.code is Code.SIGN_IN_REQUIRED


def test_step_up_makes_fresh(world: World):
    ana = world.person("Ana")
    acme = world.workspace("acme", owner=ana)
    soft, by = enrolled(world, ana)
    world.wait(31 * MINUTE)
    assert isinstance(world.decides(by, kinds.CHANGE_POLICY.at(acme)), Challenge)
    result = show(world, by, soft, purpose=Purpose.STEP_UP)
    assert isinstance(result, Proved)
    assert world.decides(carried_on(by, result.token), kinds.CHANGE_POLICY.at(acme)) == Allow()
    assert events(world, "step_up.succeeded")[-1]["method"] == "passkey"


def test_an_idle_session_takes_a_verified_one_alone(world: World):
    ana = world.person("Ana")
    acme = world.workspace("acme", owner=ana)
    soft, by = enrolled(world, ana)
    world.wait(13 * HOUR)
    assert isinstance(world.opens(by, acme), Challenge)
    asked = ask(world, by, Purpose.STEP_UP)
    assert asked.options["userVerification"] == "required"
    assert isinstance(show(world, by, soft, asked, Purpose.STEP_UP, uv=False), Wrong)
    result = show(world, by, soft, purpose=Purpose.STEP_UP)
    assert isinstance(result, Proved)
    assert world.opens(carried_on(by, result.token), acme) == Allow()


LIES = [
    ("type", {"type": "webauthn.create"}),
    ("origin", {"origin": "https://evil.example"}),
    ("cross_origin", {"client": {"crossOrigin": True}}),
    ("cross_origin", {"client": {"topOrigin": "https://evil.example"}}),
    ("rp_id", {"rp_id": "evil.example"}),
    ("user_presence", {"up": False}),
    ("backup", {"be": True, "bs": True}),
    ("backup", {"bs": True}),
    ("signature", {"signature": b"x" * 70}),
    ("user_handle", {"user_handle": b"somebody else's"}),
    ("unknown", {"id": b"nobody's"}),
]


@pytest.mark.parametrize("check,lies", LIES)
@pytest.mark.parametrize("door", ["sign_in", "second_step"])
def test_every_lie_is_refused_alike_noted_and_slows_its_network(world: World, check, lies, door):
    ana = world.person("Ana")
    world.workspace("acme", owner=ana)
    soft, _ = enrolled(world, ana)
    result = (
        sign_in(world, soft, **lies) if door == "sign_in" else show(world, world.session(ana), soft, **lies)
    )
    assert result == Wrong()
    name = "sign_in.failed" if door == "sign_in" else "second_step.failed"
    assert events(world, name) == [{"method": "passkey", "check": check}]
    assert [row.failures for row in rows(world, "guesses") if row.door == "source"] == [1]
    assert isinstance(sign_in(world, soft), Proved), "the honest one still gets in"


def test_the_algorithm_that_a_key_was_made_for_cannot_change(world: World):
    ana = world.person("Ana")
    world.workspace("acme", owner=ana)
    soft, _ = enrolled(world, ana)
    other = SoftPasskey(
        algorithm=shapes.ED25519, credential_id=soft.credential_id, user_handle=soft.user_handle
    )
    assert sign_in(world, other) == Wrong()


def test_somebody_elses_passkey_opens_nothing_of_mine(world: World):
    """Catalogue F23: A's assertion in B's challenge."""
    ana, ben = world.person("Ana"), world.person("Ben")
    world.workspace("acme", owner=[ana, ben])
    enrolled(world, ana)
    his, _ = enrolled(world, ben)
    assert show(world, world.session(ana), his) == Wrong()
    assert events(world, "second_step.failed")[-1]["check"] == "owner"
    assert sign_in(world, his, ask_sign_in(world, ana.email)) == Wrong()
    assert events(world, "sign_in.failed")[-1]["check"] == "not_asked_for"


def test_only_what_was_asked_for(world: World):
    ana = world.person("Ana")
    world.workspace("acme", owner=ana)
    _, by = enrolled(world, ana)
    asked = ask_sign_in(world, ana.email)
    later, _ = bound(world, ana, by)
    assert sign_in(world, later, asked) == Wrong()
    assert events(world, "sign_in.failed")[-1]["check"] == "not_asked_for"
    assert isinstance(sign_in(world, later, ask_sign_in(world, ana.email)), Proved)


def test_challenges_are_spent_bound_and_for_one_purpose(world: World):
    ana = world.person("Ana")
    world.workspace("acme", owner=ana)
    soft, by = enrolled(world, ana)
    half, other = world.session(ana), world.session(ana)
    for_half, for_sign_in, for_step_up = (
        ask(world, half),
        ask_sign_in(world),
        ask(world, half, Purpose.STEP_UP),
    )
    assert show(world, other, soft, for_half) == Wrong(), "another session's"
    assert show(world, half, soft, for_step_up) == Wrong(), "for another purpose"
    assert show(world, half, soft, for_sign_in) == Wrong()
    assert sign_in(world, soft, for_half) == Wrong()
    assert sign_in(world, soft, for_step_up) == Wrong()
    assert (
        show(
            world,
            half,
            soft,
            Asked({**for_half.options, "challenge": ask_new(world, by).options["challenge"]}, 0),
        )
        == Wrong()
    )
    stranger = replace(VISITOR, browser=hash_token("another browser"))
    assert sign_in(world, soft, for_sign_in, stranger) == Wrong(), "another browser's"
    assert sign_in(world, soft, for_sign_in, replace(VISITOR, browser=None)) == Wrong()
    assert {each["check"] for each in events(world, "sign_in.failed")} == {"challenge"}
    assert isinstance(sign_in(world, soft, for_sign_in), Proved)
    assert sign_in(world, soft, for_sign_in) == Wrong(), "spent"
    assert isinstance(show(world, half, soft, for_half), Proved)
    unknown = Asked(for_sign_in.options | {"challenge": to_base64url(b"x" * 32)}, 0)
    late = ask_sign_in(world)
    world.wait(10 * MINUTE)
    for each in (unknown, late):
        with pytest.raises(Refused) as refused:
            sign_in(world, soft, each)
        assert refused.value.code is Code.EXPIRED


@pytest.mark.race
def test_of_many_answers_at_once_one_is_taken(world: World):
    """Law 4: the challenge is spent by one guarded statement, however many bring the same right answer."""
    ana = world.person("Ana")
    world.workspace("acme", owner=ana)
    soft, _ = enrolled(world, ana)
    for _ in range(5):
        answer = passkey_answers.read_shown(soft.show(ask_sign_in(world).options))

        def come(answer: passkey_answers.Shown = answer) -> Proved | Wrong | Wait:
            return world.write(
                lambda tx: passkeys.sign_in(
                    tx, by=VISITOR, site=SITE, answer=answer, kind=Credential.COOKIE, token=new_token()
                )
            )

        results = at_once(*[come] * 10)
        assert sum(isinstance(each, Proved) for each in results) == 1, results
        assert all(isinstance(each, Proved | Wrong | Wait) for each in results), results
        world.wait(2 * HOUR)  # wrong ones slow their network down


def test_challenges_are_kept_as_hashes_and_go(world: World):
    asked = ask_sign_in(world)
    (row,) = rows(world, "passkey_challenges")
    raw = from_base64url(asked.options["challenge"])
    assert len(raw) >= 16
    assert raw not in (row.challenge_hash, row.detail.encode())
    assert asked.options["challenge"] not in str(row)
    world.wait(11 * MINUTE)
    world.write(housekeeping.tidy)
    assert rows(world, "passkey_challenges") == []


def test_a_wrong_showing_spends_its_challenge(world: World):
    ana = world.person("Ana")
    world.workspace("acme", owner=ana)
    soft, _ = enrolled(world, ana)
    asked = ask_sign_in(world)
    assert sign_in(world, soft, asked, signature=b"x") == Wrong()
    assert sign_in(world, soft, asked) == Wrong()


def test_a_whole_sign_in_is_discovered_or_asked_by_address(world: World):
    ana = world.person("Ana")
    world.workspace("acme", owner=ana)
    soft, _ = enrolled(world, ana)
    asked = ask_sign_in(world, ana.email)
    assert [from_base64url(each["id"]) for each in asked.options["allowCredentials"]] == [soft.credential_id]
    assert asked.options["userVerification"] == "required"
    assert isinstance(sign_in(world, soft, asked, user_handle=None), Proved)
    assert ask_sign_in(world).options["allowCredentials"] == []
    assert sign_in(world, soft, user_handle=None) == Wrong(), "nobody said whose it is"
    assert isinstance(sign_in(world, soft), Proved)


def test_decoys(world: World):
    ana, ben = world.person("Ana"), world.person("Ben")
    world.workspace("acme", owner=[ana, ben])
    enrolled(world, ana)
    real = ask_sign_in(world, ana.email).options
    for email in (ben.email, "nobody@example.com"):
        one, two = ask_sign_in(world, email).options, ask_sign_in(world, email.upper()).options
        assert one["allowCredentials"] == two["allowCredentials"], "stable, whatever the spelling"
        assert 1 <= len(one["allowCredentials"]) <= 2
        assert one.keys() == real.keys()
        assert one["allowCredentials"][0].keys() == real["allowCredentials"][0].keys()
    first, second = (ask_sign_in(world, f"n{n}@example.com").options["allowCredentials"] for n in range(2))
    assert first != second
    world.wait(HOUR)
    assert (
        ask_sign_in(world, ben.email).options["allowCredentials"]
        == ask_sign_in(world, ben.email).options["allowCredentials"]
    )


def test_many_wrong_ones_slow_a_network_down(world: World):
    ana = world.person("Ana")
    world.workspace("acme", owner=ana)
    soft, _ = enrolled(world, ana)
    for _ in range(60):
        assert sign_in(world, soft, signature=b"x") == Wrong()
    with pytest.raises(Refused) as refused:
        ask_sign_in(world)
    assert refused.value.code is Code.TOO_MANY_ATTEMPTS
    world.wait(MINUTE)
    assert isinstance(sign_in(world, soft), Proved)


def test_the_counter_is_a_signal(world: World):
    ana = world.person("Ana")
    world.workspace("acme", owner=ana)
    soft, _ = enrolled(world, ana, counts=True)
    for count, fell in ((5, 0), (6, 0), (6, 1), (3, 2), (7, 2)):
        soft.count = count - 1
        assert isinstance(sign_in(world, soft), Proved), "taken all the same"
        assert len(events(world, "authenticator.count_fell")) == fell
    (row,) = rows(world, "passkeys")
    assert row.sign_count == 7
    assert row.count_fell_at is not None
    told = [each for each in rows(world, "outbox") if each.kind == "passkey_count_fell"]
    assert [each.address for each in told] == [ana.email], "mailed the first time"


def test_counters_are_kept_only_after_every_check(world: World):
    ana = world.person("Ana")
    world.workspace("acme", owner=ana)
    soft, _ = enrolled(world, ana)
    assert sign_in(world, soft, count=50, signature=b"x") == Wrong()
    assert sign_in(world, soft, count=50, user_handle=b"other") == Wrong()
    (row,) = rows(world, "passkeys")
    assert row.sign_count == 0


def test_what_is_remembered_of_it(world: World):
    ana = world.person("Ana")
    world.workspace("acme", owner=ana)
    soft, _ = enrolled(world, ana, verifies=False, synced=True)
    (row,) = rows(world, "passkeys")
    assert row.verified_at is None
    assert isinstance(sign_in(world, soft, uv=True, bs=False), Proved)
    (row,) = rows(world, "passkeys")
    assert row.verified_at is not None
    assert row.backed_up_at is None
    assert row.backup_eligible_at is not None


def test_lost_contested_and_removed_ones_open_nothing(world: World):
    ana = world.person("Ana")
    world.workspace("acme", owner=ana)
    app, _ = world.bind_totp(ana)
    soft, by = bound(world, ana, world.signed_in(ana, app))
    key = next(row.id for row in rows(world, "authenticators") if row.method == "passkey")
    by = world.signed_in(ana, app)
    world.write(lambda tx: losing.mark_lost(tx, by=by, authenticator_id=key))
    assert sign_in(world, soft) == Wrong()
    assert events(world, "sign_in.failed")[-1]["check"] == "not_usable"
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


def hundredth_wrong_code(world: World, person: Person, by: By) -> None:
    """The last wrong code of a hundred in a row."""
    world.write(lambda tx: guesses.keep(tx, Method.TOTP, str(person.id), Counter(99, 0)))
    world.write(lambda tx: second_step.present_totp(tx, by=by, code="000000", token=new_token()))
    (row,) = [each for each in rows(world, "authenticators") if each.method == "totp"]
    assert row.suspended_at is not None


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


def test_whom_a_product_keeps_signs_in_there(world: World):
    ana = world.person("Ana")
    world.workspace("acme", owner=ana)
    soft, _ = enrolled(world, ana)
    app_id, _ = register(world)
    world.write(
        lambda tx: tx.run(Query(update(accounts).values(app_id=app_id).where(accounts.c.id == ana.id)))
    )
    with pytest.raises(Refused) as refused:
        sign_in(world, soft)
    assert refused.value.code is Code.NOT_PERMITTED
    assert isinstance(show(world, world.session(ana), soft), Proved), "as a second step it is theirs"


def test_it_does_not_outlive_a_restored_backup(world: World):
    ask_sign_in(world)
    world.write(lambda tx: restored.end_everything(tx, "restored"))
    assert rows(world, "passkey_challenges") == []


def test_the_browser_is_known_afterwards(world: World):
    ana = world.person("Ana")
    world.workspace("acme", owner=ana)
    soft, _ = enrolled(world, ana)
    elsewhere = replace(VISITOR, browser=hash_token("new browser"))
    assert isinstance(sign_in(world, soft, by=elsewhere), Proved)
    assert world.read(lambda tx: sessions.browser_known(tx, elsewhere.browser, ana.id))
    assert [each for each in rows(world, "outbox") if each.kind == "new_browser"]
