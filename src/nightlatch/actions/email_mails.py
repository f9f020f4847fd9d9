"""What a change of e-mail mails: the link that confirms it, and the links that take it back."""

from nightlatch.actions.by import By
from nightlatch.actions.mailing import mail_address
from nightlatch.actions.tokens import new_token
from nightlatch.addresses import Address
from nightlatch.instants import HOUR
from nightlatch.store import accounts, outbox, tickets
from nightlatch.store.engine import Transaction
from nightlatch.store.query import Row

_CONFIRM_MAILS_AN_HOUR = 5
"""To one address, whoever asks."""


def mail_confirm(tx: Transaction, by: By, account: Row, new: Address, change_id: int) -> None:
    """To the new address, unless somebody has it: they get nothing, and nobody is told so."""
    if accounts.by_email(tx, new.key) is not None:
        return
    if outbox.count_to(tx, new.key, "email_confirm", tx.now - HOUR) >= _CONFIRM_MAILS_AN_HOUR:
        return
    token = new_token()
    tickets.create_link(
        tx,
        token_hash=token.hash,
        purpose="email_confirm",
        account_id=account.id,
        email_key=new.key,
        reference=change_id,
    )
    mail_address(
        tx,
        "email_confirm",
        new.display,
        by=by,
        account_id=account.id,
        link=f"/email/{token.text}",
        old=account.email,
        new=new.display,
        expires=tx.now + tickets.LINK_LIVES["email_confirm"],
    )


def mail_undo(tx: Transaction, by: By, account_id: int, change: Row, new: Address) -> None:
    """Each address that was replaced lately is told, and can take back what replaced it: for 7 days from then."""
    token = new_token()
    expires = change.confirmed_at + tickets.LINK_LIVES["email_undo"]
    tickets.create_link(
        tx,
        token_hash=token.hash,
        purpose="email_undo",
        account_id=account_id,
        reference=change.id,
        keep_older=True,
        expires_at=expires,
    )
    mail_address(
        tx,
        "email_changed",
        change.old_email,
        by=by,
        account_id=account_id,
        new=new.display,
        undo_link=f"/undo/{token.text}",
        expires=expires,
    )
