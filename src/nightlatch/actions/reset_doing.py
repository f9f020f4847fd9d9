"""Doing a reset: at once, when it is approved, or when its instant has come. Once, and only while it still stands.

What the workspace relied on is void in it, and nowhere else; what sessions held for it counts no longer; a ticket goes
out to the present address and works only with the number. Nothing in any other workspace changes (law 7).
"""

from nightlatch.actions.by import SYSTEM, By
from nightlatch.actions.help_closing import closed
from nightlatch.actions.remembering import forget
from nightlatch.actions.reset_ending import end_reset
from nightlatch.actions.reset_mails import mail_notices, mail_ticket, tell_done
from nightlatch.actions.reset_rules import Target, may_still_ask, nobody_could_open, rank_of
from nightlatch.assurance import enrolled, relied_on
from nightlatch.audit.events import record
from nightlatch.ids import to_text
from nightlatch.store import (
    accounts,
    authenticators,
    enrolments,
    resets,
    standing,
    teammates,
    workspaces,
)
from nightlatch.store.engine import Transaction
from nightlatch.store.facts import read_account_facts
from nightlatch.store.locks import lock
from nightlatch.store.query import Row
from nightlatch.vocabulary import Event


def do_reset(tx: Transaction, by: By, target: Target, reset: Row, approver: str | None = None) -> bool:
    """Do it, under the locks of its workspace and person. False: it was done already, or has ended."""
    workspace_id, account = target.workspace.id, target.account
    if not resets.do(tx, reset.id, account.id, workspace_id):
        return False
    here = relied_on(read_account_facts(tx, account.id), workspace_id)
    for each in here:
        authenticators.mark(tx, each.id, workspace_id, "void_at", tx.now)
    teammates.begin_reset(tx, target.teammate.id, reset.id)
    teammates.reset_waits_no_more(tx, account.id, workspace_id, reset.id)
    enrolments.drop_for(tx, account.id, workspace_id)
    forget(tx, by, account.id, account.name, how="reset", workspace_id=workspace_id)
    closed(tx, by=by, account_id=account.id, workspace_id=workspace_id, why="reset")
    standing.refresh(tx, account.id, only=[workspace_id])
    number = bool(reset.number_tag)
    record(
        tx,
        Event.TEAMMATE_RESET,
        by=by,
        subject=target.subject,
        workspace_id=workspace_id,
        reset=to_text(reset.id),
        reason=reset.reason,
        recognised_by=reset.recognised_by or None,
        number_waived=not number,
    )
    if enrolled(here, workspace_id):
        record(tx, Event.TEAMMATE_UNSECURED, by=by, subject=target.subject, workspace_id=workspace_id)
    mail_ticket(
        tx,
        by,
        target.workspace,
        account,
        reset_id=reset.id,
        by_name=reset.requester,
        reason=reset.reason,
        number=number,
    )
    mail_notices(tx, by, target.workspace, account, by_name=reset.requester)
    if reset.effective_at > reset.created_at:
        tell_done(tx, by, target.workspace, account, reset, approver)
    return True


def found(tx: Transaction, workspace_id: int, account_id: int) -> Target | None:
    """Whom a reset is of, if they are still a teammate."""
    workspace = workspaces.by_id(tx, workspace_id)
    row = teammates.by_account(tx, account_id, workspace_id)
    account = accounts.by_id(tx, account_id)
    if workspace is None or account is None or row is None or row.removed_at is not None:
        return None
    return Target(workspace, row, account)


def why_not(tx: Transaction, target: Target, reset: Row) -> str | None:
    """Why a waiting reset stands no longer, as a word of the schema's list; asked again when it is about to be done."""
    if not may_still_ask(tx, reset):
        return "requester"
    if rank_of(tx, target.teammate) > reset.rank:
        return "role"
    if not relied_on(read_account_facts(tx, target.account.id), target.workspace.id):
        return "nothing"
    if nobody_could_open(tx, target, reset.requested_by) is not None:
        return "last_owner"
    return None


def finish_due(tx: Transaction) -> bool:
    """Do, or end, the next reset whose instant has come; whether there may be more. For the background task."""
    reset = resets.due(tx)
    if reset is not None:
        finish(tx, reset)
    return resets.is_due(tx)


def finish(tx: Transaction, reset: Row) -> None:
    """Do, or end, one whose instant has come. Whoever comes second finds nothing left to do."""
    lock(tx, workspaces=[reset.workspace_id], accounts=[reset.account_id])
    now = resets.take(tx, reset.id)
    if now is None or now.done_at is not None or now.ended_at is not None or now.effective_at > tx.now:
        return
    target = found(tx, now.workspace_id, now.account_id)
    why = "removed" if target is None else "lapsed" if now.held_at is not None else why_not(tx, target, now)
    if target is not None and why is None:
        do_reset(tx, SYSTEM, target, now)
    else:
        end_reset(tx, SYSTEM, now, why or "removed")
