"""Reach, fresh proof, AAL and amr: what each word means, row by row, and all ages of proof against the model."""

import itertools
from collections.abc import Iterator
from dataclasses import replace

import pytest

from nightlatch import assurance
from nightlatch.assurance import bind_reach
from nightlatch.decision import Action, Purpose
from nightlatch.facts import (
    EVERYWHERE,
    NOWHERE,
    Authenticator,
    Facts,
    Proof,
    Reach,
    RecentAct,
    Teammate,
    reach_of,
)
from nightlatch.instants import HOUR, MINUTE
from nightlatch.vocabulary import Method
from tests.pure import model
from tests.pure.cases import (
    FORCE,
    INVITATION,
    NEW,
    NOW,
    OLD,
    RAISED,
    RESET,
    RESET_TICKET,
    TICKET,
    TICKET_A,
    TICKET_B,
    A,
    B,
    C,
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

APP, KEY, CODES = totp(), passkey(), codes()
APP_A, APP_B = totp(104, reach_of(A)), totp(105, reach_of(B))
BOTH = (mate(A), mate(B))


# Relied on, usable, enrolled


@pytest.mark.parametrize(
    "one,relied,usable",
    [
        (APP, True, True),
        (APP_A, True, True),
        (APP_B, False, False),
        (accepted(APP_B, A), True, True),
        (void(APP, A), False, False),
        (void(APP, B), True, True),
        (void(accepted(APP_B, A), A), False, False),
        (suspended(APP, EVERYWHERE), True, False),
        (suspended(APP, reach_of(A)), True, False),
        (suspended(APP, reach_of(B)), True, True),
        (suspended(APP_B, reach_of(A)), False, False),
    ],
)
def test_what_a_workspace_relies_on(one: Authenticator, relied: bool, usable: bool):
    """It reaches it or was accepted, and is not void; suspended is relied on, and not usable."""
    facts = session(has=[one])
    assert assurance.relied(one, A) is relied
    assert assurance.usable(one, A) is usable
    assert assurance.relied_on(facts, A) == ([one] if relied else [])
    assert assurance.usable_on(facts, A) == ([one] if usable else [])
    assert assurance.enrolled([one], A) is relied


@pytest.mark.parametrize(
    "one,relied,usable",
    [
        (APP, True, True),
        (APP_A, True, True),
        (void(APP, A), False, False),
        (suspended(APP, reach_of(C)), True, False),
    ],
)
def test_what_an_account_without_workspaces_relies_on(one: Authenticator, relied: bool, usable: bool):
    """All that is void nowhere; what is suspended anywhere is not taken."""
    facts = session(has=[one], mates=())
    assert bool(assurance.relied_on(facts, None)) is relied
    assert bool(assurance.usable_on(facts, None)) is usable


def test_recovery_codes_alone_are_no_2fa():
    """They stand in for something; they are still relied on, so that losing the rest opens nothing."""
    assert not assurance.enrolled([CODES], A)
    assert assurance.enrolled([CODES, APP], A)
    assert assurance.enrolled([KEY], A)
    assert assurance.relied_on(session(has=[CODES]), A) == [CODES]


def test_the_strongest_method_is_offered_first():
    """And none twice."""
    facts = session(has=[CODES, APP, KEY, APP_A])
    assert assurance.usable_methods(facts, A) == (Method.PASSKEY, Method.TOTP, Method.RECOVERY_CODE)


# Which proofs count


@pytest.mark.parametrize(
    "proof,in_a,in_b,in_no_workspace",
    [
        (password(), True, True, True),
        (provider(A), True, False, False),
        (shown(APP), True, True, True),
        (shown(APP_A), True, False, True),
        (shown(accepted(APP_B, A)), True, True, True),
        (TICKET, False, False, False),
        (TICKET_A, False, False, False),
        (INVITATION, False, False, False),
        (Proof(Method.TOTP, NEW, NOW), False, False, False),
        (Proof(Method.PASSKEY, NEW, NOW), False, False, False),
        (Proof(Method.TOTP, NEW, NOW, 999), False, False, False),
    ],
)
def test_where_a_proof_counts(proof: Proof, in_a: bool, in_b: bool, in_no_workspace: bool):
    """Where what it was given with reaches now; the mailbox is no factor; a second factor names its authenticator."""
    has = [APP, APP_A, accepted(APP_B, A)]
    facts = session(proof, has=has, mates=BOTH)
    assert bool(assurance.counting(facts, A)) is in_a
    assert bool(assurance.counting(facts, B)) is in_b
    assert assurance.counting(facts, C) == []
    assert bool(assurance.counting(replace(facts, teammates=()), None)) is in_no_workspace


def test_sequence_alone_says_what_is_from_before():
    """`valid_after` itself still counts; an instant says nothing (law 12)."""
    for sequence, expected in ((RAISED - 1, False), (RAISED, True), (RAISED + 1, True)):
        for at in (0, NOW):
            facts = session(replace(password(), sequence=sequence, at=at), mates=[mate(A, raised=True)])
            assert bool(assurance.counting(facts, A)) is expected


# Where a new authenticator would reach

KEY_A = passkey(106, reach_of(A))
WIDE_AND_GONE = (password(), shown(APP))


@pytest.mark.parametrize(
    "proofs,has,mates,reach",
    [
        # The very first, with the mailbox
        ((password(), TICKET), [], BOTH, EVERYWHERE),
        ((password(), INVITATION), [], BOTH, EVERYWHERE),
        ((password(), TICKET_A), [], (mate(A),), EVERYWHERE),
        ((password(), TICKET_A), [], BOTH, reach_of(A)),
        ((password(), TICKET_A, TICKET_B), [], BOTH, EVERYWHERE),
        ((provider(A), TICKET), [], BOTH, reach_of(A)),
        ((provider(A), provider(B), TICKET), [], BOTH, Reach(workspaces=frozenset({A, B}))),
        ((password(),), [], BOTH, NOWHERE),
        ((TICKET,), [], BOTH, NOWHERE),
        ((password(), TICKET), [], (), EVERYWHERE),
        ((password(), TICKET_A), [], (), NOWHERE),
        ((password(),), [], (), NOWHERE),
        # A further one, with a second factor
        ((password(), shown(APP)), [APP], BOTH, EVERYWHERE),
        ((password(), shown(CODES)), [APP, CODES], BOTH, EVERYWHERE),
        ((password(),), [APP], BOTH, NOWHERE),
        ((shown(KEY),), [KEY], BOTH, EVERYWHERE),
        ((shown(APP),), [APP], BOTH, NOWHERE),
        ((password(), shown(APP_A)), [APP_A], BOTH, reach_of(A)),
        ((password(), shown(APP_A), TICKET_B), [APP_A], BOTH, Reach(workspaces=frozenset({A, B}))),
        ((password(), shown(APP_A), TICKET), [APP_A], BOTH, Reach(workspaces=frozenset({A, B}))),
        ((password(), shown(APP_A)), [APP_A], (mate(A),), reach_of(A)),
        ((shown(KEY_A), shown(APP)), [KEY_A, APP], (mate(A),), reach_of(A)),
        ((provider(A), shown(APP)), [APP], BOTH, reach_of(A)),
        ((password(), shown(APP)), [APP], (), EVERYWHERE),
        ((password(), shown(APP_A)), [APP_A], (), NOWHERE),
        ((password(), shown(APP), TICKET), [void(APP, A)], (), EVERYWHERE),
        ((password(), shown(APP)), [void(APP, A)], (), NOWHERE),
        ((password(), shown(APP)), [void(APP, A), APP_A], (), NOWHERE),
        ((shown(KEY), TICKET), [void(KEY, A)], (), NOWHERE),
        # Where something is relied on, the mailbox is nothing; suspended is relied on
        ((password(), TICKET, TICKET_A), [APP], BOTH, NOWHERE),
        ((password(), TICKET, TICKET_A), [suspended(APP, EVERYWHERE)], BOTH, NOWHERE),
        ((password(), TICKET), [suspended(APP, reach_of(A))], (), NOWHERE),
        # After a reset
        (WIDE_AND_GONE, [void(APP, A)], (mate(A, reset=RESET), mate(B)), reach_of(B)),
        ((*WIDE_AND_GONE, TICKET_A, TICKET), [void(APP, A)], (mate(A, reset=RESET), mate(B)), reach_of(B)),
        ((*WIDE_AND_GONE, RESET_TICKET), [void(APP, A)], (mate(A, reset=RESET), mate(B)), EVERYWHERE),
        ((password(), RESET_TICKET), [void(APP, A)], (mate(A, reset=RESET), mate(B)), reach_of(A)),
        ((password(), RESET_TICKET), [void(APP, A)], (mate(A, reset=RESET),), reach_of(A)),
        ((password(), RESET_TICKET), [void(APP, A)], (mate(A, reset=RESET + 1),), NOWHERE),
        ((password(), RESET_TICKET), [], (mate(A),), NOWHERE),
        ((password(), replace(RESET_TICKET, source=reach_of(B))), [], (mate(A, reset=RESET),), NOWHERE),
    ],
)
def test_where_what_is_bound_now_reaches(
    proofs: tuple[Proof, ...], has: list[Authenticator], mates: tuple[Teammate, ...], reach: Reach
):
    """A first factor and a second one, or the mailbox, one by one; everywhere only if no workspace is left out."""
    assert bind_reach(session(*proofs, has=has, mates=mates)) == reach


def test_a_workspace_that_asks_again_first_is_left_out():
    """And then it is not everywhere."""
    facts = session(password(), shown(APP), has=[APP], mates=BOTH)
    assert bind_reach(facts, frozenset({A})) == reach_of(B)
    assert bind_reach(facts, frozenset({A, B})) == NOWHERE


@pytest.mark.parametrize("mates", [(), (mate(A),)])
def test_the_mailbox_counts_for_an_hour(mates: tuple[Teammate, ...]):
    """As long as a pending enrolment lives."""
    for age, reach in ((HOUR - 1, EVERYWHERE), (HOUR, NOWHERE)):
        assert bind_reach(session(password(), replace(TICKET, at=NOW - age), mates=mates)) == reach


@pytest.mark.parametrize("ticket,reset", [(TICKET_A, None), (RESET_TICKET, RESET)])
def test_a_link_used_before_a_return_or_a_reset_is_nothing(ticket: Proof, reset: int | None):
    """`valid_after` holds for the mailbox, too."""
    mates = [mate(A, FORCE, raised=True, reset=reset)]
    assert bind_reach(session(password(), ticket, mates=mates))
    assert not bind_reach(session(password(), replace(ticket, sequence=OLD), mates=mates))


# Fresh

KIND = "policy"
AT = [NOW - minutes * MINUTE for minutes in (0, 9, 10, 29, 30)]
ACT = Action(Purpose.WORK, A, fresh=KIND)


def is_fresh(facts: Facts, action: Action = ACT, plane: int | None = A) -> bool:
    """Asked as the gate asks it."""
    return assurance.fresh(
        facts, plane, KIND, action.max_age, recovery=action.recovery, weighty=action.weighty
    )


def _sessions(mates: tuple[Teammate, ...]) -> Iterator[Facts]:
    """Every age of a password and two codes, every set of authenticators, every act before."""
    recents = [None, *(RecentAct(kind, at) for kind in (KIND, "other") for at in AT[:4])]
    sets = [
        [one for one in some if one is not None]
        for some in itertools.product(
            (None, APP, suspended(APP, EVERYWHERE), limited(APP)),
            (None, KEY, limited(KEY)),
            (None, CODES, suspended(CODES, EVERYWHERE)),
        )
    ]
    for has, recent in itertools.product(sets, recents):
        for at in AT:
            proofs = [Proof(Method.PASSWORD, NEW, at)]
            yield replace(session(*proofs, has=has, mates=mates), recent=recent)
            for one in has:
                proof = Proof(one.method, NEW, at, one.id)
                yield replace(session(password(), proof, has=has, mates=mates), recent=recent)


@pytest.mark.parametrize("mates,plane", [((mate(A),), A), ((), None)])
def test_fresh_proof_at_every_age(mates: tuple[Teammate, ...], plane: int | None):
    """Against the model: strength, age, the window that slides, recovery codes, weight."""
    actions = [
        replace(ACT, max_age=max_age, recovery=recovery, weighty=weighty)
        for max_age in (5 * MINUTE, 10 * MINUTE, 20 * MINUTE)
        for recovery, weighty in ((False, False), (True, False), (False, True))
    ]
    seen = {True: 0, False: 0}
    for facts in _sessions(mates):
        for action in actions:
            answer = is_fresh(facts, action, plane)
            assert answer == model.fresh(facts, plane, action), (facts, action)
            seen[answer] += 1
    assert min(seen.values()) > 2_000


@pytest.mark.parametrize(
    "age,before,fresh",
    [
        (0, None, True),
        (10 * MINUTE - 1, None, True),
        (10 * MINUTE, None, False),
        (10 * MINUTE, (KIND, 10 * MINUTE - 1), True),
        (10 * MINUTE, (KIND, 10 * MINUTE), False),
        (10 * MINUTE, ("other", MINUTE), False),
        (30 * MINUTE - 1, (KIND, MINUTE), True),
        (30 * MINUTE, (KIND, MINUTE), False),
        (15 * MINUTE, (KIND, 0), True),
    ],
)
def test_ten_minutes_slide_to_thirty(age: int, before: tuple[str, int] | None, fresh: bool):
    """While acts of the same kind follow each other within ten."""
    recent = RecentAct(before[0], NOW - before[1]) if before else None
    proof = Proof(Method.TOTP, NEW, NOW - age, APP.id)
    assert is_fresh(replace(session(password(), proof, has=[APP]), recent=recent)) is fresh


def test_an_act_before_the_proof_slides_nothing():
    """It had other proof."""
    proof = Proof(Method.TOTP, NEW, NOW - 12 * MINUTE, APP.id)
    facts = session(password(), proof, has=[APP])
    for at, fresh in ((proof.at - 1, False), (proof.at, False), (NOW - 9 * MINUTE, True)):
        assert is_fresh(replace(facts, recent=RecentAct(KIND, at))) is fresh


def test_a_shorter_age_slides_not_at_all():
    """Who asks for five minutes means five."""
    recent = RecentAct(KIND, NOW)
    for age, fresh in ((5 * MINUTE - 1, True), (5 * MINUTE, False)):
        facts = replace(session(Proof(Method.PASSWORD, NEW, NOW - age)), recent=recent)
        assert is_fresh(facts, replace(ACT, max_age=5 * MINUTE)) is fresh


@pytest.mark.parametrize(
    "proof,has,recovery,weighty,fresh",
    [
        (password(), [], False, True, True),
        (provider(A), [], False, True, True),
        (password(), [APP], False, False, False),
        (password(), [suspended(APP, EVERYWHERE)], False, False, False),
        (shown(APP), [APP], False, True, True),
        (shown(APP), [APP, KEY], False, False, False),
        (shown(KEY), [APP, KEY], False, False, True),
        (shown(APP), [APP, suspended(KEY, reach_of(A))], False, False, True),
        (shown(KEY), [APP, suspended(KEY, reach_of(A))], False, False, False),
        (shown(CODES), [APP, CODES], False, False, False),
        (shown(CODES), [APP, CODES], True, False, True),
        (shown(CODES), [suspended(APP, EVERYWHERE), CODES], False, False, True),
        (shown(CODES), [suspended(APP, EVERYWHERE), CODES], False, True, False),
        (shown(CODES), [CODES], False, True, False),
        (shown(APP), [limited(APP), CODES], False, False, True),
        (shown(APP), [limited(APP), CODES], False, True, False),
        (shown(APP), [APP, limited(KEY)], False, True, True),
        (shown(KEY), [APP, limited(KEY)], False, True, False),
        (shown(KEY), [APP, limited(KEY)], False, False, True),
        (shown(APP_B), [APP_A, APP_B], False, False, False),
    ],
)
def test_how_strong_fresh_proof_must_be(
    proof: Proof, has: list[Authenticator], recovery: bool, weighty: bool, fresh: bool
):
    """As the strongest usable thing; for weight, as the strongest that is no recovery code nor came by one."""
    facts = session(proof, has=has, mates=BOTH)
    assert is_fresh(facts, replace(ACT, recovery=recovery, weighty=weighty)) is fresh


@pytest.mark.parametrize(
    "has,recovery,weighty,methods",
    [
        ([], False, False, (Method.PASSWORD,)),
        ([APP, CODES], False, False, (Method.TOTP,)),
        ([APP, CODES], True, False, (Method.TOTP, Method.RECOVERY_CODE)),
        ([APP, KEY, CODES], False, False, (Method.PASSKEY,)),
        ([APP, KEY, CODES], True, False, (Method.PASSKEY, Method.TOTP, Method.RECOVERY_CODE)),
        ([limited(KEY), APP, CODES], False, True, (Method.TOTP,)),
        ([CODES], False, False, (Method.RECOVERY_CODE,)),
        ([CODES], False, True, ()),
        ([suspended(APP, EVERYWHERE)], False, False, ()),
    ],
)
def test_what_is_offered_for_fresh_proof(
    has: list[Authenticator], recovery: bool, weighty: bool, methods: tuple[Method, ...]
):
    """Only what would be enough: nobody is asked for a code that then does not do."""
    facts = session(password(), has=has)
    assert assurance.fresh_methods(facts, A, recovery=recovery, weighty=weighty) == methods


@pytest.mark.parametrize(
    "proofs,has,expected",
    [
        ((password(),), [], False),
        ((password(), shown(APP)), [APP], False),
        ((password(), shown(CODES)), [APP, CODES], True),
        ((password(), shown(CODES), shown(APP)), [APP, CODES], False),
        ((password(), shown(APP)), [limited(APP)], True),
        ((password(), shown(APP), shown(KEY)), [limited(APP), KEY], False),
        ((password(), shown(APP_B)), [APP_A, APP_B], True),
        ((password(), shown(APP)), [replace(APP, limited_until=NOW)], False),
        ((password(), shown(APP)), [replace(APP, limited_until=NOW + 1)], True),
    ],
)
def test_what_a_recovery_code_opened_is_limited(
    proofs: tuple[Proof, ...], has: list[Authenticator], expected: bool
):
    """Beside a sufficient second factor it limits nothing; after 24 hours what it bound is like any other."""
    assert assurance.limited(session(*proofs, has=has, mates=BOTH), A) is expected


# What others are told


@pytest.mark.parametrize(
    "proofs,aal,amr",
    [
        ((), 0, []),
        ((TICKET,), 0, []),
        ((shown(APP),), 0, ["otp"]),
        ((password(),), 1, ["pwd"]),
        ((provider(A),), 1, []),
        ((password(), shown(APP)), 2, ["otp", "pwd", "mfa"]),
        ((provider(A), shown(APP)), 2, ["otp", "mfa"]),
        ((shown(KEY),), 2, ["hwk", "mfa"]),
        ((password(), shown(CODES)), 2, ["pwd", "urn:nightlatch:amr:recovery", "mfa"]),
        ((password(), shown(APP_B)), 1, ["pwd"]),
        ((password(old=True), shown(APP)), 0, ["otp"]),
    ],
)
def test_the_level_is_of_what_counts_here(proofs: tuple[Proof, ...], aal: int, amr: list[str]):
    """NIST SP 800-63B-4 2.2.1: two distinct factors are AAL2 (RFC 8176 names them)."""
    facts = session(*proofs, has=[APP, KEY, CODES, APP_B], mates=[mate(A, raised=True), mate(B)])
    assert assurance.aal(facts, A) == aal
    assert assurance.amr(facts, A) == amr
