"""Remembered browsers (F38): whom they spare what, and all that ends them."""

from dataclasses import replace
from functools import partial

import pytest
from sqlalchemy import update

from nightlatch import addresses
from nightlatch.actions import (
    enrolment,
    kinds,
    passkeys,
    remembering,
)
from nightlatch.actions.by import By
from nightlatch.actions.enrolment import Confirmed
from nightlatch.actions.passkey_asking import Purpose
from nightlatch.actions.tokens import hash_token, new_token
from nightlatch.authenticators import passkey_answers
from nightlatch.decision import Challenge
from nightlatch.facts import reach_of
from nightlatch.instants import DAY, HOUR
from nightlatch.refusals import Code, Refused
from nightlatch.store import housekeeping
from nightlatch.store import teammates as store_teammates
from nightlatch.store.query import Query
from nightlatch.store.schema import accounts
from nightlatch.vocabulary import Credential, Event, Method, Role
from tests.support.events import events
from tests.support.lost import bind_codes, show_recovery_code
from tests.support.passkey_acts import ask, enrolled
from tests.support.passkeys import SITE
from tests.support.product import register
from tests.support.races import at_once
from tests.support.remembering import Remembering
from tests.support.signing_on import VISITOR as SSO_VISITOR
from tests.support.signing_on import a_connection, by_of, come, connected, who
from tests.support.world import World

VISITOR = By("visitor", None, "", "198.51.100.7", "test")
NEW = addresses.parse("ana@elsewhere.example")


@pytest.fixture
def acme(world: World) -> Remembering:
    return Remembering(world)


# --- what it spares, and whom ---


def test_it_spares_the_second_step_in_that_browser_alone(acme: Remembering) -> None:
    assert not acme.spared()
    acme.remember()
    assert acme.spared()
    assert not acme.spared(browser="another")


def test_without_the_box_nothing_is_remembered(acme: Remembering) -> None:
    acme.code(acme.password())
    assert not acme.spared()
    assert acme.left() == (0, 0)


def test_another_person_s_password_in_this_browser_finds_nothing(acme: Remembering) -> None:
    acme.remember()
    assert not acme.spared(acme.adam)


def test_a_program_is_neither_remembered_nor_recognised(acme: Remembering) -> None:
    acme.code(acme.password(kind=Credential.BEARER), remembers=True)
    assert acme.left() == (0, 0)
    acme.remember()
    assert not acme.open(acme.password(kind=Credential.BEARER))


def test_another_workspace_of_the_same_person_still_asks(acme: Remembering) -> None:
    other = acme.world.workspace("other", owner=acme.dana, member=acme.ana)
    acme.remember()
    by = acme.password()
    assert acme.open(by)
    assert isinstance(acme.world.opens(by, other), Challenge)


def test_only_where_the_factor_counts_and_the_workspace_lets_it(acme: Remembering, world: World) -> None:
    """An app that reaches one workspace is no reason to be remembered in another."""
    ben = world.person("Ben")
    world.write(
        lambda tx: store_teammates.join(tx, workspace_id=acme.id, account_id=ben.id, role=Role.MEMBER)
    )
    other = world.workspace("other", owner=acme.dana, member=ben)
    world.bind_totp(ben, reach_of(acme.id))
    _, seed = world.bind_totp(ben, reach_of(other))
    acme.code(acme.password(ben), remembers=True, seed=seed)
    assert acme.kept(ben) == 0


def test_it_is_no_proof_for_a_step_up_and_binds_nothing(acme: Remembering) -> None:
    acme.remember()
    by = acme.password()
    for action in (kinds.CHANGE_PASSWORD, kinds.CHANGE_EMAIL, kinds.ENROL, kinds.CHANGE_AUTHENTICATOR):
        decision = acme.world.decides(by, action)
        assert isinstance(decision, Challenge), action
        assert Method.TOTP in decision.methods
        assert Method.REMEMBERED not in decision.methods


def test_not_with_a_recovery_code_s_limits(acme: Remembering, world: World) -> None:
    """What was bound with a recovery code does not make a browser remembered for its first day."""
    _, codes = bind_codes(world, acme.ana)
    by = show_recovery_code(world, acme.password(), codes[0].text)
    begun = world.write(
        lambda tx: enrolment.begin(tx, by=by, name="New", replaces=acme.anas_app, workspace_id=None)
    )
    assert isinstance(acme.confirm(by, begun.id, begun.seed), Confirmed)
    acme.code(acme.password(), remembers=True, seed=begun.seed)
    assert acme.kept() == 0
    world.wait(DAY)
    acme.code(acme.password(), remembers=True, seed=begun.seed)
    assert acme.kept() == 1


def test_a_passkey_shown_as_the_second_step_remembers_it_too(acme: Remembering, world: World) -> None:
    soft, _ = enrolled(world, acme.ana)
    by = acme.password()
    asked = ask(world, by)
    answer = passkey_answers.read_shown(soft.show(asked.options))
    world.write(
        lambda tx: passkeys.show(
            tx,
            by=by,
            site=SITE,
            answer=answer,
            purpose=Purpose.SECOND_STEP,
            token=new_token(),
            remembers=True,
        )
    )
    assert acme.spared()
    assert not acme.spared(browser="another")


@pytest.mark.parametrize("kind", ["oidc", "saml"])
def test_single_sign_on_is_recognised_where_it_counts(acme: Remembering, world: World, kind: str) -> None:
    okta = a_connection(world, acme.id, kind=kind)
    connected(world, acme.ana, okta)
    anas, anothers = (replace(SSO_VISITOR, browser=hash_token(each)) for each in ("anas", "another"))
    assert not acme.open(by_of(come(world, okta, who(acme.ana.name), by=anas)))
    acme.remember()
    assert acme.open(by_of(come(world, okta, who(acme.ana.name), by=anas)))
    assert not acme.open(by_of(come(world, okta, who(acme.ana.name), by=anothers)))


def test_whom_a_product_keeps_is_not_offered_it(acme: Remembering, world: World) -> None:
    app_id, _ = register(world)
    world.write(
        lambda tx: tx.run(Query(update(accounts).values(app_id=app_id).where(accounts.c.id == acme.ana.id)))
    )
    by = world.session(acme.ana)
    known = world.known(by)
    assert world.read(lambda tx: remembering.offer(tx, by=by, known=known)) is None
    acme.code(by, remembers=True)
    assert acme.left() == (0, 0)


# --- for how long ---


def test_it_is_over_when_its_time_is(acme: Remembering, world: World) -> None:
    acme.remember()
    world.wait(14 * DAY - HOUR)
    assert acme.spared()
    world.wait(HOUR)
    assert not acme.spared(), "using it makes it no longer"


def test_thirty_days_at_most(acme: Remembering) -> None:
    acme.refused(Code.INVALID, "change", remember_days=31)
    acme.refused(Code.INVALID, "change", remember_days=-1)
    acme.change(remember_days=30)
    acme.remember()
    acme.world.wait(30 * DAY)
    assert not acme.spared()


def test_a_shorter_setting_bites_at_once(acme: Remembering, world: World) -> None:
    by = acme.remember()
    world.wait(2 * DAY)
    assert acme.spared()
    acme.change(acme.world.signed_in(acme.dana, acme.app), remember_days=1)
    assert not acme.spared()
    assert acme.listed(acme.code(acme.password())) == []
    assert not acme.open(by), "that session is over by itself"


def test_a_longer_setting_promises_nothing_to_what_is_there(acme: Remembering, world: World) -> None:
    acme.remember()
    acme.change(remember_days=30)
    world.wait(15 * DAY)
    assert not acme.spared()


def test_off_ends_it_and_on_again_brings_nothing_back(acme: Remembering) -> None:
    acme.remember()
    live = acme.password()
    assert acme.open(live)
    acme.change(remember_days=0)
    assert not acme.open(live)
    assert acme.left() == (0, 0)
    acme.change(remember_days=14)
    assert not acme.open(live)
    assert not acme.spared()


def test_housekeeping_deletes_what_ran_out(acme: Remembering, world: World) -> None:
    acme.remember()
    world.write(housekeeping.tidy)
    assert acme.left()[0] == 1
    world.wait(14 * DAY)
    world.write(housekeeping.tidy)
    assert acme.left()[0] == 0


# --- the mandate ---


@pytest.mark.parametrize("days_ahead", [0, 7])
def test_a_mandate_ends_it_now_or_announced(acme: Remembering, world: World, days_ahead: int) -> None:
    acme.remember()
    live = acme.password()
    since = world.clock.now() + days_ahead * DAY if days_ahead else None
    assert acme.on(since=since).remember_for is None
    assert not acme.open(live)
    assert not acme.spared()
    assert acme.left()[0] == 0
    acme.off()
    assert not acme.open(live)
    assert acme.policy().remember_for is None, "nobody turned it on again"
    told = next(each for each in events(world) if each.event.value.startswith("mandate."))
    assert told.detail["browsers_forgotten"] == 1


def test_under_a_mandate_it_cannot_be_set(acme: Remembering) -> None:
    acme.on()
    acme.refused(Code.CONFLICT, "change", remember_days=7)
    acme.refused(Code.CONFLICT, "on", remember_days=7)


def test_nor_together_with_a_date(acme: Remembering, world: World) -> None:
    acme.refused(Code.CONFLICT, "on", since=world.clock.now() + DAY, remember_days=7)
    assert acme.policy().remember_for == 14 * DAY


def test_a_member_does_not_set_it(acme: Remembering) -> None:
    acme.refused(Code.NOT_PERMITTED, "change", acme.code(acme.password()), remember_days=30)


# --- seeing and forgetting ---


def test_the_list(acme: Remembering) -> None:
    by = acme.remember()
    (one,) = acme.listed(by)
    assert (one.slug, one.workspace_name, one.current, one.last_used_at) == ("acme", "Acme", True, None)
    assert one.expires_at == one.created_at + 14 * DAY
    acme.spared()
    (one,) = acme.listed(acme.code(acme.password(browser="another")))
    assert one.last_used_at is not None
    assert not one.current


def test_forgetting_bites_the_next_request_of_a_session_that_came_in_by_it(acme: Remembering) -> None:
    acme.remember()
    live, elsewhere = acme.password(), acme.code(acme.password(browser="another"), remembers=True)
    by_elsewhere = acme.password(browser="another")
    assert acme.open(live)
    mine = next(each for each in acme.listed(elsewhere) if not each.current)
    acme.world.write(lambda tx: remembering.forget_one(tx, by=elsewhere, remembered_id=mine.id))
    assert isinstance(acme.world.opens(live, acme.id), Challenge)
    assert acme.open(by_elsewhere), "the other browser is still remembered"
    assert acme.world.write(lambda tx: remembering.forget_all(tx, by=elsewhere)) == 1
    assert not acme.open(by_elsewhere)
    assert acme.left() == (0, 0)


def test_nobody_forgets_another_person_s(acme: Remembering) -> None:
    (one,) = acme.listed(acme.remember())
    with pytest.raises(Refused) as refusal:
        acme.world.write(lambda tx: remembering.forget_one(tx, by=acme.owner, remembered_id=one.id))
    assert refusal.value.code is Code.NOT_FOUND
    assert acme.spared()


def test_the_audit_log_tells(acme: Remembering, world: World) -> None:
    by = acme.remember()
    world.write(lambda tx: remembering.forget_all(tx, by=by))
    made, gone = [
        each for each in events(world) if each.event in (Event.BROWSER_REMEMBERED, Event.BROWSER_FORGOTTEN)
    ]
    assert (made.event, made.workspace_id, made.subject[1]) == (
        Event.BROWSER_REMEMBERED,
        acme.id,
        acme.ana.id,
    )
    assert (gone.event, gone.detail) == (Event.BROWSER_FORGOTTEN, {"count": 1, "how": "by the person"})


def test_a_sign_in_that_races_with_forgetting_is_not_left_open(acme: Remembering, world: World) -> None:
    """Both take the account's lock: the sign-in finds nothing, or what it noted goes."""
    for _ in range(5):
        by = acme.remember()
        forget = partial(world.write, partial(remembering.forget_all, by=by))
        live, _ = at_once(acme.password, forget)
        assert isinstance(live, By), live
        assert not acme.open(live)
        assert acme.left() == (0, 0)
