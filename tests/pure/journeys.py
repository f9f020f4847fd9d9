"""What people do after a refusal: they follow it. No decision may send anybody in circles or up against a wall."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from nightlatch.access import decide, decide_workspace, enrol_reach
from nightlatch.decision import ALLOW, Action, Challenge, Decision, Deny, Enrol, Purpose
from nightlatch.facts import Authenticator, Facts, Proof, reach_of
from nightlatch.vocabulary import Evidence, Method, Reason
from tests.pure import cases, model
from tests.pure.cases import ASK, ENROL, FIRST, SECOND

# No loops: every refusal leads on, and following it is allowed


def leads_on(facts: Facts, answers: Sequence[tuple[Action, Decision]]) -> None:
    """What a refusal tells a person to do is allowed, and once it is done the answer is another one."""
    done: dict[tuple[Decision, Purpose], list[Facts]] = {}
    for action, decision in answers:
        if decision is ALLOW:
            continue
        about_the_act = decision.reason is Reason.FRESHNESS or isinstance(decision, Deny)
        if about_the_act or (decision, action.purpose) not in done:
            done[decision, action.purpose] = list(follow(facts, action, decision))
            for after in done[decision, action.purpose]:
                assert decide(after, action) != decision, (action, decision)


def leads_somewhere(facts: Facts, action: Action) -> None:
    """Somebody who does as they are told, again and again, comes in or to an honest end; nobody is sent in circles."""
    for _ in range(10):
        decision = decide(facts, action)
        following = next(follow(facts, action, decision), None)
        if following is None:
            return
        facts = following
    raise AssertionError("sent in circles")


def follow(facts: Facts, action: Action, decision: Decision) -> Iterator[Facts]:
    """The facts once a person has done as a decision tells them, for every way to do it; nothing where it ends."""
    if isinstance(decision, Challenge):
        yield from _present(facts, action, decision)
    elif isinstance(decision, Enrol):
        assert decision.workspace is not None
        yield from _enrol(facts, decision)
    elif isinstance(decision, Deny) and decision.reason is Reason.MAIL_PROOF:
        yield from _by_mail(facts, action)
    elif isinstance(decision, Deny) and decision.reason is Reason.ELSEWHERE_CLOSED:
        yield _without_what_is_narrow(facts)
    elif isinstance(decision, Deny) and decision.reason is Reason.RECOVERY_LIMIT:
        yield from _beyond_the_limit(facts, action)


def _present(facts: Facts, action: Action, challenge: Challenge) -> Iterator[Facts]:
    """Show one of the methods, with each authenticator that would be taken."""
    if challenge.reason is Reason.NO_SESSION:
        assert decide(facts, Action(Purpose.OPEN)) == ALLOW
        return
    if challenge.methods == (Method.PASSWORD,):
        assert decide(facts, FIRST) == ALLOW
        yield prove(facts, Method.PASSWORD)
        return
    if challenge.methods == (Method.PROVIDER,):
        assert decide(facts, FIRST) == ALLOW
        assert challenge.workspace is not None
        yield sign_in_at_provider(facts, challenge.workspace)
        return
    takes = _taken(facts, action, challenge)
    assert {one.method for one in takes} == set(challenge.methods), (
        "offers what is taken, all of it, and nothing else"
    )
    for one in takes:
        assert decide(facts, SECOND) == ALLOW
        yield prove(facts, one.method, one)


def _taken(facts: Facts, action: Action, challenge: Challenge) -> list[Authenticator]:
    if challenge.reason is Reason.FRESHNESS:
        return model.enough(facts, challenge.workspace, action)
    good = model.takes(facts, challenge.workspace)
    wide = [one for one in model.relied_on(facts, None) if one.reach.everywhere]
    if action.purpose is Purpose.ENROL and not facts.teammates and wide:
        return [one for one in good if one in wide]  # in no workspace, only what reaches everywhere binds
    return good


def _enrol(facts: Facts, says: Enrol) -> Iterator[Facts]:
    """Have the link mailed and use it, or sign in at the provider, where that is needed; show again what is asked for;
    bind what is asked for; and the workspace is open."""
    workspace = says.workspace
    assert workspace is not None
    if says.needs == "mail":
        assert decide(facts, ASK.at(workspace)) == ALLOW
        facts = redeem(facts, workspace)
    elif says.needs == "idp":
        assert decide(facts, FIRST) == ALLOW
        facts = sign_in_at_provider(facts, workspace)
    facts = _shown_again(facts, ENROL.at(workspace))
    decision = decide(facts, ENROL.at(workspace))
    if isinstance(decision, Challenge) and not decision.methods:
        return  # all that could be shown again is suspended: recover
    assert decision == ALLOW
    method = Method.PASSKEY if says.reason is Reason.STRENGTH else Method.TOTP
    facts = bind(facts, ENROL.at(workspace), method)
    decision = decide_workspace(facts, workspace)
    if method is Method.TOTP and model.passkeys_only(facts, workspace):
        assert isinstance(decision, Enrol), "an app is not enough: a passkey is set up next"
        yield from _enrol(facts, decision)
        return
    assert decision == ALLOW
    yield facts


def _shown_again(facts: Facts, action: Action) -> Facts:
    """Fresh proof, where binding beside something else asks for it and it can be given."""
    asked = decide(facts, action)
    if isinstance(asked, Challenge) and asked.reason is Reason.FRESHNESS and asked.methods:
        one = model.enough(facts, action.workspace, action)[0]
        return prove(facts, one.method, one)
    return facts


def _by_mail(facts: Facts, action: Action) -> Iterator[Facts]:
    """Where the mailbox is missing, its link may be asked for, and then binding is allowed and opens the place."""
    wanted = [action.workspace] if action.workspace is not None else model.planes(facts)
    asked = [
        plane
        for plane in wanted
        if not model.relied_on(facts, plane) and decide(facts, ASK.at(plane)) == ALLOW
    ]
    assert asked
    for plane in asked:
        after = redeem(facts, plane)
        assert decide(after, action) == ALLOW
        strong = model.passkeys_only(after, plane)
        bound = bind(after, action, Method.PASSKEY if strong else Method.TOTP)
        assert model.closed_by(bound, plane) is None
        yield after


def _without_what_is_narrow(facts: Facts) -> Facts:
    """In no workspace: what reaches only workspaces that were left may be taken away, and then the mailbox binds."""
    for one in model.relied_on(facts, None):
        unbinding = Action(Purpose.CHANGE, fresh="authenticators", reach=one.reach)
        assert not isinstance(decide(facts, unbinding), Deny)
    kept = tuple(one for one in facts.authenticators if one.void)
    return replace(facts, authenticators=kept)


def _beyond_the_limit(facts: Facts, action: Action) -> Iterator[Facts]:
    """A sufficient second factor lifts the limit; where there is none, only time does."""
    planes = [action.workspace] if action.purpose is Purpose.WORK else model.planes(facts)
    held = [plane for plane in planes if model.held_back(facts, plane, action)]
    for plane in held:
        good = [one for one in model.usable(facts, plane) if not model.limited(facts, one)]
        if not good:
            return
        assert decide(facts, SECOND) == ALLOW
        facts = prove(facts, good[0].method, good[0])
    yield facts


# What people do


def prove(facts: Facts, method: Method, authenticator: Authenticator | None = None) -> Facts:
    """A factor is shown now."""
    id = authenticator.id if authenticator is not None else None
    return _add(facts, Proof(method, 0, facts.now, id), idle=facts.idle and method is not Method.PASSWORD)


def sign_in_at_provider(facts: Facts, workspace: int) -> Facts:
    """A sign-in at a workspace's own provider is shown now; its connection's rule stays what it was."""
    told = [
        each.evidence for each in facts.proofs if each.connection is not None and workspace in each.source
    ]
    evidence = max(told, default=Evidence.NONE)
    proof = Proof(
        Method.PROVIDER, 0, facts.now, source=reach_of(workspace), connection=workspace, evidence=evidence
    )
    return _add(facts, proof, idle=False)


def redeem(facts: Facts, plane: int | None) -> Facts:
    """The ticket of a plane is used now: a reset's, where one is open."""
    if plane is None:
        return _add(facts, Proof(Method.TICKET, 0, facts.now), idle=facts.idle)
    reset = model.membership(facts, plane).reset
    return _add(
        facts, Proof(Method.TICKET, 0, facts.now, source=reach_of(plane), reset=reset), idle=facts.idle
    )


def _add(facts: Facts, proof: Proof, *, idle: bool) -> Facts:
    numbers = [each.sequence for each in facts.proofs] + [each.valid_after for each in facts.teammates]
    proof = replace(proof, sequence=max([cases.NEW, *numbers]) + 1)
    return replace(facts, proofs=(*facts.proofs, proof), idle=idle)


def bind(facts: Facts, action: Action, method: Method = Method.TOTP) -> Facts:
    """A new authenticator is bound by an allowed ENROL: its first use is a proof, resets in its reach are over."""
    new = Authenticator(901 + len(facts.authenticators), method, enrol_reach(facts, action))
    mates = tuple(
        replace(each, reset=None) if each.workspace in new.reach else each for each in facts.teammates
    )
    facts = replace(facts, authenticators=(*facts.authenticators, new), teammates=mates)
    return prove(facts, method, new)
