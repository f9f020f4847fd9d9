"""A teammate's role, removing a teammate, leaving.

Somebody can always open (law 8): under one lock of the workspace, nothing here takes its last owner away, and while
it requires 2FA, or will, nothing takes the last owner who has it. Nobody grants a role above their own, and nobody
touches a person who ranks above them (rank is the highest role held within the last 7 days).
"""

from nightlatch.actions import help_closing, kinds
from nightlatch.actions.by import By
from nightlatch.actions.exceptions import tell_ended
from nightlatch.actions.exceptions_ending import end_of_person
from nightlatch.actions.guard import allowed, person_of, place_of
from nightlatch.actions.kept import not_by_product
from nightlatch.actions.mailing import every_address, mail_account, tell_owners_first
from nightlatch.actions.reasons import clean_reason
from nightlatch.actions.remembering import forget
from nightlatch.actions.reset_ending import person_gone, role_changed
from nightlatch.actions.service_accounts import suspend_of_sponsor
from nightlatch.addresses import parse
from nightlatch.audit.events import account as account_subject
from nightlatch.audit.events import record
from nightlatch.decision import Action
from nightlatch.ids import to_text
from nightlatch.policy import may_grant
from nightlatch.refusals import Code, Refused, WayOut, not_found
from nightlatch.store import accounts, invitations, standing, teammates, tickets, withdrawing, workspaces
from nightlatch.store.engine import Transaction
from nightlatch.store.locks import lock
from nightlatch.store.query import Row
from nightlatch.vocabulary import Event, Role


def change_role(
    tx: Transaction, *, by: By, workspace_id: int, teammate_id: int, role: Role, reason: str | None = None
) -> bool:
    """Give a teammate (oneself included) another role; False where it is theirs already.

    `reason`: the operator needs one, and all owners are mailed first: it goes past the workspace's own rules. Raises
    Refused: what the gate raises, `not_found`, `not_permitted` (above one's own role, or where a product says who is
    what), `last_owner`, `invalid` without that reason.
    """
    target, mine, workspace = _locked(tx, by, workspace_id, teammate_id, kinds.CHANGE_ROLE)
    old = Role(target.role)
    if mine is not None and not may_grant(mine, role):
        raise _above(workspace, "Nobody can give a role above their own.")
    if old is role:
        return False
    if role is not Role.OWNER:
        keep_an_owner(tx, workspace, target)
    told = _tell_owners(tx, by, workspace, reason, f"makes {target.name} ({target.email}) {role}")
    teammates.set_role(tx, target.id, old, role, by=by.id if by.kind == "account" else None)
    role_changed(tx, by, workspace_id, target.account_id)
    if role is not Role.MEMBER:
        _end_exception(tx, by, workspace, target, "role")
    standing.refresh(tx, target.account_id, [workspace_id])
    subject = account_subject(target.account_id, target.name)
    record(
        tx,
        Event.TEAMMATE_ROLE_CHANGED,
        by=by,
        subject=subject,
        workspace_id=workspace_id,
        role=role,
        former_role=old,
        **told,
    )
    mail_account(
        tx,
        "role_changed",
        _account(tx, target.account_id),
        by=by,
        workspace_id=workspace_id,
        workspace=workspace.name,
        role=role.value,
        by_name=by.name,
    )
    return True


def remove(
    tx: Transaction, *, by: By, workspace_id: int, teammate_id: int, reason: str | None = None
) -> None:
    """Remove a teammate: with the very next request nothing of theirs counts in this workspace (law 2).

    Their account, its sessions and other workspaces are as they were. Raises Refused as `change_role` does.
    """
    target, _, workspace = _locked(tx, by, workspace_id, teammate_id, kinds.REMOVE_TEAMMATE)
    if by.kind == "account" and target.account_id == by.id:
        raise Refused(
            Code.NOT_PERMITTED,
            "You cannot remove yourself. You can leave instead.",
            WayOut("Leave the workspace.", f"/w/{workspace.slug}/leave"),
        )
    keep_an_owner(tx, workspace, target)
    told = _tell_owners(tx, by, workspace, reason, f"removes {target.name} ({target.email})")
    _end(tx, by, workspace, target)
    subject = account_subject(target.account_id, target.name)
    record(
        tx,
        Event.TEAMMATE_REMOVED,
        by=by,
        subject=subject,
        workspace_id=workspace_id,
        role=target.role,
        **told,
    )
    mail_account(
        tx,
        "teammate_removed",
        _account(tx, target.account_id),
        by=by,
        workspace_id=workspace_id,
        workspace=workspace.name,
        by_name=by.name,
    )


def leave(tx: Transaction, *, by: By, workspace_id: int) -> None:
    """Leave a workspace. It is an act on the account: every workspace of the account must be open to this session.

    Raises Refused: what the gate raises, `not_found`, `last_owner`.
    """
    lock(tx, workspaces=[workspace_id], accounts=[by.id] if by.id is not None else [])
    known = allowed(tx, by, kinds.LEAVE)
    place = place_of(known, workspace_id)
    workspace = workspaces.by_id(tx, workspace_id)
    me = teammates.by_id(tx, place.teammate_id, workspace_id)
    if workspace is None or me is None:
        raise not_found()
    not_by_product(tx, workspace)
    keep_an_owner(tx, workspace, me)
    _end(tx, by, workspace, me)
    subject = account_subject(me.account_id, person_of(known).name)
    record(tx, Event.TEAMMATE_LEFT, by=by, subject=subject, workspace_id=workspace_id, role=me.role)


def may_not_leave(tx: Transaction, *, by: By, workspace_id: int) -> Refused | None:
    """Why leaving would be refused, whatever the session has shown; None where it would not. Reads only."""
    known = allowed(tx, by, kinds.READ_ACCOUNT)
    workspace = workspaces.by_id(tx, workspace_id)
    me = teammates.by_id(tx, place_of(known, workspace_id).teammate_id, workspace_id)
    if workspace is None or me is None:
        raise not_found()
    try:
        not_by_product(tx, workspace)
        keep_an_owner(tx, workspace, me)
    except Refused as refused:
        return refused
    return None


# --- inside ---


def _locked(
    tx: Transaction, by: By, workspace_id: int, teammate_id: int, action: Action
) -> tuple[Row, Role | None, Row]:
    """The teammate, the role of whoever acts (None: the operator), the workspace; all locked, and the act allowed."""
    before = teammates.by_id(tx, teammate_id, workspace_id)
    lock(tx, workspaces=[workspace_id], accounts=[before.account_id] if before is not None else [])
    mine = None
    if by.kind != "operator":
        me = allowed(tx, by, action.at(workspace_id)).facts.teammate(workspace_id)
        mine = me.role if me is not None else Role.MEMBER
    target = teammates.by_id(tx, teammate_id, workspace_id)
    workspace = workspaces.by_id(tx, workspace_id)
    if target is None or workspace is None:
        raise not_found()
    not_by_product(tx, workspace)
    itself = by.kind == "account" and target.account_id == by.id
    if mine is not None and not itself:
        not_above(tx, workspace, target, mine)
    return target, mine, workspace


def not_above(tx: Transaction, workspace: Row, target: Row, mine: Role) -> None:
    """Raises Refused where a teammate ranks above somebody else's role."""
    if teammates.rank(tx, target.id, Role(target.role)) > mine.rank:
        raise _above(workspace, "Only somebody of the same or a higher role can do this.")


def keep_an_owner(tx: Transaction, workspace: Row, target: Row) -> None:
    """Law 8. Called under the workspace's lock, for somebody who stops being an owner or a teammate."""
    if Role(target.role) is not Role.OWNER:
        return
    way_out = WayOut("Make somebody else an owner first.", f"/w/{workspace.slug}/settings/team")
    if all(each.account_id == target.account_id for each in teammates.owners(tx, workspace.id)):
        raise Refused(
            Code.LAST_OWNER, f"A workspace needs an owner, and {workspace.name} has no other.", way_out
        )
    keep_an_emergency_door(tx, workspace, target)
    if workspace.required_from is None:
        return
    if not any(each != target.account_id for each in teammates.enrolled_owners(tx, workspace.id)):
        raise Refused(
            Code.LAST_OWNER,
            f"{workspace.name} asks everybody for 2FA, and no other owner has it. "
            "Somebody must always be able to open it.",
            WayOut("Make somebody who has 2FA an owner first.", way_out.path),
        )


def keep_an_emergency_door(tx: Transaction, workspace: Row, target: Row) -> None:
    """Where single sign-on is required, an owner is left who can come in without it."""
    if workspace.sso_required_at is None:
        return
    left = teammates.enrolled_owners_with_password(tx, workspace.id)
    if not any(each != target.account_id for each in left):
        raise Refused(
            Code.LAST_OWNER,
            f"{workspace.name} requires single sign-on, and no other owner has a password and 2FA to come in with "
            "when the provider is down.",
            WayOut("Make somebody who has both an owner first.", f"/w/{workspace.slug}/settings/team"),
        )


def _end(tx: Transaction, by: By, workspace: Row, target: Row) -> None:
    """End what the person had in the workspace.

    Their sessions and API tokens are turned away there by the membership itself. A reset that was not completed is
    kept: should they come back, still only its ticket binds there (law 14).
    """
    if not teammates.remove(tx, target.id):
        raise not_found()
    _end_exception(tx, by, workspace, target, "gone")
    standing.drop(tx, target.id)
    person_gone(tx, by, workspace.id, target.account_id)
    forget(tx, by, target.account_id, target.name, how="gone", workspace_id=workspace.id)
    help_closing.closed(tx, by=by, account_id=target.account_id, workspace_id=workspace.id, why="gone")
    tickets.end_open(tx, target.account_id, workspace.id)
    withdrawing.of_person(tx, target.account_id, workspace.id, "no teammate any more")
    suspend_of_sponsor(tx, by=by, workspace=workspace, teammate=target)
    for email in every_address(tx, _account(tx, target.account_id)):
        _end_invitation(tx, by, workspace, parse(email).key)


def _end_exception(tx: Transaction, by: By, workspace: Row, target: Row, why: str) -> None:
    stood = end_of_person(
        tx, by=by, account_id=target.account_id, name=target.name, workspace_id=workspace.id, why=why
    )
    if stood and why != "gone":
        tell_ended(tx, by=by, workspace=workspace, account_id=target.account_id, name=target.name)


def _end_invitation(tx: Transaction, by: By, workspace: Row, email_key: str) -> None:
    """An invitation that waits for another address of theirs would bring them back."""
    row = invitations.pending_for(tx, workspace.id, email_key)
    if row is None or not invitations.revoke(tx, row.id, workspace.id):
        return
    standing.drop(tx, row.id)
    record(
        tx,
        Event.INVITATION_REVOKED,
        by=by,
        subject=("address", None, row.email),
        workspace_id=workspace.id,
        invitation=to_text(row.id),
        role=row.role,
    )


def _tell_owners(tx: Transaction, by: By, workspace: Row, reason: str | None, what: str) -> dict[str, str]:
    """The operator acts past the workspace's own rules: its owners are mailed first. What the event says of it."""
    if by.kind != "operator":
        return {}
    text = clean_reason(reason, needed=True)
    tell_owners_first(tx, by, workspace.id, f"In {workspace.name}, the operator {what}", text)
    return {"reason": text}


def _account(tx: Transaction, account_id: int) -> Row:
    row = accounts.by_id(tx, account_id)
    if row is None:
        raise not_found()
    return row


def _above(workspace: Row, detail: str) -> Refused:
    return Refused(
        Code.NOT_PERMITTED,
        detail,
        WayOut("Ask an owner of the workspace.", f"/w/{workspace.slug}/settings/team"),
    )
