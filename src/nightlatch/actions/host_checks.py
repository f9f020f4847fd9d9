"""Products without users of their own, behind a proxy: may this browser pass, at this host, now?

A protected host has a cookie of its own: a grant, which is a child of the session at the origin and dies with it,
good for that host's check alone. The check reads the session behind it each time and decides as for every other route
(law 1, 2).
"""

from dataclasses import dataclass

from nightlatch.access import decide
from nightlatch.actions import kinds
from nightlatch.actions.app_checks import KIND, proved_at
from nightlatch.assurance import acr, amr
from nightlatch.decision import Action, Allow, Challenge, Decision, Deny, Purpose
from nightlatch.facts import Facts
from nightlatch.instants import HOUR, MINUTE, Duration, Instant
from nightlatch.refusals import Code, Refused
from nightlatch.store import apps, grants
from nightlatch.store.engine import Transaction
from nightlatch.store.known import Known, Place
from nightlatch.store.query import Row
from nightlatch.store.session_facts import read_known_by_session
from nightlatch.vocabulary import Reason, Role

SHORTEST_AGE: Duration = MINUTE
LONGEST_AGE: Duration = 24 * HOUR
"""What `max_age=` may say."""


@dataclass(frozen=True, slots=True)
class Narrowing:
    """What the proxy's configuration asks beyond the registration; it never opens more."""

    roles: frozenset[Role] | None = None
    max_age: Duration | None = None


@dataclass(frozen=True, slots=True)
class Passed:
    """Who passes, in the words of the identity headers."""

    account_id: int
    email: str
    name: str
    workspace: Place
    role: Role
    acr: str
    amr: tuple[str, ...]
    proved_at: Instant


@dataclass(frozen=True, slots=True)
class Checked:
    """The decision at one protected host."""

    app: Row
    origin: str
    known: Known
    decision: Decision
    passed: Passed | None = None
    """Only where the decision is Allow."""


def check(
    tx: Transaction, *, origin: str, token_hash: bytes | None, narrowing: Narrowing | None = None
) -> Checked | None:
    """Decide for the holder of a host's cookie. Reads only. None: no product without users is registered there.

    Raises Refused (`malformed`) where the proxy's configuration would open more than the registration does.
    """
    app = app_at(tx, origin)
    if app is None:
        return None
    wanted = narrowing or Narrowing()
    roles = _roles(app, wanted)
    known = holder(tx, app, origin, token_hash)
    decision = _decide(known.facts, app.workspace_id, roles, wanted.max_age)
    passed = _passed(known, app.workspace_id) if isinstance(decision, Allow) else None
    return Checked(app, origin, known, decision, passed)


def app_at(tx: Transaction, origin: str) -> Row | None:
    """The product without users that is registered at an origin."""
    return apps.protected_at(tx, origin)


def holder(tx: Transaction, app: Row, origin: str, token_hash: bytes | None) -> Known:
    """The session behind a host's cookie: of this very product, host and workspace, or nobody's."""
    grant = grants.by_token(tx, token_hash, grants.HOST) if token_hash is not None else None
    if (
        grant is None
        or grant.app_id != app.id
        or grant.host != origin
        or grant.workspace_id != app.workspace_id
    ):
        return Known(Facts(now=tx.now))
    known = read_known_by_session(tx, grant.session_id)
    return known if known.facts.account == grant.account_id else Known(Facts(now=tx.now))


def registered_roles(app: Row) -> frozenset[Role]:
    """Whom the registration opens a product to."""
    return frozenset(map(Role, app.roles.split())) if app.roles is not None else frozenset(Role)


def _roles(app: Row, wanted: Narrowing) -> frozenset[Role]:
    registered = registered_roles(app)
    if wanted.roles is None:
        return registered
    if not wanted.roles <= registered:
        raise Refused(
            Code.MALFORMED,
            "The proxy asks for roles that this product is not registered for: it may only narrow them.",
        )
    return wanted.roles


def _decide(facts: Facts, workspace_id: int, roles: frozenset[Role], max_age: Duration | None) -> Decision:
    """In the fixed order: session, teammate, second step, enrolment, role, freshness."""
    decision = decide(facts, kinds.PASS_PROXY.at(workspace_id))
    if not isinstance(decision, Allow):
        return decision
    if not opens_to(facts, workspace_id, roles):
        return Deny(Reason.PERMISSION)
    if max_age is None:
        return decision
    return decide(facts, Action(Purpose.WORK, workspace=workspace_id, fresh=KIND, max_age=max_age))


def opens_to(facts: Facts, workspace_id: int, roles: frozenset[Role]) -> bool:
    """Whether somebody's role in a workspace is one of these."""
    teammate = facts.teammate(workspace_id)
    return teammate is not None and teammate.role in roles


def _passed(known: Known, workspace_id: int) -> Passed | None:
    person, place = known.person, (known.places or {}).get(workspace_id)
    teammate = known.facts.teammate(workspace_id)
    if person is None or place is None or teammate is None:
        return None
    return Passed(
        person.id,
        person.email,
        person.name,
        place,
        teammate.role,
        acr(known.facts, workspace_id),
        tuple(amr(known.facts, workspace_id)),
        proved_at(known.facts, workspace_id) or 0,
    )


def must_sign_in(decision: Decision) -> bool:
    """Whether nobody is known at all."""
    return isinstance(decision, Challenge) and decision.reason is Reason.NO_SESSION
