"""The one decision: may this session do this now, and if not, what is the way on. Pure.

`decide(facts, action)` is asked for every route, method and credential kind, and again inside the transaction of every
write. It knows no clock, database, framework or request, so that it can be enumerated (tests/pure).
The order of refusals is fixed: no session, not a teammate, second step, enrol, permission, freshness.
"""

from collections.abc import Sequence

from nightlatch.assurance import (
    bind_reach,
    binds_in,
    by_provider,
    counting,
    excused,
    first_method,
    first_reaches_everywhere,
    first_shown,
    fresh,
    fresh_methods,
    has_first,
    has_second,
    limited,
    needs_resistant,
    recovering,
    relied_on,
    remembered,
    resistant_on,
    strongest_first,
    usable,
    usable_methods,
    usable_on,
)
from nightlatch.decision import ALLOW, Action, Allow, Challenge, Decision, Deny, Enrol, Purpose, best
from nightlatch.facts import EVERYWHERE, Facts, Proof, Reach, Teammate, WorkspaceId
from nightlatch.policy import permitted
from nightlatch.token_access import account_to_token, decide_by_token, workspace_to_token
from nightlatch.vocabulary import PHISHING_RESISTANT, Method, Reason


def decide(facts: Facts, action: Action) -> Decision:
    """May this be done now? Denied unless a line below allows it."""
    purpose = action.purpose
    if purpose is Purpose.OPEN:
        return ALLOW
    if purpose is Purpose.APP:
        return ALLOW if facts.app is not None else Challenge(Reason.NO_SESSION)
    if facts.account is None and facts.token is None:
        return Challenge(Reason.NO_SESSION)
    if action.workspace is not None and facts.teammate(action.workspace) is None:
        return Deny(Reason.NOT_A_TEAMMATE)
    if facts.token is not None:
        return decide_by_token(facts, facts.token, action)
    if purpose is Purpose.SESSION or purpose is Purpose.PRESENT_FIRST:
        return ALLOW
    if facts.idle:
        return Challenge(Reason.IDLE, (facts.first,))
    return _DECIDERS[purpose](facts, action)


def decide_workspace(facts: Facts, workspace: WorkspaceId) -> Decision:
    """Whether a workspace is open to this session, whatever the permission."""
    teammate = facts.teammate(workspace)
    if teammate is None:
        return Deny(Reason.NOT_A_TEAMMATE)
    if facts.token is not None:
        return workspace_to_token(facts, facts.token, teammate)
    if facts.idle:
        return Challenge(Reason.IDLE, (facts.first,))
    proofs = counting(facts, workspace)
    if not first_shown(facts, teammate, proofs):
        return Challenge(Reason.FIRST_FACTOR, (first_method(facts, workspace),), workspace=workspace)
    if has_second(proofs):
        return ALLOW if not needs_resistant(facts, teammate, proofs) else _too_weak(facts, teammate, proofs)
    # The owners' emergency door takes two factors, always (docs/decisions/0035).
    at_door = teammate.sso_required and not by_provider(proofs)
    if relied_on(facts, workspace):
        spared = remembered(facts, teammate) and not at_door
        return ALLOW if spared else _ask_second(facts, teammate, proofs)
    if (teammate.mandate.in_force(facts.now) and not excused(proofs)) or at_door:
        reason = Reason.RESET if teammate.reset is not None else Reason.MANDATE
        return Enrol(reason, _needs(facts, teammate, proofs), workspace)
    return ALLOW


def _ask_second(facts: Facts, teammate: Teammate, proofs: Sequence[Proof]) -> Challenge:
    """Of what would be taken there; where phishing-resistant proof is required and to be had, only what leads to it."""
    workspace = teammate.workspace
    methods = usable_methods(facts, workspace)
    if needs_resistant(facts, teammate, proofs) and resistant_on(facts, workspace):
        methods = tuple(
            each for each in methods if each in PHISHING_RESISTANT or each is Method.RECOVERY_CODE
        )
    return Challenge(Reason.SECOND_FACTOR if methods else Reason.SUSPENDED, methods, workspace=workspace)


def _too_weak(facts: Facts, teammate: Teammate, proofs: Sequence[Proof]) -> Decision:
    """Two factors, where a phishing-resistant one is required: to be shown where there is one, else to be set up.

    A recovery code does not stand in for it, but lets its owner set up a new one.
    """
    workspace = teammate.workspace
    keys = resistant_on(facts, workspace)
    if not keys or recovering(proofs):
        return Enrol(Reason.STRENGTH, _needs(facts, teammate, proofs), workspace)
    methods = strongest_first({each.method for each in keys if usable(each, workspace)})
    return Challenge(Reason.STRENGTH if methods else Reason.SUSPENDED, methods, workspace=workspace)


def _needs(facts: Facts, teammate: Teammate, proofs: Sequence[Proof]) -> str | None:
    """What a first binding lacks (law 14): the mailbox, or for whoever came by it, the workspace's own provider."""
    if binds_in(facts, teammate.workspace):
        return None
    came_by_it = teammate.reset is None and any(proof.connection is not None for proof in proofs)
    return "idp" if came_by_it else "mail"


def decide_account(facts: Facts) -> Decision:
    """Whether the account itself is open: it is when some workspace is; the best of them speaks otherwise."""
    if facts.token is not None:
        return account_to_token(facts, facts.token)
    if not facts.teammates:
        return _without_workspace(facts)
    return best(decide_workspace(facts, each.workspace) for each in facts.teammates)


def _without_workspace(facts: Facts) -> Decision:
    proofs = counting(facts, None)
    if not has_first(proofs):
        return Challenge(Reason.FIRST_FACTOR, (facts.first,))
    if relied_on(facts, None) and not has_second(proofs):
        methods = usable_methods(facts, None)
        return Challenge(Reason.SECOND_FACTOR if methods else Reason.SUSPENDED, methods)
    return ALLOW


# --- by what an action is for ---


def _present_second(facts: Facts, action: Action) -> Decision:
    """A second factor is taken only once a first is proved: a stranger must not spend somebody's guesses (law 5 d)."""
    if has_first(facts.proofs):
        return ALLOW
    return Challenge(Reason.FIRST_FACTOR, (facts.first,))


def _read(facts: Facts, action: Action) -> Decision:
    decision = decide_account(facts)
    return ALLOW if isinstance(decision, Enrol) else decision


def _join(facts: Facts, action: Action) -> Decision:
    """Accepting an invitation opens nothing: without any workspace the first factor (and the token) is enough."""
    if facts.first is Method.PROVIDER:
        return _kept(facts)
    if facts.teammates:
        return decide_account(facts)
    if has_first(counting(facts, None)):
        return ALLOW
    return Challenge(Reason.FIRST_FACTOR, (facts.first,))


def _ticket(facts: Facts, action: Action) -> Decision:
    """A ticket is for a plane where the first factor counts and nothing is relied on."""
    workspace = action.workspace
    for plane in [workspace] if workspace is not None else _all_planes(facts):
        if _first_in(facts, plane) and not relied_on(facts, plane):
            return ALLOW
    return decide_account(facts) if workspace is None else decide_workspace(facts, workspace)


def _enrol(facts: Facts, action: Action) -> Decision:
    """Binding is for a plane that this session binds in; where one relies on something already, with fresh proof."""
    workspace = action.workspace
    if workspace is None and not facts.teammates:
        return _enrol_without_workspace(facts, action)
    planes = [workspace] if workspace is not None else [each.workspace for each in facts.teammates]
    bindable = [plane for plane in planes if binds_in(facts, plane)]
    if not bindable:
        decision = decide_account(facts) if workspace is None else decide_workspace(facts, workspace)
        if isinstance(decision, Challenge):
            return decision
        bindable = [plane for plane in planes if _spared(facts, plane)]
        if not bindable:
            return Deny(Reason.MAIL_PROOF)
    elif any(not _stale(facts, plane, action) for plane in bindable):
        return ALLOW
    return min((_ask_fresh(facts, plane, action) for plane in bindable), key=lambda each: not each.methods)


def _spared(facts: Facts, plane: WorkspaceId) -> bool:
    """A remembered browser opened it: binding there asks for the second step after all."""
    return bool(relied_on(facts, plane)) and isinstance(decide_workspace(facts, plane), Allow)


def enrol_reach(facts: Facts, action: Action) -> Reach:
    """Where an authenticator bound by this ENROL reaches: `bind_reach`, without what asks for fresh proof first.

    So a ticket for one workspace never binds on the quiet in another, where this session was not asked again.
    """
    bindable = [each.workspace for each in facts.teammates if binds_in(facts, each.workspace)]
    return bind_reach(facts, frozenset(plane for plane in bindable if _stale(facts, plane, action)))


def _enrol_without_workspace(facts: Facts, action: Action) -> Decision:
    """Only what reaches everywhere can be bound here, by what reaches everywhere."""
    if bind_reach(facts):
        return _ask_fresh(facts, None, action) if _stale(facts, None, action) else ALLOW
    if not first_reaches_everywhere(facts):
        return _lacks_wide_first(facts)
    if not relied_on(facts, None):
        return Deny(Reason.MAIL_PROOF)
    if not any(each.reach.everywhere for each in relied_on(facts, None)):
        decision = _without_workspace(facts)
        return Deny(Reason.ELSEWHERE_CLOSED) if isinstance(decision, Allow) else decision
    wide = strongest_first({each.method for each in usable_on(facts, None) if each.reach.everywhere})
    return Challenge(Reason.SECOND_FACTOR if wide else Reason.SUSPENDED, wide)


def _change(facts: Facts, action: Action) -> Decision:
    """May this session do an act on the account whose reach is `action.reach`?"""
    reach = action.reach
    if not reach and (action.fresh is not None or action.weighty):
        reach = EVERYWHERE  # fresh for which plane? for all of them
    decision = may_change(facts, reach)
    if not isinstance(decision, Allow):
        return decision
    planes = _touched(facts, reach) if facts.teammates else _all_planes(facts)
    if action.weighty and any(limited(facts, plane) for plane in planes):
        return Deny(Reason.RECOVERY_LIMIT)
    return _need_fresh(facts, action, planes)


def may_change(facts: Facts, reach: Reach) -> Decision:
    """Whether every workspace that an act on the account would touch is open to this session.

    An act that reaches everywhere, or a workspace the account is not in, needs them all, and a first factor that
    reaches everywhere.
    """
    touched = _touched(facts, reach)
    decisions = [decide_workspace(facts, each) for each in touched] if touched else [decide_account(facts)]
    for kind in (Challenge, Enrol):
        for decision in decisions:
            if isinstance(decision, kind):
                return decision
    if _wide(facts, reach) and not first_reaches_everywhere(facts):
        return _lacks_wide_first(facts)
    return ALLOW


def _lacks_wide_first(facts: Facts) -> Decision:
    """The sign-in of a product reaches its own workspaces and never everywhere: what is wider, the product keeps."""
    if facts.first is Method.PROVIDER:
        return _kept(facts)
    return Challenge(Reason.FIRST_FACTOR, (facts.first,))


def _kept(facts: Facts) -> Deny:
    """A product, or a workspace's provider, vouches for its people in its own workspaces alone."""
    return Deny(Reason.KEPT_BY_PROVIDER if facts.by_connection else Reason.KEPT_BY_APP)


def _first_in(facts: Facts, plane: WorkspaceId | None) -> bool:
    """Whether a first factor counts in a plane."""
    proofs = counting(facts, plane)
    teammate = facts.teammate(plane) if plane is not None else None
    return first_shown(facts, teammate, proofs) if teammate is not None else has_first(proofs)


def _wide(facts: Facts, reach: Reach) -> bool:
    return reach.everywhere or any(facts.teammate(each) is None for each in reach.workspaces)


def _touched(facts: Facts, reach: Reach) -> list[WorkspaceId]:
    wide = _wide(facts, reach)
    return [each.workspace for each in facts.teammates if wide or each.workspace in reach]


def _work(facts: Facts, action: Action) -> Decision:
    workspace = action.workspace
    teammate = facts.teammate(workspace) if workspace is not None else None
    if workspace is None or teammate is None:
        return Deny(Reason.NOT_A_TEAMMATE)
    decision = decide_workspace(facts, workspace)
    if not isinstance(decision, Allow):
        return decision
    if not permitted(teammate.role, action.permission, teammate.mandate):
        return Deny(Reason.PERMISSION)
    if action.weighty and limited(facts, workspace):
        return Deny(Reason.RECOVERY_LIMIT)
    return _need_fresh(facts, action, [workspace])


def _all_planes(facts: Facts) -> list[WorkspaceId | None]:
    """The workspaces of the account; without any, the account itself."""
    return [each.workspace for each in facts.teammates] or [None]


def _need_fresh(facts: Facts, action: Action, planes: Sequence[WorkspaceId | None]) -> Decision:
    if action.fresh is None:
        return ALLOW
    for plane in planes:
        if not _fresh(facts, plane, action, action.fresh):
            return _ask_fresh(facts, plane, action)
    return ALLOW


def _fresh(facts: Facts, plane: WorkspaceId | None, action: Action, kind: str) -> bool:
    recovery = _takes_a_code(facts, plane, action)
    return fresh(facts, plane, kind, action.max_age, recovery=recovery, weighty=action.weighty)


def _takes_a_code(facts: Facts, plane: WorkspaceId | None, action: Action) -> bool:
    """Whether a recovery code is fresh proof enough. Where a passkey is required, whoever has none there, or comes with
    a recovery code, sets one up by the code: else they would be sent in circles."""
    teammate = facts.teammate(plane) if plane is not None else None
    if action.recovery or action.purpose is not Purpose.ENROL or plane is None or teammate is None:
        return action.recovery
    if not teammate.mandate.resistant(facts.now):
        return False
    return not resistant_on(facts, plane) or recovering(counting(facts, plane))


def _stale(facts: Facts, plane: WorkspaceId | None, action: Action) -> bool:
    """For binding: where nothing is relied on yet, the first factor and the mailbox were just shown."""
    if action.fresh is None or not relied_on(facts, plane):
        return False
    return not _fresh(facts, plane, action, action.fresh)


def _ask_fresh(facts: Facts, plane: WorkspaceId | None, action: Action) -> Challenge:
    recovery = _takes_a_code(facts, plane, action)
    methods = fresh_methods(facts, plane, recovery=recovery, weighty=action.weighty)
    return Challenge(Reason.FRESHNESS, methods, max_age=action.max_age, workspace=plane)


_DECIDERS = {
    Purpose.PRESENT_SECOND: _present_second,
    Purpose.TICKET: _ticket,
    Purpose.ENROL: _enrol,
    Purpose.READ: _read,
    Purpose.CHANGE: _change,
    Purpose.JOIN: _join,
    Purpose.WORK: _work,
}
