"""Decisions in sentences: for an account as it is, by sessions as they could be."""

from dataclasses import replace
from typing import Any

from nightlatch.access import decide
from nightlatch.actions import kinds
from nightlatch.assurance import relied_on, usable
from nightlatch.decision import Action, Allow, Challenge, Decision, Deny, Enrol, Purpose
from nightlatch.facts import EVERYWHERE, Authenticator, Facts, Proof, Reach, Teammate, reach_of
from nightlatch.ids import to_text as id_text
from nightlatch.instants import to_text
from nightlatch.store import api_tokens, authenticators, sessions
from nightlatch.store.engine import Transaction
from nightlatch.store.facts import read_account_facts
from nightlatch.store.query import Row
from nightlatch.store.session_facts import read_known
from nightlatch.vocabulary import SECOND_FACTORS, Credential, Method, Reason, Role

ACTIONS = {
    name.lower().replace("_", "-"): value
    for name, value in vars(kinds).items()
    if isinstance(value, Action) and value.purpose is not Purpose.APP
}
_ACCOUNT_PLANE = (Purpose.READ, Purpose.CHANGE, Purpose.JOIN)
_LATEST = 2**62
"""A sequence after every reset: proofs of a session that begins now."""

_METHODS = {
    Method.PASSWORD: "the password",
    Method.TOTP: "a code from the authenticator app",
    Method.RECOVERY_CODE: "a recovery code",
    Method.PASSKEY: "a passkey",
    Method.PROVIDER: "a sign-in at their product, or at the workspace's provider",
    Method.TICKET: "the mailed link",
    Method.INVITATION: "the invitation's link",
}
_NAMES = {Allow: "allow", Challenge: "challenge", Enrol: "enrol", Deny: "deny"}
_DENIALS = {
    Reason.NOT_A_TEAMMATE: "denied: no teammate of this workspace (answered as if it did not exist)",
    Reason.MAIL_PROOF: "denied until the mailed link for setting up 2FA was used",
    Reason.PERMISSION: "denied: the role does not include this",
    Reason.RECOVERY_LIMIT: "denied: a recovery code is not enough for this, for 24 hours",
    Reason.SCOPE: "denied: an API token that does not include this, or no API token may do it",
    Reason.OLDER_TOKEN: "denied: the API token is from before a removal, a return or a reset here",
    Reason.SUSPENDED: "denied: the second step is suspended, and API tokens with it",
    Reason.ELSEWHERE_CLOSED: "denied: what is bound belongs to a workspace that the person is no longer in",
}
_CHALLENGES = {
    Reason.NO_SESSION: "asked to sign in",
    Reason.IDLE: "asked for the password again: idle for too long",
    Reason.FIRST_FACTOR: "asked for the password",
    Reason.SUSPENDED: "held: the second step is suspended; see /recover, or nightlatch account unlock",
}


def named(action: str) -> Action | None:
    """The action of a name."""
    return ACTIONS.get(action)


def explain(tx: Transaction, account: Row, workspace: Row, action: str) -> dict[str, Any]:
    """Why, as the command shows it."""
    facts, asked = read_account_facts(tx, account.id), ACTIONS[action]
    asked = asked if asked.purpose in _ACCOUNT_PLANE else asked.at(workspace.id)
    names = {row.id: row.name for row in authenticators.of_account(tx, account.id)}
    return {
        "account": {"id": id_text(account.id), "name": account.name, "email": account.email},
        "workspace": {"slug": workspace.slug, "name": workspace.name},
        "action": action,
        "because": because(facts, workspace, names),
        "relies_on": [_authenticator(each, workspace.id, names) for each in relied_on(facts, workspace.id)],
        "would": [
            {"with": " and ".join(shown) or "no session", **told(decide(given, asked))}
            for shown, given in _sessions_that_could_be(facts, workspace.id)
        ],
        "sessions": [_session(tx, row, asked) for row in sessions.of_account(tx, account.id)],
        "tokens": [_token(tx, row, asked) for row in api_tokens.of_account(tx, account.id)],
    }


def because(facts: Facts, workspace: Row, names: dict[int, str]) -> list[str]:
    """What the decision rests on, in sentences."""
    teammate = facts.teammate(workspace.id)
    if teammate is None:
        return [f"They are no teammate of {workspace.slug}."]
    here = relied_on(facts, workspace.id)
    article = "a" if teammate.role is Role.MEMBER else "an"
    found = [f"They are {article} {teammate.role} in {workspace.slug}.", _mandate(teammate, facts.now)]
    found += [f"{workspace.name} relies on {_described(each, facts, workspace.id, names)}." for each in here]
    if not here:
        found.append(f"{workspace.name} relies on no second factor of theirs.")
    void = [each for each in facts.authenticators if workspace.id in each.void]
    found += [f"{names.get(each.id, each.method)} is void there since a reset." for each in void]
    elsewhere = [each for each in facts.authenticators if each not in here and each not in void]
    found += [f"{names.get(each.id, each.method)} is bound, but does not reach here." for each in elsewhere]
    if teammate.reset is not None:
        found.append(
            "Their 2FA was disabled by a reset: only that reset's mailed link, with its number, binds anew."
        )
    return found


def told(decision: Decision) -> dict[str, Any]:
    """A decision, for programs and in a sentence."""
    return {
        "decision": _NAMES[type(decision)],
        "reason": decision.reason.value,
        "methods": [each.value for each in decision.methods] if isinstance(decision, Challenge) else [],
        "needs": decision.needs if isinstance(decision, Enrol) else None,
        "text": _sentence(decision),
    }


# --- inside ---


def _sentence(decision: Decision) -> str:
    if isinstance(decision, Allow):
        return "allowed"
    if isinstance(decision, Enrol):
        if decision.reason is Reason.STRENGTH:
            return "led to setting up a passkey (passkeys alone are taken there); can begin at once"
        why = "a reset" if decision.reason is Reason.RESET else "2FA is required"
        how = "needs the mailed link first" if decision.needs == "mail" else "can begin at once"
        return f"led to setting up 2FA ({why}); {how}"
    if isinstance(decision, Deny):
        return _DENIALS.get(decision.reason, f"denied: {decision.reason}")
    if decision.reason in _CHALLENGES:
        return _CHALLENGES[decision.reason]
    ways = " or ".join(_METHODS[each] for each in decision.methods) or "what is suspended, or nobody has"
    if decision.reason is Reason.STRENGTH:
        return f"asked for {ways}: passkeys alone are taken there"
    if decision.reason is Reason.FRESHNESS:
        return f"asked to confirm with {ways}, shown within the last 10 minutes"
    return f"asked for the second step: {ways}"


def _mandate(teammate: Teammate, now: int) -> str:
    since = teammate.mandate.required_from
    if since is None:
        return "2FA is optional there."
    text = to_text(since // 1_000_000 * 1_000_000)
    told = f"2FA is required there since {text}." if since <= now else f"2FA is required there from {text}."
    strong = teammate.mandate.resistant_from
    if strong is None:
        return told
    at = max(strong, since)
    return f"{told} Passkeys alone are taken {'since' if at <= now else 'from'} {to_text(at // 1_000_000 * 1_000_000)}."


def _described(each: Authenticator, facts: Facts, workspace: int, names: dict[int, str]) -> str:
    text = f"{names.get(each.id, each.method)} ({each.method})"
    if not usable(each, workspace):
        text += ", which is suspended"
    if each.limited_until > facts.now:
        text += (
            f", which changes nothing weighty until {to_text(each.limited_until // 1_000_000 * 1_000_000)}"
        )
    return text


def _authenticator(each: Authenticator, workspace: int, names: dict[int, str]) -> dict[str, Any]:
    return {
        "id": id_text(each.id),
        "method": each.method.value,
        "name": names.get(each.id, ""),
        "suspended": not usable(each, workspace),
        "limited_until": to_text(each.limited_until) if each.limited_until else None,
    }


def _sessions_that_could_be(facts: Facts, workspace: int) -> list[tuple[list[str], Facts]]:
    """Nobody; the first factor just shown; with it each second factor, and the mailbox."""
    kept = facts.first is Method.PROVIDER
    source = Reach(workspaces=frozenset(each.workspace for each in facts.teammates)) if kept else EVERYWHERE
    first = Proof(facts.first, _LATEST, facts.now, source=source)
    named = "the product's sign-in" if kept else "the password"
    found: list[tuple[list[str], Facts]] = [
        ([], Facts(now=facts.now)),
        ([named], replace(facts, proofs=(first,))),
    ]
    shown = set()
    for each in relied_on(facts, workspace):
        if each.method in SECOND_FACTORS and each.method not in shown and usable(each, workspace):
            shown.add(each.method)
            second = Proof(each.method, _LATEST + 1, facts.now, each.id)
            found.append(([named, _METHODS[each.method]], replace(facts, proofs=(first, second))))
    teammate = facts.teammate(workspace)
    if teammate is not None and not relied_on(facts, workspace):
        mailbox = Proof(
            Method.TICKET, _LATEST + 1, facts.now, source=reach_of(workspace), reset=teammate.reset
        )
        found.append(([named, "the mailed link"], replace(facts, proofs=(first, mailbox))))
    return found


def _session(tx: Transaction, row: Row, action: Action) -> dict[str, Any]:
    facts = read_known(tx, row.token_hash, Credential(row.kind)).facts
    return {
        "id": id_text(row.id),
        "kind": row.kind,
        "ip": row.ip,
        "last_seen_at": to_text(row.last_seen_at),
        **told(decide(facts, action)),
    }


def _token(tx: Transaction, row: Row, action: Action) -> dict[str, Any]:
    facts = read_known(tx, row.token_hash, Credential.TOKEN).facts
    return {
        "id": id_text(row.id),
        "name": row.name,
        "scopes": row.scopes.split(),
        "expires_at": to_text(row.expires_at),
        **told(decide(facts, action)),
    }
