"""What a reset mails: the way back to the person, a notice to their other addresses, and the owners before the operator
acts.
"""

from nightlatch.actions.by import By
from nightlatch.actions.mailing import every_address, mail_address, mail_owners
from nightlatch.actions.tokens import new_token
from nightlatch.store import tickets
from nightlatch.store.engine import Transaction
from nightlatch.store.query import Row
from nightlatch.vocabulary import TicketPurpose


def mail_ticket(
    tx: Transaction, by: By, workspace: Row, account: Row, *, reset_id: int, reason: str, number: bool
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
        by_name=by.name,
        reason=reason,
        number=number,
        link=f"/tickets/{token.text}",
        expires=tx.now + tickets.TICKET_LIFE,
    )


def mail_notices(tx: Transaction, by: By, workspace: Row, account: Row) -> None:
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
            by_name=by.name,
            account=account.email,
        )


def tell_owners_first(
    tx: Transaction, by: By, workspace: Row, account: Row, reason: str, *, number: bool
) -> None:
    """The operator acts past the roles: every owner is told, before anything else is queued (law 8)."""
    mail_owners(
        tx,
        "break_glass",
        workspace.id,
        by=by,
        operator=by.name,
        reason=reason,
        what=f"Turn off 2FA for {account.name} in {workspace.name}"
        + ("" if number else "; the link to set it up again works without a number"),
    )
