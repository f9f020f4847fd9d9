"""What a reset mails: that it waits, the way back to the person, that it is done or has ended, to all concerned."""

from typing import Any

from nightlatch.actions import mailing
from nightlatch.actions.by import By
from nightlatch.actions.mailing import every_address, mail_account, mail_address, mail_copies
from nightlatch.actions.tokens import new_token
from nightlatch.instants import Instant
from nightlatch.store import accounts, teammates, tickets
from nightlatch.store.engine import Transaction
from nightlatch.store.query import Row
from nightlatch.vocabulary import TicketPurpose


def mail_ticket(
    tx: Transaction,
    by: By,
    workspace: Row,
    account: Row,
    *,
    reset_id: int,
    by_name: str,
    reason: str,
    number: bool,
) -> None:
    """A new ticket to the present address. Older ones for this workspace are dead."""
    token = new_token()
    tickets.create(
        tx,
        token_hash=token.hash,
        account_id=account.id,
        purpose=TicketPurpose.RESET,
        workspace_id=workspace.id,
        reset_id=reset_id,
    )
    mail_address(
        tx,
        "reset",
        account.email,
        by=by,
        account_id=account.id,
        workspace_id=workspace.id,
        workspace=workspace.name,
        by_name=by_name,
        reason=reason,
        number=number,
        link=f"/tickets/{token.text}",
        expires=tx.now + tickets.TICKET_LIFE,
    )


def mail_notices(tx: Transaction, by: By, workspace: Row, account: Row, *, by_name: str) -> None:
    """What happened, without the link, to every address but the present one (law 13)."""
    for email in every_address(tx, account)[1:]:
        mail_address(
            tx,
            "reset_notice",
            email,
            by=by,
            account_id=account.id,
            workspace_id=workspace.id,
            workspace=workspace.name,
            by_name=by_name,
            account=account.email,
        )
    mail_copies(
        tx,
        "reset_notice",
        account,
        by=by,
        workspace_id=workspace.id,
        workspace=workspace.name,
        by_name=by_name,
        account=account.email,
    )


def announce(
    tx: Transaction,
    by: By,
    workspace: Row,
    account: Row,
    *,
    reset_id: int,
    reason: str,
    until: Instant,
    held: bool,
) -> None:
    """It waits: to the person at every address, with the link that stops it, and to every owner."""
    token = new_token()
    tickets.create_link(
        tx,
        token_hash=token.hash,
        purpose="reset_stop",
        account_id=account.id,
        reference=reset_id,
        keep_older=True,
        expires_at=until,
    )
    told: dict[str, Any] = {"by_name": by.name, "reason": reason, "expires": until, "approval": held}
    mail_account(
        tx,
        "reset_waiting",
        account,
        by=by,
        workspace_id=workspace.id,
        workspace=workspace.name,
        link=f"/reset-stop/{token.text}",
        **told,
    )
    _mail_owners(
        tx,
        "reset_waiting_owner",
        by,
        workspace,
        account,
        None,
        link=f"/w/{workspace.slug}/settings/team/resets",
        **told,
    )


def tell_done(
    tx: Transaction, by: By, workspace: Row, account: Row, reset: Row, approver: str | None
) -> None:
    """It is done: to every owner, and to whoever asked. The person has the mail with the link."""
    _mail_owners(
        tx,
        "reset_done",
        by,
        workspace,
        account,
        reset.requested_by,
        by_name=reset.requester,
        approver=approver,
        link=f"/w/{workspace.slug}/settings/team",
    )


def tell_ended(tx: Transaction, by: By, workspace: Row, account: Row, reset: Row, why: str) -> None:
    """It ended before it was done: to the person, every owner, and whoever asked."""
    told: dict[str, Any] = {"by_name": by.name, "why": why}
    if why != "removed":
        mail_account(
            tx,
            "reset_ended",
            account,
            by=by,
            workspace_id=workspace.id,
            workspace=workspace.name,
            name=None,
            **told,
        )
    _mail_owners(tx, "reset_ended", by, workspace, account, reset.requested_by, **told)


def tell_owners_first(
    tx: Transaction, by: By, workspace: Row, account: Row, reason: str, *, number: bool
) -> None:
    """The operator does it: every owner is told first, also where the link works without a number."""
    what = f"Turn off 2FA for {account.name} in {workspace.name}"
    without = "" if number else "; the link to set it up again works without a number"
    mailing.tell_owners_first(tx, by, workspace.id, what + without, reason)


def _mail_owners(
    tx: Transaction,
    kind: str,
    by: By,
    workspace: Row,
    account: Row,
    also: int | None,
    **values: Any,
) -> None:
    """To every owner but the person, and to `also`."""
    people = {each.account_id: each.email for each in teammates.owners(tx, workspace.id)}
    if also is not None and also not in people:
        asker = accounts.by_id(tx, also)
        people |= {asker.id: asker.email} if asker is not None else {}
    people.pop(account.id, None)
    values = {"workspace": workspace.name, "name": account.name, **values}
    for account_id, email in people.items():
        mail_address(tx, kind, email, by=by, account_id=account_id, workspace_id=workspace.id, **values)
