"""What a product asks about one of its people: may they be in that workspace now, and if not, where do they go."""

from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

from nightlatch.access import decide
from nightlatch.actions import kinds
from nightlatch.actions.people import App, Place
from nightlatch.assurance import aal, acr, amr, counting, enrolled, has_second, ready
from nightlatch.decision import Action, Allow, Challenge, Decision, Enrol, Purpose
from nightlatch.facts import Facts
from nightlatch.instants import Duration, Instant
from nightlatch.store import accounts, grants, workspaces
from nightlatch.store.engine import Transaction
from nightlatch.store.facts import read_account_facts, read_person_facts, vouched
from nightlatch.store.known import app_reach_of
from nightlatch.store.query import Row
from nightlatch.store.session_facts import read_known_by_session
from nightlatch.vocabulary import SECOND_FACTORS, Reason

KIND = "app"
"""The kind of act that a product's own fresh proof is for: acts of one product slide one window."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The decision about one person, and what it rests on."""

    decision: Decision
    due: Instant | None
    aal: int
    acr: str
    amr: tuple[str, ...]
    proved_at: Instant | None
    """When the newest second factor that counts was shown; where there is none, the product's sign-in."""
    session_id: int | None
    """The session of ours behind the grant, even where the grant does not count here: a way on may continue it."""
    seen: tuple[int, Instant] | None = None
    anew: bool = False
    """The person has signed in to the product since the grant: what its session proved before is not theirs to use."""
    """A session that was used by this check, and when it was last seen before."""


DecisionName: TypeAlias = Literal["allow", "challenge", "enrol", "deny"]


def name_of(decision: Decision) -> DecisionName:
    """The decision in a word."""
    if isinstance(decision, Allow):
        return "allow"
    if isinstance(decision, Challenge):
        return "challenge"
    return "enrol" if isinstance(decision, Enrol) else "deny"


def check(
    tx: Transaction,
    *,
    app: App,
    place: Place,
    signed_in_at: Instant | None,
    grant_hash: bytes | None,
    max_age: Duration | None,
) -> Verdict:
    """Decide for a person whose sign-in the product vouches for with this very request. Reads only.

    `signed_in_at`: when that sign-in was, where the product says.
    """
    grant = _grant(tx, app, place, grant_hash)
    anew = grant is not None and signed_in_at is not None and grant.created_at < signed_in_at
    facts, seen = None, None
    if grant is not None and not anew and grant.workspace_id == place.workspace_id:
        facts, seen = _with_session(tx, app, grant, signed_in_at)
    if facts is None:
        facts = read_person_facts(tx, place.account_id, app.id, signed_in_at)
    verdict = _verdict(
        facts, place.workspace_id, max_age, grant.session_id if grant is not None else None, seen
    )
    return replace(verdict, anew=anew)


def _grant(tx: Transaction, app: App, place: Place, grant_hash: bytes | None) -> Row | None:
    """A grant of this product and this very person."""
    row = grants.by_token(tx, grant_hash, grants.APP) if grant_hash is not None else None
    if row is None or row.app_id != app.id or row.account_id != place.account_id:
        return None
    return row


def _with_session(
    tx: Transaction, app: App, grant: Row, signed_in_at: Instant | None
) -> tuple[Facts | None, tuple[int, Instant] | None]:
    """The facts of the session behind a grant, and the product's word; None where it is over or was idle too long."""
    known = read_known_by_session(tx, grant.session_id)
    if known.session is None or known.facts.idle or known.facts.account != grant.account_id:
        return None, None
    word = vouched(app_reach_of(known, app.id), signed_in_at)
    facts = replace(known.facts, proofs=(*known.facts.proofs, word))
    return facts, (known.session.id, known.session.last_seen_at)


def _verdict(
    facts: Facts,
    workspace_id: int,
    max_age: Duration | None,
    session_id: int | None,
    seen: tuple[int, Instant] | None,
) -> Verdict:
    action = kinds.USE if max_age is None else Action(Purpose.WORK, fresh=KIND, max_age=max_age)
    decision = decide(facts, action.at(workspace_id))
    level = aal(facts, workspace_id)
    return Verdict(
        decision,
        _due(facts, workspace_id, level) if isinstance(decision, Allow) else None,
        level,
        acr(facts, workspace_id),
        tuple(amr(facts, workspace_id)),
        proved_at(facts, workspace_id),
        session_id,
        seen,
    )


def _due(facts: Facts, workspace_id: int, level: int) -> Instant | None:
    """When 2FA, or a passkey, will be needed, for who may still come without."""
    teammate = facts.teammate(workspace_id)
    if teammate is not None and not ready(facts, workspace_id):
        has_two_factor = enrolled(facts.authenticators, workspace_id)
        at = teammate.mandate.lacking_from(has_two_factor=has_two_factor)
        return at if at is not None and at > facts.now else None
    if teammate is None or level >= 2 or not teammate.mandate.scheduled(facts.now):
        return None
    return teammate.mandate.required_from


def proved_at(facts: Facts, workspace_id: int) -> Instant | None:
    """When the newest second factor that counts was shown; where there is none, the newest first factor."""
    proofs = counting(facts, workspace_id)
    if has_second(proofs):
        return max(each.at for each in proofs if each.method in SECOND_FACTORS)
    return max((each.at for each in proofs), default=0) or None


# --- without a browser ---


@dataclass(frozen=True, slots=True)
class Standing:
    """Whether a person's own API tokens may work in a workspace."""

    decision: Literal["allow", "enrol"]
    reason: Reason
    two_factor: bool
    due: Instant | None


def standing(tx: Transaction, *, app: App, person: str, workspace: str) -> Standing | None:
    """Allowed where the person is enrolled or nothing requires it; None for who is not a teammate there."""
    account = accounts.by_person(tx, app.id, person)
    row = workspaces.by_app(tx, app.id, workspace)
    if account is None or row is None:
        return None
    facts = read_account_facts(tx, account.id)
    teammate = facts.teammate(row.id)
    if teammate is None:
        return None
    has = enrolled(facts.authenticators, row.id)
    lacking_from = None
    if not ready(facts, row.id):
        lacking_from = teammate.mandate.lacking_from(has_two_factor=has)
    if lacking_from is None or lacking_from > facts.now:
        return Standing("allow", Reason.ALLOWED, has, lacking_from)
    if has:
        return Standing("enrol", Reason.STRENGTH, has, None)
    return Standing("enrol", Reason.RESET if teammate.reset is not None else Reason.MANDATE, has, None)
