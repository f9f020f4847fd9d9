"""The one decision for who comes with an API token instead of a session; `access.decide` asks here. Pure.

A token proves nothing, and reads what its scopes name, where its maker could still come in.
"""

from nightlatch.assurance import relied_on, resistant_on, usable
from nightlatch.decision import ALLOW, Action, Allow, Decision, Deny, Enrol, Purpose, best
from nightlatch.facts import ApiToken, Facts, Teammate
from nightlatch.policy import permitted
from nightlatch.vocabulary import Reason


def decide_by_token(facts: Facts, token: ApiToken, action: Action) -> Decision:
    """May a token do this now? `action.workspace`, where it names one, is among its own.

    Whatever asks for fresh proof, or weighs, is closed to it whatever it holds.
    """
    if action.scope is None or action.scope not in token.scopes or action.fresh is not None or action.weighty:
        return Deny(Reason.SCOPE)
    if action.purpose is Purpose.SESSION:
        return ALLOW
    if action.purpose is Purpose.READ and token.service is None:
        return account_to_token(facts, token)
    teammate = facts.teammate(action.workspace) if action.workspace is not None else None
    if action.purpose is Purpose.WORK and teammate is not None:
        return _work(facts, token, action, teammate)
    return Deny(Reason.SCOPE)


def account_to_token(facts: Facts, token: ApiToken) -> Decision:
    """Whether the account is open to a token: where one of the workspaces that it was made for is."""
    if not facts.teammates:
        return Deny(Reason.OLDER_TOKEN)
    return best(workspace_to_token(facts, token, each) for each in facts.teammates)


def workspace_to_token(facts: Facts, token: ApiToken, teammate: Teammate) -> Decision:
    """Whether a workspace is open to a token: where its maker, with all that they have, could come in today.

    What was relied on when it was made does not matter, what is relied on now does. A removal, a return or a reset
    there leaves it dead there. Service accounts are the one exemption from the mandate.
    """
    if token.service is not None:
        return ALLOW if token.sponsored else Deny(Reason.SPONSOR)
    if token.sequence < teammate.valid_after:
        return Deny(Reason.OLDER_TOKEN)
    if teammate.by_sso:
        return ALLOW
    workspace = teammate.workspace
    has = relied_on(facts, workspace)
    if not has:
        return _without_two_factor(facts, teammate)
    if teammate.mandate.resistant(facts.now):
        has = resistant_on(facts, workspace)
        if not has:
            return Enrol(Reason.STRENGTH, None, workspace)
    return ALLOW if any(usable(each, workspace) for each in has) else Deny(Reason.SUSPENDED)


def _without_two_factor(facts: Facts, teammate: Teammate) -> Decision:
    if not teammate.mandate.in_force(facts.now):
        return ALLOW
    reason = Reason.RESET if teammate.reset is not None else Reason.MANDATE
    return Enrol(reason, "mail", teammate.workspace)


def _work(facts: Facts, token: ApiToken, action: Action, teammate: Teammate) -> Decision:
    """A service account has no role: its scopes, given by an owner or admin, say all that it may."""
    decision = workspace_to_token(facts, token, teammate)
    if not isinstance(decision, Allow) or token.service is not None:
        return decision
    allowed = permitted(teammate.role, action.permission, teammate.mandate)
    return ALLOW if allowed else Deny(Reason.PERMISSION)
