"""What has been proved, and where it counts: reach, relied, usable, counts, bind reach, fresh, AAL, amr. Pure.

The rules are those of "planes and reach" in docs/architecture.md; they are what keeps one workspace from ever weakening
another. Enumerated in tests/pure.
"""

from collections.abc import Iterable

from nightlatch.facts import (
    EVERYWHERE,
    MAILBOX_PROOF_LIFE,
    NOWHERE,
    Authenticator,
    Facts,
    Proof,
    Reach,
    Teammate,
    WorkspaceId,
)
from nightlatch.instants import MINUTE, Duration
from nightlatch.vocabulary import (
    FIRST_FACTORS,
    MAILBOX,
    SECOND_FACTORS,
    STRENGTHS,
    Method,
    Strength,
)

MAX_AGE: Duration = 10 * MINUTE
"""How old fresh proof may be."""
SLIDING_AGE: Duration = 30 * MINUTE
"""How old it may be while acts of the same kind follow each other within MAX_AGE."""


# --- what a workspace relies on -----------------------------------------------------------------------------------


def relied(authenticator: Authenticator, workspace: WorkspaceId) -> bool:
    """Whether a workspace relies on an authenticator: it reaches it or was accepted there, and is not void there."""
    return workspace not in authenticator.void and (
        workspace in authenticator.reach or workspace in authenticator.accepted
    )


def usable(authenticator: Authenticator, workspace: WorkspaceId) -> bool:
    """Relied on there, and not suspended there."""
    return relied(authenticator, workspace) and workspace not in authenticator.suspended


def relied_on(facts: Facts, workspace: WorkspaceId | None) -> list[Authenticator]:
    """What a plane relies on. The account itself (None) relies on what is void nowhere, and only without workspaces."""
    if workspace is None:
        return [each for each in facts.authenticators if not each.void]
    return [each for each in facts.authenticators if relied(each, workspace)]


def usable_on(facts: Facts, workspace: WorkspaceId | None) -> list[Authenticator]:
    """What a plane relies on and would take now."""
    if workspace is None:
        return [each for each in relied_on(facts, None) if not each.suspended]
    return [each for each in facts.authenticators if usable(each, workspace)]


def usable_methods(facts: Facts, workspace: WorkspaceId | None) -> tuple[Method, ...]:
    """The methods a plane would take now, strongest first."""
    methods = {each.method for each in usable_on(facts, workspace)}
    return tuple(sorted(methods, key=STRENGTHS.__getitem__, reverse=True))


def enrolled(authenticators: Iterable[Authenticator], workspace: WorkspaceId) -> bool:
    """Whether a person has 2FA in a workspace: it relies on more than recovery codes. Suspended is still enrolled."""
    return any(
        each.method is not Method.RECOVERY_CODE and relied(each, workspace) for each in authenticators
    )


# --- which proofs count -------------------------------------------------------------------------------------------


def counts(facts: Facts, proof: Proof, teammate: Teammate) -> bool:
    """Whether a proof counts in a teammate's workspace, by what its authenticator reaches now."""
    if proof.sequence < teammate.valid_after:
        return False
    if proof.authenticator is None:
        return proof.method not in MAILBOX and teammate.workspace in proof.source
    authenticator = facts.authenticator(proof.authenticator)
    return authenticator is not None and relied(authenticator, teammate.workspace)


def counting(facts: Facts, workspace: WorkspaceId | None) -> list[Proof]:
    """The proofs that count in a plane."""
    if workspace is None:
        bound = {each.id for each in relied_on(facts, None)}
        return [
            proof
            for proof in facts.proofs
            if (proof.authenticator in bound)
            or (proof.authenticator is None and proof.method not in MAILBOX and proof.source.everywhere)
        ]
    teammate = facts.teammate(workspace)
    if teammate is None:
        return []
    return [proof for proof in facts.proofs if counts(facts, proof, teammate)]


def has_first(proofs: Iterable[Proof]) -> bool:
    """Whether a first factor is among these proofs."""
    return any(proof.method in FIRST_FACTORS for proof in proofs)


def has_second(proofs: Iterable[Proof]) -> bool:
    """Whether a second factor is among these proofs."""
    return any(proof.method in SECOND_FACTORS for proof in proofs)


def first_reaches_everywhere(facts: Facts) -> bool:
    """Whether some first factor of this session reaches everywhere."""
    for proof in facts.proofs:
        if proof.method not in FIRST_FACTORS:
            continue
        if proof.authenticator is None:
            if proof.source.everywhere:
                return True
        else:
            authenticator = facts.authenticator(proof.authenticator)
            if authenticator is not None and authenticator.reach.everywhere:
                return True
    return False


# --- where a new authenticator would reach --------------------------------------------------------------------------


def very_first(facts: Facts) -> bool:
    """Whether nothing at all is bound to the account."""
    return not facts.authenticators


def mailbox_counts(facts: Facts, workspace: WorkspaceId | None) -> bool:
    """Whether this session has shown the mailbox in the way that lets it bind a first authenticator in a plane (law 14).

    A reset's ticket counts for its own open reset alone; after a reset nothing else does. Any other counts in its own
    workspace where nothing is relied on, and everywhere when it is the account's very first binding.
    """
    teammate = facts.teammate(workspace) if workspace is not None else None
    reset = teammate.reset if teammate is not None else None
    if workspace is not None and relied_on(facts, workspace):
        return False
    for proof in facts.proofs:
        if proof.method not in MAILBOX or facts.now - proof.at >= MAILBOX_PROOF_LIFE:
            continue
        if reset is not None:
            if proof.reset == reset:
                return True
        elif proof.reset is None and (
            very_first(facts)
            or (workspace is not None and not proof.source.everywhere and workspace in proof.source)
        ):
            return True
    return False


def binds_in(facts: Facts, workspace: WorkspaceId) -> bool:
    """Whether what this session binds now would reach a workspace."""
    proofs = counting(facts, workspace)
    return has_first(proofs) and (has_second(proofs) or mailbox_counts(facts, workspace))


def bind_reach(facts: Facts) -> Reach:
    """Where an authenticator reaches that this session binds now; nowhere means that binding is refused."""
    reached = {each.workspace for each in facts.teammates if binds_in(facts, each.workspace)}
    left_out = len(reached) < len(facts.teammates)
    if not left_out and first_reaches_everywhere(facts) and _second_reaches_everywhere(facts):
        return EVERYWHERE
    return Reach(workspaces=frozenset(reached)) if reached else NOWHERE


def _second_reaches_everywhere(facts: Facts) -> bool:
    if very_first(facts):
        return mailbox_counts(facts, None) or (
            bool(facts.teammates) and all(mailbox_counts(facts, each.workspace) for each in facts.teammates)
        )
    usable_ids = {each.id for each in facts.authenticators if each.reach.everywhere}
    if not facts.teammates:
        usable_ids &= {each.id for each in relied_on(facts, None)}
    return any(
        proof.method in SECOND_FACTORS and proof.authenticator in usable_ids for proof in facts.proofs
    )


# --- fresh proof ----------------------------------------------------------------------------------------------------


def strongest(facts: Facts, workspace: WorkspaceId | None) -> Strength:
    """The strength that fresh proof must have in a plane: the strongest usable thing relied on, else the password."""
    return max(
        (STRENGTHS[each.method] for each in usable_on(facts, workspace)), default=Strength.PASSWORD
    )


def fresh(
    facts: Facts, workspace: WorkspaceId | None, kind: str, max_age: Duration, *, recovery: bool = False
) -> bool:
    """Whether this session has shown fresh proof for a kind of act in a plane (RFC 9470; design section 7).

    `recovery`: the act is one that a recovery code may do (replacing what was lost).
    """
    needed = strongest(facts, workspace)
    if needed is Strength.PASSWORD and relied_on(facts, workspace):
        return False  # everything relied on is suspended: a password never stands in for it
    if recovery:
        needed = min(needed, Strength.RECOVERY_CODE)
    return any(
        STRENGTHS[proof.method] >= needed and _recent_enough(facts, proof, kind, max_age)
        for proof in counting(facts, workspace)
    )


def _recent_enough(facts: Facts, proof: Proof, kind: str, max_age: Duration) -> bool:
    age = facts.now - proof.at
    if age < max_age:
        return True
    recent = facts.recent
    return (
        max_age >= MAX_AGE
        and age < SLIDING_AGE
        and recent is not None
        and recent.kind == kind
        and recent.at >= proof.at
        and facts.now - recent.at < MAX_AGE
    )


def limited(facts: Facts, workspace: WorkspaceId | None) -> bool:
    """Whether all that opens a plane is a recovery code, or something bound with one less than 24 hours ago."""
    if not relied_on(facts, workspace):
        return False
    for proof in counting(facts, workspace):
        if proof.method not in SECOND_FACTORS or proof.method is Method.RECOVERY_CODE:
            continue
        authenticator = facts.authenticator(proof.authenticator)
        if authenticator is not None and authenticator.limited_until <= facts.now:
            return False
    return True


# --- what others are told -------------------------------------------------------------------------------------------

_AMR = {
    Method.PASSWORD: "pwd",
    Method.TOTP: "otp",
    Method.PASSKEY: "hwk",
    Method.RECOVERY_CODE: "urn:nightlatch:amr:recovery",
}


def aal(facts: Facts, workspace: WorkspaceId) -> int:
    """The authenticator assurance level in a workspace: 2 with two factors that count there, 1 with one, else 0."""
    proofs = counting(facts, workspace)
    if not has_first(proofs):
        return 0
    return 2 if has_second(proofs) else 1


def amr(facts: Facts, workspace: WorkspaceId) -> list[str]:
    """The authentication methods that count in a workspace (RFC 8176), with `mfa` where two kinds are among them."""
    proofs = counting(facts, workspace)
    names = sorted({_AMR[proof.method] for proof in proofs if proof.method in _AMR})
    if has_first(proofs) and has_second(proofs):
        names.append("mfa")
    return names
