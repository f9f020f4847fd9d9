"""What nobody gives up of their own: the last thing that satisfies a mandate, and what an owner has whom law 8 needs.

Asked where something is taken away, and where an app would take the place of a passkey.
"""

from collections.abc import Collection
from dataclasses import replace

from nightlatch.actions import kinds
from nightlatch.actions.by import By
from nightlatch.actions.guard import allowed, person_of, place_of
from nightlatch.assurance import ready, relied, usable
from nightlatch.facts import Authenticator, Facts, Teammate, WorkspaceId
from nightlatch.ids import to_text
from nightlatch.policy import ProofStrength
from nightlatch.refusals import Code, Refused, WayOut
from nightlatch.store import teammates
from nightlatch.store.engine import Transaction
from nightlatch.store.known import Known, Place
from nightlatch.store.locks import lock
from nightlatch.vocabulary import PHISHING_RESISTANT, Method, Role


def mandated_by(facts: Facts, authenticator_id: int) -> list[int]:
    """The workspaces whose mandate in force would be broken by taking this authenticator away."""
    gone = facts.authenticator(authenticator_id)
    if gone is None or gone.method is Method.RECOVERY_CODE:
        return []
    rest = [each for each in facts.authenticators if each.id != gone.id]
    return [each.workspace for each in _demanding(facts, gone, rest)]


def locked_with_workspaces(tx: Transaction, by: By) -> Known:
    """Law 8 reads other people's rows: the workspaces are locked before the account, then everything is read again.

    Who joined another one while this waited locks that one too; out of order, but a deadlock simply begins again.
    """
    known = allowed(tx, by, kinds.SEE_SESSION)
    locked: set[int] | None = None
    while locked is None or not {each.workspace for each in known.facts.teammates} <= locked:
        locked = {each.workspace for each in known.facts.teammates}
        lock(tx, workspaces=locked, accounts=[person_of(known).id])
        known = allowed(tx, by, kinds.SEE_SESSION)
    return known


def refuse_giving_up(
    tx: Transaction,
    known: Known,
    gone: Authenticator,
    *,
    where: Collection[WorkspaceId] | None = None,
    instead: Authenticator | None = None,
) -> None:
    """Raises Refused (`mandated`, `last_owner`) where this must stay. Called under the locks of
    `locked_with_workspaces`. `where`: it goes there alone (None: everywhere); `instead`: what takes its place."""
    rest = [each for each in known.facts.authenticators if each.id != gone.id]
    if instead is not None:
        rest.append(instead)
    mates = [each for each in known.facts.teammates if where is None or each.workspace in where]
    facts = replace(known.facts, teammates=tuple(mates))
    _refuse_if_mandated(known, gone, _demanding(facts, gone, rest))
    _keep_an_owner(tx, known, gone, replace(facts, authenticators=tuple(rest)))


# --- inside ---


def _demanding(facts: Facts, gone: Authenticator, rest: Collection[Authenticator]) -> list[Teammate]:
    """The workspaces whose mandate in force is satisfied by what goes, and by nothing of the rest that is usable."""

    def left(teammate: Teammate) -> bool:
        only_passkeys = teammate.mandate.resistant(facts.now)
        return any(
            each.method is not Method.RECOVERY_CODE
            and usable(each, teammate.workspace)
            and (not only_passkeys or each.method in PHISHING_RESISTANT)
            for each in rest
        )

    return [
        each
        for each in facts.teammates
        if each.mandate.in_force(facts.now) and relied(gone, each.workspace) and not left(each)
    ]


def _refuse_if_mandated(known: Known, gone: Authenticator, demanding: Collection[Teammate]) -> None:
    if demanding:
        names = ", ".join(place_of(known, each.workspace).name for each in demanding)
        only_passkeys = any(each.mandate.resistant(known.facts.now) for each in demanding)
        what, new = ("a passkey", "a new passkey") if only_passkeys else ("2FA", "something new")
        raise Refused(
            Code.MANDATED,
            f"{names} requires {what}, and this is what you use there. Set up {new} in its place, "
            "or ask an admin.",
            WayOut("Set up a new one in its place.", f"/set-up?replaces={to_text(gone.id)}"),
        )


def _keep_an_owner(tx: Transaction, known: Known, gone: Authenticator, without: Facts) -> None:
    """A workspace that requires 2FA, or will, keeps an owner who has it; one that requires single sign-on keeps an
    owner who comes in otherwise (law 8)."""
    for teammate in without.teammates:
        if teammate.role is not Role.OWNER or not relied(gone, teammate.workspace):
            continue
        if ready(without, teammate.workspace):
            continue
        place, mine = place_of(known, teammate.workspace), person_of(known).id
        if teammate.mandate.required_from is not None and teammates.enrolled_owners(
            tx, teammate.workspace
        ) == [mine]:
            raise _last_owner(
                place,
                f"You are the only owner of {place.name} who has {_asked(teammate)}, and it will be required there.",
            )
        if teammate.sso_required and all(
            each == mine for each in teammates.enrolled_owners_with_password(tx, teammate.workspace)
        ):
            raise _last_owner(
                place,
                f"{place.name} requires single sign-on, and you are the only owner who has a password and 2FA to come "
                "in with when the provider is down.",
            )


def _last_owner(place: Place, detail: str) -> Refused:
    first = "Make somebody else an owner first."
    if place.app_id is not None:  # who is an owner, its product says
        first = "Let another owner set up 2FA first."
    return Refused(Code.LAST_OWNER, detail, WayOut(first, f"/w/{place.slug}/settings/team"))


def _asked(teammate: Teammate) -> str:
    return "2FA" if teammate.mandate.strength is ProofStrength.ANY else "a passkey"
