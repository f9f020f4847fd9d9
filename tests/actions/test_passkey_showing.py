"""Passkeys shown as whole sign-in, second step and step-up; each lie is refused; what is kept of a showing."""

from dataclasses import replace

import pytest
from sqlalchemy import update

from nightlatch.actions import kinds
from nightlatch.actions.passkey_asking import Purpose
from nightlatch.actions.proving import Proved, Wrong
from nightlatch.actions.tokens import hash_token
from nightlatch.assurance import counting
from nightlatch.authenticators import passkey_asking as shapes
from nightlatch.decision import Allow, Challenge
from nightlatch.instants import HOUR, MINUTE
from nightlatch.refusals import Code, Refused
from nightlatch.store import sessions, teammates
from nightlatch.store.engine import Transaction
from nightlatch.store.query import Query
from nightlatch.store.schema import accounts
from nightlatch.vocabulary import Method, Reason, Role
from tests.support.events import details
from tests.support.passkey_acts import (
    VISITOR,
    ask,
    ask_sign_in,
    enrolled,
    show,
    sign_in,
)
from tests.support.passkeys import SoftPasskey
from tests.support.product import register
from tests.support.tables import rows
from tests.support.world import World, carried_on


def test_second_step(world: World):
    ana = world.person("Ana")
    acme = world.workspace("acme", owner=ana)
    soft, _ = enrolled(world, ana)
    half = world.session(ana)
    assert isinstance(world.opens(half, acme), Challenge)
    result = show(world, half, soft)
    assert isinstance(result, Proved)
    assert world.opens(carried_on(half, result.token), acme) == Allow()
    assert details(world, "sign_in.succeeded")[-1]["method"] == "passkey"


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
    assert details(world, "sign_in.failed")[-1]["check"] == "user_verification"


def test_one_that_was_only_touched_opens_nothing_where_the_password_counts_no_more(world: World):
    """At the next request, too: what it is, is kept with the proof."""
    ana = world.person("Ana")
    acme = world.workspace("acme", owner=ana)
    soft, _ = enrolled(world, ana, verifies=False)
    half = world.session(ana)

    def comes_back(tx: Transaction) -> None:
        row = teammates.by_account(tx, ana.id, acme)
        assert row is not None
        teammates.remove(tx, row.id)
        teammates.join(tx, workspace_id=acme, account_id=ana.id, role=Role.OWNER)

    world.write(comes_back)
    result = show(world, half, soft)
    assert isinstance(result, Proved)
    said = world.opens(carried_on(half, result.token), acme)
    assert said == Challenge(Reason.FIRST_FACTOR, (Method.PASSWORD,), workspace=acme)


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
    assert details(world, "step_up.succeeded")[-1]["method"] == "passkey"


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
    assert details(world, name) == [{"method": "passkey", "check": check}]
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
    assert details(world, "second_step.failed")[-1]["check"] == "owner"
    assert sign_in(world, his, ask_sign_in(world, ana.email)) == Wrong()
    assert details(world, "sign_in.failed")[-1]["check"] == "not_asked_for"


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
        assert len(details(world, "authenticator.count_fell")) == fell
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


def test_the_browser_is_known_afterwards(world: World):
    ana = world.person("Ana")
    world.workspace("acme", owner=ana)
    soft, _ = enrolled(world, ana)
    elsewhere = replace(VISITOR, browser=hash_token("new browser"))
    assert isinstance(sign_in(world, soft, by=elsewhere), Proved)
    assert world.read(lambda tx: sessions.browser_known(tx, elsewhere.browser, ana.id))
    assert [each for each in rows(world, "outbox") if each.kind == "new_browser"]
