"""What a decision needs to know: small frozen records, read for each request and never kept. Pure.

The store fills them (`store/facts.py`), `assurance` derives from them, `access.decide` decides by them. Nothing here
says "2FA enabled": that is derived, for a plane, from what is bound, where it reaches and what is void there.
"""

from typing import TypeAlias

from nightlatch.instants import Duration, Instant
from nightlatch.policy import Mandate
from nightlatch.values import frozen
from nightlatch.vocabulary import Evidence, Method, Role

WorkspaceId: TypeAlias = int
AccountId: TypeAlias = int
AuthenticatorId: TypeAlias = int
ResetId: TypeAlias = int
AppId: TypeAlias = int
ServiceId: TypeAlias = int
ConnectionId: TypeAlias = int
Sequence: TypeAlias = int
"""The order of things. Instants are for people and limits; which came first is told by sequence alone (law 12)."""

NO_WORKSPACES: frozenset[WorkspaceId] = frozenset()
NO_MANDATE = Mandate()


@frozen
class Reach:
    """Where a proof or an authenticator counts: everywhere, or in named workspaces."""

    everywhere: bool = False
    workspaces: frozenset[WorkspaceId] = NO_WORKSPACES

    def __contains__(self, workspace: WorkspaceId) -> bool:
        return self.everywhere or workspace in self.workspaces

    def __bool__(self) -> bool:
        return self.everywhere or bool(self.workspaces)


EVERYWHERE = Reach(everywhere=True)
NOWHERE = Reach()


def reach_of(*workspaces: WorkspaceId) -> Reach:
    """The reach of just these workspaces."""
    return Reach(workspaces=frozenset(workspaces))


@frozen
class Authenticator:
    """A bound second factor of the account (the password needs no row: it always reaches everywhere)."""

    id: AuthenticatorId
    method: Method
    reach: Reach = EVERYWHERE
    void: frozenset[WorkspaceId] = NO_WORKSPACES
    """Workspaces that stopped relying on it, by a reset."""
    accepted: frozenset[WorkspaceId] = NO_WORKSPACES
    """Workspaces beyond its reach that chose to rely on it."""
    suspended: Reach = NOWHERE
    """Where it is still relied on, but may not be used."""
    limited_until: Instant = 0
    """Until then it was bound with a recovery code and changes nothing weighty (design section 7)."""
    lost: Reach = NOWHERE
    """Where it was marked as lost, or contested: suspended, and nothing that is shown with it counts."""
    valid_after: tuple[tuple[WorkspaceId, Sequence], ...] = ()
    """Where it was marked as lost before: proofs given with it below this sequence do not count there."""

    def newest_dead(self, workspace: WorkspaceId) -> Sequence:
        """Below this sequence no proof given with it counts in a workspace."""
        for each, sequence in self.valid_after:
            if each == workspace:
                return sequence
        return 0


@frozen
class Proof:
    """One authentication event of this session."""

    method: Method
    sequence: Sequence
    at: Instant
    authenticator: AuthenticatorId | None = None
    """What it was given with; None for a first factor that has no row of its own, and for the mailbox."""
    source: Reach = EVERYWHERE
    """For proofs without an authenticator: the password reaches everywhere, a provider or ticket its workspaces."""
    reset: ResetId | None = None
    """For a reset's ticket: which reset."""
    connection: ConnectionId | None = None
    """For a sign-in at a workspace's identity provider: by which connection. `at` is when that sign-in was."""
    evidence: Evidence = Evidence.NONE
    """What that connection's rule, as it is now, takes it for."""
    verified: bool = True
    """Of a passkey: whether it verified its user. Only touched, it is a second factor and no first one."""


@frozen
class Teammate:
    """The account's membership in one workspace, with that workspace's policy."""

    workspace: WorkspaceId
    role: Role
    valid_after: Sequence = 0
    """Proofs below it do not count here (raised by a reset, a removal, a return)."""
    mandate: Mandate = NO_MANDATE
    reset: ResetId | None = None
    """The reset after which nothing has been bound here yet: only its ticket binds."""
    sso_required: bool = False
    """Only a sign-in at the workspace's own provider is a first factor here; owners with 2FA keep another way in."""
    remembers: bool = False
    """Browsers may be remembered here, as long as nothing is required, now or announced."""
    by_sso: bool = False
    """They came last by a connection whose rule still takes that for enough; asked for API tokens alone."""


@frozen
class RecentAct:
    """The latest act of this session that asked for fresh proof: acts of the same kind slide its window."""

    kind: str
    at: Instant


@frozen
class ApiToken:
    """What a request by an API token comes with instead of a session. It proves nothing; it may read what it names.

    A person's token knows of the workspaces that it was made for alone: the others are not among `teammates`.
    """

    scopes: frozenset[str]
    sequence: Sequence = 0
    """When it was made."""
    service: ServiceId | None = None
    """Of which service account it is; None: of the account. A service account is in its one workspace as a member."""
    sponsored: bool = True
    """Whether a teammate answers for the service account."""


@frozen
class Facts:
    """Everything behind one decision, as of `now`."""

    now: Instant
    account: AccountId | None = None
    """None: no live session."""
    idle: bool = False
    """The session was idle too long: the first factor alone resumes it."""
    proofs: tuple[Proof, ...] = ()
    authenticators: tuple[Authenticator, ...] = ()
    teammates: tuple[Teammate, ...] = ()
    recent: RecentAct | None = None
    first: Method = Method.PASSWORD
    """How this account shows a first factor: its password, or (PROVIDER) the sign-in of the product that keeps it, or
    of its workspace's identity provider."""
    by_connection: bool = False
    """`first` is PROVIDER because the account has no password and comes by single sign-on, not by a product."""
    app: AppId | None = None
    """The product that asks, by its secret. It stands for nobody."""
    token: ApiToken | None = None
    """The API token that asks: there is no session then."""

    def teammate(self, workspace: WorkspaceId) -> Teammate | None:
        """The membership in a workspace, if there is one."""
        for teammate in self.teammates:
            if teammate.workspace == workspace:
                return teammate
        return None

    def authenticator(self, id: AuthenticatorId | None) -> Authenticator | None:
        """The bound authenticator with this id, if it is still bound."""
        for authenticator in self.authenticators:
            if authenticator.id == id:
                return authenticator
        return None


MAILBOX_PROOF_LIFE: Duration = 60 * 60 * 1_000_000
"""How long after its link was used the mailbox counts for binding: 60 minutes, as long as a pending enrolment lives."""
