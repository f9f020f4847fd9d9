"""Domains of e-mail addresses: a workspace claims one, shows by a DNS record that it is its own, and lets it go.

A proved domain says whose addresses a workspace's provider may vouch for, and which people are offered its single
sign-on. It is one workspace's only. DNS is asked outside the transaction; what was found is judged inside.
"""

import secrets
from collections.abc import Iterable
from dataclasses import dataclass

from nightlatch import domains as spelling
from nightlatch.actions import kinds
from nightlatch.actions.by import By
from nightlatch.actions.connections import tell_owners
from nightlatch.actions.guard import allowed
from nightlatch.actions.kept import not_by_product
from nightlatch.actions.mailing import mail_owners, tell_owners_first
from nightlatch.actions.reasons import clean_reason
from nightlatch.audit.events import Subject, record
from nightlatch.decision import Action
from nightlatch.facts import WorkspaceId
from nightlatch.ids import to_text
from nightlatch.instants import DAY, Duration, Instant
from nightlatch.refusals import Code, Refused, WayOut, invalid, not_found
from nightlatch.store import domains, workspaces
from nightlatch.store.engine import Transaction
from nightlatch.store.locks import lock
from nightlatch.store.query import Row
from nightlatch.vocabulary import Event

MOST_IN_A_WORKSPACE = 20
_PROOF_OCTETS = 16
_AT_ONCE = 20
LAPSES_AFTER: Duration = 7 * DAY


@dataclass(frozen=True, slots=True)
class Domain:
    """A domain, as the workspace that claims it sees it."""

    id: int
    domain: str
    proof: str
    """The text that its record must hold."""
    created_at: Instant
    proved_at: Instant | None

    @property
    def record_name(self) -> str:
        """Where that record stands."""
        return spelling.record_name(self.domain)


@dataclass(frozen=True, slots=True)
class Due:
    """A proved domain whose record is to be looked for again."""

    workspace_id: WorkspaceId
    id: int
    record_name: str


# --- reading; the gate has asked ---


def every(tx: Transaction, workspace_id: WorkspaceId) -> list[Domain]:
    """What a workspace claims, by name."""
    return [_domain(row) for row in domains.of_workspace(tx, workspace_id)]


def read(tx: Transaction, workspace_id: WorkspaceId, domain_id: int) -> Domain:
    """One of them. Raises Refused (`not_found`)."""
    return _domain(_there(tx, workspace_id, domain_id))


# --- claiming, proving, removing ---


def claim(tx: Transaction, *, by: By, workspace_id: WorkspaceId, domain: str) -> Domain:
    """Claim a domain: it counts for nothing before its record is found. Claiming again gives the same claim.

    Raises Refused: what the gate raises, `invalid` for what is no domain of one's own, `conflict` for one too many.
    """
    try:
        name = spelling.parse_domain(domain)
    except spelling.BadDomain as bad:
        raise invalid("domain", bad.reason) from None
    workspace = _locked(tx, by, workspace_id, kinds.MANAGE_DOMAINS)
    there = domains.of_workspace(tx, workspace_id)
    for row in there:
        if row.domain == name:
            return _domain(row)
    if len(there) >= MOST_IN_A_WORKSPACE:
        raise Refused(
            Code.CONFLICT,
            f"A workspace has at most {MOST_IN_A_WORKSPACE} domains.",
            WayOut("Remove one first.", _path(workspace)),
        )
    proof = f"nightlatch={secrets.token_hex(_PROOF_OCTETS)}"
    id = domains.add(tx, workspace_id=workspace_id, domain=name, proof=proof)
    row = _there(tx, workspace_id, id)
    _record(tx, Event.DOMAIN_ADDED, by, row)
    return _domain(row)


def prove(
    tx: Transaction, *, by: By, workspace_id: WorkspaceId, domain_id: int, found: Iterable[str]
) -> Domain:
    """Judge what stands in DNS at the domain's record; `proved_at` of the answer says whether it is proved.

    Raises Refused: what the gate raises, `not_found`, `conflict` where another workspace has proved it.
    """
    name = read(tx, workspace_id, domain_id).domain
    workspace = _locked(tx, by, workspace_id, kinds.MANAGE_DOMAINS, domain=name)
    row = _there(tx, workspace_id, domain_id)
    if row.proved_at is not None or not spelling.shows(found, row.proof):
        return _domain(row)
    if domains.owner(tx, row.domain) is not None:
        raise Refused(
            Code.CONFLICT,
            "Another workspace here has proved this domain already. It can be one workspace's only.",
            WayOut("Ask whoever runs this installation.", _path(workspace)),
        )
    domains.prove(tx, domain_id)
    _record(tx, Event.DOMAIN_PROVED, by, row)
    tell_owners(
        tx,
        by,
        workspace,
        f"showed that the domain {row.domain} belongs to the workspace",
        _path(workspace),
    )
    return read(tx, workspace_id, domain_id)


def remove(
    tx: Transaction, *, by: By, workspace_id: WorkspaceId, domain_id: int, reason: str | None = None
) -> None:
    """Let a domain go: from now on nobody's address there is vouched for.

    `reason`: the operator needs one, and the owners are mailed first.
    Raises Refused: what the gate raises, `not_found`, `invalid`.
    """
    name = read(tx, workspace_id, domain_id).domain
    workspace = _locked(tx, by, workspace_id, kinds.MANAGE_DOMAINS, domain=name)
    row = _there(tx, workspace_id, domain_id)
    told = dict[str, str]()
    if by.kind == "operator":
        told = {"reason": clean_reason(reason, needed=True)}
        what = f"The operator removes the domain {row.domain}"
        tell_owners_first(tx, by, workspace.id, what, told["reason"])
    elif row.proved_at is not None:
        tell_owners(tx, by, workspace, f"removed the domain {row.domain}", _path(workspace))
    if not domains.remove(tx, domain_id):
        raise not_found()
    _record(tx, Event.DOMAIN_REMOVED, by, row, was_proved=row.proved_at is not None, **told)


# --- looking again ---


def due(tx: Transaction) -> list[Due]:
    """Proved domains whose record was not looked for within a day."""
    return [
        Due(row.workspace_id, row.id, spelling.record_name(row.domain)) for row in domains.due(tx, _AT_ONCE)
    ]


def recheck(tx: Transaction, *, by: By, again: Due, found: Iterable[str] | None) -> None:
    """Judge a proved domain again. `found`: what stands in DNS now; None where it gave no answer, which says nothing.

    A record that is gone is told to the owners; gone for a week, the domain counts as the workspace's no longer.
    """
    lock(tx, workspaces=[again.workspace_id])
    row, workspace = domains.by_id(tx, again.id, again.workspace_id), workspaces.by_id(tx, again.workspace_id)
    if row is None or workspace is None or row.proved_at is None:
        return
    if found is None or spelling.shows(found, row.proof):
        domains.checked(tx, row.id, row.missing_since if found is None else None)
        return
    since = row.missing_since if row.missing_since is not None else tx.now
    domains.checked(tx, row.id, since)
    if tx.now - since >= LAPSES_AFTER:
        domains.lapse(tx, row.id)
        _record(tx, Event.DOMAIN_LAPSED, by, row)
    if row.missing_since is None or tx.now - since >= LAPSES_AFTER:
        mail_owners(
            tx,
            "domain_missing",
            workspace.id,
            by=by,
            workspace=workspace.name,
            domain=row.domain,
            until=since + LAPSES_AFTER,
            lapsed=tx.now - since >= LAPSES_AFTER,
            link=f"{_path(workspace)}/{to_text(row.id)}",
        )


# --- inside ---


def _locked(tx: Transaction, by: By, workspace_id: WorkspaceId, action: Action, domain: str = "") -> Row:
    """The workspace and the domain's name, locked; the act allowed. The operator is asked by nobody."""
    lock(tx, workspaces=[workspace_id], names=[f"domain {domain}"] if domain else [])
    if by.kind != "operator":
        allowed(tx, by, action.at(workspace_id))
    workspace = workspaces.by_id(tx, workspace_id)
    if workspace is None:
        raise not_found()
    not_by_product(tx, workspace)
    return workspace


def _there(tx: Transaction, workspace_id: WorkspaceId, domain_id: int) -> Row:
    row = domains.by_id(tx, domain_id, workspace_id)
    if row is None:
        raise not_found()
    return row


def _record(tx: Transaction, event: Event, by: By, row: Row, **detail: object) -> None:
    subject: Subject = ("domain", row.id, row.domain)
    record(tx, event, by=by, subject=subject, workspace_id=row.workspace_id, **detail)


def _path(workspace: Row) -> str:
    return f"/w/{workspace.slug}/settings/team/authentication/domains"


def _domain(row: Row) -> Domain:
    return Domain(row.id, row.domain, row.proof, row.created_at, row.proved_at)
