"""What must hold of every decision, whatever the facts: functions that assert, for enumeration and for chance."""

from collections.abc import Sequence
from dataclasses import replace

from nightlatch.access import decide, enrol_reach
from nightlatch.assurance import bind_reach
from nightlatch.decision import ALLOW, Action, Allow, Challenge, Decision, Deny, Enrol, Purpose
from nightlatch.facts import NOWHERE, Authenticator, Facts, Teammate, reach_of
from nightlatch.vocabulary import Reason
from tests.pure import cases, model

Answers = Sequence[tuple[Action, Decision]]
"""What was decided on some facts, action by action."""

# Allow never below what is required


def allows_what_is_required(facts: Facts, answers: Answers) -> None:
    """Allowed exactly where the model, written from the design alone, allows it: never below, and no more is asked."""
    for action, decision in answers:
        assert isinstance(decision, Allow) == model.allows(facts, action), (action, decision)


def refuses_in_order(facts: Facts, answers: Answers) -> None:
    """No session, not a teammate, the factors, enrol, permission, freshness: told is the first that lacks."""
    for action, decision in answers:
        if action.purpose is Purpose.WORK:
            reason = model.refusal_at_work(facts, action)
            assert (None if decision == ALLOW else decision.reason) == reason, (action, decision)
            assert reason is None or isinstance(decision, _KINDS[reason]), (action, decision)
            if reason is Reason.STRENGTH:
                assert isinstance(decision, Enrol) == model.sets_up(facts, action.workspace)


_KINDS: dict[Reason, type[Challenge | Enrol | Deny] | tuple[type, ...]] = {
    Reason.NO_SESSION: Challenge,
    Reason.NOT_A_TEAMMATE: Deny,
    Reason.IDLE: Challenge,
    Reason.FIRST_FACTOR: Challenge,
    Reason.SECOND_FACTOR: Challenge,
    Reason.SUSPENDED: Challenge,
    Reason.STRENGTH: (Challenge, Enrol),
    Reason.MANDATE: Enrol,
    Reason.RESET: Enrol,
    Reason.PERMISSION: Deny,
    Reason.RECOVERY_LIMIT: Deny,
    Reason.FRESHNESS: Challenge,
}

# Planes


def keeps_suspended_apart_from_unbound(facts: Facts, answers: Answers) -> None:
    """Bound but suspended is never "nothing bound": a suspension opens nothing, no enrolment and no ticket either."""
    if not any(one.suspended for one in facts.authenticators):
        return
    lifted = replace(
        facts, authenticators=tuple(replace(one, suspended=NOWHERE) for one in facts.authenticators)
    )
    assert bind_reach(facts) == bind_reach(lifted)
    for action, decision in answers:
        would = decide(lifted, action)
        if isinstance(decision, Enrol) or (
            isinstance(decision, Deny) and decision.reason is Reason.MAIL_PROOF
        ):
            assert would == decision, (action, decision)
        if action.fresh is None:
            assert isinstance(would, Allow) == isinstance(decision, Allow), (action, decision)


def keeps_b_from_a(facts: Facts, answers: Answers) -> None:
    """Nothing that only A did changes what B decides: it lets nobody into B, and keeps nobody out."""
    if facts.teammate(cases.B) is None:
        return
    without, never_there = without_a(facts), without_a(facts, membership=True)
    for action, decision in answers:
        if action in cases.IN_B:
            assert decide(without, action) == decide(never_there, action) == decision, (action, decision)


def without_a(facts: Facts, *, membership: bool = False) -> Facts:
    """The same session, had A never done anything (or had the account never been in A)."""
    kept = tuple(_without(one) for one in facts.authenticators if not _is_of_a(one))
    ids = {one.id for one in facts.authenticators} - {one.id for one in kept}
    proofs = tuple(
        proof
        for proof in facts.proofs
        if proof.authenticator not in ids and proof.source.workspaces != {cases.A}
    )
    mates = tuple(
        Teammate(cases.A, each.role) if each.workspace == cases.A else each
        for each in facts.teammates
        if not (membership and each.workspace == cases.A)
    )
    return replace(facts, proofs=proofs, authenticators=kept, teammates=mates)


def _is_of_a(one: Authenticator) -> bool:
    return not one.reach.everywhere and one.reach.workspaces | one.accepted <= {cases.A}


def _without(one: Authenticator) -> Authenticator:
    where = one.suspended
    return replace(
        one,
        void=one.void - {cases.A},
        accepted=one.accepted - {cases.A},
        suspended=where if where.everywhere else reach_of(*(where.workspaces - {cases.A})),
    )


# Binding


def binds_where_it_may(facts: Facts, answers: Answers) -> None:
    """What is bound reaches no workspace without a counting first factor, and a counting second or its own mail."""
    reach = bind_reach(facts)
    for each in facts.teammates:
        assert (each.workspace in reach) == model.binds_in(facts, each.workspace)
    assert reach.everywhere == model.binds_everywhere(facts)
    assert reach.workspaces <= {each.workspace for each in facts.teammates}


def binds_after_a_reset_by_its_ticket(facts: Facts, answers: Answers) -> None:
    """After a reset only its ticket binds there: no provider, no other mail, until something is relied on again."""
    for each in facts.teammates:
        if each.reset is not None and not model.relied_on(facts, each.workspace):
            its_ticket = any(proof.reset == each.reset for proof in facts.proofs)
            assert its_ticket or each.workspace not in bind_reach(facts)


def binds_nowhere_unasked(facts: Facts, answers: Answers) -> None:
    """An allowed ENROL binds where it is for, and nowhere that relies on something without fresh proof there."""
    for action, decision in answers:
        if action.purpose is Purpose.ENROL and decision == ALLOW:
            reach = enrol_reach(facts, action)
            assert reach
            assert action.workspace is None or action.workspace in reach
            for each in facts.teammates:
                assert (each.workspace in reach) == model.enrols_in(facts, each.workspace, action), action
