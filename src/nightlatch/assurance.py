"""What has been proved, and where it counts: reach, relied, usable, counts, bind reach, fresh, AAL, amr. Pure.

The rules are those of "planes and reach" in docs/architecture.md; they are what keeps one workspace from ever weakening
another. Enumerated in tests/pure.
"""

from collections.abc import Iterable, Sequence

from nightlatch.facts import (
    EVERYWHERE,
    MAILBOX_PROOF_LIFE,
    NO_WORKSPACES,
    NOWHERE,
    Authenticator,
    Facts,
    Proof,
    Reach,
    Teammate,
    WorkspaceId,
)
from nightlatch.instants import MINUTE, Duration
from nightlatch.policy import ProofStrength
from nightlatch.vocabulary import (
    FIRST_FACTORS,
    MAILBOX,
    PHISHING_RESISTANT,
    SECOND_FACTORS,
    STRENGTHS,
    WITHOUT_AUTHENTICATOR,
    Evidence,
    Method,
    Role,
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


def liftable(authenticator: Authenticator) -> bool:
    """Whether some of its suspension came by failures: a mailed link and a code lift that, never lost or contested."""
    lost, suspended = authenticator.lost, authenticator.suspended
    if lost.everywhere or not suspended:
        return False
    return suspended.everywhere or bool(suspended.workspaces - lost.workspaces)


def touches(authenticator: Authenticator) -> Reach:
    """Where changing an authenticator changes something: where it reaches, and where it was accepted."""
    if authenticator.reach.everywhere:
        return authenticator.reach
    return Reach(workspaces=authenticator.reach.workspaces | authenticator.accepted)


def counts_somewhere(facts: Facts, authenticator: Authenticator) -> bool:
    """Whether some plane of the account relies on it: one of its workspaces, or without any the account itself."""
    if not facts.teammates:
        return not authenticator.void
    return any(relied(authenticator, each.workspace) for each in facts.teammates)


def usable_on(facts: Facts, workspace: WorkspaceId | None) -> list[Authenticator]:
    """What a plane relies on and would take now."""
    if workspace is None:
        return [each for each in relied_on(facts, None) if not each.suspended]
    return [each for each in facts.authenticators if usable(each, workspace)]


def usable_methods(facts: Facts, workspace: WorkspaceId | None) -> tuple[Method, ...]:
    """The methods a plane would take now, strongest first."""
    return strongest_first({each.method for each in usable_on(facts, workspace)})


def strongest_first(methods: Iterable[Method]) -> tuple[Method, ...]:
    """Methods in the order in which they are offered."""
    return tuple(sorted(methods, key=STRENGTHS.__getitem__, reverse=True))


def enrolled(authenticators: Iterable[Authenticator], workspace: WorkspaceId) -> bool:
    """Whether a person has 2FA in a workspace: it relies on more than recovery codes. Suspended is still enrolled."""
    return any(each.method is not Method.RECOVERY_CODE and relied(each, workspace) for each in authenticators)


def ready(facts: Facts, workspace: WorkspaceId) -> bool:
    """Whether a person has in a workspace what it requires, now or from a date: 2FA, or where it is so, a passkey."""
    teammate = facts.teammate(workspace)
    if teammate is not None and teammate.mandate.strength is ProofStrength.PHISHING_RESISTANT:
        return bool(resistant_on(facts, workspace))
    return enrolled(facts.authenticators, workspace)


def passkey_alone(facts: Facts, workspaces: Iterable[WorkspaceId]) -> bool:
    """Whether what a person has yet to set up, in one of these workspaces, is a passkey: an app would not do."""
    for teammate in map(facts.teammate, workspaces):
        if teammate is not None and not ready(facts, teammate.workspace):
            has_two_factor = enrolled(facts.authenticators, teammate.workspace)
            if teammate.mandate.passkey_alone(facts.now, has_two_factor=has_two_factor):
                return True
    return False


# --- which proofs count -------------------------------------------------------------------------------------------


def counts(facts: Facts, proof: Proof, teammate: Teammate) -> bool:
    """Whether a proof counts in a teammate's workspace, by what its authenticator reaches now."""
    if proof.sequence < teammate.valid_after:
        return False
    if proof.authenticator is None:
        return proof.method in WITHOUT_AUTHENTICATOR and teammate.workspace in proof.source
    authenticator = facts.authenticator(proof.authenticator)
    if authenticator is None or not relied(authenticator, teammate.workspace):
        return False
    return not (authenticator.lost or authenticator.valid_after) or _found(proof, authenticator, teammate)


def _found(proof: Proof, authenticator: Authenticator, teammate: Teammate) -> bool:
    """Of an authenticator that was marked as lost or contested: whether this proof counts there all the same."""
    workspace = teammate.workspace
    return workspace not in authenticator.lost and proof.sequence >= authenticator.newest_dead(workspace)


def counting(facts: Facts, workspace: WorkspaceId | None) -> list[Proof]:
    """The proofs that count in a plane."""
    if workspace is None:
        bound = {each.id for each in relied_on(facts, None) if not each.lost}
        return [
            proof
            for proof in facts.proofs
            if (proof.authenticator in bound)
            or (proof.authenticator is None and _everywhere_of_itself(proof))
        ]
    teammate = facts.teammate(workspace)
    if teammate is None:
        return []
    return [proof for proof in facts.proofs if counts(facts, proof, teammate)]


def has_first(proofs: Iterable[Proof]) -> bool:
    """Whether a first factor is among these proofs."""
    for proof in proofs:  # noqa: SIM110 - asked several times a request: a generator costs as much as the answer
        if proof.method in FIRST_FACTORS and proof.verified:
            return True
    return False


def first_shown(facts: Facts, teammate: Teammate, proofs: Iterable[Proof]) -> bool:
    """Whether, of the proofs that count in a teammate's workspace, one is a first factor there."""
    return by_provider(proofs) if provider_alone(facts, teammate) else has_first(proofs)


def provider_alone(facts: Facts, teammate: Teammate) -> bool:
    """Whether nothing but the workspace's own provider is a first factor for this teammate.

    The owners' emergency door is a password and 2FA: who has none there is no better off than anybody else, unless it
    is asked for before the door opens (a mandate in force, or after a reset).
    """
    if not teammate.sso_required or teammate.role is not Role.OWNER:
        return teammate.sso_required
    asked = teammate.reset is not None or teammate.mandate.in_force(facts.now)
    return not asked and not relied_on(facts, teammate.workspace)


def by_provider(proofs: Iterable[Proof]) -> bool:
    """Whether a sign-in at a workspace's own provider is among these proofs."""
    return any(proof.connection is not None for proof in proofs)


def first_method(facts: Facts, workspace: WorkspaceId | None) -> Method:
    """How this account shows a first factor in a plane."""
    teammate = facts.teammate(workspace) if workspace is not None else None
    return Method.PROVIDER if teammate is not None and provider_alone(facts, teammate) else facts.first


def has_second(proofs: Iterable[Proof]) -> bool:
    """Whether a second factor is among these proofs: one of ours, or what a connection's rule takes for one."""
    for proof in proofs:  # noqa: SIM110 - as above
        if proof.method in SECOND_FACTORS or proof.evidence >= Evidence.SECOND:
            return True
    return False


def has_resistant(proofs: Iterable[Proof]) -> bool:
    """Whether a phishing-resistant factor is among these proofs."""
    return any(proof.method in PHISHING_RESISTANT or proof.evidence is Evidence.RESISTANT for proof in proofs)


def remembered(facts: Facts, teammate: Teammate) -> bool:
    """Whether this browser is remembered in a workspace that lets it be: no proof, it spares the second step there.

    Never where 2FA is required, now or from a date.
    """
    return (
        teammate.remembers
        and teammate.mandate.required_from is None
        and any(
            proof.method is Method.REMEMBERED
            and teammate.workspace in proof.source
            and proof.sequence >= teammate.valid_after
            for proof in facts.proofs
        )
    )


def excused(proofs: Iterable[Proof]) -> bool:
    """Whether somebody came by a connection whose people the mandate does not ask for 2FA."""
    return any(proof.evidence is Evidence.EXEMPT for proof in proofs)


def needs_resistant(facts: Facts, teammate: Teammate, proofs: Iterable[Proof]) -> bool:
    """Whether a workspace asks for phishing-resistant proof that is not among these."""
    return teammate.mandate.resistant(facts.now) and not (excused(proofs) or has_resistant(proofs))


def resistant_on(facts: Facts, workspace: WorkspaceId) -> list[Authenticator]:
    """What a workspace relies on that is phishing-resistant."""
    return [each for each in relied_on(facts, workspace) if each.method in PHISHING_RESISTANT]


def takes_passkeys_alone(facts: Facts, workspace: WorkspaceId) -> bool:
    """Whether a code from an app leads nowhere in a workspace: it requires a passkey, and relies on one."""
    teammate = facts.teammate(workspace)
    return (
        teammate is not None
        and teammate.mandate.resistant(facts.now)
        and bool(resistant_on(facts, workspace))
    )


def recovering(proofs: Iterable[Proof]) -> bool:
    """Whether a recovery code is among these proofs."""
    return any(proof.method is Method.RECOVERY_CODE for proof in proofs)


def first_reaches_everywhere(facts: Facts) -> bool:
    """Whether some first factor of this session reaches everywhere."""
    for proof in facts.proofs if facts.teammates else counting(facts, None):
        if proof.method not in FIRST_FACTORS or not proof.verified:
            continue
        authenticator = facts.authenticator(proof.authenticator)
        if authenticator is not None and authenticator.reach.everywhere and not authenticator.lost:
            return True
        if proof.authenticator is None and _everywhere_of_itself(proof):
            return True
    return False


def _everywhere_of_itself(proof: Proof) -> bool:
    return proof.method in WITHOUT_AUTHENTICATOR and proof.source.everywhere


# --- where a new authenticator would reach --------------------------------------------------------------------------


def very_first(facts: Facts) -> bool:
    """Whether nothing at all is bound to the account (without any workspace: nothing that it relies on)."""
    return not (facts.authenticators if facts.teammates else relied_on(facts, None))


def mailbox_counts(facts: Facts, teammate: Teammate) -> bool:
    """Whether this session has shown the mailbox in the way that lets it bind a first authenticator in a teammate's
    workspace (law 14). That is asked where nothing is relied on, and there alone (`binds_in`).

    A workspace's ticket counts in that workspace; one that names none, and the invitation that made the account, in all
    of them. A recent sign-in at the workspace's own provider is as good, there alone. After a reset only its own ticket
    counts there, and no provider.
    """
    return _mailed(facts, teammate) or any(_provider_of(facts, proof, teammate) for proof in facts.proofs)


def _mailed(facts: Facts, teammate: Teammate) -> bool:
    """The same by mail alone."""
    return any(_mailbox_of(facts, proof, teammate) for proof in facts.proofs)


def _mailed_everywhere(facts: Facts) -> bool:
    """The same in every workspace of the account, or without any, by a mail that names none."""
    if facts.teammates:
        return all(_mailed(facts, each) for each in facts.teammates)
    return any(
        proof.reset is None and proof.source.everywhere and _recent_mailbox(facts, proof)
        for proof in facts.proofs
    )


def _recent_mailbox(facts: Facts, proof: Proof) -> bool:
    return proof.method in MAILBOX and facts.now - proof.at < MAILBOX_PROOF_LIFE


def _mailbox_of(facts: Facts, proof: Proof, teammate: Teammate) -> bool:
    if not _recent_mailbox(facts, proof) or proof.sequence < teammate.valid_after:
        return False
    return proof.reset == teammate.reset and teammate.workspace in proof.source


def _provider_of(facts: Facts, proof: Proof, teammate: Teammate) -> bool:
    """A sign-in at the workspace's own provider, recent, where no reset asks for its ticket."""
    return (
        proof.connection is not None
        and teammate.reset is None
        and counts(facts, proof, teammate)
        and facts.now - proof.at < MAILBOX_PROOF_LIFE
    )


def binds_in(facts: Facts, workspace: WorkspaceId) -> bool:
    """Whether what this session binds now would reach a workspace.

    A first binding takes the mailbox, whatever a provider says of a second factor of its own (law 14). Where
    phishing-resistant proof is required and something of the kind is relied on, a code that could have been
    phished must not bind beside it; a recovery code may (design section 7).
    """
    teammate = facts.teammate(workspace)
    proofs = counting(facts, workspace)
    if teammate is None or not first_shown(facts, teammate, proofs):
        return False
    if not relied_on(facts, workspace):
        return mailbox_counts(facts, teammate)
    return has_second(proofs) and (
        not needs_resistant(facts, teammate, proofs)
        or recovering(proofs)
        or not resistant_on(facts, workspace)
    )


def bind_reach(facts: Facts, stale: frozenset[WorkspaceId] = NO_WORKSPACES) -> Reach:
    """Where an authenticator reaches that this session binds now; nowhere means that binding is refused.

    `stale`: workspaces to leave out, because they ask for fresh proof first (`access.enrol_reach` knows them).
    """
    all_of_them = {each.workspace for each in facts.teammates}
    reached = {each for each in all_of_them - stale if binds_in(facts, each)}
    left_out = reached != all_of_them
    if not left_out and first_reaches_everywhere(facts) and _second_reaches_everywhere(facts):
        return EVERYWHERE
    return Reach(workspaces=frozenset(reached)) if reached else NOWHERE


def _second_reaches_everywhere(facts: Facts) -> bool:
    """Asked only where no workspace is left out: so for the very first binding each of them was shown the mailbox, or
    its own provider, which vouches for nothing beyond it."""
    if very_first(facts):
        return _mailed_everywhere(facts)
    bound = relied_on(facts, None) if not facts.teammates else facts.authenticators
    everywhere = {each.id for each in bound if each.reach.everywhere and not each.lost}
    return any(proof.method in SECOND_FACTORS and proof.authenticator in everywhere for proof in facts.proofs)


# --- fresh proof ----------------------------------------------------------------------------------------------------


def limits(facts: Facts, authenticator: Authenticator | None) -> bool:
    """Whether it is not enough for a weighty act: a recovery code, or bound with one less than 24 hours ago."""
    return authenticator is not None and (
        authenticator.method is Method.RECOVERY_CODE or authenticator.limited_until > facts.now
    )


def good_for_fresh(
    facts: Facts, workspace: WorkspaceId | None, *, recovery: bool = False, weighty: bool = False
) -> list[Authenticator]:
    """What fresh proof is given with in a plane that relies on something: the usable, if as strong as the strongest.

    `recovery`: the act is one that a recovery code may do (replacing what was lost). `weighty`: one that it may not.
    """
    good = [each for each in usable_on(facts, workspace) if not (weighty and limits(facts, each))]
    needed = max((STRENGTHS[each.method] for each in good), default=Strength.PASSWORD)
    if recovery:
        needed = min(needed, Strength.RECOVERY_CODE)
    return [each for each in good if STRENGTHS[each.method] >= needed]


def fresh_methods(
    facts: Facts, workspace: WorkspaceId | None, *, recovery: bool = False, weighty: bool = False
) -> tuple[Method, ...]:
    """The methods that would be fresh proof in a plane now, strongest first; none where all is suspended."""
    if not relied_on(facts, workspace):
        return (first_method(facts, workspace),)
    good = good_for_fresh(facts, workspace, recovery=recovery, weighty=weighty)
    return strongest_first({each.method for each in good})


def fresh(
    facts: Facts,
    workspace: WorkspaceId | None,
    kind: str,
    max_age: Duration,
    *,
    recovery: bool = False,
    weighty: bool = False,
) -> bool:
    """Whether this session has shown fresh proof for a kind of act in a plane (RFC 9470; design section 7).

    A password, or a sign-in at a provider, counts only where nothing is relied on: never for what is suspended.
    """
    proofs = counting(facts, workspace)
    teammate = facts.teammate(workspace) if workspace is not None else None
    if relied_on(facts, workspace):
        good = {each.id for each in good_for_fresh(facts, workspace, recovery=recovery, weighty=weighty)}
        proofs = [proof for proof in proofs if proof.authenticator in good]
    elif teammate is not None and provider_alone(facts, teammate):
        proofs = [proof for proof in proofs if proof.connection is not None]
    return any(_recent_enough(facts, proof, kind, max_age) for proof in proofs)


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
        and facts.now - recent.at < MAX_AGE
    )


def limited(facts: Facts, workspace: WorkspaceId | None) -> bool:
    """Whether all that opens a plane is a recovery code, or something bound with one less than 24 hours ago."""
    if not relied_on(facts, workspace):
        return False
    teammate = facts.teammate(workspace) if workspace is not None else None
    if teammate is not None and remembered(facts, teammate):
        return False
    return not any(
        proof.evidence >= Evidence.SECOND
        or (proof.method in SECOND_FACTORS and not limits(facts, facts.authenticator(proof.authenticator)))
        for proof in counting(facts, workspace)
    )


# --- what others are told -------------------------------------------------------------------------------------------

_AMR = {
    Method.PASSWORD: "pwd",
    Method.TOTP: "otp",
    Method.PASSKEY: "hwk",
    Method.RECOVERY_CODE: "urn:nightlatch:amr:recovery",
}


def aal(facts: Facts, workspace: WorkspaceId) -> int:
    """The authenticator assurance level in a workspace: 2 with two factors that count there, 1 with one, else 0."""
    return level_of(counting(facts, workspace))


def amr(facts: Facts, workspace: WorkspaceId) -> list[str]:
    """The authentication methods that count in a workspace (RFC 8176), with `mfa` where two kinds are among them."""
    return methods_of(counting(facts, workspace))


def level_of(proofs: Sequence[Proof]) -> int:
    """The level that counting proofs make together."""
    if not has_first(proofs):
        return 0
    return 2 if has_second(proofs) else 1


AAL1, AAL2 = "urn:nightlatch:aal1", "urn:nightlatch:aal2"
PHISHING_RESISTANT_ACR = "phr"
"""OpenID Connect Extended Authentication Profile (EAP) ACR Values 1.0 section 2."""


def acr(facts: Facts, workspace: WorkspaceId) -> str:
    """The authentication context class of what counts in a workspace; empty where nothing does."""
    return context_class(counting(facts, workspace))


def context_class(proofs: Sequence[Proof]) -> str:
    """The class that counting proofs make together: `phr` where two factors, one of them phishing-resistant."""
    level = level_of(proofs)
    if level == 2 and has_resistant(proofs):
        return PHISHING_RESISTANT_ACR
    return {1: AAL1, 2: AAL2}.get(level, "")


def methods_of(proofs: Sequence[Proof]) -> list[str]:
    """The names of the methods of counting proofs."""
    names = sorted({_AMR[proof.method] for proof in proofs if proof.method in _AMR})
    if level_of(proofs) == 2:
        names.append("mfa")
    return names
