"""The `Session` object of the API: what a session is, and what each workspace says to it."""

from typing import Any

from nightlatch.access import decide_account, decide_workspace
from nightlatch.assurance import context_class, counting, enrolled, level_of, methods_of, ready
from nightlatch.decision import Allow, Challenge, Decision, Deny, Enrol, best
from nightlatch.facts import Facts, Teammate
from nightlatch.ids import to_text as id_text
from nightlatch.instants import to_text
from nightlatch.store.known import Known, Place

_NAMES = {Allow: "allow", Challenge: "challenge", Enrol: "enrol", Deny: "deny"}


def view(known: Known) -> dict[str, Any]:
    """The session for its holder. In `challenge` it says only which methods lead on."""
    session, person = known.session, known.person
    if session is None or person is None:
        raise ValueError("no session")
    facts = known.facts
    decisions = [decide_workspace(facts, each.workspace) for each in facts.teammates]
    account = best(decisions) if decisions else decide_account(facts)
    shown: dict[str, Any] = {
        "state": "challenge" if isinstance(account, Challenge) else "active",
        "methods": None,
        "authenticated_at": to_text(session.authenticated_at),
        "expires_at": to_text(session.expires_at),
        "account": None,
        "workspaces": None,
    }
    if isinstance(account, Challenge):
        shown["methods"] = list(account.methods)
        return shown
    shown["account"] = {
        "id": id_text(person.id),
        "name": person.name,
        "email": person.email,
        "locale": person.locale,
    }
    places = known.places or {}
    shown["workspaces"] = [
        _workspace(facts, each, places[each.workspace], decision)
        for each, decision in zip(facts.teammates, decisions, strict=True)
    ]
    return shown


def _workspace(facts: Facts, teammate: Teammate, place: Place, decision: Decision) -> dict[str, Any]:
    allowed = isinstance(decision, Allow)
    mandate = teammate.mandate
    proofs = counting(facts, place.id)
    level = level_of(proofs)
    due = None
    if allowed and not ready(facts, place.id):
        due = mandate.lacking_from(has_two_factor=enrolled(facts.authenticators, place.id))
    elif allowed and mandate.scheduled(facts.now) and level < 2:
        due = mandate.required_from
    return {
        "slug": place.slug,
        "name": place.name,
        "role": teammate.role if allowed else None,
        "decision": _NAMES[type(decision)],
        "reason": decision.reason,
        "needs": decision.needs if isinstance(decision, Enrol) else None,
        "aal": level,
        "acr": context_class(proofs),
        "amr": methods_of(proofs),
        "due": to_text(due) if due is not None and due > facts.now else None,
    }
