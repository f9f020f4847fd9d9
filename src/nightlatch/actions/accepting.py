"""A workspace lets itself rely on an authenticator of a teammate that it did not rely on so far.

It is the workspace's own choice and counts in it alone: one that does not reach it (set up where this workspace was not
open), or that is void here by an earlier reset. What is elsewhere is neither asked nor told.
"""

from dataclasses import dataclass

from nightlatch.actions import kinds
from nightlatch.actions.by import By
from nightlatch.actions.guard import allowed
from nightlatch.actions.mailing import mail_account
from nightlatch.actions.reasons import clean_reason
from nightlatch.actions.standing_notes import note_methods
from nightlatch.assurance import relied
from nightlatch.audit.events import account as account_subject
from nightlatch.audit.events import record
from nightlatch.facts import Authenticator, AuthenticatorId, WorkspaceId
from nightlatch.instants import Instant
from nightlatch.refusals import Code, Refused, WayOut, not_found
from nightlatch.store import accounts, authenticators, resets, standing, teammates, tickets, workspaces
from nightlatch.store.engine import Transaction
from nightlatch.store.facts import read_account_facts
from nightlatch.store.known import Known
from nightlatch.store.locks import lock
from nightlatch.store.query import Row
from nightlatch.vocabulary import Event, Method, Role


@dataclass(frozen=True, slots=True)
class Offered:
    """An authenticator of a teammate that this workspace does not rely on, and could."""

    id: AuthenticatorId
    method: Method
    name: str
    bound_at: Instant


@dataclass(frozen=True, slots=True)
class Looked:
    """A teammate, what could be accepted of theirs, and what stands against it."""

    id: int
    name: str
    email: str
    role: Role
    offered: tuple[Offered, ...]
    against: Refused | None


def look(tx: Transaction, *, by: By, workspace_id: WorkspaceId, teammate_id: int) -> Looked:
    """What could be accepted. Reads only. Raises Refused: what the gate raises, `not_found`."""
    known = allowed(tx, by, kinds.LOOK_AT_RESET.at(workspace_id))
    row = teammates.by_id(tx, teammate_id, workspace_id)
    if row is None:
        raise not_found()
    against = _against(tx, known, workspace_id, row)
    offered = () if against is not None else tuple(_offered(tx, row.account_id, workspace_id))
    return Looked(row.id, row.name, row.email, Role(row.role), offered, against)


def accept(
    tx: Transaction, *, by: By, workspace_id: WorkspaceId, authenticator_id: AuthenticatorId, reason: str
) -> Offered:
    """Rely on it here from now on; a reset that waited to be completed is over by that.

    Raises Refused: what the gate raises (fresh proof), `not_permitted` by rank and for oneself, `not_found` for
    whatever is not offered, `invalid` without a reason.
    """
    target = authenticators.holder(tx, authenticator_id, workspace_id)
    lock(tx, workspaces=[workspace_id], accounts=[target.account_id] if target is not None else [])
    known = allowed(tx, by, kinds.ACCEPT_AUTHENTICATOR.at(workspace_id))
    workspace = workspaces.by_id(tx, workspace_id)
    row = teammates.by_id(tx, target.teammate_id, workspace_id) if target is not None else None
    account = accounts.by_id(tx, row.account_id) if row is not None else None
    if workspace is None or row is None or account is None:
        raise not_found()
    against = _against(tx, known, workspace_id, row)
    if against is not None:
        raise against
    reason = clean_reason(reason, needed=True)
    chosen = [each for each in _offered(tx, account.id, workspace_id) if each.id == authenticator_id]
    if not chosen:
        raise not_found()
    before = read_account_facts(tx, account.id)
    authenticators.mark(tx, authenticator_id, workspace_id, "void_at", None)
    authenticators.mark(tx, authenticator_id, workspace_id, "accepted_at", tx.now)
    _reset_is_over(tx, by, account, workspace_id, row)
    standing.refresh(tx, account.id, [workspace_id])
    after = read_account_facts(tx, account.id)
    record(
        tx,
        Event.AUTHENTICATOR_ACCEPTED,
        by=by,
        subject=account_subject(account.id, account.name),
        workspace_id=workspace_id,
        method=chosen[0].method,
        name=chosen[0].name,
        reason=reason,
    )
    note_methods(tx, by=by, account=account, before=before, after=after, workspace_id=workspace_id)
    mail_account(
        tx,
        "authenticator_accepted",
        account,
        by=by,
        workspace_id=workspace_id,
        workspace=workspace.name,
        by_name=by.name,
        name=chosen[0].name,
        method=chosen[0].method.value,
    )
    return chosen[0]


# --- inside ---


def _against(tx: Transaction, known: Known, workspace_id: WorkspaceId, row: Row) -> Refused | None:
    """Only whoever may reset this rank at once: members by admins and owners; admins and owners by an owner."""
    place = (known.places or {}).get(workspace_id)
    mine = known.facts.teammate(workspace_id)
    team = WayOut("Go back to the teammates.", f"/w/{place.slug if place else ''}/settings/team")
    if row.account_id == known.facts.account:
        return Refused(Code.NOT_PERMITTED, "Nobody accepts their own. Ask another admin or an owner.", team)
    above = teammates.rank(tx, row.id, Role(row.role)) > Role.MEMBER.rank
    if above and (mine is None or mine.role is not Role.OWNER):
        return Refused(
            Code.NOT_PERMITTED,
            f"{row.name} is, or was within the last 7 days, more than a member here. Only an owner can do this.",
            team,
        )
    return None


def _offered(tx: Transaction, account_id: int, workspace_id: WorkspaceId) -> list[Offered]:
    """Apps that it does not rely on and could use: what is suspended everywhere or here would only shut them out."""
    facts = read_account_facts(tx, account_id)
    found = {each.id: each for each in facts.authenticators if _acceptable(each, workspace_id)}
    return [
        Offered(row.id, Method(row.method), row.name, row.bound_at)
        for row in authenticators.of_account(tx, account_id)
        if row.id in found
    ]


def _acceptable(each: Authenticator, workspace_id: WorkspaceId) -> bool:
    return (
        each.method is not Method.RECOVERY_CODE
        and not relied(each, workspace_id)
        and workspace_id not in each.suspended
    )


def _reset_is_over(tx: Transaction, by: By, account: Row, workspace_id: WorkspaceId, row: Row) -> None:
    """Something is relied on here again: no ticket binds here beside it, and no reset waits for one."""
    tickets.end_open(tx, account.id, workspace_id)
    if row.reset_id is None:
        return
    teammates.finish_reset(tx, account.id, workspace_id)
    resets.complete(tx, account.id, workspace_id)
    record(
        tx,
        Event.RESET_COMPLETED,
        by=by,
        subject=account_subject(account.id, account.name),
        workspace_id=workspace_id,
    )
