"""The one decision, for the ways in beside password and app: a table to read. Combined: test_every_combination.py.

Passkeys required (`Mandate.resistant_from`), single sign-on (`Proof.connection`), remembered browsers
(`Method.REMEMBERED`).
"""

from dataclasses import replace

import pytest

from nightlatch.access import decide, enrol_reach
from nightlatch.decision import ALLOW, Action, Challenge, Decision, Deny, Enrol
from nightlatch.facts import EVERYWHERE, Facts, reach_of
from nightlatch.instants import MINUTE
from nightlatch.policy import Mandate
from nightlatch.vocabulary import Evidence, Method, Reason, Role
from tests.pure import journeys, ways
from tests.pure.cases import (
    ASK_A,
    CHANGE,
    ENROL,
    ENROL_A,
    FORCE,
    FRESH_A,
    NOW,
    OFF,
    READ,
    RENAME,
    RESET,
    RESET_TICKET,
    SECOND,
    TICKET_A,
    USE_A,
    USE_B,
    WEIGHTY_A,
    A,
    B,
    limited,
    mate,
    passkey,
    password,
    session,
    shown,
    suspended,
)
from tests.pure.ways import APP, CODES, KEY, KEYS, KEYS_LATER, known, remembering, sso, sso_only, touched

STRONG = (mate(A, KEYS),)
REMEMBERS = (remembering(),)


def must(reason: Reason, *methods: Method) -> Challenge:
    """Show one of these first, in A."""
    return Challenge(reason, methods, workspace=A)


def again(*methods: Method) -> Challenge:
    """Show one of these anew, in A."""
    return Challenge(Reason.FRESHNESS, methods, max_age=10 * MINUTE, workspace=A)


def set_up(reason: Reason, needs: str | None = None) -> Enrol:
    """Set up first, in A."""
    return Enrol(reason, needs, A)


SHOW_KEY = must(Reason.STRENGTH, Method.PASSKEY)
by_app = session(password(), shown(APP), has=[APP], mates=STRONG)
by_app_beside_key = session(password(), shown(APP), has=[APP, KEY], mates=STRONG)
by_code = session(password(), shown(CODES), has=[APP, KEY, CODES], mates=STRONG)
key_gone = session(password(), shown(APP), has=[APP, suspended(KEY, EVERYWHERE)], mates=STRONG)
remembered = session(password(), known(), has=[APP], mates=REMEMBERS)
accepted = sso(A, Evidence.SECOND)
exempt = sso(A, Evidence.EXEMPT)
long_ago = sso(A, Evidence.SECOND, minutes=61)

NEEDS_FIRST = must(Reason.FIRST_FACTOR, Method.PASSWORD)
NEEDS_WIDE = replace(NEEDS_FIRST, workspace=None)
NEEDS_PROVIDER = must(Reason.FIRST_FACTOR, Method.PROVIDER)
NEEDS_APP = must(Reason.SECOND_FACTOR, Method.TOTP)
NEEDS_KEY = must(Reason.SECOND_FACTOR, Method.PASSKEY)
NEEDS_KEY_OR_CODE = must(Reason.SECOND_FACTOR, Method.PASSKEY, Method.RECOVERY_CODE)
SET_UP_KEY = set_up(Reason.STRENGTH)
BY_MAIL = Deny(Reason.MAIL_PROOF)
IN_FORCE, WAS_RESET = (mate(A, FORCE),), (mate(A, FORCE, reset=RESET),)
touched_where_required = session(password(), touched(KEY), has=[KEY], mates=STRONG)
old_app = session(password(), shown(APP, old=True), has=[APP], mates=STRONG)
by_new_key = session(password(), shown(CODES), shown(KEY), has=[limited(KEY), CODES], mates=STRONG)
came_just_now, came_long_ago = session(sso(), mates=IN_FORCE), session(sso(minutes=61), mates=IN_FORCE)
asked_long_ago = session(long_ago, mates=IN_FORCE)
before_return = session(sso(A, Evidence.SECOND, old=True), mates=[mate(A, raised=True)])
came_before = session(password(), sso(old=True), mates=[sso_only()])
exempt_with_app = session(exempt, has=[APP], mates=IN_FORCE)
owner = sso_only(role=Role.OWNER)
by_the_door = session(password(), mates=[owner])
door_spared = session(password(), known(), has=[APP], mates=[replace(owner, remembers=True)])
door_reset = session(password(), mates=[replace(owner, reset=RESET)])
known_alone = session(known(), has=[APP], mates=REMEMBERS)
unwanted = session(password(), known(), has=[APP])
in_force_now = replace(remembered, teammates=(replace(mate(A, FORCE), remembers=True),))
announced = replace(remembered, teammates=(replace(mate(A, Mandate(NOW + 1)), remembers=True),))
elsewhere = replace(remembered, teammates=(remembering(B),))
before_reset = session(password(), known(old=True), has=[APP], mates=[remembering(raised=True)])

TABLE: list[tuple[str, Facts, Action, Decision]] = [
    # A passkey that was only touched
    ("touched, a passkey is a second factor", session(password(), touched(KEY), has=[KEY]), USE_A, ALLOW),
    ("and no first one", session(touched(KEY), has=[KEY]), USE_A, NEEDS_FIRST),
    ("nor does it let guess at another", session(touched(KEY), has=[KEY]), SECOND, NEEDS_WIDE),
    ("nor is it one that reaches everywhere", session(touched(KEY), sso(), has=[KEY]), RENAME, NEEDS_WIDE),
    ("verified, it is both", session(shown(KEY), has=[KEY], mates=STRONG), USE_A, ALLOW),
    ("touched, it is phishing-resistant all the same", touched_where_required, USE_A, ALLOW),
    # Passkeys required
    ("announced, it changes nothing yet", replace(by_app, teammates=(mate(A, KEYS_LATER),)), USE_A, ALLOW),
    ("nor does a strength without its mandate", replace(by_app, teammates=(mate(A, ways.BOTH_LATER),)), USE_A, ALLOW),
    ("in force, who has no passkey sets one up", by_app, USE_A, SET_UP_KEY),
    ("and may, by the app just shown", by_app, ENROL_A, ALLOW),
    ("not by one of long ago", old_app, ENROL_A, again(Method.TOTP)),
    ("meanwhile they read their account", by_app, READ, ALLOW),
    ("and change nothing in it", by_app, CHANGE, SET_UP_KEY),
    ("who has one shows it", by_app_beside_key, USE_A, SHOW_KEY),
    ("an app binds nothing beside it", by_app_beside_key, ENROL_A, SHOW_KEY),
    ("it is asked for at once, not the app", session(password(), has=[APP, KEY], mates=STRONG), USE_A, NEEDS_KEY),
    ("or what recovers", session(password(), has=[APP, KEY, CODES], mates=STRONG), USE_A, NEEDS_KEY_OR_CODE),
    ("who has only an app shows that first", session(password(), has=[APP], mates=STRONG), USE_A, NEEDS_APP),
    ("who has nothing sets up as ever", session(password(), mates=STRONG), USE_A, set_up(Reason.MANDATE, "mail")),
    ("a recovery code does not stand in for it", by_code, USE_A, SET_UP_KEY),
    ("but lets its owner set up a new one", by_code, ENROL_A, ALLOW),
    ("which opens", journeys.bind(by_code, ENROL_A, Method.PASSKEY), USE_A, ALLOW),
    ("and changes nothing weighty for a day", by_new_key, WEIGHTY_A, Deny(Reason.RECOVERY_LIMIT)),
    ("suspended, it is not stepped over", key_gone, USE_A, must(Reason.SUSPENDED)),
    ("not by another one either", key_gone, ENROL_A, must(Reason.SUSPENDED)),
    # Single sign-on
    ("a sign-in at the provider is a first factor", session(sso()), USE_A, ALLOW),
    ("there alone", session(sso(), mates=(mate(A), mate(B))), USE_B, replace(NEEDS_FIRST, workspace=B)),
    ("not one from before a reset or a return", before_return, USE_A, NEEDS_FIRST),
    ("what is bound is asked for all the same", session(sso(), has=[APP]), USE_A, NEEDS_APP),
    ("not from those whose provider asked already", session(accepted, has=[APP]), USE_A, ALLOW),
    ("who owes 2FA sets up, on the provider's fresh word", came_just_now, USE_A, set_up(Reason.MANDATE)),
    ("or signs in there anew", came_long_ago, USE_A, set_up(Reason.MANDATE, "idp")),
    ("until then it binds nothing", came_long_ago, ENROL_A, BY_MAIL),
    ("nor does its second factor of long ago", asked_long_ago, ENROL_A, BY_MAIL),
    ("which opens", asked_long_ago, USE_A, ALLOW),
    ("after a reset no provider binds", session(sso(), mates=WAS_RESET), ENROL_A, BY_MAIL),
    ("nor its second factor", session(accepted, mates=WAS_RESET), ENROL_A, BY_MAIL),
    ("the ticket does", session(sso(), RESET_TICKET, mates=WAS_RESET), ENROL_A, ALLOW),
    ("who is exempt is not asked", session(exempt, mates=[mate(A, FORCE)]), USE_A, ALLOW),
    ("nor for a passkey", session(exempt, shown(APP), has=[APP], mates=STRONG), USE_A, ALLOW),
    ("but shows what is bound", exempt_with_app, USE_A, NEEDS_APP),
    ("the provider's second factor is no passkey", session(accepted, mates=STRONG), USE_A, SET_UP_KEY),
    ("its phishing-resistant one is as good", session(sso(A, Evidence.RESISTANT), mates=STRONG), USE_A, ALLOW),
    ("required, the password is none there", session(password(), mates=[sso_only()]), USE_A, NEEDS_PROVIDER),
    ("nor is a passkey", session(shown(KEY), has=[KEY], mates=[sso_only()]), USE_A, NEEDS_PROVIDER),
    ("the owner keeps the emergency door", session(password(), shown(APP), has=[APP], mates=[owner]), USE_A, ALLOW),
    ("which takes 2FA", session(password(), has=[APP], mates=[owner]), USE_A, NEEDS_APP),
    ("in a remembered browser, too", door_spared, USE_A, NEEDS_APP),
    ("who has none comes by the provider", by_the_door, USE_A, NEEDS_PROVIDER),
    ("or after a reset sets it up again", door_reset, USE_A, set_up(Reason.RESET, "mail")),
    ("fresh is the provider again", came_before, FRESH_A, again(Method.PROVIDER)),
    # Remembered browsers
    ("it spares the second step", remembered, USE_A, ALLOW),
    ("not the first", known_alone, USE_A, NEEDS_FIRST),
    ("nor where browsers are not remembered", unwanted, USE_A, NEEDS_APP),
    ("nor where 2FA is required", in_force_now, USE_A, NEEDS_APP),
    ("nor from when that is announced", announced, USE_A, NEEDS_APP),
    ("nor in another workspace", elsewhere, USE_B, replace(NEEDS_APP, workspace=B)),
    ("it is no fresh proof", remembered, FRESH_A, again(Method.TOTP)),
    ("and binds nothing", remembered, ENROL_A, again(Method.TOTP)),
    ("nor from before a reset", before_reset, USE_A, NEEDS_APP),
]  # fmt: skip


@pytest.mark.parametrize("facts,action,decision", [row[1:] for row in TABLE], ids=[row[0] for row in TABLE])
def test_the_table(facts: Facts, action: Action, decision: Decision):
    """Situation by situation."""
    assert decide(facts, action) == decision


def test_what_a_provider_vouched_for_reaches_its_workspace_alone():
    """A password beside it makes a first binding no wider: no mailbox was shown."""
    facts = session(password(), sso(), mates=[mate(A, FORCE)])
    assert enrol_reach(facts, ENROL) == reach_of(A)
    mailed = replace(facts, proofs=(*facts.proofs, TICKET_A))
    assert enrol_reach(mailed, ENROL) == EVERYWHERE


def test_the_strength_holds_from_its_very_instant():
    """The instant alone decides."""
    for offset, opens in ((1, True), (0, False), (-1, False)):
        there = replace(by_app, teammates=(mate(A, Mandate(NOW - 1, resistant_from=NOW + offset)),))
        assert (decide(there, USE_A) == ALLOW) is opens


def test_a_ticket_is_nothing_for_who_has_an_app_but_no_passkey():
    """Their way is the app they have, not their mailbox."""
    facts = session(password(), has=[APP], mates=STRONG)
    assert decide(facts, ASK_A) == must(Reason.SECOND_FACTOR, Method.TOTP)
    assert decide(replace(facts, proofs=(password(), TICKET_A)), ENROL_A) == must(
        Reason.SECOND_FACTOR, Method.TOTP
    )


def test_a_passkey_of_another_workspace_is_none_here():
    """What A does not rely on does not satisfy A."""
    elsewhere = passkey(105, reach_of(B))
    facts = session(
        password(),
        shown(APP),
        shown(elsewhere),
        has=[APP, elsewhere],
        mates=[mate(A, KEYS), mate(B, OFF)],
    )
    assert decide(facts, USE_A) == set_up(Reason.STRENGTH)
    assert decide(facts, USE_B) == ALLOW
