"""What a visit to set-up is about: which workspace, which old authenticator, and where the person was going."""

from dataclasses import dataclass, replace
from typing import Any

from nightlatch.access import decide, decide_account, decide_workspace, enrol_reach
from nightlatch.actions import kinds
from nightlatch.actions.enrolment import Pending
from nightlatch.assurance import enrolled, ready, relied_on
from nightlatch.decision import Action, Allow, Challenge, Decision, Enrol
from nightlatch.facts import Facts, Teammate, WorkspaceId
from nightlatch.ids import from_text, to_text
from nightlatch.instants import Instant
from nightlatch.policy import ProofStrength
from nightlatch.refusals import Refused, not_found, refusal_of
from nightlatch.store.known import Known, Place
from nightlatch.vocabulary import Method, Reason
from nightlatch.web.context import Context, safe_next, with_query
from nightlatch.web.pages.sign_in import helpers


@dataclass(frozen=True, slots=True)
class Asked:
    """What the address, or a form, asks for."""

    place: Place | None
    """The workspace that it is for; None: the account, wherever that reaches."""
    replaces: int | None
    another: bool
    """One more authenticator app, beside what is there."""
    next: str

    @property
    def workspace_id(self) -> WorkspaceId | None:
        """The plane."""
        return self.place.id if self.place is not None else None

    @property
    def action(self) -> Action:
        """What is to be decided."""
        return _action(self.replaces).at(self.workspace_id)

    @property
    def path(self) -> str:
        """The address that asks for the same."""
        return with_query(
            "/set-up",
            workspace=self.place.slug if self.place is not None else "",
            replaces=to_text(self.replaces) if self.replaces is not None else "",
            next=self.next,
        )

    def meant(self, context: Context, pending: Pending) -> bool:
        """Whether a pending set-up is this one, and could still be confirmed."""
        if self.replaces not in (None, pending.replaces):
            return False
        action = _action(pending.replaces)
        if not isinstance(decide(context.facts, action.at(pending.workspace_id)), Allow):
            return False
        return self.place is None or self.place.id in enrol_reach(context.facts, action)


def read(context: Context) -> Asked:
    """What is asked: by the form, by the address, or by the form that the gate caught. Raises Refused (404)."""

    def value(name: str) -> str:
        return context.form.get(name) or context.query(name) or context.refill.get(name, "")

    replaces = from_text(value("replaces")) if value("replaces") else None
    if value("replaces") and (replaces is None or context.facts.authenticator(replaces) is None):
        raise not_found()
    place = context.known.place_by_slug(value("workspace")) if value("workspace") else None
    another = bool(value("another"))
    if place is None and replaces is None and not another:
        place = _lacking(context)
    return Asked(place, replaces, another, safe_next(value("next")))


def _action(replaces: int | None) -> Action:
    return kinds.REPLACE if replaces is not None else kinds.ENROL


def _lacking(context: Context) -> Place | None:
    """Where no workspace was named: the one that lacks 2FA, where others have it; else the whole account at once."""
    facts = context.facts
    lacking = [each for each in facts.teammates if _lacks(facts, each.workspace)]
    if not lacking or len(lacking) == len(facts.teammates):
        return None
    lacking.sort(key=lambda each: not isinstance(decide_workspace(facts, each.workspace), Enrol))
    return place_of(context, lacking[0].workspace)


def place_of(context: Context, workspace_id: WorkspaceId | None) -> Place | None:
    """One of the account's workspaces."""
    return (context.known.places or {}).get(workspace_id or 0)


def has_two_factor(context: Context, place: Place | None) -> bool:
    """Whether nothing is left to set up: in a workspace, or in all of them."""
    facts = context.facts
    if place is not None:
        return not _lacks(facts, place.id)
    if not facts.teammates:
        return any(each.method is not Method.RECOVERY_CODE for each in relied_on(facts, None))
    return not any(_lacks(facts, each.workspace) for each in facts.teammates)


def _lacks(facts: Facts, workspace: WorkspaceId) -> bool:
    """Whether something is left to set up there, also for who has a passkey and could show a recovery code alone."""
    return not ready(facts, workspace) or isinstance(decide_workspace(facts, workspace), Enrol)


def refusal(context: Context, decision: Decision) -> Refused:
    """A refusal that leads on. Where the door itself is open already, a second factor is asked for as step-up."""
    if isinstance(decision, Challenge) and decision.reason is Reason.SECOND_FACTOR:
        facts, workspace = context.facts, decision.workspace
        opened = decide_workspace(facts, workspace) if workspace is not None else decide_account(facts)
        if isinstance(opened, Allow):
            decision = replace(decision, reason=Reason.FRESHNESS)
    return refusal_of(decision)


def passkey_wanted(context: Context, place: Place | None) -> bool:
    """Whether a passkey is what a workspace lacks of this person, now or from a date."""
    facts, place = context.facts, place or _asking(context)
    teammate = facts.teammate(place.id) if place is not None else None
    if teammate is None or teammate.mandate.strength is not ProofStrength.PHISHING_RESISTANT:
        return False
    return _lacks(facts, teammate.workspace)


def passkey_alone(context: Context, place: Place | None, replaces: int | None = None) -> bool:
    """Whether an app would not do there, or not in the place of this passkey, and not even until a date that comes:
    then none is offered."""
    facts, asking = context.facts, place or _asking(context)
    if is_passkey(facts, replaces) and _needs_a_passkey(facts):
        return True
    teammate = facts.teammate(asking.id) if asking is not None else None
    if teammate is None or not passkey_wanted(context, asking):
        return False
    has_two_factor = enrolled(facts.authenticators, teammate.workspace)
    return teammate.mandate.passkey_alone(facts.now, has_two_factor=has_two_factor)


def is_passkey(facts: Facts, authenticator_id: int | None) -> bool:
    """Whether this is one of the person's passkeys."""
    found = facts.authenticator(authenticator_id) if authenticator_id is not None else None
    return found is not None and found.method is Method.PASSKEY


def _needs_a_passkey(facts: Facts) -> bool:
    """Whether some workspace requires a passkey, now or from a date: an app would not do in the place of one."""
    return any(each.mandate.strength is ProofStrength.PHISHING_RESISTANT for each in facts.teammates)


def by_invitation(context: Context) -> bool:
    """Whether this session is the one in which an invitation made the account, to a workspace that requires 2FA."""
    facts = context.facts
    required = any(each.mandate.in_force(facts.now) for each in facts.teammates)
    return required and any(proof.method is Method.INVITATION for proof in facts.proofs)


def landing(known: Known, place: Place | None = None) -> str:
    """Where a person goes who was going nowhere in particular; a product's, back to the product."""
    places = list((known.places or {}).values())
    if place is None and len(places) == 1:
        place = places[0]
    if place is None:
        kept = known.person is not None and known.person.app_id is not None
        return "/app/back" if kept and places else "/workspaces"
    return f"/w/{place.slug}/back" if place.app_id is not None else f"/w/{place.slug}"


async def about(context: Context, place: Place | None, target: str) -> dict[str, Any]:
    """What every set-up page says: who asks for it, since when, who can help, how to put it off."""
    place = place or _asking(context)
    teammate = context.facts.teammate(place.id) if place is not None else None
    required = teammate is not None and _shut(context, teammate)
    helping = await helpers(context, place.id if place is not None else None) if required else []
    return {
        "workspace_name": place.name if place is not None else None,
        "required": required,
        "passkey_alone": passkey_alone(context, place),
        "passkey_from": _still_to_come(context, teammate),
        "required_since": teammate.mandate.required_from if teammate is not None and required else None,
        "helpers": [{"name": name} for name in dict.fromkeys(each["name"] for each in helping)],
        "newcomer": by_invitation(context) and not context.facts.authenticators,
        "cancel_url": None if required else context.url(target or "/"),
        "next": target,
    }


def _shut(context: Context, teammate: Teammate) -> bool:
    """Whether nothing opens there before set-up: not for who has 2FA, while a passkey's date is ahead."""
    if _still_to_come(context, teammate) and enrolled(context.facts.authenticators, teammate.workspace):
        return False
    return teammate.mandate.in_force(context.now)


def _still_to_come(context: Context, teammate: Teammate | None) -> Instant | None:
    """From when a passkey is required, while that is ahead."""
    if teammate is None or teammate.mandate.strength is ProofStrength.ANY:
        return None
    at = teammate.mandate.lacking_from(has_two_factor=True)
    return at if at is not None and at > context.now else None


def _asking(context: Context) -> Place | None:
    """The workspace that says Enrol, where none was named."""
    for each in context.facts.teammates:
        if isinstance(decide_workspace(context.facts, each.workspace), Enrol):
            return place_of(context, each.workspace)
    return None
