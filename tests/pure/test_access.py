"""The one decision: a table to read, then chance. Every combination: test_every_combination.py.

The table is documentation (docs/decisions/0002-one-pure-decision.md shows its essence). What the enumerations leave out
(ages, more of everything) is searched by hypothesis.
"""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from nightlatch import instants
from nightlatch.access import decide, decide_account, decide_workspace
from nightlatch.decision import ALLOW, Action, Allow, Challenge, Decision, Deny, Enrol, Purpose
from nightlatch.facts import EVERYWHERE, NOWHERE, Facts, Proof, Teammate, reach_of
from nightlatch.instants import MINUTE
from nightlatch.policy import ManagedBy, Mandate
from nightlatch.vocabulary import Method, Permission, Reason, Role
from tests.pure import cases, journeys, model
from tests.pure.cases import (
    ASK,
    ASK_A,
    CHANGE,
    END_SESSIONS,
    ENROL,
    ENROL_A,
    FIRST,
    FORCE,
    FRESH_A,
    INVITATION,
    JOIN,
    NOW,
    OFF,
    OLD,
    READ,
    RENAME,
    REPLACE,
    RESET,
    RESET_TICKET,
    SCHEDULED,
    SECOND,
    TICKET,
    TICKET_A,
    TICKET_B,
    UNBIND_A,
    UNBIND_B,
    USE_A,
    USE_B,
    WEIGHTY_A,
    A,
    B,
    accepted,
    codes,
    limited,
    mate,
    passkey,
    password,
    provider,
    session,
    shown,
    suspended,
    totp,
    void,
)
from tests.pure.looking import PROPERTIES

MANY = settings(max_examples=max(settings().max_examples, 300))

APP = totp()
KEY = passkey()
CODES = codes()
APP_A, APP_B = totp(104, reach_of(A)), totp(105, reach_of(B))
CODES_A = codes(106, reach_of(A))
BOTH = (mate(A), mate(B))
OPEN = Action(Purpose.OPEN)
SEE = Action(Purpose.SESSION)
AT_ONCE = replace(FRESH_A, max_age=instants.seconds(30))
NOTHING = Action(Purpose.CHANGE, fresh="account", reach=NOWHERE)
GUESS = Action(Purpose.WORK, A, permission=Permission.MANAGE_AUTHENTICATION)
NOBODY = Facts(NOW)


def must(reason: Reason, *methods: Method, at: int | None = None) -> Challenge:
    """Show one of these first."""
    return Challenge(reason, methods, workspace=at)


def again(*methods: Method, at: int | None = A) -> Challenge:
    """Show one of these anew."""
    return Challenge(Reason.FRESHNESS, methods, max_age=10 * MINUTE, workspace=at)


NEEDS_FIRST = must(Reason.FIRST_FACTOR, Method.PASSWORD, at=A)
NEEDS_FIRST_B = must(Reason.FIRST_FACTOR, Method.PASSWORD, at=B)
NEEDS_APP = must(Reason.SECOND_FACTOR, Method.TOTP, at=A)
NEEDS_APP_B = must(Reason.SECOND_FACTOR, Method.TOTP, at=B)
NEEDS_WIDE = must(Reason.FIRST_FACTOR, Method.PASSWORD)
WAITS = must(Reason.SUSPENDED, at=A)
IDLE = must(Reason.IDLE, Method.PASSWORD)
SET_UP_BY_MAIL = Enrol(Reason.MANDATE, "mail", A)
SET_UP = Enrol(Reason.MANDATE, None, A)
AFTER_RESET = Enrol(Reason.RESET, "mail", A)
BY_MAIL = Deny(Reason.MAIL_PROOF)

in_force, was_reset = (mate(A, FORCE),), (mate(A, FORCE, reset=RESET, raised=True),)
stranger, signed_in = session(), session(password())
has_app = session(password(), has=[APP])
shown_app = session(password(), shown(APP), has=[APP])
mandated = session(password(), mates=in_force)
old_app = session(password(), shown(APP, old=True), has=[APP])
by_code = session(password(), shown(CODES), has=[APP, CODES])
beside_suspended = session(*old_app.proofs, shown(CODES), has=[suspended(APP, EVERYWHERE), CODES])
old_app_and_codes = replace(old_app, authenticators=(APP, CODES))
locked = session(password(), has=[suspended(APP, EVERYWHERE)], mates=in_force)
reset_a = session(password(), has=[void(APP, A)], mates=was_reset)
two = session(password(), has=[APP_A, APP_B], mates=BOTH)
open_a = replace(two, proofs=(password(), shown(APP_A)))
accepts = session(password(), shown(APP_B), has=[accepted(APP_B, A)], mates=BOTH)
half_by_code = session(password(), shown(APP_B), shown(CODES_A), has=[APP_A, CODES_A, APP_B], mates=BOTH)
nowhere = session(password(), has=[APP], mates=())
nowhere_void = session(password(), has=[void(APP, A)], mates=())

TABLE: list[tuple[str, Facts, Action, Decision]] = [
    # The front door
    ("nobody may look at the sign-in page", NOBODY, OPEN, ALLOW),
    ("nobody may do anything else", NOBODY, USE_A, must(Reason.NO_SESSION)),
    ("an idle session must show the password", replace(shown_app, idle=True), USE_A, IDLE),
    ("and may", replace(shown_app, idle=True), FIRST, ALLOW),
    ("and may sign out", replace(shown_app, idle=True), SEE, ALLOW),
    ("a workspace of others is not there", signed_in, USE_B, Deny(Reason.NOT_A_TEAMMATE)),
    ("nor is it for an idle session", replace(signed_in, idle=True), USE_B, Deny(Reason.NOT_A_TEAMMATE)),
    # Used, not owned
    ("without 2FA a password opens", signed_in, USE_A, ALLOW),
    ("with 2FA it does not, mandate or none", has_app, USE_A, NEEDS_APP),
    ("with a code it does", shown_app, USE_A, ALLOW),
    ("a passkey is both factors", session(shown(KEY), has=[KEY], mates=in_force), USE_A, ALLOW),
    ("a recovery code opens", by_code, USE_A, ALLOW),
    ("a code without the password is not asked for", stranger, SECOND, NEEDS_WIDE),
    ("a code from what was unbound is nothing", session(password(), shown(APP), mates=in_force), USE_A, SET_UP_BY_MAIL),
    # The mandate
    ("announced, it changes nothing yet", session(password(), mates=[mate(A, SCHEDULED)]), USE_A, ALLOW),
    ("in force, who has no 2FA sets it up", mandated, USE_A, SET_UP_BY_MAIL),
    ("who has 2FA shows it", session(password(), has=[APP], mates=in_force), USE_A, NEEDS_APP),
    ("meanwhile they may read their account", mandated, READ, ALLOW),
    ("but not change it", mandated, CHANGE, SET_UP_BY_MAIL),
    ("nor join another workspace", mandated, JOIN, SET_UP_BY_MAIL),
    # A first binding takes two things
    ("the first factor alone does not bind", mandated, ENROL_A, BY_MAIL),
    ("but asks for the link", mandated, ASK_A, ALLOW),
    ("used, it binds", session(password(), TICKET_A, mates=in_force), ENROL_A, ALLOW),
    ("and nothing is missing any more", session(password(), TICKET_A, mates=in_force), USE_A, SET_UP),
    ("the invitation is a mailed link, too", session(password(), INVITATION, mates=in_force), ENROL_A, ALLOW),
    ("so is one that names no workspace", session(password(), TICKET, mates=in_force), ENROL_A, ALLOW),
    ("not one for another workspace", session(password(), TICKET_B, mates=in_force), ENROL_A, BY_MAIL),
    ("nor the link alone", session(TICKET_A, mates=in_force), ENROL_A, NEEDS_FIRST),
    ("where something is bound, the link is nothing", session(password(), TICKET_A, has=[APP]), ENROL_A, NEEDS_APP),
    ("nor asked for", has_app, ASK_A, NEEDS_APP),
    # Suspended is not unbound
    ("suspended: no code is taken; recover", locked, USE_A, WAITS),
    ("and it opens no enrolment", locked, ENROL_A, WAITS),
    ("nor a ticket", locked, ASK_A, WAITS),
    # After "Disable 2FA"
    ("after a reset they set up again", reset_a, USE_A, AFTER_RESET),
    ("the old code is nothing there", replace(reset_a, proofs=(password(), shown(APP))), USE_A, AFTER_RESET),
    ("a proof from before it neither", replace(reset_a, proofs=(password(old=True),)), USE_A, NEEDS_FIRST),
    ("its own ticket binds", replace(reset_a, proofs=(password(), RESET_TICKET)), ENROL_A, ALLOW),
    ("no other one does", replace(reset_a, proofs=(password(), TICKET_A, TICKET)), ENROL_A, BY_MAIL),
    ("nor a provider", replace(reset_a, proofs=(provider(A),)), ENROL_A, BY_MAIL),
    ("elsewhere the old one is as good as ever", replace(reset_a, teammates=BOTH), USE_B, NEEDS_APP_B),
    # Permission and freshness come last
    ("a member may not", shown_app, GUESS, Deny(Reason.PERMISSION)),
    ("who must show a code hears that first", has_app, GUESS, NEEDS_APP),
    ("a weighty act wants a fresh code", old_app, WEIGHTY_A, again(Method.TOTP)),
    ("not a fresh password", session(password(), shown(APP, old=True), has=[APP]), FRESH_A, again(Method.TOTP)),
    ("a password is enough where nothing is bound", signed_in, WEIGHTY_A, ALLOW),
    ("if it is fresh", session(password(old=True)), WEIGHTY_A, again(Method.PASSWORD)),
    ("as fresh as the act says", shown_app, AT_ONCE, replace(again(Method.TOTP), max_age=AT_ONCE.max_age)),
    ("the strongest is asked for", session(password(), shown(APP), has=[APP, KEY]), FRESH_A, again(Method.PASSKEY)),
    ("a recovery code opens, and is not enough for weight", by_code, WEIGHTY_A, Deny(Reason.RECOVERY_LIMIT)),
    ("nor what it bound", session(password(), shown(APP), has=[limited(APP)]), WEIGHTY_A, Deny(Reason.RECOVERY_LIMIT)),
    ("nor for an act on the account", by_code, CHANGE, Deny(Reason.RECOVERY_LIMIT)),
    ("nor beside an app that is suspended", beside_suspended, WEIGHTY_A, again()),
    ("which it opens for lighter things", beside_suspended, FRESH_A, ALLOW),
    ("nor is it fresh where an app is in use", by_code, FRESH_A, again(Method.TOTP)),
    ("but it replaces what was lost", by_code, REPLACE, ALLOW),
    ("or an app does", old_app_and_codes, REPLACE, again(Method.TOTP, Method.RECOVERY_CODE)),
    ("and adds nothing", by_code, ENROL, again(Method.TOTP)),
    # Two workspaces
    ("each asks for its own", two, USE_B, NEEDS_APP_B),
    ("and opens to its own", open_a, USE_B, NEEDS_APP_B),
    ("a provider signs in to its own", session(provider(A), mates=BOTH), USE_B, NEEDS_FIRST_B),
    ("not from before a return", session(provider(A, old=True), mates=[mate(A, raised=True)]), USE_A, NEEDS_FIRST),
    ("what one accepts counts there", accepts, USE_A, ALLOW),
    ("the account is open when one is", open_a, READ, ALLOW),
    ("what touches one needs that one", open_a, UNBIND_A, ALLOW),
    ("and not another", open_a, UNBIND_B, NEEDS_APP_B),
    ("what touches the account needs all", open_a, RENAME, NEEDS_APP_B),
    ("and a first factor that reaches all", session(provider(A)), RENAME, NEEDS_WIDE),
    ("what reaches nothing and wants fresh proof needs all", open_a, NOTHING, NEEDS_APP_B),
    ("each of them without the limits of a recovery code", half_by_code, CHANGE, Deny(Reason.RECOVERY_LIMIT)),
    ("ending sessions needs only an open account", session(provider(A)), END_SESSIONS, ALLOW),
    # No workspace at all
    ("in no workspace all that is bound is asked for", nowhere, READ, must(Reason.SECOND_FACTOR, Method.TOTP)),
    ("an invitation is accepted by the first factor", nowhere, JOIN, ALLOW),
    ("what a reset made void is not asked for", nowhere_void, READ, ALLOW),
    ("then the mailbox may be asked for", nowhere_void, ASK, ALLOW),
    ("and binds again", replace(nowhere_void, proofs=(password(), TICKET)), ENROL, ALLOW),
]  # fmt: skip


@pytest.mark.parametrize("facts,action,decision", [row[1:] for row in TABLE], ids=[row[0] for row in TABLE])
def test_the_table(facts: Facts, action: Action, decision: Decision):
    """Situation by situation, in the order of the story."""
    assert decide(facts, action) == decision


# Sessions and roles


def _some() -> Iterator[Facts]:
    for number, ground in enumerate([*cases.one_workspace(), *cases.two_workspaces()]):
        if number % 11 == 0:
            yield from (facts for _, facts in ground.cases())


def test_without_a_session_everything_is_refused():
    """Whatever is bound or shown: only what needs nobody is allowed."""
    for facts in _some():
        gone = replace(facts, account=None)
        assert decide(gone, OPEN) == ALLOW
        assert all(decide(gone, action) == must(Reason.NO_SESSION) for action in [*cases.ACTIONS, SEE, FIRST])


def test_an_idle_session_shows_its_first_factor_and_nothing_else():
    """Seeing the session, signing out and the first factor: no more, and no workspace of others is given away."""
    for facts in _some():
        idle = replace(facts, idle=True)
        here = {each.workspace for each in facts.teammates}
        assert all(decide(idle, action) == ALLOW for action in (OPEN, SEE, FIRST))
        for action in cases.ACTIONS:
            foreign = action.workspace is not None and action.workspace not in here
            assert decide(idle, action) == (Deny(Reason.NOT_A_TEAMMATE) if foreign else IDLE)
        assert all(decide_workspace(idle, workspace) == IDLE for workspace in here)


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("permission", Permission)
@pytest.mark.parametrize("managed_by", ManagedBy)
def test_permission_is_asked_after_the_factors_and_before_freshness(
    role: Role, permission: Permission, managed_by: ManagedBy
):
    """Every role and permission, in sessions of every kind."""
    act = Action(Purpose.WORK, A, permission=permission, fresh="x", weighty=True)
    for mandate in (Mandate(None, managed_by), Mandate(NOW, managed_by)):
        membership = replace(mate(A, mandate), role=role)
        for facts in (stranger, signed_in, has_app, shown_app, old_app, by_code, locked):
            there = replace(facts, teammates=(membership,))
            reason = model.refusal_at_work(there, act)
            assert decide(there, act).reason == (reason or Reason.ALLOWED)


def test_an_action_of_no_workspace_is_no_work():
    """WORK without its plane is a mistake, and refused."""
    assert decide(shown_app, Action(Purpose.WORK)) == Deny(Reason.NOT_A_TEAMMATE)


def test_the_mandate_holds_from_its_very_instant():
    """The instant alone decides."""
    for offset, opens in ((1, True), (0, False), (-1, False)):
        facts = session(password(), mates=[mate(A, Mandate(NOW + offset))])
        assert isinstance(decide(facts, USE_A), Allow) is opens


@pytest.mark.parametrize(
    "proofs,has,says",
    [
        ((), [APP_B], Reason.FIRST_FACTOR),
        ((password(),), [suspended(APP_A, reach_of(A)), APP_B], Reason.SECOND_FACTOR),
        ((provider(A),), [suspended(APP_A, reach_of(A))], Reason.FIRST_FACTOR),
        ((provider(A),), [APP_A], Reason.SECOND_FACTOR),
        ((password(),), [APP_B], Reason.ALLOWED),
        ((password(), shown(APP_B)), [APP_A, APP_B], Reason.ALLOWED),
    ],
)
def test_the_account_says_what_is_nearest(proofs: tuple[Proof, ...], has: list, says: Reason):
    """Of several closed workspaces, the one speaks that one step would open; the suspended one last."""
    facts = session(*proofs, has=has, mates=BOTH)
    for turned in (facts, replace(facts, teammates=facts.teammates[::-1])):
        assert decide_account(turned).reason is says


def test_setting_up_comes_before_a_second_step_elsewhere():
    """A `challenge` session may set up where a workspace says Enrol, and read its account."""
    facts = session(password(), has=[APP_B], mates=[mate(A, FORCE), mate(B)])
    assert decide_account(facts) == SET_UP_BY_MAIL
    assert decide(facts, ASK) == decide(facts, ASK_A) == ALLOW
    assert decide(facts, RENAME) == NEEDS_APP_B


def test_a_refused_act_on_the_account_tells_the_second_step_before_the_enrolment():
    """The order of refusals holds across workspaces, too, whichever comes first."""
    mates = (mate(A, FORCE), mate(B))
    for turned in (mates, mates[::-1]):
        facts = session(password(), has=[APP_B], mates=turned)
        assert decide(facts, CHANGE) == NEEDS_APP_B


def test_a_ticket_binds_on_the_quiet_nowhere_else():
    """B's ticket binds in B; A, whose code was shown long ago, is left out and asks again (nobody was asked for it)."""
    has_a = session(
        password(), shown(APP_A, old=True), TICKET_B, has=[APP_A], mates=[mate(A), mate(B, FORCE)]
    )
    assert decide(has_a, ENROL.at(B)) == decide(has_a, ENROL) == ALLOW
    bound = journeys.bind(has_a, ENROL)
    assert bound.authenticators[-1].reach == reach_of(B)
    assert decide(has_a, ENROL_A) == again(Method.TOTP)


def test_fresh_proof_is_asked_where_it_can_be_given():
    """Of two places that both ask again, not the one in which all is suspended."""
    shown_long_ago = (password(), shown(APP_A, old=True), shown(APP_B, old=True))
    for here, there in ((suspended(APP_A, EVERYWHERE), APP_B), (APP_A, suspended(APP_B, EVERYWHERE))):
        facts = session(*shown_long_ago, has=[here, there], mates=BOTH)
        assert decide(facts, ENROL) == again(Method.TOTP, at=A if here is APP_A else B)


def test_early_proof_counts_elsewhere():
    """What raised `valid_after` in A is nothing to B (sequence decides, not the instant)."""
    late = replace(password(), sequence=OLD)
    facts = session(late, mates=[mate(A, OFF, raised=True), mate(B)])
    assert decide(facts, USE_A) == NEEDS_FIRST
    assert decide(facts, USE_B) == ALLOW


# Chance


@given(cases.any_facts, cases.any_action)
@MANY
def test_every_property_by_chance(facts: Facts, action: Action):
    """Ages, several of everything, and shapes that no enumeration names."""
    answers = [(action, decide(facts, action))]
    for holds in PROPERTIES.values():
        holds(facts, answers)


@given(cases.any_facts, cases.any_action)
@MANY
def test_nobody_is_sent_in_circles(facts: Facts, action: Action):
    """Doing as one is told ends."""
    journeys.leads_somewhere(facts, action)


@given(cases.any_facts, cases.any_proofs, cases.any_action)
@MANY
def test_more_proof_never_hurts_by_chance(facts: Facts, more: tuple[Proof, ...], action: Action):
    """Any proofs of any session, added."""
    if isinstance(decide(facts, action), Allow):
        assert isinstance(decide(replace(facts, proofs=facts.proofs + more), action), Allow)


@given(
    facts=cases.any_facts,
    mate_of_a=cases.any_mate[A],
    proofs=cases.any_proofs,
    marks=st.tuples(*[st.booleans()] * 8),
    action=st.sampled_from(cases.IN_B),
)
@MANY
def test_whatever_a_does_b_decides_the_same(
    facts: Facts,
    mate_of_a: Teammate | None,
    proofs: tuple[Proof, ...],
    marks: tuple[bool, ...],
    action: Action,
):
    """A resets, accepts, mandates, changes a role, removes, and mails and signs in its own: B sees nothing of it."""
    in_b = facts.teammate(B)
    assume(in_b is not None)
    toggled = tuple(
        replace(
            one,
            void=one.void ^ {A} if marks[number] else one.void,
            accepted=one.accepted ^ {A} if marks[number + 4] else one.accepted,
        )
        for number, one in enumerate(facts.authenticators)
    )
    changed = replace(
        facts,
        teammates=tuple(each for each in (mate_of_a, in_b) if each is not None),
        authenticators=toggled,
        proofs=facts.proofs + tuple(one for one in proofs if one.source == reach_of(A)),
    )
    assert decide(changed, action) == decide(facts, action)
