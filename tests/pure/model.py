"""The rules of "planes and reach" a second time, from the design's text alone, to hold the code against.

It shares the facts and the words with `assurance` and `access`, and not one function. Where the code speaks of the way
on, the model only says what may be done: it can be believed by reading it. Nothing here is fast, general or clever.
"""

from nightlatch.decision import Action, Purpose
from nightlatch.facts import Authenticator, Facts, Proof, Teammate
from nightlatch.instants import MINUTE
from nightlatch.vocabulary import Evidence, Method, Permission, Reason, Role

FIRST = {Method.PASSWORD, Method.PROVIDER, Method.PASSKEY}
SECOND = {Method.TOTP, Method.PASSKEY, Method.RECOVERY_CODE}
MAIL = {Method.TICKET, Method.INVITATION}
STRENGTH = [Method.PASSWORD, Method.RECOVERY_CODE, Method.TOTP, Method.PASSKEY]
"""The weakest first."""


def strength(method: Method) -> int:
    """A sign-in at a provider is as good as a password."""
    return STRENGTH.index(Method.PASSWORD if method is Method.PROVIDER else method)


# What a plane relies on. A plane is a workspace; None is the account that is in no workspace.


def relied_on(facts: Facts, plane: int | None) -> list[Authenticator]:
    """Not void there, and reaching it or accepted there; without any workspace, what is void nowhere."""
    if plane is None:
        return [one for one in facts.authenticators if one.void == frozenset()]
    return [
        one
        for one in facts.authenticators
        if plane not in one.void
        and (one.reach.everywhere or plane in one.reach.workspaces or plane in one.accepted)
    ]


def usable(facts: Facts, plane: int | None) -> list[Authenticator]:
    """Relied on there and not suspended there."""
    if plane is None:
        return [
            one
            for one in relied_on(facts, None)
            if not one.suspended.everywhere and not one.suspended.workspaces
        ]
    return [
        one
        for one in relied_on(facts, plane)
        if not one.suspended.everywhere and plane not in one.suspended.workspaces
    ]


def counting(facts: Facts, plane: int | None) -> list[Proof]:
    """The factors shown that count in a plane: they reach it, it relies on them, and they are not from before."""
    relied = {one.id for one in relied_on(facts, plane)}
    found = []
    for proof in facts.proofs:
        if plane is not None and proof.sequence < membership(facts, plane).valid_after:
            continue
        if proof.method in SECOND:
            reaches = proof.authenticator in relied
        elif proof.method is Method.PASSWORD:
            reaches = True
        else:
            reaches = proof.method is Method.PROVIDER and plane in proof.source.workspaces
        if reaches:
            found.append(proof)
    return found


def membership(facts: Facts, workspace: int) -> Teammate:
    """What the account is in a workspace that it is in."""
    return next(one for one in facts.teammates if one.workspace == workspace)


def in_force(facts: Facts, mate: Teammate) -> bool:
    """The mandate binds now."""
    return mate.mandate.required_from is not None and mate.mandate.required_from <= facts.now


def passkeys_only(facts: Facts, plane: int | None) -> bool:
    """The mandate binds now, and so does its strength."""
    if plane is None:
        return False
    mate = membership(facts, plane)
    since = mate.mandate.resistant_from
    return in_force(facts, mate) and since is not None and since <= facts.now


def planes(facts: Facts) -> list[int | None]:
    """The workspaces of the account, or the account itself where it has none."""
    return [one.workspace for one in facts.teammates] or [None]


# Which planes are open


def first_shown(facts: Facts, plane: int | None) -> bool:
    """A first factor counts in a plane. Where only the workspace's provider is one, the owner keeps every other."""
    proofs = counting(facts, plane)
    if by_provider_alone(facts, plane):
        return any(proof.connection is not None for proof in proofs)
    return any(is_first(proof) for proof in proofs)


def by_provider_alone(facts: Facts, plane: int | None) -> bool:
    """Single sign-on is required there, and this is no owner who has 2FA, or is led to it first."""
    if plane is None or not membership(facts, plane).sso_required:
        return False
    mate = membership(facts, plane)
    if mate.role is not Role.OWNER:
        return True
    return not relied_on(facts, plane) and not in_force(facts, mate) and mate.reset is None


def at_emergency_door(facts: Facts, plane: int | None) -> bool:
    """An owner who came in otherwise than by the provider that is required: it takes two factors, always."""
    if plane is None or not membership(facts, plane).sso_required:
        return False
    return not any(proof.connection is not None for proof in counting(facts, plane))


def is_first(proof: Proof) -> bool:
    """A passkey that was only touched is no first factor."""
    return proof.method in FIRST and proof.verified


def second_shown(facts: Facts, plane: int | None) -> bool:
    """A second factor counts in a plane: of ours, or the provider's where its connection takes that for one."""
    return any(
        proof.method in SECOND or proof.evidence in (Evidence.SECOND, Evidence.RESISTANT)
        for proof in counting(facts, plane)
    )


def exempt(facts: Facts, plane: int | None) -> bool:
    """They came by a connection whose people are not asked."""
    return any(proof.evidence is Evidence.EXEMPT for proof in counting(facts, plane))


def strong_enough(facts: Facts, plane: int | None) -> bool:
    """No strength is asked for, or not of them, or a phishing-resistant proof counts."""
    return (
        not passkeys_only(facts, plane)
        or exempt(facts, plane)
        or any(
            proof.method is Method.PASSKEY or proof.evidence is Evidence.RESISTANT
            for proof in counting(facts, plane)
        )
    )


def passkeys(authenticators: list[Authenticator]) -> list[Authenticator]:
    """Those that are phishing-resistant."""
    return [one for one in authenticators if one.method is Method.PASSKEY]


def by_code(facts: Facts, plane: int | None) -> bool:
    """A recovery code counts there."""
    return any(proof.method is Method.RECOVERY_CODE for proof in counting(facts, plane))


def remembered(facts: Facts, plane: int | None) -> bool:
    """This browser need not show the second step again: only where nothing is required, now or announced."""
    if plane is None:
        return False
    mate = membership(facts, plane)
    return (
        mate.remembers
        and mate.mandate.required_from is None
        and any(
            proof.method is Method.REMEMBERED
            and plane in proof.source.workspaces
            and proof.sequence >= mate.valid_after
            for proof in facts.proofs
        )
    )


def closed_by(facts: Facts, plane: int | None) -> Reason | None:
    """The first thing that a plane lacks; None: it is open."""
    if not first_shown(facts, plane):
        return Reason.FIRST_FACTOR
    if second_shown(facts, plane):
        if strong_enough(facts, plane):
            return None
        return Reason.STRENGTH if sets_up(facts, plane) or takes(facts, plane) else Reason.SUSPENDED
    if relied_on(facts, plane):
        if remembered(facts, plane) and not at_emergency_door(facts, plane):
            return None
        return Reason.SECOND_FACTOR if takes(facts, plane) else Reason.SUSPENDED
    if plane is None:
        return None
    mate = membership(facts, plane)
    if (not in_force(facts, mate) or exempt(facts, plane)) and not at_emergency_door(facts, plane):
        return None
    return Reason.MANDATE if mate.reset is None else Reason.RESET


def sets_up(facts: Facts, plane: int | None) -> bool:
    """Where a passkey is asked for: who has none sets one up, and so does who came by a recovery code."""
    return not passkeys(relied_on(facts, plane)) or by_code(facts, plane)


def takes(facts: Facts, plane: int | None) -> list[Authenticator]:
    """What a plane would take next. Where a passkey is asked for and there is one: that, or what recovers."""
    good = usable(facts, plane)
    if strong_enough(facts, plane) or not passkeys(relied_on(facts, plane)):
        return good
    if second_shown(facts, plane):
        return passkeys(good)
    return [one for one in good if one.method in (Method.PASSKEY, Method.RECOVERY_CODE)]


def must_set_up(facts: Facts, plane: int | None) -> bool:
    """A plane says: set up first."""
    lacking = closed_by(facts, plane)
    return lacking in (Reason.MANDATE, Reason.RESET) or (lacking is Reason.STRENGTH and sets_up(facts, plane))


def account_open(facts: Facts) -> bool:
    """Open when some workspace of the account is."""
    return any(closed_by(facts, plane) is None for plane in planes(facts))


def account_enrols(facts: Facts) -> bool:
    """Some workspace says Enrol: reading the account is open, too."""
    return any(must_set_up(facts, plane) for plane in planes(facts))


# Binding


def mailed(facts: Facts, plane: int | None) -> bool:
    """The valid ticket of a plane (law 14): for people who have nothing there; after a reset only the reset's own."""
    if relied_on(facts, plane):
        return False
    for proof in facts.proofs:
        if proof.method not in MAIL or facts.now - proof.at >= 60 * MINUTE:
            continue
        if plane is None:
            if proof.source.everywhere and proof.reset is None:
                return True
            continue
        mate = membership(facts, plane)
        named = proof.source.everywhere or plane in proof.source.workspaces
        if named and proof.sequence >= mate.valid_after and proof.reset == mate.reset:
            return True
    return False


def signed_in_there(facts: Facts, workspace: int) -> bool:
    """The last hour's sign-in at the workspace's own provider is as good as the ticket, but not after a reset."""
    return membership(facts, workspace).reset is None and any(
        proof.connection is not None and facts.now - proof.at < 60 * MINUTE
        for proof in counting(facts, workspace)
    )


def binds_in(facts: Facts, workspace: int) -> bool:
    """A counting first factor, and a counting second one; the first binding: that workspace's ticket or provider.

    A code that may have been phished binds nothing beside a passkey that is asked for.
    """
    if not first_shown(facts, workspace):
        return False
    if not relied_on(facts, workspace):
        return mailed(facts, workspace) or signed_in_there(facts, workspace)
    strong = strong_enough(facts, workspace) or sets_up(facts, workspace)
    return second_shown(facts, workspace) and strong


def everywhere(facts: Facts, *, first: bool) -> bool:
    """A first (or second) factor was shown that reaches everywhere (without any workspace: one that counts)."""
    wide = {one.id for one in facts.authenticators if one.reach.everywhere}
    return any(
        (is_first(proof) if first else proof.method in SECOND)
        and (proof.method is Method.PASSWORD or proof.authenticator in wide)
        for proof in (facts.proofs if facts.teammates else counting(facts, None))
    )


def binds_everywhere(facts: Facts) -> bool:
    """First and second factor reach everywhere (or, for the very first, the mailbox), and nobody is left out."""
    everyone = [one.workspace for one in facts.teammates]
    if not all(binds_in(facts, each) for each in everyone) or not everywhere(facts, first=True):
        return False
    if facts.teammates:
        very_first = not facts.authenticators and all(mailed(facts, each) for each in everyone)
        return very_first or everywhere(facts, first=False)
    return mailed(facts, None) or everywhere(facts, first=False)


# Fresh


def limited(facts: Facts, one: Authenticator) -> bool:
    """A recovery code, or what one bound in the last 24 hours."""
    return one.method is Method.RECOVERY_CODE or one.limited_until > facts.now


def enough(facts: Facts, plane: int | None, action: Action) -> list[Authenticator]:
    """The usable authenticators with which fresh proof for an act can be given."""
    good = [one for one in usable(facts, plane) if not (action.weighty and limited(facts, one))]
    best = max((strength(one.method) for one in good), default=0)
    sets_up_a_passkey = (
        action.purpose is Purpose.ENROL and passkeys_only(facts, plane) and sets_up(facts, plane)
    )
    if action.recovery or sets_up_a_passkey:
        best = min(best, strength(Method.RECOVERY_CODE))
    return [one for one in good if strength(one.method) >= best]


def fresh(facts: Facts, plane: int | None, action: Action) -> bool:
    """As strong as the strongest usable one relied on; a password only where nothing is relied on."""
    if action.fresh is None:
        return True
    proofs = counting(facts, plane)
    if relied_on(facts, plane):
        good = {one.id for one in enough(facts, plane, action)}
        proofs = [proof for proof in proofs if proof.authenticator in good]
    elif by_provider_alone(facts, plane):
        proofs = [proof for proof in proofs if proof.connection is not None]
    return any(young_enough(facts, proof, action) for proof in proofs)


def young_enough(facts: Facts, proof: Proof, action: Action) -> bool:
    """Within `max_age`; 10 minutes slide to 30 while acts of the same kind follow each other."""
    age = facts.now - proof.at
    if age < action.max_age:
        return True
    last = facts.recent
    return (
        action.max_age >= 10 * MINUTE
        and age < 30 * MINUTE
        and last is not None
        and last.kind == action.fresh
        and proof.at <= last.at
        and facts.now - last.at < 10 * MINUTE
    )


def held_back(facts: Facts, plane: int | None, action: Action) -> bool:
    """A weighty act, with nothing but a recovery code (or what it bound) as the second factor."""
    if not action.weighty or not relied_on(facts, plane) or remembered(facts, plane):
        return False
    weak = {one.id for one in facts.authenticators if limited(facts, one)}
    return not any(
        (proof.method in SECOND and proof.authenticator not in weak)
        or proof.evidence in (Evidence.SECOND, Evidence.RESISTANT)
        for proof in counting(facts, plane)
    )


# The whole answer


def allows(facts: Facts, action: Action) -> bool:
    """Whether an action may be done."""
    if action.purpose is Purpose.OPEN:
        return True
    if action.purpose is Purpose.APP:
        return facts.app is not None
    if facts.account is None:
        return False
    here = {one.workspace for one in facts.teammates}
    if action.workspace is not None and action.workspace not in here:
        return False
    if action.purpose in (Purpose.SESSION, Purpose.PRESENT_FIRST):
        return True
    return not facts.idle and _RULES[action.purpose](facts, action)


def _second(facts: Facts, action: Action) -> bool:
    """Only once a first factor is proved (law 5 d)."""
    return any(is_first(proof) for proof in facts.proofs)


def _read(facts: Facts, action: Action) -> bool:
    return account_open(facts) or account_enrols(facts)


def _join(facts: Facts, action: Action) -> bool:
    return account_open(facts) if facts.teammates else first_shown(facts, None)


def _ticket(facts: Facts, action: Action) -> bool:
    """Where it could be of use; and harmless where one is in already."""
    wanted = [action.workspace] if action.workspace is not None else planes(facts)
    return any(
        first_shown(facts, plane) and (not relied_on(facts, plane) or closed_by(facts, plane) is None)
        for plane in wanted
    )


def _enrol(facts: Facts, action: Action) -> bool:
    """Where this session binds; where something is relied on already, with fresh proof."""
    if action.workspace is None and not facts.teammates:
        return binds_everywhere(facts) and (not relied_on(facts, None) or fresh(facts, None, action))
    wanted = (
        [action.workspace] if action.workspace is not None else [one.workspace for one in facts.teammates]
    )
    return any(enrols_in(facts, workspace, action) for workspace in wanted)


def enrols_in(facts: Facts, workspace: int, action: Action) -> bool:
    """Whether an enrolment by this session reaches a workspace."""
    return binds_in(facts, workspace) and (not relied_on(facts, workspace) or fresh(facts, workspace, action))


def _change(facts: Facts, action: Action) -> bool:
    reach = action.reach
    here = {one.workspace for one in facts.teammates}
    nowhere = not reach.everywhere and not reach.workspaces
    if nowhere and action.fresh is None and not action.weighty:
        return account_open(facts)
    wide = reach.everywhere or nowhere or not reach.workspaces <= here
    if wide and not everywhere(facts, first=True):
        return False
    return all(
        closed_by(facts, plane) is None
        and not held_back(facts, plane, action)
        and fresh(facts, plane, action)
        for plane in planes(facts)
        if wide or plane in reach.workspaces
    )


def _work(facts: Facts, action: Action) -> bool:
    return refusal_at_work(facts, action) is None


_RULES = {
    Purpose.PRESENT_SECOND: _second,
    Purpose.READ: _read,
    Purpose.JOIN: _join,
    Purpose.TICKET: _ticket,
    Purpose.ENROL: _enrol,
    Purpose.CHANGE: _change,
    Purpose.WORK: _work,
}


def refusal_at_work(facts: Facts, action: Action) -> Reason | None:
    """Why an action in a workspace is refused, in the fixed order; None: it is allowed."""
    workspace = action.workspace
    if facts.account is None:
        return Reason.NO_SESSION
    if workspace is None or workspace not in {one.workspace for one in facts.teammates}:
        return Reason.NOT_A_TEAMMATE
    if facts.idle:
        return Reason.IDLE
    lacking = closed_by(facts, workspace)
    if lacking is not None:
        return lacking
    if not permitted(membership(facts, workspace), action.permission):
        return Reason.PERMISSION
    if held_back(facts, workspace, action):
        return Reason.RECOVERY_LIMIT
    return None if fresh(facts, workspace, action) else Reason.FRESHNESS


def permitted(mate: Teammate, permission: Permission) -> bool:
    """Members use the workspace; owners and admins run it; an owner can keep the switch for owners."""
    if permission is Permission.USE or mate.role is Role.OWNER:
        return True
    if permission is Permission.MANAGE_APPS:
        return False
    if permission is Permission.MANAGE_AUTHENTICATION and mate.mandate.managed_by == "owners":
        return False
    return mate.role is Role.ADMIN
